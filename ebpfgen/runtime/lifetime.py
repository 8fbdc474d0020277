"""The lifetime of kernel resources: calls in flight, closing, and objects that nobody closed.

A descriptor is a number. Once it is closed, the kernel gives the same number to the next file, so
a thread that has read the number and not made its call yet would use another thread's file. A
:class:`Lifetime` counts the calls in flight and frees the resource when it is closed and the last
of them has returned.
"""

import contextlib
import errno
import os
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Protocol, TypeVar

from ebpfgen.runtime._libbpf.library import CallError
from ebpfgen.runtime.errors import BpfError, StateError


class Closable(Protocol):
    """A link or a buffer, which is closed before the object it comes from."""

    @property
    def closed(self) -> bool:
        """Whether it is closed."""

    def close(self) -> None:
        """Close it; twice does nothing."""


ClosableT = TypeVar("ClosableT", bound=Closable)


class Once:
    """A function that is called at most once, by whichever thread comes first."""

    __slots__ = ("_left",)

    def __init__(self, function: Callable[[], None]) -> None:
        self._left = [function]

    @property
    def done(self) -> bool:
        """Whether it was called."""
        return not self._left

    def __call__(self) -> None:
        """Call the function, unless somebody has. Raises what it raises."""
        try:
            function = self._left.pop()
        except IndexError:
            return
        function()


class Lifetime:
    """The lifetime of one resource, such as a descriptor or a ``bpf_object``.

    ``with lifetime.call():`` is a call in flight. The calls that read and write a map's element
    have the same steps inline, because entering the block takes as long as half of a lookup.

    Appending to a list and taking from it are atomic, so that no lock is needed: the call is
    counted before ``closed`` is looked at, and ``closed`` is set before the calls are counted.
    """

    __slots__ = (
        "__weakref__",
        "_before",
        "_free",
        "_free_all",
        "calls",
        "closed",
        "name",
        "process",
    )

    def __init__(self, name: str, free: Callable[[], None]) -> None:
        """Name the resource for errors; *free* must not raise and not refer to who holds it."""
        self.name = name
        self.process = os.getpid()
        self.closed = False
        self.calls: list[None] = []
        self._before: list[Once] = []
        self._free = free
        # Of two that find no call in flight, one frees it, and the other does not go on before.
        self._free_all = Once(self._release)

    def check_open(self) -> None:
        """Raise StateError if the resource is closed."""
        if self.closed:
            raise self.error()

    def error(self) -> StateError:
        """The error for a use of the closed resource."""
        return StateError(errno.EBADF, f"{self.name} is closed")

    def free_before(self, release: Once) -> None:
        """Call *release* before the resource is freed, unless it was called by then."""
        for known in self._before.copy():
            if known.done:
                with contextlib.suppress(ValueError):  # another thread has removed it
                    self._before.remove(known)
        self._before.append(release)

    def close(self) -> None:
        """Refuse further calls, and free the resource when no call is in flight.

        In a forked child nothing is freed: the resource is the parent's.
        """
        self.closed = True
        self.settle()

    def settle(self) -> None:
        """Free the resource if it is closed and this was the last call in flight."""
        if self.closed and not self.calls and os.getpid() == self.process:
            self._free_all()

    def _release(self) -> None:
        for release in reversed(self._before):
            # Whoever closes a link or a buffer by itself is told; here nobody waits for it.
            with contextlib.suppress(CallError, OSError):
                release()
        self._free()

    @contextlib.contextmanager
    def call(self) -> Iterator[None]:
        """Count a call in flight: the resource is not freed inside this ``with`` block.

        Raises StateError if the resource is closed. An exception of a signal handler, which may
        come between any two steps, leaves the count right.
        """
        try:
            self.calls.append(None)
            self.check_open()
            yield
        finally:
            self.calls.pop()
            self.settle()


