"""Finds what ``ebpfgen generate`` would change, and changes nothing."""

import difflib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ebpfgen.errors import EbpfgenError
from ebpfgen.jobs import Job
from ebpfgen.output import is_generated, replaced_files
from ebpfgen.run import Observer, Settings
from ebpfgen.stamp import Digests, differences, outputs_of

_DIFF_LINES = 20


@dataclass(frozen=True, slots=True)
class Finding:
    """A file that is not as it should be.

    ``state`` is ``missing``, ``stale`` (or changed by hand), ``orphaned`` (no binding makes it) or
    ``untracked`` (git does not know it).
    ``diff`` has the first lines of what would change, where that is known.
    """

    path: Path
    state: str
    reason: str
    diff: str = ""


def check(
    jobs: Iterable[Job], *, whole_project: bool, rebuild: bool = False, colour: bool = False
) -> list[Finding]:
    """Return what is stale, missing or orphaned, in the order of the jobs.

    Stamps decide, so that neither clang nor its version matter; what they find stale is built, in
    memory and only for the diff, if that can be done. With *rebuild* everything is built, and the
    bytes decide. With *whole_project*, generated files that none of the jobs makes are orphaned.

    Raises EbpfgenError if a *rebuild* fails.
    """
    jobs = list(jobs)
    digest = Digests()
    found: list[Finding] = []
    if rebuild:
        for job, files in _built(jobs, colour=colour):
            found += _compared(job, files)
    else:
        stale = [job for job in jobs if any(differences(job, digest))]
        diffs = _diffs(stale)
        for job in stale:
            found += [
                Finding(path, "missing" if reason == "missing" else "stale", reason)
                if path not in diffs
                else Finding(path, "stale", reason, diffs[path])
                for path, reason in differences(job, digest)
            ]
    return found + list(_orphans(jobs, whole_project=whole_project))


def _compared(job: Job, files: dict[Path, bytes]) -> Iterator[Finding]:
    for path in outputs_of(job):
        if not path.exists():
            yield Finding(path, "missing", "missing")
        elif path.read_bytes() != files[path]:
            yield Finding(path, "stale", "a rebuild gives another one", _diff(path, files[path]))


def _diffs(jobs: Sequence[Job]) -> dict[Path, str]:
    """Return what would change in the modules of stale bindings, as far as they can be built."""
    result: dict[Path, str] = {}
    for job in jobs:
        try:
            for _, files in _built([job]):
                result |= {
                    path: text for path, data in files.items() if (text := _diff(path, data))
                }
        except EbpfgenError:
            # The finding stands without a diff; why it can't be built, a run of generate says.
            continue
    return result


def _built(jobs: Sequence[Job], *, colour: bool = False) -> Iterator[tuple[Job, dict[Path, bytes]]]:
    from ebpfgen.build import assemble
    from ebpfgen.schedule import build_all

    if not jobs:
        return
    results = build_all(jobs, Settings(colour=colour), Observer())
    for job, (variants, errors) in zip(jobs, results, strict=True):
        if errors:
            raise errors[0]
        yield job, assemble(job, variants)


def _diff(path: Path, data: bytes) -> str:
    """Return the first lines of what would change in a text file that is there."""
    if path.suffix != ".py" or not path.exists():
        return ""
    old = path.read_text("utf-8", errors="replace").splitlines()
    lines = list(difflib.unified_diff(old, data.decode().splitlines(), lineterm="", n=1))[2:]
    more = [f"… {len(lines) - _DIFF_LINES} more lines"] if len(lines) > _DIFF_LINES else []
    return "\n".join([*lines[:_DIFF_LINES], *more])


def _orphans(jobs: Sequence[Job], *, whole_project: bool) -> Iterator[Finding]:
    expected = {path.resolve() for job in jobs for path in outputs_of(job)}
    seen: set[Path] = set()
    for job in jobs:
        kept = [target.suffix for target in job.targets]
        replaced = replaced_files(job.output_dir, job.stem, job.suffix, kept)
        for path in [*replaced, *(_generated_in(job.output_dir) if whole_project else ())]:
            if (full := path.resolve()) not in expected | seen:
                seen.add(full)
                yield Finding(path, "orphaned", "no binding makes it")


def _generated_in(folder: Path) -> list[Path]:
    modules = [path for path in sorted(folder.glob("*.py")) if is_generated(path)]
    pairs: Callable[[Path], tuple[Path, Path]] = lambda path: (path, path.with_suffix(".o"))  # noqa: E731
    return [file for path in modules for file in pairs(path) if file.exists()]
