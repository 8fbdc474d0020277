"""Stacks that programs took."""

import os
import threading
from pathlib import Path
from typing import Any

import pytest

from ebpfgen import runtime as rt

from .conftest import Load


@pytest.fixture
def objs(load: Load) -> Any:
    return load("stack_trace")


@pytest.fixture
def taken(objs: Any) -> int:
    """Take a stack of this thread, and give its id."""
    with objs.TakeStack.attach():
        # Of one system call: there is no room for two stacks that have one hash.
        objs.Watched.value = threading.get_native_id()
        os.getppid()
        objs.Watched.value = 0
    stack_id: int = objs.StackId.value
    assert stack_id < 64
    return stack_id


def test_a_stack_is_a_list_of_addresses(objs: Any, taken: int) -> None:
    stack = objs.Stacks[taken]
    assert 0 < len(stack) <= 20
    assert all(0 < address < 2**48 for address in stack)
    assert is_code(stack[0])
    assert taken in objs.Stacks
    assert objs.Stacks.read()[taken] == stack
    assert taken in list(objs.Stacks)


def test_stacks_make_room_when_they_are_deleted(objs: Any, taken: int) -> None:
    assert objs.Stacks.pop(taken)
    assert taken not in objs.Stacks
    with pytest.raises(KeyError):
        objs.Stacks[taken]
    objs.Stacks.clear()
    assert not objs.Stacks
    assert objs.Stacks.drain() == []


def test_stacks_of_build_ids_say_what_they_are(objs: Any, taken: int) -> None:
    (found, *_) = (key for key in range(64) if key in objs.BuildIds)
    with pytest.raises(rt.NotSupportedError, match="build_ids has build ids"):
        objs.BuildIds[found]


def is_code(address: int) -> bool:
    """Whether an executable part of this process is there."""
    for line in Path("/proc/self/maps").read_text().splitlines():
        span, permissions, *_ = line.split()
        first, last = (int(end, 16) for end in span.split("-"))
        if first <= address < last:
            return "x" in permissions
    return False
