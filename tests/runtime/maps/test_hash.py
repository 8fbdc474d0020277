"""Hash maps and their relatives as mutable mappings."""

import errno
import threading
from collections.abc import Callable, MutableMapping
from types import ModuleType
from typing import Any

import pytest

from ebpfgen import runtime as rt


def test_a_hash_map_does_what_a_mutable_mapping_does(objs: Any) -> None:
    numbers = objs.Numbers
    assert issubclass(type(numbers), MutableMapping)
    numbers.update({1: 10, 2: 20})
    numbers[3] = 30
    assert numbers.setdefault(3, 31) == 30
    assert numbers.setdefault(4, 40) == 40
    assert (numbers.get(1), numbers.get(9), numbers.get(9, 5)) == (10, None, 5)
    assert dict(numbers) == numbers.read() == {1: 10, 2: 20, 3: 30, 4: 40}
    assert numbers == {1: 10, 2: 20, 3: 30, 4: 40}
    assert sorted(numbers.items()) == [(1, 10), (2, 20), (3, 30), (4, 40)]
    assert sorted(numbers.keys()) == sorted(numbers) == [1, 2, 3, 4]
    assert sorted(numbers.values()) == [10, 20, 30, 40]
    assert (len(numbers), len(numbers.items()), len(numbers.values())) == (4, 4, 4)
    assert (4, 40) in numbers.items()
    assert 40 in numbers.values()


def test_an_empty_map_is_false(objs: Any) -> None:
    assert not objs.Numbers
    objs.Numbers[1] = 0
    assert objs.Numbers


def test_a_key_is_there_or_not(objs: Any) -> None:
    objs.Numbers[1] = 0
    assert 1 in objs.Numbers
    assert 2 not in objs.Numbers


def test_pop_gives_and_deletes(objs: Any) -> None:
    objs.Numbers[1] = 10
    assert objs.Numbers.pop(1) == 10
    assert 1 not in objs.Numbers
    assert objs.Numbers.pop(1, None) is None
    with pytest.raises(KeyError) as raised:
        objs.Numbers.pop(1)
    assert raised.value.args == (1,)


def test_popitem_empties_a_map(objs: Any) -> None:
    entries = {key: key * 2 for key in range(5)}
    objs.Numbers.update_many(entries)
    assert dict(objs.Numbers.popitem() for _ in range(5)) == entries
    with pytest.raises(KeyError, match="numbers is empty"):
        objs.Numbers.popitem()


def test_drain_gives_all_and_leaves_nothing(objs: Any) -> None:
    entries = {key: key * 2 for key in range(100)}
    objs.Numbers.update_many(entries)
    drained = objs.Numbers.drain()
    assert len(drained) == 100
    assert dict(drained) == entries
    assert objs.Numbers.read() == {}


@pytest.mark.parametrize("name", ["Numbers", "Recent", "Shared", "RecentShared"])
def test_clear_leaves_nothing(objs: Any, name: str) -> None:
    table = getattr(objs, name)
    value = 1 if isinstance(table, rt.HashMap) and name in ("Numbers", "Recent") else None
    table[1] = value or [1] * rt.possible_cpus()
    assert len(table) == 1
    table.clear()
    assert len(table) == 0


def test_delete_many_says_how_many_were_there(objs: Any) -> None:
    objs.Numbers.update_many((key, key) for key in range(10))
    assert objs.Numbers.delete_many([0, 50, 1, 51, 52, 2]) == 3
    assert objs.Numbers.delete_many([]) == 0
    assert sorted(objs.Numbers) == [3, 4, 5, 6, 7, 8, 9]


@pytest.mark.parametrize("entries", [{1: 10, 2: 20}, [(1, 10), (2, 20)], iter([(1, 10), (2, 20)])])
def test_update_many_takes_a_mapping_or_pairs(objs: Any, entries: Any) -> None:
    objs.Numbers.update_many(entries)
    assert objs.Numbers.read() == {1: 10, 2: 20}


