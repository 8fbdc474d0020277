"""No buffer reaches the kernel that is not as long as what the kernel reads or writes."""

import ctypes
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

from ebpfgen import runtime as rt
from ebpfgen.runtime.maps.elements import Elements

Use = Callable[[Any, Any], object]

# A place has 4 bytes, a prefix4 8: the one is too short for the other, which would be cut for it.
WRITES: dict[str, Use] = {
    "item": lambda o, v: o.Places.__setitem__(v.place, v.wrong),
    "put": lambda o, v: o.Places.put(v.place, v.wrong),
    "update": lambda o, v: o.Places.update({v.place: v.wrong}),
    "update many": lambda o, v: o.Places.update_many({v.place: v.wrong}),
    "setdefault": lambda o, v: o.Places.setdefault(v.place, v.wrong),
    "per CPU": lambda o, v: o.SharedPlaces.__setitem__(1, [v.wrong] * rt.possible_cpus()),
    "per CPU, many": lambda o, v: o.SharedPlaces.update_many({1: [v.wrong] * rt.possible_cpus()}),
    "element": lambda o, v: o.Spots.__setitem__(0, v.wrong),
    "elements": lambda o, v: o.Spots.update_many({0: v.wrong}),
    "mapped element": lambda o, v: o.SpotsMemory.__setitem__(0, v.wrong),
    "push": lambda o, v: o.Pile.push(v.wrong),
    "flexible": lambda o, v: o.Tails.__setitem__(1, v.wrong),
}
KEYS: dict[str, Use] = {
    "lookup": lambda o, v: o.Places[v.wrong],
    "lookup with flags": lambda o, v: o.Places.lookup(v.wrong),
    "get": lambda o, v: o.Places.get(v.wrong),
    "contains": lambda o, v: v.wrong in o.Places,
    "item": lambda o, v: o.Places.__setitem__(v.wrong, v.place),
    "delete": lambda o, v: o.Places.__delitem__(v.wrong),
    "delete many": lambda o, v: o.Places.delete_many([v.wrong]),
    "pop": lambda o, v: o.Places.pop(v.wrong),
    "update many": lambda o, v: o.Places.update_many({v.wrong: v.place}),
}


class Values:
    """A place, and a value of another class: longer, or as long."""

    def __init__(self, tables: ModuleType, wrong: str) -> None:
        self.place = tables.TablesPlace(x=1, y=2)
        if wrong == "TablesTail":
            self.wrong = tables.TablesTail(count=1, rest=b"")
        else:
            self.wrong = tables.TablesPrefix4(bits=8, address=b"1234")


@pytest.fixture(params=["TablesPrefix4", "TablesTail"])
def values(request: pytest.FixtureRequest, tables: ModuleType) -> Values:
    return Values(tables, request.param)


@pytest.mark.parametrize("use", WRITES.values(), ids=WRITES)
def test_a_value_of_another_class_is_an_error_that_names_both(
    objs: Any, values: Values, use: Use
) -> None:
    wrong = type(values.wrong).__name__
    if use is WRITES["flexible"] and wrong == "TablesTail":
        values.wrong = values.place
        wrong = "TablesPlace"
    with pytest.raises(ValueError, match=rf"is of class {wrong}, not Tables\w+"):
        use(objs, values)
    assert not objs.Places
    assert not objs.Tails
    assert set(objs.Spots) == set(objs.SpotsMemory)
    assert objs.Spots[0].x == 0
    assert objs.Pile.drain() == []


@pytest.mark.parametrize("use", KEYS.values(), ids=KEYS)
def test_a_key_of_another_class_is_an_error_that_names_both(
    objs: Any, values: Values, use: Use
) -> None:
    objs.Places[values.place] = values.place
    wrong = type(values.wrong).__name__
    with pytest.raises(ValueError, match=f"is of class {wrong}, not TablesPlace"):
        use(objs, values)
    assert objs.Places.read() == {values.place: values.place}


class Shortened:
    """A codec whose values lack their last byte."""

    SIZE = 8

    def unpack_from(self, buffer: Any, offset: int = 0, /) -> bytes:
        return bytes(buffer)

    def pack(self, value: bytes, /) -> bytes:
        return value[:7]


