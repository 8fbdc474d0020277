"""Programs run on data of the test, without being attached."""

import errno
import importlib
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ebpfgen import runtime as rt

FRAME = bytes(12) + b"\x08\x00" + bytes(50)


@pytest.fixture(scope="module")
def runs(bindings: Path, bpf: None) -> ModuleType:
    return importlib.import_module("runs")


@pytest.fixture
def objs(runs: ModuleType) -> Iterator[Any]:
    with runs.load_runs_objects() as loaded:
        yield loaded


def test_a_packet_comes_back_as_the_program_left_it(objs: Any) -> None:
    result = objs.Grow.test_run(FRAME)
    assert result.return_value == 3
    assert result.data == bytes(100) + FRAME + bytes(200)
    assert result.ctx == b""
    assert result.duration > 0


def test_it_runs_as_often_as_asked(objs: Any) -> None:
    objs.Grow.test_run(FRAME)
    assert objs.Runs.value == 1
    objs.Add.test_run(ctx=bytes(16))
    assert objs.Runs.value == 2
    objs.Mark.test_run(FRAME, repeat=100)
    objs.Grow.test_run(memoryview(FRAME), repeat=5)
    assert objs.Runs.value == 7


def test_a_return_value_is_signed(objs: Any) -> None:
    assert objs.Mark.test_run(FRAME).return_value == -1


def test_a_context_is_read_and_written(objs: Any) -> None:
    given = struct.pack("=IIII", 0, 0, 7, 0) + bytes(176)
    result = objs.Mark.test_run(FRAME, ctx=given)
    assert struct.unpack_from("=I", result.ctx, 8)[0] == 7 + len(FRAME)
    assert len(result.ctx) == len(given)


def test_a_context_may_be_of_an_older_kernel_than_this(objs: Any) -> None:
    assert len(objs.Mark.test_run(FRAME, ctx=bytes(100)).ctx) == 100


def test_a_record_goes_in_and_comes_out(objs: Any, runs: ModuleType) -> None:
    result = objs.Add.test_run(ctx=runs.RunsSum(a=2**32 - 1, b=2, total=0))
    assert result == (-7, b"", runs.RunsSum(a=2**32 - 1, b=2, total=2**32 + 1), 0)


def test_a_raw_tracepoint_runs_on_the_cpu_it_is_told(objs: Any) -> None:
    last = max(os.sched_getaffinity(0))
    result = objs.Arguments.test_run(ctx=struct.pack("=QQ", 5, 6), cpu=last)
    assert result.return_value == 5 + 10 * last
    assert result.ctx == struct.pack("=QQ", 5, 6)


def test_a_flow_dissector_gives_its_keys(objs: Any) -> None:
    assert len(objs.Dissect.test_run(FRAME).data) == 56


@pytest.mark.parametrize("name", ["OnExecve", "Typed"])
def test_a_kind_that_only_runs_where_it_is_attached_says_so(objs: Any, name: str) -> None:
    with pytest.raises(rt.NotSupportedError, match=r"runs no BPF_PROG_TYPE_TRAC.* by itself"):
        getattr(objs, name).test_run()


@pytest.mark.parametrize(
    ("name", "arguments", "reason"),
    [
        ("Grow", {}, "program grow: this kind takes a packet of 14 bytes or more"),
        ("Mark", {"data": b"abc"}, "takes a packet of 14 bytes or more"),
        ("Mark", {"data": FRAME, "flags": 1 << 30}, "refuses these arguments: flags"),
        ("Add", {}, "takes a ctx of the size it reads, and neither data nor repeat"),
        ("Add", {"ctx": bytes(16), "repeat": 2}, "neither data nor repeat"),
        ("Arguments", {"ctx": bytes(16), "data": FRAME}, "as ctx, u64 each, and neither data"),
        ("Arguments", {"ctx": bytes(16), "cpu": 4095}, "there is no CPU 4095"),
    ],
)
def test_what_is_refused_says_what_it_takes(
    objs: Any, name: str, arguments: dict[str, Any], reason: str
) -> None:
    with pytest.raises(rt.BpfError, match=reason) as raised:
        getattr(objs, name).test_run(**arguments)
    assert raised.value.errno in (errno.EINVAL, errno.ENXIO)
    assert "\n" not in str(raised.value)


def test_a_program_that_is_not_loaded_can_not_run(objs: Any) -> None:
    with pytest.raises(rt.StateError, match="switched_off is not loaded"):
        objs.SwitchedOff.test_run(FRAME)
