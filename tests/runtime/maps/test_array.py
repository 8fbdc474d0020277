"""Array maps as sequences, in the kernel's memory too."""

import errno
from collections.abc import Sequence
from types import ModuleType
from typing import Any

import pytest

from ebpfgen import runtime as rt


def test_an_array_does_what_a_sequence_does(objs: Any) -> None:
    numbers = objs.List
    assert issubclass(type(numbers), Sequence)
    numbers[0], numbers[-1] = 7, 9
    assert numbers.read() == list(numbers) == [7, 0, 0, 0, 9]
    assert (numbers[0], numbers[4], numbers[-5]) == (7, 9, 7)
    assert (numbers.index(9), numbers.count(0)) == (4, 3)
    assert 9 in numbers
    assert list(reversed(numbers)) == [9, 0, 0, 0, 7]


SLICES = [slice(None), slice(1, 3), slice(None, None, -1), slice(4, 0, -3)]


@pytest.mark.parametrize("index", SLICES)
def test_a_slice_is_a_list(objs: Any, index: slice) -> None:
    objs.List.update_many(enumerate([5, 6, 7, 8, 9]))
    assert objs.List[index] == [5, 6, 7, 8, 9][index]


def test_a_long_array_comes_in_order(objs: Any) -> None:
    objs.LongList.update_many(enumerate(range(1, 10_001)))
    assert objs.LongList.read() == list(range(1, 10_001))
    assert objs.LongList[9_000:9_003] == [9001, 9002, 9003]


@pytest.mark.parametrize("name", ["List", "Spots", "LongList", "Counters", "Memory", "LockedList"])
def test_clear_sets_all_to_zeros(objs: Any, name: str) -> None:
    array = getattr(objs, name)
    before = array.read()
    if name in ("List", "LongList", "Memory"):
        array.update_many((index, 1) for index in range(len(array)))
        assert sum(array) == len(array)
    array.clear()
    assert array.read() == before


def test_many_elements_are_checked_before_any_is_set(objs: Any) -> None:
    with pytest.raises(IndexError, match="list has 5 elements, no element 5"):
        objs.List.update_many({0: 1, 5: 1})
    with pytest.raises(ValueError, match="does not fit u32"):
        objs.List.update_many({0: 1, 1: -1})
    assert list(objs.List) == [0] * 5
    objs.List.update_many({-1: 3, 0: 2})
    assert list(objs.List) == [2, 0, 0, 0, 3]


def test_the_flags_of_put_are_the_kernels(objs: Any) -> None:
    objs.List.put(1, 5, flags=rt.BPF_EXIST)
    assert objs.List[1] == 5
    with pytest.raises(rt.MapError, match="set element 1 of map list: the key is there") as raised:
        objs.List.put(1, 6, flags=rt.BPF_NOEXIST)
    assert raised.value.errno == errno.EEXIST
    with pytest.raises(rt.MapError, match="set element 2 of map list"):
        objs.List.update_many([(2, 1)], flags=rt.BPF_NOEXIST)


def test_values_need_not_fill_eight_bytes(tables: ModuleType, objs: Any) -> None:
    place = tables.TablesPlace
    for array in (objs.Spots, objs.SpotsMemory):
        array[1] = place(x=300, y=4)
        array.update_many({2: place(x=1, y=2)})
        wanted = [place(x=0, y=0), place(x=300, y=4), place(x=1, y=2)]
        assert array.read() == array[:] == [array[0], array[1], array[2]] == wanted


def test_memory_is_the_maps(tables: ModuleType, objs: Any) -> None:
    memory = objs.Memory
    memory[999] = 5
    with tables.TablesMaps.Memory.open_id(memory.info.id) as again:
        assert again[999] == 5
        assert memory.lookup(999) == 5
        again[0] = 6
        memory.update_many({1: 7})
    assert memory[:2] == [6, 7]
    assert memory.read()[999] == 5
    assert len(memory.read()) == 1000
    with pytest.raises(IndexError):
        memory[1000]
    with pytest.raises(ValueError, match="u64"):
        memory[0] = -1


def test_reading_memory_takes_no_system_call(objs: Any) -> None:
    memory = objs.Memory
    memory[3] = 9
    # What would be asked is another map's.
    memory._lookup_elem = None
    assert memory[3] == 9


def test_memory_that_can_not_be_written_is_written_by_the_kernel(objs: Any) -> None:
    objs.Constants[1] = 5
    assert list(objs.Constants) == [0, 5]
    objs.Constants._lookup_elem = None
    assert objs.Constants[1] == 5


def test_memory_goes_with_the_object(objs: Any) -> None:
    memory = objs.Memory
    memory[0] = 1
    mapped = memory._memory
    objs.close()
    assert mapped.closed
    with pytest.raises(rt.StateError, match="closed"):
        memory[0]
    with pytest.raises(rt.StateError, match="closed"):
        memory[0] = 1


def test_freezing_ends_writing_but_not_reading(objs: Any) -> None:
    for array in (objs.Memory, objs.List, objs.Numbers):
        array[1] = 5
        assert not array.frozen
        array.freeze()
        assert array.frozen
        assert array[1] == 5
        assert array[1] == 5
        with pytest.raises(rt.MapError, match="it is frozen, which can't be undone") as raised:
            array[1] = 6
        assert raised.value.errno == errno.EPERM
        assert array[1] == 5
        with pytest.raises(rt.MapError, match=f"freeze map {array.name}: it is frozen already"):
            array.freeze()


def test_a_map_that_another_has_mapped_for_writing_is_not_frozen(
    tables: ModuleType, objs: Any
) -> None:
    with tables.TablesMaps.Memory.open_id(objs.Memory.info.id) as other:
        other[0] = 1
        with pytest.raises(rt.MapError, match="it is mapped for writing"):
            objs.Memory.freeze()
        objs.Memory[0] = 2
        assert other[0] == 2
    objs.Memory.freeze()


def test_a_map_that_is_the_programs_to_write_says_so(objs: Any) -> None:
    assert list(objs.Unwritable) == [0, 0]
    with pytest.raises(rt.MapError, match="created with the flag BPF_F_RDONLY"):
        objs.Unwritable[0] = 1
    objs.Unreadable[0] = 1
    with pytest.raises(rt.MapError, match="created with the flag BPF_F_WRONLY"):
        objs.Unreadable[0]
    with pytest.raises(rt.MapError, match="BPF_F_WRONLY"):
        objs.Unreadable.read()
