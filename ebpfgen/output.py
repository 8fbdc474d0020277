"""Writes generated files: all of them or none, and never over somebody else's."""

import contextlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from ebpfgen.emit import MARK
from ebpfgen.errors import OutputError
from ebpfgen.target import SUFFIXES


def write_files(contents: Mapping[Path, bytes], replaced: Iterable[Path]) -> None:
    """Write *contents* and remove *replaced*.

    Each file appears whole under its name, and none before all are on the disk. A module comes
    before the object beside it, and goes after it: the module's first line is what says that both
    are ebpfgen's. Files with the right bytes are left as they are.

    Raises OutputError, with everything as it was, if a file is not ebpfgen's or can't be written.
    """
    for path, data in contents.items():
        _check_owner(path, data)
    changed = {path: data for path, data in contents.items() if not _holds(path, data)}
    temporary: dict[Path, Path] = {}
    current = Path()
    try:
        for current, data in changed.items():
            current.parent.mkdir(parents=True, exist_ok=True)
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


def replaced_files(folder: Path, stem: str, kept: Iterable[str]) -> list[Path]:
    """Return the files of variants of *stem* that ebpfgen wrote and *kept* does not name.

    *kept* are the suffixes of the variants that stay, such as ``bpfel_x86``.
    """
    stale = [folder / f"{stem}_{suffix}.py" for suffix in SUFFIXES if suffix not in set(kept)]
    ours = [path for path in stale if is_generated(path)]
    return [file for path in ours for file in (path, path.with_suffix(".o")) if file.exists()]


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
    if not path.exists() or _holds(path, data) or is_generated(path.with_suffix(".py")):
        return
    raise OutputError(
        f"{path} exists and was not written by ebpfgen: move it, or choose another --output-stem"
    )


def _holds(path: Path, data: bytes) -> bool:
    try:
        return path.read_bytes() == data
    except OSError:
        return False


def _modules_first(path: Path) -> bool:
    return path.suffix != ".py"
