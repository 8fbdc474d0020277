"""Perf buffers: BPF_MAP_TYPE_PERF_EVENT_ARRAY with a ring of the kernel's for each CPU.

libbpf opens and closes the rings; they are read here, where the kernel writes them. Layout and
protocol are those of include/uapi/linux/perf_event.h: a control page that holds the positions, then
the data. Every record begins with its type and its size, and is complete once the position is
beyond it. What a program writes is the payload of a sample, filled up to a multiple of 8 with its
own size.
"""

import errno
import os
import struct
from typing import Self, TypeVar, overload

from ebpfgen.runtime import kernel
from ebpfgen.runtime._libbpf import events as _events
from ebpfgen.runtime._libbpf.events import Wakeup
from ebpfgen.runtime._libbpf.library import CallError
from ebpfgen.runtime.batches import Batch, Payload, Run, run_length
from ebpfgen.runtime.codec import Codec
from ebpfgen.runtime.errors import BpfError, MapError, StateError
from ebpfgen.runtime.events import EventBuffer
from ebpfgen.runtime.lifetime import Once
from ebpfgen.runtime.maps.constants import MapType
from ebpfgen.runtime.maps.member import MapMember
from ebpfgen.runtime.maps.opened import Opened
from ebpfgen.runtime.perf_events import online_cpus
from ebpfgen.runtime.ring_memory import Fence

R_co = TypeVar("R_co", covariant=True)
R = TypeVar("R")

# PERF_RECORD_LOST and PERF_RECORD_SAMPLE; type, misc and size of struct perf_event_header.
_LOST, _SAMPLE = 2, 9
_PAGES = 64
_HEADER = struct.Struct("=IHH")
# What precedes a payload: the header, and the payload's size.
_LEAD = _HEADER.size + 4
# struct perf_record_lost, after its header: an id, and how many.
_LOST_COUNT = struct.Struct("=8x8xQ")
# Indices, in 64-bit words, of the fields of struct perf_event_mmap_page.
_HEAD, _TAIL, _OFFSET, _SIZE = 128, 129, 130, 131


class _CpuRing:
    """One CPU's ring; the memory is libbpf's."""

    def __init__(self, cpu: int, memory: memoryview) -> None:
        self.cpu = cpu
        self.lost = 0
        self.fence = Fence()
        self._memory = memory
        self._control = memory[: (_SIZE + 1) * 8].cast("Q")
        offset, size = self._control[_OFFSET], self._control[_SIZE]
        self._data = memory[offset : offset + size]

    def used(self) -> int:
        """Return how many bytes the kernel has written that were not taken."""
        return self._control[_HEAD] - self._control[_TAIL]

    def take(self) -> bytes:
        """Return what the kernel has written, and give it its room back."""
        used = self.used()
        if not used:
            return b""
        self.fence()  # the position, then the data
        tail = self._control[_TAIL]
        start = tail % len(self._data)
        data = bytes(self._data[start : start + used])
        if len(data) < used:
            data += self._data[: used - len(data)]
        self.fence()  # the data, then the position
        self._control[_TAIL] = tail + used
        return data

    def release(self) -> None:
        """Let go of the memory."""
        for view in (self._control, self._data, self._memory):
            view.release()


