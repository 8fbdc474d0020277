"""Writes what people read, and knows what their terminal can show."""

import io
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ebpfgen.errors import CompileError, EbpfgenError, each_error

_MANY = 8
"""How many variants make a progress bar worth while."""

_WIDTH = 30
_CLEAR = "\r\x1b[K"


def say(text: str) -> None:
    """Write a line, for somebody who waits for it."""
    print(text, flush=True)


def say_no_more() -> None:
    """Lose what can't be written: Python would try again, and complain, when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def warn(text: str) -> None:
    """Write to the standard error as it is."""
    print(text, end="", file=sys.stderr, flush=True)


def tell_error(error: EbpfgenError) -> None:
    """Write what went wrong: a line for each error, below clang's own text if it has one."""
    for one in each_error(error):
        if isinstance(one, CompileError):
            warn(one.diagnostics)
        warn(f"ebpfgen: {one}\n")


def write_anything() -> None:
    """Have characters that the output's encoding lacks escaped: file names may hold any bytes."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def relative(path: Path) -> str:
    """Return *path* as seen from the current folder."""
    return os.path.relpath(path)


def has_colours() -> bool:
    """Return whether whoever reads our errors wants colours (https://no-color.org)."""
    return _is_terminal() and not os.environ.get("NO_COLOR")


class ProgressBar:
    """Shows, on a terminal, how many of many variants are made.

    It is the last line of the standard error. Threads that make variants tell it of them; *hidden*,
    it never shows.
    """

    def __init__(self, *, hidden: bool) -> None:
        self._lock = threading.Lock()
        self._shown = ""
        self._hidden = hidden or not _is_terminal() or bool(os.environ.get("CI"))

    def tell(self, done: int, total: int) -> None:
        """Show that *done* of *total* are made."""
        if self._hidden or total < _MANY:
            return
        filled = _WIDTH * done // total
        with self._lock:
            self._shown = f"generating [{'#' * filled:<{_WIDTH}}] {done}/{total}"
            warn(f"{_CLEAR}{self._shown}")

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Keep the bar away while something else is written."""
        with self._lock:
            if not self._shown:
                yield
                return
            warn(_CLEAR)
            try:
                yield
            finally:
                warn(self._shown)

    def remove(self) -> None:
        """Remove the bar for good."""
        with self._lock:
            if self._shown:
                self._shown, self._hidden = "", True
                warn(_CLEAR)


def _is_terminal() -> bool:
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
