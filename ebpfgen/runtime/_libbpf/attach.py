"""The ways in which libbpf attaches a ``struct bpf_program``, each giving a ``struct bpf_link``."""

import ctypes
from collections.abc import Callable, Sequence

from ebpfgen.runtime._libbpf.library import (
    CHAR_P,
    INT,
    SIZE_T,
    UINT,
    VOID_P,
    Options,
    captured_log,
    declare,
    fitting,
    library,
    newer,
    pointer,
    text,
)

U64 = ctypes.c_uint64

declare(
    {
        "bpf_program__attach": (VOID_P, [VOID_P]),
        "bpf_program__attach_kprobe_opts": (VOID_P, [VOID_P, CHAR_P, VOID_P]),
        "bpf_program__attach_kprobe_multi_opts": (VOID_P, [VOID_P, CHAR_P, VOID_P]),
        "bpf_program__attach_ksyscall": (VOID_P, [VOID_P, CHAR_P, VOID_P]),
        "bpf_program__attach_uprobe_opts": (VOID_P, [VOID_P, INT, CHAR_P, SIZE_T, VOID_P]),
        "bpf_program__attach_usdt": (VOID_P, [VOID_P, INT, CHAR_P, CHAR_P, CHAR_P, VOID_P]),
        "bpf_program__attach_tracepoint_opts": (VOID_P, [VOID_P, CHAR_P, CHAR_P, VOID_P]),
        "bpf_program__attach_raw_tracepoint": (VOID_P, [VOID_P, CHAR_P]),
        "bpf_program__attach_trace_opts": (VOID_P, [VOID_P, VOID_P]),
        "bpf_program__attach_lsm": (VOID_P, [VOID_P]),
        "bpf_program__attach_freplace": (VOID_P, [VOID_P, INT, CHAR_P]),
        "bpf_program__attach_iter": (VOID_P, [VOID_P, VOID_P]),
        "bpf_program__attach_perf_event_opts": (VOID_P, [VOID_P, INT, VOID_P]),
        "bpf_map__attach_struct_ops": (VOID_P, [VOID_P]),
    }
)
declare(
    {
        "bpf_program__attach_uprobe_multi": (VOID_P, [VOID_P, INT, CHAR_P, CHAR_P, VOID_P]),
        "bpf_program__attach_netfilter": (VOID_P, [VOID_P, VOID_P]),
    },
    since="1.3",
)
declare(
    {"bpf_program__attach_raw_tracepoint_opts": (VOID_P, [VOID_P, CHAR_P, VOID_P])}, since="1.4"
)


class _KprobeOptions(Options):
    """``struct bpf_kprobe_opts``, as of libbpf 1.0."""

    _fields_ = (
        ("sz", SIZE_T),
        ("bpf_cookie", U64),
        ("offset", SIZE_T),
        ("retprobe", ctypes.c_bool),
    )


class _KprobeMultiOptions(Options):
    """``struct bpf_kprobe_multi_opts``, as of libbpf 1.0; its last byte came with 1.5."""

    _fields_ = (
        ("sz", SIZE_T),
        ("syms", ctypes.POINTER(CHAR_P)),
        ("addrs", VOID_P),
        ("cookies", ctypes.POINTER(U64)),
        ("cnt", SIZE_T),
        ("retprobe", ctypes.c_bool),
        ("session", ctypes.c_bool),
    )


class _SyscallOptions(Options):
    """``struct bpf_ksyscall_opts``, as of libbpf 1.0."""

    _fields_ = (("sz", SIZE_T), ("bpf_cookie", U64), ("retprobe", ctypes.c_bool))


class _UprobeOptions(Options):
    """``struct bpf_uprobe_opts``, as of libbpf 1.0."""

    _fields_ = (
        ("sz", SIZE_T),
        ("ref_ctr_offset", SIZE_T),
        ("bpf_cookie", U64),
        ("retprobe", ctypes.c_bool),
        ("func_name", CHAR_P),
    )