class PerfBuffer(EventBuffer[R_co]):
    """A perf event array that programs write records to with ``bpf_perf_event_output``.

    The kernel keeps records in order on each CPU, not between them. Programs can write once it is
    open: call :meth:`open` before they are attached, or it happens with the first use, with the
    defaults of :meth:`open`. Payloads are filled up to a size that is 4 more than a multiple of 8:
    a flexible array member, a tail or raw bytes may end with up to 7 bytes that mean nothing.
    """

    _KIND = "perf buffer"
    _PADDING = 7

    def __init__(self, opened: Opened, codec: Codec[R_co]) -> None:
        self._handle: int | None = None
        self._free = Once(lambda: None)
        self._rings: list[_CpuRing] = []
        self._lost: dict[int, int] = {}
        super().__init__(opened, codec)

    def open(
        self, *, pages: int = _PAGES, wakeup_events: int = 1, wakeup_bytes: int | None = None
    ) -> Self:
        """Open a ring of *pages* of memory for every CPU that is online.

        The reader is woken for every record, or after *wakeup_events*, or *wakeup_bytes* of them:
        the more, the less is the traced program slowed down, and the later come its records;
        ``read()`` and ``poll()`` with a timeout get those that nobody was woken for.

        Raises ValueError if *pages* is no power of two, StateError if the buffer is open, MapError
        if the kernel refuses.
        """
        self._check_usable()
        if pages < 1 or pages & (pages - 1):
            raise ValueError(f"{pages} pages: the number must be a power of two")
        wakeup = Wakeup(wakeup_events if wakeup_bytes is None else wakeup_bytes, bool(wakeup_bytes))
        with self._lock:
            if self._handle is not None:
                raise StateError(
                    errno.EBUSY, f"{self._KIND} {self.name} is open: open() it before it is used"
                )
            with self._memory_in_use() as usable:
                if usable:
                    self._open(pages, wakeup)
            self._check_usable()
            self._bell()
        return self

    def _open(self, pages: int, wakeup: Wakeup) -> None:
        """Open the rings, with the memory in use."""
        cpus = [cpu for cpu in online_cpus() if cpu < self.max_entries]
        try:
            handle = _events.open_perf_buffer(self.fd, cpus, pages, wakeup)
            self._handle = handle
            # It goes before the map, whoever closes that.
            self._free = Once(lambda: _events.close_perf_buffer(handle))
            self._owner.lifetime.free_before(self._free)
            self._rings = [
                _CpuRing(cpu, _events.memory(handle, index)) for index, cpu in enumerate(cpus)
            ]
        except CallError as error:
            self._release()
            raise self._cant_open(error, pages) from error

    @property
    def lost(self) -> dict[int, int]:
        """How many records were dropped on each CPU because its ring was full.

        The kernel says so with the next record that it has room for, and it is counted when that
        one is read.
        """
        return {**self._lost, **{ring.cpu: ring.lost for ring in self._rings}}

    def read_by_cpu(self) -> dict[int, list[R_co]]:
        """Return the records that are there now, by the CPU that wrote them, without waiting."""
        self._check_usable()
        return self._converted(
            self._take(),
            lambda batch: {
                cpu: self._decoder.records(part) for cpu, part in batch.by_cpu().items()
            },
        )

    def _open_rings(self) -> list[_CpuRing]:
        """The rings, with the memory in use; opened with the defaults if they are not open."""
        if self._handle is None:
            self._open(_PAGES, Wakeup(1, False))
        return self._rings

    def _copy(self, limit: int | None) -> Batch:  # noqa: ARG002 - a ring is taken as a whole
        data = bytearray()
        runs: list[Run] = []
        for ring in self._open_rings():
            taken = ring.take()
            runs += self._find(taken, len(data), ring)
            data += taken
        return Batch(data, runs, _LEAD)

    @staticmethod
    def _find(data: bytes, base: int, ring: _CpuRing) -> list[Run]:
        """Return the samples of a ring's *data*, at *base* of all; count what was lost."""
        runs = []
        words = memoryview(data).cast("Q")
        offset = 0
        while offset < len(data):
            kind, _, size = _HEADER.unpack_from(data, offset)
            number = 1
            if kind == _SAMPLE:
                number = run_length(words, offset >> 3, size >> 3, (len(data) - offset) // size)
                runs.append(Run(base + offset + _LEAD, size - _LEAD, size, number, ring.cpu))
            elif kind == _LOST:
                ring.lost += _LOST_COUNT.unpack_from(data, offset)[0]
            offset += number * size
        return runs

    def _unread(self) -> int:
        return sum(ring.used() for ring in self._rings)

    def _descriptors(self) -> list[int]:
        rings = self._open_rings()
        return [_events.descriptor(self._handle or 0, index) for index in range(len(rings))]

    def _release(self) -> None:
        self._lost = self.lost
        self._handle = None
        rings, self._rings = self._rings, []
        for ring in rings:
            ring.release()
        self._free()

    def _cant_open(self, error: CallError, pages: int) -> BpfError:
        reason = os.strerror(error.errno)
        if error.errno == errno.EPERM and not kernel.missing_capabilities("CAP_PERFMON"):
            reason = f"{pages} pages for each CPU are more than perf_event_mlock_kb allows"
        elif error.errno in (errno.EPERM, errno.EACCES):
            reason = kernel.permission_hint()
        return MapError(error.errno, f"can't open {self._KIND} {self.name}: {reason}")


@overload
def perf_buffer(name: str) -> MapMember[PerfBuffer[bytes]]: ...


@overload
def perf_buffer(name: str, *, value: Codec[R]) -> MapMember[PerfBuffer[R]]: ...


def perf_buffer(
    name: str, *, value: Codec[R] | None = None
) -> MapMember[PerfBuffer[R]] | MapMember[PerfBuffer[bytes]]:
    """Declare a perf buffer; its records are bytes if it has no *value*."""
    return MapMember(
        name, MapType.PERF_EVENT_ARRAY, lambda opened: PerfBuffer(opened, value or Payload())
    )
