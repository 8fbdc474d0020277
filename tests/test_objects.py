"""Objects with what other readers trip over: each works, or is one line that says what to do."""

import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from ebpfgen.binding import bind
from ebpfgen.btf.layout import strip_names
from ebpfgen.btf.reader import Btf
from ebpfgen.btf.types import Array, Kind
from ebpfgen.emit import render_module
from ebpfgen.errors import ObjectError
from ebpfgen.model import Module, ObjectFile, Program, Record
from ebpfgen.objectfile import read_object
from ebpfgen.target import find_target

from .building import (
    PREAMBLE,
    compilation_of,
    compile_c,
    import_text,
    map_definition,
    program_definition,
    read_c,
)

both_orders = pytest.mark.parametrize("target", ["bpfel", "bpfeb"])


def read(source: str, target: str = "bpfel") -> ObjectFile:
    return read_c(PREAMBLE + source, target)


def bound(object_file: ObjectFile) -> Module:
    """The module to be, which Python takes."""
    little = object_file.byte_order == "little"
    module = bind(
        object_file,
        ident="bpf",
        source="prog.c",
        object_name="prog.o",
        target=find_target("bpfel" if little else "bpfeb"),
    )
    import_text(render_module(module))
    return module


def made(source: str, target: str = "bpfel") -> Module:
    return bound(read(source, target))


def variables(object_file: ObjectFile) -> dict[str, tuple[str, int, int]]:
    """Section, offset and size of each variable."""
    return {v.name: (v.section, v.offset, v.size) for v in object_file.variables}


def refused(source: str) -> str:
    with pytest.raises(ObjectError) as caught:
        read(source)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@both_orders
def test_a_weak_map_is_a_map(target: str) -> None:
    source = map_definition("table", "u64").replace('SEC(".maps")', 'SEC(".maps") __weak')
    (table,) = made(source + program_definition("run", "kprobe/x"), target).maps
    assert (table.name, table.factory, table.arguments[1][-4:]) == ("Table", "array", ".u64")


def test_the_maps_of_libbpfs_usdt_header_are_maps() -> None:
    source = """
    #include <bpf/usdt.bpf.h>
    SEC("usdt") int run(struct pt_regs *ctx) { return bpf_usdt_arg_cnt(ctx); }
    """
    module = bound(read_c(PREAMBLE + source, "amd64"))
    names = [table.arguments[0] for table in module.maps]
    assert names == ['"__bpf_usdt_specs"', '"__bpf_usdt_ip_to_spec_id"']


STRUCT_OPS = """
struct my_ops { int (*init)(void *); void (*fini)(void *); char name[16]; };
SEC("struct_ops/init") int on_init(void *ctx) { return 0; }
SEC(".struct_ops") struct my_ops plain = { .init = (void *)on_init, .name = "plain" };
SEC(".struct_ops.link") struct my_ops linked = { .init = (void *)on_init, .name = "linked" };
SEC("?.struct_ops") struct my_ops optional = { .init = (void *)on_init, .name = "optional" };
SEC("?.struct_ops.link") struct my_ops both = { .init = (void *)on_init, .name = "both" };
"""


@both_orders
def test_each_variable_of_struct_ops_is_a_map(target: str) -> None:
    found = read(STRUCT_OPS, target)
    assert found.programs == (Program("on_init", "struct_ops/init"),)
    assert [(m.name, m.type, m.key_size, m.value_size, m.max_entries) for m in found.maps] == [
        (name, 26, 4, 32, 1) for name in ("plain", "linked", "optional", "both")
    ]
    assert found.variables == ()
    assert [table.name for table in bound(found).maps] == ["Plain", "Linked", "Optional", "Both"]


ARENA = """
struct {
    __uint(type, 33);
    __uint(map_flags, 1024);
    __uint(max_entries, 10);
} arena SEC(".maps");
int SEC(".addr_space.1") in_arena;
static volatile int SEC(".addr_space.1") hidden;
long SEC(".addr_space.1") more[4];
int elsewhere;
int use(void) { return hidden; }
"""


@both_orders
def test_globals_of_an_arena_are_left_out_with_a_warning_that_names_them(target: str) -> None:
    module = made(ARENA, target)
    assert [table.name for table in module.maps] == ["Arena"]
    assert [variable.name for variable in module.variables] == ["Elsewhere"]
    (warning,) = module.warnings
    assert warning.startswith("in_arena, more lie in the arena (.addr_space.1)")
    assert "copy what Python shall see to a map or to another global variable" in warning


