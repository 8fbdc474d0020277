"""XDP and tc through netlink: programs that are attached to interfaces without a BPF link."""

import ctypes

from ebpfgen.runtime._libbpf.library import (
    INT,
    SIZE_T,
    UINT,
    VOID_P,
    Struct,
    captured_log,
    check,
    declare,
    fitting,
    library,
)

declare(
    {
        "bpf_xdp_attach": (INT, [INT, INT, UINT, VOID_P]),
        "bpf_xdp_detach": (INT, [INT, UINT, VOID_P]),
        "bpf_tc_hook_create": (INT, [VOID_P]),
        "bpf_tc_attach": (INT, [VOID_P, VOID_P]),
        "bpf_tc_detach": (INT, [VOID_P, VOID_P]),
    }
)


class _XdpOptions(Struct):
    """``struct bpf_xdp_attach_opts``."""

    _fields_ = (("sz", SIZE_T), ("old_prog_fd", INT))


class _TcHook(Struct):
    """``struct bpf_tc_hook``."""

    _fields_ = (("sz", SIZE_T), ("ifindex", INT), ("attach_point", INT), ("parent", UINT))


class _TcOptions(Struct):
    """``struct bpf_tc_opts``."""

    _fields_ = (
        ("sz", SIZE_T),
        ("prog_fd", INT),
        ("flags", UINT),
        ("prog_id", UINT),
        ("handle", UINT),
        ("priority", UINT),
    )


def attach_xdp(interface: int, program: int, flags: int) -> None:
    """Attach a program, by its descriptor, to an interface, by its index."""
    flags = fitting(flags, UINT, "mode")
    with captured_log() as log:
        check(library().bpf_xdp_attach(interface, program, flags, None), log)


def detach_xdp(interface: int, program: int, flags: int) -> None:
    """Detach a program from an interface; an error if it has another one by now."""
    options = _XdpOptions(sz=ctypes.sizeof(_XdpOptions), old_prog_fd=program)
    with captured_log() as log:
        check(library().bpf_xdp_detach(interface, flags, ctypes.byref(options)), log)


def create_tc_hook(interface: int, point: int) -> None:
    """Give an interface the ``clsact`` queueing discipline; EEXIST if it has it."""
    hook = _tc_hook(interface, point)
    with captured_log() as log:
        check(library().bpf_tc_hook_create(ctypes.byref(hook)), log)


def attach_tc(
    interface: int, point: int, program: int, *, handle: int, priority: int, flags: int
) -> tuple[int, int]:
    """Add a filter to a hook; returns its handle and priority, which the kernel gives where 0."""
    hook = _tc_hook(interface, point)
    options = _TcOptions(
        sz=ctypes.sizeof(_TcOptions), prog_fd=program, flags=flags, handle=handle, priority=priority
    )
    with captured_log() as log:
        check(library().bpf_tc_attach(ctypes.byref(hook), ctypes.byref(options)), log)
    return options.handle, options.priority


def detach_tc(interface: int, point: int, handle: int, priority: int) -> None:
    """Remove a filter from a hook."""
    hook = _tc_hook(interface, point)
    options = _TcOptions(sz=ctypes.sizeof(_TcOptions), handle=handle, priority=priority)
    with captured_log() as log:
        check(library().bpf_tc_detach(ctypes.byref(hook), ctypes.byref(options)), log)


def _tc_hook(interface: int, point: int) -> _TcHook:
    return _TcHook(sz=ctypes.sizeof(_TcHook), ifindex=interface, attach_point=point)
