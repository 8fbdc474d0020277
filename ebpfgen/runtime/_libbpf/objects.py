"""``struct bpf_object``: opened, loaded, closed, and what is in it."""

import ctypes
from collections.abc import Iterator

from ebpfgen.runtime._libbpf.library import (
    CHAR_P,
    INT,
    SIZE_T,
    UINT,
    VOID_P,
    Struct,
    captured_log,
    check,
    declare,
    library,
    pointer,
    text,
)

declare(
    {
        "bpf_object__open_mem": (VOID_P, [VOID_P, SIZE_T, VOID_P]),
        "bpf_object__load": (INT, [VOID_P]),
        "bpf_object__btf_fd": (INT, [VOID_P]),
        "bpf_object__close": (None, [VOID_P]),
        "bpf_object__find_program_by_name": (VOID_P, [VOID_P, CHAR_P]),
        "bpf_object__find_map_by_name": (VOID_P, [VOID_P, CHAR_P]),
        "bpf_object__next_map": (VOID_P, [VOID_P, VOID_P]),
        "bpf_object__next_program": (VOID_P, [VOID_P, VOID_P]),
        "bpf_map__name": (CHAR_P, [VOID_P]),
        "bpf_program__name": (CHAR_P, [VOID_P]),
        "bpf_program__type": (UINT, [VOID_P]),
    }
)


class _OpenOptions(Struct):
    """``struct bpf_object_open_opts``, as of libbpf 1.0."""

    _fields_ = (
        ("sz", SIZE_T),
        ("object_name", CHAR_P),
        ("relaxed_maps", ctypes.c_bool),
        ("pin_root_path", CHAR_P),
        ("_removed", UINT),
        ("kconfig", CHAR_P),
        ("btf_custom_path", CHAR_P),
        ("kernel_log_buf", VOID_P),
        ("kernel_log_size", SIZE_T),
        ("kernel_log_level", UINT),
    )


def open_object(
    data: bytes,
    name: str,
    *,
    btf: bytes | None,
    pin_root: bytes | None,
    kconfig: bytes | None,
    relaxed_maps: bool,
    log_level: int,
) -> int:
    """Parse an object; *data* must live as long as the handle."""
    options = _OpenOptions(
        sz=ctypes.sizeof(_OpenOptions),
        object_name=text(name),
        relaxed_maps=relaxed_maps,
        pin_root_path=pin_root,
        kconfig=kconfig,
        btf_custom_path=btf,
        kernel_log_level=log_level,
    )
    with captured_log() as log:
        handle = library().bpf_object__open_mem(data, len(data), ctypes.byref(options))
        return pointer(handle, log)


def load_object(handle: int, *, verifier: bool = False) -> str:
    """Create the object's maps and load its programs; returns what libbpf said.

    With *verifier*, that has the verifier's log of every program, if the object was opened with a
    log level.
    """
    with captured_log(verifier=verifier) as log:
        check(library().bpf_object__load(handle), log)
        return "".join(log)


def close_object(handle: int) -> None:
    """Free an object; the kernel unloads what nothing else holds."""
    library().bpf_object__close(handle)


def btf_fd(handle: int) -> int:
    """Return the descriptor of a loaded object's BTF, which stays the object's."""
    return check(library().bpf_object__btf_fd(handle))


def find_program(handle: int, name: str) -> int:
    """Return the handle of a program by its C name."""
    return pointer(library().bpf_object__find_program_by_name(handle, text(name)))


def find_map(handle: int, name: str) -> int:
    """Return the handle of a map by its C name."""
    return pointer(library().bpf_object__find_map_by_name(handle, text(name)))


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


def map_name(bpf_map: int) -> str:
    """Return the name of a map as the C source has it; that of a data section is the kernel's."""
    name: bytes = library().bpf_map__name(bpf_map)
    return name.decode()


def program_name(program: int) -> str:
    """Return the name of a program's C function."""
    name: bytes = library().bpf_program__name(program)
    return name.decode()


def program_type(program: int) -> int:
    """Return the ``BPF_PROG_TYPE_*`` that libbpf made of a program's ``SEC()``, 0 for none."""
    kind: int = library().bpf_program__type(program)
    return kind
