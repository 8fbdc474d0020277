"""Descriptors of BPF objects: where else than from loading they come, and what they are of."""

import ctypes
from typing import NamedTuple

from ebpfgen.runtime._libbpf.library import (
    CHAR_P,
    INT,
    SIZE_T,
    UINT,
    VOID_P,
    Struct,
    check,
    declare,
    fitting,
    library,
    text,
)

_U32, _U64 = ctypes.c_uint32, ctypes.c_uint64

declare(
    {
        "bpf_map_create": (INT, [UINT, CHAR_P, UINT, UINT, UINT, VOID_P]),
        "bpf_map_freeze": (INT, [INT]),
        "bpf_map_get_fd_by_id": (INT, [UINT]),
        "bpf_obj_get_info_by_fd": (INT, [INT, VOID_P, VOID_P]),
        "bpf_obj_get_opts": (INT, [CHAR_P, VOID_P]),
        "bpf_obj_pin": (INT, [INT, CHAR_P]),
        "libbpf_num_possible_cpus": (INT, []),
    }
)


class _GetOptions(Struct):
    """``struct bpf_obj_get_opts``, as of libbpf 1.0."""

    _fields_ = (("sz", SIZE_T), ("file_flags", _U32))


class _CreateOptions(Struct):
    """``struct bpf_map_create_opts``, as of libbpf 1.0."""

    _fields_ = (
        ("sz", SIZE_T),
        ("btf_fd", _U32),
        ("btf_key_type_id", _U32),
        ("btf_value_type_id", _U32),
        ("btf_vmlinux_value_type_id", _U32),
        ("inner_map_fd", _U32),
        ("map_flags", _U32),
        ("map_extra", _U64),
        ("numa_node", _U32),
        ("map_ifindex", _U32),
    )


class MapInfo(ctypes.Structure):
    """``struct bpf_map_info`` of ``include/uapi/linux/bpf.h``; older kernels leave its end 0."""

    _fields_ = (
        ("type", _U32),
        ("id", _U32),
        ("key_size", _U32),
        ("value_size", _U32),
        ("max_entries", _U32),
        ("map_flags", _U32),
        ("name", ctypes.c_char * 16),
        ("ifindex", _U32),
        ("btf_vmlinux_value_type_id", _U32),
        ("netns_dev", _U64),
        ("netns_ino", _U64),
        ("btf_id", _U32),
        ("btf_key_type_id", _U32),
        ("btf_value_type_id", _U32),
        ("btf_vmlinux_id", _U32),
        ("map_extra", _U64),
    )


def map_info(fd: int) -> MapInfo:
    """Return what the kernel says of a map."""
    info = MapInfo()
    size = _U32(ctypes.sizeof(info))
    check(library().bpf_obj_get_info_by_fd(fd, ctypes.byref(info), ctypes.byref(size)))
    return info


class TypeIds(NamedTuple):
    """The types of a map's keys and values: a descriptor of BTF, and their ids in it."""

    btf: int
    key: int
    value: int


def create_map(
    map_type: int,
    name: str,
    sizes: tuple[int, int, int],
    flags: int,
    types: TypeIds | None = None,
) -> int:
    """Create a map; *sizes* are those of key and value, and max_entries. Returns its descriptor."""
    options = _CreateOptions(sz=ctypes.sizeof(_CreateOptions), map_flags=flags)
    if types:
        options.btf_fd, options.btf_key_type_id, options.btf_value_type_id = types
    names = ("key size", "value size", "max_entries")
    fit = [fitting(size, UINT, what) for what, size in zip(names, sizes, strict=True)]
    reference = ctypes.byref(options)
    create = library().bpf_map_create
    return check(create(map_type, text(name), *fit, reference))


def pin(fd: int, path: str) -> None:
    """Make a file of a BPF file system stand for a descriptor's object."""
    check(library().bpf_obj_pin(fd, text(path)))


def get(path: str, flags: int = 0) -> int:
    """Return a new descriptor of what is pinned at *path*; *flags* is 0 or ``BPF_F_RDONLY``."""
    options = _GetOptions(sz=ctypes.sizeof(_GetOptions), file_flags=flags)
    return check(library().bpf_obj_get_opts(text(path), ctypes.byref(options)))


def map_by_id(number: int) -> int:
    """Return a new descriptor of the map with this id."""
    return check(library().bpf_map_get_fd_by_id(fitting(number, UINT, "a map's id")))


def freeze(fd: int) -> None:
    """Forbid user space to write to a map from now on."""
    check(library().bpf_map_freeze(fd))


def possible_cpus() -> int:
    """Return how many CPUs this kernel may ever have."""
    return check(library().libbpf_num_possible_cpus())
