"""What is pushed into a user ring buffer waits there for a program to drain it."""

import errno
import importlib
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ebpfgen import runtime as rt
from ebpfgen.runtime import kernel
from tests.runtime.conftest import need_kernel

from .running import run

Background = Callable[..., Future[Any]]

# A record of 24 bytes and its header, in a ring of 4096 that can be filled.
STEP = 32
CAPACITY = 4096 // STEP


@pytest.fixture(autouse=True)
def user_ring_buffers() -> None:
    need_kernel(kernel.too_old("user ring buffers", 6, 1))


@pytest.fixture
def types(bindings: Path) -> ModuleType:
    return importlib.import_module("user_ringbuf")


@pytest.fixture
def objs(bpf: None, types: ModuleType) -> Iterator[Any]:
    """Give the loaded objects of user_ringbuf.c."""
    with types.load_user_ringbuf_objects() as loaded:
        yield loaded


def drain(objs: Any) -> int:
    """Have a program read the commands; how many there were."""
    return run(objs.Drain, bytes(24))


def drain_lines(objs: Any) -> int:
    """Have a program read the lines; how many there were."""
    return run(objs.DrainLines, bytes(24))


@pytest.fixture
def command(types: ModuleType) -> Callable[[int], Any]:
    """Give what makes a record."""
    return lambda number: types.UserRingbufEvent(number=number, kind=1, name=b"command")


@pytest.fixture
def commands(objs: Any) -> Iterator[Any]:
    return objs.Commands  # type: ignore[no-any-return]


def test_a_program_reads_what_was_pushed(objs: Any, command: Any) -> None:
    assert isinstance(objs.Commands, rt.UserRingBuffer)
    assert drain(objs) == 0
    objs.Commands.push(command(5))
    objs.Commands.push(command(6))
    assert objs.Commands.pending == 2 * STEP
    assert drain(objs) == 2
    assert (objs.Drained.value, objs.DrainedSum.value) == (2, 11)
    assert objs.Commands.pending == 0


def test_bytes_may_have_any_length(objs: Any) -> None:
    for line in (b"abcd", b"efghi", b"jklmnopq" * 9):
        objs.Lines.push(line)
        assert drain_lines(objs) == 1
        assert objs.LastLine.value == line[:4]


def test_nothing_is_lost_where_the_ring_begins_anew(objs: Any, command: Any) -> None:
    total = 0
    for first in range(0, 2000, 100):
        for number in range(first, first + 100):
            objs.Commands.push(command(number))
            total += number
        assert drain(objs) == 100
        assert objs.DrainedSum.value == total


def test_a_full_ring_is_an_error_and_loses_nothing(objs: Any, command: Any) -> None:
    for number in range(CAPACITY):
        objs.Commands.push(command(number))
    for timeout in (0, 0.01):
        with pytest.raises(rt.MapError, match="no program has drained its 4096 bytes") as raised:
            objs.Commands.push(command(7), timeout=timeout)
        assert raised.value.errno == errno.ENOSPC
    assert drain(objs) == CAPACITY
    objs.Commands.push(command(7))
    assert drain(objs) == 1
    assert objs.DrainedSum.value == sum(range(CAPACITY)) + 7


def test_pushing_waits_for_a_program_to_make_room(
    objs: Any, command: Any, background: Background
) -> None:
    for number in range(CAPACITY):
        objs.Commands.push(command(number))
    waiting = background(objs.Commands.push, command(1000), timeout=60)
    assert drain(objs) == CAPACITY
    waiting.result(60)
    assert drain(objs) == 1


def test_pushing_waits_for_enough_room(objs: Any, background: Background) -> None:
    objs.Lines.push(b"x" * 2000)
    waiting = background(objs.Lines.push, b"y" * 3000, timeout=60)
    assert not waiting.done()
    assert drain_lines(objs) == 1
    waiting.result(60)
    assert drain_lines(objs) == 1
    assert objs.LastLine.value == b"yyyy"


def test_what_never_fits_is_an_error(objs: Any) -> None:
    objs.Lines.push(b"x" * 4088)
    with pytest.raises(rt.MapError, match="can't push 4089 bytes to user ring buffer lines"):
        objs.Lines.push(b"x" * 4089, timeout=None)


def test_a_value_that_does_not_fit_its_type_is_not_written(objs: Any, command: Any) -> None:
    with pytest.raises(ValueError, match=r"UserRingbufEvent\.number"):
        objs.Commands.push(command(-1))
    assert objs.Commands.pending == 0


def test_threads_push_each_record_once(
    objs: Any,
    command: Any,
    background: Background,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Between the steps of a push, others have their turn.
    monkeypatch.setattr(objs.Commands._memory, "fence", lambda: time.sleep(0))

    def push(first: int) -> None:
        for number in range(first, first + 500):
            objs.Commands.push(command(number), timeout=60)

    pushing = [background(push, first) for first in (0, 500, 1000)]
    while not all(future.done() for future in pushing):
        drain(objs)
    for future in pushing:
        future.result()
    drain(objs)
    assert (objs.Drained.value, objs.DrainedSum.value) == (1500, sum(range(1500)))


def test_closing_ends_a_push_that_waits(objs: Any, command: Any, background: Background) -> None:
    for number in range(CAPACITY):
        objs.Commands.push(command(number))
    waiting = background(objs.Commands.push, command(1), timeout=None)
    while objs.Commands._doorbell is None or not objs.Commands._doorbell._guests:
        assert not waiting.done()
    objs.close()
    with pytest.raises(rt.StateError, match="user ring buffer commands is closed"):
        waiting.result(60)


def test_a_closed_one_says_so(objs: Any, command: Any) -> None:
    objs.Commands.close()
    with pytest.raises(rt.StateError, match="is closed"):
        objs.Commands.push(command(1))
    with pytest.raises(rt.StateError, match="is closed"):
        objs.Commands.pending  # noqa: B018


def test_a_child_may_not_push(objs: Any, command: Any) -> None:
    commands = objs.Commands
    child = os.fork()
    if child == 0:
        status = 1
        try:
            commands.push(command(1))
        except rt.StateError:
            status = 3
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3
    assert drain(objs) == 0
