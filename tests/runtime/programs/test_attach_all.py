"""attach() of a collection attaches what says to what, all of it or nothing."""

import os
from typing import Any

import pytest

from ebpfgen import runtime as rt

from .conftest import Load


def only_this(specs: Any) -> None:
    specs.OnlyPid.value = os.getpid()


def counted(objs: Any) -> tuple[bool, ...]:
    """Tell which of the programs run at system calls."""
    before = objs.Counts.value
    os.getppid()
    return tuple(a < b for a, b in zip(before, objs.Counts.value, strict=True))


def test_those_that_say_to_what_are_attached(load: Load) -> None:
    objs = load("selection", only_this)
    with objs.attach() as links:
        assert [link.program for link in links] == ["first", "second"]
        assert links[0].target == "sys_enter"
        assert links[:1] == (links[0],)
        assert counted(objs) == (True, True, False, False)
        assert not links.closed
    assert links.closed
    assert counted(objs) == (False, False, False, False)


def test_one_that_is_attached_already_is_left_as_it_is(load: Load) -> None:
    objs = load("selection", only_this)
    objs.First.attach("sys_exit")
    with objs.attach() as links:
        assert [link.program for link in links] == ["second"]
    assert counted(objs)[0]


def test_those_that_are_switched_off_are_left_out(load: Load) -> None:
    def switch_off(specs: Any) -> None:
        only_this(specs)
        assert specs.First.autoattach
        specs.First.autoattach = False
        specs.OnInterface.autoload = False

    objs = load("selection", switch_off)
    assert [link.program for link in objs.attach()] == ["second"]
    objs.First.attach()
    assert counted(objs)[:2] == (True, True)


def test_one_that_fails_leaves_none_attached(load: Load) -> None:
    def with_a_wrong_one(specs: Any) -> None:
        only_this(specs)
        specs.Third.autoload = True

    objs = load("selection", with_a_wrong_one)
    with pytest.raises(rt.AttachError, match="can't attach third to raw tracepoint no_such"):
        objs.attach()
    assert counted(objs) == (False, False, False, False)


def test_all_are_detached_with_their_objects(load: Load) -> None:
    objs = load("selection", only_this)
    links = objs.attach()
    objs.close()
    assert links.closed
    with pytest.raises(rt.StateError, match="selection is closed"):
        objs.attach()


def test_nothing_to_attach_is_fine(load: Load) -> None:
    objs = load("xdp")
    with objs.attach() as links:
        assert len(links) == 0
        assert links.closed
