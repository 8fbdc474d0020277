"""Reads what BTF leaves out of the debug information of an object, through pyelftools."""

import io
from collections.abc import Iterator
from typing import NamedTuple

from elftools.dwarf.compileunit import CompileUnit
from elftools.dwarf.die import DIE
from elftools.elf.elffile import ELFFile

from ebpfgen.elf import MALFORMED
from ebpfgen.errors import ObjectError

# DW_ATE_* of the DWARF standard: the encodings of numbers with a sign.
_SIGNED_ENCODINGS = frozenset({0x05, 0x06, 0x0D})

_QUALIFIERS = frozenset({"DW_TAG_const_type", "DW_TAG_volatile_type", "DW_TAG_restrict_type"})

# Chains of typedefs are short in C; a longer one is a loop.
_MAX_DEPTH = 32


class DebugEnum(NamedTuple):
    """An enum as the debug information has it, with an empty name if C gives it none."""

    name: str
    size: int
    signed: bool
    values: tuple[tuple[str, int], ...]


class AtomicArrays(NamedTuple):
    """The arrays of ``_Atomic`` elements, by where they are used, with the names of their elements.

    A member has the name of its struct or union, empty if C gives it none, and its own. An element
    has the name of its type without ``_Atomic``, which is ``*`` for a pointer.
    """

    variables: dict[str, str]
    members: dict[tuple[str, str], str]


def read_debug_enums(data: bytes) -> list[DebugEnum]:
    """Return every enum that the DWARF of an object describes, none if it has no DWARF.

    Nothing is relocated, which would take pyelftools several times as long as reading: relocations
    of BPF have their addends in place (``SHT_REL``), and those of DWARF are to the beginnings of
    its own sections.

    Raises ObjectError if the file is malformed.
    """
    try:
        entries = (entry for unit in _units(data) for entry in unit.iter_DIEs())
        enums = (entry for entry in entries if entry.tag == "DW_TAG_enumeration_type")
        # One that is only declared has no size.
        return [_debug_enum(entry) for entry in enums if "DW_AT_byte_size" in entry.attributes]
    except MALFORMED as error:
        raise ObjectError(f"not well-formed DWARF ({error})", where=".debug_info") from error


def read_atomic_arrays(data: bytes) -> AtomicArrays:
    """Find the variables and members that are arrays of ``_Atomic`` elements, or point to one.

    Raises ObjectError if the file is malformed.
    """
    found = AtomicArrays({}, {})
    try:
        for entry in (entry for unit in _units(data) for entry in unit.iter_DIEs()):
            if entry.tag not in ("DW_TAG_variable", "DW_TAG_member"):
                continue
            element, holder = _atomic_element(entry), entry.get_parent()
            if element is not None and entry.tag == "DW_TAG_variable":
                found.variables[_debug_name(entry)] = element
            elif element is not None and holder is not None:
                found.members[_debug_name(holder), _debug_name(entry)] = element
    except MALFORMED as error:
        raise ObjectError(f"not well-formed DWARF ({error})", where=".debug_info") from error
    return found


def _units(data: bytes) -> Iterator[CompileUnit]:
    """Yield the compile units of an object, none if it has no DWARF."""
    elf = ELFFile(io.BytesIO(data))
    if elf.get_section_by_name(".debug_info") is not None:
        yield from elf.get_dwarf_info(relocate_dwarf_sections=False).iter_CUs()


def _atomic_element(entry: DIE) -> str | None:
    """The type name of an ``_Atomic`` array's elements; None if *entry* is no such array."""
    is_array = False
    for found in _types(entry):
        if found.tag == "DW_TAG_atomic_type":
            return _type_name(found) if is_array else None
        if found.tag != "DW_TAG_typedef" and found.tag not in _QUALIFIERS:
            is_array = found.tag == "DW_TAG_array_type"
    return None


def _type_name(entry: DIE) -> str:
    """Return the name of the type of an entry, ``*`` if it is a pointer, without qualifiers."""
    unqualified = (found for found in _types(entry) if found.tag not in _QUALIFIERS)
    found = next(unqualified, None)
    if found is None:
        return ""
    return "*" if found.tag == "DW_TAG_pointer_type" else _debug_name(found)


def _types(entry: DIE) -> Iterator[DIE]:
    """Yield the type of an entry, then the type that this one names or is made of, and so on."""
    for _ in range(_MAX_DEPTH):
        if "DW_AT_type" not in entry.attributes:
            break
        entry = entry.get_DIE_from_attribute("DW_AT_type")
        yield entry


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
