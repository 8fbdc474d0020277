"""``struct perf_buffer``: opened, mapped and closed by libbpf, read by us."""

import ctypes
import mmap
from collections.abc import Sequence
from typing import NamedTuple

from ebpfgen.runtime._libbpf.library import (
    INT,
    SIZE_T,
    UINT,
    VOID_P,
    Struct,
    captured_log,
    check,
    declare,
    fitting,
    library,
    pointer,
)

U64 = ctypes.c_uint64

declare(
    {
        "perf_buffer__new_raw": (VOID_P, [INT, SIZE_T, VOID_P, VOID_P, VOID_P, VOID_P]),
        "perf_buffer__free": (None, [VOID_P]),
        "perf_buffer__buffer": (INT, [VOID_P, INT, VOID_P, VOID_P]),
        "perf_buffer__buffer_fd": (INT, [VOID_P, SIZE_T]),
    }
)

# PERF_TYPE_SOFTWARE, PERF_COUNT_SW_BPF_OUTPUT, PERF_SAMPLE_RAW: include/uapi/linux/perf_event.h.
_SOFTWARE, _BPF_OUTPUT, _RAW = 1, 10, 1 << 10


class _Attributes(Struct):
    """``struct perf_event_attr``, as long as its first version (PERF_ATTR_SIZE_VER0)."""

    _fields_ = (
        ("type", UINT),
        ("size", UINT),
        ("config", U64),
        ("sample_period", U64),
        ("sample_type", U64),
        ("read_format", U64),
        ("flags_before", U64, 14),
        ("watermark", U64, 1),
        ("flags_after", U64, 49),
        ("wakeup", UINT),
        ("bp_type", UINT),
        ("bp_addr", U64),
    )


class _Options(Struct):
    """``struct perf_buffer_raw_opts``, as of libbpf 1.0."""

    _fields_ = (
        ("sz", SIZE_T),
        ("cpu_cnt", INT),
        ("cpus", ctypes.POINTER(INT)),
        ("map_keys", ctypes.POINTER(INT)),
    )


class Wakeup(NamedTuple):
    """When the kernel wakes the reader: after *amount* records, or bytes of them."""

    amount: int
    in_bytes: bool


def open_perf_buffer(fd: int, cpus: Sequence[int], pages: int, wakeup: Wakeup) -> int:
    """Open a buffer of *pages* for each CPU and put them into a perf event array."""
    attributes = _Attributes(
        type=_SOFTWARE,
        size=ctypes.sizeof(_Attributes),
        config=_BPF_OUTPUT,
        sample_period=1,
        sample_type=_RAW,
        watermark=wakeup.in_bytes,
        wakeup=wakeup.amount,
    )
    pages = fitting(pages, SIZE_T, "pages")
    numbers = (INT * len(cpus))(*cpus)
    options = _Options(
        sz=ctypes.sizeof(_Options), cpu_cnt=len(cpus), cpus=numbers, map_keys=numbers
    )
    with captured_log() as log:
        handle = library().perf_buffer__new_raw(
            fd, pages, ctypes.byref(attributes), None, None, ctypes.byref(options)
        )
        return pointer(handle, log)


def close_perf_buffer(handle: int) -> None:
    """Take the buffers out of their map, and free them."""
    library().perf_buffer__free(handle)


def memory(handle: int, index: int) -> memoryview:
    """Return the memory of a buffer, its control page first; closing the buffers unmaps it.

    What libbpf gives is the address of the control page, and the size of the data behind it.
    """
    address, size = VOID_P(), SIZE_T()
    check(library().perf_buffer__buffer(handle, index, ctypes.byref(address), ctypes.byref(size)))
    whole = ctypes.c_char * (mmap.PAGESIZE + size.value)
    return memoryview(whole.from_address(address.value or 0)).cast("B")


def descriptor(handle: int, index: int) -> int:
    """Return the descriptor of a buffer."""
    return check(library().perf_buffer__buffer_fd(handle, index))
