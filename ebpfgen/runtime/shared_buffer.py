"""Maps whose memory this process shares with the kernel: in use by threads, closed, forked."""

import contextlib
import errno
import os
import select
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import ClassVar, Self

from ebpfgen.runtime.doorbell import Doorbell
from ebpfgen.runtime.errors import BpfError, MapError, StateError
from ebpfgen.runtime.lifetime import Once
from ebpfgen.runtime.maps.base import Map
from ebpfgen.runtime.maps.opened import Opened


class SharedBuffer(Map, ABC):
    """A map with memory that is to be released before the map is.

    Threads may share it. ``close()`` ends whatever waits for it; the collection calls it, and a
    signal handler may. In a forked child it is the parent's: using it there raises StateError.
    """

    _KIND: ClassVar[str]
    _EVENTS: ClassVar[int] = select.EPOLLIN

    def __init__(self, opened: Opened) -> None:
        super().__init__(opened)
        self._process = os.getpid()
        self._is_closed = False
        self._is_in_use = False
        self._doorbell: Doorbell | None = None
        # A signal handler may come here while the thread that it interrupts has the lock.
        self._lock = threading.RLock()
        opened.owner.keep(self)

    @abstractmethod
    def _descriptors(self) -> Iterable[int]:
        """Return what is ready when there is something to do."""

    @abstractmethod
    def _release(self) -> None:
        """Give back what the buffer has of this process, which may be nothing."""

    @property
    def closed(self) -> bool:
        """Whether the buffer is closed."""
        return self._is_closed

    def close(self) -> None:
        """Release the memory, and end whatever waits for the buffer. Twice does nothing."""
        if os.getpid() != self._process:
            self._is_closed = True
            return
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
            if self._doorbell is not None:
                self._doorbell.close()
            if not self._is_in_use:
                self._release()
        super().close()

    def __enter__(self) -> Self:
        self._check_usable()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _check_usable(self) -> None:
        """Raise StateError if the buffer is closed, or another process's."""
        self._check_process()
        if self._is_closed:
            raise StateError(errno.EBADF, f"{self._KIND} {self.name} is closed")

    def _check_process(self) -> None:
        """Raise StateError in a forked child, where locks may be held by threads it has not."""
        if os.getpid() != self._process:
            raise StateError(
                errno.EPERM,
                f"{self._KIND} {self.name} is of process {self._process}, which forked this one: "
                "load the object again here",
            )

    def fileno(self) -> int:
        """Return a descriptor that is readable when there is something to do, or it is closed.

        It is for ``select``, epoll and event loops. Once it is there, look whether there is
        something to do already.
        """
        self._check_usable()
        return self._bell().fileno()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait up to *timeout* seconds, None for ever; return whether there is something to do.

        Returns False if the buffer is closed meanwhile, or was before.
        """
        self._check_process()
        return self._bell().wait(timeout)

    @contextlib.contextmanager
    def _memory_in_use(self) -> Iterator[bool]:
        """Keep the kernel's memory from being released.

        Gives False if it is, and to a signal handler if the thread that it interrupts is in here.
        """
        with self._lock:
            if self._is_closed or self._is_in_use:
                yield False
                return
            # The map is not closed either, as a signal handler may do, before the memory is.
            calls = self._owner.lifetime.calls
            try:
                calls.append(None)
                self._is_in_use = True
                yield not self._owner.closed
            finally:
                self._is_in_use = False
                if self.closed:
                    self._release()
                calls.pop()
                self._owner.lifetime.settle()

    def _bell(self) -> Doorbell:
        with self._lock:
            if self._doorbell is None:
                self._doorbell = self._new_bell()
                self._owner.lifetime.free_before(Once(self._doorbell.close))
                if self._is_closed:
                    self._doorbell.close()
            return self._doorbell

    def _new_bell(self) -> Doorbell:
        try:
            with self._memory_in_use() as usable:
                return Doorbell(self._descriptors() if usable else (), self._EVENTS)
        except BpfError:
            raise
        except OSError as error:
            message = f"can't wait for {self._KIND} {self.name}: {error.strerror}"
            raise MapError(error.errno or errno.EMFILE, message) from error
