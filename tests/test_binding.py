"""Facts become names and codecs; what has no better codec is bytes, and said so."""

import re
from typing import Any

import pytest

from ebpfgen import runtime as rt
from ebpfgen.binding import RESERVED_ATTRIBUTES, bind
from ebpfgen.emit import render_module
from ebpfgen.errors import (
    EbpfgenError,
    IdentifierError,
    ObjectError,
    SelectionError,
)
from ebpfgen.members import RESERVED_MEMBERS
from ebpfgen.model import Attribute, Map, Module, ObjectFile, Overlay, Program, Record
from ebpfgen.naming import Naming
from ebpfgen.selection import Selection
from ebpfgen.target import ByteOrder, find_target

from .btf_builder import VOID, BtfBuilder
from .building import (
    PREAMBLE,
    bind_c,
    import_text,
    map_definition,
    program_definition,
    read_c,
)

HASH, ARRAY, LRU_HASH, ARRAY_OF_MAPS, QUEUE = 1, 2, 9, 12, 22


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


KEY, VALUE = "key=rt.le.u32", "value=rt.le.u64"
MAPS: dict[str, tuple[str, tuple[str, ...]]] = {
    "HASH": ("hash_map", (KEY, VALUE)),
    "LRU_HASH": ("lru_hash", (KEY, VALUE)),
    "PERCPU_HASH": ("percpu_hash", (KEY, VALUE)),
    "LRU_PERCPU_HASH": ("lru_percpu_hash", (KEY, VALUE)),
    "LPM_TRIE": ("lpm_trie", (KEY, VALUE)),
    "DEVMAP_HASH": ("devmap_hash", (KEY, VALUE)),
    "CGROUP_STORAGE": ("cgroup_storage", (KEY, VALUE)),
    "PERCPU_CGROUP_STORAGE": ("percpu_cgroup_storage", (KEY, VALUE)),
    "ARRAY": ("array", (VALUE,)),
    "PERCPU_ARRAY": ("percpu_array", (VALUE,)),
    "DEVMAP": ("devmap", (VALUE,)),
    "CPUMAP": ("cpumap", (VALUE,)),
    "QUEUE": ("queue", (VALUE,)),
    "STACK": ("stack", (VALUE,)),
    "BLOOM_FILTER": ("bloom_filter", (VALUE,)),
    "SK_STORAGE": ("sk_storage", (VALUE,)),
    "TASK_STORAGE": ("task_storage", (VALUE,)),
    "INODE_STORAGE": ("inode_storage", (VALUE,)),
    "CGRP_STORAGE": ("cgrp_storage", (VALUE,)),
    "SOCKHASH": ("sockhash", (KEY,)),
    "SOCKMAP": ("sockmap", ()),
    "REUSEPORT_SOCKARRAY": ("reuseport_sockarray", ()),
    "XSKMAP": ("xskmap", ()),
    "PROG_ARRAY": ("prog_array", ()),
    "CGROUP_ARRAY": ("cgroup_array", ()),
    "STACK_TRACE": ("stack_trace", ()),
    "STRUCT_OPS": ("struct_ops", ()),
    "ARENA": ("arena", ()),
    "INSN_ARRAY": ("untyped_map", ()),
}


@pytest.mark.parametrize("type_name", MAPS)
def test_the_type_decides_the_class_of_a_map(type_name: str) -> None:
    (table,) = bind_c(map_definition("my_table", "u64", type=type_name, entries=7)).maps
    factory, codecs = MAPS[type_name]
    assert table == Attribute("MyTable", factory, ('"my_table"', *codecs), comment="7 entries.")
    assert hasattr(rt, factory)


OUTER = """
struct {{
	__uint(type, BPF_MAP_TYPE_{type});
	__uint(max_entries, 2);
	__type(key, u64);
	__array(values, struct {{
		__uint(type, BPF_MAP_TYPE_HASH);
		__uint(max_entries, 3);
		__type(key, u32);
		__type(value, struct entry);
	}});
}} outer SEC(".maps");
"""


@pytest.mark.parametrize(
    ("type_name", "factory", "key"),
    [("ARRAY_OF_MAPS", "array_of_maps", ()), ("HASH_OF_MAPS", "hash_of_maps", ("key=rt.le.u64",))],
)
def test_a_map_of_maps_declares_what_it_holds(
    type_name: str, factory: str, key: tuple[str, ...]
) -> None:
    source = "struct entry { u32 a; };" + map_definition("own", "struct entry")
    module = bind_c(source + OUTER.format(type=type_name))
    inner = 'inner=rt.hash_map("outer_inner", key=rt.le.u32, value=BpfEntry)'
    *arguments, types = module.maps[1].arguments
    assert arguments == ['"outer"', *key, inner]
    assert re.fullmatch(r"types=\(\d+, \d+\)", types)
    assert module.maps[1]._replace(arguments=()) == Attribute("Outer", factory, (), "2 entries.")
    assert module.warnings == ()


