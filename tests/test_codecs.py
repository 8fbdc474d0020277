"""What every generated class can do, whatever C type it is of."""

import copy
import dataclasses
import struct
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ebpfgen.emit import render_module
from ebpfgen.runtime.codec import packed

from .building import bind_c, import_text, map_definition, run_python

TYPES = (
    """
struct point { s8 x; s16 y; };
union number { u32 whole; u16 halves[2]; float real; struct point point; };
enum color { RED, GREEN = 5 };
struct whole {
    u32 id;
    char text[4];
    u8 raw[4];
    u16 few[3];
    float single;
    double real;
    float many[70];
    struct point point, points[2], track[40];
    __int128 wide, wides[2];
    bool flag;
    enum color color, colors[2];
    union number number, numbers[2];
    int low : 3, high : 5;
    void *pointer;
    char words[2][4];
};
struct flexible { u32 count; u16 rest[]; };
struct nothing { };
"""
    + map_definition("wholes", "struct whole")
    + map_definition("flexibles", "struct flexible")
    + map_definition("nothings", "struct nothing")
)

ORDERS = {"bpfel": "<", "bpfeb": ">"}
MODULES: dict[str, Any] = {}


@pytest.fixture(params=ORDERS)
def module(request: pytest.FixtureRequest) -> Any:
    target = str(request.param)
    if target not in MODULES:
        MODULES[target] = import_text(render_module(bind_c(TYPES, target)))
    return MODULES[target]


def some(module: Any) -> Any:
    """A struct with something in each member."""
    size = module.BpfWhole.SIZE
    value = module.BpfWhole.unpack_from(bytes(i * 7 % 128 for i in range(size)))
    value.flag = True
    return value


def test_size_is_that_of_the_bytes(module: Any) -> None:
    value = some(module)
    assert len(value.pack()) == module.BpfWhole.SIZE
    assert len(value.number.pack()) == module.BpfNumber.SIZE == 4
    assert (module.BpfNothing.SIZE, module.BpfNothing().pack()) == (0, b"")


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
@pytest.mark.parametrize("offset", [0, 1, 13])
def test_what_is_packed_is_read_from_any_buffer_at_any_offset(
    module: Any, kind: type, offset: int
) -> None:
    value = some(module)
    buffer = kind(b"\xee" * offset + value.pack() + b"\xee" * 5)
    assert module.BpfWhole.unpack_from(buffer, offset) == value


@pytest.mark.parametrize("short", [1, 100, 10_000])
def test_a_buffer_that_is_too_short_is_refused(module: Any, short: int) -> None:
    data = some(module).pack()
    with pytest.raises((ValueError, struct.error), match="requires a buffer of at least"):
        module.BpfWhole.unpack_from(data[:-short])
    with pytest.raises(ValueError, match="3 bytes where BpfNumber needs 4"):
        module.BpfNumber.unpack_from(b"abc")


def test_pack_into_writes_the_value_and_nothing_else(module: Any) -> None:
    for value in (some(module), some(module).number, module.BpfFlexible(2, (3, 4))):
        data = value.pack()
        buffer = bytearray(b"\xa5" * (len(data) + 8))
        value.pack_into(buffer, 3)
        assert bytes(buffer) == b"\xa5" * 3 + data + b"\xa5" * 5


@pytest.mark.parametrize("offset", [-1, 1, 1 << 40])
def test_pack_into_writes_nothing_where_there_is_no_room(module: Any, offset: int) -> None:
    for value in (some(module), some(module).number, module.BpfFlexible(2, (3, 4))):
        buffer = bytearray(b"\xa5" * len(value.pack()))
        with pytest.raises(ValueError, match=f"do not fit at {offset} of"):
            value.pack_into(buffer, offset)
        assert set(buffer) == {0xA5}


