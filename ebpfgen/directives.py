"""Finds ``# ebpfgen:generate …`` lines: command lines that stand in a project's own modules."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ebpfgen.errors import placed
from ebpfgen.flags import split_flags
from ebpfgen.inputs import read_file
from ebpfgen.project import project_files

_MARK = b"# ebpfgen:generate"


class Directive(NamedTuple):
    """A command line without ``ebpfgen generate``, and where it stands (lines count from 1)."""

    file: Path
    line: int
    words: tuple[str, ...]

    @property
    def place(self) -> str:
        """The file and the line, as compilers write them."""
        return f"{self.file}:{self.line}"


def find_directives(root: Path) -> list[Directive]:
    """Return the directives of the project in *root*, sorted by file and line.

    A directive is a whole line that begins in the first column, as with ``go generate``: neither
    tool parses the language, so one in a string counts too, and one that is indented does not.
    Files that can't be read are left out.

    Raises UsageError naming file and line if a quote is left open.
    """
    found: list[Directive] = []
    for file in sorted(project_files(root, (".py",))):
        try:
            data = read_file(file)
        except OSError:
            continue
        if _MARK in data:
            found += _directives(file, data)
    return found


def _directives(file: Path, data: bytes) -> Iterator[Directive]:
    for number, line in enumerate(data.splitlines(), 1):
        rest = line.removeprefix(_MARK)
        if rest != line and (not rest or rest[:1].isspace()):
            with placed(place := f"{file}:{number}"):
                words = split_flags(rest.decode("utf-8", "replace"), place)
            yield Directive(file, number, tuple(words))
