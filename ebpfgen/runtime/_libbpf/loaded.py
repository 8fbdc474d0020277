"""Loaded programs by descriptor, whichever process loaded them, and what is pinned."""

import ctypes

from ebpfgen.runtime._libbpf.library import (
    INT,
    UINT,
    VOID_P,
    Struct,
    check,
    declare,
    library,
)

declare(
    {
        "bpf_obj_get_info_by_fd": (INT, [INT, VOID_P, VOID_P]),
        "bpf_enable_stats": (INT, [INT]),
        "bpf_prog_test_run_opts": (INT, [INT, VOID_P]),
    }
)

_RUN_TIME = 0  # BPF_STATS_RUN_TIME
_U64 = ctypes.c_uint64


class ProgramInfo(ctypes.Structure):
    """``struct bpf_prog_info`` of the kernel, as of Linux 5.18."""

    _fields_ = (
        ("type", UINT),
        ("id", UINT),
        ("tag", ctypes.c_uint8 * 8),
        ("jited_prog_len", UINT),
        ("xlated_prog_len", UINT),
        ("jited_prog_insns", _U64),
        ("xlated_prog_insns", _U64),
        ("load_time", _U64),
        ("created_by_uid", UINT),
        ("nr_map_ids", UINT),
        ("map_ids", _U64),
        ("name", ctypes.c_char * 16),
        ("ifindex", UINT),
        ("_gpl_compatible", UINT),
        ("netns_dev", _U64),
        ("netns_ino", _U64),
        ("nr_jited_ksyms", UINT),
        ("nr_jited_func_lens", UINT),
        ("jited_ksyms", _U64),
        ("jited_func_lens", _U64),
        ("btf_id", UINT),
        ("func_info_rec_size", UINT),
        ("func_info", _U64),
        ("nr_func_info", UINT),
        ("nr_line_info", UINT),
        ("line_info", _U64),
        ("jited_line_info", _U64),
        ("nr_jited_line_info", UINT),
        ("line_info_rec_size", UINT),
        ("jited_line_info_rec_size", UINT),
        ("nr_prog_tags", UINT),
        ("prog_tags", _U64),
        ("run_time_ns", _U64),
        ("run_cnt", _U64),
        ("recursion_misses", _U64),
        ("verified_insns", UINT),
        ("attach_btf_obj_id", UINT),
        ("attach_btf_id", UINT),
    )


class RunOptions(Struct):
    """``struct bpf_test_run_opts``, as of libbpf 1.0."""

    _fields_ = (
        ("sz", ctypes.c_size_t),
        ("data_in", VOID_P),
        ("data_out", VOID_P),
        ("data_size_in", UINT),
        ("data_size_out", UINT),
        ("ctx_in", VOID_P),
        ("ctx_out", VOID_P),
        ("ctx_size_in", UINT),
        ("ctx_size_out", UINT),
        ("retval", UINT),
        ("repeat", INT),
        ("duration", UINT),
        ("flags", UINT),
        ("cpu", UINT),
        ("batch_size", UINT),
    )


def program_info(fd: int) -> tuple[ProgramInfo, list[int]]:
    """Return what the kernel says of a program, and the ids of its maps."""
    counted = _program_info(fd, ProgramInfo())
    ids = (UINT * counted.nr_map_ids)()
    info = ProgramInfo(nr_map_ids=len(ids), map_ids=ctypes.addressof(ids))
    return _program_info(fd, info), list(ids)


def _program_info(fd: int, info: ProgramInfo) -> ProgramInfo:
    size = UINT(ctypes.sizeof(info))
    check(library().bpf_obj_get_info_by_fd(fd, ctypes.byref(info), ctypes.byref(size)))
    return info


def run_program(fd: int, options: RunOptions) -> None:
    """Run a program once or often; the answers are in *options*."""
    options.sz = ctypes.sizeof(options)
    check(library().bpf_prog_test_run_opts(fd, ctypes.byref(options)))


def enable_run_time_statistics() -> int:
    """Return a descriptor that has the kernel time every program until it is closed."""
    return check(library().bpf_enable_stats(_RUN_TIME))
