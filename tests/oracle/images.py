"""Where the values of a type lie in its bytes, and the same values in big-endian bytes."""

import math
import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from tests.oracle.shapes import Array, CType, Group, Leaf, Member, Shape, Text, rest_of

Found = int | float | bool | bytes

# How members are called in Python where that is not what C calls them.
_SPELLED = {
    "class": "class_",
    "None": "None_",
    "lambda": "lambda_",
    "pack": "pack_",
    "pack_into": "pack_into_",
    "unpack_from": "unpack_from_",
    "SIZE": "SIZE_",
    "dtype": "dtype_",
    "property": "property_",
    "classmethod": "classmethod_",
    "object": "object_",
    "rt": "rt_",
    "_values": "_values_",
    "__x": "_x",
    "__init__": "_init__",
}


def spelled(c_name: str) -> str:
    """Return what Python calls a member."""
    return _SPELLED.get(c_name, c_name)


@dataclass(frozen=True, slots=True)
class Place:
    """A value within a type's bytes: ``offset`` and ``width`` are in bits.

    ``kind`` is that of a leaf, or text, or raw.
    """

    path: str
    kind: str
    offset: int
    width: int
    signed: bool
    is_bitfield: bool

    def found(self, printed: int | str) -> Found:
        """Return what Python is to find of what C has printed."""
        if isinstance(printed, int):
            return bool(printed) if self.kind == "bool" else printed
        data = bytes.fromhex(printed)
        if self.kind == "float":
            number: float = struct.unpack("<f" if len(data) == 4 else "<d", data)[0]
            return number
        return data.partition(b"\0")[0] if self.kind == "text" else data


def places(ctype: CType, length: int, choice: int | None = None) -> Iterator[Place]:
    """Yield the places of all values of a type in *length* bytes.

    With a *choice*, of each union one member only: for each number another one.
    """
    yield from _places(ctype.shape, "", 0, length, rest_of(ctype.shape), choice)


def _places(
    shape: Shape, path: str, base: int, length: int, rest: Member | None, choice: int | None
) -> Iterator[Place]:
    left = length - base if rest and rest.shape is shape else 0
    match shape:
        case Leaf(kind=kind, size=size, signed=signed):
            yield Place(path, kind, base * 8, size * 8, signed, False)
        case Text(count=count, raw=raw):
            yield Place(path, "raw" if raw else "text", base * 8, (count or left) * 8, False, False)
        case Array(count=count, element=element, stride=stride):
            elements = count or (left // stride if stride else 0)
            for i in range(elements):
                at = base + i * stride
                yield from _places(element, f"{path}[{i}]", at, length, rest, choice)
        case Group():
            members, choice = _chosen(shape, choice)
            for member in members:
                inner = f"{path}.{member.name}" if member.name else path
                if member.is_bitfield:
                    assert isinstance(member.shape, Leaf)
                    kind, signed = member.shape.kind, member.shape.signed
                    at = base * 8 + member.offset
                    yield Place(inner, kind, at, member.size, signed, True)
                else:
                    at = base + member.offset
                    yield from _places(member.shape, inner, at, length, rest, choice)


def _chosen(group: Group, choice: int | None) -> tuple[list[Member], int | None]:
    """Return the members that *choice* stands for, and what it says of the unions within them."""
    if choice is None or not group.is_union or not group.members:
        return group.members, choice
    return [group.members[choice % len(group.members)]], choice // len(group.members)


def choices(shape: Shape) -> int:
    """Return how many choices show each member of each union at least once."""
    match shape:
        case Array(element=element):
            return choices(element)
        case Group(is_union=is_union, members=members):
            inner = max((choices(member.shape) for member in members), default=1)
            return inner * len(members) if is_union and members else inner
    return 1


def big_endian(ctype: CType, data: bytes, choice: int) -> bytes:
    """Return bytes that are to a big-endian machine what *data* is to this one.

    The ABIs of big-endian machines allot bitfields from the most significant bit of their storage
    unit on, which is that of its first byte: so bit n of a struct is the nth from there.
    """
    bits = [int(bit) for byte in data for bit in f"{byte:08b}"]
    for place in places(ctype, len(data), choice):
        end = place.offset + place.width
        if place.is_bitfield:
            number = int.from_bytes(data, "little") >> place.offset & (1 << place.width) - 1
            found = f"{number:0{place.width}b}"
        elif place.kind in ("text", "raw"):
            continue
        else:
            found = "".join(f"{b:08b}" for b in reversed(data[place.offset // 8 : end // 8]))
        bits[place.offset : end] = [int(bit) for bit in found]
    return bytes(int("".join(map(str, bits[i : i + 8])), 2) for i in range(0, len(bits), 8))


def leaves(
    shape: Shape, value: object, path: str = "", choice: int | None = None
) -> Iterator[tuple[str, Found]]:
    """Yield the path and the Python value of all that is in *value*."""
    match shape:
        case Leaf(kind=kind):
            wanted = {"bool": bool, "float": float}.get(kind, int)
            assert isinstance(value, wanted), f"{path} is {value!r}"
            yield path, wanted(value)
        case Text():
            assert isinstance(value, bytes), f"{path} is {value!r}"
            yield path, value
        case Array(element=element):
            assert isinstance(value, tuple), f"{path} is {value!r}"
            for i, item in enumerate(value):
                yield from leaves(element, item, f"{path}[{i}]", choice)
        case Group():
            members, choice = _chosen(shape, choice)
            for member in members:
                if member.name:
                    inner = getattr(value, spelled(member.name))
                    yield from leaves(member.shape, inner, f"{path}.{member.name}", choice)
                else:
                    yield from leaves(member.shape, value, path, choice)


def same(found: Found, wanted: Found) -> bool:
    """Tell whether two values are one, as all that are not a number are."""
    if isinstance(found, float) and isinstance(wanted, float) and math.isnan(wanted):
        return math.isnan(found)
    return found == wanted


def images_of(ctype: CType, seed: int) -> Iterator[bytes]:
    """Yield bytes to read as a type: all zeros, all ones, counted ones and random ones."""
    rest = (0, 1, 7, 24) if rest_of(ctype.shape) else (0,)
    random_bytes = random.Random(seed).randbytes
    for more in rest:
        size = ctype.size + more
        yield bytes(size)
        yield b"\xff" * size
        yield bytes((i + 1) % 256 for i in range(size))
        yield random_bytes(size)
        yield random_bytes(size)


def bitfields(ctype: CType) -> Iterator[Place]:
    """Yield the bitfields, each member of an array being like its first."""
    yield from (place for place in places(ctype, ctype.size) if place.is_bitfield)
