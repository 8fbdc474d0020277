"""BTF of every kind, in either byte order, becomes types; anything else is an ObjectError."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from ebpfgen.btf import types as t
from ebpfgen.btf.reader import Btf
from ebpfgen.btf.types import Kind
from ebpfgen.errors import ObjectError
from ebpfgen.target import ByteOrder

from .btf_builder import BOOL, BYTE_ORDERS, CHAR, SIGNED, VOID, BtfBuilder
from .kernel_vm import Lacking

VMLINUX = Path("/sys/kernel/btf/vmlinux")

both_orders = pytest.mark.parametrize("byte_order", BYTE_ORDERS)


def every_kind(byte_order: ByteOrder) -> tuple[BtfBuilder, list[t.Type]]:
    """A section with each kind, and what it says."""
    b = BtfBuilder(byte_order)
    expected: list[t.Type] = [t.Void()]

    def have(type_id: int, btf_type: t.Type) -> int:
        assert type_id == len(expected)
        expected.append(btf_type)
        return type_id

    u32 = have(
        b.integer("unsigned int", 4),
        t.Int("unsigned int", 4, 32, signed=False, is_char=False, is_bool=False),
    )
    have(
        b.integer("char", 1, SIGNED | CHAR),
        t.Int("char", 1, 8, signed=True, is_char=True, is_bool=False),
    )
    have(
        b.integer("_Bool", 1, BOOL), t.Int("_Bool", 1, 8, signed=False, is_char=False, is_bool=True)
    )
    have(
        b.integer("odd", 8, SIGNED, bits=33),
        t.Int("odd", 8, 33, signed=True, is_char=False, is_bool=False),
    )
    have(b.pointer(VOID), t.Ptr(0))
    have(b.pointer(u32), t.Ptr(u32))
    have(b.array(u32, 0x1020304), t.Array(u32, 1, 0x1020304))
    have(
        b.struct("pair", 8, [("a", u32, 0), ("b", u32, 32)]),
        t.Struct("pair", 8, (t.Member("a", u32, 0, 0), t.Member("b", u32, 32, 0))),
    )
    have(
        b.struct("big", 0x4000000, [("far", u32, 0x1FFFFFE0)]),
        t.Struct("big", 0x4000000, (t.Member("far", u32, 0x1FFFFFE0, 0),)),
    )
    have(
        b.bitfields("bits", 4, [("low", u32, 0, 3), ("whole", u32, 0xABCDE0, 0)]),
        t.Struct("bits", 4, (t.Member("low", u32, 0, 3), t.Member("whole", u32, 0xABCDE0, 0))),
    )
    have(
        b.union("", 4, [("", u32, 0), ("x", u32, 0)]),
        t.Union("", 4, (t.Member("", u32, 0, 0), t.Member("x", u32, 0, 0))),
    )
    have(
        b.enum("flags", 4, [("NONE", 0), ("TOP", 0x80000000)]),
        t.Enum("flags", 4, False, (t.Enumerator("NONE", 0), t.Enumerator("TOP", 1 << 31))),
    )
    have(
        b.enum("result", 4, [("FAILED", -1)], signed=True),
        t.Enum("result", 4, True, (t.Enumerator("FAILED", -1),)),
    )
    have(
        b.enum64("wide", [("TOP", 1 << 63), ("LOW", 7)]),
        t.Enum("wide", 8, False, (t.Enumerator("TOP", 1 << 63), t.Enumerator("LOW", 7))),
    )
    have(
        b.enum64("wide_signed", [("LEAST", -(1 << 63)), ("PLUS", 1 << 40)], signed=True),
        t.Enum(
            "wide_signed",
            8,
            True,
            (t.Enumerator("LEAST", -(1 << 63)), t.Enumerator("PLUS", 1 << 40)),
        ),
    )
    have(b.forward("task"), t.Fwd("task", is_union=False))
    have(b.forward("sel", is_union=True), t.Fwd("sel", is_union=True))
    have(b.typedef("u32", u32), t.Typedef("u32", u32))
    have(b.modifier(Kind.VOLATILE, u32), t.Modifier(Kind.VOLATILE, u32))
    have(b.modifier(Kind.CONST, VOID), t.Modifier(Kind.CONST, VOID))
    have(b.modifier(Kind.RESTRICT, u32), t.Modifier(Kind.RESTRICT, u32))
    have(b.modifier(Kind.TYPE_TAG, u32, "user"), t.Modifier(Kind.TYPE_TAG, u32, "user"))
    prototype = have(
        b.prototype(u32, [("ctx", u32), ("", VOID)]),
        t.FuncProto(u32, (t.Param("ctx", u32), t.Param("", VOID))),
    )
    have(b.function("probe", prototype, t.Linkage.GLOBAL), t.Func("probe", prototype, 1))
    variable = have(b.variable("table", u32, t.Linkage.STATIC), t.Var("table", u32, 0))
    have(
        b.data_section(".maps", 32, [(variable, 0, 32)]),
        t.DataSection(".maps", 32, (t.SectionVariable(variable, 0, 32),)),
    )
    have(b.floating("double", 8), t.Float("double", 8))
    have(b.declaration_tag("mark", prototype), t.DeclTag("mark", prototype, -1))
    have(b.declaration_tag("first", prototype, 0), t.DeclTag("first", prototype, 0))
    return b, expected


@both_orders
def test_every_kind_is_decoded(byte_order: ByteOrder) -> None:
    builder, expected = every_kind(byte_order)
    btf = builder.btf()
    assert btf.byte_order == byte_order
    assert len(btf) == len(expected)
    assert [btf_type for _, btf_type in btf] == expected
    assert [type_id for type_id, _ in btf] == list(range(len(expected)))


def test_the_list_above_has_every_kind() -> None:
    btf = every_kind("little")[0].btf()
    assert [kind for kind in Kind if kind and not list(btf.ids_of(kind))] == []


@both_orders
def test_ids_are_found_by_kind_and_data_sections_by_name(byte_order: ByteOrder) -> None:
    b = BtfBuilder(byte_order)
    u32 = b.integer("u32", 4)
    bss = b.data_section(".bss", 4, [(b.variable("counter", u32), 0, 4)])
    maps = b.data_section(".maps", 8)
    btf = b.btf()
    assert list(btf.ids_of(Kind.DATASEC)) == [bss, maps]
    assert list(btf.ids_of(Kind.UNION)) == []
    assert btf.data_section(".maps") == t.DataSection(".maps", 8, ())
    assert btf.data_section(".rodata") is None


@both_orders
def test_a_type_is_the_same_object_however_often_it_is_asked_for(byte_order: ByteOrder) -> None:
    b = BtfBuilder(byte_order)
    u32 = b.integer("u32", 4)
    btf = b.btf()
    assert btf[u32] is btf[u32]


def test_btf_without_types_has_void_alone() -> None:
    btf = BtfBuilder().btf()
    assert list(btf) == [(0, t.Void())]


@pytest.mark.parametrize("type_id", [-1, 2, 1 << 31])
def test_a_type_that_is_not_there_is_an_error_that_names_it(type_id: int) -> None:
    b = BtfBuilder()
    b.integer("u32", 4)
    with pytest.raises(ObjectError, match=rf"there is no type {type_id} in \.BTF"):
        b.btf()[type_id]


HEADER = 24


@pytest.mark.parametrize(
    ("data", "message", "offset"),
    [
        (b"", "0 bytes are too few for BTF", 0),
        (bytes(HEADER), "0000 is no BTF magic number", 0),
        (BtfBuilder().section(version=2), "BTF version 2 is unknown", 2),
        (BtfBuilder().section()[:-1], "the BTF header points outside the section", 4),
        (BtfBuilder().section()[:-1] + b"x", "the BTF strings don't begin and end", HEADER),
    ],
)
def test_a_bad_frame_is_an_error_with_its_offset(data: bytes, message: str, offset: int) -> None:
    with pytest.raises(ObjectError, match=message) as caught:
        Btf(data)
    assert caught.value.offset == offset
    assert caught.value.where == ".BTF"
    assert str(caught.value).endswith(f"in .BTF at offset {offset:#x}")


@both_orders
def test_an_unknown_kind_is_an_error_with_its_offset(byte_order: ByteOrder) -> None:
    b = BtfBuilder(byte_order)
    b.integer("u32", 4)
    b.add(20)
    with pytest.raises(ObjectError, match="BTF kind 20 is unknown") as caught:
        b.btf()
    assert caught.value.offset == HEADER + 16


@both_orders
def test_a_type_cut_short_is_an_error_with_its_offset(byte_order: ByteOrder) -> None:
    b = BtfBuilder(byte_order)
    b.integer("u32", 4)
    b.add(Kind.STRUCT, "s", 8, count=2, tail=[0, 1, 0])  # two members said, one there
    with pytest.raises(ObjectError, match="a BTF type is cut short") as caught:
        b.btf()
    assert caught.value.offset == HEADER + 16


@both_orders
def test_a_name_outside_the_strings_is_an_error_where_it_is_used(byte_order: ByteOrder) -> None:
    b = BtfBuilder(byte_order)
    member = b.struct("s", 4, [("m", VOID, 0)])
    data = bytearray(b.section())
    data[HEADER + 12 : HEADER + 16] = (0x10000).to_bytes(4, byte_order)
    btf = Btf(bytes(data))
    with pytest.raises(ObjectError, match="a BTF name lies outside the strings") as caught:
        btf[member]
    assert caught.value.offset == HEADER + 12


def test_a_name_that_is_not_utf8_is_an_error_where_it_stands() -> None:
    b = BtfBuilder()
    b.add(Kind.FLOAT, b"\xff", 4)
    with pytest.raises(ObjectError, match="a BTF name is not UTF-8") as caught:
        b.btf()[1]
    assert caught.value.offset == HEADER + 12 + 1


def test_a_name_without_an_end_is_an_error_where_it_stands() -> None:
    b = BtfBuilder()
    b.add(Kind.FLOAT, b"x" * 4096, 4)
    b.add(Kind.FLOAT, b"x" * 4097, 4)
    btf = b.btf()
    assert btf[1] == t.Float("x" * 4096, 4)
    with pytest.raises(ObjectError, match="a BTF name has more than 4096 bytes") as caught:
        btf[2]
    assert caught.value.offset == HEADER + 24 + 1 + 4097


REFERENCES: dict[str, Callable[[BtfBuilder], int]] = {
    "pointer": lambda b: b.pointer(9),
    "typedef": lambda b: b.typedef("t", 9),
    "const": lambda b: b.modifier(Kind.CONST, 9),
    "volatile": lambda b: b.modifier(Kind.VOLATILE, 9),
    "restrict": lambda b: b.modifier(Kind.RESTRICT, 9),
    "type tag": lambda b: b.modifier(Kind.TYPE_TAG, 9, "user"),
    "member": lambda b: b.struct("s", 8, [("a", VOID, 0), ("b", 9, 32)]),
    "return type": lambda b: b.prototype(9),
    "parameter": lambda b: b.prototype(VOID, [("a", 9)]),
    "function": lambda b: b.function("f", 9),
    "variable": lambda b: b.variable("v", 9),
    "variable of a section": lambda b: b.data_section(".bss", 4, [(9, 0, 4)]),
    "tag": lambda b: b.declaration_tag("mark", 9),
}
# Where the id is, from the record's beginning, of those that are not found by it.
ENTRIES = {"member": 24, "parameter": 12, "variable of a section": 12}


@both_orders
@pytest.mark.parametrize("name", REFERENCES)
def test_a_reference_to_a_type_that_is_not_there_is_an_error_where_it_stands(
    name: str, byte_order: ByteOrder
) -> None:
    b = BtfBuilder(byte_order)
    b.integer("int", 4)
    btf_type = REFERENCES[name](b)
    btf = b.btf()
    with pytest.raises(ObjectError, match="there is no type 9") as caught:
        btf[btf_type]
    assert caught.value.offset == btf.offset_of(btf_type) + ENTRIES.get(name, 0)
    assert btf.offset_of(btf_type) == HEADER + 16


def test_an_array_of_what_is_not_there_is_one_of_void() -> None:
    b = BtfBuilder()
    array = b.array(0x7FFF, 4)
    assert b.btf()[array] == t.Array(VOID, 1, 4)


def decode_all(data: bytes) -> list[ObjectError]:
    """Decode every type, and return the errors; any other exception is the test's failure."""
    errors = []
    try:
        btf = Btf(data)
    except ObjectError as error:
        return [error]
    for type_id in range(len(btf)):
        try:
            btf[type_id]
        except ObjectError as error:
            errors.append(error)
    return errors


