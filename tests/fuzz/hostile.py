"""Object files and .BTF sections that ask for much more than they are: each a builder, by name."""

import struct
import zlib
from collections.abc import Callable

from ebpfgen.elf import Section, read_elf
from tests.btf_builder import VOID, BtfBuilder
from tests.building import PREAMBLE, compile_c, map_definition, program_definition

MOST = 0xFFFFFFFF
LEVELS = 64

SOURCE = (
    PREAMBLE
    + map_definition("table", "u64")
    + "int counter;"
    + program_definition("probe", "kprobe/x")
)

# The offsets of fields of a 64-bit file header and of its section headers.
E_SHOFF, E_SHENTSIZE, E_SHNUM = 40, 58, 60
SH_FLAGS, SH_OFFSET, SH_SIZE, HEADER = 8, 24, 32, 64
SHF_COMPRESSED, ELFCOMPRESS_ZLIB = 1 << 11, 1


def arrays_of_arrays(b: BtfBuilder) -> None:
    element = b.integer("unsigned int", 4)
    for _ in range(20):
        element = b.array(element, MOST)
    b.struct("s", MOST, [("a", element, 0)])


def a_large_array(b: BtfBuilder) -> None:
    for name, size in (("char", 1), ("unsigned char", 1), ("unsigned long", 8)):
        element = b.integer(name, size)
        b.struct(name.replace(" ", "_"), MOST - 7, [("a", b.array(element, MOST // size), 0)])


def anonymous_structs_twice_in_each_other(b: BtfBuilder) -> None:
    inner = b.struct("", 4, [("a", b.integer("int", 4), 0)])
    for _ in range(LEVELS):
        inner = b.struct("", 4, [("", inner, 0), ("", inner, 0)])
    b.struct("s", 4, [("", inner, 0)])


def empty_anonymous_structs_twice_in_each_other(b: BtfBuilder) -> None:
    inner = b.struct("", 0)
    for _ in range(LEVELS):
        inner = b.struct("", 0, [("", inner, 0), ("", inner, 0)])
    b.struct("s", 0, [("", inner, 0)])


def an_anonymous_struct_in_itself(b: BtfBuilder) -> None:
    b.struct("", 8, [("", 1, 0)] * 1000)
    b.union("s", 8, [("", 1, 0), ("", 2, 0)])


def arrays_of_structs_in_each_other(b: BtfBuilder) -> None:
    inner = b.struct("s", 4, [("a", b.integer("int", 4), 0)])
    for level in range(LEVELS - 1):
        for _ in range(30):
            inner = b.array(inner, 1)
        inner = b.struct(f"s{level}", 4, [("a", inner, 0)])


def types_that_are_themselves(b: BtfBuilder) -> None:
    b.typedef("t", 1)
    b.array(2, 2)
    b.pointer(3)
    b.struct("s", 16, [("a", 1, 0), ("b", 2, 0), ("c", 3, 0), ("d", 4, 0)])
    b.struct("p", 8, [("c", 3, 0)])


def many_members_of_one_name(b: BtfBuilder) -> None:
    number = b.integer("int", 4)
    b.struct("s", 4 * 1_000, [("a", number, 32 * i) for i in range(1_000)])


def many_types_of_one_name(b: BtfBuilder) -> None:
    number = b.integer("int", 4)
    for _ in range(500):
        b.struct("s", 4, [("a", number, 0)])


def names_in_each_other(b: BtfBuilder) -> None:
    """Names end 1 MiB after the first begins, or sooner: each begins one byte later."""
    start = b.string(b"x" * (1 << 20))
    places = range(start, start + 60_000)
    tail = [n for place in places for n in (place, VOID, 0)]
    b.add(4, "s", 8, count=len(places), tail=tail)


SECTIONS: dict[str, Callable[[BtfBuilder], None]] = {
    build.__name__: build
    for build in (
        arrays_of_arrays,
        a_large_array,
        anonymous_structs_twice_in_each_other,
        empty_anonymous_structs_twice_in_each_other,
        an_anonymous_struct_in_itself,
        arrays_of_structs_in_each_other,
        types_that_are_themselves,
        many_members_of_one_name,
        many_types_of_one_name,
        names_in_each_other,
    )
}


def put(data: bytearray, place: int, layout: str, *values: int) -> None:
    struct.pack_into(f"<{layout}", data, place, *values)


def headers_of(data: bytes | bytearray) -> int:
    return int.from_bytes(data[E_SHOFF : E_SHOFF + 8], "little")


def section_of(data: bytes, name: str) -> Section:
    found = read_elf(data).section(name)
    assert found
    return found


def with_section(data: bytes, name: str, contents: bytes, *, flags: int = 0) -> bytes:
    """An object with other bytes in one of its sections."""
    changed = bytearray(data + contents)
    header = headers_of(data) + HEADER * section_of(data, name).index
    put(changed, header + SH_FLAGS, "Q", flags)
    put(changed, header + SH_OFFSET, "QQ", len(data), len(contents))
    return bytes(changed)


def headers_without_a_size(data: bytearray) -> bytes:
    put(data, E_SHENTSIZE, "HH", 0, 0xFFFF)
    return bytes(data)


def more_headers_than_the_file_has(data: bytearray) -> bytes:
    put(data, E_SHNUM, "H", 0)
    put(data, headers_of(data) + SH_SIZE, "Q", 1 << 60)
    return bytes(data)


def more_headers_without_a_size(data: bytearray) -> bytes:
    put(data, E_SHENTSIZE, "H", 0)
    return more_headers_than_the_file_has(data)


def sections_that_are_all_the_file(data: bytearray) -> bytes:
    """5000 sections of the same 2 MiB."""
    data += bytes(2 << 20)
    start, number = headers_of(data), int.from_bytes(data[E_SHNUM : E_SHNUM + 2], "little")
    headers = data[start : start + HEADER * number]
    last = bytearray(headers[-HEADER:])
    put(last, 4, "I", 1)  # SHT_PROGBITS
    put(last, SH_OFFSET, "QQ", 0, len(data))
    put(data, E_SHOFF, "Q", len(data))
    put(data, E_SHNUM, "H", number + 5000)
    return bytes(data + headers + last * 5000)


def compressed_btf(data: bytearray) -> bytes:
    """512 MiB in half a MiB."""
    packer = zlib.compressobj()
    whole = 1 << 29
    packed = b"".join(packer.compress(bytes(1 << 20)) for _ in range(whole >> 20)) + packer.flush()
    header = struct.pack("<IIQQ", ELFCOMPRESS_ZLIB, 0, whole, 1)
    return with_section(bytes(data), ".BTF", header + packed, flags=SHF_COMPRESSED)


def a_bss_of_all_addresses(data: bytearray) -> bytes:
    header = headers_of(data) + HEADER * section_of(bytes(data), ".bss").index
    put(data, header + SH_SIZE, "Q", (1 << 64) - 1)
    return bytes(data)


def symbols_with_endless_names(data: bytearray) -> bytes:
    names = section_of(bytes(data), ".strtab").data  # sections are called by it, too
    places = range(len(names), len(names) + 20_000)
    symbols = b"".join(struct.pack("<IBBHQQ", place, 0, 0, 0, 0, 0) for place in places)
    with_names = with_section(bytes(data), ".strtab", names + b"x" * (1 << 20))
    return with_section(with_names, ".symtab", symbols)


def a_map_of_itself(data: bytearray) -> bytes:
    b = BtfBuilder()
    pointer = b.pointer(2)
    array = b.array(pointer, 1)
    b.pointer(array)
    # Struct 5 holds an array of pointers to itself, as __array(values, struct s) would.
    b.array(6, 1)
    b.struct("s", 8, [("values", 4, 0)])
    b.pointer(5)
    b.data_section(".maps", 8, [(b.variable("table", 5), 0, 8)])
    return with_section(bytes(data), ".BTF", b.section())


def a_variable_larger_than_memory(data: bytearray) -> bytes:
    b = BtfBuilder()
    array = b.array(b.array(b.integer("unsigned long", 8), MOST), MOST)
    b.data_section(".bss", 8, [(b.variable("counter", array), 0, 8)])
    return with_section(bytes(data), ".BTF", b.section())


OBJECTS: dict[str, Callable[[bytearray], bytes]] = {
    change.__name__: change
    for change in (
        headers_without_a_size,
        more_headers_than_the_file_has,
        more_headers_without_a_size,
        sections_that_are_all_the_file,
        compressed_btf,
        a_bss_of_all_addresses,
        symbols_with_endless_names,
        a_map_of_itself,
        a_variable_larger_than_memory,
    )
}


def cases(section: str) -> list[str]:
    """Return the names of all cases that are a section, or whole objects if that is empty."""
    return list(SECTIONS if section else OBJECTS)


def made(name: str) -> bytes:
    """Return the bytes of a case."""
    if name in OBJECTS:
        return OBJECTS[name](bytearray(compile_c(SOURCE)))
    builder = BtfBuilder()
    SECTIONS[name](builder)
    return builder.section()
