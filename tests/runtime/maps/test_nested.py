"""Maps of maps."""

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ebpfgen import runtime as rt


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_an_inner_map_is_opened_typed(held: Any) -> None:
    with held.ByIndex[1] as inner:
        assert isinstance(inner, rt.ArrayMap)
        inner[2] = 7
        assert inner.info.id == held.First.info.id
    assert list(held.First) == [0, 0, 7]
    with pytest.raises(rt.StateError, match="closed"):
        inner[2]


def test_maps_can_be_made_set_and_deleted(held: Any) -> None:
    with held.ByIndex.new(3) as made:
        made[0] = 5
        held.ByIndex[2] = made
        held.ByIndex[0] = made.fd
    # The map of maps keeps them.
    with held.ByIndex[2] as again:
        assert list(again) == [5, 0, 0]
    assert sorted(held.ByIndex) == [0, 1, 2]
    del held.ByIndex[2]
    assert held.ByIndex.ids().keys() == {0, 1}
    assert len(held.ByIndex) == 2
    with pytest.raises(KeyError):
        held.ByIndex[2]
    with pytest.raises(KeyError):
        del held.ByIndex[2]


def test_a_hash_of_maps_has_keys_of_ones_own(holders: ModuleType, held: Any) -> None:
    first, second = holders.HoldersFlow(1, 80), holders.HoldersFlow(2, 443)
    note = holders.HoldersNote(count=3, text=b"three")
    with held.ByFlow.new(8) as made, held.ByFlow.new(8) as other:
        held.ByFlow[first], held.ByFlow[second] = made, other
        made[5] = note
        assert held.ByFlow.ids() == {first: made.info.id, second: other.info.id}
    found = {}
    for flow, inner in held.ByFlow.items():
        with inner:
            found[flow] = inner.read()
    assert found == {first: {5: note}, second: {}}
    assert first in held.ByFlow
    held.ByFlow.clear()
    assert not held.ByFlow


def test_a_new_map_has_the_types_of_the_template(holders: ModuleType, held: Any) -> None:
    """Which Linux before 6.2 insists on, where values are structs."""
    with held.ByFlow.new(8) as made:
        typed = made.info
        made[1] = holders.HoldersNote(count=1, text=b"")
    assert typed.btf_id == held.OfSocket.info.btf_id > 0
    assert typed.btf_value_type_id == held.OfSocket.info.btf_value_type_id
    assert typed.btf_key_type_id > 0
    with (
        holders.HoldersMaps.ByFlow.open_id(held.ByFlow.info.id) as elsewhere,
        elsewhere.new(8) as untyped,
    ):
        assert untyped.info.btf_id == 0


def test_iterating_leaves_no_descriptor_open(held: Any) -> None:
    with held.ByIndex.new(3) as made:
        held.ByIndex[2] = made
    before = descriptors()
    for _ in range(3):
        for inner in held.ByIndex.values():
            inner.close()
        held.ByIndex.ids()
        assert 1 in held.ByIndex
        assert bool(held.ByIndex)
    assert descriptors() == before


def test_a_map_unlike_the_template_is_refused(holders: ModuleType, held: Any) -> None:
    with (
        held.ByIndex.new(4) as longer,
        pytest.raises(rt.MapError, match="by_index: it takes maps like its template"),
    ):
        held.ByIndex[0] = longer
    with pytest.raises(rt.MapError, match="it takes maps like its template"):
        held.ByFlow[holders.HoldersFlow(1, 2)] = held.Calls


def test_a_template_that_was_set_makes_an_untyped_map(held: Any) -> None:
    with held.ByIndex.new(3) as made:
        held.Untold[1] = made
    with held.Untold[1] as inner:
        assert type(inner) is rt.Map
        assert (inner.type, inner.max_entries) == (rt.MapType.ARRAY, 3)


def test_a_map_that_is_replaced_while_iterating_is_left_out(holders: ModuleType, held: Any) -> None:
    with held.ByIndex.new(3) as made:
        held.ByIndex[2] = made
        held.ByIndex[3] = made
    maps = iter(held.ByIndex.items())
    index, inner = next(maps)
    inner.close()
    assert index == 1
    # 2 and 3 are the same map, which goes with its last place.
    del held.ByIndex[2]
    del held.ByIndex[3]
    wait_until_gone(holders, made)
    assert list(maps) == []


def wait_until_gone(holders: ModuleType, made: Any) -> None:
    number = made._opened.info.id
    for _ in range(10_000):
        try:
            holders.HoldersMaps.ByIndex.inner.open_id(number).close()
        except rt.MapError:
            return
    raise AssertionError("the kernel keeps the map")
