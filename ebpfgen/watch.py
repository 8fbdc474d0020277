"""Generates again whenever a file changes that a binding is made of."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from ebpfgen.errors import EbpfgenError, ToolError
from ebpfgen.freshness import stamped_inputs
from ebpfgen.jobs import Job
from ebpfgen.output import is_generated
from ebpfgen.process import Ended, has_ended, raise_if_ended
from ebpfgen.project import project_files, project_folder

_SUFFIXES = (".c", ".h", ".py", ".toml")


def watch(
    folder: Path,
    jobs: Callable[[], Sequence[Job]],
    run: Callable[[Sequence[Job]], None],
    tell: Callable[[EbpfgenError], None],
    say: Callable[[str], None],
) -> None:
    """Generate what *jobs* finds, then again at each change, until Ctrl-C.

    Errors, in the C or in the configuration, are told, and what follows them is waited for.
    Watched are the sources, headers and modules of the project that *folder* is in, and whatever
    else its bindings are made of.

    Raises ToolError if watchfiles is not installed.
    """
    try:
        import watchfiles  # noqa: F401 - asked for before anything is done
    except ImportError as error:
        raise ToolError(
            "--watch needs watchfiles: pip install 'ebpfgen[watch]'", tool="watchfiles"
        ) from error
    root = project_folder(folder)
    known: Sequence[Job] = ()
    while True:
        raise_if_ended()
        inputs = _inputs(known)
        before = _state(root, inputs)
        try:
            known = jobs()
            run(known)
        except EbpfgenError as error:
            tell(error)
        of_bindings = _inputs(known)
        say(f"watching {len(of_bindings)} files, Ctrl-C ends")
        changes = _changes({root, *(path.parent for path in (*before, *of_bindings))}, of_bindings)
        changed = next(changes)
        # What was saved while clang ran came before anybody watched.
        now = _state(root, inputs)
        changed |= {path for path in {**before, **now} if before.get(path) != now.get(path)}
        while not changed:
            changed = next(changes)
        say(f"{', '.join(sorted({path.name for path in changed}))} changed")


class _Ending:
    """A signal that ends the process, as watchfiles asks for it."""

    def is_set(self) -> bool:
        """Whether it has come."""
        return has_ended()


def _changes(folders: Iterable[Path], inputs: set[Path]) -> Iterator[set[Path]]:
    """Yield what has changed in *folders*, and nothing twice a second. Raises Ended."""
    import watchfiles

    for found in watchfiles.watch(
        *(folder for folder in folders if folder.is_dir()),
        watch_filter=lambda _, name: Path(name) in inputs or _concerns(Path(name)),
        recursive=False,
        yield_on_timeout=True,
        rust_timeout=500,
        # An exception that was lost before has left its number behind.
        stop_event=_Ending(),
    ):
        yield {Path(name) for _, name in found}
    raise Ended


def _inputs(jobs: Iterable[Job]) -> set[Path]:
    """Return the files that bindings are made of, as far as that is known."""
    return {
        path.resolve()
        for job in jobs
        for path in (*job.sources, *job.objects, *stamped_inputs(job))
    }


def _state(root: Path, inputs: Iterable[Path]) -> dict[Path, tuple[int, int]]:
    """Return size and time of the project's files and of *inputs*, as far as they exist."""
    return dict(_sizes_and_times({*filter(_concerns, project_files(root, _SUFFIXES)), *inputs}))


def _sizes_and_times(paths: Iterable[Path]) -> Iterator[tuple[Path, tuple[int, int]]]:
    for path in paths:
        try:
            facts = path.stat()
        except OSError:
            continue
        yield path, (facts.st_size, facts.st_mtime_ns)


def _concerns(path: Path) -> bool:
    """Return whether a change may matter: not of what was generated, or of an editor's files."""
    if path.suffix not in _SUFFIXES or path.name.startswith("."):
        return False
    return path.suffix != ".py" or not is_generated(path)
