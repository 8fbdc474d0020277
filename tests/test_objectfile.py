"""Objects that clang makes become programs, maps and types, as libbpf sees them."""

import re

import pytest

from ebpfgen.btf.layout import c_name, size_of
from ebpfgen.btf.reader import Btf
from ebpfgen.errors import ObjectError
from ebpfgen.model import Map, ObjectFile, Program
from ebpfgen.objectfile import _maps, read_object

from . import building
from .btf_builder import VOID, BtfBuilder
from .building import PREAMBLE, compile_c, map_definition

HASH, ARRAY, RINGBUF = 1, 2, 27


def read_c(source: str, target: str = "bpfel", *flags: str) -> ObjectFile:
    return building.read_c(PREAMBLE + source, target, *flags)


def only_map(source: str) -> Map:
    (found,) = read_c(source).maps
    return found


PROGRAMS = """
static __attribute__((noinline)) int helper(int x) { return x * 3; }
__attribute__((noinline)) int global_helper(int x) { return x * 5; }
SEC("kprobe/b") int second(void *ctx) { return helper((long)ctx) + global_helper((long)ctx); }
SEC("kprobe/a") int third(void *ctx) { return 0; }
SEC("xdp") int first_of_two(void *ctx) { return 0; }
SEC("xdp") int second_of_two(void *ctx) { return 1; }
SEC("?tracepoint/x/y") int optional(void *ctx) { return 0; }
"""


@pytest.mark.parametrize("target", ["bpfel", "bpfeb"])
def test_programs_are_the_functions_with_a_section_in_the_order_of_the_source(target: str) -> None:
    assert read_c(PROGRAMS, target).programs == (
        Program("second", "kprobe/b"),
        Program("third", "kprobe/a"),
        Program("first_of_two", "xdp"),
        Program("second_of_two", "xdp"),
        Program("optional", "?tracepoint/x/y"),
    )


def test_a_source_without_programs_and_maps_has_none() -> None:
    found = read_c("int counter;")
    assert (found.programs, found.maps) == ((), ())


def test_a_static_program_is_refused_and_named() -> None:
    source = """
    SEC("kprobe/x") static int probe(void *ctx) { return 0; }
    void *keep = probe;
    """
    with pytest.raises(ObjectError) as caught:
        read_c(source)
    assert str(caught.value) == (
        "prog.c: program probe in SEC('kprobe/x') is static, which libbpf refuses: "
        "remove the static"
    )


@pytest.mark.parametrize("target", ["bpfel", "bpfeb"])
def test_a_typed_map_has_types_sizes_and_entries(target: str) -> None:
    source = "struct key { u32 a; u64 b; };" + map_definition(
        "table", "u16", type="HASH", key="struct key", entries=1024
    )
    found = read_c(source, target)
    (table,) = found.maps
    assert (table.name, table.type, table.max_entries) == ("table", HASH, 1024)
    assert (table.key_size, table.value_size) == (16, 2)
    assert table.key is not None
    assert table.value is not None
    assert c_name(found.btf, table.key) == "struct key"
    assert c_name(found.btf, table.value) == "u16"


def test_a_map_may_give_sizes_alone() -> None:
    found = only_map("""
    struct {
        __uint(type, BPF_MAP_TYPE_ARRAY);
        __uint(key_size, 4);
        __uint(value_size, sizeof(long) * 3);
        __uint(max_entries, 2);
    } sized SEC(".maps");
    """)
    assert found == Map("sized", ARRAY, None, None, key_size=4, value_size=24, max_entries=2)


def test_a_map_may_have_no_key_and_no_value() -> None:
    found = only_map("""
    struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 4096); } events SEC(".maps");
    """)
    assert found == Map("events", RINGBUF, None, None, key_size=0, value_size=0, max_entries=4096)


def test_maps_of_one_typedef_are_two_maps() -> None:
    found = read_c("""
    typedef struct {
        __uint(type, BPF_MAP_TYPE_ARRAY);
        __type(key, u32);
        __type(value, u64);
        __uint(max_entries, 1);
    } counter_t;
    counter_t reads SEC(".maps");
    counter_t writes SEC(".maps");
    """)
    assert [m.name for m in found.maps] == ["reads", "writes"]
    assert {m.value_size for m in found.maps} == {8}


