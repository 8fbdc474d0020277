"""Ring buffers: BPF_MAP_TYPE_RINGBUF, read where the kernel writes them."""

from typing import TypeVar, overload

from ebpfgen.runtime.batches import NOTHING, Batch, Payload, Run, run_length
from ebpfgen.runtime.codec import Codec
from ebpfgen.runtime.events import EventBuffer
from ebpfgen.runtime.maps.constants import MapType
from ebpfgen.runtime.maps.member import MapMember
from ebpfgen.runtime.maps.opened import Opened
from ebpfgen.runtime.ring_memory import (
    BUSY,
    DISCARDED,
    HEADER_SIZE,
    POSITION_MASK,
    RingMemory,
    mapped,
    step_of,
)

R_co = TypeVar("R_co", covariant=True)
R = TypeVar("R")


class RingBuffer(EventBuffer[R_co]):
    """A ring buffer, ``max_entries`` bytes large, that all CPUs write records to in order."""

    _KIND = "ring buffer"

    def __init__(self, opened: Opened, codec: Codec[R_co]) -> None:
        self._memory: RingMemory | None = None
        super().__init__(opened, codec)
        self._memory = mapped(self)

    def _unread(self) -> int:
        memory = self._memory
        return 0 if memory is None else memory.used()

    def _copy(self, limit: int | None) -> Batch:
        memory = self._memory
        if memory is None:
            return NOTHING
        available = memory.used()
        if not available:
            return NOTHING
        consumed = memory.consumer[0]
        start = consumed % memory.size
        end = start + (available if limit is None else min(limit, available))
        memory.fence()  # the position, then headers
        runs, end = self._find(memory.words, start, end)
        memory.fence()  # headers, then payloads
        data = bytearray(memory.data[start:end]) if runs else bytearray()
        memory.fence()  # payloads, then the position
        memory.consumer[0] = (consumed + end - start) & POSITION_MASK
        return Batch(data, runs, HEADER_SIZE)

    @staticmethod
    def _find(words: "memoryview[int]", start: int, end: int) -> tuple[list[Run], int]:
        """Return the records that begin between two offsets, and the offset where they end.

        They end at the first that its program has not submitted or discarded yet.
        """
        runs = []
        offset = start
        while offset < end:
            header = words[offset >> 2]
            if header & BUSY:
                break
            size = header & ~DISCARDED
            step = step_of(size)
            number = 1
            if not header & DISCARDED:
                most = -(-(end - offset) // step)
                number = run_length(words, offset >> 2, step >> 2, most)
                runs.append(Run(offset - start + HEADER_SIZE, size, step, number))
            offset += number * step
        return runs, offset

    def _descriptors(self) -> tuple[int]:
        return (self.fd,)

    def _release(self) -> None:
        memory, self._memory = self._memory, None
        if memory is not None:
            memory.close()


@overload
def ring_buffer(name: str) -> MapMember[RingBuffer[bytes]]: ...


@overload
def ring_buffer(name: str, *, value: Codec[R]) -> MapMember[RingBuffer[R]]: ...


def ring_buffer(
    name: str, *, value: Codec[R] | None = None
) -> MapMember[RingBuffer[R]] | MapMember[RingBuffer[bytes]]:
    """Declare a ring buffer; its records are bytes if it has no *value*."""
    codec = value or Payload()
    return MapMember(name, MapType.RINGBUF, lambda opened: RingBuffer(opened, codec))
