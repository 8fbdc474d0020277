"""Writes what people read, and knows what their terminal can show."""

import io
import os
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from ebpfgen.errors import CompileError, EbpfgenError, each_error

_MANY = 8
"""How many variants make a progress bar worth while."""

_WIDTH = 30
_CLEAR = "\r\x1b[K"

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class StandardOutputError(Exception):
    """The standard output can't be written: a full disk, or a pipe that nobody reads."""

    def __init__(self, error: OSError) -> None:
        super().__init__(f"can't write to the standard output: {error.strerror}")
        self.is_broken_pipe = isinstance(error, BrokenPipeError)


@contextmanager
def standard_output() -> Iterator[None]:
    """Turn an OSError of what the block writes into StandardOutputError."""
    try:
        yield
    except OSError as error:
        _discard(sys.stdout)
        raise StandardOutputError(error) from error


def say(text: str) -> None:
    """Write a line to the standard output. Raises StandardOutputError."""
    with standard_output():
        print(text, flush=True)


def warn(text: str) -> None:
    """Write to the standard error as it is; there is nobody to tell if that fails."""
    try:
        print(text, end="", file=sys.stderr, flush=True)
    except OSError:
        _discard(sys.stderr)


def tell_error(error: EbpfgenError) -> None:
    """Write what went wrong: a line for each error, below clang's own text if it has one."""
    for one in each_error(error):
        if isinstance(one, CompileError):
            warn(one.diagnostics)
        # A name in it may hold a line break, or what a terminal takes for a command.
        text = _CONTROLS.sub(lambda found: repr(found[0])[1:-1], str(one))
        warn(f"ebpfgen: {text}\n")


def write_anything() -> None:
    """Escape characters that an encoding lacks: file names and what is typed may hold any bytes."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
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


def _discard(stream: TextIO) -> None:
    """Drop what was written to a stream and will be: Python would try again when it ends."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, stream.fileno())
    os.close(null)


def _is_terminal() -> bool:
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