def test_a_map_of_maps_is_one_map() -> None:
    found = read_c("""
    struct inner {
        __uint(type, BPF_MAP_TYPE_ARRAY);
        __type(key, u32);
        __type(value, u64);
        __uint(max_entries, 1);
    } inner_map SEC(".maps");
    struct {
        __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
        __uint(max_entries, 1);
        __type(key, u32);
        __array(values, struct inner);
    } outer SEC(".maps") = { .values = { &inner_map } };
    """)
    assert [m.name for m in found.maps] == ["inner_map", "outer"]
    assert found.maps[1].value_size == 0


def test_the_byte_order_is_that_of_the_object() -> None:
    assert read_c("int counter;", "bpfel").byte_order == "little"
    assert read_c("int counter;", "bpfeb").byte_order == "big"


def test_legacy_maps_are_an_error_that_says_how_to_write_them() -> None:
    source = """
    struct bpf_map_def { u32 type, key_size, value_size, max_entries, map_flags; };
    struct bpf_map_def SEC("maps") counters = { BPF_MAP_TYPE_ARRAY, 4, 8, 1 };
    struct bpf_map_def SEC("maps") others = { BPF_MAP_TYPE_ARRAY, 4, 8, 1 };
    """
    with pytest.raises(ObjectError) as caught:
        read_c(source)
    assert str(caught.value) == (
        'prog.c defines counters, others in SEC("maps"), which libbpf does not read: '
        'define them with __uint() and __type() in SEC(".maps")'
    )


def test_an_object_without_btf_is_an_error_that_names_the_flag() -> None:
    with pytest.raises(ObjectError) as caught:
        read_c("int counter;", "bpfel", "-g0")
    assert str(caught.value) == "prog.c has no BTF: compile with -g (and without -g0)"


def test_btf_of_another_byte_order_is_an_error() -> None:
    data = compile_c(PREAMBLE + "int counter;")
    (place,) = [match.start() for match in re.finditer(b"\x9f\xeb\x01\x00\x18\0\0\0\0", data)][:1]
    other = BtfBuilder("big").section()
    with pytest.raises(ObjectError, match="differ in byte order"):
        read_object(data[:place] + other + data[place + len(other) :], "prog.c")


def definition(b: BtfBuilder, **members: int) -> Btf:
    """A map with members that neither __uint() nor __type() makes."""
    places = [(name, member, 64 * i) for i, (name, member) in enumerate(members.items())]
    struct = b.struct("", 8 * len(members), places)
    b.data_section(".maps", 8, [(b.variable("table", struct), 0, 8)])
    return b.btf()


def test_a_map_that_is_no_struct_is_an_error_that_names_it() -> None:
    b = BtfBuilder()
    b.data_section(".maps", 4, [(b.variable("table", b.integer("int", 4)), 0, 4)])
    with pytest.raises(ObjectError, match="map table is not defined by a struct"):
        list(_maps(b.btf()))


def test_what_is_in_the_maps_section_and_no_variable_is_an_error() -> None:
    b = BtfBuilder()
    b.data_section(".maps", 4, [(b.integer("int", 4), 0, 4)])
    with pytest.raises(ObjectError, match=r"type 1 in \.maps is no variable"):
        list(_maps(b.btf()))


@pytest.mark.parametrize("member", ["type", "key", "value", "max_entries", "key_size"])
def test_a_member_that_is_no_pointer_is_an_error_that_names_the_map(member: str) -> None:
    b = BtfBuilder()
    btf = definition(b, **{member: b.integer("int", 4)})
    with pytest.raises(ObjectError, match="map table has a member not made by __uint"):
        list(_maps(btf))


@pytest.mark.parametrize("member", ["type", "max_entries", "value_size"])
def test_a_number_that_is_no_array_is_an_error_that_names_it(member: str) -> None:
    b = BtfBuilder()
    btf = definition(b, **{member: b.pointer(b.integer("int", 4))})
    with pytest.raises(ObjectError, match=rf"{member} of map table is not made by __uint\(\)"):
        list(_maps(btf))


def test_a_key_without_a_size_is_an_error() -> None:
    b = BtfBuilder()
    btf = definition(b, key=b.pointer(VOID))
    with pytest.raises(ObjectError, match="has no size"):
        list(_maps(btf))


def test_types_are_those_of_the_object() -> None:
    event = "struct event { u32 pid; char comm[16]; };"
    found = read_c(event + map_definition("m", "struct event"))
    (value,) = [m.value for m in found.maps]
    assert value is not None
    assert size_of(found.btf, value) == 20