def check_errors(data: bytes) -> None:
    """Each error says where."""
    assert [error for error in decode_all(data) if error.offset is None] == []


@both_orders
def test_no_truncation_is_read_as_a_whole(byte_order: ByteOrder) -> None:
    data = every_kind(byte_order)[0].section()
    for length in range(len(data)):
        with pytest.raises(ObjectError) as caught:
            Btf(data[:length])
        assert caught.value.offset is not None


@both_orders
@given(data=st.data())
def test_changed_bytes_give_types_or_an_error(byte_order: ByteOrder, data: st.DataObject) -> None:
    section = bytearray(every_kind(byte_order)[0].section())
    for place in data.draw(st.lists(st.integers(0, len(section) - 1), min_size=1, max_size=3)):
        section[place] = data.draw(st.integers(0, 255))
    check_errors(bytes(section))


@both_orders
def test_any_bit_of_the_header_and_the_records_may_be_wrong(byte_order: ByteOrder) -> None:
    section = every_kind(byte_order)[0].section()
    for place in range(len(section)):
        for bit in (0, 4, 7):
            changed = bytearray(section)
            changed[place] ^= 1 << bit
            check_errors(bytes(changed))


@given(st.binary(max_size=200))
def test_any_bytes_after_a_good_header_give_types_or_an_error(rest: bytes) -> None:
    check_errors(BtfBuilder().section()[:HEADER] + rest)


def test_the_running_kernels_btf_is_read() -> None:
    if not VMLINUX.is_file():
        raise Lacking(f"this kernel has no {VMLINUX} (CONFIG_DEBUG_INFO_BTF)")
    btf = Btf(VMLINUX.read_bytes())
    assert len(btf) > 10_000
    structs = {
        btf_type.name: btf_type
        for type_id in btf.ids_of(Kind.STRUCT)
        if isinstance(btf_type := btf[type_id], t.Struct)
    }
    members = {member.name for member in structs["task_struct"].members}
    assert {"pid", "tgid", "comm"} <= members
