"""``struct bpf_map``, and the elements of maps by descriptor."""

import ctypes

from ebpfgen.runtime._libbpf.library import (
    INT,
    SIZE_T,
    UINT,
    VOID_P,
    check,
    declare,
    library,
    pointer,
)

declare(
    {
        "bpf_map__initial_value": (VOID_P, [VOID_P, ctypes.POINTER(SIZE_T)]),
        "bpf_map__set_key_size": (INT, [VOID_P, UINT]),
        "bpf_map__set_value_size": (INT, [VOID_P, UINT]),
        "bpf_map__fd": (INT, [VOID_P]),
        "bpf_map__type": (UINT, [VOID_P]),
        "bpf_map__key_size": (UINT, [VOID_P]),
        "bpf_map__value_size": (UINT, [VOID_P]),
        "bpf_map__max_entries": (UINT, [VOID_P]),
        "bpf_map__set_max_entries": (INT, [VOID_P, UINT]),
        "bpf_map_lookup_elem": (INT, [INT, VOID_P, VOID_P]),
        "bpf_map_update_elem": (INT, [INT, VOID_P, VOID_P, ctypes.c_uint64]),
        "bpf_map_delete_elem": (INT, [INT, VOID_P]),
        "bpf_map_get_next_key": (INT, [INT, VOID_P, VOID_P]),
    }
)


def fd(bpf_map: int) -> int:
    """Return the descriptor of a created map."""
    return check(library().bpf_map__fd(bpf_map))


def facts(bpf_map: int) -> tuple[int, int, int, int]:
    """Return a map's type, key size, value size and maximum of entries."""
    lib = library()
    return (
        lib.bpf_map__type(bpf_map),
        lib.bpf_map__key_size(bpf_map),
        lib.bpf_map__value_size(bpf_map),
        lib.bpf_map__max_entries(bpf_map),
    )


def set_max_entries(bpf_map: int, count: int) -> None:
    """Resize a map that is not created yet."""
    check(library().bpf_map__set_max_entries(bpf_map, count))


def set_sizes(bpf_map: int, *, key: int, value: int) -> None:
    """Set the sizes in bytes of the keys and values of a map that is not created yet."""
    check(library().bpf_map__set_key_size(bpf_map, key))
    check(library().bpf_map__set_value_size(bpf_map, value))


def initial_value(bpf_map: int) -> "ctypes.Array[ctypes.c_char]":
    """Return libbpf's memory of a data section that is not loaded yet."""
    size = SIZE_T()
    address = pointer(library().bpf_map__initial_value(bpf_map, ctypes.byref(size)))
    return (ctypes.c_char * size.value).from_address(address)


def lookup(fd: int, key: bytes, value: "ctypes.Array[ctypes.c_char]") -> None:
    """Read the value of *key* into *value*, which has the map's value size."""
    check(library().bpf_map_lookup_elem(fd, key, value))


def update(fd: int, key: bytes, value: bytes, flags: int) -> None:
    """Write the value of *key*."""
    check(library().bpf_map_update_elem(fd, key, value, flags))


def delete(fd: int, key: bytes) -> None:
    """Delete *key*."""
    check(library().bpf_map_delete_elem(fd, key))


def next_key(fd: int, key: bytes | None, size: int) -> bytes:
    """Return the key after *key*, or the first for None or a key that is gone."""
    following = ctypes.create_string_buffer(size)
    check(library().bpf_map_get_next_key(fd, key, following))
    return following.raw