MISFITS: dict[str, tuple[object, str]] = {
    "id": (1 << 32, "BpfWhole.id: 4294967296 does not fit u32"),
    "text": (b"12345", "BpfWhole.text: 5 bytes do not fit 4"),
    "raw": (b"12345", "BpfWhole.raw: 5 bytes do not fit 4"),
    "few": ((1, 2, 70000), "BpfWhole.few: 70000 does not fit u16"),
    "few, by number": ((1, 2), "BpfWhole.few: 2 elements for an array of 3"),
    "single": (1e300, "BpfWhole.single: 1e+300 does not fit f32"),
    "real": (10**400, "BpfWhole.real: 1000"),
    "many": ((0.0,) * 69 + (-1e300,), "BpfWhole.many: -1e+300 does not fit f32"),
    "wide": (1 << 127, f"BpfWhole.wide: {1 << 127} does not fit i128"),
    "wides": ((0, -1 << 128), f"BpfWhole.wides: {-1 << 128} does not fit i128"),
    "color": (-1, "BpfWhole.color: -1 does not fit u32"),
    "colors": ((0, 1 << 32), "BpfWhole.colors: 4294967296 does not fit u32"),
    "low": (4, "BpfWhole.low: 4 does not fit 3 bits with a sign"),
    "high": (-17, "BpfWhole.high: -17 does not fit 5 bits with a sign"),
    "pointer": (-1, "BpfWhole.pointer: -1 does not fit u64"),
    "words": ((b"1234", b"12345"), "BpfWhole.words: 5 bytes do not fit 4"),
}


@pytest.mark.parametrize("name", MISFITS)
def test_what_does_not_fit_is_named_before_anything_is_written(module: Any, name: str) -> None:
    wrong, message = MISFITS[name]
    value = some(module)
    setattr(value, name.partition(",")[0], wrong)
    refused(value, message)


def refused(value: Any, message: str) -> None:
    buffer = bytearray(b"\xa5" * 2000)
    with pytest.raises(ValueError, match=r"does not fit|do not fit|elements") as caught:
        value.pack_into(buffer, 7)
    assert str(caught.value).startswith(message)
    assert set(buffer) == {0xA5}


def test_so_is_what_does_not_fit_a_struct_inside(module: Any) -> None:
    value = some(module)
    value.point.x = 128
    refused(value, "BpfWhole.point.x: 128 does not fit i8")
    value = some(module)
    value.track[39].y = 1 << 15
    refused(value, "BpfWhole.track: BpfPoint.y: 32768 does not fit i16")
    refused(module.BpfFlexible(1, (65536,)), "BpfFlexible.rest: 65536 does not fit u16")


def test_a_union_refuses_at_once_and_keeps_its_bytes(module: Any) -> None:
    number = some(module).number
    before = number.pack()
    for name, wrong, message in (
        ("whole", -1, "BpfNumber.whole: -1 does not fit u32"),
        ("halves", (1, 65536), "BpfNumber.halves: 65536 does not fit u16"),
        ("real", 1e300, "BpfNumber.real: 1e+300 does not fit f32"),
        ("point", module.BpfPoint(128, 0), "BpfNumber.point: BpfPoint.x: 128 does not fit i8"),
    ):
        with pytest.raises(ValueError, match="does not fit") as caught:
            setattr(number, name, wrong)
        assert str(caught.value) == message
        assert number.pack() == before


@pytest.mark.parametrize("name", ["id", "single", "color", "few", "text", "words"])
def test_text_is_no_number_and_no_bytes(module: Any, name: str) -> None:
    value = some(module)
    setattr(value, name, {"few": ("x", 0, 0), "words": (b"", "x")}.get(name, "x"))
    with pytest.raises((ValueError, TypeError), match=rf"^BpfWhole\.{name}: 'x' "):
        value.pack()


def test_equal_values_are_equal_and_have_one_hash(module: Any) -> None:
    first, second = some(module), some(module)
    assert first == second
    assert first is not second
    assert hash(first) == hash(second)
    assert (first.number, hash(first.number)) == (second.number, hash(second.number))
    second.number.whole += 1
    assert first != second
    assert first.number != second.number
    assert first.point != tuple(dataclasses.astuple(first.point))
    assert first.number != first.number.pack()