@pytest.fixture
def shortened(bpf: None) -> Iterator[list[Callable[[], object]]]:
    """Every way to write a map with values of 8 bytes that are packed to 7."""
    codec, value = Shortened(), bytes(8)
    with (
        rt.array("short", value=codec).create(4) as array,
        rt.hash_map("short", key=codec, value=codec).create(4) as table,
        rt.hash_map("short", key=rt.le.u32, value=codec).create(4) as values,
        rt.percpu_array("short", value=codec).create(4) as per_cpu,
        rt.queue("short", value=codec).create(4) as queue,
        rt.bloom_filter("short", value=codec).create(4) as bloom,
    ):
        yield [
            lambda: array.put(0, value),
            lambda: array.update_many({0: value}),
            lambda: values.put(0, value),
            lambda: values.update_many({0: value}),
            lambda: table[value],
            lambda: value in table,
            lambda: table.pop(value),
            lambda: table.delete_many([value]),
            lambda: table.put(value, value),
            lambda: per_cpu.put(0, [value] * rt.possible_cpus()),
            lambda: per_cpu.update_many({0: [value] * rt.possible_cpus()}),
            lambda: queue.push(value),
            lambda: bloom.add(value),
            lambda: value in bloom,
        ]


def test_a_codec_that_packs_less_than_its_size_is_an_error(
    shortened: list[Callable[[], object]],
) -> None:
    for use in shortened:
        with pytest.raises(ValueError, match="packs to 7 bytes, not 8"):
            use()


@pytest.fixture
def bloom(bpf: None) -> Iterator[Any]:
    with rt.bloom_filter("bloom", value=rt.le.u64).create(4) as made:
        yield made


@pytest.mark.parametrize("by", [-1, 1])
def test_every_call_compares_the_lengths_of_its_buffers(objs: Any, bloom: Any, by: int) -> None:
    elements: Elements = objs.Numbers._elements
    seen: Elements = bloom._elements
    key, value = bytes(4), bytes(8)
    bad_key, bad_value = bytes(4 + by), bytes(8 + by)
    room = elements.room(3)
    bad_keys, bad_values = elements.room(3), elements.room(3)
    bad_keys.keys = ctypes.create_string_buffer(12 + by)
    bad_values.values = ctypes.create_string_buffer(24 + by)
    calls: list[Callable[[], object]] = [
        lambda: elements.lookup(bad_key),
        lambda: elements.lookup_quickly(bad_key),
        lambda: elements.take(bad_key),
        lambda: elements.update(bad_key, value),
        lambda: elements.update(key, bad_value),
        lambda: elements.delete(bad_key),
        lambda: elements.next_key(bad_key),
        lambda: elements.read_batch(elements.cursor(), bad_keys, first=True, delete=False),
        lambda: elements.read_batch(elements.cursor(), bad_values, first=True, delete=False),
        lambda: elements.update_batch(key * 2 + bad_key, value * 3, 3, 0),
        lambda: elements.update_batch(key * 3, value * 2 + bad_value, 3, 0),
        lambda: elements.delete_batch(ctypes.create_string_buffer(12 + by), 1, 2),
        lambda: seen.contains(bad_value),
        lambda: seen.update(key, value),
    ]
    if by < 0:
        short = ctypes.create_string_buffer(3)
        calls.append(lambda: elements.read_batch(short, room, first=True, delete=False))
    for call in calls:
        with pytest.raises(ValueError, match=r"for map \w+ have \d+ bytes, not \d+"):
            call()
    assert not objs.Numbers


def test_a_key_is_needed_where_the_map_has_keys(objs: Any) -> None:
    with pytest.raises(ValueError, match="keys for map numbers have 0 bytes, not 4"):
        objs.Numbers._elements.update(None, bytes(8))


def test_a_bytearray_is_a_key_and_a_value(objs: Any) -> None:
    objs.Names[bytearray(b"ab")] = bytearray(b"cd")
    assert objs.Names.read() == {b"ab": b"cd"}
