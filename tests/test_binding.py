"""Facts become names and codecs; what has no better codec is bytes, and said so."""

from dataclasses import FrozenInstanceError

import pytest

from ebpfgen import runtime as rt
from ebpfgen.binding import RESERVED_ATTRIBUTES, bind
from ebpfgen.emit import render_module
from ebpfgen.errors import CollisionError, EbpfgenError, IdentifierError, ObjectError
from ebpfgen.model import Attribute, Map, Module, ObjectFile, Overlay, Program, Record
from ebpfgen.naming import Naming
from ebpfgen.records import RESERVED_MEMBERS
from ebpfgen.target import ByteOrder, find_target

from .btf_builder import VOID, BtfBuilder
from .building import bind_c, import_text, map_definition, program_definition

HASH, ARRAY, LRU_HASH = 1, 2, 9


def bind_facts(
    *facts: Program | Map,
    btf: BtfBuilder | None = None,
    ident: str = "bpf",
    naming: Naming = Naming.CAMEL,
    byte_order: ByteOrder = "little",
) -> Module:
    """The module of programs and maps that no compiler would make."""
    return bind(
        ObjectFile(
            byte_order,
            tuple(fact for fact in facts if isinstance(fact, Program)),
            tuple(fact for fact in facts if isinstance(fact, Map)),
            (btf or BtfBuilder(byte_order)).btf(),
        ),
        ident=ident,
        source="prog.c",
        object_name="prog.o",
        target=find_target("bpfel" if byte_order == "little" else "bpfeb"),
        naming=naming,
    )


def array_map(name: str, value: int | None = None, *, size: int = 0) -> Map:
    return Map(name, ARRAY, None, value, key_size=4, value_size=size, max_entries=1)


@pytest.mark.parametrize(
    ("section", "factory"), [("?kprobe/sys_execve", "kprobe"), ("xdp", "xdp"), ("other", "program")]
)
def test_the_section_decides_the_class_of_a_program(section: str, factory: str) -> None:
    (program,) = bind_facts(Program("run", section)).programs
    assert program == Attribute("Run", factory, ('"run"',), comment=f'SEC("{section}").')


MAPS = {
    "HASH": ("hash_map", ("key=rt.le.u32", "value=rt.le.u64")),
    "LRU_HASH": ("hash_map", ("key=rt.le.u32", "value=rt.le.u64")),
    "ARRAY": ("array", ("value=rt.le.u64",)),
    "PERCPU_ARRAY": ("untyped_map", ()),
    "QUEUE": ("untyped_map", ()),
}


@pytest.mark.parametrize("type_name", MAPS)
def test_the_type_decides_the_class_of_a_map(type_name: str) -> None:
    (table,) = bind_c(map_definition("my_table", "u64", type=type_name, entries=7)).maps
    factory, codecs = MAPS[type_name]
    assert table == Attribute("MyTable", factory, ('"my_table"', *codecs), comment="7 entries.")


@pytest.mark.parametrize(
    ("entries", "comment"),
    [(0, ""), (1, "1 entry."), (2, "2 entries."), (2**32 - 1, "4294967295 entries.")],
)
def test_the_comment_of_a_map_counts_its_entries(entries: int, comment: str) -> None:
    (table,) = bind_facts(Map("m", ARRAY, None, None, 4, 8, entries)).maps
    assert table.comment == comment


def test_a_map_of_sizes_has_bytes_for_keys_and_values() -> None:
    (table,) = bind_facts(Map("m", HASH, None, None, key_size=6, value_size=12, max_entries=1)).maps
    assert table.arguments == ('"m"', "key=rt.raw(6)", "value=rt.raw(12)")


CODECS = {
    "u8": "u8",
    "u16": "u16",
    "u32": "u32",
    "u64": "u64",
    "s8": "i8",
    "char": "i8",
    "short": "i16",
    "int": "i32",
    "long": "i64",
    "bool": "boolean",
    "float": "f32",
    "double": "f64",
    "void *": "u64",
    "__int128": "i128",
    "unsigned __int128": "u128",
    "const volatile u32": "u32",
}


@pytest.mark.parametrize(("target", "order"), [("bpfel", "le"), ("bpfeb", "be")])
@pytest.mark.parametrize("c_type", CODECS)
def test_a_scalar_has_a_codec_of_its_width_and_byte_order(
    c_type: str, target: str, order: str
) -> None:
    module = bind_c(map_definition("m", c_type), target)
    assert module.maps[0].arguments[1] == f"value=rt.{order}.{CODECS[c_type]}"
    assert module.warnings == ()


def test_a_signed_enum_of_new_compilers_is_read_with_its_sign() -> None:
    b = BtfBuilder()
    value = b.enum("sign", 4, [("MINUS", -1)], signed=True)
    wide = b.enum64("wide", [("MINUS", -1)], signed=True)
    maps = bind_facts(array_map("m", value), array_map("w", wide), btf=b).maps
    assert [table.arguments[1] for table in maps] == [
        "value=rt.enum(BpfSign, rt.le.i32)",
        "value=rt.enum(BpfWide, rt.le.i64)",
    ]


