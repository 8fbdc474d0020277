"""Perf buffers deliver what every CPU wrote, and say what there was no room for."""

import asyncio
import os
import select
import struct
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ebpfgen import runtime as rt
from ebpfgen.runtime import perf_events

from .running import Producer

Background = Callable[..., Future[Any]]

# A record of 24 bytes with the size of its payload, the kernel's header, and what fills it up.
STEP = 40


def numbers(records: list[Any]) -> list[int]:
    return [record.number for record in records]


def readable(buffer: Any, timeout: float) -> bool:
    return select.select([buffer], [], [], timeout)[0] == [buffer]


@pytest.fixture
def cpus() -> list[int]:
    return perf_events.online_cpus()


def test_records_have_the_type_of_the_map(
    objs: Any, buffers: ModuleType, produce: Producer
) -> None:
    assert isinstance(objs.Samples, rt.PerfBuffer)
    assert objs.Samples.read() == []
    produce.samples(2, first=8)
    assert objs.Samples.read() == [
        buffers.BuffersEvent(number=8, kind=1, name=b"number"),
        buffers.BuffersEvent(number=9, kind=2, name=b"number"),
    ]
    assert objs.Samples.read() == []


def test_every_cpu_has_its_own(objs: Any, produce: Producer, cpus: list[int]) -> None:
    objs.Samples.open()
    for cpu in cpus:
        produce.samples(3, first=cpu * 100, cpu=cpu)
    wanted = {cpu: list(range(cpu * 100, cpu * 100 + 3)) for cpu in cpus}
    assert objs.Samples.pending == len(cpus) * 3 * STEP
    assert {cpu: numbers(found) for cpu, found in objs.Samples.read_by_cpu().items()} == wanted
    for cpu in cpus:
        produce.samples(3, first=cpu * 100, cpu=cpu)
    assert numbers(objs.Samples.read()) == [n for found in wanted.values() for n in found]
    assert objs.Samples.pending == 0


def test_nothing_is_lost_where_a_ring_begins_anew(objs: Any, produce: Producer) -> None:
    objs.Samples.open(pages=1)
    for first in range(0, 3000, 75):
        produce.samples(75, first=first)
        assert numbers(objs.Samples.read()) == list(range(first, first + 75))
    assert set(objs.Samples.lost.values()) == {0}


def test_what_was_lost_is_counted_for_its_cpu(
    objs: Any, produce: Producer, cpus: list[int]
) -> None:
    objs.Samples.open(pages=1)
    capacity = 4096 // STEP
    produce.samples(capacity + 8, cpu=cpus[-1])
    assert numbers(objs.Samples.read()) == list(range(capacity))
    produce.samples(1, first=1000, cpu=cpus[-1])
    assert numbers(objs.Samples.read()) == [1000]
    assert objs.Samples.lost == {cpu: 8 * (cpu == cpus[-1]) for cpu in cpus}
    produce.samples(capacity + 3, cpu=cpus[-1])
    objs.Samples.read()
    produce.samples(1, cpu=cpus[-1])
    objs.Samples.read()
    assert objs.Samples.lost[cpus[-1]] == 11
    objs.close()
    assert objs.Samples.lost[cpus[-1]] == 11


class TestSizes:
    def test_a_shorter_record_is_an_error_that_names_both_sizes(
        self, objs: Any, produce: Producer
    ) -> None:
        objs.Samples.open()
        produce.samples(1, first=1)
        produce.sized_sample(12)
        produce.samples(1, first=2)
        assert numbers(objs.Samples.read()) == [1]
        with pytest.raises(rt.MapError, match="samples has 12 bytes, and BuffersEvent has 24"):
            objs.Samples.read()
        assert numbers(objs.Samples.read()) == [2]

    def test_a_longer_record_keeps_its_tail(self, objs: Any, produce: Producer) -> None:
        objs.Samples.open()
        objs.UntypedSamples.open()
        for size in (24, 28, 29, 36):
            produce.sized_sample(size)
        raw = objs.UntypedSamples.read()
        # The kernel fills up what it writes.
        assert [len(record) for record in raw] == [28, 28, 36, 36]
        tails = [rt.tail_of(record) for record in objs.Samples.read()]
        assert tails == [b"", b"", raw[2][24:], raw[3][24:]]

    def test_an_array_has_the_dtype_of_the_record(
        self, objs: Any, buffers: ModuleType, produce: Producer, cpus: list[int]
    ) -> None:
        objs.Samples.open()
        for cpu in cpus:
            produce.samples(50, first=cpu * 50, cpu=cpu)
        found = objs.Samples.read_array()
        assert found.dtype == buffers.BuffersEvent.dtype()
        assert found["number"].tolist() == list(range(50 * len(cpus)))

    def test_what_was_taken_and_not_handed_out_comes_next(
        self, objs: Any, produce: Producer
    ) -> None:
        objs.Samples.open(pages=256)
        produce.samples(20_000)
        records = iter(objs.Samples)
        assert [next(records).number for _ in range(5)] == [0, 1, 2, 3, 4]
        del records
        assert objs.Samples.read_raw()[0][:8] == struct.pack("=Q", 5)
        produce.samples(20_000)
        seen = []
        for record in objs.Samples:
            seen.append(record.number)
            if len(seen) == 20_000:
                break
        assert seen == list(range(20_000))


