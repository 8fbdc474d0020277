"""Buffers in an event loop."""

import asyncio
from collections.abc import Awaitable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from .running import Producer

T = TypeVar("T")


def within(seconds: float, awaitable: Awaitable[T]) -> T:
    """What an awaitable returns, in a loop that it does not block for ever."""

    async def limited() -> T:
        return await asyncio.wait_for(awaitable, seconds)

    return asyncio.run(limited())


async def first(buffer: Any, count: int) -> list[int]:
    """The numbers of the next *count* records."""
    found = []
    async for record in buffer:
        found.append(record.number)
        if len(found) == count:
            break
    return found


@pytest.mark.parametrize("name", ["Events", "Samples"])
def test_records_come_as_they_are_written(objs: Any, produce: Producer, name: str) -> None:
    buffer = getattr(objs, name)
    write = produce.events if name == "Events" else produce.samples

    async def main() -> list[int]:
        waiting = asyncio.create_task(first(buffer, 5))
        for number in range(5):
            await asyncio.sleep(0.001)
            write(1, first=number)
        return await waiting

    if name == "Samples":
        buffer.open()
    assert within(60, main()) == [0, 1, 2, 3, 4]


def test_tasks_get_each_record_once(objs: Any, produce: Producer) -> None:
    async def main() -> list[int]:
        seen: list[int] = []

        async def collect() -> None:
            async for record in objs.Events:
                seen.append(record.number)
                await asyncio.sleep(0)

        tasks = [asyncio.create_task(collect()) for _ in range(3)]
        for first in range(0, 300, 10):
            produce.events(10, first=first)
            await asyncio.sleep(0.001)
        objs.Events.close()
        await asyncio.gather(*tasks)
        return seen

    assert sorted(within(60, main())) == list(range(300))


def test_other_tasks_have_their_turn_however_fast_records_come(
    objs: Any, produce: Producer
) -> None:
    async def main() -> int:
        had_turn = asyncio.Event()
        asyncio.get_running_loop().call_soon(had_turn.set)
        count = 0
        produce.events(1)
        async for _ in objs.Events:
            count += 1
            if had_turn.is_set():
                break
            assert count < 1000
            produce.events(1)
        return count

    assert within(60, main()) > 0


def test_closing_ends_the_iteration(objs: Any, produce: Producer) -> None:
    async def main() -> int:
        async def count() -> int:
            return len([record async for record in objs.Events])

        counting = asyncio.create_task(count())
        produce.events(3)
        while objs.Events.pending:
            await asyncio.sleep(0.001)
        objs.close()
        return await counting

    assert within(60, main()) == 3


def test_a_task_that_is_cancelled_leaves_no_descriptor(objs: Any) -> None:
    def fds() -> int:
        return sum(1 for _ in Path("/proc/self/fd").iterdir())

    async def main() -> tuple[int, int]:
        objs.Events.fileno()
        before = fds()
        for _ in range(5):
            task = asyncio.create_task(first(objs.Events, 1))
            await asyncio.sleep(0.001)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        return before, fds()

    before, after = within(60, main())
    assert after == before
