"""Maps before they are created."""

import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ebpfgen import runtime as rt

from .conftest import open_maps


def test_the_facts_of_the_source_are_there(tables: ModuleType) -> None:
    with tables.load_tables() as specs:
        spec = specs.Memory
        assert (spec.type, spec.key_size, spec.value_size) == (rt.MapType.ARRAY, 4, 8)
        assert (spec.max_entries, spec.flags) == (1000, rt.MapFlag.MMAPABLE)
        assert (spec.numa_node, spec.ifindex, spec.map_extra) == (0, 0, 0)
        assert (spec.autocreate, spec.pin_path, spec.inner) == (True, None, None)
        assert repr(spec) == "<MapSpec memory>"


def test_sizes_and_flags_can_be_changed(bpf: None, tables: ModuleType) -> None:
    with tables.load_tables() as specs:
        specs.Numbers.max_entries = 2
        specs.Numbers.flags |= rt.MapFlag.NO_PREALLOC
        specs.List.flags = rt.MapFlag.MMAPABLE
        specs.Large.numa_node = 0
        with specs.load() as objs:
            assert objs.Numbers.info.max_entries == 2
            assert objs.Numbers.info.flags == rt.MapFlag.NO_PREALLOC
            assert objs.Large.info.flags == rt.MapFlag.NUMA_NODE
            objs.List[1] = 5
            assert objs.List._memory is not None


def test_how_often_a_bloom_filter_hashes_can_be_changed(bpf: None, bindings: Path) -> None:
    with importlib.import_module("bloom_filter").load_bloom_filter() as specs:
        specs.Seen.map_extra = 3
        with specs.load() as objs:
            assert objs.Seen.info.map_extra == 3


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("max_entries", 0),
        ("flags", -1),
        ("numa_node", 2**32),
        ("ifindex", -1),
        ("key_size", -1),
        ("value_size", 2**32),
        ("map_extra", 2**64),
    ],
)
def test_impossible_settings_are_refused(tables: ModuleType, setting: str, value: int) -> None:
    with tables.load_tables() as specs, pytest.raises(ValueError, match="of numbers can't be"):
        setattr(specs.Numbers, setting, value)


def test_nothing_can_be_changed_once_loaded(bpf: None, tables: ModuleType, objs: Any) -> None:
    with tables.load_tables() as specs, specs.load():
        spec = specs.Numbers
        for change in (
            lambda: setattr(spec, "flags", rt.MapFlag.NO_PREALLOC),
            lambda: setattr(spec, "pin_path", "/sys/fs/bpf/x"),
            lambda: setattr(spec, "autocreate", False),
            lambda: spec.reuse(objs.Numbers),
            lambda: spec.set_inner(objs.Numbers),
            spec.unpin,
            lambda: spec.inner,
        ):
            with pytest.raises(rt.StateError, match="before load"):
                change()


def test_stacks_can_be_made_deeper(bpf: None, bindings: Path) -> None:
    with importlib.import_module("stack_trace").load_stack_trace() as specs:
        specs.Stacks.value_size = 8 * 50
        with specs.load() as objs:
            assert (objs.Stacks.info.value_size, objs.Stacks.read()) == (400, {})


def test_sizes_other_than_the_bindings_are_refused(bpf: None, tables: ModuleType) -> None:
    with tables.load_tables() as specs:
        specs.Numbers.value_size = 12
        specs.List.value_size = 8
        specs.Places.key_size = 5
        with specs.load() as objs:
            for name, what, theirs, ours in (
                ("Numbers", "values", 12, 8),
                ("List", "values", 8, 4),
                ("Places", "keys", 5, 4),
            ):
                message = (
                    f"the {what} of map {name.lower()} in tables have {theirs} bytes, those of the "
                    f"bindings {ours}: run ebpfgen generate again"
                )
                with pytest.raises(rt.MapError, match=message):
                    getattr(objs, name)


def test_a_map_that_is_not_created_says_so(bpf: None, tables: ModuleType) -> None:
    with tables.load_tables() as specs:
        specs.Numbers.autocreate = False
        assert not specs.Numbers.autocreate
        with specs.load() as objs:
            assert list(objs.List) == [0] * 5
            with pytest.raises(rt.StateError, match="numbers was not created: its autocreate"):
                _ = objs.Numbers


def test_loading_pins_and_finds_what_it_pinned(bpf: None, tables: ModuleType, bpffs: Path) -> None:
    path = bpffs / "numbers"
    for round_ in range(2):
        with tables.load_tables() as specs:
            specs.Numbers.pin_path = path
            assert specs.Numbers.pin_path == path
            with specs.load() as objs:
                assert objs.Numbers.pin_path == path
                assert len(objs.Numbers) == round_
                objs.Numbers[round_] = 1


def test_a_stale_pin_can_be_replaced(bpf: None, tables: ModuleType, bpffs: Path) -> None:
    path = bpffs / "numbers"
    with tables.load_tables() as specs:
        specs.Numbers.pin_path = path
        assert not specs.Numbers.unpin()
        with specs.load() as objs:
            objs.Numbers[1] = 1
    with tables.load_tables() as specs:
        specs.Numbers.pin_path = path
        assert specs.Numbers.unpin()
        with specs.load() as objs:
            assert not objs.Numbers
            with tables.TablesMaps.Numbers.open(path) as opened:
                assert opened.info.id == objs.Numbers.info.id
            objs.Numbers.unpin()
    assert not path.exists()


