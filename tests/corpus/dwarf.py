"""Reads clang's layout of C types from DWARF: a source that shares nothing with our BTF reader."""

import io
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

from elftools.dwarf.compileunit import CompileUnit
from elftools.dwarf.die import DIE
from elftools.elf.elffile import ELFFile

_RENAMED = frozenset(
    f"DW_TAG_{kind}_type" for kind in ("const", "volatile", "restrict", "atomic")
) | {"DW_TAG_typedef", "DW_TAG_LLVM_annotation"}
_COMPOUND = {
    "DW_TAG_structure_type": "struct",
    "DW_TAG_union_type": "union",
    "DW_TAG_class_type": "struct",
}
_SIGNED = (0x05, 0x06)  # DW_ATE_signed, DW_ATE_signed_char
_BOOLEAN, _FLOAT, _CHARS = 0x02, 0x04, (0x06, 0x08)
_POINTER_SIZE = 8


@dataclass(frozen=True)
class Scalar:
    """A number, a pointer or an enum."""

    name: str
    size: int
    kind: str  # "int", "bool", "float", "char"
    signed: bool


@dataclass(frozen=True)
class Array:
    """An array of one dimension; ``count`` is 0 for a flexible one."""

    element: "CType"
    count: int

    @property
    def size(self) -> int:
        return self.element.size * self.count


@dataclass(frozen=True)
class Opaque:
    """What has no size, such as a function."""

    name: str
    size: int = 0


@dataclass(frozen=True)
class Member:
    """A member; ``offset`` and ``width`` are in bits, ``is_bitfield`` as in the C."""

    name: str
    type: "CType"
    offset: int
    width: int
    is_bitfield: bool


@dataclass(frozen=True)
class Compound:
    """A struct or union. Its members are read when asked for: types refer to themselves."""

    keyword: str
    name: str
    size: int
    die: DIE = field(compare=False, repr=False)
    reader: "Dwarf" = field(compare=False, repr=False)

    @cached_property
    def members(self) -> tuple[Member, ...]:
        return tuple(self.reader.members_of(self.die))

    def fields(self) -> Iterator[Member]:
        """Yield the members with those of anonymous structs among them: a union stays whole."""
        for member in self.members:
            if isinstance(member.type, Compound) and not member.name:
                if member.type.keyword == "struct" or self.keyword == "union":
                    yield from (_moved(inner, member.offset) for inner in member.type.fields())
                    continue
            elif not member.name:
                continue
            yield member

    def reachable(self) -> Iterator[Member]:
        """Yield the named members and those of anonymous ones among them, as C finds them."""
        for member in self.members:
            if member.name:
                yield member
            elif isinstance(member.type, Compound):
                yield from (_moved(inner, member.offset) for inner in member.type.reachable())


@dataclass(frozen=True)
class Enumeration:
    """An enum with its names, for comparison by itself."""

    name: str
    size: int
    values: tuple[tuple[str, int], ...]


CType = Scalar | Array | Compound | Opaque