def close_when_dropped(
    holder: object, name: str, close: Callable[[], None]
) -> "weakref.finalize[..., object]":
    """Call *close*, with a ResourceWarning, when *holder* is garbage: detach() it when closed.

    The warning names the line that opened it. *close* must not refer to *holder*. Nothing happens
    when the interpreter exits, where the kernel closes everything, nor in a forked child.
    """
    finalizer = weakref.finalize(holder, _dropped, name, close, os.getpid(), _callers_line())
    finalizer.atexit = False
    return finalizer


def _callers_line() -> tuple[str, int]:
    """The file and line that called the runtime, or a generated ``load_`` function."""
    frame: FrameType | None = sys._getframe()
    while frame and (
        frame.f_globals.get("__name__", "").startswith("ebpfgen.runtime")
        or frame.f_code.co_name.startswith("load_")
    ):
        frame = frame.f_back
    return (frame.f_code.co_filename, frame.f_lineno) if frame else ("sys", 1)


def _dropped(
    name: str, close: Callable[[], None], process: int, opened_at: tuple[str, int]
) -> None:
    if os.getpid() != process:
        return
    import warnings

    # The garbage collector calls this, so there is nobody to raise to.
    with contextlib.suppress(CallError, OSError):
        close()
    message = f"{name} was never closed: call close(), or use it in a with block"
    warnings.warn_explicit(message, ResourceWarning, *opened_at)


class Owner:
    """The owner of a resource, and of the links and buffers that are closed before it.

    Threads may share one. An owner that nobody refers to any more closes its resource with a
    ResourceWarning.
    """

    def __init__(self, name: str, free: Callable[[], None]) -> None:
        """Name the resource for errors; *free* must not raise and not refer to the owner."""
        self.lifetime = Lifetime(name, free)
        self._kept: list[Closable] = []
        self._finalizer = close_when_dropped(self, name, self.lifetime.close)
        # A signal handler may close it while the thread that it interrupts is in here.
        self._lock = threading.RLock()

    @property
    def closed(self) -> bool:
        """Whether the resource is closed."""
        return self.lifetime.closed

    def check_open(self) -> None:
        """Raise StateError if the resource is closed."""
        self.lifetime.check_open()

    def keep(self, resource: ClosableT) -> ClosableT:
        """Close *resource* before the owner's own, unless someone has done so.

        If that is closed already, closes *resource* at once and raises StateError.
        """
        with self.exclusive():
            self._kept = [known for known in self._kept if not known.closed]
            self._kept.append(resource)
            # In this order: a signal handler may close the owner between any two lines.
            if self.closed:
                resource.close()
            self.check_open()
        return resource

    @contextlib.contextmanager
    def exclusive(self) -> Iterator[None]:
        """Keep other threads out, but not in a forked child: one of the parent's may have the lock.

        A signal handler that interrupts the thread in here is let in.
        """
        if os.getpid() != self.lifetime.process:
            yield
            return
        with self._lock:
            yield

    def close(self) -> None:
        """Close what was kept, the last first, then the resource. Twice does nothing.

        All of it, even if something fails on the way; the first error is raised at the end. A call
        that another thread has in flight ends first, and the resource is freed then. In a forked
        child nothing is freed: it is all the parent's.
        """
        if os.getpid() != self.lifetime.process:
            # Without the lock, which a thread of the parent may have held.
            self.lifetime.closed = True
            return
        with self._lock:
            if self.closed:
                return
            self.lifetime.closed = True
            self._finalizer.detach()
            kept, self._kept = self._kept, []
            # Closing is a call in flight: nothing is freed before all that was kept is closed.
            self.lifetime.calls.append(None)
        # Without the lock, which a thread that uses a link, for which closing waits, may need.
        try:
            self._unmap()
            _close_all(kept)
        finally:
            self.lifetime.calls.pop()
            self.lifetime.settle()

    def _unmap(self) -> None:
        """Unmap what the owner has mapped, before anything is closed."""


def _close_all(kept: list[Closable]) -> None:
    """Close what was kept, the last first. Raises the first error when all is done."""
    failed: BpfError | CallError | None = None
    for resource in reversed(kept):
        try:
            resource.close()
        except (BpfError, CallError) as error:
            failed = failed or error
    if failed:
        raise failed
