"""Maps of maps."""

import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ebpfgen import runtime as rt

from .conftest import Load


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_an_inner_map_is_opened_typed(load: Load) -> None:
    objs = load("array_of_maps")
    with objs.ByIndex[1] as inner:
        assert isinstance(inner, rt.ArrayMap)
        inner[2] = 7
        assert inner.info.id == objs.First.info.id
    assert list(objs.First) == [0, 0, 7]
    with pytest.raises(rt.StateError, match="closed"):
        inner[2]


def test_maps_can_be_made_set_and_deleted(load: Load) -> None:
    objs = load("array_of_maps")
    with objs.ByIndex.new(3) as made:
        made[0] = 5
        objs.ByIndex[2] = made
        objs.ByIndex[0] = made.fd
    # The map of maps keeps them.
    with objs.ByIndex[2] as again:
        assert list(again) == [5, 0, 0]
    assert sorted(objs.ByIndex) == [0, 1, 2]
    del objs.ByIndex[2]
    assert objs.ByIndex.ids().keys() == {0, 1}
    assert len(objs.ByIndex) == 2
    with pytest.raises(KeyError):
        objs.ByIndex[2]
    with pytest.raises(KeyError):
        del objs.ByIndex[2]


def test_a_hash_of_maps_has_keys_of_ones_own(load: Load) -> None:
    objs, types = load("hash_of_maps"), importlib.import_module("hash_of_maps")
    first, second = types.HashOfMapsFlow(1, 80), types.HashOfMapsFlow(2, 443)
    note = types.HashOfMapsNote(count=3, text=b"three")
    with objs.ByFlow.new(8) as made, objs.ByFlow.new(8) as other:
        objs.ByFlow[first], objs.ByFlow[second] = made, other
        made[5] = note
        assert objs.ByFlow.ids() == {first: made.info.id, second: other.info.id}
    found = {}
    for flow, inner in objs.ByFlow.items():
        with inner:
            found[flow] = inner.read()
    assert found == {first: {5: note}, second: {}}
    assert first in objs.ByFlow
    objs.ByFlow.clear()
    assert not objs.ByFlow


def test_a_new_map_has_the_types_of_the_template(load: Load) -> None:
    """Which Linux before 6.2 insists on, where values are structs."""
    objs, types = load("hash_of_maps"), importlib.import_module("hash_of_maps")
    with objs.ByFlow.new(8) as made:
        typed = made.info
        made[1] = types.HashOfMapsNote(count=1, text=b"")
    assert typed.btf_id == objs.Notes.info.btf_id > 0
    assert typed.btf_value_type_id == objs.Notes.info.btf_value_type_id
    assert typed.btf_key_type_id > 0
    with (
        types.HashOfMapsMaps.ByFlow.open_id(objs.ByFlow.info.id) as elsewhere,
        elsewhere.new(8) as untyped,
    ):
        assert untyped.info.btf_id == 0


def test_iterating_leaves_no_descriptor_open(load: Load) -> None:
    objs = load("array_of_maps")
    with objs.ByIndex.new(3) as made:
        objs.ByIndex[2] = made
    before = descriptors()
    for _ in range(3):
        for inner in objs.ByIndex.values():
            inner.close()
        objs.ByIndex.ids()
        assert 1 in objs.ByIndex
        assert bool(objs.ByIndex)
    assert descriptors() == before


def test_a_map_unlike_the_template_is_refused(load: Load) -> None:
    objs = load("array_of_maps")
    with (
        objs.ByIndex.new(4) as longer,
        pytest.raises(rt.MapError, match="by_index: it takes maps like its template"),
    ):
        objs.ByIndex[0] = longer


def test_a_map_of_another_type_than_the_template_is_refused(load: Load) -> None:
    objs, types = load("hash_of_maps"), importlib.import_module("hash_of_maps")
    other = load("array_of_maps").First
    with pytest.raises(rt.MapError, match="it takes maps like its template"):
        objs.ByFlow[types.HashOfMapsFlow(1, 2)] = other


def test_a_template_that_was_set_makes_an_untyped_map(bpf: None, bindings: Path) -> None:
    untold = importlib.import_module("untold_maps")
    maps = untold.UntoldMapsMaps
    with untold.load_untold_maps() as specs, maps.Plain.create(3) as template:
        specs.Untold.set_inner(template)
        with specs.load() as objs:
            objs.Untold[1] = template
            with objs.Untold[1] as inner:
                assert type(inner) is rt.Map
                assert (inner.type, inner.max_entries) == (rt.MapType.ARRAY, 3)


def test_a_map_that_is_replaced_while_iterating_is_left_out(load: Load) -> None:
    objs, types = load("array_of_maps"), importlib.import_module("array_of_maps")
    with objs.ByIndex.new(3) as made:
        objs.ByIndex[2] = made
        objs.ByIndex[3] = made
    maps = iter(objs.ByIndex.items())
    index, inner = next(maps)
    inner.close()
    assert index == 1
    # 2 and 3 are the same map, which goes with its last place.
    del objs.ByIndex[2]
    del objs.ByIndex[3]
    wait_until_gone(types, made)
    assert list(maps) == []


def wait_until_gone(types: ModuleType, made: Any) -> None:
    number = made._opened.info.id
    for _ in range(10_000):
        try:
            types.ArrayOfMapsMaps.ByIndex.inner.open_id(number).close()
        except rt.MapError:
            return
    raise AssertionError("the kernel keeps the map")


def test_draining_gives_the_maps_that_were_in_it(load: Load) -> None:
    objs, types = load("hash_of_maps"), importlib.import_module("hash_of_maps")
    note = types.HashOfMapsNote(count=3, text=b"three")
    for number in range(3):
        with objs.ByFlow.new(8) as made:
            made[number] = note
            objs.ByFlow[types.HashOfMapsFlow(number, 80)] = made
    found = {}
    for flow, inner in objs.ByFlow.drain():
        with inner:
            found[flow.address] = inner.read()
    assert found == {number: {number: note} for number in range(3)}
    assert not objs.ByFlow


def test_comparing_opens_no_map(load: Load) -> None:
    objs = load("array_of_maps")
    with objs.ByIndex.new(3) as made:
        objs.ByIndex[2] = made
    before = descriptors()
    assert objs.ByIndex != {}
    assert descriptors() == before
