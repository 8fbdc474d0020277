"""Ring buffers deliver each record once, in order, whatever its size and whoever reads."""

import os
import select
import signal
import struct
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ebpfgen import runtime as rt
from ebpfgen.runtime.events import NAP

from .running import Producer

# A record of 24 bytes and its header, in a ring of 4096; the kernel never fills its last byte.
STEP = 32
CAPACITY = 4096 // STEP - 1

Background = Callable[..., Future[Any]]


def mapped() -> int:
    """How many maps this process has in its memory."""
    return Path("/proc/self/maps").read_text().count("bpf-map")


def numbers(records: list[Any]) -> list[int]:
    return [record.number for record in records]


def test_records_have_the_type_of_the_map(
    objs: Any, buffers: ModuleType, produce: Producer
) -> None:
    assert isinstance(objs.Events, rt.RingBuffer)
    assert objs.Events.read() == []
    produce.events(2, first=8)
    assert objs.Events.read() == [
        buffers.BuffersEvent(number=8, kind=1, name=b"number"),
        buffers.BuffersEvent(number=9, kind=2, name=b"number"),
    ]
    assert objs.Events.read() == []


def test_a_record_may_be_a_number(objs: Any, produce: Producer) -> None:
    produce.numbers(3, first=2**64 - 3)
    assert objs.Numbers.read() == [2**64 - 3, 2**64 - 2, 2**64 - 1]


def test_records_without_a_type_are_bytes(objs: Any, produce: Producer) -> None:
    for size in (8, 9, 64):
        produce.sized(size)
    found = objs.Anything.read()
    assert [len(record) for record in found] == [8, 9, 64]
    assert found[1] == struct.pack("<II", 0, 9) + b"k"
    assert {type(record) for record in found} == {bytes}


def test_nothing_is_lost_where_the_ring_begins_anew(objs: Any, produce: Producer) -> None:
    for first in range(0, 5000, 100):
        produce.events(100, first=first)
        assert numbers(objs.Events.read()) == list(range(first, first + 100))
    # Records of other sizes, so that one lies across the end.
    for size in (24, 31, 40, 64) * 40:
        produce.sized(size)
        assert len(objs.Events.read()) == 1
        assert len(objs.Anything.read()[0]) == size


def test_a_full_ring_is_read_whole_and_has_room_again(objs: Any, produce: Producer) -> None:
    produce.events(CAPACITY + 5)
    assert objs.Dropped.value == 5
    assert objs.Events.pending == CAPACITY * STEP
    assert numbers(objs.Events.read()) == list(range(CAPACITY))
    assert objs.Events.pending == 0
    produce.events(1, first=7)
    assert numbers(objs.Events.read()) == [7]


def test_what_a_program_discards_is_skipped(objs: Any, produce: Producer) -> None:
    produce.events(10, discard_every=3)
    assert numbers(objs.Events.read()) == [1, 2, 4, 5, 7, 8]
    produce.events(10, discard_every=1)
    assert objs.Events.read() == []
    assert objs.Events.pending == 0


def test_reading_stops_at_a_record_that_is_not_submitted(
    objs: Any, produce: Producer, background: Background
) -> None:
    objs.Hold.value = 1
    produce.events(2)
    held = background(produce.held, number=2)
    while not objs.Holding.value:
        assert not held.done()
    produce.events(2, first=3)
    assert numbers(objs.Events.read()) == [0, 1]
    assert objs.Events.read() == []
    assert objs.Events.poll(0.01) == []
    assert len(objs.Events.read_array()) == 0
    assert objs.Events.pending == 3 * STEP
    objs.Hold.value = 0
    held.result()
    assert numbers(objs.Events.read()) == [2, 3, 4]


def test_waiting_for_a_record_that_is_not_submitted_is_no_busy_loop(
    objs: Any, produce: Producer, background: Background, monkeypatch: pytest.MonkeyPatch
) -> None:
    objs.Hold.value = 1
    held = background(produce.held, number=1)
    while not objs.Holding.value:
        assert not held.done()
    looks = 0
    wait = objs.Events.wait

    def counted(timeout: float) -> bool:
        nonlocal looks
        looks += 1
        return bool(wait(timeout))

    monkeypatch.setattr(objs.Events, "wait", counted)
    assert objs.Events.poll(0.2) == []
    assert looks <= 0.2 / NAP + 1
    objs.Hold.value = 0
    assert numbers(objs.Events.poll(60)) == [1]


