"""Sizes of C types, how C spells them, and what lies behind typedefs."""

from collections.abc import Callable

import pytest

from ebpfgen.btf import types as t
from ebpfgen.btf.layout import c_name, size_of, strip_names
from ebpfgen.btf.reader import Btf
from ebpfgen.btf.types import Kind
from ebpfgen.errors import ObjectError

from .btf_builder import CHAR, SIGNED, VOID, BtfBuilder

Build = Callable[[BtfBuilder], int]

# How C spells a type, its size in bytes (None: it has none), and how it is built.
TYPES: list[tuple[str, int | None, Build]] = [
    ("unsigned int", 4, lambda b: b.integer("unsigned int", 4)),
    ("__int128", 16, lambda b: b.integer("__int128", 16, SIGNED)),
    ("double", 8, lambda b: b.floating("double", 8)),
    ("void *", 8, lambda b: b.pointer(VOID)),
    ("char *", 8, lambda b: b.pointer(b.integer("char", 1, CHAR))),
    ("struct task **", 8, lambda b: b.pointer(b.pointer(b.forward("task")))),
    ("char[16]", 16, lambda b: b.array(b.integer("char", 1, CHAR), 16)),
    ("u32[2][3]", 24, lambda b: b.array(b.array(b.typedef("u32", b.integer("int", 4)), 3), 2)),
    ("u8[0]", 0, lambda b: b.array(b.typedef("u8", b.integer("unsigned char", 1)), 0)),
    ("void *[4]", 32, lambda b: b.array(b.pointer(VOID), 4)),
    ("struct event", 24, lambda b: b.struct("event", 24)),
    ("struct {…}", 12, lambda b: b.struct("", 12)),
    ("union value", 8, lambda b: b.union("value", 8)),
    ("enum color", 4, lambda b: b.enum("color", 4, [("RED", 0)])),
    ("enum wide", 8, lambda b: b.enum64("wide", [("TOP", 1 << 63)])),
    ("u64", 8, lambda b: b.typedef("u64", b.typedef("__u64", b.integer("unsigned long", 8)))),
    ("anon_t", 8, lambda b: b.typedef("anon_t", b.struct("", 8))),
    ("void", None, lambda _: VOID),
    ("struct task", None, lambda b: b.forward("task")),
    ("union task", None, lambda b: b.forward("task", is_union=True)),
]


@pytest.mark.parametrize(("name", "size", "build"), TYPES, ids=[name for name, *_ in TYPES])
def test_a_type_has_a_name_and_perhaps_a_size(name: str, size: int | None, build: Build) -> None:
    b = BtfBuilder()
    type_id = build(b)
    btf = b.btf()
    assert c_name(btf, type_id) == name
    if size is None:
        with pytest.raises(ObjectError, match="has no size"):
            size_of(btf, type_id)
    else:
        assert size_of(btf, type_id) == size


MODIFIERS = (Kind.CONST, Kind.VOLATILE, Kind.RESTRICT, Kind.TYPE_TAG)


@pytest.mark.parametrize("kind", MODIFIERS, ids=[kind.name for kind in MODIFIERS])
def test_a_modifier_changes_neither_size_nor_what_is_behind(kind: Kind) -> None:
    b = BtfBuilder()
    struct = b.struct("event", 24)
    type_id = b.modifier(kind, b.typedef("event_t", b.modifier(kind, struct)))
    btf = b.btf()
    assert size_of(btf, type_id) == 24
    assert strip_names(btf, type_id) is btf[struct]


def test_a_function_and_a_section_have_no_size() -> None:
    b = BtfBuilder()
    prototype = b.prototype(VOID)
    others = [b.function("f", prototype), b.data_section(".bss", 4), b.variable("v", VOID)]
    btf = b.btf()
    for type_id in [prototype, *others]:
        with pytest.raises(ObjectError, match="has no size"):
            size_of(btf, type_id)


LOOPS: dict[str, Build] = {
    "typedef of itself": lambda b: b.typedef("a", 1),
    "two typedefs": lambda b: b.typedef("a", 2) and b.typedef("b", 1),
    "const of itself": lambda b: b.modifier(Kind.CONST, 1),
    "array of itself": lambda b: b.array(1, 2),
    "array of a typedef of it": lambda b: b.array(2, 2) and b.typedef("a", 1),
}


@pytest.mark.parametrize("loop", LOOPS)
def test_a_loop_has_no_size(loop: str) -> None:
    b = BtfBuilder()
    type_id = LOOPS[loop](b)
    with pytest.raises(ObjectError, match="don't end"):
        size_of(b.btf(), type_id)


@pytest.mark.parametrize("loop", ["const of itself", "array of itself"])
def test_a_loop_has_no_name(loop: str) -> None:
    b = BtfBuilder()
    type_id = LOOPS[loop](b)
    with pytest.raises(ObjectError, match="doesn't end"):
        c_name(b.btf(), type_id)


def test_a_pointer_to_itself_has_a_size_and_no_name() -> None:
    b = BtfBuilder()
    btf = Btf(b.section() if b.pointer(1) else b"")
    assert size_of(btf, 1) == 8
    with pytest.raises(ObjectError, match="doesn't end"):
        c_name(btf, 1)


@pytest.mark.parametrize("loop", ["typedef of itself", "two typedefs", "const of itself"])
def test_nothing_is_behind_a_loop(loop: str) -> None:
    b = BtfBuilder()
    type_id = LOOPS[loop](b)
    with pytest.raises(ObjectError, match="don't end"):
        strip_names(b.btf(), type_id)


@pytest.mark.parametrize("read", [size_of, c_name, strip_names])
def test_a_reference_to_a_type_that_is_not_there_is_an_error(
    read: Callable[[Btf, int], object],
) -> None:
    b = BtfBuilder()
    type_id = b.typedef("a", 99)
    with pytest.raises(ObjectError, match="there is no type 99") as caught:
        read(b.btf(), type_id)
    assert caught.value.offset == 24  # the first record, after the header


def test_a_typedef_is_spelled_as_it_is_and_not_as_what_it_names() -> None:
    b = BtfBuilder()
    type_id = b.array(b.typedef("u8", b.integer("unsigned char", 1)), 6)
    btf = b.btf()
    assert c_name(btf, type_id) == "u8[6]"
    assert isinstance(strip_names(btf, type_id), t.Array)


def test_a_name_leaves_out_const() -> None:
    b = BtfBuilder()
    type_id = b.pointer(b.modifier(Kind.CONST, b.integer("char", 1, CHAR)))
    assert c_name(b.btf(), type_id) == "char *"
