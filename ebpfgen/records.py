"""C types become codecs and dataclasses: the part of binding that looks at types."""

from ebpfgen.btf import types as t
from ebpfgen.btf.layout import c_name, size_of, strip_names
from ebpfgen.btf.reader import Btf
from ebpfgen.errors import ObjectError
from ebpfgen.model import Field, Record
from ebpfgen.naming import camel_case, member_name, unique_names

RESERVED_MEMBERS = frozenset({"SIZE", "pack", "pack_into", "unpack_from"})
"""What every generated dataclass defines: no struct member may take these names."""

# The letters of Python's struct module, by size in bytes, for unsigned and signed integers.
_UNSIGNED = {1: "B", 2: "H", 4: "I", 8: "Q"}
_FLOATS = {4: "f", 8: "d"}


class RecordBinder:
    """Collects the dataclasses that the codecs of one module need.

    What has no better codec yet is read as the bytes it takes, with a warning that names it.
    """

    def __init__(self, btf: Btf, prefix: str, *, reserved: frozenset[str]) -> None:
        self._btf = btf
        self._prefix = prefix
        self._reserved = reserved
        self._order = "<" if btf.byte_order == "little" else ">"
        self._scalars = "rt.le" if btf.byte_order == "little" else "rt.be"
        self._records: dict[str, Record | None] = {}
        self._warnings: list[str] = []

    @property
    def records(self) -> tuple[Record, ...]:
        """The dataclasses so far, each after those it contains."""
        return tuple(record for record in self._records.values() if record)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was read as bytes, and why."""
        return tuple(self._warnings)

    def codec(self, type_id: int | None, size: int, what: str) -> str:
        """Return the Python expression of the codec for a type; *what* is for warnings.

        *size* is that of the bytes where there is no type.
        """
        if type_id is None:
            return f"rt.raw({size})"
        btf_type = strip_names(self._btf, type_id)
        if isinstance(btf_type, t.Array):
            return self._array_codec(btf_type, type_id, what)
        if isinstance(btf_type, t.Struct):
            record = self._record(btf_type, type_id, what)
            return record.name if record else f"rt.raw({btf_type.size})"
        if name := _scalar_name(btf_type):
            return f"{self._scalars}.{name}"
        return f"rt.raw({self._bytes(type_id, what)})"

    def _array_codec(self, array: t.Array, type_id: int, what: str) -> str:
        element = strip_names(self._btf, array.type_id)
        if isinstance(element, t.Int) and element.size == 1 and not element.is_bool:
            if element.name == "char":
                return f"rt.chars({array.count})"
            if not element.signed:
                return f"rt.raw({array.count})"
        if not array.count:
            return f"rt.raw({self._bytes(type_id, what)})"
        return f"rt.array_of({self.codec(array.type_id, 0, what)}, {array.count})"

    def _bytes(self, type_id: int, what: str) -> int:
        """Return a type's size, after a warning that it is read as bytes."""
        self._warnings.append(f"{what} ({c_name(self._btf, type_id)}) is read as bytes")
        return size_of(self._btf, type_id)

    def _record(self, struct: t.Struct, type_id: int, what: str) -> Record | None:
        """Return the dataclass of a struct, None if it can only be read as bytes."""
        c_type = c_name(self._btf, type_id)
        base = struct.name or self._typedef_name(type_id)
        if not base or any(member.bitfield_size for member in struct.members):
            self._bytes(type_id, what)
            return None
        if c_type not in self._records:
            self._records[c_type] = None
            record = self._make_record(struct, self._prefix + camel_case(base), c_type)
            # Contained structs come first, so the place of this one is now.
            del self._records[c_type]
            self._records[c_type] = record
        return self._records[c_type]

    def _typedef_name(self, type_id: int) -> str:
        btf_type = self._btf[type_id]
        while isinstance(btf_type, t.Modifier):
            btf_type = self._btf[btf_type.type_id]
        return btf_type.name if isinstance(btf_type, t.Typedef) else ""

    def _make_record(self, struct: t.Struct, name: str, c_type: str) -> Record:
        names = unique_names(
            [member.name for member in struct.members if member.name],
            member_name,
            what=f"members of {c_type}",
            reserved=RESERVED_MEMBERS,
        )
        layout, fields, position, values = self._order, [], 0, 0
        for member in struct.members:
            offset = member.offset // 8
            if offset < position:
                raise ObjectError(f"members of {c_type} overlap", where=".BTF")
            layout += f"{offset - position}x" if offset > position else ""
            what = f"{c_type}.{member.name}"
            part, count, field = self._field(member, names.get(member.name, ""), values, what)
            layout += part
            values += count
            position = offset + size_of(self._btf, member.type_id)
            if field:
                fields.append(field)
        layout += f"{struct.size - position}x" if struct.size > position else ""
        name = f"{name}_" if name in self._reserved else name
        return Record(name, c_type, struct.size, layout, tuple(fields))

    def _field(
        self, member: t.Member, name: str, index: int, what: str
    ) -> tuple[str, int, Field | None]:
        """Return a member's part of the format, how many values that gives, and its field."""
        btf_type = strip_names(self._btf, member.type_id)
        comment = c_name(self._btf, member.type_id)
        size = size_of(self._btf, member.type_id)
        here = f"v[{index}]"
        mine = f"self.{name}"
        if not name:
            self._bytes(member.type_id, f"anonymous member {what}")
            return f"{size}x", 0, None
        if letter := _letter(btf_type):
            return letter, 1, Field(name, _annotation(btf_type), here, mine, comment)
        if isinstance(btf_type, t.Struct) and (
            record := self._record(btf_type, member.type_id, what)
        ):
            decode = f"{record.name}.unpack_from({here})"
            return f"{size}s", 1, Field(name, record.name, decode, f"{mine}.pack()", comment)
        if isinstance(btf_type, t.Array):
            element = strip_names(self._btf, btf_type.type_id)
            letter = _letter(element)
            is_text = isinstance(element, t.Int) and element.name == "char"
            if letter == "B" or is_text:
                decode = f"rt.until_nul({here})" if is_text else here
                field = Field(name, "bytes", decode, f"rt.fit({mine}, {size})", comment)
                return f"{size}s", 1, field
            if letter and btf_type.count:
                count = btf_type.count
                annotation = f"tuple[{_annotation(element)}, ...]"
                decode = f"v[{index}:{index + count}]"
                field = Field(name, annotation, decode, f"*rt.exactly({mine}, {count})", comment)
                return f"{count}{letter}", count, field
        if not isinstance(btf_type, t.Struct):
            self._bytes(member.type_id, what)
        field = Field(name, "bytes", here, f"rt.fit({mine}, {size})", comment)
        return f"{size}s", 1, field


