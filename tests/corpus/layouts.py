"""Compares generated classes with clang's layout, by what they read.

A class is given bytes made up for the purpose, and every member that the C type has must be there,
under its name, with the value that those bytes have at the place where clang puts it.
"""

import random
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Literal

from ebpfgen import model
from ebpfgen.naming import camel_case
from tests.corpus.dwarf import Array, Compound, CType, Dwarf, Enumeration, Member, Scalar

ByteOrder = Literal["little", "big"]

ROUNDS = ((0x80, 0xFF), (0x01, 0x7F), *[(0x01, 0xFF)] * 4)
"""Between what the bytes are in each round: negative in the first, then positive, then any."""

_SHOWN = 3


@dataclass
class Tally:
    """What was compared, in types and members, and what was wrong or had nothing to compare to."""

    types: int = 0
    members: int = 0
    wrong: list[str] = field(default_factory=list)
    unmatched: list[str] = field(default_factory=list)


class MismatchError(Exception):
    """A generated class and clang disagree; the message says on what."""


def compare(
    module: ModuleType, types: Sequence[model.GeneratedType], dwarf: Dwarf, prefix: str
) -> Tally:
    """Compare all generated *types*, those of *module*, with what clang says of them.

    *prefix* begins the names of the classes.
    """
    checker = _Checker(module, dwarf, prefix)
    classes = set()
    for made in types:
        if isinstance(made, model.Enumeration):
            checker.check_enumeration(made)
        elif not isinstance(made, model.Fields):  # what they are made of is compared
            checker.check_class(made)
            classes.add(made.name)
    checker.tally.types += len(classes & checker.compared)
    checker.tally.unmatched += sorted(classes - checker.compared)
    return checker.tally


class _Checker:
    def __init__(self, module: ModuleType, dwarf: Dwarf, prefix: str) -> None:
        self.tally = Tally()
        self.compared: set[str] = set()
        self._module = module
        self._dwarf = dwarf
        self._order: ByteOrder = "big" if module.__name__.endswith("_bpfeb") else "little"
        self._members: set[tuple[str, str]] = set()
        # Types without a name are called after the map or variable whose they are.
        self._by_class = {prefix + camel_case(name): name for name in dwarf.compounds}

    def check_class(self, made: model.Record | model.Overlay) -> None:
        """Compare one class with the C types of its name: one of them must be it."""
        found = self._dwarf.compounds
        candidates = found.get(made.c_name) or found.get(self._by_class.get(made.name, ""), [])
        faults = []
        for candidate in candidates:
            try:
                self._read_random(getattr(self._module, made.name), candidate)
            except MismatchError as error:
                faults.append(str(error))
            else:
                return
        if faults:
            self.compared.add(made.name)
            self.tally.wrong.append(f"{made.c_name}: {faults[0]}")

    def check_enumeration(self, made: model.Enumeration) -> None:
        """Compare names and values with the enum that has these names."""
        found = [enum for enum in self._dwarf.enumerations if _same_names(enum, made)]
        if not found:
            self.tally.unmatched.append(made.name)
            return
        self.tally.types += 1
        self.tally.members += len(made.values)
        generated = getattr(self._module, made.name)
        values = [value for _, value, _ in made.values]
        right = [[value for _, value in enum.values] for enum in found]
        if values not in right or made.size not in {enum.size for enum in found}:
            self.tally.wrong.append(f"{made.c_name}: {values[:_SHOWN]}…, clang {right[0][:_SHOWN]}")
        elif any(getattr(generated, name) != value for name, value, _ in made.values):
            self.tally.wrong.append(f"{made.c_name}: its IntEnum has other values")

    def _read_random(self, cls: Any, c_type: Compound) -> None:
        numbers = random.Random(c_type.name)
        covered = _covered(c_type)
        if c_type.size != cls.SIZE:
            raise MismatchError(f"{cls.SIZE} bytes, clang {c_type.size}")
        for low, high in ROUNDS:
            between = bytes(low + byte % (high - low + 1) for byte in range(256))
            data = bytearray(numbers.randbytes(c_type.size).translate(between))
            _make_valid(data, c_type, 0)
            try:
                value = cls.unpack_from(bytes(data))
            except Exception as error:
                raise MismatchError(f"unpack_from raised {error!r}") from error
            self._agree(value, c_type, bytes(data), c_type.name)
            self._repack(value, covered, bytes(data))
        self._check_dtype(cls, c_type)

    def _repack(self, value: Any, covered: bytes, data: bytes) -> None:
        try:
            again = value.pack()
        except Exception as error:
            raise MismatchError(f"pack raised {error!r}") from error
        if len(again) != len(data):
            raise MismatchError(f"pack() gives {len(again)} bytes of {len(data)}")
        for place in range(len(data)):
            if covered[place] and again[place] != data[place]:
                raise MismatchError(f"pack() changes byte {place}")

    def _check_dtype(self, cls: Any, c_type: Compound) -> None:
        dtype = cls.dtype()
        if dtype.itemsize != c_type.size:
            raise MismatchError(f"dtype of {dtype.itemsize} bytes, clang {c_type.size}")
        for member in c_type.reachable():
            if not member.is_bitfield and member.name in (dtype.fields or {}):
                offset = dtype.fields[member.name][1]
                if offset * 8 != member.offset:
                    raise MismatchError(
                        f"dtype has {member.name} at {offset}, not {member.offset // 8}"
                    )

    def _agree(self, value: Any, c_type: CType, data: bytes, path: str) -> None:
        """Raise MismatchError unless *value* is what C reads from *data*."""
        if isinstance(c_type, Compound):
            self._agree_members(value, c_type, data, path)
        elif isinstance(c_type, Array):
            self._agree_elements(value, c_type, data, path)
        elif isinstance(c_type, Scalar) and value != (right := _scalar(c_type, data, self._order)):
            raise MismatchError(f"{path} reads {value!r:.80}, clang {right!r:.80}")

    def _agree_members(self, value: Any, c_type: Compound, data: bytes, path: str) -> None:
        owner = type(value)
        if getattr(owner, "SIZE", None) != c_type.size:
            raise MismatchError(f"{path} is read as {owner.__name__}, not as {c_type.size} bytes")
        self.compared.add(owner.__name__)
        for member in c_type.reachable():
            where = f"{path}.{member.name}"
            found = _attribute(value, member.name, where)
            key = (owner.__name__, member.name)
            self.tally.members += key not in self._members
            self._members.add(key)
            if member.is_bitfield:
                right = _bits(member, data, self._order)
                if found != right:
                    raise MismatchError(f"{where} reads {found!r:.80}, clang {right!r:.80}")
            else:
                start = member.offset // 8
                self._agree(found, member.type, data[start : start + member.type.size], where)

        for i, member in enumerate(c_type.fields()):
            union = None if member.name else getattr(value, f"anonymous_{i}", None)
            if union is not None:
                start = member.offset // 8
                part = data[start : start + member.type.size]
                self._agree(union, member.type, part, f"{path}.anonymous_{i}")

    def _agree_elements(self, value: Any, c_type: Array, data: bytes, path: str) -> None:
        element = c_type.element
        if not c_type.count:
            return  # C says nothing of how much of what follows is a flexible array's
        if isinstance(value, bytes):
            is_text = isinstance(element, Scalar) and element.name == "char"
            right = data.partition(b"\0")[0] if is_text else data
            if element.size > 1 or value != right:
                raise MismatchError(f"{path} reads {value!r:.80}, clang {right!r:.80}")
            return
        if len(value) != c_type.count:
            raise MismatchError(f"{path} has {len(value)} elements, clang {c_type.count}")
        for i, one in enumerate(value):
            part = data[i * element.size : (i + 1) * element.size]
            self._agree(one, element, part, f"{path}[{i}]")