class TestOtherSizes:
    def test_a_shorter_record_is_an_error_that_names_both_sizes(
        self, objs: Any, produce: Producer
    ) -> None:
        produce.sized(23)
        with pytest.raises(rt.MapError, match=r"events has 23 bytes, and BuffersEvent has 24"):
            objs.Events.read()
        assert objs.Events.read() == []

    def test_those_before_it_come_first_and_those_behind_it_next(
        self, objs: Any, produce: Producer
    ) -> None:
        produce.events(2)
        produce.sized(8)
        produce.events(1, first=5)
        assert numbers(objs.Events.read()) == [0, 1]
        with pytest.raises(rt.MapError, match="has 8 bytes"):
            objs.Events.read()
        assert numbers(objs.Events.read()) == [5]

    def test_an_iteration_raises_it_at_its_place(self, objs: Any, produce: Producer) -> None:
        produce.events(2)
        produce.sized(8)
        records = iter(objs.Events)
        assert [next(records).number, next(records).number] == [0, 1]
        with pytest.raises(rt.MapError, match="has 8 bytes"):
            next(records)

    def test_it_can_be_read_as_bytes(self, objs: Any, produce: Producer) -> None:
        produce.sized(9)
        produce.events(1)
        assert [len(record) for record in objs.Events.read_raw()] == [9, 24]

    @pytest.mark.parametrize("size", [25, 32, 64])
    def test_a_longer_record_keeps_its_tail(self, objs: Any, produce: Producer, size: int) -> None:
        produce.events(1)
        produce.sized(size)
        exact, longer = objs.Events.read()
        raw = objs.Anything.read()[0]
        assert rt.tail_of(exact) == b""
        assert rt.tail_of(longer) == raw[24:]
        assert longer.pack() == raw[:24]

    def test_a_flexible_array_member_has_the_rest(self, objs: Any, produce: Producer) -> None:
        for size in (8, 11, 20):
            produce.sized(size)
        assert [(note.length, note.text) for note in objs.Notes.read()] == [
            (8, b""),
            (11, b"k b"),
            (20, b"k brown fox "),
        ]


class TestArrays:
    def test_an_array_has_the_dtype_of_the_record(
        self, objs: Any, buffers: ModuleType, produce: Producer
    ) -> None:
        assert len(objs.Events.read_array()) == 0
        assert objs.Events.read_array().dtype == buffers.BuffersEvent.dtype()
        produce.events(100, first=1)
        found = objs.Events.read_array()
        assert found.dtype == buffers.BuffersEvent.dtype()
        assert found["number"].tolist() == list(range(1, 101))
        assert found["kind"].tolist() == [number % 7 for number in range(1, 101)]
        found["kind"] = 0  # it is ours

    def test_of_numbers(self, objs: Any, produce: Producer) -> None:
        produce.numbers(3, first=5)
        assert objs.Numbers.read_array().tolist() == [5, 6, 7]

    def test_of_records_between_others(self, objs: Any, produce: Producer) -> None:
        produce.events(9, discard_every=4)
        produce.sized(40)
        raw = objs.Anything.read()[0]
        found = objs.Events.read_array()
        assert found["number"].tolist()[:-1] == [1, 2, 3, 5, 6, 7]
        assert found[-1:].tobytes() == raw[:24]

    def test_a_shorter_record_is_an_error(self, objs: Any, produce: Producer) -> None:
        produce.sized(16)
        with pytest.raises(rt.MapError, match="has 16 bytes"):
            objs.Events.read_array()

    def test_records_without_a_type_have_none(self, objs: Any, produce: Producer) -> None:
        produce.sized(16)
        with pytest.raises(TypeError, match="no type for the values of bytes"):
            objs.Anything.read_array()
        assert len(objs.Anything.read()) == 1

    def test_nothing_is_lost_where_numpy_is_not_installed(
        self, objs: Any, produce: Producer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "numpy", None)
        produce.events(3)
        with pytest.raises(ImportError):
            objs.Events.read_array()
        assert numbers(objs.Events.read()) == [0, 1, 2]


