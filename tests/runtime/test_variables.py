"""Global variables: constants before loading, live memory after."""

import importlib
import os
import sys
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
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


@pytest.mark.parametrize(
    ("name", "reason"),
    [("Step", "step is constant; set .rodata before"), ("CONFIG_HZ", "open .* with kconfig=")],
)
def test_constants_can_not_be_set_after_loading(objs: Any, name: str, reason: str) -> None:
    with pytest.raises(rt.StateError, match=reason):
        getattr(objs, name).value = 1


def test_a_variable_is_not_replaced_by_a_value(specs: Any) -> None:
    for name in ("Counter", "CONFIG_HZ"):
        with pytest.raises(AttributeError, match=r"of a variable set \.value"):
            setattr(specs, name, 5)
    with specs.load() as objs, pytest.raises(AttributeError, match="counter can't be replaced"):
        objs.Counter = 5


def test_variables_say_so_once_the_object_is_closed(objs: Any) -> None:
    counter = objs.Counter
    assert counter.value == 3
    objs.close()
    with pytest.raises(rt.StateError, match="globals is closed"):
        _ = counter.value


def test_variables_of_custom_sections_are_those_of_the_programs(objs: Any) -> None:
    assert objs.CustomConstant.value == 11
    objs.Weak.value = 100
    run(objs)
    assert objs.CustomZero.value == 11 + 100 + objs.Hidden.value


def test_an_atomic_variable_is_there_in_bytes_at_least(objs: Any) -> None:
    run(objs)
    value = objs.Atomic.value
    calls = value if isinstance(value, int) else int.from_bytes(value, sys.byteorder)
    assert calls == objs.Counter.value - 3


def test_elements_are_read_and_set_one_by_one(objs: Any, bound: ModuleType) -> None:
    assert len(objs.Table) == 52000
    objs.Table[0] = bound.GlobalsRecord(pid=77, comm=b"here")
    run(objs)
    assert objs.Table[51999] == objs.Table[-1] == objs.Last.value
    assert objs.Table[:2] == (
        bound.GlobalsRecord(pid=77, comm=b"here"),
        bound.GlobalsRecord(pid=0, comm=b""),
    )
    assert objs.Grid.value == ((1, 2, 3), (4, 5, 77))
    objs.Grid[-1] = (7, 8, 9)
    assert list(objs.Grid) == [(1, 2, 3), (7, 8, 9)]
    assert (7, 8, 9) in objs.Grid


def test_one_element_of_a_megabyte_costs_one_element(objs: Any) -> None:
    objs.Table[5]  # maps the section
    tracemalloc.start()
    try:
        objs.Table[6] = objs.Table[5]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 50_000 < objs.Table.size


@pytest.mark.parametrize("index", [4, -5, 1 << 70])
def test_there_are_no_elements_beyond_the_last(objs: Any, index: int) -> None:
    with pytest.raises(IndexError, match=f"slots has 4 elements, no element {index}"):
        objs.Slots[index]
    with pytest.raises(IndexError):
        objs.Slots[index] = 1


def test_an_element_that_does_not_fit_names_variable_and_index(objs: Any) -> None:
    objs.Slots.value = (1, 2, 3, 4)
    with pytest.raises(ValueError, match=r"^slots\[3\]: -1 does not fit u64$"):
        objs.Slots[-1] = -1
    with pytest.raises(ValueError, match=r"^slots: 3 elements for an array of 4$"):
        objs.Slots.value = (5, 6, 7)
    assert objs.Slots.value == (1, 2, 3, 4)


def test_fields_are_read_and_set_one_by_one(specs: Any, bound: ModuleType) -> None:
    before = specs.Config.value
    fields = specs.Config.fields
    assert (fields.limit, fields.low, fields.high, fields.word) == (5, 2, -3, 7)
    assert fields.bytes_of_it == (7).to_bytes(8, sys.byteorder)
    fields.limit = 50
    fields.high = 15
    fields.levels = (4, 5, 6)
    fields.point = bound.GlobalsConfigPoint(x=1, y=2)
    assert specs.Config.value == replace(
        before, limit=50, high=15, levels=(4, 5, 6), point=bound.GlobalsConfigPoint(x=1, y=2)
    )
    with specs.load() as objs:
        run(objs)
        assert objs.Config.fields.levels == (4, 50, 6)
        x = objs.Config.fields.point.x
        assert x > 1
        objs.Config.fields.limit += 1
        run(objs)
        assert objs.Config.fields.levels[1] == 51
        assert objs.Config.fields.point.x > x
        assert objs.Config.value.limit == 51


def test_a_field_does_not_write_its_neighbours(specs: Any) -> None:
    specs.Config.fields.low = 7
    assert (specs.Config.value.low, specs.Config.value.high) == (7, -3)
    for name, value in [("low", 8), ("high", 16), ("limit", -1), ("levels", (1,))]:
        with pytest.raises(ValueError, match=rf"^GlobalsConfig\.{name}: "):
            setattr(specs.Config.fields, name, value)
    assert specs.Config.value.limit == 5
    assert specs.Config.value.levels == (1, 2, 3)


def test_fields_of_a_union_are_its_members(objs: Any) -> None:
    assert objs.Number.fields.whole == 0x10002
    objs.Number.fields.halves = (9, 8)
    run(objs)
    assert objs.Number.fields.halves == (9, 9)
    assert objs.Number.value.halves == (9, 9)


def test_fields_show_what_they_hold(specs: Any) -> None:
    assert repr(specs.Number.fields) == "<GlobalsNumberFields whole=65538 halves=(2, 1)>"
    assert repr(specs.Number) == "<StructVariable number in .data>"


def test_fields_of_a_constant_can_not_be_set_after_loading(objs: Any) -> None:
    assert objs.Only.fields.pid == os.getpid()
    with pytest.raises(rt.StateError, match="only is constant"):
        objs.Only.fields.pid = 1


def test_fields_and_elements_say_so_once_the_object_is_closed(objs: Any) -> None:
    fields, slots = objs.Config.fields, objs.Slots
    assert fields.limit == 5
    assert slots[0] == 0
    objs.close()
    with pytest.raises(rt.StateError, match="globals is closed"):
        _ = fields.limit
    with pytest.raises(rt.StateError, match="globals is closed"):
        fields.limit = 1
    with pytest.raises(rt.StateError, match="globals is closed"):
        slots[0] = 1


def test_a_flexible_array_member_ends_where_the_variable_does(
    specs: Any, bound: ModuleType
) -> None:
    assert specs.Flexible.size == 12
    assert specs.Flexible.value == bound.GlobalsFlexible(count=2, rest=(21, 22))
    specs.Flexible.value = bound.GlobalsFlexible(count=1, rest=(31, 32))
    with pytest.raises(ValueError, match="flexible: 16 bytes do not fit 12"):
        specs.Flexible.value = bound.GlobalsFlexible(count=9, rest=(1, 2, 3))
    assert specs.BehindFlexible.value == 23
    assert specs.Flexible.fields.count == 1
    assert not hasattr(specs.Flexible.fields, "rest")
    with specs.load() as objs:
        assert objs.Flexible.value == bound.GlobalsFlexible(count=1, rest=(31, 32))


def test_static_variables_are_left_out(bound: ModuleType) -> None:
    assert not hasattr(bound.GlobalsVariables, "HiddenFromPython")


def test_buffers_that_name_their_records_load(objs: Any) -> None:
    assert (objs.Ring.key_size, objs.Ring.value_size) == (0, 0)
    assert (objs.Perf.key_size, objs.Perf.value_size) == (4, 4)
