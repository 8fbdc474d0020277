"""Tracepoints run programs with their records, their arguments, and their typed arguments."""

import ctypes
import errno
import os
from typing import Any

import pytest

from ebpfgen import runtime as rt
from ebpfgen.runtime import kernel
from ebpfgen.runtime._libbpf.library import library

from .conftest import Load, need_kernel, need_libbpf

TRACEPOINT, RAW, TYPED = 3, 4, 5
CALLS = 4


def call_getppid() -> None:
    for _ in range(CALLS):
        os.getppid()


def only_this(specs: Any) -> None:
    specs.OnlyPid.value = os.getpid()


@pytest.mark.usefixtures("tracefs")
def test_a_tracepoint_runs_its_program_with_the_cookie(load: Load) -> None:
    objs = load("tracepoint", only_this)
    with objs.OnGetppid.attach(cookie=9):
        call_getppid()
    call_getppid()
    assert objs.Counts.value[TRACEPOINT] == CALLS
    assert objs.Cookies.value[TRACEPOINT] == 9


@pytest.mark.parametrize(
    ("source", "program", "place"),
    [("raw_tracepoint", "OnAnyCall", RAW), ("tp_btf", "OnAnyCallTyped", TYPED)],
    ids=["raw", "typed"],
)
def test_a_raw_tracepoint_runs_its_program(
    load: Load, source: str, program: str, place: int
) -> None:
    objs = load(source, only_this)
    with getattr(objs, program).attach() as link:
        call_getppid()
        assert link.target == "sys_enter"
    counted = objs.Counts.value[place]
    assert counted >= CALLS
    call_getppid()
    assert objs.Counts.value[place] == counted, "ran after its link was closed"


class RunOptions(ctypes.Structure):
    """The beginning of libbpf's ``struct bpf_test_run_opts``."""

    _fields_ = (
        ("sz", ctypes.c_size_t),
        ("data_in", ctypes.c_char_p),
        ("data_out", ctypes.c_void_p),
        ("data_size_in", ctypes.c_uint32),
        ("data_size_out", ctypes.c_uint32),
    )


def test_a_writable_tracepoint_is_written_to(load: Load) -> None:
    objs, run_by_test = load("raw_tracepoint_writable"), load("xdp")
    options = RunOptions(ctypes.sizeof(RunOptions), b"x" * 64, None, 64, 0)

    def run() -> int:
        """Run a program once, which is where the kernel has such a tracepoint."""
        call = library().bpf_prog_test_run_opts
        return int(call(run_by_test.DropFirst.fd, ctypes.byref(options)))

    assert run() == 0
    with objs.ChangeResult.attach() as link:
        assert link.target == "bpf_test_finish"
        assert run() == -77
    assert run() == 0


def test_a_tracepoint_that_is_not_writable_is_refused(load: Load) -> None:
    objs = load("raw_tracepoint_writable")
    with pytest.raises(rt.AttachError, match=r"reads or writes more than this .*\(EINVAL\)"):
        objs.ChangeResult.attach("sys_enter")


def test_a_missing_raw_tracepoint_names_those_that_are_close(load: Load, tracefs: None) -> None:
    objs = load("raw_tracepoint")
    with pytest.raises(rt.AttachError, match=r"no such tracepoint; close: .*sys_enter") as raised:
        objs.OnAnyCall.attach("sys_enters")
    assert raised.value.errno == errno.ENOENT


def test_the_kernel_tells_what_a_raw_tracepoint_is_called(load: Load) -> None:
    objs = load("raw_tracepoint")
    with objs.OnAnyCall.attach() as link:
        info = link.info
        assert isinstance(info, rt.RawTracepointLinkInfo)
        assert info.name == "sys_enter"
        assert info.id > 0
        assert info.program_id > 0


def test_the_kernel_tells_what_a_typed_tracepoint_is_called(load: Load) -> None:
    objs = load("tp_btf")
    with objs.OnAnyCallTyped.attach() as link:
        info = link.info
        assert isinstance(info, rt.RawTracepointLinkInfo), "typed or not, it is one to the kernel"
        assert info.name == "sys_enter"


@pytest.mark.parametrize(
    ("source", "program"), [("raw_tracepoint", "OnAnyCall"), ("tp_btf", "OnAnyCallTyped")]
)
def test_a_raw_tracepoint_has_a_cookie(load: Load, source: str, program: str) -> None:
    need_libbpf("1.4", "a cookie of raw tracepoints")
    need_kernel(kernel.too_old("a cookie of raw tracepoints", 6, 10))
    getattr(load(source), program).attach(cookie=6).close()
