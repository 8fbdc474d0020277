"""Buffers are made once, closed with what opened them, and not freed while they are opened."""

import contextlib
import signal
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ebpfgen import runtime as rt

ROUNDS = 40


def open_maps() -> int:
    links = Path("/proc/self/fd").iterdir()
    return sum(link.is_symlink() and "bpf-map" in str(link.readlink()) for link in links)


def test_threads_that_use_a_ring_for_the_first_time_get_one(bpf: None, buffers: ModuleType) -> None:
    for _ in range(ROUNDS):
        with buffers.load_buffers_objects() as objs:
            started, found = threading.Barrier(3), set[int]()

            def use(objs: Any = objs, started: Any = started, found: Any = found) -> None:
                started.wait()
                found.add(id(objs.Events))

            threads = [threading.Thread(target=use) for _ in range(3)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert len(found) == 1


def test_a_perf_buffer_that_another_thread_closes_while_it_opens(
    bpf: None, buffers: ModuleType
) -> None:
    for turn in range(ROUNDS):
        objs = buffers.load_buffers_objects()
        samples = objs.Samples
        closer = threading.Timer(turn * 1e-4, objs.close)
        closer.start()
        with contextlib.suppress(rt.StateError):
            samples.open(pages=16)
        closer.join()
        assert samples.closed


def test_a_perf_buffer_that_is_closed_while_it_opens_is_released_then(
    objs: Any, monkeypatch: Any
) -> None:
    from ebpfgen.runtime._libbpf import events as _events

    memory = _events.memory

    def closing(handle: int, index: int) -> memoryview:
        objs.close()
        time.sleep(0)
        return memory(handle, index)

    monkeypatch.setattr(_events, "memory", closing)
    try:
        objs.Samples.open()
    except rt.StateError:
        assert objs.closed
    else:
        raise AssertionError("opened, though it is closed")


def test_a_buffer_that_was_opened_by_its_id_is_closed_with_its_block(
    objs: Any, buffers: ModuleType
) -> None:
    members = buffers.BuffersMaps
    opened = ((members.Events, objs.Events), (members.Samples, objs.Samples))
    before = open_maps()
    for member, of_object in opened:
        with member.open_id(of_object.info.id) as again:
            assert not again.closed
        assert again.closed
        assert open_maps() == before


def test_a_timeout_may_be_longer_than_poll_takes(objs: Any) -> None:
    poll = rt.EventPoll(objs.Events, objs.Numbers)
    for timeout in (float("inf"), 1e300, 2_147_484.0):
        with pytest.raises(InterruptedError):
            interrupted(partial(poll.poll, timeout))


def interrupted(use: Callable[[], object]) -> None:
    """Use something until a signal handler raises."""

    def interrupt(number: int, frame: object) -> None:
        raise InterruptedError

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        use()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
