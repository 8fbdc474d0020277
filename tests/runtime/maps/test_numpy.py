"""Maps read into numpy arrays."""

import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from ebpfgen import runtime as rt
from ebpfgen.runtime.dtypes import dtype_of

from .conftest import Load

CPUS = rt.possible_cpus()


def test_a_hash_map_is_two_arrays(objs: Any) -> None:
    objs.Large.update_many((key, key * 3) for key in range(10_000))
    keys, values = objs.Large.read_array()
    assert (keys.dtype, values.dtype) == (np.dtype("<u4"), np.dtype("<u8"))
    assert sorted(keys.tolist()) == list(range(10_000))
    assert (values == keys.astype("u8") * 3).all()


def test_structs_are_structured(tables: ModuleType, objs: Any) -> None:
    place = tables.TablesPlace
    objs.Places.update_many({place(x=1, y=2): place(x=3, y=4), place(x=5, y=6): place(x=7, y=8)})
    keys, values = objs.Places.read_array()
    assert sorted(zip(keys["x"].tolist(), values["y"].tolist(), strict=True)) == [(1, 4), (5, 8)]
    objs.Spots[2] = place(x=9, y=1)
    assert objs.Spots.read_array()["x"].tolist() == [0, 0, 9]


def test_text_numbers_and_enumerations_have_their_types(tables: ModuleType, objs: Any) -> None:
    objs.Names[b"a"] = b"alpha"
    keys, values = objs.Names.read_array()
    assert (keys.tolist(), values.tolist()) == ([b"a"], [b"alpha"])
    objs.Colors[tables.TablesColor.RED] = b"\1\2\3"
    keys, values = objs.Colors.read_array()
    assert (keys.tolist(), values.tolist()) == ([1], [[1, 2, 3]])
    objs.Triples[1] = (1, -2, 3)
    _, values = objs.Triples.read_array()
    assert values.tolist() == [[1, -2, 3]]


def test_an_empty_map_is_two_empty_arrays(objs: Any) -> None:
    keys, values = objs.Numbers.read_array()
    assert (keys.shape, values.shape) == ((0,), (0,))


@pytest.mark.parametrize("name", ["LongList", "Memory"])
def test_an_array_is_one(objs: Any, name: str) -> None:
    array = getattr(objs, name)
    array.update_many(enumerate(range(len(array))))
    found = array.read_array()
    assert found.dtype == np.dtype("<u8")
    assert found.tolist() == list(range(len(array)))
    found[0] = 99
    assert array[0] == 0


def test_per_cpu_values_have_a_column_for_each_cpu(tables: ModuleType, objs: Any) -> None:
    values = [cpu + 1 for cpu in range(CPUS)]
    objs.Counters[1] = objs.SmallCounters[1] = objs.Shared[7] = values
    assert objs.Counters.read_array().tolist() == [[0] * CPUS, values, [0] * CPUS, [0] * CPUS]
    small = objs.SmallCounters.read_array()
    assert (small.dtype, small.tolist()) == (np.dtype("<u2"), [[0] * CPUS, values, [0] * CPUS])
    keys, rows = objs.Shared.read_array()
    assert (keys.tolist(), rows.tolist()) == ([7], [values])
    objs.SharedPlaces[1] = [tables.TablesPlace(x=cpu, y=0) for cpu in range(CPUS)]
    _, rows = objs.SharedPlaces.read_array()
    assert rows["x"].tolist() == [list(range(CPUS))]


def test_values_without_a_numpy_type_say_so(load: Load) -> None:
    objs = load("array_of_maps")
    with pytest.raises(TypeError, match="has no numpy type"):
        objs.ByIndex.read_array()


@pytest.mark.parametrize(
    ("codec", "kind"),
    [
        (rt.be.u16, ">u2"),
        (rt.le.i64, "<i8"),
        (rt.le.boolean, "?"),
        (rt.be.f32, ">f4"),
        (rt.le.u128, "V16"),
        (rt.chars(5), "S5"),
        (rt.raw(5), ("u1", (5,))),
        (rt.array_of(rt.array_of(rt.le.u16, 2), 3), (("<u2", (2,)), (3,))),
    ],
    ids=repr,
)
def test_codecs_have_the_types_of_their_values(codec: Any, kind: Any) -> None:
    assert dtype_of(codec) == np.dtype(kind)
    assert dtype_of(codec).itemsize == codec.SIZE


def test_without_numpy_it_says_what_to_install(bpf: None, bindings: Path, tmp_path: Path) -> None:
    (tmp_path / "numpy.py").write_text("raise ImportError('not here')\n")
    code = "import tables\nwith tables.load_tables_objects() as objs: objs.List.read_array()"
    path = f"import sys; sys.path[:0] = [{str(tmp_path)!r}, {str(bindings)!r}]\n"
    done = subprocess.run(
        [sys.executable, "-c", path + code], capture_output=True, text=True, check=False
    )
    assert done.stderr.splitlines()[-1] == "ImportError: arrays need numpy: pip install numpy"
