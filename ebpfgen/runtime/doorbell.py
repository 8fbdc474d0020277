"""Waiting for descriptors, in a way that another thread can end."""

import os
import select
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

_SLICE = 0.5
"""Seconds to wait in one go: Ctrl-C that comes just before a wait begins does not end it."""


class Doorbell:
    """An epoll of descriptors that stay their owner's.

    Closing it wakes everyone who waits, for good. Its own descriptors go when the last of those has
    left, so that nobody waits for a number that stands for another file by then. A signal handler
    may close it, too, while the thread it interrupts is in here.
    """

    def __init__(self, fds: Iterable[int], events: int = select.EPOLLIN) -> None:
        self.closed = False
        self._lock = threading.RLock()
        self._guests = 0
        self._bell = -1
        self._epoll = select.epoll()
        try:
            self._bell = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
            self._epoll.register(self._bell, select.EPOLLIN)
            for fd in fds:
                self._epoll.register(fd, events)
        except BaseException:
            self._free()
            raise

    @contextmanager
    def held(self) -> Iterator[int]:
        """Give a descriptor that is readable when one of those waited for is ready, or on close.

        It lives until the block ends. Gives -1 if the doorbell is closed.
        """
        # Counted first: whoever closes it from here on leaves the descriptors to this guest.
        with self._lock:
            self._guests += 1
        try:
            yield -1 if self.closed else self._epoll.fileno()
        finally:
            with self._lock:
                self._guests -= 1
                if self.closed and not self._guests:
                    self._free()

    def fileno(self) -> int:
        """Return the descriptor that :meth:`held` gives, which closing the doorbell closes."""
        return self._epoll.fileno()

    def wait(self, timeout: float | None) -> bool:
        """Wait up to *timeout* seconds, None for ever; return whether a descriptor is ready."""
        with self.held() as fd:
            if fd < 0:
                return False
            deadline = None if timeout is None else time.monotonic() + timeout
            while not self.closed:
                left = _SLICE if deadline is None else max(0.0, deadline - time.monotonic())
                if self._epoll.poll(min(left, _SLICE)):
                    return not self.closed
                if left < _SLICE:
                    return False
            return False

    def close(self) -> None:
        """Wake everyone who waits."""
        with self._lock:
            if self.closed:
                return
            self.closed = True
            if self._guests:
                os.eventfd_write(self._bell, 1)
            else:
                self._free()

    def _free(self) -> None:
        self._epoll.close()
        bell, self._bell = self._bell, -1
        if bell >= 0:
            os.close(bell)
