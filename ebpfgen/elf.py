"""Reads ELF object files and their DWARF, through pyelftools, into the few facts the rest needs.

pyelftools reads headers. It believes all they say, of what is compressed and how much there is of
anything; so sections, symbols and names are taken from the file here, as far as they lie within it.
The format is that of the System V ABI, chapters 4 and 5.
"""

import io
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from elftools.common.exceptions import DWARFError, ELFError
from elftools.common.utils import struct_parse
from elftools.construct import ConstructError, Container
from elftools.dwarf.die import DIE
from elftools.elf.elffile import ELFFile
from elftools.elf.enums import ENUM_ST_INFO_BIND, ENUM_ST_INFO_TYPE, ENUM_ST_VISIBILITY

from ebpfgen.errors import ObjectError
from ebpfgen.target import ByteOrder

_SHF_EXECINSTR = 4
_SHN_LORESERVE, _SHN_XINDEX = 0xFF00, 0xFFFF

# Where the file header has the machine and what concerns section headers; and the sizes of a
# section header and a symbol, all of 64-bit files.
_EI_CLASS, _E_MACHINE, _E_SHOFF, _E_SHENTSIZE, _E_SHSTRNDX = 4, 18, 40, 58, 62
_SECTION_HEADER_SIZE, _SYMBOL_SIZE = 64, 24

_MAX_NAME = 4096
"""The longest name that is read, in bytes; without an end the names of a malformed file could take
its size times its size."""

_TYPES = {number: name for name, number in ENUM_ST_INFO_TYPE.items()}
_BINDINGS = {number: name for name, number in ENUM_ST_INFO_BIND.items()}
_VISIBILITIES = {number: name for name, number in ENUM_ST_VISIBILITY.items()}

# DW_ATE_* of the DWARF standard: the encodings of numbers with a sign.
_SIGNED_ENCODINGS = frozenset({0x05, 0x06, 0x0D})

# Chains of typedefs are short in C; a longer one is a loop.
_MAX_DEPTH = 32

# What pyelftools raises on files that only look like ELF, beside its own errors.
_MALFORMED = (
    DWARFError,
    ELFError,
    ConstructError,
    AssertionError,
    AttributeError,
    IndexError,
    KeyError,
    OverflowError,
    TypeError,
    UnicodeDecodeError,
    ValueError,
)


@dataclass(frozen=True, slots=True)
class Section:
    """A section: its number in the file, its name and its bytes (none for ``.bss``)."""

    index: int
    name: str
    size: int
    executable: bool
    contents: memoryview = field(repr=False)

    @property
    def data(self) -> bytes:
        """The bytes: a copy, so that the sections of a file together take no more than the file."""
        return bytes(self.contents)


@dataclass(frozen=True, slots=True)
class Symbol:
    """A symbol with ELF's words for its type and binding (``STT_FUNC``, ``STB_GLOBAL``).

    ``section`` is the number of its section, None for what no section of this file defines.
    """

    name: str
    type: str
    binding: str
    visibility: str
    section: int | None
    value: int
    size: int


@dataclass(frozen=True, slots=True)
class Elf:
    """A BPF object file."""

    byte_order: ByteOrder
    sections: tuple[Section, ...]
    symbols: tuple[Symbol, ...]

    def section(self, name: str) -> Section | None:
        """Return the section called *name*, None if there is none."""
        return next((section for section in self.sections if section.name == name), None)


@dataclass(frozen=True, slots=True)
class DebugEnum:
    """An enum as the debug information has it, with an empty name if C gives it none."""

    name: str
    size: int
    signed: bool
    values: tuple[tuple[str, int], ...]


def read_elf(data: bytes) -> Elf:
    """Read an object file of clang's BPF back end.

    Raises ObjectError if it is malformed or for another machine.
    """
    try:
        elf = ELFFile(io.BytesIO(data))
        machine, size = elf["e_machine"], elf.elfclass
    except _MALFORMED as error:
        raise ObjectError(f"not a well-formed ELF file ({error})", offset=0) from error
    if machine != "EM_BPF":
        raise ObjectError(f"an ELF file for {machine} is no BPF object", offset=_E_MACHINE)
    if size != 64:
        raise ObjectError(f"an ELF file of {size} bits is no BPF object", offset=_EI_CLASS)
    headers = _section_headers(elf, data)
    return Elf(
        byte_order="little" if elf.little_endian else "big",
        sections=tuple(_sections(elf, headers, data)),
        symbols=tuple(_symbols(elf, headers, data)),
    )


@dataclass(frozen=True, slots=True)
class _Header:
    """A section header, where it lies in the file, and the part of the file that it speaks of."""

    place: int
    fields: Container
    start: int
    end: int


def _section_headers(elf: ELFFile, data: bytes) -> list[_Header]:
    start, count = elf["e_shoff"], elf["e_shnum"]
    if not start:
        return []
    if elf["e_shentsize"] != _SECTION_HEADER_SIZE:
        raise ObjectError("the section headers have an unknown size", offset=_E_SHENTSIZE)
    if not count:  # more than the field can say: then the first header does
        _check_range(start, _SECTION_HEADER_SIZE, data, _E_SHOFF)
        count = struct_parse(elf.structs.Elf_Shdr, elf.stream, start)["sh_size"]
    _check_range(start, count * _SECTION_HEADER_SIZE, data, _E_SHOFF)
    headers = []
    for place in range(start, start + count * _SECTION_HEADER_SIZE, _SECTION_HEADER_SIZE):
        fields = struct_parse(elf.structs.Elf_Shdr, elf.stream, place)
        begin, size = fields["sh_offset"], fields["sh_size"]
        if fields["sh_type"] in ("SHT_NOBITS", "SHT_NULL"):
            begin = size = 0
        _check_range(begin, size, data, place)
        headers.append(_Header(place, fields, begin, begin + size))
    return headers


