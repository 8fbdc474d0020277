"""Maps beyond the object that made them: pinned, found by id, created alone."""

import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ebpfgen import runtime as rt

from .conftest import Load, open_maps


def test_a_pinned_map_is_opened_typed(tables: ModuleType, objs: Any, bpffs: Path) -> None:
    path = bpffs / "numbers"
    objs.Numbers[1] = 10
    objs.Numbers.pin(path)
    assert objs.Numbers.pin_path == path
    with tables.TablesMaps.Numbers.open(path) as opened:
        assert type(opened) is rt.HashMap
        assert (opened.name, opened.pin_path, opened[1]) == ("numbers", path, 10)
        opened[2] = 20
    assert objs.Numbers[2] == 20
    assert opened.closed
    opened.close()
    with pytest.raises(rt.StateError, match=f"map numbers pinned at {path} is closed"):
        opened[1]
    with pytest.raises(rt.StateError), opened:
        pass


def test_a_pinned_map_outlives_its_object(tables: ModuleType, bpf: None, bpffs: Path) -> None:
    path = bpffs / "kept"
    with tables.load_tables_objects() as objs:
        objs.Memory[5] = 7
        objs.Memory.pin(path)
    code = f"import tables; print(tables.TablesMaps.Memory.open({str(path)!r})[5])"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {folder(tables)!r}); {code}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("7\n", "")


def folder(module: ModuleType) -> str:
    assert module.__file__
    return str(Path(module.__file__).parent)


def test_unpinning_removes_the_file(tables: ModuleType, objs: Any, bpffs: Path) -> None:
    objs.List.pin(bpffs / "list")
    objs.List.unpin()
    assert not (bpffs / "list").exists()
    assert objs.List.pin_path is None
    with pytest.raises(rt.StateError, match="map list is not pinned"):
        objs.List.unpin()
    objs.List.pin(bpffs / "again")
    (bpffs / "again").unlink()
    objs.List.unpin()
    objs.List.pin(bpffs / "third")
    with tables.TablesMaps.List.open(bpffs / "third") as opened:
        opened.unpin()
    assert not (bpffs / "third").exists()


def test_a_map_of_another_kind_is_refused(tables: ModuleType, objs: Any, bpffs: Path) -> None:
    objs.Numbers.pin(bpffs / "numbers")
    maps, path = tables.TablesMaps, bpffs / "numbers"
    for member, message in (
        (maps.Recent, "is of type HASH, in the bindings LRU_HASH"),
        (maps.Triples, f"the keys of map triples pinned at {path} have 4 bytes, those of the bin"),
        (maps.Tails, r"the values of map tails .* have 8 bytes, those of the bindings 4: it is of"),
    ):
        with pytest.raises(rt.MapError, match=message):
            member.open(path)


def test_a_refused_map_is_closed(tables: ModuleType, objs: Any, bpffs: Path) -> None:
    objs.Numbers.pin(bpffs / "numbers")
    before = open_maps()
    for _ in range(3):
        with pytest.raises(rt.MapError):
            tables.TablesMaps.Recent.open(bpffs / "numbers")
    assert open_maps() == before


def test_what_is_pinned_must_be_a_map(load: Load, tables: ModuleType, bpffs: Path) -> None:
    from ebpfgen.runtime._libbpf import descriptors

    descriptors.pin(load("prog_array").Call.fd, str(bpffs / "program"))
    with pytest.raises(rt.MapError, match="program is no map, but another object"):
        tables.TablesMaps.Numbers.open(bpffs / "program")


def test_where_nothing_can_be_pinned_says_why(objs: Any, bpffs: Path, tmp_path: Path) -> None:
    objs.Numbers.pin(bpffs / "numbers")
    for path, reason in (
        (bpffs / "numbers", "something is pinned there already"),
        (bpffs / "absent" / "numbers", f"there is no folder {bpffs / 'absent'}"),
        (tmp_path / "numbers", f"{tmp_path} is not in a BPF file system"),
        (bpffs / "num.bers", "the kernel allows no dot"),
    ):
        with pytest.raises(rt.MapError) as raised:
            objs.Numbers.pin(path)
        assert str(raised.value).startswith(f"can't pin map numbers at {path}: {reason}")
    assert objs.Numbers.pin_path == bpffs / "numbers"


