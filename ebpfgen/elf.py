"""Reads ELF object files and their DWARF, through pyelftools, into the few facts the rest needs."""

import io
from collections.abc import Iterator
from dataclasses import dataclass

from elftools.common.exceptions import DWARFError, ELFError
from elftools.construct import ConstructError
from elftools.dwarf.die import DIE
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from ebpfgen.errors import ObjectError
from ebpfgen.target import ByteOrder

_SHF_EXECINSTR = 4

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
    data: bytes


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
        machine = elf["e_machine"]
        if machine != "EM_BPF":
            raise ObjectError(f"an ELF file for {machine} is no BPF object")
        return Elf(
            byte_order="little" if elf.little_endian else "big",
            sections=tuple(_sections(elf)),
            symbols=tuple(_symbols(elf)),
        )
    except _MALFORMED as error:
        raise ObjectError(f"not a well-formed ELF file ({error})", offset=0) from error


def _sections(elf: ELFFile) -> Iterator[Section]:
    for index, section in enumerate(elf.iter_sections()):
        header = section.header
        yield Section(
            index=index,
            name=section.name,
            size=header["sh_size"],
            executable=bool(header["sh_flags"] & _SHF_EXECINSTR),
            data=b"" if header["sh_type"] in ("SHT_NOBITS", "SHT_NULL") else section.data(),
        )


def _symbols(elf: ELFFile) -> Iterator[Symbol]:
    for table in elf.iter_sections():
        if not isinstance(table, SymbolTableSection):
            continue
        for symbol in table.iter_symbols():
            entry = symbol.entry
            section = entry["st_shndx"]
            yield Symbol(
                name=symbol.name,
                type=entry["st_info"]["type"],
                binding=entry["st_info"]["bind"],
                visibility=entry["st_other"]["visibility"],
                section=section if isinstance(section, int) else None,
                value=entry["st_value"],
                size=entry["st_size"],
            )


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
