"""Tells what is up to date from what is not, by stamps alone: nothing is compiled for that."""

import os
from collections.abc import Iterator
from pathlib import Path

import ebpfgen
from ebpfgen.inputs import exists, read_file
from ebpfgen.jobs import Job
from ebpfgen.project import project_root
from ebpfgen.stamp import Stamp, above_stamp, digest_of, options_digest, read_stamp


class Digests:
    """Digests of files, each read once: most bindings share most of their headers."""

    def __init__(self) -> None:
        self._known: dict[str, str | None] = {}

    def __call__(self, path: Path) -> str | None:
        """Return a file's digest, None if it can't be read."""
        key = str(path)
        if key not in self._known:
            try:
                self._known[key] = digest_of(read_file(path))
            except OSError:
                self._known[key] = None
        return self._known[key]


def differences(job: Job, digest: Digests, *, shipped: bool = False) -> Iterator[tuple[Path, str]]:
    """Yield every file of a binding that is not what it should be, with the reason.

    A file is right if the stamp was made by this version of ebpfgen with these options from inputs
    with these bytes, and speaks of these outputs. Of *shipped* files the version may be
    another, and inputs may be gone.
    """
    try:
        text = read_file(job.facade).decode("utf-8", "replace")
    except OSError:
        for path in job.outputs:
            yield path, "missing" if not exists(path) else "has no facade that speaks of it"
        return
    stamp = read_stamp(text)
    if stamp is None:
        yield job.facade, "has no stamp, so what it was made of is not known"
        return
    cause = _stale(job, stamp, digest, shipped=shipped)
    for path in job.outputs:
        if not exists(path):
            yield path, "missing"
        elif cause:
            yield path, cause
        elif _output_digest(job, path, text, digest) != stamp.outputs.get(path.name):
            yield path, "changed by hand"


def stamped_inputs(job: Job) -> list[Path]:
    """Return the files that the binding was made of when it was last made, none if it was not."""
    try:
        stamp = read_stamp(read_file(job.facade).decode("utf-8", "replace"))
    except OSError:
        return []
    return [job.output_dir / name for name in stamp.inputs] if stamp else []


def _stale(job: Job, stamp: Stamp, digest: Digests, *, shipped: bool) -> str:
    """Return why a binding has to be made again, empty if it need not."""
    same_version = stamp.version == ebpfgen.__version__
    if not same_version and not shipped:
        return f"made by ebpfgen {stamp.version}, this is {ebpfgen.__version__}"
    # Each version has its own way to digest options.
    if same_version and stamp.options != options_digest(job):
        return "made with other options"
    changed = [
        name
        for name, known in stamp.inputs.items()
        if (now := digest(job.output_dir / name)) != known
        and (now or not (shipped or _is_elsewhere(job, name)))
    ]
    if not changed:
        return ""
    more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
    gone = digest(job.output_dir / changed[0]) is None
    return f"{changed[0]}{more} {'is gone' if gone else 'changed'}"


def _is_elsewhere(job: Job, name: str) -> bool:
    """Return whether an input is a header outside the project, which not every machine has."""
    path = os.path.abspath(job.output_dir / name)  # noqa: PTH100 - links keep their names
    own = {os.path.abspath(file) for file in (*job.sources, *job.objects)}  # noqa: PTH100
    return path not in own and not Path(path).is_relative_to(project_root(job.folder))


def _output_digest(job: Job, path: Path, facade: str, digest: Digests) -> str | None:
    if path == job.facade:
        return digest_of(above_stamp(facade).encode())
    return digest(path)