def test_a_type_that_clang_only_declares_makes_the_inner_maps_untyped() -> None:
    module = bind_c("struct entry { u32 a; };" + OUTER.format(type="ARRAY_OF_MAPS"))
    assert module.maps[0].arguments[:2] == ('"outer"', 'inner=rt.untyped_map("outer_inner")')
    assert "value of map outer_inner" in module.warnings[0]


def test_a_map_of_maps_without_a_template_holds_untyped_maps() -> None:
    (outer,) = bind_facts(Map("outer", ARRAY_OF_MAPS, None, None, 4, 4, 1)).maps
    assert outer.arguments == ('"outer"', 'inner=rt.untyped_map("outer_inner")')


@pytest.mark.parametrize("type_number", [HASH, ARRAY, QUEUE])
def test_a_map_that_does_not_say_what_is_in_it_is_untyped(type_number: int) -> None:
    (table,) = bind_facts(Map("m", type_number, None, None, 0, 0, 1)).maps
    assert (table.factory, table.arguments) == ("untyped_map", ('"m"',))


EVENT_MAPS = {
    "RINGBUF": ("ring_buffer", "A ring buffer"),
    "PERF_EVENT_ARRAY": ("perf_buffer", "A perf buffer"),
    "USER_RINGBUF": ("user_ring_buffer", "A user ring buffer"),
}


@pytest.mark.parametrize("type_name", EVENT_MAPS)
def test_a_buffer_of_events_has_the_type_of_its_records(type_name: str) -> None:
    factory, comment = EVENT_MAPS[type_name]
    definition = f"""
struct event {{ u32 pid; }};
struct {{
	__uint(type, BPF_MAP_TYPE_{type_name});
	__uint(max_entries, 4096);
	%s
}} events SEC(".maps");
"""
    (typed,) = bind_c(definition % "__type(value, struct event);").maps
    arguments = ('"events"', "value=BpfEvent")
    assert typed == Attribute("Events", factory, arguments, comment=f"{comment} of BpfEvent.")
    (untyped,) = bind_c(definition % "").maps
    assert untyped == Attribute("Events", factory, ('"events"',), comment=f"{comment}.")


def test_a_perf_buffers_descriptors_are_not_its_records() -> None:
    (samples,) = bind_c(map_definition("samples", "u32", type="PERF_EVENT_ARRAY")).maps
    assert samples.arguments == ('"samples"',)
    (numbers,) = bind_c(map_definition("numbers", "u64", type="PERF_EVENT_ARRAY")).maps
    assert numbers.arguments == ('"numbers"', "value=rt.le.u64")


def test_records_are_decoded_in_rows_unless_the_format_does_it_all() -> None:
    source = "struct plain { u32 a; u64 b; }; struct named { u32 a; char b[4]; };"
    types = "".join(map_definition(f"m_{name}", f"struct {name}") for name in ("plain", "named"))
    text = render_module(bind_c(source + types))
    assert text.count("def _each(") == 1
    module = import_text(text)
    assert module.BpfPlain._each([(1, 2)]) == [module.BpfPlain(1, 2)]
    assert module.BpfNamed._each([(1, b"a\0b\0")]) == [module.BpfNamed(1, b"a")]


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
        ("struct foo_bar", "BpfFooBar"),
        ("struct fooBar", "BpfFooBar_2"),
    ),
    "a struct and a typedef": (
        "struct ev { u32 a; }; typedef struct { u64 b; } ev;",
        ("struct ev", "BpfEv"),
        ("ev", "BpfEv_2"),
    ),
    "a struct and an enum": (
        "struct foo_bar { u32 a; }; enum fooBar { B };",
        ("struct foo_bar", "BpfFooBar"),
        ("enum fooBar", "BpfFooBar_2"),
    ),
    "a reserved name": (
        "struct maps { u32 a; }; struct Maps_ { u64 b; };",
        ("struct maps", "BpfMaps_2"),
        ("struct Maps_", "BpfMaps_3"),
    ),
}


