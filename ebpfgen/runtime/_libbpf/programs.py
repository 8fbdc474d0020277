"""``struct bpf_program``: its facts, and what can be set before it is loaded."""

import ctypes

from ebpfgen.runtime._libbpf.library import (
    CHAR_P,
    INT,
    UINT,
    VOID_P,
    captured_log,
    check,
    declare,
    fitting,
    library,
    text,
)

declare(
    {
        "bpf_program__fd": (INT, [VOID_P]),
        "bpf_program__name": (CHAR_P, [VOID_P]),
        "bpf_program__section_name": (CHAR_P, [VOID_P]),
        "bpf_program__autoload": (ctypes.c_bool, [VOID_P]),
        "bpf_program__set_autoload": (INT, [VOID_P, ctypes.c_bool]),
        "bpf_program__autoattach": (ctypes.c_bool, [VOID_P]),
        "bpf_program__set_autoattach": (None, [VOID_P, ctypes.c_bool]),
        "bpf_program__type": (INT, [VOID_P]),
        "bpf_program__set_type": (INT, [VOID_P, INT]),
        "bpf_program__expected_attach_type": (INT, [VOID_P]),
        "bpf_program__set_expected_attach_type": (INT, [VOID_P, INT]),
        "bpf_program__flags": (UINT, [VOID_P]),
        "bpf_program__set_flags": (INT, [VOID_P, UINT]),
        "bpf_program__log_level": (UINT, [VOID_P]),
        "bpf_program__set_log_level": (INT, [VOID_P, UINT]),
        "bpf_program__set_ifindex": (None, [VOID_P, UINT]),
        "bpf_program__set_attach_target": (INT, [VOID_P, INT, CHAR_P]),
    }
)


def fd(program: int) -> int:
    """Return the descriptor of a loaded program."""
    return check(library().bpf_program__fd(program))


def name(program: int) -> str:
    """Return the C name of a program."""
    found: bytes = library().bpf_program__name(program)
    return found.decode()


def section(program: int) -> str:
    """Return the ``SEC()`` of a program, without the question mark that it may begin with."""
    name: bytes = library().bpf_program__section_name(program)
    return name.decode()


def autoload(program: int) -> bool:
    """Return whether loading the object loads the program."""
    return bool(library().bpf_program__autoload(program))


def set_autoload(program: int, autoload: bool) -> None:
    """Say whether loading the object shall load the program."""
    check(library().bpf_program__set_autoload(program, autoload))


def autoattach(program: int) -> bool:
    """Return whether attaching the object attaches the program."""
    return bool(library().bpf_program__autoattach(program))


def set_autoattach(program: int, autoattach: bool) -> None:
    """Say whether attaching the object shall attach the program."""
    library().bpf_program__set_autoattach(program, autoattach)


def program_type(program: int) -> int:
    """Return the program's ``BPF_PROG_TYPE_*``, 0 if libbpf does not know its section."""
    return int(library().bpf_program__type(program))


def set_program_type(program: int, number: int) -> None:
    """Set the program's ``BPF_PROG_TYPE_*``."""
    check(library().bpf_program__set_type(program, fitting(number, INT, "type")))


def attach_type(program: int) -> int:
    """Return the ``BPF_*`` attach type that the program is loaded for."""
    return int(library().bpf_program__expected_attach_type(program))


def set_attach_type(program: int, number: int) -> None:
    """Set the ``BPF_*`` attach type that the program is loaded for."""
    number = fitting(number, INT, "attach_type")
    check(library().bpf_program__set_expected_attach_type(program, number))


def flags(program: int) -> int:
    """Return the ``BPF_F_*`` flags set for loading; libbpf adds those of the section then."""
    return int(library().bpf_program__flags(program))


def set_flags(program: int, flags: int) -> None:
    """Set the ``BPF_F_*`` flags for loading."""
    check(library().bpf_program__set_flags(program, fitting(flags, UINT, "flags")))


def log_level(program: int) -> int:
    """Return how much the verifier writes: 0 nothing unless it refuses."""
    return int(library().bpf_program__log_level(program))


def set_log_level(program: int, level: int) -> None:
    """Set how much the verifier writes."""
    check(library().bpf_program__set_log_level(program, fitting(level, UINT, "log_level")))


def set_ifindex(program: int, index: int) -> None:
    """Load the program for the hardware of a network interface."""
    library().bpf_program__set_ifindex(program, index)


def set_attach_target(program: int, function: str | None, target: int) -> None:
    """Name what the program is verified against: a function of the kernel or of another program.

    *target* is the descriptor of that program, 0 for the kernel.
    """
    name = None if function is None else text(function)
    with captured_log() as log:
        check(library().bpf_program__set_attach_target(program, target, name), log)