def test_where_nothing_is_pinned_says_why(tables: ModuleType, bpffs: Path, tmp_path: Path) -> None:
    member = tables.TablesMaps.Numbers
    with pytest.raises(rt.MapError, match=r"map numbers pinned at .*absent: nothing is pinned"):
        member.open(bpffs / "absent")
    (tmp_path / "file").touch()
    with pytest.raises(rt.MapError, match="it is not in a BPF file system"):
        member.open(tmp_path / "file")
    with pytest.raises(rt.MapError, match="map with id 4294967294: there is no such map"):
        member.open_id(2**32 - 2)


def test_a_map_opened_to_read_can_not_be_written(
    tables: ModuleType, objs: Any, bpffs: Path
) -> None:
    objs.Numbers[1] = 1
    objs.Numbers.pin(bpffs / "numbers")
    objs.Memory.pin(bpffs / "memory")
    with tables.TablesMaps.Numbers.open(bpffs / "numbers", read_only=True) as opened:
        assert opened[1] == 1
        with pytest.raises(rt.MapError, match="or opened with read_only"):
            opened[1] = 2
    with tables.TablesMaps.Memory.open(bpffs / "memory", read_only=True) as opened:
        assert opened[1] == 0
        with pytest.raises(rt.MapError, match="or opened with read_only"):
            opened[1] = 2


def test_a_map_is_found_by_its_id(tables: ModuleType, objs: Any) -> None:
    objs.List[0] = 5
    number = objs.List.info.id
    with tables.TablesMaps.List.open_id(number) as opened:
        assert opened[0] == 5
    with pytest.raises(rt.StateError, match=f"map list with id {number} is closed"):
        opened[0]


def test_a_map_can_be_created_alone(tables: ModuleType, bpf: None) -> None:
    with tables.TablesMaps.Numbers.create(5, flags=rt.MapFlag.NO_PREALLOC, name="alone") as made:
        made[1] = 2
        assert made.read() == {1: 2}
        info = made.info
        assert (info.name, info.max_entries, info.flags) == ("alone", 5, rt.MapFlag.NO_PREALLOC)
    with pytest.raises(rt.MapError, match="a map like numbers: the kernel takes no HASH map of"):
        tables.TablesMaps.Numbers.create(0)
    with pytest.raises(rt.NotSupportedError, match="do not say of what type it is"):
        rt.untyped_map("unknown").create(1)


def test_info_says_what_the_kernel_knows(objs: Any) -> None:
    info = objs.Numbers.info
    assert (info.type, info.name) == (rt.MapType.HASH, "numbers")
    assert (info.key_size, info.value_size, info.max_entries) == (4, 8, 100)
    assert (info.id > 0, info.btf_id > 0, info.btf_key_type_id > 0) == (True, True, True)
    assert (info.flags, info.ifindex, info.netns_ino) == (rt.MapFlag(0), 0, 0)
    assert objs.Memory.info.flags == rt.MapFlag.MMAPABLE
    assert objs.SmallCounters.info.name == "small_counters"


def test_info_says_how_often_a_bloom_filter_hashes(load: Load) -> None:
    assert load("bloom_filter").Seen.info.map_extra in (0, 5)


def test_the_facts_of_a_map_are_at_hand(objs: Any) -> None:
    numbers = objs.Numbers
    assert (numbers.name, numbers.type) == ("numbers", rt.MapType.HASH)
    assert (numbers.key_size, numbers.value_size, numbers.max_entries) == (4, 8, 100)
    assert numbers.fileno() == numbers.fd > 2
    assert repr(numbers) == "<HashMap numbers>"


def test_closing_a_map_of_a_collection_leaves_it_open(objs: Any) -> None:
    with objs.Numbers as numbers:
        numbers[1] = 1
    objs.Numbers.close()
    assert objs.Numbers[1] == 1
    assert not objs.Numbers.closed