def test_a_copy_of_the_whole_does_not_share_its_unions(module: Any) -> None:
    first = some(module)
    second = copy.deepcopy(first)
    second.number.whole = 0
    second.points[0].x = 99
    assert first == some(module)


def test_the_repr_shows_names_and_values(module: Any) -> None:
    assert repr(module.BpfPoint(-1, 2)) == "BpfPoint(x=-1, y=2)"
    assert repr(module.BpfFlexible(1, (2,))) == "BpfFlexible(count=1, rest=(2,))"
    number = module.BpfNumber()
    number.halves = (0, 0)
    assert repr(number) == ("<BpfNumber whole=0 halves=(0, 0) real=0.0 point=BpfPoint(x=0, y=0)>")
    shown = repr(some(module))
    for part in ("text=b'", "point=BpfPoint(x=", "color=", "number=<BpfNumber whole=", "low="):
        assert part in shown
    value = some(module)
    value.color = module.BpfColor.GREEN
    assert "color=<BpfColor.GREEN: 5>" in repr(value)


def test_dataclasses_asdict_goes_into_structs_and_copies_unions(module: Any) -> None:
    value = some(module)
    found = dataclasses.asdict(value)
    assert list(found) == [field.name for field in dataclasses.fields(value)]
    assert found["point"] == {"x": value.point.x, "y": value.point.y}
    assert found["points"] == tuple({"x": p.x, "y": p.y} for p in value.points)
    assert len(found["track"]) == 40
    assert found["number"] == value.number
    found["number"].whole += 1
    assert found["number"] != value.number
    assert dataclasses.asdict(module.BpfFlexible(1, (2,))) == {"count": 1, "rest": (2,)}


def test_dataclasses_replace_changes_members(module: Any) -> None:
    value = some(module)
    assert dataclasses.replace(value, id=5).id == 5
    assert dataclasses.replace(value, id=5) != value


def test_numpy_reads_what_is_packed(module: Any) -> None:
    value = some(module)
    (row,) = np.frombuffer(value.pack(), module.BpfWhole.dtype())
    assert (row["id"], row["text"], bytes(row["raw"])) == (value.id, value.text, value.raw)
    assert (tuple(row["few"]), row["real"]) == (value.few, value.real)
    assert [(p["x"], p["y"]) for p in row["track"]] == [(p.x, p.y) for p in value.track]
    assert (row["number"]["whole"], row["color"]) == (value.number.whole, value.color)
    assert module.BpfWhole.dtype().itemsize == module.BpfWhole.SIZE
    assert module.BpfNothing.dtype().itemsize == 0


WITHOUT_NUMPY = """
import sys
sys.modules["numpy"] = None
import generated
value = generated.BpfPoint.unpack_from(generated.BpfPoint(1, 2).pack())
try:
    generated.BpfPoint.dtype()
except ImportError as error:
    print(value, type(error).__name__)
"""


def test_numpy_is_needed_for_dtype_alone(tmp_path: Path) -> None:
    (tmp_path / "generated.py").write_text(render_module(bind_c(TYPES)))
    (tmp_path / "program.py").write_text(WITHOUT_NUMPY)
    done = run_python("program.py", cwd=tmp_path, env={"PYTHONPATH": ":".join(sys.path)})
    assert done.stdout == "BpfPoint(x=1, y=2) ModuleNotFoundError\n", done.stderr


def test_a_member_of_another_class_is_an_error_that_names_both(module: Any) -> None:
    flexible = module.BpfFlexible(count=1, rest=(2, 3))
    for member, wrong in (("number", flexible), ("point", flexible), ("points", (flexible,) * 2)):
        whole = some(module)
        setattr(whole, member, wrong)
        with pytest.raises(
            ValueError, match=r"is of class BpfFlexible, not Bpf|is not of the type"
        ):
            packed(module.BpfWhole, whole)
    union = some(module).number
    with pytest.raises(ValueError, match=r"BpfNumber\.point: .* BpfFlexible, not BpfPoint"):
        union.point = flexible
    with pytest.raises(ValueError, match="6 bytes at 0 do not fit 4"):
        union._put(0, bytes(6))
