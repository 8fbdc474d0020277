"""Reading and writing thousands of elements, while others change them."""

import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ebpfgen import runtime as rt
from ebpfgen.runtime.maps import batch
from ebpfgen.runtime.maps.bulk import pack_many, unpack_many

MANY = 100_000


@contextmanager
def other_process(bindings: Path, code: str, number: int) -> Iterator[None]:
    """Run *code* again and again in another process, with the map of this id as ``table``."""
    script = f"""
import sys
sys.path.insert(0, {str(bindings)!r})
import tables
from tables import TablesMaps as maps
with maps.{code.partition("|")[0]}.open_id({number}) as table:
    print("open", flush=True)
    while True:
        {code.partition("|")[2]}
"""
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    assert process.stdout
    try:
        assert process.stdout.readline() == b"open\n"
        yield
    finally:
        assert process.poll() is None, "the other process has ended by itself"
        process.kill()
        process.wait()
        process.stdout.close()


def test_a_hundred_thousand_entries_come_and_go(objs: Any) -> None:
    entries = {key: key * 3 for key in range(MANY)}
    objs.Large.update_many(entries)
    assert objs.Large.read() == entries
    assert dict(objs.Large.items()) == entries
    assert Counter(iter(objs.Large)) == Counter(range(MANY))
    assert sum(objs.Large.values()) == sum(entries.values())
    assert len(objs.Large) == MANY
    assert objs.Large.delete_many(range(0, MANY, 2)) == MANY // 2
    assert objs.Large.read() == {key: key * 3 for key in range(1, MANY, 2)}
    assert len(objs.Large.drain()) == MANY // 2
    assert not objs.Large