def _attribute(value: Any, name: str, path: str) -> Any:
    """Return a member, which has an underscore more where Python or the class needs its name."""
    kept = f"_{name.lstrip('_')}" if name.startswith("__") else name
    for spelled in (kept, f"{kept}_", f"{kept}__"):
        found = getattr(value, spelled, None)
        if found is not None and not callable(found):
            return found
    raise MismatchError(f"{path} can't be reached")


def _scalar(c_type: Scalar, data: bytes, order: ByteOrder) -> object:
    if c_type.kind == "float":
        letter = {4: "f", 8: "d"}[c_type.size]
        return struct.unpack(("<" if order == "little" else ">") + letter, data)[0]
    number = int.from_bytes(data, order, signed=c_type.signed)
    return bool(number) if c_type.kind == "bool" else number


def _bits(member: Member, data: bytes, order: ByteOrder) -> int:
    """Return a bitfield: clang counts from the least significant bit, or on bpfeb from the most."""
    first, width = member.offset, member.width
    number = int.from_bytes(data, order)
    shift = first if order == "little" else len(data) * 8 - first - width
    number = number >> shift & (1 << width) - 1
    signed = isinstance(member.type, Scalar) and member.type.signed
    return number - (1 << width) if signed and number >> (width - 1) else number


def _make_valid(data: bytearray, c_type: CType, start: int) -> None:
    """Put 0 or 1 where C wants a bool, and numbers where a float might be none."""
    if isinstance(c_type, Compound):
        for member in c_type.members:
            if not member.is_bitfield:
                _make_valid(data, member.type, start + member.offset // 8)
    elif isinstance(c_type, Array):
        numbers = isinstance(c_type.element, Scalar) and c_type.element.kind in ("int", "char")
        for i in range(0 if numbers else c_type.count):
            _make_valid(data, c_type.element, start + i * c_type.element.size)
    elif isinstance(c_type, Scalar) and c_type.kind == "bool":
        data[start : start + c_type.size] = bytes([data[start] & 1] * c_type.size)
    elif isinstance(c_type, Scalar) and c_type.kind == "float":
        data[start : start + c_type.size] = b"\x40" * c_type.size


def _covered(c_type: CType) -> bytes:
    """Return a byte for each of a type: 1 in members, 0 in padding and bitfields.

    What is between members is not kept; bitfields are compared by what they read.
    """
    if isinstance(c_type, Array):
        return _covered(c_type.element) * c_type.count
    if not isinstance(c_type, Compound):
        return b"\1" * c_type.size
    covered = bytearray(c_type.size)
    for member in c_type.members:
        if not member.is_bitfield:
            start = member.offset // 8
            inner = _covered(member.type)
            covered[start : start + len(inner)] = bytes(
                map(int.__or__, inner, covered[start : start + len(inner)])
            )
    return bytes(covered)


def _same_names(enum: Enumeration, made: model.Enumeration) -> bool:
    names = [name.strip("_") for name, _, _ in made.values]
    return names == [name.strip("_") for name, _ in enum.values]
