"""``perf_event_open(2)``: counters and clocks of CPUs and processes."""

import ctypes
import errno
import os
import struct
import sys
from enum import IntEnum
from pathlib import Path

from ebpfgen.runtime.errors import NotSupportedError

# include/uapi/linux/perf_event.h
_SIZE = 64  # PERF_ATTR_SIZE_VER0 is enough for all that is set here
# attr.freq is a bitfield, which compilers begin at the highest bit on big-endian machines.
_FREQUENCY = 1 << (10 if sys.byteorder == "little" else 53)
_CLOEXEC = 1 << 3  # PERF_FLAG_FD_CLOEXEC
ONLINE = Path("/sys/devices/system/cpu/online")
_PARANOID = Path("/proc/sys/kernel/perf_event_paranoid")

# __NR_perf_event_open of the architectures' system call tables.
_NUMBERS = {
    "x86_64": 298,
    "i386": 336,
    "i686": 336,
    "aarch64": 241,
    "riscv64": 241,
    "loongarch64": 241,
    "armv7l": 364,
    "ppc64": 319,
    "ppc64le": 319,
    "s390x": 331,
}


class PerfType(IntEnum):
    """What an event counts: ``enum perf_type_id``."""

    HARDWARE = 0
    SOFTWARE = 1
    TRACEPOINT = 2
    CACHE = 3
    RAW = 4


class SoftwareEvent(IntEnum):
    """What the kernel itself counts: ``enum perf_sw_ids``."""

    CPU_CLOCK = 0
    TASK_CLOCK = 1
    PAGE_FAULTS = 2
    CONTEXT_SWITCHES = 3
    CPU_MIGRATIONS = 4
    BPF_OUTPUT = 10


def open_perf_event(
    kind: int,
    config: int,
    *,
    cpu: int,
    pid: int = -1,
    period: int = 0,
    frequency: int = 0,
) -> int:
    """Open a perf event and return its descriptor.

    *kind* and *config* are what is counted. *cpu* is -1 for any, *pid* -1 for all processes (then
    there must be a CPU). It fires every *period* counts, or *frequency* times a second.

    Raises OSError with the kernel's errno, NotSupportedError on an architecture whose number of
    the system call is not known here.
    """
    number = _NUMBERS.get(os.uname().machine)
    if number is None:
        raise NotSupportedError(
            errno.ENOSYS, f"the number of perf_event_open is not known for {os.uname().machine}"
        )
    flags = _FREQUENCY if frequency else 0
    every = frequency or period
    try:
        attributes = struct.pack("=IIQQQQQ", kind, _SIZE, config, every, 0, 0, flags)
    except struct.error as error:
        raise ValueError(f"no perf event ({kind}, {config}, {every}): {error}") from error
    for what, value in (("pid", pid), ("cpu", cpu)):
        if not -1 <= value < 1 << 31:
            raise ValueError(f"{what} of a perf event can't be {value}")
    buffer = ctypes.create_string_buffer(attributes, _SIZE)
    call = ctypes.CDLL(None, use_errno=True).syscall
    call.restype = ctypes.c_long
    arguments = (pid, cpu, -1, _CLOEXEC)
    descriptor: int = call(ctypes.c_long(number), buffer, *map(ctypes.c_long, arguments))
    if descriptor < 0:
        failed = ctypes.get_errno()
        raise OSError(failed, os.strerror(failed))
    return descriptor


def online_cpus() -> list[int]:
    """The CPUs that are online, which ``/sys`` lists as ``0-3,5``; all of them without ``/sys``."""
    try:
        ranges = ONLINE.read_text().strip().split(",")
    except OSError:
        return list(range(os.cpu_count() or 1))
    cpus: list[int] = []
    for part in ranges:
        begin, _, end = part.partition("-")
        cpus += range(int(begin), int(end or begin) + 1)
    return cpus


def paranoia() -> int | None:
    """Return ``perf_event_paranoid``, None if the kernel has no perf events."""
    return int(_PARANOID.read_text()) if _PARANOID.exists() else None
