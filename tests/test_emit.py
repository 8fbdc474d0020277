"""Modules become text that is Python, whatever C had for names, and that reads what C wrote."""

import ast
import ctypes
import struct
from typing import Any

import pytest
from hypothesis import example, given, settings, strategies as st

from ebpfgen.binding import bind, quoted
from ebpfgen.emit import bracketed, comprehension, plain, render_facade, render_module
from ebpfgen.model import Facade, Map, ObjectFile, Program, Variant
from ebpfgen.stamp import MARK
from ebpfgen.target import ByteOrder, find_target

from .btf_builder import BOOL, BYTE_ORDERS, SIGNED, VOID, BtfBuilder
from .building import bind_c, import_text, map_definition, program_definition

ORDERS = [("bpfel", "<"), ("bpfeb", ">")]

VALUE = """
struct point { s8 x; s16 y; };
enum color { RED, GREEN = 5 };
typedef struct { u32 number; } named_t;
struct value {
    char text[8];
    u8 address[6];
    int numbers[3];
    struct point point;
    void *pointer;
    void (*function)(void);
    enum color color;
    bool flag;
    float single;
    double real;
    named_t named;
    u8 last;
};
"""


def generated(source: str, target: str = "bpfel") -> Any:
    """What the generated module of C defines."""
    return import_text(render_module(bind_c(source, target)))


@pytest.mark.parametrize(("target", "order"), ORDERS)
def test_a_record_is_what_c_has_in_memory(target: str, order: str) -> None:
    module = generated(VALUE + map_definition("m", "struct value"), target)
    in_memory = struct.pack(
        f"{order}8s6s2x3ib1xhQQI?3xfxxxxdIB3x",
        *(b"name", b"\1\2\3\0\5\0", -1, 0, 7, -8, -300, 1 << 63, 5),
        *(5, True, 1.5, -2.25, 0xDEADBEEF, 255),
    )
    value = module.BpfValue(
        text=b"name",
        address=b"\1\2\3\0\5\0",
        numbers=(-1, 0, 7),
        point=module.BpfPoint(-8, -300),
        pointer=1 << 63,
        function=5,
        color=5,
        flag=True,
        single=1.5,
        real=-2.25,
        named=module.BpfNamedT(0xDEADBEEF),
        last=255,
    )
    assert len(in_memory) == module.BpfValue.SIZE
    assert value.pack() == in_memory
    assert module.BpfValue.unpack_from(in_memory) == value
    into = bytearray(len(in_memory) + 5)
    value.pack_into(into, 3)
    assert bytes(into) == bytes(3) + in_memory + bytes(2)
    assert module.BpfValue.unpack_from(memoryview(into), 3) == value


def test_text_ends_at_the_first_nul_and_bytes_do_not() -> None:
    source = "struct s { char text[4]; u8 raw[4]; };" + map_definition("m", "struct s")
    record = generated(source).BpfS.unpack_from(b"a\0bcd\0ef")
    assert (record.text, record.raw) == (b"a", b"d\0ef")
    full = generated(source).BpfS.unpack_from(b"abcdefgh")
    assert full.text == b"abcd"


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("char a[2]", b"abc"),
        ("u8 a[2]", b"abc"),
        ("int a[2]", (1,)),
        ("int a[2]", (1, 2, 3)),
        ("u8 a", 256),
        ("s16 a", 40000),
    ],
)
def test_a_value_that_does_not_fit_its_member_is_a_value_error(member: str, value: object) -> None:
    module = generated(f"struct s {{ {member}; }};" + map_definition("m", "struct s"))
    with pytest.raises(ValueError, match=r"fit|elements for"):
        module.BpfS(value).pack()


