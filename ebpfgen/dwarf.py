"""Reads what BTF leaves out of the debug information of an object, through pyelftools."""

import io
from typing import NamedTuple

from elftools.dwarf.die import DIE
from elftools.elf.elffile import ELFFile

from ebpfgen.elf import MALFORMED
from ebpfgen.errors import ObjectError

# DW_ATE_* of the DWARF standard: the encodings of numbers with a sign.
_SIGNED_ENCODINGS = frozenset({0x05, 0x06, 0x0D})

# Chains of typedefs are short in C; a longer one is a loop.
_MAX_DEPTH = 32


class DebugEnum(NamedTuple):
    """An enum as the debug information has it, with an empty name if C gives it none."""

    name: str
    size: int
    signed: bool
    values: tuple[tuple[str, int], ...]


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
    except MALFORMED as error:
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