class TestIterating:
    def test_what_was_taken_and_not_handed_out_comes_next(
        self, objs: Any, produce: Producer
    ) -> None:
        produce.events(10, discard_every=5)
        produce.sized(64, number=10)
        for record in objs.Events:
            if record.number == 3:
                break
        assert next(iter(objs.Events)).number == 4
        produce.events(1, first=11)
        found = objs.Events.read()
        assert [record.number & 0xFF for record in found] == [6, 7, 8, 9, 10, 11]
        assert len(rt.tail_of(found[-2])) == 40

    def test_it_goes_on_with_what_is_written_meanwhile(
        self, objs: Any, produce: Producer, background: Background
    ) -> None:
        seen: list[int] = []
        for _ in range(3):
            background(produce.events, 2, first=len(seen))
            for record in objs.Events:
                seen.append(record.number)
                if len(seen) % 2 == 0:
                    break
        assert seen == [0, 1, 2, 3, 4, 5]

    @pytest.mark.parametrize("what", ["Events", "objects"])
    def test_it_ends_when_another_thread_closes(
        self, objs: Any, produce: Producer, background: Background, what: str
    ) -> None:
        produce.events(3)
        seen = []

        def iterate() -> None:
            for record in objs.Events:
                seen.append(record.number)

        done = background(iterate)
        while len(seen) < 3:
            assert not done.done()
        (objs.Events if what == "Events" else objs).close()
        done.result(60)
        assert seen == [0, 1, 2]

    def test_it_ends_when_a_signal_handler_closes(self, objs: Any, produce: Producer) -> None:
        produce.events(2)
        seen = []
        before = signal.signal(signal.SIGALRM, lambda *_: objs.close())
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.1)
            for record in objs.Events:
                seen.append(record.number)
        finally:
            signal.signal(signal.SIGALRM, before)
        assert seen == [0, 1]

    def test_a_signal_handler_may_do_anything_while_records_are_copied(
        self, objs: Any, produce: Producer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = mapped()
        events = objs.Events

        def interrupt() -> None:
            if not events.closed:
                assert events.read() == []
                events.close()

        produce.events(3)
        # It is called between the steps of a copy.
        monkeypatch.setattr(events._memory, "fence", interrupt)
        assert numbers(events.read()) == [0, 1, 2]
        assert events.closed
        assert mapped() == before

    def test_one_may_close_under_a_flat_out_producer(self, objs: Any, flat_out: None) -> None:
        events = objs.Events
        before = signal.signal(signal.SIGALRM, lambda *_: events.close())
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.2)
            assert sum(1 for _ in events) > 0
        finally:
            signal.signal(signal.SIGALRM, before)
        assert events.closed


class TestPolling:
    def test_it_returns_what_is_there_at_once(self, objs: Any, produce: Producer) -> None:
        produce.events(2)
        assert numbers(objs.Events.poll()) == [0, 1]
        assert objs.Events.poll(0) == []
        assert objs.Events.poll(0.001) == []

    def test_it_waits_for_records(
        self, objs: Any, produce: Producer, background: Background
    ) -> None:
        waiting = background(objs.Events.poll, 60)
        produce.events(1, first=4)
        assert numbers(waiting.result(60)) == [4]

    def test_it_finds_what_nobody_was_woken_for(self, objs: Any, produce: Producer) -> None:
        assert not objs.Events.wait(0)
        waiting = threading.Thread(target=objs.Events.wait, args=(0.2,))
        waiting.start()
        produce.events(1, flags=1)  # BPF_RB_NO_WAKEUP
        waiting.join()
        assert numbers(objs.Events.poll(0.01)) == [0]

    def test_it_ends_when_the_buffer_is_closed(self, objs: Any, background: Background) -> None:
        waiting = [background(objs.Events.poll) for _ in range(3)]
        while objs.Events._doorbell is None or objs.Events._doorbell._guests < 3:
            assert not any(future.done() for future in waiting)
        objs.Events.close()
        assert [future.result(60) for future in waiting] == [[], [], []]

    def test_its_descriptor_is_for_select(self, objs: Any, produce: Producer) -> None:
        assert select.select([objs.Events], [], [], 0)[0] == []
        produce.events(1)
        assert select.select([objs.Events], [], [], 60)[0] == [objs.Events]
        objs.Events.read()
        assert select.select([objs.Events], [], [], 0)[0] == []


