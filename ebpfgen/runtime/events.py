"""Buffers that BPF programs write records to, for Python to read.

What ring buffers and perf buffers have in common is here: waiting, iterating, decoding. Threads may
share a buffer; each record is delivered once.
"""

import contextlib
import errno
import operator
import os
import time
from abc import abstractmethod
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from ebpfgen.runtime.batches import NOTHING, Array, Batch, Decoder
from ebpfgen.runtime.codec import Codec
from ebpfgen.runtime.errors import MapError
from ebpfgen.runtime.maps.opened import Opened
from ebpfgen.runtime.shared_buffer import SharedBuffer

if TYPE_CHECKING:
    import asyncio

R_co = TypeVar("R_co", covariant=True)
T = TypeVar("T")

MOUTHFUL = 128 << 10
"""Bytes that an iteration takes at once: batches pay, and still fit a CPU's cache."""

NAP = 0.0005
"""Seconds between looks at a record that a program has reserved and not submitted yet."""


class EventBuffer(SharedBuffer, Generic[R_co]):
    """A map that is a queue of records from BPF programs.

    ``for record in buffer`` waits for records, and ends when the buffer is closed: by ``close()``
    or with its collection, from another thread or a signal handler if need be. ``async for`` does
    so in an event loop. ``poll()`` waits for a while. ``read()`` takes what is there, as records,
    ``read_array()`` as a numpy array, ``read_raw()`` as bytes; what is there is settled when the
    call begins, so that none goes on for as long as programs write.

    A record that is shorter than its type raises MapError, naming both sizes, after those before it
    were delivered; the next call goes on behind it. One that is longer keeps its other bytes:
    :func:`~ebpfgen.runtime.records.tail_of` has them, or its flexible array member. What an
    iteration has taken and not handed out when it is left comes first the next time.

    Closing it leaves to the kernel what is still there. In a forked child the buffer is its
    parent's: using it there raises StateError.
    """

    _PADDING: ClassVar[int] = 0

    def __init__(self, opened: Opened, codec: Codec[R_co]) -> None:
        self._codec = codec
        self._decoder = Decoder(codec, self._PADDING)
        self._left = NOTHING
        super().__init__(opened)

    @abstractmethod
    def _copy(self, limit: int | None) -> Batch:
        """Copy records out of the kernel's memory and give it its room back.

        Takes what is there when it begins: all of it, or about *limit* bytes.
        """

    @abstractmethod
    def _unread(self) -> int:
        """Return how many bytes programs have written that were not copied yet."""

    @property
    def pending(self) -> int:
        """How many bytes programs have written that nobody has taken yet, headers included."""
        self._check_usable()
        with self._memory_in_use() as usable:
            return self._unread() if usable else 0

    def read(self) -> list[R_co]:
        """Return the records that are there now, without waiting."""
        self._check_usable()
        return self._records()

    def read_raw(self) -> list[bytes]:
        """Return the records that are there now as bytes, without waiting."""
        self._check_usable()
        return self._converted(self._take(least=0), Batch.payloads)

    def read_array(self) -> Array:
        """Return the records that are there now as a structured numpy array, without waiting.

        What a record has above its type is left out. Raises ImportError if numpy is not installed,
        TypeError if the records have no type that numpy knows.
        """
        self._check_usable()
        return self._converted(self._take(), self._decoder.array)

    def poll(self, timeout: float | None = None) -> list[R_co]:
        """Return the records that are there, or else those that come within *timeout* seconds.

        Waits until some come, for ever if it is None. Returns none if none come, or if the buffer
        is closed meanwhile.
        """
        self._check_usable()
        end, woken = deadline(timeout), False
        while not (records := self._records()) and not self._is_closed:
            left = left_until(end)
            if left == 0:
                break
            woken = self._pause(woken, left)
        return records

    def wait(self, timeout: float | None = None) -> bool:
        """Wait up to *timeout* seconds, None for ever; return whether there is something to read.

        It may be a record that is not submitted yet. Returns False if the buffer is closed.
        """
        self._check_process()
        # In this order: perf forgets that it has something to read once it was asked, and adding
        # it to an epoll asks.
        bell = self._bell()
        return self._has_something() or bell.wait(timeout)

    def __iter__(self) -> Iterator[R_co]:
        self._check_usable()
        return self._iterate()

    def __aiter__(self) -> AsyncIterator[R_co]:
        self._check_usable()
        return self._iterate_async()

    def _iterate(self) -> Iterator[R_co]:
        woken = False
        while True:
            batch = self._take(MOUTHFUL)
            if batch.runs:
                with self._handing_out(batch) as records:
                    yield from records
                woken = False
            elif self._is_closed:
                return
            else:
                woken = self._pause(woken, None)

    async def _iterate_async(self) -> AsyncIterator[R_co]:
        import asyncio

        woken = False
        while True:
            batch = self._take(MOUTHFUL)
            if batch.runs:
                with self._handing_out(batch) as records:
                    for record in records:
                        yield record
                # The others in this loop have their turn, however fast records come.
                await asyncio.sleep(0)
                woken = False
            elif self._is_closed:
                return
            else:
                if woken:
                    await asyncio.sleep(NAP)
                woken = await self._wait_async()

    def _has_something(self) -> bool:
        with self._memory_in_use() as usable:
            return usable and (bool(self._left.runs) or self._unread() > 0)

    def _records(self) -> list[R_co]:
        return self._converted(self._take(), self._decoder.records)

    def _pause(self, woken: bool, timeout: float | None) -> bool:
        """Wait for records; *woken* says that the last wait ended and there were none.

        A record is being written then: looking for it without a pause would take a CPU.
        """
        if woken:
            time.sleep(NAP)
        return self.wait(timeout)

    async def _wait_async(self) -> bool:
        import asyncio

        loop = asyncio.get_running_loop()
        readable: asyncio.Future[None] = loop.create_future()
        with self._bell().held() as fd:
            if fd < 0:
                return False
            # A loop has one reader for a descriptor, and several tasks may wait here.
            own = os.dup(fd)
            try:
                loop.add_reader(own, _resolve, readable)
                if not self._has_something():
                    await readable
                return not self._is_closed
            finally:
                loop.remove_reader(own)
                os.close(own)

    def _take(self, limit: int | None = None, *, least: int | None = None) -> Batch:
        """Return what is there: all of it, or about *limit* bytes.

        Raises MapError if the first record is shorter than its type, or than *least* bytes.
        """
        self._check_process()
        with self._lock:
            batch = self._left
            if limit is None or not batch.runs:
                with self._memory_in_use() as usable:
                    batch += self._copy(limit) if usable else NOTHING
            count = len(batch)
            if limit is not None and len(batch.data) > 2 * limit:
                count = max(1, count * limit // len(batch.data))
            short = batch.first_below(self._codec.SIZE if least is None else least)
            if short == 0:
                refused, self._left = batch.split(1)
                raise self._too_short(refused.runs[0].size)
            batch, self._left = batch.split(count if short is None else min(short, count))
            return batch

    def _give_back(self, batch: Batch) -> None:
        """Let what was taken come first the next time."""
        if os.getpid() == self._process:
            with self._lock:
                self._left = batch + self._left

    @contextlib.contextmanager
    def _handing_out(self, batch: Batch) -> Iterator[Iterator[R_co]]:
        """Give an iterator of the records of a batch; what is left in it goes back."""
        records = iter(self._converted(batch, self._decoder.records))
        try:
            yield records
        finally:
            left = operator.length_hint(records)
            if left:
                self._give_back(batch.split(len(batch) - left)[1])

    def _converted(self, batch: Batch, convert: Callable[[Batch], T]) -> T:
        """Return what *convert* makes of a batch, which goes back if it makes nothing of it."""
        try:
            return convert(batch)
        except BaseException:
            self._give_back(batch)
            raise

    def _too_short(self, size: int) -> MapError:
        wanted = getattr(self._codec, "__name__", repr(self._codec))
        return MapError(
            errno.EBADMSG,
            f"a record in {self._KIND} {self.name} has {size} bytes, and {wanted} has "
            f"{self._codec.SIZE}: run ebpfgen generate again, or use read_raw()",
        )


def _resolve(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)


def deadline(timeout: float | None) -> float | None:
    """Return when *timeout* seconds will be over, None if never."""
    return None if timeout is None else time.monotonic() + timeout


def left_until(end: float | None) -> float | None:
    """Return the seconds from now to a :func:`deadline`, 0 when it is over."""
    return None if end is None else max(0.0, end - time.monotonic())