EXTERNS = """
extern int CONFIG_HZ __kconfig;
extern char CONFIG_TRISTATE __kconfig __weak;
extern const char CONFIG_TEXT[6] __kconfig __weak;
extern const void typeless __ksym;
extern const void weak_typeless __ksym __weak;
extern const int typed __ksym;
extern const struct rq weak_typed __ksym __weak;
extern void kfunc(int a) __ksym;
extern int weak_kfunc(struct task_struct *t) __ksym __weak;
SEC("socket") int run(void *ctx)
{
    long sum = (long)&typeless + (long)&weak_typeless + (long)&typed + (long)&weak_typed;
    kfunc(sum);
    return CONFIG_HZ + CONFIG_TRISTATE + CONFIG_TEXT[0] + (weak_kfunc ? weak_kfunc(0) : 0);
}
"""


@both_orders
def test_kconfig_values_are_variables_and_kernel_symbols_are_not(target: str) -> None:
    found = read(EXTERNS, target)
    assert found.programs == (Program("run", "socket"),)
    assert found.maps == ()
    # Sorted by alignment, size and name, as libbpf lays them out.
    assert variables(found) == {
        "CONFIG_HZ": (".kconfig", 0, 4),
        "CONFIG_TRISTATE": (".kconfig", 4, 1),
        "CONFIG_TEXT": (".kconfig", 5, 6),
    }
    assert bound(found).warnings == ()


def test_kernel_symbols_alone_make_no_variables() -> None:
    source = "extern const void typeless __ksym;"
    use = 'SEC("socket") int run(void *ctx) { return (long)&typeless; }'
    assert read(source + use).variables == ()


SUBPROGRAMS = """
static __noinline int of_the_file(int x) { return x * 3; }
__noinline int global(int x) { return x * 5; }
__weak __noinline int weak(int x) { return x * 7; }
__hidden __noinline int hidden(int x) { return x * 9; }
SEC("socket") int run(void *ctx)
{
    long x = (long)ctx;
    return of_the_file(x) + global(x) + weak(x) + hidden(x);
}
"""


@both_orders
def test_subprograms_are_no_programs(target: str) -> None:
    assert read(SUBPROGRAMS, target).programs == (Program("run", "socket"),)


@pytest.mark.parametrize("section", ["maps", "maps/counters"])
def test_maps_of_old_are_an_error_that_says_how_to_write_them(section: str) -> None:
    source = f"""
    struct bpf_map_def {{ u32 type, key_size, value_size, max_entries, map_flags; }};
    struct bpf_map_def SEC("{section}") counters = {{ BPF_MAP_TYPE_ARRAY, 4, 8, 1 }};
    """
    assert refused(source) == (
        f'prog.c defines counters in SEC("{section}"), which libbpf does not read: '
        'define them with __uint() and __type() in SEC(".maps")'
    )


ATOMIC = """
typedef _Atomic long atomic_long_t;
struct atomic {
    _Atomic int a;
    int b;
    _Atomic long c;
    atomic_long_t d;
    _Atomic int e[3];
    char f;
    union { _Atomic int g; short h; };
};
struct atomic whole;
_Atomic int counter;
_Atomic long counters[3];
atomic_long_t typedefed;
_Atomic int *pointer;
"""


@both_orders
def test_atomic_variables_and_members_have_the_bytes_of_their_places(target: str) -> None:
    found = read(ATOMIC, target)
    sizes = {name: size for name, (_, _, size) in variables(found).items()}
    assert sizes == {"whole": 48, "counter": 4, "counters": 24, "typedefed": 8, "pointer": 8}
    (record,) = (made for made in bound(found).types if isinstance(made, Record))
    assert record.size == 48
    members = {name: kind for name, kind, _ in record.dtype}
    if any(variable.type_id is None for variable in found.variables):  # by clang before 20
        assert {name: members[name] for name in "acde"} == {
            "a": '"V4"',
            "c": '"V8"',
            "d": '"V8"',
            "e": '"V12"',
        }
        warned = [warning.partition(" has no type")[0] for warning in bound(found).warnings]
        assert sorted(warned) == [
            *("struct atomic.a", "struct atomic.c", "struct atomic.d", "struct atomic.e"),
            *("struct atomic.g", "variable counter", "variable counters", "variable typedefed"),
        ]


ATOMIC_ARRAYS = """
int first[3];
float other;
_Atomic int counters[3];
_Atomic int table[2][3];
const volatile _Atomic int fixed[4];
struct holder { int first[3]; _Atomic int members[3]; short last; } holder;
struct { _Atomic int nameless[3]; } nameless;
"""