class TestWaking:
    def test_the_reader_is_woken_for_every_record(
        self, objs: Any, produce: Producer, cpus: list[int], background: Background
    ) -> None:
        objs.Samples.open()
        assert objs.Samples.poll(0) == []
        for cpu in cpus:
            waiting = background(objs.Samples.poll, 60)
            produce.samples(1, first=cpu, cpu=cpu)
            assert numbers(waiting.result(60)) == [cpu]

    def test_or_after_some_of_them(self, objs: Any, produce: Producer) -> None:
        objs.Samples.open(wakeup_events=10)
        produce.samples(9)
        assert not readable(objs.Samples, 0)
        produce.samples(1)
        assert readable(objs.Samples, 60)
        assert len(objs.Samples.read()) == 10

    def test_or_after_some_bytes_of_them(self, objs: Any, produce: Producer) -> None:
        objs.Samples.open(wakeup_bytes=10 * STEP)
        produce.samples(9)
        assert not readable(objs.Samples, 0)
        produce.samples(2)
        assert readable(objs.Samples, 60)

    def test_a_poll_finds_what_nobody_was_woken_for(self, objs: Any, produce: Producer) -> None:
        objs.Samples.open(wakeup_events=10)
        produce.samples(9)
        assert len(objs.Samples.poll(0.01)) == 9

    def test_who_waits_is_told_though_another_was_told_before(
        self, objs: Any, produce: Producer
    ) -> None:
        objs.Samples.open()
        produce.samples(1)
        # Perf says so once, and then no more.
        assert readable(objs.Samples, 60)
        assert not readable(objs.Samples, 0)
        assert objs.Samples.wait(0)
        assert asyncio.run(asyncio.wait_for(objs.Samples._wait_async(), 60))

    def test_an_iteration_ends_on_close(
        self, objs: Any, produce: Producer, background: Background
    ) -> None:
        objs.Samples.open()
        iterating = background(lambda: numbers(list(objs.Samples)))
        produce.samples(3)
        while objs.Samples.pending or objs.Samples._doorbell is None:
            assert not iterating.done()
        objs.close()
        assert iterating.result(60) == [0, 1, 2]


class TestOpening:
    def test_programs_can_write_once_it_is_open_until_it_is_closed(
        self, objs: Any, produce: Producer
    ) -> None:
        assert produce.sized_sample(24) == -2
        samples = objs.Samples.open()
        assert samples is objs.Samples
        assert produce.sized_sample(24) == 0
        samples.close()
        assert produce.sized_sample(24) == -2

    def test_it_is_opened_once(self, objs: Any) -> None:
        objs.Samples.open()
        with pytest.raises(rt.StateError, match="perf buffer samples is open"):
            objs.Samples.open()

    @pytest.mark.parametrize("pages", [0, -1, 3])
    def test_pages_are_a_power_of_two(self, objs: Any, pages: int) -> None:
        with pytest.raises(ValueError, match="power of two"):
            objs.Samples.open(pages=pages)

    def test_what_the_kernel_refuses_is_an_error(self, objs: Any) -> None:
        with pytest.raises(rt.MapError, match="can't open perf buffer samples: "):
            objs.Samples.open(pages=1 << 40)

    def test_a_closed_one_says_so(self, objs: Any) -> None:
        objs.Samples.open()
        objs.Samples.close()
        objs.Samples.close()
        for use in (objs.Samples.read, objs.Samples.read_by_cpu, objs.Samples.open):
            with pytest.raises(rt.StateError, match="perf buffer samples is closed"):
                use()

    def test_cpus_are_those_that_are_online(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setattr(perf_events, "ONLINE", tmp_path / "online")
        (tmp_path / "online").write_text("0,2-4,9\n")
        assert perf_events.online_cpus() == [0, 2, 3, 4, 9]

    def test_a_map_may_have_fewer_elements_than_there_are_cpus(
        self, bpf: None, buffers: ModuleType
    ) -> None:
        specs = buffers.load_buffers()
        specs.Samples.max_entries = 1
        with specs.load() as objs:
            assert list(objs.Samples.open().lost) == [0]


def test_a_child_leaves_its_parents_records_alone(objs: Any, produce: Producer) -> None:
    samples = objs.Samples.open()
    produce.samples(2)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            samples.read()
        except rt.StateError:
            samples.close()
            objs.close()
            status = 3
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3
    assert numbers(samples.read()) == [0, 1]
    assert produce.sized_sample(24) == 0
