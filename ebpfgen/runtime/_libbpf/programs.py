"""``struct bpf_program``: its facts, and the ways to attach it."""

import ctypes

from ebpfgen.runtime._libbpf.library import (
    CHAR_P,
    INT,
    SIZE_T,
    VOID_P,
    captured_log,
    check,
    declare,
    library,
    pointer,
)

declare(
    {
        "bpf_program__fd": (INT, [VOID_P]),
        "bpf_program__section_name": (CHAR_P, [VOID_P]),
        "bpf_program__autoload": (ctypes.c_bool, [VOID_P]),
        "bpf_program__set_autoload": (INT, [VOID_P, ctypes.c_bool]),
        "bpf_program__attach": (VOID_P, [VOID_P]),
        "bpf_program__attach_kprobe_opts": (VOID_P, [VOID_P, CHAR_P, VOID_P]),
        "bpf_program__attach_tracepoint": (VOID_P, [VOID_P, CHAR_P, CHAR_P]),
    }
)


class _KprobeOptions(ctypes.Structure):
    """``struct bpf_kprobe_opts``, as of libbpf 1.0."""

    _fields_ = (
        ("sz", SIZE_T),
        ("bpf_cookie", ctypes.c_uint64),
        ("offset", SIZE_T),
        ("retprobe", ctypes.c_bool),
    )


def fd(program: int) -> int:
    """Return the descriptor of a loaded program."""
    return check(library().bpf_program__fd(program))


def section(program: int) -> str:
    """Return the ``SEC()`` of a program."""
    name: bytes = library().bpf_program__section_name(program)
    return name.decode()


def autoload(program: int) -> bool:
    """Return whether loading the object loads the program."""
    return bool(library().bpf_program__autoload(program))


def set_autoload(program: int, autoload: bool) -> None:
    """Say whether loading the object shall load the program."""
    check(library().bpf_program__set_autoload(program, autoload))


def attach(program: int) -> int:
    """Attach a program to what its ``SEC()`` names; returns the handle of the link."""
    with captured_log() as log:
        return pointer(library().bpf_program__attach(program), log)


def attach_kprobe(program: int, symbol: str, *, offset: int, retprobe: bool) -> int:
    """Attach a program to a kernel function; returns the handle of the link."""
    options = _KprobeOptions(sz=ctypes.sizeof(_KprobeOptions), offset=offset, retprobe=retprobe)
    with captured_log() as log:
        link = library().bpf_program__attach_kprobe_opts(
            program, symbol.encode(), ctypes.byref(options)
        )
        return pointer(link, log)


def attach_tracepoint(program: int, category: str, name: str) -> int:
    """Attach a program to a tracepoint; returns the handle of the link."""
    with captured_log() as log:
        link = library().bpf_program__attach_tracepoint(program, category.encode(), name.encode())
        return pointer(link, log)
