"""C types become Python classes: the part of binding that looks at types.

A struct becomes a dataclass, a union a class over its bytes, an enum an IntEnum. No type fails the
module: one that none of these can say is read as the bytes it takes, with a warning that names it.
"""

import dataclasses
from collections.abc import Iterator
from functools import partial

from ebpfgen.bitfields import Bits, Unit, units
from ebpfgen.btf import types as t
from ebpfgen.btf.layout import c_name, is_typeless, known_size_of, malformed, size_of, strip
from ebpfgen.btf.reader import Btf
from ebpfgen.cells import MAX_IN_LINE, Cell, in_order, record_of, value_of
from ebpfgen.comments import Comments
from ebpfgen.enums import doubts, enumeration_of
from ebpfgen.members import Place, PlacedMember, bytes_of, members_of, names_of
from ebpfgen.model import Field, Fields, GeneratedType, Overlay, OverlayMember, Tail
from ebpfgen.naming import camel_case, meeting_names
from ebpfgen.values import Value, named, opaque, packed, raw, scalar, scalars_in_line, text

# The C standard asks for 63 levels of nested structs; what has more is malformed.
_MAX_DEPTH = 64


class TypeBinder:
    """Collects the classes that the codecs of one module need."""

    def __init__(
        self,
        btf: Btf,
        prefix: str,
        *,
        reserved: frozenset[str],
        classes: bool = True,
        comments: Comments | None = None,
    ) -> None:
        self._btf = btf
        self._comments = comments or Comments()
        self._classes = classes
        self._prefix = prefix
        self._taken = set(reserved)
        self._spelled: dict[str, tuple[str, str]] = {}
        self._order = "<" if btf.byte_order == "little" else ">"
        self._types: list[GeneratedType] = []
        self._overlays: dict[str, Overlay] = {}
        self._fields: dict[int, str] = {}
        self._values: dict[int, Value | None] = {}
        self._warnings: dict[str, None] = {}
        self._depth = 0

    @property
    def types(self) -> tuple[GeneratedType, ...]:
        """The classes so far, each after those it contains."""
        return tuple(self._types)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was read as bytes, and why."""
        return tuple(self._warnings)

    def codec(self, type_id: int | None, size: int, what: str, name: str) -> Value:
        """Return how to read a type that stands by itself.

        *what* names it in warnings, and *name* is that of the variable, or of a class made for a
        type that has no name in C. *size* is that of the bytes where there is no type.
        """
        if type_id is None:
            return raw(size)
        if not self._classes and self._needs_class(type_id):
            return raw(size or size_of(self._btf, type_id))
        return self._value(type_id, Place(what, name, holder=name))

    def add(self, type_id: int) -> None:
        """Make the class of a struct, union or enum that has a name, a typedef's perhaps."""
        self._value(type_id, Place(c_name(self._btf, type_id)))

    def fields(self, type_id: int, variable: str) -> str:
        """Return the class that reads and writes the members of a variable one by one.

        It is empty where the variable is no struct or union, or one without members.
        """
        own_id, typedef = strip(self._btf, type_id)
        btf_type = self._btf[own_id]
        if not self._classes or not isinstance(btf_type, t.Struct | t.Union):
            return ""
        if own_id not in self._fields:
            label = self._value(type_id, Place(variable)).codec
            c_type = self._c_type(own_id, typedef)
            holder = c_type if btf_type.name or typedef else variable
            place = Place(c_type, label.removeprefix(self._prefix), label, holder)
            members = self._overlay_members(own_id, btf_type, place)
            if found := tuple(member for member, size, _ in members if size):
                name = self._fields[own_id] = self._unique(f"{place.base}Fields")
                self._types.append(Fields(name, c_type, found, label))
        return self._fields.get(own_id, "")

    def _c_type(self, own_id: int, typedef: str) -> str:
        """Return what C calls a type; what only its place names is as C shows it: union {…}."""
        name = c_name(self._btf, own_id)
        return typedef if typedef and name.endswith("{…}") else name

    def size(self, type_id: int) -> int:
        """Return the size of a type in bytes."""
        return size_of(self._btf, type_id)

    def c_name(self, type_id: int | None) -> str:
        """Return how C spells a type."""
        return "unknown type" if type_id is None else c_name(self._btf, type_id)

    def warn(self, warning: str) -> None:
        """Say something to the person who generates the module, once."""
        self._warnings[warning] = None

    def warn_typeless(self, what: str, size: int) -> None:
        """Warn of what has a place and no type."""
        self.warn(
            f"{what} has no type in the object: it is read as {size} bytes; if it is _Atomic, "
            "clang 20 or newer records it"
        )

    def _needs_class(self, type_id: int) -> bool:
        known_size_of(self._btf, type_id)  # raises if the dimensions don't end
        btf_type = self._btf[strip(self._btf, type_id)[0]]
        if isinstance(btf_type, t.Array):
            return self._needs_class(btf_type.type_id)
        return isinstance(btf_type, t.Struct | t.Union | t.Enum)

    def _value(self, type_id: int, place: Place) -> Value:
        """Return how to read a type; *place* is for one that has no name of its own."""
        if self._depth > _MAX_DEPTH:
            raise malformed(self._btf, type_id, f"{place.what} is nested without end")
        self._depth += 1
        try:
            return self._read(type_id, place)
        finally:
            self._depth -= 1

    def _read(self, type_id: int, place: Place) -> Value:
        own_id, typedef = strip(self._btf, type_id)
        btf_type = self._btf[own_id]
        if isinstance(btf_type, t.Array):
            return self._array(btf_type, place)
        if isinstance(btf_type, t.Struct | t.Union | t.Enum):
            if own_id not in self._values:
                self._values[own_id] = None
                self._values[own_id] = self._compound(own_id, btf_type, typedef, place)
            value = self._values[own_id]
            if value is None:
                raise malformed(self._btf, own_id, f"{place.what} contains itself")
            return value
        return scalar(btf_type, self._order) or self._bytes(type_id, place.what)

    def _compound(
        self, own_id: int, btf_type: t.Struct | t.Union | t.Enum, typedef: str, place: Place
    ) -> Value:
        c_type = self._c_type(own_id, typedef)
        named_as = btf_type.name or typedef
        if isinstance(btf_type, t.Enum):
            return self._enumeration(btf_type, named_as, c_type, place)
        name = self._name_of(named_as, c_type, place)
        base = name.removeprefix(self._prefix)
        place = (
            Place(c_type, base, name, holder=c_type)
            if named_as
            else place._replace(base=base, label=place.label or name)
        )
        if isinstance(btf_type, t.Struct):
            members = members_of(self._btf, own_id, btf_type, into=t.Struct)
            whole = all(member.bitfield_size or not member.offset % 8 for member in members)
            cells = in_order(self._cells(members, place), btf_type.size)
            if whole and cells is not None:
                record = record_of(
                    cells,
                    name=name,
                    c_type=c_type,
                    size=btf_type.size,
                    order=self._order,
                    tail=self._tail(members, cells),
                    doc=self._comments.of_type(c_type),
                )
                self._types.append(record)
                return value_of(record, cells)
        overlay = self._overlay(own_id, btf_type, name, c_type, place)
        self._overlays[name] = overlay
        self._types.append(overlay)
        return opaque(name, overlay.size)

    def _array(self, array: t.Array, place: Place) -> Value:
        known_size_of(self._btf, array.type_id)  # raises if the dimensions don't end
        element_id, _ = strip(self._btf, array.type_id)
        element_type = self._btf[element_id]
        if isinstance(element_type, t.Int) and element_type.size == 1 and not element_type.is_bool:
            if element_type.name == "char":
                return text(array.count)
            if not element_type.signed:
                return raw(array.count, f'("u1", ({array.count},))')
        element = self._value(array.type_id, place)
        codec = f"rt.array_of({element.codec}, {array.count})"
        if element.letter and 0 < array.count <= MAX_IN_LINE:
            value = scalars_in_line(element, codec, array.count)
        else:
            size = array.count * size_of(self._btf, array.type_id)
            dtype = f"({element.dtype}, ({array.count},))"
            value = packed(f"tuple[{element.annotation}, ...]", codec, size, dtype)
        return dataclasses.replace(value, element=element.codec, length=array.count)

    def _bytes(self, type_id: int, what: str) -> Value:
        """Return the value of a type that is read as bytes, after a warning."""
        self.warn(f"{what} ({c_name(self._btf, type_id)}) is read as bytes")
        return raw(known_size_of(self._btf, type_id))

    def _name_of(self, named_as: str, c_type: str, place: Place) -> str:
        """Return a name for the class of a C type; warn if another C type has the one it wants."""
        name = self._unique(named_as or place.base)
        first, kept = c_type, name
        if named_as:
            first, kept = self._spelled.setdefault(camel_case(named_as), (c_type, name))
        if kept != name:
            other = f"another {c_type}" if first == c_type else first
            self.warn(meeting_names(c_type, name, other, kept))
        return name

    def _unique(self, base: str) -> str:
        """Return the name of a class that no other has."""
        return self._free(self._prefix + camel_case(base))

    def _free(self, wanted: str) -> str:
        """Return a name for this module that is taken by nothing else from now on."""
        name, number = wanted, 2
        while name in self._taken:
            name = f"{wanted}_{number}"
            number += 1
        self._taken.add(name)
        return name

    def _enumeration(self, enum: t.Enum, named_as: str, c_type: str, place: Place) -> Value:
        number = scalar(enum, self._order) or raw(enum.size)
        if doubt := doubts(enum):
            self.warn(f"{place.what} ({c_type}) {doubt}")
        if enum.cut or not enum.values:
            return number
        name = self._name_of(named_as, c_type, place)
        self._types.append(enumeration_of(enum, name, c_type, self._comments))
        return named(name, number)

    def _cells(self, members: list[PlacedMember], place: Place) -> list[Cell]:
        """Return the parts of a record's format."""
        names = names_of(members, self._prefix)
        bitfields = [member for member in members if member.bitfield_size]
        cells = [self._bit_cell(unit, names, place) for unit in units(bitfields, self._order)]
        return cells + [
            self._cell(member, names[member], bytes_of(self._btf, member, members), place)
            for member in members
            if not member.bitfield_size
        ]

    def _member(self, member: t.Member, name: str, size: int, place: Place) -> Value:
        """Return how to read a member; *place* is that of what it is in."""
        own = place.member(member.name, name)
        if not is_typeless(self._btf, member.type_id):
            return self._value(member.type_id, own)
        self.warn_typeless(own.what, size)
        return raw(size)

    def _cell(self, member: t.Member, name: str, size: int, place: Place) -> Cell:
        value = self._member(member, name, size, place)
        offset = member.offset // 8
        constant = None
        if not size:
            value = _nothing(value)
        elif value.is_packed and "(" in value.codec:
            # A class has its format in a constant of that form: no class may have the name.
            taken = self._free(f"{self._prefix}{place.base}_{name}")
            constant = (f"_{taken}", value.codec)
            value = packed(value.annotation, constant[0], size, value.dtype)
        doc = self._doc(member, place)
        field = Field(name, value.annotation, c_name(self._btf, member.type_id), doc)
        overlay = None if member.name else self._overlays.get(value.annotation)
        dtype = overlay.dtype if overlay else ((name, value.dtype, 0),)
        return Cell(
            offset,
            size,
            value.layout,
            value.count,
            ((field, value.decode),),
            lambda record, label: value.encode(f"{record}.{name}", f"{label}.{name}"),
            tuple(f"{name}{label}" for label in value.labels or ("",) * value.count),
            tuple((n, d, offset + o) for n, d, o in dtype) if size else (),
            overlay,
            constant,
        )

    def _bit_cell(self, unit: Unit, names: dict[t.Member, str], place: Place) -> Cell:
        fields = []
        signs = {}
        for bits in unit.bits:
            type_id, name = bits.member.type_id, names[bits.member]
            value = self._value(type_id, place.member(bits.member.name, name))
            signs[name] = signed = self._is_signed(type_id)
            comment = f"{c_name(self._btf, type_id)} : {bits.width}"
            read = partial(_read_bits, unit, bits, value, order=self._order, signed=signed)
            doc = self._doc(bits.member, place)
            fields.append((Field(name, value.annotation, comment, doc), read))

        def encode(record: str, label: str) -> list[str]:
            parts = []
            for bits in unit.bits:
                name = names[bits.member]
                parts.append(bits.write(f"{record}.{name}", f"{label}.{name}", signed=signs[name]))
            return [unit.write(parts, self._order)]

        dtype = f'"V{unit.size}"' if unit.is_bytes else f'"{self._order}u{unit.size}"'
        return Cell(
            unit.offset,
            unit.size,
            unit.layout,
            1,
            tuple(fields),
            encode,
            (", ".join(names[bits.member] for bits in unit.bits),),
            ((f"bits_{unit.offset}", dtype, unit.offset),),
        )

    def _doc(self, member: t.Member, place: Place) -> str:
        return self._comments.of_member(place.holder, place.path + member.name)

    def _tail(self, members: list[PlacedMember], cells: list[Cell]) -> Tail | None:
        """Return the flexible array member, if a struct ends with one."""
        last = members[-1] if members else None
        if last is None or last.bitfield_size or not cells[-1].fields:
            return None
        array = self._btf[strip(self._btf, last.type_id)[0]]
        if not isinstance(array, t.Array) or array.count:
            return None
        field = cells[-1].fields[0][0]
        element = self._btf[strip(self._btf, array.type_id)[0]]
        is_text = isinstance(element, t.Int) and element.name == "char"
        codec = "rt.rest_text" if is_text else "rt.rest_bytes"
        if field.annotation != "bytes":
            codec = f"rt.rest_of({self._value(array.type_id, Place(field.name)).codec})"
        return Tail(field.name, last.offset // 8, codec)

    def _overlay(
        self, own_id: int, holder: t.Struct | t.Union, name: str, c_type: str, place: Place
    ) -> Overlay:
        members = list(self._overlay_members(own_id, holder, place))
        return Overlay(
            name,
            c_type,
            holder.size,
            tuple(member for member, _, _ in members),
            tuple(dtype for _, _, dtype in members if dtype),
            "" if place.label == name else place.label,
            self._comments.of_type(c_type),
        )

    def _overlay_members(
        self, own_id: int, holder: t.Struct | t.Union, place: Place
    ) -> Iterator[tuple[OverlayMember, int, tuple[str, str, int] | None]]:
        """Yield the members of a union with their sizes in bytes and numpy's types, if any."""
        members = members_of(self._btf, own_id, holder, into=t.Union)
        names = names_of(members, self._prefix)
        for member in members:
            spelled, size, dtype = names[member], bytes_of(self._btf, member, members), None
            value = self._member(member, spelled, size, place)
            comment = c_name(self._btf, member.type_id)
            if member.offset + (member.bitfield_size or size * 8) > holder.size * 8:
                raise malformed(self._btf, own_id, f"{place.what}.{member.name} lies outside it")
            if member.bitfield_size or member.offset % 8:
                descriptor = self._bit_descriptor(member, value)
                comment += f" : {member.bitfield_size}"
            else:
                offset = member.offset // 8
                descriptor = f"rt.at({value.codec}, {offset})"
                dtype = (spelled, value.dtype, offset) if size else None
            doc = self._doc(member, place)
            yield OverlayMember(spelled, value.annotation, descriptor, comment, doc), size, dtype

    def _bit_descriptor(self, member: t.Member, value: Value) -> str:
        width = member.bitfield_size or size_of(self._btf, member.type_id) * 8
        (unit,) = units([dataclasses.replace(member, bitfield_size=width)], self._order)
        bits = unit.bits[0]
        place = f"{unit.offset}, {unit.size}, {bits.shift}, {bits.width}"
        convert = f"rt.namer({value.enum})" if value.enum else value.annotation
        order = '"little"' if self._order == "<" else '"big"'
        return f"rt.bits_at({order}, {self._is_signed(member.type_id)}, {place}, {convert})"

    def _is_signed(self, type_id: int) -> bool:
        btf_type = self._btf[strip(self._btf, type_id)[0]]
        return isinstance(btf_type, t.Int | t.Enum) and btf_type.signed


def _read_bits(
    unit: Unit, bits: Bits, value: Value, index: int, *, order: str, signed: bool
) -> str:
    return bits.read(unit.read(index, order), value, signed=signed)


def _nothing(value: Value) -> Value:
    """Return the value of an array without elements, or of a struct without members."""
    empty = {"b": 'b""', "t": "()"}.get(value.annotation[0], f'{value.annotation}.unpack_from(b"")')
    return dataclasses.replace(
        value, layout="", count=0, decode=lambda _: empty, encode=lambda *_: [], is_packed=False
    )
