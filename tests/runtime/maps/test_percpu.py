"""Maps with a value for each possible CPU."""

import os
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ebpfgen import runtime as rt

from .conftest import Load

CPUS = rt.possible_cpus()


def test_the_possible_cpus_are_those_of_the_kernel() -> None:
    last = Path("/sys/devices/system/cpu/possible").read_text().strip().split("-")[-1]
    assert int(last) + 1 >= CPUS >= (os.cpu_count() or 1)


def test_an_element_is_a_list_with_a_value_for_each_cpu(objs: Any) -> None:
    values = [cpu + 1 for cpu in range(CPUS)]
    objs.Counters[2] = values
    assert objs.Counters[2] == values
    assert list(objs.Counters) == [[0] * CPUS, [0] * CPUS, values, [0] * CPUS]
    objs.Counters[-1] = tuple(values)
    assert objs.Counters[3] == values


def test_a_hash_maps_values_are_lists_too(objs: Any) -> None:
    values = [cpu + 1 for cpu in range(CPUS)]
    objs.Shared[5] = values
    objs.Shared.update_many({6: tuple(values), 7: values})
    assert objs.Shared[5] == values
    assert objs.Shared.read() == {5: values, 6: values, 7: values}
    assert objs.Shared.pop(6) == values
    assert sorted(objs.Shared.drain()) == [(5, values), (7, values)]


def test_small_values_have_eight_bytes_each(tables: ModuleType, objs: Any) -> None:
    values = [65535 - cpu for cpu in range(CPUS)]
    objs.SmallCounters.update_many({0: values, 2: tuple(values)})
    assert objs.SmallCounters.read() == [values, [0] * CPUS, values]
    places = [tables.TablesPlace(x=cpu, y=cpu) for cpu in range(CPUS)]
    objs.SharedPlaces[1] = places
    assert objs.SharedPlaces[1] == places
    assert objs.SharedPlaces.read() == {1: places}


@pytest.mark.parametrize("count", [0, CPUS - 1, CPUS + 1])
def test_another_number_of_values_names_both(objs: Any, count: int) -> None:
    message = f"{count} values for map {{}}, which has one for each of the {CPUS} possible CPUs"
    with pytest.raises(ValueError, match=message.format("counters")):
        objs.Counters[0] = [1] * count
    with pytest.raises(ValueError, match=message.format("shared")):
        objs.Shared.update_many({1: [1] * CPUS, 2: (1,) * count})
    assert not objs.Shared


def test_a_value_that_does_not_fit_changes_nothing(objs: Any) -> None:
    with pytest.raises(ValueError, match="u16"):
        objs.SmallCounters[0] = [65536] * CPUS
    assert objs.SmallCounters[0] == [0] * CPUS


@pytest.mark.parametrize("cpu", sorted(os.sched_getaffinity(0)))
def test_a_program_writes_the_value_of_the_cpu_it_runs_on(load: Load, cpu: int) -> None:
    objs = load("percpu_array")
    objs.Watched.value = os.getpid()
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {cpu})
    try:
        with objs.CountOnCpu.attach():
            for _ in range(10):
                os.getppid()
    finally:
        os.sched_setaffinity(0, before)
    (values,) = objs.CpuCalls
    assert values[cpu] >= 10
    assert [value for other, value in enumerate(values) if other != cpu] == [0] * (CPUS - 1)
