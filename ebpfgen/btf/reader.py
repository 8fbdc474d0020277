"""Bytes of a ``.BTF`` section become types.

The format is the kernel's: ``Documentation/bpf/btf.rst`` and ``include/uapi/linux/btf.h``. A first
pass over the records checks that each one lies within the section and notes where it begins; a type
is decoded when it is asked for. So an object file costs what is used of it, and the BTF of a whole
kernel a few bytes a type.
"""

import struct
from array import array
from collections.abc import Callable, Iterator
from typing import Literal, TypeVar

from ebpfgen.btf import types as t
from ebpfgen.btf.types import Kind
from ebpfgen.errors import ObjectError

_MAGIC = 0xEB9F
_HEADER_SIZE = 24
_RECORD_SIZE = 12

# What follows the 12 bytes of a record: a fixed part, and a part for each of its vlen entries.
_FIXED = {Kind.INT: 4, Kind.ARRAY: 12, Kind.VAR: 4, Kind.DECL_TAG: 4}
_PER_ENTRY = {
    Kind.STRUCT: 12,
    Kind.UNION: 12,
    Kind.ENUM: 8,
    Kind.FUNC_PROTO: 8,
    Kind.DATASEC: 12,
    Kind.ENUM64: 12,
}
_TAIL_SIZES = [(_FIXED.get(kind, 0), _PER_ENTRY.get(kind, 0)) for kind in Kind]

# As a number without a sign, where BTF has 32 bits for it.
_SMALL_NEGATIVES = range((1 << 32) - 4096, 1 << 32)

EnumLookup = Callable[[t.Enum], t.Enum | None]
"""Takes an enum whose BTF is not the whole truth; returns what is, None if it is not known."""

_MAX_NAME = 4096
"""The longest name that is read, in bytes; without an end the names of a malformed section could
take its size times its size. The kernel takes 511 (``KSYM_NAME_LEN``), tags may be longer."""

T = TypeVar("T", t.Struct, t.Union, t.Enum, t.Typedef, t.Var, t.DataSection)
_CLASSES: dict[Kind, type[t.Type]] = {
    Kind.STRUCT: t.Struct,
    Kind.UNION: t.Union,
    Kind.ENUM: t.Enum,
    Kind.ENUM64: t.Enum,
    Kind.TYPEDEF: t.Typedef,
    Kind.VAR: t.Var,
    Kind.DATASEC: t.DataSection,
}

_REFERRING = frozenset(
    {Kind.PTR, Kind.TYPEDEF, Kind.VOLATILE, Kind.CONST, Kind.RESTRICT}
    | {Kind.FUNC, Kind.FUNC_PROTO, Kind.VAR, Kind.DECL_TAG, Kind.TYPE_TAG}
)
"""The kinds whose records have the id of another type where others have a size."""

_INT_SIGNED, _INT_CHAR, _INT_BOOL = 1, 2, 4