# None of these has padding, whose bytes mean nothing.
BYTES_STAY = {
    "union": "struct s { u64 before; union { u8 a; u64 b; } u; };",
    "nested array": "struct s { u16 a; u16 m[3][2]; };",
    "array of structs": "struct p { u32 a; u32 b; }; struct s { u32 a; struct p m[2]; };",
    "128 bits": "struct s { __int128 a; };",
    "anonymous struct": "struct s { u32 a; struct { u32 x, y; }; u32 b; };",
    "anonymous union": "struct s { u32 a; union { u32 x; u16 y; }; };",
    "bitfields": "struct s { u32 a : 3; u32 b : 29; u32 c; };",
}


@pytest.mark.parametrize("target", ["bpfel", "bpfeb"])
@pytest.mark.parametrize("source", BYTES_STAY.values(), ids=BYTES_STAY)
def test_what_has_no_padding_is_written_back_as_it_was_read(source: str, target: str) -> None:
    codec = codec_of(render_module(bind_c(source + map_definition("m", "struct s"), target)))
    in_memory = bytes(range(1, codec.SIZE + 1))
    read = codec.unpack_from(in_memory)
    written = read if isinstance(read, bytes) else read.pack()
    assert written == in_memory


def codec_of(text: str) -> Any:
    """The codec of the first map's values, as the module's text names it."""
    module = import_text(text)
    expression = text.partition("value=")[2].partition(")\n")[0]
    return eval(expression, vars(module))


# What a generated class, or the text around it, uses as a name itself.
NAMES = "bytes bool tuple str self cls buffer offset v rt dataclass classmethod ClassVar Buffer"
NAMES += " value field SIZE pack pack_into unpack_from __init__ __slots__ BpfS"


@pytest.mark.parametrize("name", NAMES.split())
def test_a_member_may_have_any_name(name: str) -> None:
    source = f"struct s {{ u32 {name}; u8 text[4]; int more[2]; }};" + map_definition(
        "m", "struct s"
    )
    record = generated(source).BpfS
    in_memory = struct.pack("<I4s2i", 7, b"abcd", 1, -1)
    assert record.unpack_from(in_memory).pack() == in_memory
    assert record(7, b"abcd", (1, -1)) == record.unpack_from(in_memory)


def test_an_array_of_anonymous_structs_may_be_called_like_its_owner() -> None:
    module = generated("struct { struct { int b; } b[1]; struct { long b; } b_b[1]; } B;")
    record = module.BpfB.unpack_from(bytes(range(16)))
    assert (record.b[0].b, record.b_b[0].b) == (0x03020100, 0x0F0E0D0C0B0A0908)
    assert record.pack() == bytes([0, 1, 2, 3, 0, 0, 0, 0, *range(8, 16)])


def test_an_empty_struct_has_no_bytes() -> None:
    module = generated("struct s {};" + map_definition("m", "struct s"))
    assert module.BpfS().pack() == b""
    assert module.BpfS.unpack_from(b"") == module.BpfS()


# Scalars as BTF says them and as ctypes, which lays them out by itself, has them.
SCALARS: dict[str, tuple[int, Any, Any]] = {
    "u8": (1, ctypes.c_uint8, st.integers(0, 255)),
    "s8": (1, ctypes.c_int8, st.integers(-128, 127)),
    "u16": (2, ctypes.c_uint16, st.integers(0, 65535)),
    "s32": (4, ctypes.c_int32, st.integers(-(1 << 31), (1 << 31) - 1)),
    "u64": (8, ctypes.c_uint64, st.integers(0, (1 << 64) - 1)),
    "bool": (1, ctypes.c_uint8, st.booleans()),
    "double": (8, ctypes.c_double, st.floats(allow_nan=False)),
}


def scalar(b: BtfBuilder, name: str) -> int:
    if name == "double":
        return b.floating(name, 8)
    encoding = BOOL if name == "bool" else SIGNED if name.startswith("s") else 0
    return b.integer(name, SCALARS[name][0], encoding)


