"""The process of the command line: its standard streams, the signals that end it, its exit.

SIGINT, SIGTERM and SIGHUP end the process with 128 and the signal's number, the status of a shell.
Outside of :class:`Orderly` they do so at once, also in the middle of an import. Inside, the handler
raises :class:`Ended`, so that compilers are stopped and temporary files removed. The handler keeps
the number, and the number decides the status: code that turns an exception into another, or loses
it, has no say.

The first import of ``ebpfgen.__main__``: until :func:`start` has run, Ctrl-C is a traceback.
"""

# signal imports enum and what that needs, which takes ten times as long as all of this file.
import _signal  # type: ignore[import-not-found]
import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType, TracebackType
    from typing import NoReturn

_NUMBERS = (_signal.SIGINT, _signal.SIGTERM, _signal.SIGHUP)
_SIGNAL = 128

_BURST = 1.0
"""How many seconds after the first signal others say the same: a terminal that closes sends two."""


class Ended(KeyboardInterrupt):
    """A signal ends the process.

    Libraries let a KeyboardInterrupt pass. This is a class of its own because CPython ends itself
    by SIGINT if a KeyboardInterrupt has passed through exec(), as in the import of a dataclass,
    even if it was handled (``run_eval_code_obj`` in Python/pythonrun.c).
    """


class _State:
    """What the handler knows: the number of the first signal, and when it came."""

    number = 0
    since = 0.0
    is_orderly = False
    is_deferred = False


class Orderly:
    """Inside the block a signal raises Ended in the main thread; the process ends with the block.

    A second signal, a second after the first or later, raises Ended once more.
    """

    def __enter__(self) -> None:
        _State.is_orderly = True

    def __exit__(
        self,
        kind: "type[BaseException] | None",
        error: BaseException | None,
        trace: "TracebackType | None",
    ) -> None:
        _State.is_orderly = False
        if has_ended():
            leave(0)


class Deferred:
    """Inside the block a signal waits for the end of the block. For cleaning up.

    For the main thread, within :class:`Orderly`.
    """

    def __enter__(self) -> None:
        _State.is_deferred = True

    def __exit__(
        self,
        kind: "type[BaseException] | None",
        error: BaseException | None,
        trace: "TracebackType | None",
    ) -> None:
        _State.is_deferred = False
        if has_ended() and not error:
            raise Ended


def start() -> None:
    """Handle the signals that end a process, and open standard streams that are closed."""
    for number in _NUMBERS:
        if _signal.getsignal(number) != _signal.SIG_IGN:  # as nohup has it
            _signal.signal(number, _on_signal)
    for descriptor, name in enumerate(("stdin", "stdout", "stderr")):
        _open_stream(descriptor, name)


def has_ended() -> bool:
    """Whether a signal has come that ends the process."""
    return bool(_State.number)


def raise_if_ended() -> None:
    """Raise Ended if a signal has come, once more if need be: code may have lost the first."""
    if has_ended():
        raise Ended


def leave(status: int) -> "NoReturn":
    """Exit, with *status* or that of the signal that came, and without any work of Python's own."""
    _State.is_orderly = False
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            status = status or 1
    os._exit(_SIGNAL + _State.number if _State.number else status)


def _on_signal(number: int, _: "FrameType | None") -> None:
    is_first = not _State.number
    if is_first:
        _State.number, _State.since = number, time.monotonic()
        # What a destructor or a callback loses is lost without a message.
        sys.unraisablehook = lambda _: None
    if _State.is_deferred:
        return
    if not _State.is_orderly:
        os._exit(_SIGNAL + _State.number)
    if is_first or time.monotonic() > _State.since + _BURST:
        raise Ended


def _open_stream(descriptor: int, name: str) -> None:
    """Open a closed standard stream on /dev/null.

    Otherwise the next file that is opened has its descriptor, and gets what is printed.
    """
    try:
        os.fstat(descriptor)
    except OSError:
        # The lowest free number, which is this one.
        os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    if getattr(sys, name) is None:
        mode = "w" if descriptor else "r"
        setattr(sys, name, os.fdopen(descriptor, mode, encoding="utf-8"))
