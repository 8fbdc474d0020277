"""Several buffers are waited for together."""

import errno
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest

from ebpfgen import runtime as rt

from .running import Producer

Background = Callable[..., Future[Any]]


@pytest.fixture
def poll(objs: Any) -> rt.EventPoll[Any]:
    return rt.EventPoll(objs.Numbers, objs.Events, objs.Samples.open())


def test_records_come_with_their_buffer(
    objs: Any, produce: Producer, poll: rt.EventPoll[Any]
) -> None:
    assert poll.poll(0) == []
    produce.events(2)
    produce.samples(1, first=9)
    (events, two), (samples, one) = poll.poll()
    assert (events, samples) == (objs.Events, objs.Samples)
    assert [record.number for record in [*two, *one]] == [0, 1, 9]
    produce.numbers(1, first=7)
    assert poll.poll(60) == [(objs.Numbers, [7])]
    assert poll.poll(0.01) == []


@pytest.mark.parametrize("which", ["events", "numbers", "samples"])
def test_any_of_them_ends_the_wait(
    produce: Producer, poll: rt.EventPoll[Any], background: Background, which: str
) -> None:
    waiting = background(poll.poll, 60)
    getattr(produce, which)(1)
    ((buffer, records),) = waiting.result(60)
    assert buffer.name == which
    assert len(records) == 1


def test_a_record_that_is_too_short_loses_no_other(
    objs: Any, produce: Producer, poll: rt.EventPoll[Any]
) -> None:
    produce.sized(8)
    produce.numbers(2)
    produce.samples(1)
    with pytest.raises(rt.MapError, match="events has 8 bytes"):
        poll.poll(0)
    assert [(buffer.name, len(found)) for buffer, found in poll.poll(0)] == [
        ("numbers", 2),
        ("samples", 1),
    ]


def test_an_iteration_gives_each_record_and_ends_when_all_are_closed(
    objs: Any, produce: Producer, poll: rt.EventPoll[Any], background: Background
) -> None:
    seen: list[str] = []

    def iterate() -> None:
        for buffer, _ in poll:
            seen.append(buffer.name)

    done = background(iterate)
    produce.events(2)
    produce.numbers(1)
    while len(seen) < 3:
        assert not done.done()
    objs.Numbers.close()
    produce.samples(1)
    while len(seen) < 4:
        assert not done.done()
    objs.close()
    done.result(60)
    assert sorted(seen) == ["events", "events", "numbers", "samples"]
    with pytest.raises(rt.StateError, match="all of them are closed") as raised:
        poll.poll()
    assert raised.value.errno == errno.EBADF


def test_what_an_iteration_leaves_comes_next(
    objs: Any, produce: Producer, poll: rt.EventPoll[Any]
) -> None:
    produce.events(5)
    for _, record in poll:
        if record.number == 2:
            break
    assert [record.number for record in objs.Events.read()] == [3, 4]


def test_a_fast_buffer_leaves_the_others_their_turn(
    objs: Any, produce: Producer, poll: rt.EventPoll[Any]
) -> None:
    produce.numbers(1)
    for count, (buffer, _) in enumerate(poll):
        if buffer is objs.Events:
            break
        assert count < 1000
        produce.numbers(1)
        if count == 10:
            produce.events(1)


def test_a_wait_for_buffers_that_are_closed_ends(objs: Any, poll: rt.EventPoll[Any]) -> None:
    objs.close()
    waiting = threading.Thread(target=poll._pause, args=(False, None), daemon=True)
    waiting.start()
    waiting.join(30)
    assert not waiting.is_alive()


def test_closing_ends_a_poll(objs: Any, poll: rt.EventPoll[Any]) -> None:
    threading.Timer(0.05, objs.close).start()
    assert poll.poll() == []