@pytest.mark.parametrize(
    ("types", "first", "second"), TYPES_THAT_MEET.values(), ids=TYPES_THAT_MEET
)
def test_two_types_that_meet_have_two_names_and_a_warning_says_which(
    types: str, first: tuple[str, str], second: tuple[str, str]
) -> None:
    module = bind_c(types + map_definition("m", first[0]) + map_definition("n", second[0]))
    assert {(made.c_name, made.name) for made in module.types} == {first, second}
    assert module.warnings == (
        f"{second[0]} is called {second[1]!r}, because {first[0]} is called {first[1]!r}: "
        "rename one of them in the C source",
    )


def test_a_program_a_map_and_a_variable_that_meet_have_three_names() -> None:
    source = (
        program_definition("count_it", "kprobe/x")
        + map_definition("countIt", "u64")
        + "u32 __count_it;"
    )
    module = bind_c(source)
    (program,), (counts,), (variable,) = module.programs, module.maps, module.variables
    assert (program.name, program.arguments[0]) == ("CountIt_2", '"count_it"')
    assert (counts.name, counts.arguments[0]) == ("CountIt", '"countIt"')
    assert (variable.name, variable.arguments[0]) == ("CountIt_3", '"__count_it"')
    assert [module.program_specs[0].name, module.map_specs[0].name] == ["CountIt_2", "CountIt"]
    assert [warning.partition(":")[0] for warning in module.warnings] == [
        f"program, map or variable {c_name!r} is called {name!r}, "
        "because 'countIt' is called 'CountIt'"
        for c_name, name in (("count_it", "CountIt_2"), ("__count_it", "CountIt_3"))
    ]


def test_snake_naming_keeps_names_apart() -> None:
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


VARIABLES = {
    "number": ("int number;", "variable", ("0", "rt.le.i32")),
    "text": ("char text[8];", "variable", ("0", "rt.chars(8)")),
    "array": ("int array[3];", "array_variable", ("0", "rt.le.i32", "3")),
    "matrix": ("u8 matrix[2][3];", "array_variable", ("0", "rt.raw(3)", "2")),
    "structs": ("struct s { int a; } structs[2];", "array_variable", ("0", "BpfS", "2")),
    "struct": ("struct s { int a; } whole;", "struct_variable", ("0", "BpfS", "BpfSFields")),
    "union": ("union u { int a; } either;", "struct_variable", ("0", "BpfU", "BpfUFields")),
    "typedef": (
        "typedef struct { int a; } own_t; own_t own;",
        "struct_variable",
        ("0", "BpfOwnT", "BpfOwnTFields"),
    ),
    "nameless": ("struct { int a; } lone;", "struct_variable", ("0", "BpfLone", "BpfLoneFields")),
    "of one of our names": (
        "struct SFields { int a; }; struct s { struct SFields b; } clash;",
        "struct_variable",
        ("0", "BpfS", "BpfSFields_2"),
    ),
    "empty": ("struct nothing { } empty;", "variable", ("0", "BpfNothing")),
    "flexible": (
        "struct f { int n; int more[]; } flexible = { 1, { 2, 3 } };",
        "struct_variable",
        ("0", "BpfF", "BpfFFields", "size=12"),
    ),
    "an enum": ("enum e { A } chosen;", "variable", ("0", "rt.enum(BpfE, rt.le.u32)")),
}


@pytest.mark.parametrize(("declaration", "factory", "arguments"), VARIABLES.values(), ids=VARIABLES)
def test_the_type_decides_the_class_of_a_variable(
    declaration: str, factory: str, arguments: tuple[str, ...]
) -> None:
    module = bind_c(declaration)
    (variable,), (spec,) = module.variables, module.variable_specs
    assert (variable.factory, variable.arguments[2:]) == (factory, arguments)
    assert (spec.factory, spec.arguments) == (f"{factory}_spec", variable.arguments)
    assert module.warnings == ()


def test_two_variables_of_a_type_share_its_classes() -> None:
    module = bind_c("struct s { int a; }; struct s one, two;")
    assert [made.name for made in module.types] == ["BpfS", "BpfSFields"]


def test_a_member_may_be_called_like_what_fields_need() -> None:
    text = render_module(bind_c("struct s { int _bytes, _put, _memory, _label, rt; } x;"))
    names = {"_bytes_", "_put_", "_memory_", "_label_", "rt_"}
    assert names <= set(vars(import_text(text).BpfSFields))


SELECTED = """
struct event { u32 pid; };
typedef struct event event_t;
typedef enum { NONE } event;
struct inner { u64 a; };
struct outer { struct inner i; };
struct event *one; event *two; event_t *three; struct outer *four;
struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 4096); } ring SEC(".maps");
"""


