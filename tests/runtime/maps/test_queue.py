"""Queues, stacks and bloom filters."""

import errno
from types import ModuleType
from typing import Any

import pytest

from ebpfgen import runtime as rt

from .conftest import Load


def test_a_queue_gives_the_first_first(objs: Any) -> None:
    for value in (1, 2, 3):
        objs.Line.push(value)
    assert objs.Line.peek() == 1
    assert [objs.Line.pop() for _ in range(3)] == [1, 2, 3]


def test_a_stack_gives_the_last_first(tables: ModuleType, objs: Any) -> None:
    places = [tables.TablesPlace(x=x, y=1) for x in (300, 2, 3)]
    for place in places:
        objs.Pile.push(place)
    assert objs.Pile.peek() == places[2]
    assert objs.Pile.drain() == places[::-1]
    assert objs.Pile.drain() == []


def test_draining_ends_though_others_push(objs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    take = objs.Line._take

    def take_and_push(key: bytes | None) -> int:
        value: int = take(key)
        objs.Line.push(value + 1)
        return value

    objs.Line.push(1)
    monkeypatch.setattr(objs.Line, "_take", take_and_push)
    assert objs.Line.drain() == [1, 2, 3]


def test_nothing_to_take_is_an_index_error(objs: Any) -> None:
    with pytest.raises(IndexError, match="line is empty"):
        objs.Line.pop()
    with pytest.raises(IndexError, match="pile is empty"):
        objs.Pile.peek()


def test_a_full_queue_says_so_or_drops_the_oldest(objs: Any) -> None:
    for value in (1, 2, 3):
        objs.Line.push(value)
    with pytest.raises(
        rt.MapError, match=r"push to map line: the map is full \(3 entries\)"
    ) as full:
        objs.Line.push(4)
    assert full.value.errno == errno.E2BIG
    objs.Line.push(4, flags=rt.BPF_EXIST)
    assert objs.Line.drain() == [2, 3, 4]


def test_flags_that_a_queue_does_not_take_are_refused(objs: Any) -> None:
    with pytest.raises(rt.MapError, match="QUEUE maps do not take"):
        objs.Line.push(1, flags=rt.BPF_NOEXIST)


def test_a_bloom_filter_knows_what_was_added(load: Load) -> None:
    objs = load("bloom_filter")
    added = range(0, 200, 2)
    for value in added:
        objs.Seen.add(value)
    assert all(value in objs.Seen for value in added)
    # One in some hundred of the others may seem to be there.
    assert sum(value in objs.Seen for value in range(1, 200, 2)) < 50
    with pytest.raises(ValueError, match="u64"):
        objs.Seen.add(-1)
    with pytest.raises(ValueError, match="u64"):
        _ = -1 in objs.Seen


def test_asking_a_closed_bloom_filter_is_an_error(load: Load, objs: Any) -> None:
    filters = load("bloom_filter")
    seen, line = filters.Seen, objs.Line
    filters.close()
    objs.close()
    for use in (lambda: 1 in seen, lambda: seen.add(1), lambda: line.push(1), line.pop, line.drain):
        with pytest.raises(rt.StateError):
            use()
