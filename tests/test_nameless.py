"""Types without a name are called by their place: in errors, docstrings, warnings and classes."""

from typing import Any

import pytest

from ebpfgen.binding import bind
from ebpfgen.comments import Comments
from ebpfgen.emit import render_module
from ebpfgen.model import (
    Enumeration,
    Fields,
    GeneratedType,
    Map,
    Module,
    ObjectFile,
    Overlay,
    Record,
)
from ebpfgen.target import find_target

from .btf_builder import VOID, BtfBuilder
from .building import PREAMBLE, import_text, map_definition, read_c


def made(source: str) -> Module:
    text = PREAMBLE + source
    return bind(
        read_c(text),
        ident="bpf",
        source="prog.c",
        object_name="prog.o",
        target=find_target("bpfel"),
        comments=Comments([text]),
    )


def imported(source: str) -> Any:
    return import_text(render_module(made(source)))


SOURCE = """
struct outer {
    char kind;
    union {
        u8 small;
        int bits : 5;
        struct { u16 in_struct; };
    };
    union { u8 number; char text[4]; } u;
    struct {
        union { u8 deep; };
        struct { u8 deeper; } plain;
        union { u8 deepest; } more[2];
    } in;
    struct { u32 many[40], more[40]; u8 last; } big;
};
""" + map_definition("table", "struct outer")

MISFITS = {
    "small": ("small", 300, "BpfOuter.small: 300 does not fit u8"),
    "bits": ("bits", 16, "BpfOuter.bits: 16 does not fit 5 bits with a sign"),
    "in_struct": ("in_struct", -1, "BpfOuter.in_struct: -1 does not fit u16"),
    "u.number": ("u.number", 256, "BpfOuter.u.number: 256 does not fit u8"),
    "u.text": ("u.text", b"12345", "BpfOuter.u.text: 5 bytes do not fit 4"),
    "in.deep": ("in_.deep", -1, "BpfOuter.in_.deep: -1 does not fit u8"),
    "in.plain.deeper": ("in_.plain.deeper", 256, "BpfOuter.in_.plain.deeper: 256 does not fit u8"),
    "in.more": ("in_.more.0.deepest", 256, "BpfOuter.in_.more.deepest: 256 does not fit u8"),
    "big.last": ("big.last", 256, "BpfOuter.big: BpfOuterBig.last: 256 does not fit u8"),
    "big.many": ("big.many", (1,), "BpfOuter.big: BpfOuterBig.many: 1 elements for an array of 40"),
}


@pytest.mark.parametrize(("path", "value", "message"), MISFITS.values(), ids=MISFITS)
def test_what_does_not_fit_is_called_by_the_outermost_type_with_a_name(
    path: str, value: object, message: str
) -> None:
    outer: Any = imported(SOURCE).BpfOuter
    record = outer.unpack_from(bytes(outer.SIZE))
    holder = record
    *steps, last = path.split(".")
    for step in steps:
        holder = holder[int(step)] if step.isdigit() else getattr(holder, step)
    buffer = bytearray(b"\xa5" * outer.SIZE)
    with pytest.raises(ValueError, match=r"does not fit|do not fit|elements") as caught:
        set_and_pack(record, holder, last, value, buffer)
    assert str(caught.value).startswith(message)
    assert set(buffer) == {0xA5}


def set_and_pack(record: Any, holder: Any, name: str, value: object, buffer: bytearray) -> None:
    setattr(holder, name, value)
    record.pack_into(buffer)


def test_a_union_with_a_name_is_called_by_it_wherever_it_is() -> None:
    module = imported(
        "union u { u8 a; }; struct s { union u x; };" + map_definition("m", "struct s")
    )
    with pytest.raises(ValueError, match=r"^BpfU\.a: 256 does not fit u8$"):
        module.BpfS.unpack_from(b"\0").x.a = 256


COMMENTS = """
struct outer {
    // A union.
    union {
        // In an anonymous union.
        u32 of_union;
        struct {
            // In a struct of one.
            u32 of_struct : 3;
        };
    };
    // A member.
    struct {
        // In a member.
        u32 x;
        union {
            // In a union of a member.
            u32 y;
        };
        struct {
            // In a member of a member.
            u32 z;
        } deep[2];
    } in;
    enum {
        // An enumerator.
        FIRST,
    } kind;
};
typedef struct {
    struct {
        // In a typedef.
        u32 w;
    } in;
} named_t;
// A variable.
struct {
    // In a variable.
    u32 a;
    struct {
        // In a member of a variable.
        u32 b;
    } in;
} config;
struct outer outer;
named_t named;
"""