ARRAYS = {
    "text": ("typedef char text[16];", "rt.chars(16)"),
    "address": ("typedef u8 address[6];", "rt.raw(6)"),
    "numbers": ("typedef int numbers[3];", "rt.array_of(rt.le.i32, 3)"),
    "matrix": ("typedef u16 matrix[2][3];", "rt.array_of(rt.array_of(rt.le.u16, 3), 2)"),
    "flags": ("typedef bool flags[4];", "rt.array_of(rt.le.boolean, 4)"),
    "pairs": (
        "struct pair { u32 a, b; }; typedef struct pair pairs[2];",
        "rt.array_of(BpfPair, 2)",
    ),
    "lines": ("typedef char lines[2][8];", "rt.array_of(rt.chars(8), 2)"),
}


@pytest.mark.parametrize("c_type", ARRAYS)
def test_an_array_has_a_codec_of_its_elements(c_type: str) -> None:
    declaration, codec = ARRAYS[c_type]
    module = bind_c(declaration + map_definition("m", c_type))
    assert module.maps[0].arguments[1] == f"value={codec}"
    assert module.warnings == ()


CLASSES = {
    "a union": ("union u { u32 a; u64 b; };", "union u", "BpfU"),
    "bitfields": ("struct bits { u32 low : 3; u32 high : 29; };", "struct bits", "BpfBits"),
    "an enum": ("enum color { RED };", "enum color", "rt.enum(BpfColor, rt.le.u32)"),
    "a negative enum": ("enum sign { M = -1 };", "enum sign", "rt.enum(BpfSign, rt.le.i32)"),
    "no name": ("", "struct { u32 a; }", "BpfTableValue"),
}


@pytest.mark.parametrize(("declaration", "c_type", "codec"), CLASSES.values(), ids=CLASSES)
def test_every_type_has_a_class(declaration: str, c_type: str, codec: str) -> None:
    module = bind_c(declaration + map_definition("table", c_type))
    assert module.maps[0].arguments[1] == f"value={codec}"
    assert module.warnings == ()


def test_a_wide_enum_of_an_old_compiler_is_a_number_with_a_warning() -> None:
    b = BtfBuilder()
    value = b.enum("wide", 8, [("CUT", 0)])
    module = bind_facts(array_map("m", value, size=8), btf=b)
    assert module.maps[0].arguments[1] == "value=rt.le.u64"
    (warning,) = module.warnings
    assert "enum wide" in warning
    assert "clang 15" in warning


def test_records_come_after_those_they_contain_and_once() -> None:
    module = bind_c(
        """
        struct inner { u32 a; };
        struct middle { struct inner i; };
        struct outer { struct middle m; struct inner i; };
        """
        + map_definition("first", "struct outer", key="u32")
        + map_definition("second", "struct outer", type="HASH", key="struct inner")
    )
    assert [record.name for record in module.types] == ["BpfInner", "BpfMiddle", "BpfOuter"]


def test_a_typedef_of_an_anonymous_struct_gives_it_its_name() -> None:
    module = bind_c("typedef struct { u32 a; } my_event_t;" + map_definition("m", "my_event_t"))
    (record,) = module.types
    assert (record.name, record.c_name) == ("BpfMyEventT", "my_event_t")


def test_a_record_may_not_take_the_name_of_a_class_of_the_module() -> None:
    module = bind_c("struct objects { u32 a; };" + map_definition("m", "struct objects"))
    (record,) = module.types
    assert record.name == "BpfObjects_2"
    assert module.maps[0].arguments[1] == "value=BpfObjects_2"
    assert len(set(module.exports)) == len(module.exports)


TYPES_THAT_MEET = {
    "two structs": (
        "struct foo_bar { u32 a; }; struct fooBar { u64 b; };",
        "struct foo_bar",
        "struct fooBar",
    ),
    "a struct and a typedef": (
        "struct ev { u32 a; }; typedef struct { u64 b; } ev;",
        "struct ev",
        "ev",
    ),
    "a reserved name": (
        "struct maps { u32 a; }; struct Maps_ { u64 b; };",
        "struct maps",
        "struct Maps_",
    ),
}


@pytest.mark.parametrize(
    ("types", "first", "second"), TYPES_THAT_MEET.values(), ids=TYPES_THAT_MEET
)
def test_two_types_that_meet_have_two_names(types: str, first: str, second: str) -> None:
    source = types + map_definition("m", first) + map_definition("n", second)
    found = bind_c(source).types
    assert len({made.name for made in found}) == 2
    assert {made.c_name for made in found} == {first, second}


def test_a_program_and_a_map_that_meet_are_an_error_that_names_both() -> None:
    with pytest.raises(CollisionError) as caught:
        bind_c(program_definition("count_it", "kprobe/x") + map_definition("countIt", "u64"))
    error = caught.value
    assert (error.first, error.second, error.name) == ("count_it", "countIt", "CountIt")
    assert "--naming snake" in str(error)


