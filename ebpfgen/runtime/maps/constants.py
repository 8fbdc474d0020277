"""The kernel's numbers for kinds of maps and for flags (``include/uapi/linux/bpf.h``)."""

import sys
from enum import IntEnum, IntFlag

from ebpfgen.runtime.codec import be, le

NATIVE = le if sys.byteorder == "little" else be
"""The codecs of this machine's byte order, for what the kernel itself reads and writes."""

INDEX = NATIVE.u32
"""The keys of maps with indices, and the descriptors that are keys or values of others."""


class MapType(IntEnum):
    """``BPF_MAP_TYPE_*``."""

    HASH = 1
    ARRAY = 2
    PROG_ARRAY = 3
    PERF_EVENT_ARRAY = 4
    PERCPU_HASH = 5
    PERCPU_ARRAY = 6
    STACK_TRACE = 7
    CGROUP_ARRAY = 8
    LRU_HASH = 9
    LRU_PERCPU_HASH = 10
    LPM_TRIE = 11
    ARRAY_OF_MAPS = 12
    HASH_OF_MAPS = 13
    DEVMAP = 14
    SOCKMAP = 15
    CPUMAP = 16
    XSKMAP = 17
    SOCKHASH = 18
    CGROUP_STORAGE = 19
    REUSEPORT_SOCKARRAY = 20
    PERCPU_CGROUP_STORAGE = 21
    QUEUE = 22
    STACK = 23
    SK_STORAGE = 24
    DEVMAP_HASH = 25
    STRUCT_OPS = 26
    RINGBUF = 27
    INODE_STORAGE = 28
    TASK_STORAGE = 29
    BLOOM_FILTER = 30
    USER_RINGBUF = 31
    CGRP_STORAGE = 32
    ARENA = 33


def known_type(number: int) -> MapType | int:
    """Return the type with this number, the number itself if it is newer than the list."""
    return MapType(number) if number in MapType._value2member_map_ else number


def type_name(number: int) -> str:
    """Return the name of a type, its number if it is newer than the list."""
    found = known_type(number)
    return found.name if isinstance(found, MapType) else f"type {number}"


INDEXED = frozenset(
    {
        MapType.ARRAY,
        MapType.PROG_ARRAY,
        MapType.PERF_EVENT_ARRAY,
        MapType.PERCPU_ARRAY,
        MapType.CGROUP_ARRAY,
        MapType.ARRAY_OF_MAPS,
        MapType.DEVMAP,
        MapType.SOCKMAP,
        MapType.CPUMAP,
        MapType.XSKMAP,
        MapType.REUSEPORT_SOCKARRAY,
    }
)
"""The types whose keys are indices below ``max_entries``."""


class MapFlag(IntFlag):
    """``BPF_F_*`` of a map: how it is created, and what may be done with it."""

    NO_PREALLOC = 1 << 0
    NO_COMMON_LRU = 1 << 1
    NUMA_NODE = 1 << 2
    RDONLY = 1 << 3
    """The descriptor with which the map is created can't write to it."""
    WRONLY = 1 << 4
    """The descriptor with which the map is created can't read it."""
    STACK_BUILD_ID = 1 << 5
    ZERO_SEED = 1 << 6
    RDONLY_PROG = 1 << 7
    """BPF programs may not write."""
    WRONLY_PROG = 1 << 8
    """BPF programs may not read."""
    CLONE = 1 << 9
    MMAPABLE = 1 << 10
    PRESERVE_ELEMS = 1 << 11
    INNER_MAP = 1 << 12
    LINK = 1 << 13
    SEGV_ON_FAULT = 1 << 17
    NO_USER_CONV = 1 << 18


NO_FLAGS = MapFlag(0)


class UpdateFlag(IntFlag):
    """How an element is written or read: ``map.put(key, value, flags=rt.BPF_NOEXIST)``."""

    ANY = 0
    """Create or replace."""
    NOEXIST = 1
    """Create only."""
    EXIST = 2
    """Replace only; in a queue or stack, make room by dropping the oldest."""
    LOCK = 4
    """Hold the value's ``bpf_spin_lock`` meanwhile."""


BPF_ANY = UpdateFlag.ANY
BPF_NOEXIST = UpdateFlag.NOEXIST
BPF_EXIST = UpdateFlag.EXIST
BPF_F_LOCK = UpdateFlag.LOCK
