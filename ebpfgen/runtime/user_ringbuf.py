"""User ring buffers: BPF_MAP_TYPE_USER_RINGBUF, which this process writes and programs read."""

import errno
import select
import time
from typing import Generic, TypeVar, overload

from ebpfgen.runtime.batches import Payload
from ebpfgen.runtime.codec import Codec, packed
from ebpfgen.runtime.errors import MapError
from ebpfgen.runtime.events import NAP, deadline, left_until
from ebpfgen.runtime.maps.constants import MapType
from ebpfgen.runtime.maps.member import MapMember
from ebpfgen.runtime.maps.opened import Opened
from ebpfgen.runtime.ring_memory import HEADER_SIZE, POSITION_MASK, RingMemory, mapped, step_of
from ebpfgen.runtime.shared_buffer import SharedBuffer

R_contra = TypeVar("R_contra", contravariant=True)
R = TypeVar("R")


class UserRingBuffer(SharedBuffer, Generic[R_contra]):
    """A ring buffer, ``max_entries`` bytes large, that a program drains when it is run.

    What is pushed waits there until a program calls ``bpf_user_ringbuf_drain``: pushing runs none.
    Threads may share it. It takes Linux 6.1.
    """

    _KIND = "user ring buffer"
    _EVENTS = select.EPOLLOUT

    def __init__(self, opened: Opened, codec: Codec[R_contra]) -> None:
        self._memory: RingMemory | None = None
        self._codec = codec
        super().__init__(opened)
        self._memory = mapped(self, produces=True)

    @property
    def pending(self) -> int:
        """How many bytes no program has drained yet, headers included."""
        self._check_usable()
        with self._memory_in_use() as usable:
            return self._memory.used() if usable and self._memory else 0

    def push(self, record: R_contra, *, timeout: float | None = 0) -> None:
        """Write a record, for programs to drain.

        Where there is no room, waits for it up to *timeout* seconds, None for ever. Raises MapError
        if there is none then, or never will be; StateError if the buffer is closed, meanwhile too.
        """
        data = packed(self._codec, record, f"record of {self.name}")
        step = step_of(len(data))
        if step > self.max_entries:
            raise MapError(
                errno.E2BIG,
                f"can't push {len(data)} bytes to {self._KIND} {self.name}: with their header they "
                f"are more than its {self.max_entries}",
            )
        end, woken = deadline(timeout), False
        while not self._write(data, step):
            left = left_until(end)
            if left == 0:
                raise MapError(
                    errno.ENOSPC,
                    f"can't push to {self._KIND} {self.name}: no program has drained its "
                    f"{self.max_entries} bytes",
                )
            if woken:  # there is room, but too little
                time.sleep(NAP)
            woken = self.wait(left)

    def _write(self, data: bytes, step: int) -> bool:
        self._check_usable()
        with self._memory_in_use() as usable:
            memory = self._memory
            if not usable or memory is None:
                self._check_usable()
                return False
            if memory.size - memory.used() < step:
                return False
            produced = memory.producer[0]
            offset = produced % memory.size
            memory.fence()  # the position, then the room that it frees
            memory.words[offset >> 2] = len(data)
            memory.words[(offset >> 2) + 1] = 0
            start = offset + HEADER_SIZE
            memory.data[start : start + len(data)] = data
            memory.fence()  # the record, then the position
            memory.producer[0] = (produced + step) & POSITION_MASK
            return True

    def _descriptors(self) -> tuple[int]:
        return (self.fd,)

    def _release(self) -> None:
        memory, self._memory = self._memory, None
        if memory is not None:
            memory.close()


@overload
def user_ring_buffer(name: str) -> MapMember[UserRingBuffer[bytes]]: ...


@overload
def user_ring_buffer(name: str, *, value: Codec[R]) -> MapMember[UserRingBuffer[R]]: ...


def user_ring_buffer(
    name: str, *, value: Codec[R] | None = None
) -> MapMember[UserRingBuffer[R]] | MapMember[UserRingBuffer[bytes]]:
    """Declare a user ring buffer; its records are bytes if it has no *value*."""
    return MapMember(
        name, MapType.USER_RINGBUF, lambda opened: UserRingBuffer(opened, value or Payload())
    )