class Dwarf:
    """The types of one unstripped object."""

    def __init__(self, data: bytes) -> None:
        elf = ELFFile(io.BytesIO(data))
        # clang's relocations of DWARF add the address of a section, 0, to the offset that is there:
        # applying them takes half the time of the whole and changes nothing.
        info = elf.get_dwarf_info(relocate_dwarf_sections=False)
        self._is_little = elf.little_endian
        self.compounds: dict[str, list[Compound]] = {}
        self.enumerations: list[Enumeration] = []
        self._types: dict[int, CType] = {}
        units: list[CompileUnit] = list(info.iter_CUs())
        for unit in units:
            self._collect(unit)

    def _collect(self, unit: CompileUnit) -> None:
        for die in unit.iter_DIEs():
            name = _name(die)
            if die.tag == "DW_TAG_enumeration_type":
                self.enumerations.append(_enumeration(die))
            elif die.tag in _COMPOUND and name and not _is_declaration(die):
                self._add(f"{_COMPOUND[die.tag]} {name}", self.resolve(die))
            elif die.tag == "DW_TAG_typedef":
                self._add(name, self.type_of(die))
            elif die.tag == "DW_TAG_variable" and name:
                self._add_variable(name, self.type_of(die))

    def _add(self, name: str, c_type: CType) -> None:
        while isinstance(c_type, Array):
            c_type = c_type.element
        if isinstance(c_type, Compound):
            self.compounds.setdefault(name, []).append(c_type)

    def _add_variable(self, name: str, c_type: CType) -> None:
        """Note a variable's anonymous type; of a map, those that ``__type()`` names."""
        self._add(name, c_type)
        if isinstance(c_type, Compound) and not c_type.name:
            for die in c_type.die.iter_children():
                pointer = self._referred(die)
                if pointer is not None and pointer.tag == "DW_TAG_pointer_type":
                    self._add(f"{name}_{_name(die)}", self.type_of(pointer))

    def _referred(self, die: DIE) -> DIE | None:
        return die.get_DIE_from_attribute("DW_AT_type") if "DW_AT_type" in die.attributes else None

    def type_of(self, die: DIE) -> CType:
        """Return the type that a DIE refers to."""
        referred = self._referred(die)
        return Opaque("void") if referred is None else self.resolve(referred)

    def resolve(self, die: DIE) -> CType:
        """Return the type that a DIE is."""
        if die.offset not in self._types:
            self._types[die.offset] = self._made(die)
        return self._types[die.offset]

    def _made(self, die: DIE) -> CType:
        name, size = _name(die), _number(die, "DW_AT_byte_size")
        if die.tag in _RENAMED:
            return self.type_of(die)
        if die.tag in _COMPOUND:
            return Compound(_COMPOUND[die.tag], name, size, die, self)
        if die.tag == "DW_TAG_pointer_type":
            return Scalar(f"{name} *", _POINTER_SIZE, "int", signed=False)
        if die.tag == "DW_TAG_enumeration_type":
            below = self.type_of(die)
            return Scalar(name, size, "int", signed=isinstance(below, Scalar) and below.signed)
        if die.tag == "DW_TAG_array_type":
            return self._array(die)
        if die.tag != "DW_TAG_base_type":
            return Opaque(str(die.tag))
        encoding = _number(die, "DW_AT_encoding")
        kinds = {_BOOLEAN: "bool", _FLOAT: "float"} | dict.fromkeys(_CHARS, "char")
        return Scalar(name, size, kinds.get(encoding, "int"), signed=encoding in _SIGNED)

    def _array(self, die: DIE) -> CType:
        made = self.type_of(die)
        ranges = [child for child in die.iter_children() if child.tag == "DW_TAG_subrange_type"]
        for dimension in reversed(ranges):
            made = Array(made, _number(dimension, "DW_AT_count"))
        return made

    def members_of(self, die: DIE) -> Iterator[Member]:
        """Yield the members of a struct or union."""
        for child in die.iter_children():
            if child.tag != "DW_TAG_member":
                continue
            c_type = self.type_of(child)
            width = _number(child, "DW_AT_bit_size")
            offset = self._bit_offset(child, width)
            yield Member(_name(child), c_type, offset, width or c_type.size * 8, bool(width))

    def _bit_offset(self, die: DIE, width: int) -> int:
        """Return where a member begins, counted as the machine counts bits.

        ``DW_AT_bit_offset`` counts from the most significant bit of a unit of ``DW_AT_byte_size``,
        in either byte order; ``DW_AT_data_bit_offset`` from the beginning of the struct.
        """
        offset = _number(die, "DW_AT_data_member_location") * 8
        if "DW_AT_bit_offset" not in die.attributes:
            return offset + _number(die, "DW_AT_data_bit_offset")
        below = _number(die, "DW_AT_bit_offset")
        below -= (below >> 63) << 64  # negative where a packed bitfield leaves its unit
        unit = _number(die, "DW_AT_byte_size") * 8
        return offset + (unit - below - width if self._is_little else below)


def _enumeration(die: DIE) -> Enumeration:
    values = tuple(
        (_name(child), _number(child, "DW_AT_const_value")) for child in die.iter_children()
    )
    return Enumeration(_name(die), _number(die, "DW_AT_byte_size"), values)


def _moved(member: Member, by: int) -> Member:
    return replace(member, offset=member.offset + by)


def _is_declaration(die: DIE) -> bool:
    return "DW_AT_declaration" in die.attributes


def _name(die: DIE) -> str:
    found = die.attributes.get("DW_AT_name")
    return "" if found is None else str(found.value.decode())


def _number(die: DIE, attribute: str) -> int:
    found = die.attributes.get(attribute)
    return 0 if found is None else int(found.value)