def test_update_many_of_nothing_does_nothing(objs: Any) -> None:
    objs.Numbers.update_many({})
    assert not objs.Numbers


def test_a_misfit_among_many_sets_none(objs: Any) -> None:
    with pytest.raises(ValueError, match="'ten' does not fit u64"):
        objs.Numbers.update_many({1: 10, 2: "ten"})
    with pytest.raises(ValueError, match="-1 does not fit u32"):
        objs.Numbers.update_many({1: 10, -1: 20})
    assert not objs.Numbers


def test_the_flags_of_put_are_the_kernels(objs: Any) -> None:
    objs.Numbers.put(1, 10, flags=rt.BPF_NOEXIST)
    with pytest.raises(rt.MapError, match=r"write to map numbers: the key is there") as raised:
        objs.Numbers.put(1, 11, flags=rt.BPF_NOEXIST)
    assert raised.value.errno == errno.EEXIST
    objs.Numbers.put(1, 12, flags=rt.BPF_EXIST)
    with pytest.raises(KeyError):
        objs.Numbers.put(2, 20, flags=rt.BPF_EXIST)
    assert objs.Numbers.read() == {1: 12}


def test_the_flags_of_update_many_are_the_kernels(objs: Any) -> None:
    objs.Numbers[2] = 20
    with pytest.raises(rt.MapError, match=r"write 2 to map numbers: the key is there"):
        objs.Numbers.update_many([(1, 10), (2, 21), (3, 30)], flags=rt.BPF_NOEXIST)
    assert objs.Numbers.read() == {1: 10, 2: 20}
    with pytest.raises(KeyError) as raised:
        objs.Numbers.update_many([(1, 11), (4, 40)], flags=rt.BPF_EXIST)
    assert raised.value.args == (4,)
    assert objs.Numbers.read() == {1: 11, 2: 20}


def test_a_locked_value_is_written_and_read_under_its_lock(tables: ModuleType, objs: Any) -> None:
    guarded = tables.TablesGuarded(lock=tables.TablesBpfSpinLock(val=0), value=7)
    objs.Locked[1] = guarded
    objs.Locked.put(1, guarded, flags=rt.BPF_F_LOCK | rt.BPF_EXIST)
    assert objs.Locked.lookup(1, flags=rt.BPF_F_LOCK).value == 7
    objs.LockedList.put(2, guarded, flags=rt.BPF_F_LOCK)
    assert objs.LockedList.lookup(2, flags=rt.BPF_F_LOCK).value == 7
    objs.Numbers[1] = 1
    with pytest.raises(rt.MapError, match="HASH maps do not take"):
        objs.Numbers.lookup(1, flags=rt.BPF_F_LOCK)
    with pytest.raises(KeyError):
        objs.Locked.lookup(2, flags=rt.BPF_F_LOCK)


def test_a_full_map_names_its_size(objs: Any) -> None:
    with pytest.raises(rt.MapError, match=r"numbers: the map is full \(100 entries\)") as raised:
        objs.Numbers.update_many((key, 0) for key in range(101))
    assert raised.value.errno == errno.E2BIG
    assert len(objs.Numbers) == 100
    with pytest.raises(rt.MapError, match=r"can't write to map numbers: the map is full"):
        objs.Numbers[200] = 1


def test_an_lru_map_drops_what_was_used_least_recently(objs: Any) -> None:
    for key in range(100):
        objs.Recent[key] = key
    assert 99 in objs.Recent
    assert len(objs.Recent) <= 4


def test_keys_and_values_of_every_kind_come_back(tables: ModuleType, objs: Any) -> None:
    place = tables.TablesPlace
    wanted: dict[str, dict[Any, Any]] = {
        "Places": {place(x=x, y=y): place(x=y, y=x) for x, y in [(1, 2), (3, 4), (250, 6)]},
        "Names": {b"a": b"alpha", b"bb": b"", b"longer": b"0123456789"},
        "Colors": {tables.TablesColor.RED: b"\1\2\3", 7: b"\0\0\1"},
        "Triples": {2**64 - 1: (1, -2, 3), 0: (0, 0, 0)},
    }
    for name, entries in wanted.items():
        table = getattr(objs, name)
        table.update_many(entries)
        assert table.read() == entries, name
        assert {key: table[key] for key in table} == entries, name
        for key, value in entries.items():
            table[key] = value
        assert dict(zip(table.keys(), table.values(), strict=True)) == entries, name
        assert dict(table.drain()) == entries, name
    objs.Colors.update_many(wanted["Colors"])
    assert type(next(key for key in objs.Colors if key == 1)) is tables.TablesColor


