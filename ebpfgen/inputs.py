"""Texts and files that come from a user or a repository, checked where they come in.

A text that passes can be given to the kernel, to C and to a program; reading a file that passes
comes to an end.
"""

import errno
import os
import stat
from pathlib import Path

from ebpfgen.errors import UsageError

_READ_BYTES = 1 << 20
_SHOWN = 200
"""The number of characters that an error shows of a long text."""


def check_text(text: str, what: str) -> None:
    """Raise UsageError, which names *what*, for a text that text_fault() finds a fault in."""
    if fault := text_fault(text):
        raise UsageError(f"{what} {shortened(text)} {fault}")


def text_fault(text: str) -> str:
    """Say why *text* can't be a file's name or an argument, or return an empty text.

    C ends a text at a NUL byte, lines of rules and messages end at a line break, and no bytes of a
    file's name stand for a lone surrogate.
    """
    if text.isprintable():
        return ""
    if "\0" in text:
        return "has a NUL byte: leave it out"
    if len(f"{text}.".splitlines()) > 1:
        return "has a line break: leave it out"
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        return "has a character that is none (a lone surrogate): leave it out"
    return ""


def shortened(text: str) -> str:
    """Quote *text*, and leave out the end of a long one."""
    return repr(text) if len(text) <= _SHOWN else f"{text[:_SHOWN]!r}…"


def exists(path: Path) -> bool:
    """Return whether there is a file or folder at *path* that this user can see."""
    try:
        path.stat()
    except (OSError, ValueError):
        return False
    return True


def is_file(path: Path) -> bool:
    """Return whether *path* is a regular file, or a link to one."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except (OSError, ValueError):
        return False


def check_file(path: Path) -> None:
    """Raise OSError if *path* is anything but a regular file: a device or a pipe may never end."""
    _check_mode(path.stat().st_mode, path)


def read_file(path: Path) -> bytes:
    """Read a regular file. Raises OSError for any other."""
    # Every file of a project is read in each run, and Path.read_bytes() takes half as long again.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        _check_mode(os.fstat(descriptor).st_mode, path)
        parts = []
        while part := os.read(descriptor, _READ_BYTES):
            parts.append(part)
        return b"".join(parts)
    finally:
        os.close(descriptor)


def _check_mode(mode: int, path: Path) -> None:
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "it is not a regular file", str(path))
