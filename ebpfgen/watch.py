"""Generates again whenever a file changes that a binding is made of."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from ebpfgen.errors import EbpfgenError, ToolError
from ebpfgen.jobs import Job
from ebpfgen.stamp import MARK, Digests, stamped_inputs

_SUFFIXES = (".c", ".h", ".o", ".py", ".toml")


def watch(
    folder: Path,
    jobs: Callable[[], Sequence[Job]],
    run: Callable[[Sequence[Job]], None],
    tell: Callable[[EbpfgenError], None],
    say: Callable[[str], None],
) -> None:
    """Generate what *jobs* finds, then again at each change, until Ctrl-C.

    Errors, in the C or in the configuration, are told, and what follows them is waited for.
    Watched are the folders of all inputs, of the jobs, and *folder* itself.

    Raises ToolError if watchfiles is not installed.
    """
    try:
        import watchfiles
    except ImportError as error:
        raise ToolError(
            "--watch needs watchfiles: pip install 'ebpfgen[watch]'", tool="watchfiles"
        ) from error
    known: Sequence[Job] = ()
    while True:
        before = _state(known)
        try:
            known = jobs()
            before = _state(known)
            run(known)
        except EbpfgenError as error:
            tell(error)
        inputs = _inputs(known)
        say(f"watching {len(inputs)} files, Ctrl-C ends")
        folders = {folder, *(job.folder for job in known), *(path.parent for path in inputs)}
        changes = watchfiles.watch(
            *(place for place in folders if place.is_dir()),
            watch_filter=lambda _, name: _concerns(Path(name)),
            recursive=False,
            yield_on_timeout=True,
            rust_timeout=500,
            raise_interrupt=True,
        )
        is_first, digest_now = True, Digests()
        for changed in changes:
            # What was saved while clang ran came before anybody watched.
            missed = is_first and any(digest_now(path) != then for path, then in before.items())
            is_first = False
            if changed:
                say(f"{', '.join(sorted({Path(name).name for _, name in changed}))} changed")
            if changed or missed:
                break


def _inputs(jobs: Iterable[Job]) -> set[Path]:
    return {
        path.resolve()
        for job in jobs
        for path in (*job.sources, *job.objects, *stamped_inputs(job))
    }


def _state(jobs: Iterable[Job]) -> dict[Path, str | None]:
    digest = Digests()
    return {path: digest(path) for path in _inputs(jobs)}


def _concerns(path: Path) -> bool:
    """Return whether a change may matter: not of what was generated, or of an editor's files."""
    if path.suffix not in _SUFFIXES or path.name.startswith("."):
        return False
    module = path.with_suffix(".py")
    try:
        with module.open("rb") as file:
            return file.read(len(MARK)) != MARK.encode()
    except OSError:
        return True
