"""Finds what ``ebpfgen generate`` would change, and changes nothing."""

import difflib
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

from ebpfgen.errors import EbpfgenError
from ebpfgen.freshness import Digests, differences
from ebpfgen.inputs import exists, is_file, read_file
from ebpfgen.jobs import Job
from ebpfgen.output import is_generated, leftovers, old_variants, with_companions
from ebpfgen.project import project_files
from ebpfgen.run import Observer, Settings

_DIFF_LINES = 20


class Finding(NamedTuple):
    """A file that is not as it should be.

    ``stale`` ones include those changed by hand; no binding makes those that are ``orphaned``, and
    git does not know those that are ``untracked``.
    ``diff`` has the first lines of what would change, where that is known.
    """

    path: Path
    state: Literal["missing", "stale", "orphaned", "untracked"]
    reason: str
    diff: str = ""


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found, in the order of the jobs, and why others could not be rebuilt."""

    findings: list[Finding] = field(default_factory=list)
    errors: list[EbpfgenError] = field(default_factory=list)


def check(
    jobs: Iterable[Job],
    *,
    root: Path | None = None,
    rebuild: bool = False,
    settings: Settings | None = None,
) -> Checked:
    """Find what is stale, missing or orphaned.

    Stamps decide, so that neither clang nor its version matter; what they find stale is built, in
    memory and only for the diff, if that can be done. With *rebuild* everything is built, and the
    bytes decide. Generated files of the project in *root* that none of the jobs makes are orphaned;
    without a *root*, only variants that the jobs do not make any more.
    """
    jobs, settings = list(jobs), settings or Settings()
    checked = Checked()
    if rebuild:
        for job, files in _built(jobs, settings, checked.errors):
            checked.findings.extend(_compared(job, files))
    else:
        checked.findings.extend(_stale(jobs, settings))
    checked.findings.extend(_orphans(jobs, root))
    return checked


def _stale(jobs: Sequence[Job], settings: Settings) -> Iterator[Finding]:
    digest = Digests()
    different = [(job, list(differences(job, digest))) for job in jobs]
    # What can't be built has no diff; why, a run of generate says.
    built = _built([job for job, files in different if files], settings, [])
    diffs = {path: _diff(path, data) for _, files in built for path, data in files.items()}
    for path, reason in (found for _, files in different for found in files):
        state: Literal["missing", "stale"] = "missing" if reason == "missing" else "stale"
        yield Finding(path, state, reason, diffs.get(path, ""))


def _compared(job: Job, files: dict[Path, bytes]) -> Iterator[Finding]:
    for path in job.outputs:
        if not exists(path):
            yield Finding(path, "missing", "missing")
        elif not is_file(path) or read_file(path) != files[path]:
            yield Finding(path, "stale", "a rebuild gives another one", _diff(path, files[path]))


def _built(
    jobs: Sequence[Job], settings: Settings, errors: list[EbpfgenError]
) -> list[tuple[Job, dict[Path, bytes]]]:
    """Return the files of each binding that can be built; what fails goes to *errors*."""
    if not jobs:
        return []
    from ebpfgen.build import assemble
    from ebpfgen.schedule import build_all

    done = []
    with closing(build_all(jobs, settings, Observer())) as results:
        for job, (variants, failed) in zip(jobs, results, strict=True):
            errors += failed
            if not failed:
                done.append((job, assemble(job, variants)))
    return done


def _diff(path: Path, data: bytes) -> str:
    """Return the first lines that would change in a module, none if it is a link or missing."""
    if path.suffix != ".py" or path.is_symlink() or not is_file(path):
        return ""
    old = read_file(path).decode("utf-8", "replace").splitlines()
    lines = list(difflib.unified_diff(old, data.decode().splitlines(), lineterm="", n=1))[2:]
    more = [f"… {len(lines) - _DIFF_LINES} more lines"] if len(lines) > _DIFF_LINES else []
    return "\n".join([*lines[:_DIFF_LINES], *more])


def _orphans(jobs: Sequence[Job], root: Path | None) -> Iterator[Finding]:
    files = sorted(project_files(root, (".py", ".tmp"))) if root else []
    folders = {job.output_dir: None for job in jobs}
    seen = {os.path.realpath(path) for job in jobs for path in job.outputs}
    old = [path for job in jobs for path in old_variants(job)]
    for path in [*old, *(_generated(files, folders) if root else ())]:
        if (full := os.path.realpath(path)) not in seen:
            seen.add(full)
            yield Finding(path, "orphaned", "no binding makes it")
    places = [*folders, *(path.parent for path in files if path.suffix == ".tmp")]
    for folder in {os.path.realpath(place): place for place in places}.values():
        for path in leftovers(folder):
            yield Finding(path, "orphaned", "a run that was killed left it")


def _generated(files: Iterable[Path], folders: Iterable[Path]) -> Iterator[Path]:
    """Yield what ebpfgen wrote among the *files* of a project, and in the folders of bindings."""
    modules = {path for path in files if path.suffix == ".py"}
    modules |= {path for folder in folders for path in folder.glob("*.py")}
    for path in sorted(modules):
        if is_generated(path):
            yield from with_companions(path)
