"""``struct bpf_object``: opened, loaded, closed, and what is in it."""

import ctypes
from collections.abc import Iterator

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
)

declare(
    {
        "bpf_object__open_mem": (VOID_P, [VOID_P, SIZE_T, VOID_P]),
        "bpf_object__load": (INT, [VOID_P]),
        "bpf_object__close": (None, [VOID_P]),
        "bpf_object__find_program_by_name": (VOID_P, [VOID_P, CHAR_P]),
        "bpf_object__find_map_by_name": (VOID_P, [VOID_P, CHAR_P]),
        "bpf_object__next_map": (VOID_P, [VOID_P, VOID_P]),
        "bpf_object__next_program": (VOID_P, [VOID_P, VOID_P]),
    }
)


class _OpenOptions(ctypes.Structure):
    """``struct bpf_object_open_opts``, as of libbpf 1.0."""

    _fields_ = (
        ("sz", SIZE_T),
        ("object_name", CHAR_P),
        ("relaxed_maps", ctypes.c_bool),
        ("pin_root_path", CHAR_P),
        ("kconfig", CHAR_P),
        ("btf_custom_path", CHAR_P),
        ("kernel_log_buf", VOID_P),
        ("kernel_log_size", SIZE_T),
        ("kernel_log_level", UINT),
    )


def open_object(data: bytes, name: str) -> int:
    """Parse an object; *data* must live as long as the handle."""
    options = _OpenOptions(sz=ctypes.sizeof(_OpenOptions), object_name=name.encode())
    with captured_log() as log:
        handle = library().bpf_object__open_mem(data, len(data), ctypes.byref(options))
        return pointer(handle, log)


def load_object(handle: int) -> None:
    """Create the object's maps and load its programs."""
    with captured_log() as log:
        check(library().bpf_object__load(handle), log)


def close_object(handle: int) -> None:
    """Free an object; the kernel unloads what nothing else holds."""
    library().bpf_object__close(handle)


def find_program(handle: int, name: str) -> int:
    """Return the handle of a program by its C name."""
    return pointer(library().bpf_object__find_program_by_name(handle, name.encode()))


def find_map(handle: int, name: str) -> int:
    """Return the handle of a map by its C name."""
    return pointer(library().bpf_object__find_map_by_name(handle, name.encode()))


def maps(handle: int) -> Iterator[int]:
    """Yield the handles of an object's maps."""
    found = library().bpf_object__next_map(handle, None)
    while found:
        yield found
        found = library().bpf_object__next_map(handle, found)


def programs(handle: int) -> Iterator[int]:
    """Yield the handles of an object's programs."""
    found = library().bpf_object__next_program(handle, None)
    while found:
        yield found
        found = library().bpf_object__next_program(handle, found)
