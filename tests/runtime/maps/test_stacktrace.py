"""Stacks that programs took."""

import os
from pathlib import Path
from typing import Any

import pytest

from ebpfgen import runtime as rt


@pytest.fixture
def taken(held: Any) -> int:
    """Take a stack of this process, and give its id."""
    held.Watched.value = os.getpid()
    with held.TakeStack.attach():
        os.getppid()
        stack_id: int = held.StackId.value
    assert stack_id < 64
    return stack_id


def test_a_stack_is_a_list_of_addresses(held: Any, taken: int) -> None:
    stack = held.Stacks[taken]
    assert 0 < len(stack) <= 20
    assert all(0 < address < 2**48 for address in stack)
    assert is_code(stack[0])
    assert taken in held.Stacks
    assert held.Stacks.read()[taken] == stack
    assert taken in list(held.Stacks)


def test_stacks_make_room_when_they_are_deleted(held: Any, taken: int) -> None:
    assert held.Stacks.pop(taken)
    assert taken not in held.Stacks
    with pytest.raises(KeyError):
        held.Stacks[taken]
    held.Stacks.clear()
    assert not held.Stacks
    assert held.Stacks.drain() == []


def test_stacks_of_build_ids_say_what_they_are(held: Any, taken: int) -> None:
    (found, *_) = (key for key in range(64) if key in held.BuildIds)
    with pytest.raises(rt.NotSupportedError, match="build_ids has build ids"):
        held.BuildIds[found]


def is_code(address: int) -> bool:
    """Whether an executable part of this process is there."""
    for line in Path("/proc/self/maps").read_text().splitlines():
        span, permissions, *_ = line.split()
        first, last = (int(end, 16) for end in span.split("-"))
        if first <= address < last:
            return "x" in permissions
    return False