@pytest.mark.parametrize("byte_order", BYTE_ORDERS)
@given(data=st.data())
@settings(max_examples=60)
def test_records_lie_in_memory_as_ctypes_lays_them_out(
    byte_order: ByteOrder, data: st.DataObject
) -> None:
    names = data.draw(st.lists(st.sampled_from(sorted(SCALARS)), max_size=12))
    fields = [(f"m{i}", SCALARS[name][1]) for i, name in enumerate(names)]
    base: Any = (
        ctypes.LittleEndianStructure if byte_order == "little" else ctypes.BigEndianStructure
    )
    layout: Any = type("Layout", (base,), {"_fields_": fields})
    b = BtfBuilder(byte_order)
    members = [
        (f"m{i}", scalar(b, name), 8 * getattr(layout, f"m{i}").offset)
        for i, name in enumerate(names)
    ]
    value = b.struct("s", ctypes.sizeof(layout), members)
    module: Any = import_text(render_facts([Map("m", 2, None, value, 4, 0, 1)], b))
    values = [data.draw(SCALARS[name][2]) for name in names]
    assert module.BpfS(*values).pack() == bytes(layout(*values))
    assert module.BpfS.unpack_from(bytes(layout(*values))) == module.BpfS(*values)


def render_facts(
    maps: list[Map], b: BtfBuilder, programs: tuple[Program, ...] = (), source: str = "prog.c"
) -> str:
    """The text of a module of facts that no compiler would make."""
    return render_module(
        bind(
            ObjectFile(b.byte_order, programs, tuple(maps), b.btf()),
            ident="bpf",
            source=source,
            object_name="prog.o",
            target=find_target("bpfel" if b.byte_order == "little" else "bpfeb"),
        )
    )


class Skeleton(ast.NodeTransformer):
    """What a module does, without its names and texts."""

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        return ast.Constant("" if isinstance(node.value, str) else node.value)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Name("", node.ctx)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.name = ""
        return self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        node.attr = ""
        return self.generic_visit(node)


def skeleton(text: str) -> str:
    return ast.dump(Skeleton().visit(ast.parse(text)))


def with_names(
    program: str, section: str, table: str, type_name: str, member: str, source: str
) -> str:
    b = BtfBuilder()
    inner = b.struct(type_name, 4, [("only", b.integer("u32", 4), 0)])
    outer = b.struct(
        "outer",
        12,
        [
            (member, inner, 0),
            ("plain", b.typedef(type_name, VOID + 1), 32),
            ("blob", b.union(type_name, 4), 64),
        ],
    )
    maps = [Map(table, 1, None, outer, 4, 12, 1)]
    return render_facts(maps, b, (Program(program, section),), source)


# Text made of what ends, begins or escapes Python's own strings, comments and lines.
HOSTILE = st.text(alphabet="\"'\\\n\r\x0b\x0c\x1c\x85\u2028#{}%()x\0\t é😀", max_size=12)
HARMLESS = with_names("run", "kprobe/x", "table", "inner", "member", "prog.c")


@settings(max_examples=300)
@given(*[HOSTILE] * 6)
@example("", '"""\nimport os\n"""', "", "", "", "")
@example("", "", "", 'x"', "", "")
@example("", "", "", "x\\", "", "")
@example("", "", "", "", "", '"""\nimport os')
@example("", "", "", "", "", "\nimport os")
@example("", "", 'x", key=__import__("os")', "", "", "")
def test_no_name_can_become_code(
    program: str, section: str, table: str, type_name: str, member: str, source: str
) -> None:
    # Something to name each thing in Python stands before the hostile part.
    text = with_names(
        f"run{program}",
        f"kprobe/{section}",
        f"table{table}",
        f"inner{type_name}",
        f"member{member}",
        f"p{source}",
    )
    assert skeleton(text) == skeleton(HARMLESS)


@settings(max_examples=300)
@given(HOSTILE)
def test_no_source_name_can_become_code_in_a_facade(source: str) -> None:
    variants = (Variant("bpf_bpfel", "little", (), ("Bpf",)),)
    assert skeleton(render_facade(Facade(f"p{source}", variants, True))) == skeleton(
        render_facade(Facade("prog.c", variants, True))
    )


