"""What is read of an ELF file; what is none is an ObjectError."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from ebpfgen.elf import Elf, read_elf
from ebpfgen.errors import ObjectError

from .building import PREAMBLE, compile_c, map_definition, program_definition

SOURCE = (
    PREAMBLE
    + map_definition("table", "u64")
    + "int counter;"
    + program_definition("probe", "kprobe/x")
)
# Where the file header has its fields, and a section header, for 64 bits.
EI_CLASS, E_MACHINE, E_SHOFF, E_SHENTSIZE, E_SHNUM, E_SHSTRNDX = 4, 18, 40, 58, 60, 62
SH_TYPE, SH_OFFSET, SH_SIZE, SH_LINK, HEADER = 4, 24, 32, 40, 64
SHT_SYMTAB = 2


@pytest.mark.parametrize(("target", "byte_order"), [("bpfel", "little"), ("bpfeb", "big")])
def test_sections_have_names_bytes_and_flags(target: str, byte_order: str) -> None:
    elf = read_elf(compile_c(SOURCE, target))
    assert elf.byte_order == byte_order
    assert [section.index for section in elf.sections] == list(range(len(elf.sections)))
    code = elf.section("kprobe/x")
    assert code is not None
    assert code.executable
    assert (code.size, len(code.data)) == (16, 16)
    license = elf.section("license")
    assert license is not None
    assert license.data == b"Dual MIT/GPL\0"
    assert not license.executable
    assert elf.section("nowhere") is None


def test_a_section_that_is_not_in_the_file_has_a_size_and_no_bytes() -> None:
    bss = read_elf(compile_c(SOURCE)).section(".bss")
    assert bss is not None
    assert (bss.size, bss.data) == (4, b"")


def test_symbols_say_where_they_are_and_who_sees_them() -> None:
    elf = read_elf(compile_c(SOURCE + "static int hidden; int use(void) { return ++hidden; }"))
    symbols = {symbol.name: symbol for symbol in elf.symbols}
    probe = symbols["probe"]
    assert (probe.type, probe.binding, probe.value, probe.size) == ("STT_FUNC", "STB_GLOBAL", 0, 16)
    assert probe.section is not None
    assert elf.sections[probe.section].name == "kprobe/x"
    assert symbols["table"].type == "STT_OBJECT"
    assert symbols["hidden"].binding == "STB_LOCAL"


def test_a_symbol_of_another_file_has_no_section() -> None:
    elf = read_elf(compile_c(SOURCE + "extern int far; int use(void) { return far; }"))
    assert [symbol.section for symbol in elf.symbols if symbol.name == "far"] == [None]


@pytest.mark.parametrize("data", [b"", b"x", b"\x7fELF", b"\x7fELF\x02\x01\x01", bytes(1000)])
def test_what_is_no_elf_file_is_an_error(data: bytes) -> None:
    with pytest.raises(ObjectError, match="not a well-formed ELF file") as caught:
        read_elf(data)
    assert caught.value.offset == 0


def test_an_elf_file_for_another_machine_is_an_error_that_names_it() -> None:
    with pytest.raises(ObjectError, match=r"an ELF file for EM_\w+ is no BPF object") as caught:
        read_elf(Path(sys.executable).read_bytes())
    assert caught.value.offset == E_MACHINE


def test_a_machine_that_has_no_name_is_an_error() -> None:
    data = bytearray(compile_c(SOURCE))
    data[E_MACHINE : E_MACHINE + 2] = b"\xee\xee"
    with pytest.raises(ObjectError, match="is no BPF object"):
        read_elf(bytes(data))


def header_of(name: str) -> int:
    """Where the header of a section of the object begins."""
    section = read_elf(compile_c(SOURCE)).section(name)
    assert section
    return headers() + HEADER * section.index


def headers() -> int:
    return int.from_bytes(compile_c(SOURCE)[E_SHOFF : E_SHOFF + 8], "little")


def put(data: bytearray, place: int, size: int, value: int) -> None:
    data[place : place + size] = value.to_bytes(size, "little")


# What is written where, the error, and its place.
MALFORMED: dict[str, tuple[Callable[[bytearray], None], str, Callable[[], int]]] = {
    "32 bits": (
        lambda data: put(data, EI_CLASS, 1, 1),
        "an ELF file of 32 bits is no BPF object",
        lambda: EI_CLASS,
    ),
    "header size": (
        lambda data: put(data, E_SHENTSIZE, 2, 40),
        "the section headers have an unknown size",
        lambda: E_SHENTSIZE,
    ),
    "number of headers": (
        lambda data: put(data, E_SHNUM, 2, 0xFEFF),
        "lie outside the file",
        lambda: E_SHOFF,
    ),
    "place of headers": (
        lambda data: put(data, E_SHOFF, 8, len(data) - 8),
        "lie outside the file",
        lambda: E_SHOFF,
    ),
    "names of sections": (
        lambda data: put(data, E_SHSTRNDX, 2, 99),
        "section 99 is no string table",
        lambda: E_SHSTRNDX,
    ),
    "name of a section": (
        lambda data: put(data, header_of(".BTF"), 4, 0xFFFF),
        "a name has no end within its string table",
        lambda: header_of(".BTF"),
    ),
    "size of a section": (
        lambda data: put(data, header_of(".BTF") + SH_SIZE, 8, 1 << 40),
        "lie outside the file",
        lambda: header_of(".BTF"),
    ),
    "place of a section": (
        lambda data: put(data, header_of(".BTF") + SH_OFFSET, 8, 1 << 63),
        "lie outside the file",
        lambda: header_of(".BTF"),
    ),
    "half a symbol": (
        lambda data: put(data, header_of(".symtab") + SH_SIZE, 8, 12),
        "a symbol is cut short",
        lambda: header_of(".symtab"),
    ),
    "names of symbols": (
        lambda data: put(data, header_of(".symtab") + SH_LINK, 4, 0),
        "section 0 is no string table",
        lambda: header_of(".symtab"),
    ),
    "two symbol tables": (
        lambda data: put(data, header_of(".BTF") + SH_TYPE, 4, SHT_SYMTAB),
        "has one symbol table, and this one two",
        lambda: header_of(".symtab"),
    ),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_file_is_an_error_that_says_where(name: str) -> None:
    change, message, place = MALFORMED[name]
    data = bytearray(compile_c(SOURCE))
    change(data)
    with pytest.raises(ObjectError, match=message) as caught:
        read_elf(bytes(data))
    assert caught.value.offset == place()


def test_more_sections_than_the_header_can_count_are_read() -> None:
    data = bytearray(compile_c(SOURCE))
    count = int.from_bytes(data[E_SHNUM : E_SHNUM + 2], "little")
    strings = int.from_bytes(data[E_SHSTRNDX : E_SHSTRNDX + 2], "little")
    put(data, E_SHNUM, 2, 0)
    put(data, headers() + SH_SIZE, 8, count)
    put(data, E_SHSTRNDX, 2, 0xFFFF)
    put(data, headers() + SH_LINK, 4, strings)
    read = read_elf(bytes(data))
    assert [section.name for section in read.sections][1:] == [
        section.name for section in read_elf(compile_c(SOURCE)).sections
    ][1:]


def read(data: bytes) -> Elf | None:
    """An Elf, or None for an ObjectError with a place; anything else is the test's failure."""
    try:
        return read_elf(data)
    except ObjectError as error:
        place = error.offset
    assert place is not None
    return None


def test_no_truncation_is_read() -> None:
    data = compile_c(SOURCE)
    # The section headers are the last thing in the file, so every cut loses one.
    assert [n for n in range(0, len(data), 7) if read(data[:n])] == []


@settings(max_examples=300)
@given(st.data())
def test_any_changed_byte_gives_an_elf_or_an_error(choice: st.DataObject) -> None:
    data = bytearray(compile_c(SOURCE))
    headers = int.from_bytes(data[E_SHOFF : E_SHOFF + 8], "little")
    places = st.integers(0, 63) | st.integers(headers, len(data) - 1)
    for place in choice.draw(st.lists(places, min_size=1, max_size=2)):
        data[place] = choice.draw(st.integers(0, 255))
    read(bytes(data))