def with_elements(data: bytes, element: str) -> bytes:
    """Let the arrays of an object be of the type called *element* in its BTF.

    Before version 20 clang writes an _Atomic element as whatever number is in memory there.
    """
    at = data.index((0xEB9F).to_bytes(2, "little") + b"\1\0")
    btf = Btf(data[at:])
    (element_id,) = (i for i, found in btf if getattr(found, "name", "") == element)
    changed = bytearray(data)
    for array_id in btf.ids_of(Kind.ARRAY):
        if not isinstance(strip_names(btf, array_of(btf, array_id).type_id), Array):
            struct.pack_into("<I", changed, at + btf.offset_of(array_id) + 12, element_id)
    return bytes(changed)


def array_of(btf: Btf, type_id: int) -> Array:
    found = btf[type_id]
    assert isinstance(found, Array)
    return found


def test_atomic_elements_to_which_clang_gave_another_type_are_bytes() -> None:
    """The size fits, and what is not atomic is believed."""
    found = read_object(
        with_elements(compilation_of(PREAMBLE + ATOMIC_ARRAYS).object, "float"), "prog.c"
    )
    typed = {variable.name for variable in found.variables if variable.type_id is not None}
    assert typed == {"first", "other", "holder", "nameless"}
    records = [made for made in bound(found).types if isinstance(made, Record)]
    assert [(name, kind) for made in records for name, kind, _ in made.dtype] == [
        ("first", '("<f4", (3,))'),
        ("members", '"V12"'),
        ("last", '"<i2"'),
        ("nameless", '"V12"'),
    ]


def test_atomic_elements_of_their_own_type_are_believed_as_clang_20_writes_them() -> None:
    found = read_object(
        with_elements(compilation_of(PREAMBLE + ATOMIC_ARRAYS).object, "int"), "prog.c"
    )
    assert all(variable.type_id is not None for variable in found.variables)


def test_without_debug_information_an_array_of_another_size_than_its_symbol_is_bytes() -> None:
    found = read_object(with_elements(compile_c(PREAMBLE + ATOMIC_ARRAYS), "short"), "prog.c")
    typed = {variable.name for variable in found.variables if variable.type_id is not None}
    assert typed == {"other", "holder", "nameless"}
    warnings = "\n".join(bound(found).warnings)
    assert "variable first has no type in the object: it is read as 12 bytes" in warnings


def test_a_map_of_arrays_of_atomic_values_is_an_error_that_names_it() -> None:
    source = PREAMBLE + "float other;" + map_definition("table", "_Atomic int[3]")
    data = with_elements(compilation_of(source).object, "float")
    with pytest.raises(ObjectError, match="the value of map table has no size in the BTF"):
        read_object(data, "prog.c")


def test_a_map_of_atomic_values_is_an_error_that_names_it() -> None:
    object_file = compile_c(PREAMBLE + map_definition("table", "_Atomic int"))
    try:
        found = read_object(object_file, "prog.c")
    except ObjectError as error:
        assert str(error) == (  # noqa: PT017 - clang 20 and newer have a type for it
            "the value of map table has no size in the BTF, and libbpf refuses it: "
            "use neither void nor, before clang 20, _Atomic"
        )
    else:
        assert found.maps[0].value_size == 4


def test_strings_are_in_a_section_without_variables() -> None:
    source = """
    const char *const names[] = { "first", "second" };
    SEC("socket") int run(void *ctx) { bpf_printk("a text of some length %s", "x"); return 0; }
    """
    found = read(source)
    assert variables(found) == {"names": (".rodata", 0, 16)}
    assert bound(found).maps == ()


SECTIONS = """
int data SEC(".data.foo") = 7;
int bss SEC(".bss.foo");
const volatile int rodata SEC(".rodata.foo") = 9;
int nested SEC(".data.foo.bar") = 2;
int not_one SEC("foo.data") = 3;
int nor_that SEC(".database") = 4;
"""


@both_orders
def test_only_sections_that_libbpf_makes_maps_of_have_variables(target: str) -> None:
    assert variables(read(SECTIONS, target)) == {
        "bss": (".bss.foo", 0, 4),
        "nested": (".data.foo.bar", 0, 4),
        "data": (".data.foo", 0, 4),
        "rodata": (".rodata.foo", 0, 4),
    }


@both_orders
def test_hidden_and_weak_variables_are_variables_and_static_ones_are_not(target: str) -> None:
    source = """
    __hidden int hidden = 1;
    __weak int weak = 2;
    static volatile int of_the_file = 3;
    int plain = 4;
    int use(void) { static volatile int of_the_function = 5; return of_the_file + of_the_function; }
    """
    assert set(variables(read(source, target))) == {"hidden", "weak", "plain"}


def test_an_object_with_a_license_alone_has_no_attributes() -> None:
    module = made("")
    assert (module.programs, module.maps, module.variables) == ((), (), ())


