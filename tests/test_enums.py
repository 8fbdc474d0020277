"""Enums have the sign and the values of C, those of compilers too that leave them out of BTF."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from ebpfgen.binding import bind
from ebpfgen.btf import types as t
from ebpfgen.btf.reader import Btf
from ebpfgen.btf.types import Kind
from ebpfgen.dwarf import DebugEnum, read_debug_enums
from ebpfgen.elf import read_elf
from ebpfgen.errors import ObjectError
from ebpfgen.model import Enumeration, Map, Module, ObjectFile
from ebpfgen.objectfile import read_object
from ebpfgen.target import ByteOrder, find_target

from .btf_builder import BYTE_ORDERS, BtfBuilder
from .building import bind_c, compilation_of, compile_c, map_definition, read_c

TARGETS = ("bpfel", "bpfeb")

# What C declares, its size in bytes, whether it has a sign, its values.
ENUMS: dict[str, tuple[str, int, bool, dict[str, int]]] = {
    "top": ("TOP = 4294967295", 4, False, {"TOP": 4294967295}),
    "half": ("HALF = 0x80000000, ONE = 1", 4, False, {"HALF": 1 << 31, "ONE": 1}),
    "minus": ("MINUS = -1", 4, True, {"MINUS": -1}),
    "far": ("FAR = -100000, NEAR = 3", 4, True, {"FAR": -100000, "NEAR": 3}),
    "least": ("LEAST = -0x7fffffff - 1", 4, True, {"LEAST": -(1 << 31)}),
    "wide": ("WIDE = 1ULL << 40", 8, False, {"WIDE": 1 << 40}),
    "widest": ("WIDEST = 1ULL << 63, FIVE = 5", 8, False, {"WIDEST": 1 << 63, "FIVE": 5}),
    "both": ("BELOW = -1, ABOVE = 1LL << 40", 8, True, {"BELOW": -1, "ABOVE": 1 << 40}),
    "deep": ("DEEP = -(1LL << 62)", 8, True, {"DEEP": -(1 << 62)}),
    "plain": ("RED, GREEN = 5", 4, False, {"RED": 0, "GREEN": 5}),
    "byte": ("BYTE = 200", 1, False, {"BYTE": 200}),
    "tiny": ("TINY = -1", 1, True, {"TINY": -1}),
    "tight": ("TIGHT = -30000", 2, True, {"TIGHT": -30000}),
}
PACKED = ("byte", "tiny", "tight")
NAMES = pytest.mark.parametrize("name", ENUMS)


def declared(name: str) -> str:
    packed = " __attribute__((packed))" if name in PACKED else ""
    return f"enum{packed} {name}_enum {{ {ENUMS[name][0]} }} {name};"


SOURCE = (
    "\n".join(declared(name) for name in ENUMS)
    + """