class _UprobeMultiOptions(Options):
    """``struct bpf_uprobe_multi_opts``, as of libbpf 1.3; its last byte came with 1.6."""

    _fields_ = (
        ("sz", SIZE_T),
        ("syms", ctypes.POINTER(CHAR_P)),
        ("offsets", ctypes.POINTER(ctypes.c_ulong)),
        ("ref_ctr_offsets", VOID_P),
        ("cookies", ctypes.POINTER(U64)),
        ("cnt", SIZE_T),
        ("retprobe", ctypes.c_bool),
        ("session", ctypes.c_bool),
    )


class _CookieOptions(Options):
    """The options of tracepoints, raw tracepoints, tracing programs, USDT and perf events."""

    _fields_ = (("sz", SIZE_T), ("cookie", U64))


class _NetfilterOptions(Options):
    """``struct bpf_netfilter_opts``."""

    _fields_ = (
        ("sz", SIZE_T),
        ("pf", UINT),
        ("hooknum", UINT),
        ("priority", ctypes.c_int32),
        ("flags", UINT),
    )


class _IteratorOptions(Options):
    """``struct bpf_iter_attach_opts``."""

    _fields_ = (("sz", SIZE_T), ("link_info", VOID_P), ("link_info_len", UINT))


def attach(program: int) -> int:
    """Attach a program to what its ``SEC()`` names; returns the handle of the link."""
    return _link(library().bpf_program__attach, program)


def attach_kprobe(program: int, symbol: str, *, offset: int, retprobe: bool, cookie: int) -> int:
    """Attach a program to a kernel function; returns the handle of the link."""
    options = _KprobeOptions(offset=offset, retprobe=retprobe, bpf_cookie=cookie)
    function = library().bpf_program__attach_kprobe_opts
    return _link(function, program, text(symbol), ctypes.byref(options))


def attach_kprobe_multi(
    program: int,
    pattern: str | None,
    symbols: Sequence[str],
    *,
    cookies: Sequence[int] | None,
    retprobe: bool,
    session: bool,
) -> int:
    """Attach a program to all functions that fit *pattern*, or to those of *symbols*."""
    options = _KprobeMultiOptions(
        syms=_texts(symbols) if pattern is None else None,
        cookies=_numbers(U64, cookies),
        cnt=len(symbols),
        retprobe=retprobe,
        session=session,
    )
    wanted = None if pattern is None else text(pattern)
    function = library().bpf_program__attach_kprobe_multi_opts
    return _link(function, program, wanted, ctypes.byref(options))


def attach_ksyscall(program: int, name: str, *, retprobe: bool, cookie: int) -> int:
    """Attach a program to a system call."""
    options = _SyscallOptions(retprobe=retprobe, bpf_cookie=cookie)
    function = library().bpf_program__attach_ksyscall
    return _link(function, program, text(name), ctypes.byref(options))


def attach_uprobe(
    program: int,
    path: str,
    function: str | None,
    *,
    offset: int,
    pid: int,
    retprobe: bool,
    cookie: int,
) -> int:
    """Attach a program to a place in a file that is executed; *pid* is -1 for all processes."""
    options = _UprobeOptions(
        bpf_cookie=cookie,
        retprobe=retprobe,
        func_name=None if function is None else text(function),
    )
    pid, offset = fitting(pid, INT, "pid"), fitting(offset, SIZE_T, "offset")
    call = library().bpf_program__attach_uprobe_opts
    return _link(call, program, pid, text(path), offset, ctypes.byref(options))


def attach_uprobe_multi(
    program: int,
    path: str,
    pattern: str | None,
    *,
    functions: Sequence[str],
    offsets: Sequence[int],
    cookies: Sequence[int] | None,
    pid: int,
    retprobe: bool,
    session: bool,
) -> int:
    """Attach a program to many places in a file: by pattern, by functions, or by offsets."""
    options = _UprobeMultiOptions(
        syms=_texts(functions) if functions else None,
        offsets=_numbers(ctypes.c_ulong, offsets or None),
        cookies=_numbers(U64, cookies),
        cnt=len(functions) + len(offsets),
        retprobe=retprobe,
        session=session,
    )
    wanted = None if pattern is None else text(pattern)
    pid = fitting(pid, INT, "pid")
    call = newer("bpf_program__attach_uprobe_multi")
    return _link(call, program, pid, text(path), wanted, ctypes.byref(options))