@pytest.mark.parametrize("source", ["", "static int f(void) { return 0; }", "extern int x;"])
def test_an_empty_object_is_an_error_that_says_so(source: str) -> None:
    with pytest.raises(ObjectError) as caught:
        read_object(compile_c(source), "prog.c")
    assert str(caught.value) == (
        "prog.c is empty: define a program, a map or a global variable in it"
    )


@pytest.mark.parametrize("source", ["int x;", 'SEC("xdp") int f(void *ctx) { return 0; }'])
def test_an_object_without_btf_is_an_error_that_names_the_flag(source: str) -> None:
    data = compilation_of(PREAMBLE + source, "bpfel", "-g0").object
    with pytest.raises(ObjectError, match=r"^prog\.c has no BTF: compile with -g \(and without"):
        read_object(data, "prog.c")


PROGRAMS = {
    "first": "xdp",
    "second": "xdp",
    "optional": "?kprobe/foo",
    "replacement": "freplace/some_func",
    "any_replacement": "freplace",
    "sleepable": "fentry.s/foo",
    "spaced": 'a b/with \\"quotes\\"',
}


@both_orders
def test_programs_are_told_from_their_sections(target: str) -> None:
    source = "".join(program_definition(name, section) for name, section in PROGRAMS.items())
    found = read(source, target)
    expected = {name: section.replace("\\", "") for name, section in PROGRAMS.items()}
    assert {program.name: program.section for program in found.programs} == expected
    assert [program.factory for program in bound(found).programs].count("kprobe") == 1


def test_a_table_of_programs_and_numbers_of_64_bits_are_parts_of_a_map() -> None:
    source = """
    SEC("socket") int target(void *ctx) { return 0; }
    struct {
        __uint(type, BPF_MAP_TYPE_PROG_ARRAY);
        __uint(max_entries, 1);
        __uint(key_size, sizeof(u32));
        __array(values, int (void *));
    } table SEC(".maps") = { .values = { (void *)&target } };
    struct {
        __uint(type, BPF_MAP_TYPE_BLOOM_FILTER);
        __type(value, u32);
        __uint(max_entries, 8);
        __ulong(map_extra, 1ULL << 33);
    } filter SEC(".maps");
    """
    found = read(
        source.replace("__ulong", "MAP_EXTRA") if "__ulong" in PREAMBLE else ULONG + source
    )
    assert [(m.name, m.inner, m.max_entries) for m in found.maps] == [
        ("table", None, 1),
        ("filter", None, 8),
    ]
    assert [table.name for table in bound(found).maps] == ["Table", "Filter"]


# As newer versions of libbpf's bpf_helpers.h have it.
ULONG = """
#ifndef __ulong
#define __ulong(name, val) enum { unique_value_##name = val } name
#endif
"""

FIRST = """
int same = 11;
int shared = 12;
__weak int overridden = 13;
struct pair { int a; long b; };
struct pair first_pair;
__noinline int helper(int x) { return x * 3; }
SEC("socket") int first(void *ctx) { return helper(same + overridden); }
"""
SECOND = """
static volatile int same = 1;
__weak int overridden = 2;
extern int shared;
struct pair { int a; long b; };
struct pair second_pair;
int helper(int x);
SEC("socket") int second(void *ctx) { return helper(same++ + shared + overridden); }
SEC("xdp") int third(void *ctx) { return 0; }
"""


@pytest.fixture
def linked(tmp_path: Path) -> bytes:
    """Two sources linked into one object, as bpftool does."""
    if shutil.which("bpftool") is None:
        pytest.skip("there is no bpftool to link objects with")
    license = 'char __license[] SEC("license") = "Dual MIT/GPL";'
    second = PREAMBLE.replace(license, "") + SECOND
    for name, source in (("one", PREAMBLE + FIRST), ("two", second)):
        (tmp_path / f"{name}.o").write_bytes(compile_c(source, "bpf"))
    command = ["bpftool", "gen", "object", "linked.o", "one.o", "two.o"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return (tmp_path / "linked.o").read_bytes()


def test_a_linked_object_has_what_is_global_in_its_parts_once(linked: bytes) -> None:
    found = read_object(linked, "linked.o")
    assert {program.name for program in found.programs} == {"first", "second", "third"}
    module = bound(found)
    assert {made.c_name for made in module.types} == {"struct pair"}
    assert {variable.name for variable in module.variables} == {
        *("Same", "Shared", "Overridden", "FirstPair", "SecondPair")
    }


def test_a_static_variable_does_not_take_the_place_of_a_global_one(linked: bytes) -> None:
    assert variables(read_object(linked, "linked.o"))["same"] == (".data", 0, 4)