class TestUnderAFlatOutProducer:
    def test_a_read_takes_what_is_there_when_it_begins(self, objs: Any, flat_out: None) -> None:
        taken = [len(objs.Events.poll()) for _ in range(100)]
        assert 0 < max(taken) <= CAPACITY

    def test_threads_get_each_record_once(
        self, objs: Any, produce: Producer, background: Background, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # Between the steps of a copy, others have their turn.
        monkeypatch.setattr(objs.Events._memory, "fence", lambda: time.sleep(0))
        count, wanted = 200, set(range(200 * 100))
        stop = threading.Event()

        def write() -> None:
            for first in range(0, count * 100, 100):
                while objs.Events.pending > 4096 - 100 * STEP:
                    time.sleep(0)
                produce.events(100, first=first)

        def read() -> list[int]:
            mine: list[int] = []
            while not stop.is_set():
                mine += numbers(objs.Events.poll(0.01))
            return mine

        def iterate() -> list[int]:
            return numbers(list(objs.Events))

        readers = [background(read), background(read), background(iterate), background(iterate)]
        background(write).result(60)
        while objs.Events.pending:
            time.sleep(0.001)
        stop.set()
        time.sleep(0.05)
        objs.Events.close()
        found = [number for reader in readers for number in reader.result(60)]
        # A busy machine may leave the writer no room for a record, which is counted.
        assert len(found) == len(wanted) - objs.Dropped.value
        assert len(set(found)) == len(found)
        assert set(found) <= wanted


class TestClosing:
    def test_a_closed_buffer_says_so(self, objs: Any) -> None:
        events = objs.Events
        events.close()
        events.close()
        assert events.closed
        for use in (
            events.read,
            events.read_raw,
            events.read_array,
            events.poll,
            events.fileno,
            events.__iter__,
            events.__aiter__,
            events.__enter__,
            lambda: events.pending,
        ):
            with pytest.raises(rt.StateError, match="ring buffer events is closed"):
                use()
        assert not events.wait(0)

    def test_the_objects_close_it(self, objs: Any) -> None:
        events = objs.Events
        objs.close()
        assert events.closed

    def test_a_thread_that_waits_is_the_last_to_go(self, objs: Any, background: Background) -> None:
        def fds() -> int:
            return sum(1 for _ in Path("/proc/self/fd").iterdir())

        before = fds()
        waiting = background(objs.Events.poll)
        while objs.Events._doorbell is None or not objs.Events._doorbell._guests:
            assert not waiting.done()
        assert fds() > before
        objs.Events.close()
        waiting.result(60)
        assert fds() == before

    def test_a_with_block_closes_it(self, objs: Any) -> None:
        with objs.Events as events:
            assert not events.closed
        assert events.closed

    def test_no_descriptor_and_no_memory_is_left(self, bpf: None, buffers: ModuleType) -> None:
        def use() -> None:
            with buffers.load_buffers_objects() as objs:
                for buffer in (objs.Events, objs.Samples, objs.Numbers):
                    buffer.poll(0.001)
                    buffer.fileno()

        def held() -> tuple[int, int]:
            maps = Path("/proc/self/maps").read_text()
            fds = sum(1 for _ in Path("/proc/self/fd").iterdir())
            return fds, maps.count("bpf-map") + maps.count("perf_event")

        use()
        before = held()
        assert before[1] == 0
        for _ in range(20):
            use()
        assert held() == before


class TestForking:
    def in_child(self, action: Callable[[], object]) -> int:
        """The exit status of a child that does it: 0, or 3 for a StateError."""
        child = os.fork()
        if child == 0:
            status = 1
            try:
                action()
                status = 0
            except rt.StateError:
                status = 3
            finally:
                os._exit(status)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    def test_a_child_leaves_its_parents_records_alone(self, objs: Any, produce: Producer) -> None:
        events = objs.Events
        produce.events(3)
        iterator = iter(events)
        assert next(iterator).number == 0
        for use in (events.read, events.poll, events.wait, lambda: list(events)):
            assert self.in_child(use) == 3
        assert self.in_child(events.close) == 0
        assert self.in_child(objs.close) == 0
        assert self.in_child(iterator.close) == 0
        produce.events(1, first=7)
        assert self.in_child(lambda: list(iterator)) == 3
        iterator.close()
        assert numbers(events.read()) == [1, 2, 7]
        produce.events(1, first=3)
        assert numbers(events.poll(60)) == [3]
