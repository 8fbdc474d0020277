"""Iterators are files: of text or bytes, over all or over what is named."""

import os
import struct
import threading
from pathlib import Path
from typing import Any

import pytest

from ebpfgen import runtime as rt
from ebpfgen.runtime import kernel

from .conftest import Load, need_kernel

SINCE_6_1 = kernel.too_old("this limit of iterators", 6, 1)


@pytest.fixture
def over_tasks(load: Load) -> Any:
    return load("iter_task")


@pytest.fixture
def over_elements(load: Load) -> Any:
    return load("iter_map_elem")


@pytest.fixture
def over_cgroups(load: Load) -> Any:
    need_kernel(SINCE_6_1)
    return load("iter_cgroup")


def test_every_task_is_in_what_it_reads(over_tasks: Any) -> None:
    with over_tasks.Tasks.attach() as tasks:
        lines = tasks.read().decode().splitlines()
        assert f"{os.getpid()} {os.getpid()}" in lines
        assert f"{os.getppid()} {os.getppid()}" in lines
        assert tasks.read_text().splitlines()[0] == lines[0], "each read goes over all anew"


def test_it_is_a_text_file_line_by_line(over_tasks: Any) -> None:
    with over_tasks.Tasks.attach() as tasks, tasks.open_text() as file:
        first = next(iter(file))
        assert first.endswith("\n")
        assert len(first.split()) == 2


def test_it_is_a_binary_file_read_in_pieces(over_elements: Any) -> None:
    for key in range(3):
        over_elements.Numbers[key] = key * 10
    with (
        over_elements.Elements.attach(bpf_map=over_elements.Numbers) as elements,
        elements.open() as file,
    ):
        pairs = [struct.unpack("=II", file.read(8)) for _ in range(3)]
        assert file.read() == b""
    assert sorted(pairs) == [(0, 0), (1, 10), (2, 20)]


def test_the_elements_are_those_of_the_map_it_is_given(over_elements: Any) -> None:
    over_elements.Others[7] = 70
    with over_elements.Elements.attach(bpf_map=over_elements.Others) as elements:
        assert struct.unpack("=II", elements.read()) == (7, 70)
        info = elements.info
        assert isinstance(info, rt.IteratorLinkInfo)
        assert info.name == "bpf_map_elem"
        assert info.map_id > 0
    with over_elements.Elements.attach(bpf_map=over_elements.Others.fd) as elements:
        assert len(elements.read()) == 8


def test_an_iterator_over_a_map_needs_one(over_elements: Any) -> None:
    with pytest.raises(rt.AttachError, match="needs something to go over: pass bpf_map") as raised:
        over_elements.Elements.attach()
    assert "SEC" not in str(raised.value)
    assert "iter/bpf_map_elem" in str(raised.value)


def test_tasks_can_be_those_of_one_process(over_tasks: Any) -> None:
    need_kernel(SINCE_6_1)
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    try:
        with over_tasks.Tasks.attach(pid=os.getpid()) as tasks:
            lines = tasks.read_text().splitlines()
        with over_tasks.Tasks.attach(tid=thread.native_id) as tasks:
            assert tasks.read_text() == f"{os.getpid()} {thread.native_id}\n"
    finally:
        stop.set()
        thread.join()
    assert {line.split()[0] for line in lines} == {str(os.getpid())}
    assert f"{os.getpid()} {thread.native_id}" in lines


def test_cgroups_are_gone_over_in_the_order_that_is_asked_for(
    over_cgroups: Any, cgroup: Path
) -> None:
    def names(start: Path, **order: str) -> list[str]:
        text: str = over_cgroups.Groups.attach(cgroup=start, **order).read_text()
        return text.splitlines()

    (cgroup / "below").mkdir()
    try:
        down = names(cgroup)
        after = names(cgroup, order="descendants_post")
        alone = names(cgroup, order="self")
        up = names(cgroup / "below", order="ancestors")
    finally:
        (cgroup / "below").rmdir()
    assert (down, after, alone) == (
        [cgroup.name, "below"],
        ["below", cgroup.name],
        [cgroup.name],
    )
    assert up[:2] == ["below", cgroup.name]


def test_what_is_no_cgroup_or_order_says_so(over_cgroups: Any, tmp_path: Path) -> None:
    with pytest.raises(rt.AttachError, match=r"to cgroup /nowhere: there is no such cgroup"):
        over_cgroups.Groups.attach(cgroup="/nowhere")
    with pytest.raises(rt.AttachError, match=r"EBADF|EINVAL"):
        over_cgroups.Groups.attach(cgroup=tmp_path)
    with pytest.raises(ValueError, match="descendants_post"):
        over_cgroups.Groups.attach(cgroup=tmp_path, order="sideways")


def test_a_closed_iterator_can_not_be_read(over_tasks: Any) -> None:
    tasks = over_tasks.Tasks.attach()
    tasks.close()
    with pytest.raises(rt.StateError, match="is closed"):
        tasks.read()