enum { NAMELESS = 3000000000 } nameless;
typedef enum { NO_TAG = -5000 } no_tag_t;
no_tag_t no_tag;
enum unknown_enum *unknown;
int f(void) { enum inner { INNER = -77777 }; static volatile enum inner inner; return inner; }
"""
)


def unstripped(source: str, target: str = "bpfel", *flags: str) -> bytes:
    """The object of C with its debug information."""
    return compilation_of(source, target, *flags).object


def enums_of(btf: Btf) -> dict[str, t.Enum]:
    """The enums by the name of their first value."""
    return {enum.values[0].name: enum for _, enum in btf.of(t.Enum) if enum.values}


@NAMES
@pytest.mark.parametrize("target", TARGETS)
def test_an_enum_is_what_it_is_in_c(name: str, target: str) -> None:
    _, size, signed, values = ENUMS[name]
    enum = enums_of(read_c(SOURCE, target).btf)[next(iter(values))]
    expected = tuple(t.Enumerator(*value) for value in values.items())
    assert enum == t.Enum(f"{name}_enum", size, signed, expected)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(
    ("value", "name", "number"),
    [("NAMELESS", "", 3000000000), ("NO_TAG", "", -5000), ("INNER", "inner", -77777)],
)
def test_so_is_one_without_a_name_or_in_a_function(
    value: str, name: str, number: int, target: str
) -> None:
    enum = enums_of(read_c(SOURCE, target).btf)[value]
    assert enum == t.Enum(name, 4, number < 0, (t.Enumerator(value, number),))


@pytest.mark.parametrize("target", TARGETS)
def test_a_class_has_the_names_and_a_codec_of_the_right_sign(target: str) -> None:
    order = "le" if target == "bpfel" else "be"
    module = bind_c(
        "".join(declared(name).replace(f" {name};", ";") for name in ("top", "far", "both"))
        + map_definition("m", "enum top_enum")
        + map_definition("n", "enum far_enum")
        + map_definition("o", "enum both_enum"),
        target,
    )
    assert [table.arguments[1] for table in module.maps] == [
        f"value=rt.enum(BpfTopEnum, rt.{order}.u32)",
        f"value=rt.enum(BpfFarEnum, rt.{order}.i32)",
        f"value=rt.enum(BpfBothEnum, rt.{order}.i64)",
    ]
    found = {made.c_name: made.values for made in module.types if isinstance(made, Enumeration)}
    assert found == {
        "enum top_enum": (("TOP", 4294967295, ""),),
        "enum far_enum": (("FAR", -100000, ""), ("NEAR", 3, "")),
        "enum both_enum": (("BELOW", -1, ""), ("ABOVE", 1 << 40, "")),
    }
    assert module.warnings == ()


@pytest.mark.parametrize("flags", [["-gdwarf-4"], ["-gdwarf-2", "-gstrict-dwarf"], ["-gz"]])
@pytest.mark.parametrize("target", TARGETS)
def test_any_dwarf_tells(target: str, flags: list[str]) -> None:
    expected = read_debug_enums(unstripped(SOURCE, target))
    assert read_debug_enums(unstripped(SOURCE, target, *flags)) == expected
    assert len(expected) == len(ENUMS) + 3


def test_a_sign_may_be_behind_typedefs() -> None:
    source = "typedef const long a; typedef a b; enum e : b { E = -1 } e;"
    made = unstripped(source, "bpfel", "-Wno-everything")
    assert read_debug_enums(made) == [DebugEnum("e", 8, True, (("E", -1),))]


def test_a_stripped_object_has_no_enums_of_its_own() -> None:
    assert read_debug_enums(compile_c(SOURCE)) == []


def test_an_object_that_is_not_stripped_tells_by_itself() -> None:
    btf = read_object(unstripped(SOURCE), "prog.o").btf
    assert enums_of(btf) == enums_of(read_c(SOURCE).btf)


def test_dwarf_is_not_read_before_an_enum_needs_it(tmp_path: Path) -> None:
    (tmp_path / "prog.o").write_bytes(unstripped(declared("plain") + "int array[3];"))
    program = """
