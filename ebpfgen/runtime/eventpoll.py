"""Waiting for several event buffers at once."""

import contextlib
import errno
import math
import select
import time
from collections.abc import Iterator
from typing import Generic, TypeVar

from ebpfgen.runtime.errors import StateError
from ebpfgen.runtime.events import MOUTHFUL, NAP, EventBuffer, deadline, left_until

R = TypeVar("R")

_LONGEST = (1 << 31) - 1


class EventPoll(Generic[R]):
    """Several ring and perf buffers, waited for together.

    ``for buffer, record in EventPoll(objs.Opens, objs.Exits)`` goes on until all of them are
    closed. They take turns, so that none waits for a fast one.
    """

    def __init__(self, *buffers: EventBuffer[R]) -> None:
        self._buffers = buffers

    def __repr__(self) -> str:
        return f"<EventPoll {', '.join(buffer.name for buffer in self._buffers)}>"

    def poll(self, timeout: float | None = None) -> list[tuple[EventBuffer[R], list[R]]]:
        """Return the buffers that have records, with those records.

        If none has any, waits until one does, at most *timeout* seconds, or for ever if it is None;
        returns nothing then, or if all are closed meanwhile. Raises StateError if all are closed
        already.
        """
        self._check_usable()
        end, woken = deadline(timeout), False
        while not (found := self._read()):
            left = left_until(end)
            if left == 0 or not self._open():
                break
            woken = self._pause(woken, left)
        return found

    def __iter__(self) -> Iterator[tuple[EventBuffer[R], R]]:
        self._check_usable()
        return self._iterate()

    def _iterate(self) -> Iterator[tuple[EventBuffer[R], R]]:
        woken = False
        while True:
            found = False
            for buffer in self._buffers:
                batch = buffer._take(MOUTHFUL)
                if batch.runs:
                    found = True
                    with buffer._handing_out(batch) as records:
                        for record in records:
                            yield buffer, record
            if found:
                woken = False
            elif not self._open():
                return
            else:
                woken = self._pause(woken, None)

    def _read(self) -> list[tuple[EventBuffer[R], list[R]]]:
        taken = []
        try:
            for buffer in self._buffers:
                taken.append((buffer, buffer._take()))
            return [
                (buffer, buffer._decoder.records(batch)) for buffer, batch in taken if batch.runs
            ]
        except BaseException:
            for buffer, batch in taken:
                buffer._give_back(batch)
            raise

    def _pause(self, woken: bool, timeout: float | None) -> bool:
        """Wait for records; *woken* is what the last call returned, if there were none after it."""
        if woken:
            time.sleep(NAP)
        poller = select.poll()
        with contextlib.ExitStack() as held:
            fds = [held.enter_context(buffer._bell().held()) for buffer in self._open()]
            if not fds or -1 in fds:  # closed meanwhile
                return False
            for fd in fds:
                poller.register(fd, select.POLLIN)
            # Each may have forgotten that it has something when it was asked before.
            if any(buffer._has_something() for buffer in self._buffers):
                return True
            return bool(poller.poll(_milliseconds(timeout)))

    def _open(self) -> list[EventBuffer[R]]:
        return [buffer for buffer in self._buffers if not buffer.closed]

    def _check_usable(self) -> None:
        for buffer in self._open():
            buffer._check_usable()
        if not self._open():
            raise StateError(errno.EBADF, f"{self!r}: all of them are closed")


def _milliseconds(timeout: float | None) -> int | None:
    """A timeout as poll(2) takes it, which is an int: the caller goes on waiting after that."""
    return None if timeout is None else math.ceil(min(timeout * 1000, _LONGEST))
