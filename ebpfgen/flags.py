"""Flags for clang: split into words, checked, and spelled the same on every machine."""

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from ebpfgen.errors import UsageError

_INCLUDE_FLAGS = ("-I", "-isystem", "-iquote", "-idirafter")


def split_flags(text: str, what: str) -> list[str]:
    """Split flags as a shell does. Raises UsageError naming *what* if a quote is left open."""
    if not text:
        return []
    import shlex

    try:
        return shlex.split(text)
    except ValueError as error:
        raise UsageError(f"{what} can't be split into words: {error}") from error


def check_flags(flags: Iterable[str], what: str) -> None:
    """Raise UsageError naming *what* for flags with which clang would not make an object."""
    for flag in flags:
        if flag.startswith("-M"):
            raise UsageError(
                f"{flag} in {what}: ebpfgen has clang list the included files itself; "
                "for rules that make reads, pass --makebase FOLDER"
            )


def relative_includes(flags: Sequence[str], folder: Path) -> list[str]:
    """Return *flags* with the include folders near *folder* named relative to it."""
    result = list(flags)
    for place, value in _includes(flags):
        if value.startswith("/"):
            option = result[place].removesuffix(value)
            result[place] = option + shown_path(Path(value), folder)
    return result


def include_folders(flags: Sequence[str]) -> list[str]:
    """Return the folders that *flags* name for clang to find headers in."""
    return [value for _, value in _includes(flags)]


def shown_path(path: Path, folder: Path) -> str:
    """Name *path* as a person in *folder* would, and as clang shall put it in the object.

    clang quotes source lines in the object, for the verifier to show, if it can open the file by
    that name; so it is relative as long as the two have more in common than the root.
    """
    resolved, base = os.path.realpath(path), os.path.realpath(folder)
    if os.path.commonpath([resolved, base]) == os.sep:
        return resolved
    name = os.path.relpath(resolved, base)
    # clang would take it for an option, or read options from it.
    return f"./{name}" if name.startswith(("-", "@")) else name


def _includes(flags: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Yield the include folders among *flags*, each with the place of the flag that ends in it."""
    for place, flag in enumerate(flags):
        if place and flags[place - 1] in _INCLUDE_FLAGS:
            yield place, flag
            continue
        option = next((o for o in _INCLUDE_FLAGS if flag.startswith(o) and flag != o), None)
        if option:
            yield place, flag.removeprefix(option)
