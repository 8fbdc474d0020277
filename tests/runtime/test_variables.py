"""Global variables: constants before loading, live memory after."""

import importlib
import os
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ebpfgen import runtime as rt


@pytest.fixture(scope="module")
def bound(bindings: Path, bpf: None) -> ModuleType:
    return importlib.import_module("globals")


@pytest.fixture
def specs(bound: ModuleType) -> Iterator[Any]:
    with bound.load_globals() as found:
        yield found


@pytest.fixture
def objs(specs: Any, bound: ModuleType) -> Iterator[Any]:
    """Give loaded objects whose program looks at this process alone."""
    specs.Only.value = bound.GlobalsRecord(pid=os.getpid(), comm=b"")
    with specs.load() as loaded:
        yield loaded


def run(objs: Any) -> None:
    with objs.OnAnyCall.attach():
        os.getppid()


def test_initial_values_are_those_of_the_source(specs: Any, bound: ModuleType) -> None:
    assert specs.Step.value == 7
    assert specs.Counter.value == 3
    assert specs.Custom.value == 9
    assert specs.Mode.value is bound.GlobalsMode.ON
    assert specs.Last.value == bound.GlobalsRecord(pid=0, comm=b"")


def test_constants_are_what_was_set_before_loading(specs: Any, bound: ModuleType) -> None:
    specs.Step.value = 100
    specs.Counter.value = -5
    specs.Only.value = bound.GlobalsRecord(pid=os.getpid(), comm=b"")
    with specs.load() as objs:
        assert objs.Step.value == 100
        run(objs)
        calls = objs.Counter.value + 5
        assert calls > 0
        assert objs.Total.value == 100 * calls


def test_programs_and_python_see_the_same_memory(objs: Any, bound: ModuleType) -> None:
    run(objs)
    assert objs.Last.value.pid == os.getpid()
    assert objs.Last.value.comm
    objs.Mode.value = bound.GlobalsMode.OFF
    run(objs)
    assert objs.Custom.value == 0
    objs.Mode.value = 17
    run(objs)
    assert objs.Custom.value == 17
    assert objs.Mode.value == 17


def test_kconfig_values_come_with_loading(specs: Any) -> None:
    with pytest.raises(rt.StateError, match="CONFIG_HZ has its value once"):
        _ = specs.CONFIG_HZ.value
    with specs.load() as objs:
        assert objs.CONFIG_HZ.value in (100, 250, 300, 1000)
        assert objs.CONFIG_BPF.value is True
        assert objs.CONFIG_NO_SUCH_OPTION.value == b""
        with objs.OnAnyCall.attach():
            os.getppid()
        assert objs.Slots.value == (0, objs.CONFIG_HZ.value, 0, 0)
        assert objs.Text.value == b"y"


def test_setting_one_variable_leaves_its_neighbours_alone(objs: Any) -> None:
    before = (objs.Total.value, objs.Last.value, objs.Text.value)
    objs.Slots.value = (1, 2, 3, 2**64 - 1)
    assert objs.Slots.value == (1, 2, 3, 2**64 - 1)
    assert (objs.Total.value, objs.Last.value, objs.Text.value) == before


def test_what_does_not_fit_names_the_variable_and_changes_nothing(objs: Any) -> None:
    with pytest.raises(ValueError, match="counter: 1099511627776 does not fit i32"):
        objs.Counter.value = 1 << 40
    assert objs.Counter.value == 3


@pytest.mark.parametrize("name", ["Step", "CONFIG_HZ"])
def test_constants_can_not_be_set_after_loading(objs: Any, name: str) -> None:
    with pytest.raises(rt.StateError, match="constant"):
        getattr(objs, name).value = 1


def test_variables_say_so_once_the_object_is_closed(objs: Any) -> None:
    counter = objs.Counter
    assert counter.value == 3
    objs.close()
    with pytest.raises(rt.StateError, match="globals is closed"):
        _ = counter.value


def test_static_variables_are_left_out(bound: ModuleType) -> None:
    assert not hasattr(bound.GlobalsVariables, "HiddenFromPython")


def test_buffers_that_name_their_records_load(objs: Any) -> None:
    assert (objs.Ring.key_size, objs.Ring.value_size) == (0, 0)
    assert (objs.Perf.key_size, objs.Perf.value_size) == (4, 4)