def select(source: str = SELECTED, **wanted: Any) -> Module:
    """The module of C with what is asked for."""
    return bind(
        read_c(PREAMBLE + source),
        ident="bpf",
        source="prog.c",
        object_name="prog.o",
        target=find_target("bpfel"),
        selection=Selection(**wanted),
    )


@pytest.mark.parametrize(
    ("types", "names"),
    [
        ((), []),
        (("struct event",), ["BpfEvent"]),
        (("struct event", "struct event"), ["BpfEvent"]),
        (("event_t", "struct event", "typedef event_t"), ["BpfEvent"]),
        (("typedef event", "struct event"), ["BpfEvent", "BpfEvent_2"]),
        (("outer",), ["BpfInner", "BpfOuter"]),
        (("inner", "outer", "inner"), ["BpfInner", "BpfOuter"]),
    ],
)
def test_types_that_are_asked_for_are_there_once(types: tuple[str, ...], names: list[str]) -> None:
    assert [made.name for made in select(types=types).types] == names


def test_a_type_that_a_map_has_may_be_asked_for_too() -> None:
    source = SELECTED + map_definition("table", "struct event")
    assert [made.name for made in select(source, types=("struct event",)).types] == ["BpfEvent"]


def test_a_name_of_several_types_says_which_and_how_to_choose() -> None:
    with pytest.raises(SelectionError) as caught:
        select(types=("event",))
    assert str(caught.value) == (
        "--type 'event' stands for struct event and typedef event: pass --type 'struct event'"
    )


def test_types_are_there_without_those_of_globals() -> None:
    source = SELECTED + map_definition("table", "struct outer") + "struct event last;"
    module = select(source, global_types=False, types=("struct inner",))
    assert [made.name for made in module.types] == ["BpfInner"]
    assert [table.arguments[1:] for table in module.maps if table.name == "Table"] == [
        ("value=rt.raw(8)",)
    ]
    (last,) = (variable for variable in module.variables if variable.name == "Last")
    assert (last.factory, last.arguments[-1]) == ("variable", "rt.raw(4)")


def test_the_records_of_a_buffer_may_be_named() -> None:
    module = select(events=(("ring", "struct event"),))
    assert [made.name for made in module.types] == ["BpfEvent"]


@pytest.mark.parametrize("name", ["rings", "one"])
def test_records_of_what_is_no_map_are_an_error_that_names_the_maps(name: str) -> None:
    with pytest.raises(SelectionError, match=rf"--event {name}=…: no such map; maps: ring$"):
        select(events=((name, "struct event"),))


def malformed(name: str) -> tuple[BtfBuilder, int]:
    b = BtfBuilder()
    u32 = b.integer("u32", 4)
    match name:
        case "a member lies outside":
            return b, b.struct("s", 4, [("a", u32, 0), ("b", u32, 32)])
        case "an array of itself":
            return b, b.array(u32 + 1, 2)
        case "a member without a size":
            return b, b.struct("s", 4, [("a", b.forward("declared"), 0)])
        case "a member of no type":
            return b, b.struct("s", 4, [("a", 99, 0)])
        case "a bitfield lies outside":
            return b, b.bitfields("s", 4, [("a", u32, 0, 3), ("b", u32, 31, 3)])
        case "a bitfield of a struct":
            return b, b.bitfields("s", 4, [("a", b.struct("i", 4, [("x", u32, 0)]), 0, 3)])
        case "a member of more than 4 GiB":
            return b, b.struct("s", 8, [("a", b.array(u32, 0x40000000), 0)])
        case "an anonymous struct in itself":
            return b, b.struct("s", 8, [("", 2, 0), ("", 2, 32)])
        case "anonymous unions of each other":
            b.union("", 8, [("", u32 + 2, 0)])
            return b, b.struct("", 8, [("", u32 + 1, 0)])
        case "a member without a type lies outside":
            return b, b.struct("s", 8, [("a", VOID, 128)])
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
        "a bitfield lies outside",
        "a bitfield of a struct",
        "a member of more than 4 GiB",
        "an anonymous struct in itself",
        "anonymous unions of each other",
        "a member without a type lies outside",
        "structs nested without end",
        "a typedef of itself",
    ],
)
def test_a_malformed_type_is_an_object_error(name: str) -> None:
    b, value = malformed(name)
    with pytest.raises(ObjectError) as caught:
        bind_facts(array_map("m", value, size=8), btf=b)
    assert caught.value.offset is not None


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
    with pytest.raises(AttributeError):
        module.ident = "other"  # type: ignore[misc]
