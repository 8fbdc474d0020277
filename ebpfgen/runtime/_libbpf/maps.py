"""``struct bpf_map``: the maps of an object, before and after it is loaded."""

import ctypes
import os

from ebpfgen.runtime._libbpf.library import (
    CHAR_P,
    INT,
    SIZE_T,
    UINT,
    VOID_P,
    captured_log,
    check,
    declare,
    library,
    pointer,
    text,
)

_U64 = ctypes.c_uint64

declare(
    {
        "bpf_map__autocreate": (ctypes.c_bool, [VOID_P]),
        "bpf_map__fd": (INT, [VOID_P]),
        "bpf_map__ifindex": (UINT, [VOID_P]),
        "bpf_map__initial_value": (VOID_P, [VOID_P, ctypes.POINTER(SIZE_T)]),
        "bpf_map__inner_map": (VOID_P, [VOID_P]),
        "bpf_map__is_pinned": (ctypes.c_bool, [VOID_P]),
        "bpf_map__key_size": (UINT, [VOID_P]),
        "bpf_map__map_extra": (_U64, [VOID_P]),
        "bpf_map__map_flags": (UINT, [VOID_P]),
        "bpf_map__max_entries": (UINT, [VOID_P]),
        "bpf_map__numa_node": (UINT, [VOID_P]),
        "bpf_map__pin_path": (CHAR_P, [VOID_P]),
        "bpf_map__reuse_fd": (INT, [VOID_P, INT]),
        "bpf_map__set_autocreate": (INT, [VOID_P, ctypes.c_bool]),
        "bpf_map__set_ifindex": (INT, [VOID_P, UINT]),
        "bpf_map__set_inner_map_fd": (INT, [VOID_P, INT]),
        "bpf_map__set_key_size": (INT, [VOID_P, UINT]),
        "bpf_map__set_map_extra": (INT, [VOID_P, _U64]),
        "bpf_map__set_map_flags": (INT, [VOID_P, UINT]),
        "bpf_map__set_max_entries": (INT, [VOID_P, UINT]),
        "bpf_map__set_numa_node": (INT, [VOID_P, UINT]),
        "bpf_map__set_pin_path": (INT, [VOID_P, CHAR_P]),
        "bpf_map__set_value_size": (INT, [VOID_P, UINT]),
        "bpf_map__type": (UINT, [VOID_P]),
        "bpf_map__value_size": (UINT, [VOID_P]),
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


def number(bpf_map: int, setting: str) -> int:
    """Return what ``bpf_map__<setting>`` says of a map."""
    found: int = getattr(library(), f"bpf_map__{setting}")(bpf_map)
    return found


def set_number(bpf_map: int, setting: str, value: int) -> None:
    """Call ``bpf_map__set_<setting>`` of a map that is not created yet."""
    with captured_log() as log:
        check(getattr(library(), f"bpf_map__set_{setting}")(bpf_map, value), log)


def set_sizes(bpf_map: int, *, key: int, value: int) -> None:
    """Set the sizes in bytes of the keys and values of a map that is not created yet."""
    check(library().bpf_map__set_key_size(bpf_map, key))
    check(library().bpf_map__set_value_size(bpf_map, value))


def initial_value(bpf_map: int) -> "ctypes.Array[ctypes.c_char]":
    """Return libbpf's memory of a data section that is not loaded yet, or of a loaded arena."""
    size = SIZE_T()
    address = pointer(library().bpf_map__initial_value(bpf_map, ctypes.byref(size)))
    return (ctypes.c_char * size.value).from_address(address)


def inner(bpf_map: int) -> int | None:
    """Return the handle of the template of the maps in a map of maps, None if there is none."""
    found: int | None = library().bpf_map__inner_map(bpf_map)
    return found


def reuse(bpf_map: int, fd: int) -> None:
    """Let loading use an existing map, whose sizes and flags replace those of the object."""
    with captured_log() as log:
        check(library().bpf_map__reuse_fd(bpf_map, fd), log)


def pin_path(bpf_map: int) -> str | None:
    """Return where a map is pinned, or will be when it is created."""
    found: bytes | None = library().bpf_map__pin_path(bpf_map)
    return None if found is None else os.fsdecode(found)


def set_pin_path(bpf_map: int, path: str | None) -> None:
    """Say where loading shall pin a map, or find it; None for nowhere."""
    encoded = None if path is None else text(path)
    check(library().bpf_map__set_pin_path(bpf_map, encoded))