DOCS = {
    "BpfOuterAnonymous0.of_union": "In an anonymous union.",
    "BpfOuterAnonymous0.of_struct": "In a struct of one.",
    "BpfOuter.in_": "A member.",
    "BpfOuterIn.x": "In a member.",
    "BpfOuterInAnonymous1.y": "In a union of a member.",
    "BpfOuterInDeep.z": "In a member of a member.",
    "BpfOuterKind.FIRST": "An enumerator.",
    "BpfNamedT_in.w": "In a typedef.",
    "BpfConfig.a": "In a variable.",
    "BpfConfigIn.b": "In a member of a variable.",
    "BpfConfigFields.a": "In a variable.",
    "BpfOuterFields.of_struct": "In a struct of one.",
}


def docs_of(made: GeneratedType) -> dict[str, str]:
    if isinstance(made, Enumeration):
        return {name: doc for name, _, doc in made.values}
    if isinstance(made, Overlay | Fields):
        return {member.name: member.doc for member in made.members}
    found = {field.name: field.doc for field in made.fields}
    return found | {alias.name: alias.doc for alias in made.aliases}


def test_comments_are_found_in_nameless_types() -> None:
    module = made(COMMENTS)
    found = {f"{t.name}.{name}": doc for t in module.types for name, doc in docs_of(t).items()}
    assert {name: found.get(name) for name in DOCS} == DOCS


def test_a_member_of_an_anonymous_union_has_its_comment_where_c_reaches_it() -> None:
    records = (t for t in made(COMMENTS).types if isinstance(t, Record))
    (outer,) = (record for record in records if record.c_name == "struct outer")
    assert {alias.name: alias.doc for alias in outer.aliases} == {
        "of_union": "In an anonymous union.",
        "of_struct": "In a struct of one.",
    }


def test_the_comments_are_in_the_text() -> None:
    text = render_module(made(COMMENTS))
    assert [doc for doc in DOCS.values() if f'"""{doc}' not in text] == []


def test_warnings_say_the_path() -> None:
    b = BtfBuilder()
    inner = b.struct("", 4, [("x", VOID, 0)])
    middle = b.union("", 4, [("y", inner, 0)])
    outer = b.struct("outer", 8, [("in", inner, 0), ("", middle, 32)])
    warnings = bind_value(b, outer, 8)
    assert [warning.partition(" has no type")[0] for warning in warnings] == ["struct outer.in.x"]


def test_a_nameless_value_is_called_by_its_map() -> None:
    b = BtfBuilder()
    value = b.struct("", 8, [("in", b.struct("", 4, [("x", VOID, 0)]), 0), ("y", VOID, 32)])
    warnings = bind_value(b, value, 8)
    assert [warning.partition(" has no type")[0] for warning in warnings] == [
        *("value of map table.in.x", "value of map table.y")
    ]


def bind_value(b: BtfBuilder, value: int, size: int) -> tuple[str, ...]:
    """The warnings about a map's value."""
    table = Map("table", 2, None, value, 4, size, 1)
    return bind(
        ObjectFile("little", (), (table,), b.btf()),
        ident="bpf",
        source="prog.c",
        object_name="prog.o",
        target=find_target("bpfel"),
    ).warnings


def test_an_enum_of_a_bitfield_is_named_after_its_struct() -> None:
    source = "struct pixel { enum { RED, GREEN } color : 3; };"
    module = made(source + map_definition("m", "struct pixel"))
    assert [made.name for made in module.types] == ["BpfPixelColor", "BpfPixel"]


ROOM = {
    "up to the next member": ([("a", VOID, 0), ("b", 1, 64)], [("a", 8), ("b", 4)]),
    "up to the end": ([("b", 1, 0), ("a", VOID, 32)], [("b", 4), ("a", 12)]),
    "none": ([("b", 1, 0), ("a", VOID, 128)], [("b", 4), ("a", 0)]),
}


@pytest.mark.parametrize(("members", "sizes"), ROOM.values(), ids=ROOM)
def test_a_member_without_a_type_has_the_room_it_is_in(
    members: list[tuple[str, int, int]], sizes: list[tuple[str, int]]
) -> None:
    b = BtfBuilder()
    b.integer("int", 4)
    table = Map("table", 2, None, b.struct("s", 16, members), 4, 16, 1)
    module: Any = import_text(
        render_module(
            bind(
                ObjectFile("little", (), (table,), b.btf()),
                ident="bpf",
                source="prog.c",
                object_name="prog.o",
                target=find_target("bpfel"),
            )
        )
    )
    data = bytes(range(16))
    record = module.BpfS.unpack_from(data)
    (start,) = (bits // 8 for name, _, bits in members if name == "a")
    assert record.a == data[start : start + dict(sizes)["a"]]
    assert len(record.pack()) == 16
