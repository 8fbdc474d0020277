"""C types become Python classes: the part of binding that looks at types.

A struct becomes a dataclass, a union a class over its bytes, an enum an IntEnum. No type fails the
module: one that none of these can say is read as the bytes it takes, with a warning that names it.
"""

import dataclasses
from collections.abc import Iterator
from functools import partial

from ebpfgen.bitfields import Bits, Unit, units
from ebpfgen.btf import types as t
from ebpfgen.btf.layout import c_name, known_size_of, size_of, strip
from ebpfgen.btf.reader import Btf
from ebpfgen.cells import MAX_IN_LINE, Cell, in_order, record_of, value_of
from ebpfgen.comments import Comments
from ebpfgen.errors import ObjectError
from ebpfgen.model import Enumeration, Field, GeneratedType, Overlay, OverlayMember, Tail
from ebpfgen.naming import camel_case, distinct_names, enumerator_name, member_name
from ebpfgen.values import Value, named, packed, raw, scalar, scalars_in_line, text

RESERVED_MEMBERS = frozenset(
    {"SIZE", "dtype", "pack", "pack_into", "unpack_from"}
    | {"_beyond", "_data", "_each", "_labels", "_layout", "_misfit", "_tail", "_values"}
    | {"ClassVar", "classmethod", "object", "property", "rt"}
)
"""What every generated class defines or uses by name: no member may take these names."""

