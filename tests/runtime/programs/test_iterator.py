"""Iterators are files: of text or bytes, over all or over what is named."""

import os
import struct
import threading
from pathlib import Path
from typing import Any

import pytest

from ebpfgen import runtime as rt
from ebpfgen.runtime import kernel

from .conftest import Load, need

SINCE_6_1 = kernel.too_old("this limit of iterators", 6, 1)


def without_cgroups(specs: Any) -> None:
    specs.Groups.autoload = not SINCE_6_1


@pytest.fixture
def objs(load: Load) -> Any:
    return load("iterators", without_cgroups)


def test_every_task_is_in_what_it_reads(objs: Any) -> None:
    with objs.Tasks.attach() as tasks:
        lines = tasks.read().decode().splitlines()
        assert f"{os.getpid()} {os.getpid()}" in lines
        assert f"{os.getppid()} {os.getppid()}" in lines
        assert tasks.read_text().splitlines()[0] == lines[0], "each read goes over all anew"


def test_it_is_a_text_file_line_by_line(objs: Any) -> None:
    with objs.Tasks.attach() as tasks, tasks.open_text() as file:
        first = next(iter(file))
        assert first.endswith("\n")
        assert len(first.split()) == 2


def test_it_is_a_binary_file_read_in_pieces(objs: Any) -> None:
    for key in range(3):
        objs.Numbers[key] = key * 10
    with objs.Elements.attach(bpf_map=objs.Numbers) as elements, elements.open() as file:
        pairs = [struct.unpack("=II", file.read(8)) for _ in range(3)]
        assert file.read() == b""
    assert sorted(pairs) == [(0, 0), (1, 10), (2, 20)]


def test_the_elements_are_those_of_the_map_it_is_given(objs: Any) -> None:
    objs.Others[7] = 70
    with objs.Elements.attach(bpf_map=objs.Others) as elements:
        assert struct.unpack("=II", elements.read()) == (7, 70)
        info = elements.info
        assert isinstance(info, rt.IteratorLinkInfo)
        assert info.name == "bpf_map_elem"
        assert info.map_id > 0
    with objs.Elements.attach(bpf_map=objs.Others.fd) as elements:
        assert len(elements.read()) == 8


def test_an_iterator_over_a_map_needs_one(objs: Any) -> None:
    with pytest.raises(rt.AttachError, match="needs something to go over: pass bpf_map") as raised:
        objs.Elements.attach()
    assert "SEC" not in str(raised.value)
    assert "iter/bpf_map_elem" in str(raised.value)


def test_tasks_can_be_those_of_one_process(objs: Any) -> None:
    need(SINCE_6_1)
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    try:
        with objs.Tasks.attach(pid=os.getpid()) as tasks:
            lines = tasks.read_text().splitlines()
        with objs.Tasks.attach(tid=thread.native_id) as tasks:
            assert tasks.read_text() == f"{os.getpid()} {thread.native_id}\n"
    finally:
        stop.set()
        thread.join()
    assert {line.split()[0] for line in lines} == {str(os.getpid())}
    assert f"{os.getpid()} {thread.native_id}" in lines


def test_cgroups_are_gone_over_in_the_order_that_is_asked_for(objs: Any, cgroup: Path) -> None:
    need(SINCE_6_1)
    (cgroup / "below").mkdir()
    try:
        down = objs.Groups.attach(cgroup=cgroup).read_text().splitlines()
        after = objs.Groups.attach(cgroup=cgroup, order="descendants_post").read_text().splitlines()
        alone = objs.Groups.attach(cgroup=cgroup, order="self").read_text().splitlines()
        up = objs.Groups.attach(cgroup=cgroup / "below", order="ancestors").read_text().splitlines()
    finally:
        (cgroup / "below").rmdir()
    assert (down, after, alone) == (
        [cgroup.name, "below"],
        ["below", cgroup.name],
        [cgroup.name],
    )
    assert up[:2] == ["below", cgroup.name]


def test_what_is_no_cgroup_or_order_says_so(objs: Any, tmp_path: Path) -> None:
    with pytest.raises(rt.AttachError, match=r"to cgroup /nowhere: there is no such cgroup"):
        objs.Groups.attach(cgroup="/nowhere")
    with pytest.raises(rt.AttachError, match=r"EBADF|EINVAL"):
        objs.Groups.attach(cgroup=tmp_path)
    with pytest.raises(ValueError, match="descendants_post"):
        objs.Groups.attach(cgroup=tmp_path, order="sideways")


def test_a_closed_iterator_can_not_be_read(objs: Any) -> None:
    tasks = objs.Tasks.attach()
    tasks.close()
    with pytest.raises(rt.StateError, match="is closed"):
        tasks.read()