@given(st.text(max_size=30) | HOSTILE)
@example("😀")
@example("\ud800")
def test_a_quoted_text_is_that_text_to_python(text: str) -> None:
    literal = quoted(text)
    assert ast.literal_eval(literal) == text
    assert literal.isascii()
    assert len(literal.splitlines()) == 1


@given(st.text(max_size=30) | HOSTILE)
@example('ends with a quote"')
@example('""""')
@example("ends with a backslash\\")
def test_plain_text_can_end_neither_a_comment_nor_a_docstring(text: str) -> None:
    shown = plain(text)
    assert len(f"# {shown}x".splitlines()) == 1
    (statement,) = ast.parse(f'"""{shown}"""').body
    assert isinstance(statement, ast.Expr)
    assert isinstance(statement.value, ast.Constant)


def test_names_of_real_sections_and_files_reach_the_text_whole() -> None:
    text = render_module(bind_c(program_definition("run", 'kprobe/a\\"b')))
    assert 'SEC("kprobe/a' in text
    assert import_text(text).BpfProgramSpecs.Run.c_name == "run"


@pytest.mark.parametrize("word", ["# fmt: off", "# ruff: noqa"])
def test_formatters_and_linters_leave_the_text_alone(word: str) -> None:
    facade = Facade("prog.c", (Variant("bpf_bpfel", "little", (), ("Bpf",)),), in_package=False)
    for text in (HARMLESS, render_facade(facade)):
        assert text.startswith(MARK)
        assert text.splitlines()[0].endswith("; DO NOT EDIT.")
        assert word in text.splitlines()[:3]


BRACKETED = {
    "fits": (("f(", ["a", "b"], ")"), "f(a, b)"),
    "nothing in it": (("f(", [], ")"), "f()"),
    "fits on a line of its own": (
        ("f" * 60 + "(", ["a" * 20, "b" * 20], ")"),
        f"{'f' * 60}(\n    {'a' * 20}, {'b' * 20}\n)",
    ),
    "one item a line": (
        ("f(", ["a" * 50, "b" * 50], ")"),
        f"f(\n    {'a' * 50},\n    {'b' * 50},\n)",
    ),
    "one long item": (("f" * 60 + "(", ["a" * 40], ")"), f"{'f' * 60}(\n    {'a' * 40}\n)"),
}


@pytest.mark.parametrize(("arguments", "text"), BRACKETED.values(), ids=BRACKETED)
def test_brackets_are_wrapped_as_formatters_do(
    arguments: tuple[str, list[str], str], text: str
) -> None:
    assert bracketed(*arguments) == text


@pytest.mark.parametrize("columns", [88, 89])
def test_a_line_may_have_88_columns(columns: int) -> None:
    lines = bracketed("f(", ["a" * (columns - 4 - 3)], ")", indent=4).splitlines()
    assert (len(lines) == 1) == (columns == 88)


COMPREHENSIONS = {
    "fits": (["a", "b"], "return [f(a, b) for v in rows]"),
    "fits on a line of its own": (
        ["a" * 65],
        f"return [\n    f({'a' * 65}) for v in rows\n]",
    ),
    "a line for each part": (
        ["a" * 70],
        f"return [\n    f({'a' * 70})\n    for v in rows\n]",
    ),
    "a line for each item": (
        ["a" * 50, "b" * 50],
        f"return [\n    f(\n        {'a' * 50},\n        {'b' * 50},\n    )\n    for v in rows\n]",
    ),
}


@pytest.mark.parametrize(("items", "text"), COMPREHENSIONS.values(), ids=COMPREHENSIONS)
def test_a_comprehension_is_wrapped_as_formatters_do(items: list[str], text: str) -> None:
    assert comprehension("return ", "f", items, "for v in rows", 0) == text
