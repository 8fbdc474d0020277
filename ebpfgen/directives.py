"""Finds ``# ebpfgen:generate …`` lines: command lines that stand in a project's own modules."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ebpfgen.jobs import split_flags

_MARK = b"# ebpfgen:generate"
_SKIPPED = frozenset({"__pycache__", "build", "dist", "node_modules", "site-packages", "venv"})


@dataclass(frozen=True, slots=True)
class Directive:
    """A command line without ``ebpfgen generate``, and where it stands (lines count from 1)."""

    file: Path
    line: int
    words: tuple[str, ...]

    @property
    def place(self) -> str:
        """The file and the line, as compilers write them."""
        return f"{self.file}:{self.line}"


def find_directives(root: Path) -> list[Directive]:
    """Return the directives of every ``.py`` file below *root*, sorted by file and line.

    A directive is a whole line. Hidden folders, virtual environments, build folders and what is
    installed are left out, and so are files that can't be read.

    Raises UsageError naming file and line if a quote is left open.
    """
    found: list[Directive] = []
    for file in sorted(_python_files(root)):
        try:
            data = file.read_bytes()
        except OSError:
            continue
        if _MARK in data:
            found += _directives(file, data)
    return found


def _directives(file: Path, data: bytes) -> Iterator[Directive]:
    for number, line in enumerate(data.splitlines(), 1):
        rest = line.removeprefix(_MARK)
        if rest != line and (not rest or rest[:1].isspace()):
            words = split_flags(rest.decode("utf-8", "replace"), f"{file}:{number}")
            yield Directive(file, number, tuple(words))


def _python_files(root: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):
        folders[:] = [
            name
            for name in folders
            if not name.startswith(".")
            and name not in _SKIPPED
            and not os.path.exists(os.path.join(folder, name, "pyvenv.cfg"))  # noqa: PTH110, PTH118
        ]
        yield from (Path(folder, name) for name in files if name.endswith(".py"))
