"""Maps behave as the Python collections they stand for."""

import errno
from types import ModuleType
from typing import Any

import pytest

from ebpfgen import runtime as rt


def test_an_array_reads_back_what_was_set(objs: Any) -> None:
    objs.Counts[2] = 2**64 - 1
    assert objs.Counts[2] == 2**64 - 1
    assert list(objs.Counts) == [0, 0, 2**64 - 1, 0]


def test_an_array_is_a_sequence(objs: Any) -> None:
    objs.Counts[3] = 7
    assert len(objs.Counts) == 4
    assert objs.Counts[-1] == 7
    assert objs.Counts[1:] == [0, 0, 7]
    assert 7 in objs.Counts


@pytest.mark.parametrize("index", [4, -5])
def test_an_index_outside_an_array_is_an_index_error(objs: Any, index: int) -> None:
    with pytest.raises(IndexError, match="4 elements"):
        objs.Counts[index]
    with pytest.raises(IndexError, match="4 elements"):
        objs.Counts[index] = 1


@pytest.mark.parametrize("value", [-1, 2**64])
def test_a_value_that_does_not_fit_changes_nothing(objs: Any, value: int) -> None:
    objs.Counts[0] = 5
    with pytest.raises(ValueError, match="u64"):
        objs.Counts[0] = value
    assert objs.Counts[0] == 5


def test_a_hash_map_is_a_mutable_mapping(sample: ModuleType, objs: Any) -> None:
    owner = sample.SampleOwner(pid=42, comm=b"python")
    objs.Owners[1] = owner
    objs.Owners[2] = owner
    assert objs.Owners[1] == owner
    assert sorted(objs.Owners) == [1, 2]
    assert len(objs.Owners) == 2
    assert 1 in objs.Owners
    assert 3 not in objs.Owners
    assert objs.Owners.get(3) is None
    assert objs.Owners.pop(1) == owner
    assert dict(objs.Owners) == {2: owner}
    objs.Owners.clear()
    assert dict(objs.Owners) == {}


def test_a_missing_key_is_a_key_error(objs: Any) -> None:
    with pytest.raises(KeyError) as reading:
        objs.Owners[9]
    assert reading.value.args == (9,)
    with pytest.raises(KeyError):
        del objs.Owners[9]


def test_a_full_map_says_so(sample: ModuleType, objs: Any) -> None:
    owner = sample.SampleOwner(pid=1, comm=b"")
    for key in range(8):
        objs.Owners[key] = owner
    with pytest.raises(rt.MapError, match=r"owners: the map is full \(8 entries\)") as raised:
        objs.Owners[8] = owner
    assert raised.value.errno == errno.E2BIG


def test_a_text_key_ends_at_its_first_nul(objs: Any) -> None:
    objs.ByName[b"eth0"] = -3
    assert dict(objs.ByName) == {b"eth0": -3}
    with pytest.raises(ValueError, match="9 bytes do not fit 8"):
        objs.ByName[b"too-long!"] = 1


def test_the_size_of_a_map_can_be_set_before_loading(bpf: None, sample: ModuleType) -> None:
    with sample.load_sample() as specs:
        assert specs.Counts.max_entries == 4
        specs.Counts.max_entries = 9
        with specs.load() as objs:
            assert len(objs.Counts) == 9
            with pytest.raises(rt.StateError, match="before load"):
                specs.Counts.max_entries = 10


@pytest.mark.parametrize("count", [0, -1, 2**32])
def test_an_impossible_size_is_refused(sample: ModuleType, count: int) -> None:
    with sample.load_sample() as specs, pytest.raises(ValueError, match="counts"):
        specs.Counts.max_entries = count
