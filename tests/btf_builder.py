"""Makes ``.BTF`` sections in code, of every kind and in either byte order.

Each method adds one type and returns its id, so a type can be used as soon as it is there. What is
written is what was asked for, right or wrong: malformed sections are made the same way.
"""

import struct
from collections.abc import Iterable, Sequence

from ebpfgen.btf.reader import Btf
from ebpfgen.btf.types import Kind
from ebpfgen.target import ByteOrder

VOID = 0
BYTE_ORDERS: tuple[ByteOrder, ...] = ("little", "big")

SIGNED, CHAR, BOOL = 1, 2, 4


class BtfBuilder:
    """A ``.BTF`` section to be."""

    def __init__(self, byte_order: ByteOrder = "little") -> None:
        self.byte_order = byte_order
        self.prefix = "<" if byte_order == "little" else ">"
        self._strings = bytearray(1)
        self._records: list[bytes] = []

    def string(self, text: str | bytes) -> int:
        if not text:
            return 0
        offset = len(self._strings)
        self._strings += (text.encode() if isinstance(text, str) else text) + b"\0"
        return offset

    def add(
        self,
        kind: int,
        name: str | bytes = "",
        size_or_type: int = 0,
        *,
        flag: bool = False,
        count: int = 0,
        tail: Iterable[int] = (),
    ) -> int:
        info = flag << 31 | kind << 24 | count
        numbers = [self.string(name), info, size_or_type, *(n & 0xFFFFFFFF for n in tail)]
        self._records.append(struct.pack(f"{self.prefix}{len(numbers)}I", *numbers))
        return len(self._records)

    def integer(
        self, name: str, size: int, encoding: int = 0, *, bits: int | None = None, offset: int = 0
    ) -> int:
        width = 8 * size if bits is None else bits
        return self.add(Kind.INT, name, size, tail=[encoding << 24 | offset << 16 | width])

    def floating(self, name: str, size: int) -> int:
        return self.add(Kind.FLOAT, name, size)

    def pointer(self, type_id: int) -> int:
        return self.add(Kind.PTR, "", type_id)

    def array(self, type_id: int, count: int, index_type_id: int = 1) -> int:
        return self.add(Kind.ARRAY, tail=[type_id, index_type_id, count])

    def struct(
        self,
        name: str,
        size: int,
        members: Sequence[tuple[str, int, int]] = (),
        *,
        kind: Kind = Kind.STRUCT,
    ) -> int:
        """Members are (name, type id, offset in bits)."""
        tail = [n for name, type_id, bits in members for n in (self.string(name), type_id, bits)]
        return self.add(kind, name, size, count=len(members), tail=tail)

    def bitfields(self, name: str, size: int, members: Sequence[tuple[str, int, int, int]]) -> int:
        """Members are (name, type id, offset in bits, width in bits)."""
        tail = [
            n
            for name, type_id, offset, width in members
            for n in (self.string(name), type_id, width << 24 | offset)
        ]
        return self.add(Kind.STRUCT, name, size, flag=True, count=len(members), tail=tail)

    def union(self, name: str, size: int, members: Sequence[tuple[str, int, int]] = ()) -> int:
        return self.struct(name, size, members, kind=Kind.UNION)

    def enum(
        self, name: str, size: int, values: Sequence[tuple[str, int]], *, signed: bool = False
    ) -> int:
        tail = [n for name, value in values for n in (self.string(name), value)]
        return self.add(Kind.ENUM, name, size, flag=signed, count=len(values), tail=tail)

    def enum64(self, name: str, values: Sequence[tuple[str, int]], *, signed: bool = False) -> int:
        tail = [n for name, v in values for n in (self.string(name), v, v >> 32)]
        return self.add(Kind.ENUM64, name, 8, flag=signed, count=len(values), tail=tail)

    def forward(self, name: str, *, is_union: bool = False) -> int:
        return self.add(Kind.FWD, name, flag=is_union)

    def typedef(self, name: str, type_id: int) -> int:
        return self.add(Kind.TYPEDEF, name, type_id)

    def modifier(self, kind: Kind, type_id: int, name: str = "") -> int:
        return self.add(kind, name, type_id)

    def function(self, name: str, type_id: int, linkage: int = 1) -> int:
        return self.add(Kind.FUNC, name, type_id, count=linkage)

    def prototype(self, return_type: int, parameters: Sequence[tuple[str, int]] = ()) -> int:
        tail = [n for name, type_id in parameters for n in (self.string(name), type_id)]
        return self.add(Kind.FUNC_PROTO, "", return_type, count=len(parameters), tail=tail)

    def variable(self, name: str, type_id: int, linkage: int = 1) -> int:
        return self.add(Kind.VAR, name, type_id, tail=[linkage])

    def data_section(
        self, name: str, size: int, variables: Sequence[tuple[int, int, int]] = ()
    ) -> int:
        """Variables are (type id, offset in bytes, size in bytes)."""
        tail = [n for variable in variables for n in variable]
        return self.add(Kind.DATASEC, name, size, count=len(variables), tail=tail)

    def declaration_tag(self, text: str, type_id: int, component: int = -1) -> int:
        return self.add(Kind.DECL_TAG, text, type_id, tail=[component])

    def section(self, *, magic: int = 0xEB9F, version: int = 1) -> bytes:
        types, strings = b"".join(self._records), bytes(self._strings)
        header = struct.pack(
            f"{self.prefix}HBBIIIII",
            *(magic, version, 0, 24),
            *(0, len(types), len(types), len(strings)),
        )
        return header + types + strings

    def btf(self) -> Btf:
        return Btf(self.section())