class Btf:
    """The types of one ``.BTF`` section, by id.

    ``byte_order`` is read from the magic number. Raises ObjectError, with the offset within the
    section, for anything that does not follow the format: on construction for the frame of the
    section, on access for a single type. What a type refers to is there, but may be of a kind that
    makes no sense. Memory is bounded by the size of the section, times 400 for the worst names.

    *enums* is asked for what the section lacks of an enum (:class:`~ebpfgen.btf.types.Enum`).
    """

    def __init__(self, data: bytes, enums: EnumLookup | None = None) -> None:
        self._data = data
        self._lookup_enum = enums
        self.byte_order = _byte_order(data)
        self._prefix = "<" if self.byte_order == "little" else ">"
        self._record = struct.Struct(f"{self._prefix}3I")
        header = struct.unpack_from(f"{self._prefix}HBBIIIII", data)
        _, version, _, header_size, type_start, type_size, string_start, string_size = header
        if version != 1:
            raise self._error(f"BTF version {version} is unknown", 2)
        self._types_start = header_size + type_start
        self._types_end = self._types_start + type_size
        self._strings_start = header_size + string_start
        self._strings_end = self._strings_start + string_size
        if header_size < _HEADER_SIZE or max(self._types_end, self._strings_end) > len(data):
            raise self._error("the BTF header points outside the section", 4)
        if not string_size or data[self._strings_start] or data[self._strings_end - 1]:
            raise self._error("the BTF strings don't begin and end with NUL", self._strings_start)
        self._offsets = self._find_records()
        self._decoded: dict[int, t.Type] = {0: t.Void()}

    def __len__(self) -> int:
        return len(self._offsets)

    def __getitem__(self, type_id: int) -> t.Type:
        """Return the type with that id. Raises ObjectError if there is none."""
        if (known := self._decoded.get(type_id)) is not None:
            return known
        if not 0 <= type_id < len(self._offsets):
            raise self._error(f"there is no type {type_id}", None)
        decoded = self._decode(self._offsets[type_id])
        self._decoded[type_id] = decoded
        return decoded

    def replace(self, type_id: int, known: t.Type) -> None:
        """Let the type with that id be *known*, where the section is known to be wrong."""
        self._decoded[type_id] = known

    def offset_of(self, type_id: int) -> int:
        """Return where the record of a type begins in the section, for errors.

        ``void``, which has none, counts as the beginning of all.
        """
        return self._offsets[type_id] if type_id else self._types_start

    def __iter__(self) -> Iterator[tuple[int, t.Type]]:
        """Yield every id with its type."""
        for type_id in range(len(self)):
            yield type_id, self[type_id]

    def of(self, kind: type[T]) -> Iterator[tuple[int, T]]:
        """Yield every type of a class, with its id."""
        for number in Kind:
            if _CLASSES.get(number) is kind:
                for type_id in self.ids_of(number):
                    found = self[type_id]
                    if isinstance(found, kind):
                        yield type_id, found

    def data_section(self, name: str) -> t.DataSection | None:
        """Return the variables of the ELF section called *name*, None if it has none."""
        found = (section for _, section in self.of(t.DataSection) if section.name == name)
        return next(found, None)

    def ids_of(self, kind: Kind) -> Iterator[int]:
        """Yield the ids of all types of a kind, without decoding the others."""
        info_of = struct.Struct(f"{self._prefix}I").unpack_from
        for type_id in range(1, len(self._offsets)):
            (info,) = info_of(self._data, self._offsets[type_id] + 4)
            if info >> 24 & 0x1F == kind:
                yield type_id

    def _find_records(self) -> "array[int]":
        """Return the offset of each record; what stands at 0 is never used."""
        offsets = array("I", [0])
        info_of = struct.Struct(f"{self._prefix}I").unpack_from
        data, position, end = self._data, self._types_start, self._types_end
        sizes, known = _TAIL_SIZES, len(_TAIL_SIZES)
        self._has_enum_signs = False
        while position < end:
            if end - position < _RECORD_SIZE:
                raise self._error("a BTF type is cut short", position)
            (info,) = info_of(data, position + 4)
            kind = info >> 24 & 0x1F
            if not 0 < kind < known:
                raise self._error(f"BTF kind {kind} is unknown", position)
            if (kind == Kind.ENUM and info >> 31) or kind == Kind.ENUM64:
                self._has_enum_signs = True
            offsets.append(position)
            fixed, per_entry = sizes[kind]
            position += _RECORD_SIZE + fixed + per_entry * (info & 0xFFFF)
        if position != end:
            raise self._error("a BTF type is cut short", offsets[-1])
        return offsets

    def _decode(self, offset: int) -> t.Type:  # noqa: PLR0911, PLR0912 - one line for each kind
        name_offset, info, size_or_type = self._record.unpack_from(self._data, offset)
        kind, flag, count = Kind(info >> 24 & 0x1F), bool(info >> 31), info & 0xFFFF
        name = self._string(name_offset, offset)
        tail = offset + _RECORD_SIZE
        if kind in _REFERRING:
            self._check_id(size_or_type, offset)
        match kind:
            case Kind.INT:
                return self._int(name, size_or_type, tail)
            case Kind.PTR:
                return t.Ptr(size_or_type)
            case Kind.ARRAY:
                element, index, count = self._unpack("3I", tail)
                # clang 14 writes anything for _Atomic elements, which it has no type for.
                return t.Array(element if element < len(self) else 0, index, count)
            case Kind.STRUCT:
                return t.Struct(name, size_or_type, self._members(tail, count, bitfields=flag))
            case Kind.UNION:
                return t.Union(name, size_or_type, self._members(tail, count, bitfields=flag))
            case Kind.ENUM | Kind.ENUM64:
                return self._enum(name, size_or_type, tail, count, signed=flag, kind=kind)
            case Kind.FWD:
                return t.Fwd(name, flag)
            case Kind.TYPEDEF:
                return t.Typedef(name, size_or_type)
            case Kind.FUNC:
                return t.Func(name, size_or_type, count)
            case Kind.FUNC_PROTO:
                return t.FuncProto(size_or_type, self._params(tail, count))
            case Kind.VAR:
                return t.Var(name, size_or_type, *self._unpack("I", tail))
            case Kind.DATASEC:
                return t.DataSection(name, size_or_type, self._variables(tail, count))
            case Kind.FLOAT:
                return t.Float(name, size_or_type)
            case Kind.DECL_TAG:
                return t.DeclTag(name, size_or_type, *self._unpack("i", tail))
            case _:
                return t.Modifier(kind, size_or_type, name)

    def _params(self, tail: int, count: int) -> tuple[t.Param, ...]:
        params = []
        for place in range(tail, tail + 8 * count, 8):
            name_offset, type_id = self._unpack("2I", place)
            self._check_id(type_id, place)
            params.append(t.Param(self._string(name_offset, place), type_id))
        return tuple(params)

    def _variables(self, tail: int, count: int) -> tuple[t.SectionVariable, ...]:
        variables = []
        for place in range(tail, tail + 12 * count, 12):
            type_id, offset, size = self._unpack("3I", place)
            self._check_id(type_id, place)
            variables.append(t.SectionVariable(type_id, offset, size))
        return tuple(variables)

    def _int(self, name: str, size: int, tail: int) -> t.Int:
        (encoding,) = self._unpack("I", tail)
        flags = encoding >> 24 & 0xF
        return t.Int(
            name,
            size,
            bits=encoding & 0xFF,
            signed=bool(flags & _INT_SIGNED),
            is_char=bool(flags & _INT_CHAR),
            is_bool=bool(flags & _INT_BOOL),
        )

    def _members(self, tail: int, count: int, *, bitfields: bool) -> tuple[t.Member, ...]:
        members = []
        for place in range(tail, tail + 12 * count, 12):
            name_offset, type_id, offset = self._unpack("3I", place)
            self._check_id(type_id, place)
            width = 0
            if bitfields:
                offset, width = offset & 0xFFFFFF, offset >> 24
            members.append(t.Member(self._string(name_offset, place), type_id, offset, width))
        return tuple(members)

    def _enum(
        self, name: str, size: int, tail: int, count: int, *, signed: bool, kind: Kind
    ) -> t.Enum:
        bits = 64 if kind is Kind.ENUM64 else 32
        found = list(self._enumerators(tail, count, bits))
        cut, guessed = kind is Kind.ENUM and size > 4, False
        if not self._has_enum_signs and any(value >> 31 for _, value in found):
            # Of fewer bytes than the four it is recorded in, it is negative to fill them.
            guessed = size >= 4
            signed = not guessed or any(value in _SMALL_NEGATIVES for _, value in found)
        values = tuple(
            t.Enumerator(name, value - (value >> (bits - 1) << bits) if signed else value)
            for name, value in found
        )
        enum = t.Enum(name, size, signed, values, cut, guessed)
        if (cut or guessed) and self._lookup_enum:
            return self._lookup_enum(enum) or enum
        return enum

    def _enumerators(self, tail: int, count: int, bits: int) -> Iterator[tuple[str, int]]:
        """Yield names, and values without a sign."""
        step = 12 if bits == 64 else 8
        for place in range(tail, tail + step * count, step):
            name_offset, low, *high = self._unpack("3I" if bits == 64 else "2I", place)
            yield self._string(name_offset, place), low | sum(high) << 32

    def _unpack(self, layout: str, offset: int) -> tuple[int, ...]:
        return struct.unpack_from(self._prefix + layout, self._data, offset)

    def _string(self, name_offset: int, used_at: int) -> str:
        if not name_offset:
            return ""
        start = self._strings_start + name_offset
        if start >= self._strings_end:
            raise self._error("a BTF name lies outside the strings", used_at)
        end = self._data.find(0, start, min(start + _MAX_NAME + 1, self._strings_end))
        if end < 0:
            raise self._error(f"a BTF name has more than {_MAX_NAME} bytes", start)
        try:
            return self._data[start:end].decode()
        except UnicodeDecodeError as error:
            raise self._error("a BTF name is not UTF-8", start) from error

    def _check_id(self, type_id: int, used_at: int) -> None:
        if type_id >= len(self._offsets):
            raise self._error(f"there is no type {type_id}", used_at)

    def _error(self, message: str, offset: int | None) -> ObjectError:
        return ObjectError(message, where=".BTF", offset=offset)


def _byte_order(data: bytes) -> Literal["little", "big"]:
    if len(data) < _HEADER_SIZE:
        raise ObjectError(f"{len(data)} bytes are too few for BTF", where=".BTF", offset=0)
    if int.from_bytes(data[:2], "little") == _MAGIC:
        return "little"
    if int.from_bytes(data[:2], "big") == _MAGIC:
        return "big"
    raise ObjectError(f"{data[:2].hex()} is no BTF magic number", where=".BTF", offset=0)
