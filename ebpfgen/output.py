"""Writes generated files: all of them or none, and never over somebody else's."""

import contextlib
import fcntl
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from ebpfgen.errors import OutputError
from ebpfgen.stamp import MARK
from ebpfgen.target import SUFFIXES


def write_files(contents: Mapping[Path, bytes], replaced: Iterable[Path] = ()) -> set[Path]:
    """Write *contents* and remove *replaced*; return the files that changed.

    Each file appears whole under its name, and none before all are on the disk. A module comes
    before the object beside it, and goes after it: the module's first line is what says that both
    are ebpfgen's. Files with the right bytes are left as they are. Of two that write to one folder
    at once, one waits for the other.

    Raises OutputError, with everything as it was, if a file is not ebpfgen's or can't be written.
    """
    with contextlib.ExitStack() as stack:
        current = Path()
        temporary: dict[Path, Path] = {}
        try:
            for current in {path.parent: path for path in sorted(contents)}.values():
                current.parent.mkdir(parents=True, exist_ok=True)
                stack.enter_context(_locked(current.parent))
            for path, data in contents.items():
                _check_owner(path, data)
            changed = {path: data for path, data in contents.items() if not _holds(path, data)}
            for current, data in changed.items():
                temporary[current] = current.with_name(f".{current.name}.{os.getpid()}.tmp")
                temporary[current].write_bytes(data)
            for current in sorted(temporary, key=_modules_first):
                temporary[current].replace(current)
            for current in sorted(replaced, key=_modules_first, reverse=True):
                current.unlink(missing_ok=True)
        except OSError as error:
            raise OutputError(f"can't write {current}: {error.strerror}") from error
        finally:
            for path in temporary.values():
                with contextlib.suppress(OSError):
                    path.unlink(missing_ok=True)
    return set(changed)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keep other processes from writing to a folder meanwhile, where its file system has locks."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def replaced_files(folder: Path, stem: str, suffix: str, kept: Iterable[str]) -> list[Path]:
    """Return the files of variants of *stem* that ebpfgen wrote and *kept* does not name.

    *kept* are the names of the targets' objects that stay, such as ``bpfel_x86``; *suffix* is what
    ends the names of the binding's files.
    """
    stale = [folder / f"{stem}_{target}{suffix}.py" for target in SUFFIXES if target not in kept]
    ours = [path for path in stale if is_generated(path)]
    beside = [(path, path.with_suffix(".o"), path.with_name(f"{path.name}.d")) for path in ours]
    return [file for files in beside for file in files if file.exists()]


def is_generated(path: Path) -> bool:
    """Return whether *path* is a module that ebpfgen wrote."""
    try:
        with path.open("rb") as file:
            return file.read(len(MARK)) == MARK.encode()
    except OSError:
        return False


def _check_owner(path: Path, data: bytes) -> None:
    if path.exists() and not path.is_file():
        raise OutputError(f"{path} is no file: move it, or choose another --output-stem")
    if not path.exists() or _holds(path, data) or _is_ours(path):
        return
    raise OutputError(
        f"{path} exists and was not written by ebpfgen: move it, or choose another --output-stem"
    )


def _is_ours(path: Path) -> bool:
    """Return whether a file is ebpfgen's: it says so, or is the object beside a module that does.

    An object alone, as --compile-only writes it, is known by its machine (``EM_BPF``).
    """
    if is_generated(path) or is_generated(path.with_suffix(".py")):
        return True
    try:
        with path.open("rb") as file:
            head = file.read(20)
    except OSError:
        return False
    return head[:4] == b"\x7fELF" and head[18:20] in (b"\xf7\x00", b"\x00\xf7")


def _holds(path: Path, data: bytes) -> bool:
    try:
        return path.read_bytes() == data
    except OSError:
        return False


def _modules_first(path: Path) -> bool:
    return path.suffix != ".py"