RESERVED_ENUMERATORS = frozenset({"mro", "name", "value"})
"""What IntEnum defines, and would refuse or hide."""


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
        self._order = "<" if btf.byte_order == "little" else ">"
        self._types: list[GeneratedType] = []
        self._overlays: dict[str, Overlay] = {}
        self._values: dict[int, Value | None] = {}
        self._warnings: dict[str, None] = {}

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

        *what* names it in warnings, and *name* a class made for a type that has no name in C.
        *size* is that of the bytes where there is no type.
        """
        if type_id is None:
            return raw(size)
        if not self._classes and self._needs_class(type_id):
            return raw(size or size_of(self._btf, type_id))
        return self._value(type_id, what, name)

    def add(self, type_id: int) -> None:
        """Make the class of a struct, union or enum that has a name, a typedef's perhaps."""
        self._value(type_id, c_name(self._btf, type_id), "")

    def c_name(self, type_id: int | None) -> str:
        """Return how C spells a type."""
        return "unknown type" if type_id is None else c_name(self._btf, type_id)

    def warn(self, warning: str) -> None:
        """Say something to the person who generates the module, once."""
        self._warnings[warning] = None

    def _needs_class(self, type_id: int) -> bool:
        btf_type = self._btf[strip(self._btf, type_id)[0]]
        if isinstance(btf_type, t.Array):
            return self._needs_class(btf_type.type_id)
        return isinstance(btf_type, t.Struct | t.Union | t.Enum)

    def _value(self, type_id: int, what: str, name: str) -> Value:
        """Return how to read a type; *name* is for one that has no name of its own."""
        own_id, typedef = strip(self._btf, type_id)
        btf_type = self._btf[own_id]
        if isinstance(btf_type, t.Array):
            return self._array(btf_type, what, name)
        if isinstance(btf_type, t.Struct | t.Union | t.Enum):
            if own_id not in self._values:
                self._check_depth(what)
                self._values[own_id] = None
                base = btf_type.name or typedef or name
                # What only its place names is called as C shows it: union {…}.
                c_type = typedef if typedef and not btf_type.name else c_name(self._btf, own_id)
                self._values[own_id] = self._compound(btf_type, base, c_type, what)
            value = self._values[own_id]
            if value is None:
                raise ObjectError(f"{what} contains itself", where=".BTF")
            return value
        return scalar(btf_type, self._order) or self._bytes(type_id, what)

    def _check_depth(self, what: str) -> None:
        if sum(value is None for value in self._values.values()) > _MAX_DEPTH:
            raise ObjectError(f"{what} is nested without end", where=".BTF")

    def _compound(
        self, btf_type: t.Struct | t.Union | t.Enum, base: str, c_type: str, what: str
    ) -> Value:
        if isinstance(btf_type, t.Enum):
            return self._enumeration(btf_type, base, c_type, what)
        name = self._unique(base)
        if isinstance(btf_type, t.Struct):
            members = list(self._inlined(btf_type, into=t.Struct))
            whole = all(member.bitfield_size or not member.offset % 8 for member in members)
            cells = in_order(self._cells(members, c_type, name), btf_type.size)
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
        overlay = self._overlay(btf_type, name, c_type)
        self._overlays[name] = overlay
        self._types.append(overlay)
        return Value(
            annotation=name,
            codec=name,
            layout=f"{overlay.size}s",
            count=1,
            decode=lambda index: f"{name}(v[{index}])",
            encode=lambda value, _: [f"{value}.pack()"],
            dtype=f"{name}.dtype()",
        )

    def _array(self, array: t.Array, what: str, name: str) -> Value:
        known_size_of(self._btf, array.type_id)  # raises if the dimensions don't end
        element_id, _ = strip(self._btf, array.type_id)
        element_type = self._btf[element_id]
        if isinstance(element_type, t.Int) and element_type.size == 1 and not element_type.is_bool:
            if element_type.name == "char":
                return text(array.count)
            if not element_type.signed:
                return raw(array.count, f'("u1", ({array.count},))')
        element = self._value(array.type_id, what, name)
        codec = f"rt.array_of({element.codec}, {array.count})"
        if element.letter and 0 < array.count <= MAX_IN_LINE:
            return scalars_in_line(element, codec, array.count)
        size = array.count * size_of(self._btf, array.type_id)
        dtype = f"({element.dtype}, ({array.count},))"
        return packed(f"tuple[{element.annotation}, ...]", codec, size, dtype)

    def _bytes(self, type_id: int, what: str) -> Value:
        """Return the value of a type that is read as bytes, after a warning."""
        self.warn(f"{what} ({c_name(self._btf, type_id)}) is read as bytes")
        return raw(known_size_of(self._btf, type_id))

    def _unique(self, base: str) -> str:
        """Return the name of a class that no other has."""
        name = wanted = self._prefix + camel_case(base)
        number = 2
        while name in self._taken:
            name = f"{wanted}_{number}"
            number += 1
        self._taken.add(name)
        return name

    def _enumeration(self, enum: t.Enum, base: str, c_type: str, what: str) -> Value:
        number = scalar(enum, self._order) or raw(enum.size)
        if enum.cut:
            self.warn(
                f"{what} ({c_type}) has values of more than 32 bits, which this clang does not "
                "record: it is read as a number; clang 15 or newer gives the names"
            )
            return number
        if not enum.values:
            return number
        names = distinct_names(
            [value.name for value in enum.values], enumerator_name, reserved=RESERVED_ENUMERATORS
        )
        name = self._unique(base)
        values = tuple(
            (spelled, value.value, self._comments.of_enumerator(c_type, value.name))
            for spelled, value in zip(names, enum.values, strict=True)
        )
        doc = self._comments.of_type(c_type)
        self._types.append(Enumeration(name, c_type, enum.size, values, doc))
        return named(name, number)

    def _inlined(
        self, holder: t.Struct | t.Union, *, into: type[t.Struct | t.Union], base: int = 0
    ) -> Iterator[t.Member]:
        """Yield the members with those of anonymous ones among them, offsets from the outermost.

        Into a struct come those of anonymous structs, into a union those of anonymous unions too.
        """
        for member in holder.members:
            offset = base + member.offset
            inner = self._btf[strip(self._btf, member.type_id)[0]]
            width = member.bitfield_size
            if isinstance(inner, t.Int) and inner.bits < inner.size * 8 and not width:
                width = inner.bits
            if not member.name and isinstance(inner, t.Struct | t.Union):
                if isinstance(inner, t.Struct) or into is t.Union:
                    yield from self._inlined(inner, into=into, base=offset)
                    continue
            elif not member.name:
                continue
            yield dataclasses.replace(member, offset=offset, bitfield_size=width)

    def _cells(self, members: list[t.Member], c_type: str, owner: str) -> list[Cell]:
        """Return the parts of a record's format."""
        names = self._member_names(members)
        bitfields = [member for member in members if member.bitfield_size]
        cells = [
            self._bit_cell(unit, names, c_type, owner) for unit in units(bitfields, self._order)
        ]
        return cells + [
            self._cell(member, names[member], c_type, owner)
            for member in members
            if not member.bitfield_size
        ]

    def _member_names(self, members: list[t.Member]) -> dict[t.Member, str]:
        wanted = [member.name or f"anonymous_{i}" for i, member in enumerate(members)]
        # A member that is called like a class of this module would hide it from annotations.
        like_classes = {name for name in wanted if name.startswith(self._prefix)}
        names = distinct_names(wanted, member_name, reserved=RESERVED_MEMBERS | like_classes)
        return dict(zip(members, names, strict=True))

    def _cell(self, member: t.Member, name: str, c_type: str, owner: str) -> Cell:
        what = f"{c_type}.{member.name}" if member.name else f"{c_type}'s anonymous member"
        value = self._value(member.type_id, what, f"{owner.removeprefix(self._prefix)}_{name}")
        size = size_of(self._btf, member.type_id)
        offset = member.offset // 8
        constant = None
        if not size:
            value = _nothing(value)
        elif value.is_packed and "(" in value.codec:
            constant = (f"_{owner}_{name}", value.codec)
            value = packed(value.annotation, constant[0], size, value.dtype)
        doc = self._comments.of_member(c_type, member.name)
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

    def _bit_cell(self, unit: Unit, names: dict[t.Member, str], c_type: str, owner: str) -> Cell:
        fields = []
        signs = {}
        for bits in unit.bits:
            type_id, name = bits.member.type_id, names[bits.member]
            value = self._value(type_id, f"{c_type}.{bits.member.name}", f"{owner}_{name}")
            signs[name] = signed = self._is_signed(type_id)
            comment = f"{c_name(self._btf, type_id)} : {bits.width}"
            read = partial(_read_bits, unit, bits, value, order=self._order, signed=signed)
            doc = self._comments.of_member(c_type, bits.member.name)
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

    def _tail(self, members: list[t.Member], cells: list[Cell]) -> Tail | None:
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
            codec = f"rt.rest_of({self._value(array.type_id, '', field.name).codec})"
        return Tail(field.name, last.offset // 8, codec)

    def _overlay(self, holder: t.Struct | t.Union, name: str, c_type: str) -> Overlay:
        names = self._member_names(list(self._inlined(holder, into=t.Union)))
        made: list[OverlayMember] = []
        dtype: list[tuple[str, str, int]] = []
        for member, spelled in names.items():
            what = f"{c_type}.{member.name}"
            inner = f"{name.removeprefix(self._prefix)}_{spelled}"
            value = self._value(member.type_id, what, inner)
            comment = c_name(self._btf, member.type_id)
            if member.bitfield_size or member.offset % 8:
                descriptor = self._bit_descriptor(member, value)
                comment += f" : {member.bitfield_size}"
            else:
                offset = member.offset // 8
                if offset + size_of(self._btf, member.type_id) > holder.size:
                    raise ObjectError(f"{what} lies outside it", where=".BTF")
                descriptor = f"rt.at({value.codec}, {offset})"
                if size_of(self._btf, member.type_id):
                    dtype.append((spelled, value.dtype, offset))
            doc = self._comments.of_member(c_type, member.name)
            made.append(OverlayMember(spelled, value.annotation, descriptor, comment, doc))
        doc = self._comments.of_type(c_type)
        return Overlay(name, c_type, holder.size, tuple(made), tuple(dtype), doc)

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
