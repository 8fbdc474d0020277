"""Programs run on data of the test, without being attached."""

import errno
import importlib
import os
import struct
from typing import Any

import pytest

from ebpfgen import runtime as rt

from .conftest import Load

FRAME = bytes(12) + b"\x08\x00" + bytes(50)


def test_a_packet_comes_back_as_the_program_left_it(load: Load) -> None:
    objs = load("run_xdp")
    result = objs.Grow.test_run(FRAME)
    assert result.return_value == 3
    assert result.data == bytes(100) + FRAME + bytes(200)
    assert result.ctx == b""
    assert result.duration > 0


def test_it_runs_as_often_as_asked(load: Load) -> None:
    objs = load("run_xdp")
    objs.Grow.test_run(FRAME)
    assert objs.Runs.value == 1
    objs.Grow.test_run(memoryview(FRAME), repeat=5)
    assert objs.Runs.value == 6


def test_a_kind_that_is_not_repeated_runs_once(load: Load) -> None:
    objs = load("run_syscall")
    objs.Add.test_run(ctx=bytes(16))
    assert objs.Runs.value == 1


def test_a_program_at_traffic_control_runs_as_often_as_asked(load: Load) -> None:
    objs = load("run_tc")
    objs.Mark.test_run(FRAME, repeat=100)
    assert objs.Runs.value == 100


def test_a_return_value_is_signed(load: Load) -> None:
    objs = load("run_tc")
    assert objs.Mark.test_run(FRAME).return_value == -1


def test_a_context_is_read_and_written(load: Load) -> None:
    objs = load("run_tc")
    given = struct.pack("=IIII", 0, 0, 7, 0) + bytes(176)
    result = objs.Mark.test_run(FRAME, ctx=given)
    assert struct.unpack_from("=I", result.ctx, 8)[0] == 7 + len(FRAME)
    assert len(result.ctx) == len(given)


def test_a_context_may_be_of_an_older_kernel_than_this(load: Load) -> None:
    objs = load("run_tc")
    assert len(objs.Mark.test_run(FRAME, ctx=bytes(100)).ctx) == 100


def test_a_record_goes_in_and_comes_out(load: Load) -> None:
    objs, types = load("run_syscall"), importlib.import_module("run_syscall")
    result = objs.Add.test_run(ctx=types.RunSyscallSum(a=2**32 - 1, b=2, total=0))
    assert result == (-7, b"", types.RunSyscallSum(a=2**32 - 1, b=2, total=2**32 + 1), 0)


def test_a_raw_tracepoint_runs_on_the_cpu_it_is_told(load: Load) -> None:
    objs = load("run_raw_tp")
    last = max(os.sched_getaffinity(0))
    result = objs.Arguments.test_run(ctx=struct.pack("=QQ", 5, 6), cpu=last)
    assert result.return_value == 5 + 10 * last
    assert result.ctx == struct.pack("=QQ", 5, 6)


def test_a_flow_dissector_gives_its_keys(load: Load) -> None:
    objs = load("run_flow_dissector")
    assert len(objs.Dissect.test_run(FRAME).data) == 56


@pytest.mark.parametrize(("source", "name"), [("unrun_tp", "OnExecve"), ("unrun_tp_btf", "Typed")])
def test_a_kind_that_only_runs_where_it_is_attached_says_so(
    load: Load, source: str, name: str
) -> None:
    objs = load(source)
    with pytest.raises(rt.NotSupportedError, match=r"runs no BPF_PROG_TYPE_TRAC.* by itself"):
        getattr(objs, name).test_run()


@pytest.mark.parametrize(
    ("source", "name", "arguments", "reason"),
    [
        ("xdp", "Grow", {}, "program grow: this kind takes a packet of 14 bytes or more"),
        ("tc", "Mark", {"data": b"abc"}, "takes a packet of 14 bytes or more"),
        ("tc", "Mark", {"data": FRAME, "flags": 1 << 30}, "refuses these arguments: flags"),
        ("syscall", "Add", {}, "takes a ctx of the size it reads, and neither data nor repeat"),
        ("syscall", "Add", {"ctx": bytes(16), "repeat": 2}, "neither data nor repeat"),
        ("raw_tp", "Arguments", {"ctx": bytes(16), "data": FRAME}, "u64 each, and neither data"),
        ("raw_tp", "Arguments", {"ctx": bytes(16), "cpu": 4095}, "there is no CPU 4095"),
    ],
)
def test_what_is_refused_says_what_it_takes(
    load: Load, source: str, name: str, arguments: dict[str, Any], reason: str
) -> None:
    program = getattr(load(f"run_{source}"), name)
    with pytest.raises(rt.BpfError, match=reason) as raised:
        program.test_run(**arguments)
    assert raised.value.errno in (errno.EINVAL, errno.ENXIO)
    assert "\n" not in str(raised.value)


def test_a_program_that_is_not_loaded_can_not_run(load: Load) -> None:
    objs = load("run_xdp")
    with pytest.raises(rt.StateError, match="switched_off is not loaded"):
        objs.SwitchedOff.test_run(FRAME)
