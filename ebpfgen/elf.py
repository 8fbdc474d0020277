"""Reads ELF object files, through pyelftools, into the few facts that the rest needs.

pyelftools reads headers. It believes all they say, of what is compressed and how much there is of
anything; so sections, symbols and names are taken from the file here, as far as they lie within it.
The format is that of the System V ABI, chapters 4 and 5.
"""

import io
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

from elftools.common.exceptions import DWARFError, ELFError
from elftools.common.utils import struct_parse
from elftools.construct import ConstructError, Container
from elftools.elf.enums import ENUM_ST_INFO_BIND, ENUM_ST_INFO_TYPE, ENUM_ST_VISIBILITY
from elftools.elf.structs import ELFStructs

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

MALFORMED = (
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
"""What pyelftools raises on files that only look like ELF, beside its own errors."""


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


class Symbol(NamedTuple):
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


class Elf(NamedTuple):
    """A BPF object file."""

    byte_order: ByteOrder
    sections: tuple[Section, ...]
    symbols: tuple[Symbol, ...]

    def section(self, name: str) -> Section | None:
        """Return the section called *name*, None if there is none."""
        return next((section for section in self.sections if section.name == name), None)


def read_elf(data: bytes) -> Elf:
    """Read an object file of clang's BPF back end.

    Raises ObjectError if it is malformed or for another machine.
    """
    try:
        structs, fields = _file_header(data)
        machine, size = fields["e_machine"], structs.elfclass
    except MALFORMED as error:
        raise ObjectError(f"not a well-formed ELF file ({error})", offset=0) from error
    if machine != "EM_BPF":
        raise ObjectError(f"an ELF file for {machine} is no BPF object", offset=_E_MACHINE)
    if size != 64:
        raise ObjectError(f"an ELF file of {size} bits is no BPF object", offset=_EI_CLASS)
    headers = _section_headers(structs, fields, data)
    byte_order: ByteOrder = "little" if structs.little_endian else "big"
    return Elf(
        byte_order=byte_order,
        sections=tuple(_sections(fields, headers, data)),
        symbols=tuple(_symbols(byte_order, headers, data)),
    )


def _file_header(data: bytes) -> tuple[ELFStructs, Container]:
    """Return the structures of a file, and the one at its start.

    pyelftools' ELFFile does the same, but its module takes a while to import: it is for DWARF, too.
    """
    magic, elf_class, encoding = data[:4], data[4:5], data[5:6]
    if magic != b"\x7fELF":
        raise ELFError("Magic number does not match")
    if elf_class not in (b"\x01", b"\x02") or encoding not in (b"\x01", b"\x02"):
        raise ELFError(f"its class is {elf_class!r} and its encoding {encoding!r}")
    structs = _structures(encoding == b"\x01", 64 if elf_class == b"\x02" else 32)
    return structs, struct_parse(structs.Elf_Ehdr, io.BytesIO(data), 0)


@cache
def _structures(little_endian: bool, elf_class: int) -> ELFStructs:
    structs = ELFStructs(little_endian, elf_class)
    structs.create_basic_structs()
    structs.create_advanced_structs(e_machine="EM_BPF")
    return structs


class _Header(NamedTuple):
    """A section header, where it lies in the file, and the part of the file that it speaks of."""

    place: int
    fields: Container
    start: int
    end: int


def _section_headers(structs: ELFStructs, file: Container, data: bytes) -> list[_Header]:
    stream = io.BytesIO(data)
    start, count = file["e_shoff"], file["e_shnum"]
    if not start:
        return []
    if file["e_shentsize"] != _SECTION_HEADER_SIZE:
        raise ObjectError("the section headers have an unknown size", offset=_E_SHENTSIZE)
    if not count:  # more than the field can say: then the first header does
        _check_range(start, _SECTION_HEADER_SIZE, data, _E_SHOFF)
        count = struct_parse(structs.Elf_Shdr, stream, start)["sh_size"]
    _check_range(start, count * _SECTION_HEADER_SIZE, data, _E_SHOFF)
    headers = []
    for place in range(start, start + count * _SECTION_HEADER_SIZE, _SECTION_HEADER_SIZE):
        fields = struct_parse(structs.Elf_Shdr, stream, place)
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


def _sections(file: Container, headers: Sequence[_Header], data: bytes) -> Iterator[Section]:
    names = file["e_shstrndx"]
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


def _symbols(byte_order: ByteOrder, headers: Sequence[_Header], data: bytes) -> Iterator[Symbol]:
    tables = [header for header in headers if header.fields["sh_type"] == "SHT_SYMTAB"]
    if len(tables) > 1:
        raise ObjectError(
            "an ELF file has one symbol table, and this one two", offset=tables[1].place
        )
    entry = struct.Struct(("<" if byte_order == "little" else ">") + "IBBHQQ")
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
