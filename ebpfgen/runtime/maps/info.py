"""What the kernel says of a map."""

import errno
import os
from functools import cache
from pathlib import Path
from typing import NamedTuple

from ebpfgen.runtime._libbpf import descriptors as _descriptors
from ebpfgen.runtime._libbpf.library import CallError
from ebpfgen.runtime.maps.constants import MapFlag, MapType, known_type


class MapInfo(NamedTuple):
    """``struct bpf_map_info`` of ``include/uapi/linux/bpf.h``; sizes are in bytes.

    ``type`` is a plain number where the kernel is newer than :class:`MapType`; ``name`` has at most
    15 characters of the C name. The ``btf_*`` are ids of type information in the kernel and 0 where
    there is none, as ``map_extra`` and ``ifindex`` (the device a map was offloaded to) are.
    """

    type: MapType | int
    id: int
    key_size: int
    value_size: int
    max_entries: int
    flags: MapFlag
    name: str
    ifindex: int
    map_extra: int
    btf_id: int
    btf_key_type_id: int
    btf_value_type_id: int
    btf_vmlinux_value_type_id: int
    btf_vmlinux_id: int
    netns_dev: int
    netns_ino: int


def read_info(fd: int) -> MapInfo:
    """Ask the kernel (``bpf_obj_get_info_by_fd``). Raises CallError, EINVAL if it is no map."""
    # The kernel answers for programs and links as well, with other facts.
    if "map_type" not in facts_of_descriptor(fd):
        raise CallError(errno.EINVAL)
    found = _descriptors.map_info(fd)
    return MapInfo(
        type=known_type(found.type),
        id=found.id,
        key_size=found.key_size,
        value_size=found.value_size,
        max_entries=found.max_entries,
        flags=MapFlag(found.map_flags),
        name=found.name.decode(errors="replace"),
        ifindex=found.ifindex,
        map_extra=found.map_extra,
        btf_id=found.btf_id,
        btf_key_type_id=found.btf_key_type_id,
        btf_value_type_id=found.btf_value_type_id,
        btf_vmlinux_value_type_id=found.btf_vmlinux_value_type_id,
        btf_vmlinux_id=found.btf_vmlinux_id,
        netns_dev=found.netns_dev,
        netns_ino=found.netns_ino,
    )


_PER_CPU = frozenset(
    {
        MapType.PERCPU_HASH,
        MapType.PERCPU_ARRAY,
        MapType.LRU_PERCPU_HASH,
        MapType.PERCPU_CGROUP_STORAGE,
    }
)
# IS_FD_MAP of kernel/bpf/syscall.c: what is read and written is a u32.
_OF_DESCRIPTORS = frozenset(
    {
        MapType.PERF_EVENT_ARRAY,
        MapType.PROG_ARRAY,
        MapType.CGROUP_ARRAY,
        MapType.ARRAY_OF_MAPS,
        MapType.HASH_OF_MAPS,
    }
)


@cache
def possible_cpus() -> int:
    """The number of CPUs that the kernel may ever have, which it never changes.

    Those are more than there are where CPUs can be plugged in. Per-CPU maps have a value for each.
    """
    return _descriptors.possible_cpus()


def value_space(info: MapInfo) -> int:
    """The bytes that the kernel reads and writes for one value.

    That is bpf_map_value_size() of kernel/bpf/syscall.c: per-CPU maps have a value for each
    possible CPU, filled up to a multiple of 8.
    """
    if info.type in _PER_CPU:
        return -(-info.value_size // 8) * 8 * possible_cpus()
    return 4 if info.type in _OF_DESCRIPTORS else info.value_size


def facts_of_descriptor(fd: int) -> dict[str, str]:
    """Return ``/proc/self/fdinfo`` of a map, which alone says whether it is frozen."""
    try:
        lines = Path(f"/proc/self/fdinfo/{fd}").read_text().splitlines()
    except OSError:
        # Not to be read by a process that has given root up: the least of what maps have.
        return {"map_type": ""}
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def is_open_for(fd: int) -> tuple[bool, bool]:
    """Return whether a map can be read and be written by this descriptor, as far as is known."""
    access = int(facts_of_descriptor(fd).get("flags", "02"), 8) & os.O_ACCMODE
    return access != os.O_WRONLY, access != os.O_RDONLY