def test_snake_naming_is_the_way_out_of_a_collision() -> None:
    source = program_definition("count_it", "kprobe/x") + map_definition("countIt", "u64")
    module = bind_c(source, naming=Naming.SNAKE)
    assert [module.programs[0].name, module.maps[0].name] == ["count_it", "countIt"]
    assert [module.program_specs[0].name, module.map_specs[0].name] == ["count_it", "countIt"]


def test_members_that_meet_have_two_names() -> None:
    module = bind_c("struct s { u32 _a; u32 __a; };" + map_definition("m", "struct s"))
    (record,) = module.types
    assert isinstance(record, Record)
    assert [field.name for field in record.fields] == ["_a", "_a_"]


def public(*classes: type) -> set[str]:
    return {name for class_ in classes for name in dir(class_) if not name.startswith("_")}


def test_all_that_collections_define_is_reserved() -> None:
    assert public(rt.Collection, rt.CollectionSpec) <= RESERVED_ATTRIBUTES


def test_nothing_a_map_can_be_called_replaces_what_a_collection_defines() -> None:
    instance = rt.Collection.__new__(rt.Collection)
    instance.__dict__.update(vars(rt.Collection.__new__(rt.Collection)))
    defined = {name for class_ in (rt.Collection, rt.CollectionSpec) for name in dir(class_)}
    defined |= {"_handle", "_members", "_objects"}
    for name in sorted(defined):
        for naming in Naming:
            module = bind_facts(array_map(name, size=4), naming=naming)
            assert module.maps[0].name not in defined


def test_all_that_a_generated_class_defines_is_reserved() -> None:
    text = render_module(bind_c("struct s { u32 only; };" + map_definition("m", "struct s")))
    assert public(import_text(text).BpfS) - {"only"} <= RESERVED_MEMBERS


@pytest.mark.parametrize("name", [*sorted(RESERVED_ATTRIBUTES), "lambda", "None"])
def test_reserved_names_and_keywords_get_an_underscore_in_snake_naming(name: str) -> None:
    module = bind_facts(Program(name, "kprobe/x"), naming=Naming.SNAKE)
    assert module.programs[0].name == f"{name}_"
    assert module.programs[0].arguments == (f'"{name}"',)


def test_a_program_without_a_name_for_python_is_an_error() -> None:
    with pytest.raises(IdentifierError):
        bind_facts(Program("___", "kprobe/x"))


def test_exports_are_all_names_of_the_module_in_order() -> None:
    module = bind_c("struct event { u32 a; };" + map_definition("m", "struct event"))
    assert module.exports == (
        "BpfEvent",
        "BpfMaps",
        "BpfMapSpecs",
        "BpfObjects",
        "BpfPrograms",
        "BpfProgramSpecs",
        "BpfSpecs",
        "BpfVariables",
        "BpfVariableSpecs",
        "load_bpf",
        "load_bpf_objects",
    )


def test_the_ident_names_classes_and_functions() -> None:
    module = bind_facts(ident="my_probe")
    assert module.prefix == "MyProbe"
    assert "MyProbeObjects" in module.exports
    assert "load_my_probe_objects" in module.exports


def malformed(name: str) -> tuple[BtfBuilder, int]:
    b = BtfBuilder()
    u32 = b.integer("u32", 4)
    match name:
        case "a member lies outside":
            return b, b.struct("s", 4, [("a", u32, 0), ("b", u32, 32)])
        case "an array of itself":
            return b, b.array(u32 + 1, 2)
        case "a member without a size":
            return b, b.struct("s", 4, [("a", VOID, 0)])
        case "a member of no type":
            return b, b.struct("s", 4, [("a", 99, 0)])
        case "structs nested without end":
            inner = b.struct("s0", 4, [("a", u32, 0)])
            for depth in range(1, 3000):
                inner = b.struct(f"s{depth}", 4, [("a", inner, 0)])
            return b, inner
        case _:
            return b, b.typedef("t", 2)


@pytest.mark.parametrize(
    "name",
    [
        "a member lies outside",
        "an array of itself",
        "a member without a size",
        "a member of no type",
        "structs nested without end",
        "a typedef of itself",
    ],
)
def test_a_malformed_type_is_an_object_error(name: str) -> None:
    b, value = malformed(name)
    with pytest.raises(ObjectError):
        bind_facts(array_map("m", value, size=8), btf=b)


def test_a_struct_whose_members_overlap_is_read_like_a_union() -> None:
    b = BtfBuilder()
    u32 = b.integer("u32", 4)
    value = b.struct("s", 8, [("a", u32, 0), ("b", u32, 16)])
    (overlay,) = bind_facts(array_map("m", value, size=8), btf=b).types
    assert isinstance(overlay, Overlay)
    assert [member.name for member in overlay.members] == ["a", "b"]


def test_a_struct_that_contains_itself_ends() -> None:
    b = BtfBuilder()
    value = b.struct("s", 4, [("a", 1, 0)])
    try:
        bind_facts(array_map("m", value, size=4), btf=b)
    except EbpfgenError:
        return


def test_a_module_to_be_does_not_change() -> None:
    module = bind_facts()
    with pytest.raises(FrozenInstanceError):
        module.ident = "other"  # type: ignore[misc]