def test_a_bucket_larger_than_the_buffer_gets_a_larger_one(
    objs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = {key: key for key in range(100)}
    objs.Numbers.update_many(entries)
    monkeypatch.setattr(batch, "_MOST_ELEMENTS", 1)
    assert objs.Numbers.read() == entries
    assert dict(objs.Numbers.drain()) == entries


@pytest.mark.parametrize("batches", [True, False])
def test_one_by_one_does_what_batches_do(
    objs: Any, monkeypatch: pytest.MonkeyPatch, batches: bool
) -> None:
    monkeypatch.setattr(rt.HashMap, "_batches", batches)
    monkeypatch.setattr(batch, "_MOST_ELEMENTS", 30)
    entries = {key: key * 2 for key in range(100)}
    objs.Numbers.update_many(entries)
    assert objs.Numbers.read() == entries
    assert sorted(objs.Numbers) == list(range(100))
    assert objs.Numbers.delete_many([1, 200, 2]) == 2
    with pytest.raises(rt.MapError, match=r"write 3 to map numbers: the key is there"):
        objs.Numbers.update_many([(1, 1), (3, 3), (2, 2)], flags=rt.BPF_NOEXIST)
    assert sorted(objs.Numbers) == [0, 1, *range(3, 100)]
    assert len(objs.Numbers.drain()) == 99
    assert not objs.Numbers


def test_what_stays_is_read_once_while_another_process_deletes_and_adds(
    objs: Any, bindings: Path
) -> None:
    objs.Large.update_many((key, 1) for key in range(0, 20_000, 2))
    change = "Large|table.update_many({k: 2 for k in odd}); table.delete_many(odd)"
    setup = change.replace("odd", "range(1, 20_000, 2)")
    with other_process(bindings, setup, objs.Large.info.id):
        for _ in range(20):
            found = Counter(key for key in objs.Large if key % 2 == 0)
            assert found == Counter(range(0, 20_000, 2))
            assert set(objs.Large.read()) >= set(range(0, 20_000, 2))


READINGS: dict[str, Callable[[Any], object]] = {
    "keys": list,
    "items": lambda table: list(table.items()),
    "length": len,
    "truth": bool,
}


@pytest.mark.parametrize("batches", [True, False])
@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("name", ["ManyRoutes", "Large"])
def test_reading_ends_while_another_process_deletes(
    objs: Any,
    bindings: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    reading: str,
    batches: bool,
) -> None:
    monkeypatch.setattr(rt.HashMap, "_batches", batches)
    table = getattr(objs, name)
    keys = (
        "range(2000)"
        if name == "Large"
        else "[table.prefix(bytes([k // 256, k % 256, 0, 0]), 16) for k in range(2000)]"
    )
    change = (
        f"{name}|keys = {keys}; table.update_many((k, 1) for k in keys); table.delete_many(keys)"
    )
    with other_process(bindings, change, table.info.id):
        for _ in range(5):
            READINGS[reading](table)


def test_deleting_the_key_at_hand_repeats_none(objs: Any) -> None:
    objs.Numbers.update_many((key, key) for key in range(100))
    found = []
    for packed in batch.keys(objs.Numbers._elements, objs.Numbers.max_entries):
        key = int.from_bytes(packed, sys.byteorder)
        found.append(key)
        if key % 2:
            del objs.Numbers[key]
    assert sorted(found) == list(range(100))


def test_beginning_again_and_again_ends(objs: Any) -> None:
    """The kernel begins again after a key that is gone, which here every one is."""
    halves = ({1, 2}, {3, 4})
    objs.Numbers.update_many((key, 0) for key in halves[0])
    steps = 0
    for steps, _ in enumerate(
        islice(batch.keys(objs.Numbers._elements, objs.Numbers.max_entries), 1000), 1
    ):
        objs.Numbers.clear()
        objs.Numbers.update_many((key, 0) for key in halves[steps % 2])
    assert 2 < steps <= objs.Numbers.max_entries


def test_taking_ends_while_another_process_takes_too(objs: Any, bindings: Path) -> None:
    with other_process(bindings, "Large|table.drain()", objs.Large.info.id):
        for _ in range(20):
            objs.Large.update_many((key, key) for key in range(5000))
            for key, value in objs.Large.drain():
                assert key == value
            objs.Large.update_many((key, key) for key in range(100))
            objs.Large.clear()
            objs.Large.update_many((key, key) for key in range(100))
            assert 0 <= objs.Large.delete_many(range(200)) <= 100


CODECS: list[tuple[Any, list[Any]]] = [
    (rt.le.u32, [0, 2**32 - 1, 7]),
    (rt.be.i64, [-1, 2**40]),
    (rt.le.boolean, [True, False]),
    (rt.le.f64, [1.5, -2.0]),
    (rt.be.u128, [2**127, 3]),
    (rt.chars(4), [b"", b"ab", b"full"]),
    (rt.raw(3), [b"\0\1\0", b"abc"]),
    (rt.raw(0), [b"", b""]),
    (rt.array_of(rt.be.u16, 2), [(1, 2), (3, 4)]),
    (rt.array_of(rt.le.u8, 0), [(), ()]),
    (rt.array_of(rt.chars(2), 2), [(b"a", b"bc"), (b"", b"d")]),
]


@pytest.mark.parametrize(("codec", "values"), CODECS, ids=repr)
def test_many_values_are_read_as_one_by_one(codec: Any, values: list[Any]) -> None:
    data = pack_many(codec, values, codec.SIZE)
    assert data == b"".join(codec.pack(value) for value in values)
    found = unpack_many(codec)(memoryview(data + b"more"), len(values))
    assert list(found) == values


def test_records_and_enumerations_are_read_as_one_by_one(tables: ModuleType) -> None:
    places = [tables.TablesPlace(x=x, y=2) for x in range(3)]
    data = pack_many(tables.TablesPlace, places, tables.TablesPlace.SIZE)
    assert list(unpack_many(tables.TablesPlace)(memoryview(data), 3)) == places
    colors = rt.enum(tables.TablesColor, rt.le.u32)
    found = unpack_many(colors)(memoryview(pack_many(colors, [1, 9], 4)), 2)
    assert [repr(color) for color in found] == [repr(tables.TablesColor.RED), "9"]