import sys
from pathlib import Path
from ebpfgen.btf.types import Enum
from ebpfgen.objectfile import read_object
data = Path(sys.argv[1]).read_bytes()
btf = read_object(data, "prog.c", parts=[data]).btf
print(*(enum.name for _, enum in btf.of(Enum)), "ebpfgen.dwarf" in sys.modules)
"""
    command = [sys.executable, "-c", program, str(tmp_path / "prog.o")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("plain_enum False\n", "")


def builder(byte_order: ByteOrder = "little") -> BtfBuilder:
    """BTF as clang before 15 makes it: no enum has a sign, and none is of kind ENUM64."""
    b = BtfBuilder(byte_order)
    b.enum("small", 4, [("SMALL", -4096)])
    b.enum("far", 4, [("FAR", -4097)])
    b.enum("wide", 8, [("CUT", 0)])
    b.enum("tiny", 1, [("TINY", -5000)])
    b.enum("plain", 4, [("PLAIN", 0x7FFFFFFF)])
    return b


@pytest.mark.parametrize("byte_order", BYTE_ORDERS)
def test_without_dwarf_a_small_negative_value_is_guessed(byte_order: ByteOrder) -> None:
    found = enums_of(builder(byte_order).btf())
    assert {name: (enum.signed, enum.guessed) for name, enum in found.items()} == {
        "SMALL": (True, True),
        "FAR": (False, True),
        "CUT": (False, False),
        "TINY": (True, False),
        "PLAIN": (False, False),
    }
    assert [name for name, enum in found.items() if enum.cut] == ["CUT"]
    assert [enum.values[0].value for enum in found.values()] == [
        -4096,
        (1 << 32) - 4097,
        0,
        -5000,
        0x7FFFFFFF,
    ]


def test_nothing_is_guessed_where_some_enum_has_a_sign() -> None:
    b = builder()
    b.enum("signed", 4, [("SIGNED", -1)], signed=True)
    b.enum("top", 4, [("TOP", 0xFFFFFFFF)])
    found = enums_of(b.btf())
    assert (found["TOP"].signed, found["TOP"].values[0].value) == (False, 0xFFFFFFFF)
    assert [enum for enum in found.values() if enum.guessed] == []


def test_only_enums_in_doubt_are_looked_up() -> None:
    asked: list[str] = []

    def lookup(enum: t.Enum) -> t.Enum | None:
        asked.append(enum.name)
        return None

    btf = Btf(builder().section(), lookup)
    assert len(list(btf.ids_of(Kind.ENUM))) == len(enums_of(btf))
    assert sorted(asked) == ["far", "small", "wide"]


def bind_enum(name: str, size: int, value: int) -> Module:
    """A module with a map of an enum, its BTF being all there is."""
    b = BtfBuilder()
    enum = b.enum(name, size, [("FIRST", 0), ("SECOND", value)])
    table = Map("table", 2, None, enum, 4, size, 1)
    return bind(
        ObjectFile("little", (), (table,), b.btf()),
        ident="bpf",
        source="prog.c",
        object_name="prog.o",
        target=find_target("bpfel"),
    )


@pytest.mark.parametrize(("value", "taken_for"), [(0xFFFFFFFF, "-1"), (-100000, "4294867296")])
def test_a_guess_is_a_warning_that_names_enum_and_value(value: int, taken_for: str) -> None:
    (warning,) = bind_enum("doubtful", 4, value).warnings
    assert "value of map table (enum doubtful)" in warning
    assert f"SECOND is taken for {taken_for};" in warning
    assert "clang 15" in warning


@pytest.mark.parametrize("value", [0, 0x7FFFFFFF])
def test_what_is_no_guess_is_no_warning(value: int) -> None:
    assert bind_enum("sure", 4, value).warnings == ()


@pytest.mark.parametrize("damage", [b"", b"\xff" * 40])
def test_dwarf_that_can_not_be_read_is_no_dwarf(damage: bytes) -> None:
    made = compile_c(SOURCE)
    broken = damaged(unstripped(SOURCE), ".debug_abbrev", damage)
    with pytest.raises(ObjectError, match=r"not well-formed DWARF .* in \.debug_info"):
        read_debug_enums(broken)
    found = read_object(made, "prog.o", parts=[broken]).btf
    assert enums_of(found) == enums_of(read_object(made, "prog.o").btf)


def damaged(data: bytes, section: str, damage: bytes) -> bytes:
    """The object with the beginning of a section replaced, by zeros for nothing."""
    found = read_elf(data).section(section)
    assert found is not None
    place = data.index(found.data)
    damage = damage or bytes(found.size)
    return data[:place] + damage + data[place + len(damage) :]


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_changed_byte_of_dwarf_gives_enums_or_an_error(choice: st.DataObject) -> None:
    made = unstripped(SOURCE)
    data = bytearray(made)
    for name in choice.draw(st.lists(st.sampled_from(DEBUG), min_size=1, max_size=2)):
        found = read_elf(made).section(name)
        assert found is not None
        place = made.index(found.data) + choice.draw(st.integers(0, found.size - 1))
        data[place] = choice.draw(st.integers(0, 255))
    try:
        read_debug_enums(bytes(data))
    except ObjectError:
        return


DEBUG = (".debug_info", ".debug_abbrev", ".debug_str_offsets", ".debug_str")