def _check_range(start: int, size: int, data: bytes, used_at: int) -> None:
    if start + size > len(data):
        message = f"{size} bytes at {start:#x} lie outside the file of {len(data)} bytes"
        raise ObjectError(message, offset=used_at)


def _sections(elf: ELFFile, headers: Sequence[_Header], data: bytes) -> Iterator[Section]:
    names = elf["e_shstrndx"]
    if names in ("SHN_XINDEX", _SHN_XINDEX) and headers:
        names = headers[0].fields["sh_link"]
    view = memoryview(data)
    for index, header in enumerate(headers):
        table = _string_table(headers, names, _E_SHSTRNDX)
        yield Section(
            index=index,
            name=_string(data, table, header.fields["sh_name"], header.place),
            size=header.fields["sh_size"],
            executable=bool(header.fields["sh_flags"] & _SHF_EXECINSTR),
            contents=view[header.start : header.end],
        )


def _symbols(elf: ELFFile, headers: Sequence[_Header], data: bytes) -> Iterator[Symbol]:
    tables = [header for header in headers if header.fields["sh_type"] == "SHT_SYMTAB"]
    if len(tables) > 1:
        raise ObjectError(
            "an ELF file has one symbol table, and this one two", offset=tables[1].place
        )
    entry = struct.Struct(("<" if elf.little_endian else ">") + "IBBHQQ")
    for table in tables:
        if (table.end - table.start) % _SYMBOL_SIZE:
            raise ObjectError("a symbol is cut short", offset=table.place)
        names = _string_table(headers, table.fields["sh_link"], table.place)
        for place in range(table.start, table.end, _SYMBOL_SIZE):
            name, info, other, section, value, size = entry.unpack_from(data, place)
            yield Symbol(
                name=_string(data, names, name, place),
                type=_TYPES.get(info & 0xF, str(info & 0xF)),
                binding=_BINDINGS.get(info >> 4, str(info >> 4)),
                visibility=_VISIBILITIES.get(other & 7, str(other & 7)),
                section=section if 0 < section < _SHN_LORESERVE else None,
                value=value,
                size=size,
            )


def _string_table(headers: Sequence[_Header], index: int, used_at: int) -> _Header:
    if not 0 < index < len(headers) or headers[index].fields["sh_type"] != "SHT_STRTAB":
        raise ObjectError(f"section {index} is no string table", offset=used_at)
    return headers[index]


def _string(data: bytes, table: _Header, offset: int, used_at: int) -> str:
    start = table.start + offset
    end = data.find(0, start, min(start + _MAX_NAME + 1, table.end))
    if end < 0:
        raise ObjectError("a name has no end within its string table", offset=used_at)
    return data[start:end].decode(errors="replace")


def read_debug_enums(data: bytes) -> list[DebugEnum]:
    """Return every enum that the DWARF of an object describes, none if it has no DWARF.

    Nothing is relocated, which would take pyelftools several times as long as reading: relocations
    of BPF have their addends in place (``SHT_REL``), and those of DWARF are to the beginnings of
    its own sections.

    Raises ObjectError if the file is malformed.
    """
    try:
        elf = ELFFile(io.BytesIO(data))
        if elf.get_section_by_name(".debug_info") is None:
            return []
        units = elf.get_dwarf_info(relocate_dwarf_sections=False).iter_CUs()
        entries = (entry for unit in units for entry in unit.iter_DIEs())
        enums = (entry for entry in entries if entry.tag == "DW_TAG_enumeration_type")
        # One that is only declared has no size.
        return [_debug_enum(entry) for entry in enums if "DW_AT_byte_size" in entry.attributes]
    except _MALFORMED as error:
        raise ObjectError(f"not well-formed DWARF ({error})", where=".debug_info") from error


def _debug_enum(entry: DIE) -> DebugEnum:
    size = entry.attributes["DW_AT_byte_size"].value
    found = [
        (_debug_name(child), child.attributes["DW_AT_const_value"].value)
        for child in entry.iter_children()
        if child.tag == "DW_TAG_enumerator"
    ]
    # DWARF 2 does not say which number an enum is; negative values are written as such.
    encoding = _encoding(entry)
    by_value = any(value < 0 for _, value in found)
    signed = by_value if encoding is None else encoding in _SIGNED_ENCODINGS
    values = tuple((name, _as_stored(value, size, signed=signed)) for name, value in found)
    return DebugEnum(_debug_name(entry), size, signed, values)


def _encoding(entry: DIE) -> int | None:
    """Return the ``DW_ATE_*`` of the number that a type is, by whatever other names."""
    for _ in range(_MAX_DEPTH):
        if "DW_AT_encoding" in entry.attributes:
            return int(entry.attributes["DW_AT_encoding"].value)
        if "DW_AT_type" not in entry.attributes:
            break
        entry = entry.get_DIE_from_attribute("DW_AT_type")
    return None


def _as_stored(value: int, size: int, *, signed: bool) -> int:
    """Return what *size* bytes hold of *value*: the form it is written in may be another's."""
    value &= (1 << 8 * size) - 1
    return value - (1 << 8 * size) if signed and value >> (8 * size - 1) else value


def _debug_name(entry: DIE) -> str:
    name = entry.attributes.get("DW_AT_name")
    return name.value.decode() if name else ""