def test_a_flexible_member_ends_where_the_value_does(tables: ModuleType, objs: Any) -> None:
    longer = {key: tables.TablesTail(count=key, rest=b"cut off") for key in range(3)}
    entries = {key: tables.TablesTail(count=key, rest=b"") for key in range(3)}
    objs.Tails.update_many(longer)
    assert objs.Tails.read() == entries
    objs.Tails[1] = longer[1]
    assert objs.Tails[1] == entries[1]


def test_what_is_no_record_is_an_error_that_says_so(tables: ModuleType, objs: Any) -> None:
    place = tables.TablesPlace(x=1, y=2)
    uses: dict[str, Callable[[], object]] = {
        "key of places: 3 is of class int, not TablesPlace": lambda: objs.Places[3],
        "key of places: None is of class NoneType, not TablesPlace": lambda: objs.Places.get(None),
        "value of places: 5 is of class int, not TablesPlace": lambda: objs.Places.put(place, 5),
        "4 is of class int, not TablesPlace": lambda: objs.Places.update_many({place: 4}),
        "6 is of class int, not TablesPlace": lambda: objs.Places.delete_many([6]),
    }
    for message, use in uses.items():
        with pytest.raises(ValueError, match=message):
            use()
    assert not objs.Places


def test_threads_read_and_write_the_same_map(objs: Any) -> None:
    wrong: list[object] = []

    def use(thread: int) -> None:
        for round_ in range(300):
            key = thread * 10 + round_ % 10
            objs.Numbers[key] = key * 1000 + thread
            if objs.Numbers[key] != key * 1000 + thread:
                wrong.append(key)

    threads = [threading.Thread(target=use, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


USES: dict[str, Callable[[Any], object]] = {
    "Numbers": lambda table: table[1],
    "Large": lambda table: table.read(),
    "List": lambda table: table[1],
    "Memory": lambda table: (table[1], table.__setitem__(1, 1), table.read()),
    "Line": lambda table: table.drain(),
}


def use_until_it_fails(table: Any, use: Callable[[Any], object], failed: list[type]) -> None:
    try:
        while True:
            use(table)
    except BaseException as error:  # noqa: BLE001 - the test says which it must be
        failed.append(type(error))


@pytest.mark.parametrize("name", USES)
def test_closing_in_another_thread_is_a_state_error(
    tables: ModuleType, bpf: None, name: str
) -> None:
    for _ in range(5):
        failed: list[type] = []
        with tables.load_tables_objects() as objs:
            objs.Numbers[1] = 1
            objs.Large.update_many((key, key) for key in range(10_000))
            table = getattr(objs, name)
            arguments = (table, USES[name], failed)
            thread = threading.Thread(target=use_until_it_fails, args=arguments)
            thread.start()
            USES[name](table)
            objs.close()
            thread.join()
        assert failed == [rt.StateError]


def test_a_map_of_a_closed_object_says_so(objs: Any) -> None:
    objs.Numbers.update_many((key, key) for key in range(10))
    numbers, keys = objs.Numbers, iter(objs.Numbers)
    next(keys)
    objs.close()
    for use in (
        lambda: numbers[1],
        numbers.read,
        lambda: 1 in numbers,
        lambda: numbers.update_many({1: 1}),
        lambda: numbers.info,
        lambda: numbers.fd,
    ):
        with pytest.raises(rt.StateError, match="closed"):
            use()
    with pytest.raises(rt.StateError, match="closed"):
        list(keys)
    assert numbers.closed
