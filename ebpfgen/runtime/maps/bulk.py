"""Many values at once: what a batch brought is decoded faster than value by value.

Reading 100 000 pairs takes longer in Python than in the kernel, so that the codecs that
:mod:`struct` knows are read by it, thousands at a time.
"""

import struct
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar, cast

from ebpfgen.runtime.codec import Array, Chars, Codec, EnumCodec, Raw, Scalar, packed, until_nul
from ebpfgen.runtime.records import FlexibleRecord

T = TypeVar("T")

UnpackMany = Callable[[memoryview, int], Iterable[T]]
"""Takes a buffer and how many values are in it; what it returns reads the buffer as it goes."""


def unpack_many(codec: Codec[T]) -> UnpackMany[T]:
    """Return what reads values that lie one after the other."""
    return cast("UnpackMany[T]", _unpack_many(codec))


def _unpack_many(codec: object) -> UnpackMany[object]:
    match codec:
        case Scalar(layout=layout):
            order, letter = layout[0], layout[1]
            return lambda buffer, count: struct.unpack_from(f"{order}{count}{letter}", buffer)
        case Array(element=Scalar(layout=layout), count=length) if length:
            row = struct.Struct(f"{layout[0]}{length}{layout[1]}")
            return lambda buffer, count: row.iter_unpack(buffer[: count * row.size])
        case EnumCodec(names=names, number=number):
            numbers, known = _unpack_many(number), names._value2member_map_
            return lambda buffer, count: [known.get(n, n) for n in numbers(buffer, count)]
        case Chars(SIZE=size) if size:
            cells = struct.Struct(f"{size}s")
            return lambda buffer, count: [
                until_nul(cell) for (cell,) in cells.iter_unpack(buffer[: count * size])
            ]
        case Raw(SIZE=size) if size:
            cells = struct.Struct(f"{size}s")
            return lambda buffer, count: [
                cell for (cell,) in cells.iter_unpack(buffer[: count * size])
            ]
    return _one_by_one(cast("Codec[object]", codec))


def _one_by_one(codec: Codec[object]) -> UnpackMany[object]:
    size, unpack_from = codec.SIZE, codec.unpack_from

    def unpack(buffer: memoryview, count: int) -> Iterable[object]:
        return (unpack_from(buffer, size * index) for index in range(count))

    def unpack_cut(buffer: memoryview, count: int) -> Iterable[object]:
        return (unpack_from(buffer[size * i : size * (i + 1)]) for i in range(count))

    # A flexible array member would take what follows it for its own.
    is_flexible = isinstance(codec, type) and issubclass(codec, FlexibleRecord)
    return unpack_cut if is_flexible else unpack


def pack_many(codec: Codec[T], values: Sequence[T], size: int) -> bytes:
    """Return values, *size* bytes each, one after the other. Raises ValueError if one is misfit."""
    if isinstance(codec, Scalar):
        order, letter = codec.layout[0], codec.layout[1]
        try:
            return struct.pack(f"{order}{len(values)}{letter}", *values)
        except (struct.error, OverflowError):  # the latter is for floats
            pass  # Which one it was, its codec says.
    return b"".join([packed(codec, value, "")[:size] for value in values])