def _scalar_name(btf_type: t.Type) -> str:
    """Return the name of the runtime's codec for a scalar, empty if it has none."""
    if isinstance(btf_type, t.Int) and btf_type.size in _UNSIGNED:
        if btf_type.is_bool:
            return "boolean"
        return f"{'i' if btf_type.signed else 'u'}{btf_type.size * 8}"
    if isinstance(btf_type, t.Enum) and btf_type.size in _UNSIGNED:
        return f"{'i' if btf_type.signed else 'u'}{btf_type.size * 8}"
    if isinstance(btf_type, t.Ptr):
        return "u64"
    if isinstance(btf_type, t.Float) and btf_type.size in _FLOATS:
        return f"f{btf_type.size * 8}"
    return ""


def _letter(btf_type: t.Type) -> str:
    """Return the letter of Python's struct module for a scalar, empty if it has none."""
    if isinstance(btf_type, t.Int) and btf_type.is_bool and btf_type.size == 1:
        return "?"
    if isinstance(btf_type, t.Float):
        return _FLOATS.get(btf_type.size, "")
    if isinstance(btf_type, t.Int | t.Enum):
        letter = _UNSIGNED.get(btf_type.size, "")
        return letter.lower() if btf_type.signed else letter
    return "Q" if isinstance(btf_type, t.Ptr) else ""


def _annotation(btf_type: t.Type) -> str:
    if isinstance(btf_type, t.Float):
        return "float"
    return "bool" if isinstance(btf_type, t.Int) and btf_type.is_bool else "int"
