"""The memory that a ring buffer shares with the kernel, and the order in which to access it.

Layout and protocol are those of the kernel's kernel/bpf/ringbuf.c: a page with the consumer's
position, one with the producer's, and the data, mapped twice in a row so that no record is cut at
the end. Positions count bytes and wrap at the size of a word. A record has a header of 8 bytes,
whose first four are the payload's size and two flags, and begins at a multiple of 8.
"""

import errno
import mmap
import struct
import threading
from typing import Literal

from ebpfgen.runtime.errors import MapError
from ebpfgen.runtime.maps.base import Map

HEADER_SIZE = 8
# BPF_RINGBUF_BUSY_BIT and BPF_RINGBUF_DISCARD_BIT of include/uapi/linux/bpf.h.
BUSY, DISCARDED = 1 << 31, 1 << 30

# An unsigned long, in which the kernel keeps positions.
_POSITION: Literal["L"] = "L"
POSITION_MASK = (1 << 8 * struct.calcsize(_POSITION)) - 1


class Fence:
    """Keeps memory accesses before it from happening after it, and the other way round.

    Python has nothing of the kind, and the CPUs of most machines but x86 reorder what does not
    depend on each other. To release a lock keeps what precedes it from moving down, to take one
    keeps what follows from moving up.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def __call__(self) -> None:
        """Let everything before this happen before everything after it."""
        for _ in range(2):  # released, then taken
            with self._lock:
                pass


class RingMemory:
    """The memory of a ring buffer of *size* bytes, shared with the kernel.

    ``producer`` and ``consumer`` hold the positions, in their only element; ``words`` is the data
    as headers. Who consumes writes the consumer's page, who *produces* the others.
    """

    def __init__(self, fd: int, size: int, *, produces: bool = False) -> None:
        self.size = size
        page = mmap.PAGESIZE
        read, write = mmap.PROT_READ, mmap.PROT_READ | mmap.PROT_WRITE
        self._first = mmap.mmap(fd, page, mmap.MAP_SHARED, read if produces else write)
        try:
            self._others = mmap.mmap(
                fd, page + 2 * size, mmap.MAP_SHARED, write if produces else read, offset=page
            )
        except BaseException:
            self._first.close()
            raise
        word = struct.calcsize(_POSITION)
        self.consumer = memoryview(self._first)[:word].cast(_POSITION)
        self.producer = memoryview(self._others)[:word].cast(_POSITION)
        self.data = memoryview(self._others)[page:]
        self.words = self.data.cast("I")
        self.fence = Fence()

    def used(self) -> int:
        """Return how many bytes are between the two positions."""
        return (self.producer[0] - self.consumer[0]) & POSITION_MASK

    def close(self) -> None:
        """Unmap it; nobody may be using it."""
        for view in (self.consumer, self.producer, self.words, self.data):
            view.release()
        self._first.close()
        self._others.close()


def step_of(size: int) -> int:
    """Return how far the record after one of *size* bytes is from it."""
    return HEADER_SIZE + (size + 7 & ~7)


def mapped(ring: Map, *, produces: bool = False) -> RingMemory:
    """Return the memory of a ring buffer. Raises MapError if it can't be mapped."""
    try:
        with ring.held_fd() as fd:
            return RingMemory(fd, ring.max_entries, produces=produces)
    except OSError as error:
        raise MapError(
            error.errno or errno.EINVAL,
            f"can't map {ring.name} into memory: {error.strerror or error}",
        ) from error
