"""Reads ELF object files, through pyelftools, into the few facts the rest needs."""

import io
from collections.abc import Iterator
from dataclasses import dataclass

from elftools.common.exceptions import ELFError
from elftools.construct import ConstructError
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from ebpfgen.errors import ObjectError
from ebpfgen.target import ByteOrder

_SHF_EXECINSTR = 4

# What pyelftools raises on files that only look like ELF, beside its own ELFError.
_MALFORMED = (
    ELFError,
    ConstructError,
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