def attach_usdt(program: int, path: str, provider: str, name: str, *, pid: int, cookie: int) -> int:
    """Attach a program to a static probe of a file that is executed."""
    options = _CookieOptions(cookie=cookie)
    pid = fitting(pid, INT, "pid")
    texts = (text(path), text(provider), text(name))
    return _link(library().bpf_program__attach_usdt, program, pid, *texts, ctypes.byref(options))


def attach_tracepoint(program: int, category: str, name: str, *, cookie: int) -> int:
    """Attach a program to a tracepoint; returns the handle of the link."""
    options = _CookieOptions(cookie=cookie)
    function = library().bpf_program__attach_tracepoint_opts
    return _link(function, program, text(category), text(name), ctypes.byref(options))


def attach_raw_tracepoint(program: int, name: str, *, cookie: int) -> int:
    """Attach a program to a tracepoint's own arguments."""
    if not cookie:
        return _link(library().bpf_program__attach_raw_tracepoint, program, text(name))
    options = _CookieOptions(cookie=cookie)
    function = newer("bpf_program__attach_raw_tracepoint_opts")
    return _link(function, program, text(name), ctypes.byref(options))


def attach_trace(program: int, *, cookie: int) -> int:
    """Attach a program to the function or tracepoint that it was loaded for."""
    options = _CookieOptions(cookie=cookie)
    return _link(library().bpf_program__attach_trace_opts, program, ctypes.byref(options))


def attach_lsm(program: int) -> int:
    """Attach a program to the security hook that it was loaded for."""
    return _link(library().bpf_program__attach_lsm, program)


def attach_freplace(program: int, target: int, function: str | None) -> int:
    """Put a program in the place of a function of another, whose descriptor is *target*."""
    name = None if function is None else text(function)
    return _link(library().bpf_program__attach_freplace, program, target, name)


def attach_iterator(program: int, link_info: bytes) -> int:
    """Attach an iterator; *link_info* is a ``union bpf_iter_link_info``, or empty."""
    buffer = ctypes.create_string_buffer(link_info, len(link_info)) if link_info else None
    address = None if buffer is None else ctypes.addressof(buffer)
    options = _IteratorOptions(link_info=address, link_info_len=len(link_info))
    return _link(library().bpf_program__attach_iter, program, ctypes.byref(options))


def attach_perf_event(program: int, event: int, *, cookie: int) -> int:
    """Attach a program to a perf event, whose descriptor is the link's from then on."""
    options = _CookieOptions(cookie=cookie)
    function = library().bpf_program__attach_perf_event_opts
    return _link(function, program, event, ctypes.byref(options))


def attach_netfilter(program: int, family: int, hook: int, priority: int, flags: int) -> int:
    """Attach a program to a hook of netfilter."""
    options = _NetfilterOptions(pf=family, hooknum=hook, priority=priority, flags=flags)
    return _link(newer("bpf_program__attach_netfilter"), program, ctypes.byref(options))


def attach_struct_ops(bpf_map: int) -> int:
    """Register what a struct_ops map implements."""
    return _link(library().bpf_map__attach_struct_ops, bpf_map)


def _link(function: Callable[..., int | None], *arguments: object) -> int:
    with captured_log() as log:
        return pointer(function(*arguments), log)


def _texts(texts: Sequence[str]) -> "ctypes.Array[ctypes.c_char_p]":
    return (CHAR_P * len(texts))(*map(text, texts))


def _numbers(
    kind: type[ctypes.c_uint64] | type[ctypes.c_ulong], numbers: Sequence[int] | None
) -> "ctypes.Array[ctypes.c_uint64] | ctypes.Array[ctypes.c_ulong] | None":
    if numbers is None:
        return None
    fit = [fitting(number, kind, "a cookie or offset") for number in numbers]
    return (kind * len(fit))(*fit)