def test_a_stale_pin_of_another_kind_fails_the_load(
    bpf: None, tables: ModuleType, bpffs: Path
) -> None:
    with tables.TablesMaps.List.create(3) as other:
        other.pin(bpffs / "numbers")
    with tables.load_tables() as specs:
        specs.Numbers.pin_path = bpffs / "numbers"
        with pytest.raises(rt.LoadError) as raised:
            specs.load()
        assert f"couldn't reuse pinned map at '{bpffs}/numbers'" in raised.value.log


def test_only_pins_are_unpinned(tables: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "precious").touch()
    with tables.load_tables() as specs:
        specs.Numbers.pin_path = tmp_path / "precious"
        with pytest.raises(rt.MapError, match="it is not in a BPF file system"):
            specs.Numbers.unpin()
    assert (tmp_path / "precious").exists()


def test_a_pin_path_can_be_taken_back(bpf: None, tables: ModuleType, bpffs: Path) -> None:
    with tables.load_tables() as specs:
        specs.Numbers.pin_path = bpffs / "numbers"
        specs.Numbers.pin_path = None
        with specs.load() as objs:
            assert objs.Numbers.pin_path is None
            assert not (bpffs / "numbers").exists()


def test_two_objects_share_a_map(tables: ModuleType, objs: Any, bpffs: Path) -> None:
    objs.List.pin(bpffs / "list")
    with tables.load_tables() as specs:
        specs.Numbers.reuse(objs.Numbers)
        before = open_maps()
        specs.List.reuse(bpffs / "list")
        assert open_maps() == before + 1  # libbpf's own
        with specs.load() as others:
            others.Numbers[1], others.List[1] = 5, 6
    assert (objs.Numbers[1], objs.List[1]) == (5, 6)


def test_a_map_of_other_sizes_can_not_be_used(tables: ModuleType, objs: Any, bpffs: Path) -> None:
    objs.Recent.pin(bpffs / "recent")
    with tables.load_tables() as specs:
        with pytest.raises(
            rt.MapError,
            match=r"can't use map recent in tables as numbers: it is LRU_HASH with keys of 4 and "
            r"values of 4 bytes, not HASH with keys of 4 and values of 8 bytes",
        ):
            specs.Numbers.reuse(objs.Recent)
        with pytest.raises(rt.MapError, match=r"pinned at .* as numbers: it is LRU_HASH"):
            specs.Numbers.reuse(bpffs / "recent")
        with pytest.raises(rt.MapError, match="nothing is pinned there"):
            specs.Numbers.reuse(bpffs / "absent")


def test_a_map_with_more_entries_can_be_used(tables: ModuleType, bpf: None) -> None:
    with tables.TablesMaps.Numbers.create(7) as made, tables.load_tables() as specs:
        with pytest.raises(rt.MapError, match="what is of descriptor 0 is no map"):
            specs.Numbers.reuse(0)
        with pytest.raises(OSError, match="Bad file descriptor"):
            specs.Numbers.reuse(99999)
        specs.Numbers.reuse(made.fd)
        with specs.load() as objs:
            assert objs.Numbers.max_entries == 7


def test_the_template_of_inner_maps_can_be_replaced(bpf: None, bindings: Path) -> None:
    module = importlib.import_module("hash_of_maps")
    maps = module.HashOfMapsMaps
    with module.load_hash_of_maps() as specs, maps.ByFlow.inner.create(5) as template:
        assert specs.ByFlow.inner == rt.InnerMapSpec(
            rt.MapType.HASH, key_size=4, value_size=16, max_entries=8, flags=rt.MapFlag(0)
        )
        assert specs.Notes.inner is None
        specs.ByFlow.set_inner(template)
        with specs.load() as objs, objs.ByFlow.new(5) as made:
            objs.ByFlow[module.HashOfMapsFlow(1, 2)] = made


def test_a_template_may_be_given_by_its_descriptor(bpf: None, bindings: Path) -> None:
    module = importlib.import_module("untold_maps")
    maps = module.UntoldMapsMaps
    with module.load_untold_maps() as specs, maps.Plain.create(5) as template:
        assert specs.Untold.inner is None
        specs.Untold.set_inner(template.fd)
        with specs.load() as objs:
            objs.Untold[0] = template


def test_a_second_template_is_refused(bpf: None, bindings: Path) -> None:
    module = importlib.import_module("untold_maps")
    with module.load_untold_maps() as specs, module.UntoldMapsMaps.Plain.create(6) as template:
        with pytest.raises(rt.MapError, match="of map plain: one is set, or it is no map of maps"):
            specs.Plain.set_inner(template)
        specs.Untold.set_inner(template)
        with pytest.raises(rt.MapError, match="set the template of map untold"):
            specs.Untold.set_inner(template)
