"""Links outlive what they are pinned for, change their program, and say what they are."""

import errno
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ebpfgen import runtime as rt

from .conftest import Load, descriptors

FIRST, SECOND = 0, 1


def only_this(specs: Any) -> None:
    specs.OnlyPid.value = os.getpid()


@pytest.fixture
def objs(load: Load) -> Any:
    return load("selection", only_this)


def runs(objs: Any, place: int) -> bool:
    """Tell whether a program runs at system calls."""
    before = objs.Counts.value[place]
    os.getppid()
    return bool(objs.Counts.value[place] > before)


def test_a_pinned_link_stays_attached_until_it_is_unpinned(objs: Any, bpffs: Path) -> None:
    place = bpffs / "made/on/the/way"
    link = objs.First.attach()
    link.pin(place)
    assert link.pin_path == str(place)
    link.close()
    assert runs(objs, FIRST)
    with rt.open_pinned_link(place) as opened:
        assert opened.info.program_id > 0
        assert opened.pin_path == str(place)
        opened.unpin()
        assert not place.exists()
        assert runs(objs, FIRST), "the link is still open"
    assert not runs(objs, FIRST)


def test_a_pinned_link_outlives_its_process(bpf: None, program_bindings: Path, bpffs: Path) -> None:
    code = (
        "import sys, selection\n"
        "objs = selection.load_selection_objects()\n"
        "objs.First.attach().pin(sys.argv[1])\n"
        "objs.close()\n"
    )
    command = [sys.executable, "-c", code, str(bpffs / "kept")]
    subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": str(program_bindings)})
    with rt.open_pinned_link(bpffs / "kept") as link:
        info = link.info
        assert isinstance(info, rt.RawTracepointLinkInfo)
        assert info.name == "sys_enter"
        assert link.program == f"program {info.program_id}"


def test_where_nothing_can_be_pinned_says_why(objs: Any, bpffs: Path, tmp_path: Path) -> None:
    link = objs.First.attach()
    with pytest.raises(rt.BpfError, match="that is not in a BPF file system: pin to /sys/fs/bpf"):
        link.pin(tmp_path / "plain")
    link.pin(bpffs / "taken")
    with pytest.raises(rt.BpfError, match="something is pinned there: unlink it first") as raised:
        objs.Second.attach().pin(bpffs / "taken")
    assert raised.value.errno == errno.EEXIST
    with pytest.raises(rt.StateError, match="the link of second is not pinned"):
        objs.Second.attach().unpin()


def test_what_is_not_a_pinned_link_is_not_opened_as_one(objs: Any, bpffs: Path) -> None:
    before = descriptors()
    objs.First.pin(bpffs / "program")
    with pytest.raises(rt.BpfError, match="is a prog, and no link"):
        rt.open_pinned_link(bpffs / "program")
    objs.First.unpin(bpffs / "program")
    with pytest.raises(rt.BpfError, match="nothing is pinned there"):
        rt.open_pinned_link(bpffs / "program")
    assert descriptors() == before


def test_a_link_that_the_kernel_can_not_change_says_so(objs: Any) -> None:
    link = objs.First.attach()
    with pytest.raises(rt.BpfError, match="can't put second in the place of first on sys_enter"):
        link.update(objs.Second)
    with pytest.raises(rt.NotSupportedError, match="is detached by closing it"):
        link.detach()
    assert runs(objs, FIRST)


def test_a_closed_link_says_so(objs: Any) -> None:
    link = objs.First.attach()
    link.close()
    for use in (lambda: link.info, lambda: link.pin("/x"), link.detach, lambda: link.fd):
        with pytest.raises(rt.StateError, match="the link of first on sys_enter is closed"):
            use()


def test_links_leave_no_descriptor_behind(objs: Any, bpffs: Path) -> None:
    before = descriptors()
    for number in range(20):
        with objs.First.attach() as link:
            link.pin(bpffs / str(number))
            rt.open_pinned_link(bpffs / str(number)).close()
            assert link.info.id
            link.unpin()
    assert descriptors() == before
