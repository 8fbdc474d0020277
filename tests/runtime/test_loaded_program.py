"""What is known of a loaded program, and what keeps it loaded: for the process and beyond it."""

import errno
import importlib
import os
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ebpfgen import runtime as rt
from tests.runtime.conftest import need_kernel

BPF_FILESYSTEM = Path("/sys/fs/bpf")
FRAME = bytes(64)
XDP = 6


@pytest.fixture(scope="module")
def runs(bindings: Path, bpf: None) -> ModuleType:
    return importlib.import_module("run_xdp")


@pytest.fixture
def objs(runs: ModuleType) -> Iterator[Any]:
    with runs.load_run_xdp_objects() as loaded:
        yield loaded


@pytest.fixture
def place(bpf: None) -> Iterator[Path]:
    """Give a path on a BPF filesystem with nothing there."""
    if not os.path.ismount(BPF_FILESYSTEM):
        mount = ["mount", "-t", "bpf", "bpf", str(BPF_FILESYSTEM)]
        done = subprocess.run(mount, capture_output=True, text=True, check=False)
        need_kernel(done.stderr.strip())
    path = BPF_FILESYSTEM / f"ebpfgen-test-{uuid.uuid4().hex}"
    yield path
    path.unlink(missing_ok=True)


def test_info_is_what_the_kernel_has(objs: Any) -> None:
    info = objs.Grow.info
    assert (info.type, info.name, info.created_by_uid) == (XDP, "grow", 0)
    assert info.id > 0
    assert len(bytes.fromhex(info.tag)) == 8
    assert info.xlated_size % 8 == 0
    assert info.xlated_size > 0
    assert info.verified_insns > 0
    assert info.btf_id > 0
    now = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    assert now - 600 * 10**9 < info.load_time <= now
    assert objs.Grow.info.id == info.id


def test_info_names_the_maps_a_program_uses(objs: Any) -> None:
    bss = objs.Grow.info.map_ids
    assert len(bss) == 1
    assert objs.Count.info.map_ids == bss
    assert objs.Pass.info.map_ids == ()


def test_runs_are_counted_while_statistics_are_on(objs: Any) -> None:
    with rt.enable_stats():
        before = objs.Pass.info
        objs.Pass.test_run(FRAME, repeat=50)
        after = objs.Pass.info
    assert after.run_count == before.run_count + 50
    assert after.run_time_ns > before.run_time_ns


def test_statistics_end_with_the_block(objs: Any) -> None:
    if Path("/proc/sys/kernel/bpf_stats_enabled").read_text() != "0\n":
        need_kernel("kernel.bpf_stats_enabled is on for the whole machine")
    before = {*Path("/proc/self/fd").iterdir()}
    with pytest.raises(ZeroDivisionError), rt.enable_stats():
        _ = 1 / 0
    assert {*Path("/proc/self/fd").iterdir()} == before


def test_statistics_take_a_capability(bpf: None) -> None:
    code = "from ebpfgen import runtime as rt\nwith rt.enable_stats(): pass"
    drop = ("setpriv", "--bounding-set=-sys_admin", "--inh-caps=-all", "--ambient-caps=-all")
    assert shutil.which("setpriv"), "setpriv belongs to util-linux, which every Debian has"
    done = subprocess.run(
        [*drop, sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert "can't enable run-time statistics: this process lacks CAP_SYS_ADMIN" in done.stderr


def test_a_pinned_program_outlives_its_collection(runs: ModuleType, place: Path) -> None:
    with runs.load_run_xdp_objects() as objs:
        objs.Grow.pin(place)
        number = objs.Grow.info.id
    with rt.open_pinned_program(place) as program:
        assert program.name == "grow"
        assert program.info.id == number
        assert program.test_run(FRAME).return_value == 3
    assert place.exists()


def test_unpinning_removes_the_name(objs: Any, place: Path) -> None:
    objs.Grow.pin(place)
    objs.Grow.unpin(place)
    assert not place.exists()
    with pytest.raises(rt.BpfError, match=f"can't unpin program grow from {place}: No such file"):
        objs.Grow.unpin(place)


def test_what_is_wrong_with_a_path_is_said(objs: Any, place: Path, tmp_path: Path) -> None:
    objs.Grow.pin(place)
    with pytest.raises(rt.BpfError, match="there is something of that name"):
        objs.Pass.pin(place)
    with pytest.raises(rt.BpfError, match="there is no folder /sys/fs/bpf/not/there"):
        objs.Pass.pin("/sys/fs/bpf/not/there/pass")
    with pytest.raises(rt.BpfError, match="not on a BPF filesystem; one is at /sys/fs/bpf"):
        objs.Pass.pin(tmp_path / "pass")
    with pytest.raises(rt.BpfError, match="there is nothing of that name") as raised:
        rt.open_pinned_program(f"{place}-other")
    assert raised.value.errno == errno.ENOENT


def test_what_is_pinned_must_be_a_program(sample: ModuleType, place: Path) -> None:
    with sample.load_sample_objects() as objs:
        objs.Counts.pin(place)
    before = {*Path("/proc/self/fd").iterdir()}
    with pytest.raises(rt.BpfError, match="is no program but a pinned map"):
        rt.open_pinned_program(place)
    assert {*Path("/proc/self/fd").iterdir()} == before


def test_a_pinned_program_that_is_closed_says_so(objs: Any, place: Path) -> None:
    objs.Grow.pin(place)
    program = rt.open_pinned_program(place)
    program.close()
    program.close()
    assert program.closed
    uses = (
        lambda: program.fd,
        lambda: program.info,
        lambda: program.test_run(FRAME),
        lambda: program.pin(f"{place}-2"),
        lambda: program.unpin(place),
        program.__enter__,
    )
    for use in uses:
        with pytest.raises(rt.StateError, match=r"program grow, of .* is closed"):
            use()


def test_the_verifiers_log_is_kept_if_asked_for(runs: ModuleType) -> None:
    with runs.load_run_xdp_objects(log_level=2) as objs:
        assert "call bpf_xdp_adjust_tail" in objs.Grow.verifier_log
        assert "call bpf_xdp_adjust_tail" not in objs.Pass.verifier_log
        assert "bpf_xdp_adjust_tail(ctx, 200)" in objs.Grow.verifier_log
        assert objs.SwitchedOff.verifier_log == ""
    with runs.load_run_xdp_objects(log_level=1) as objs:
        assert objs.Grow.verifier_log.startswith("processed ")
    with runs.load_run_xdp_objects() as objs:
        assert objs.Grow.verifier_log == ""
