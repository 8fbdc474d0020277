"""What generated classes for C structs and unions are made of."""

import re
import struct
from collections.abc import Callable, Iterable, Sequence
from enum import IntEnum
from itertools import starmap
from typing import (
    Any,
    ClassVar,
    Generic,
    Protocol,
    Self,
    TypeAlias,
    TypeVar,
    overload,
)

from ebpfgen.runtime.codec import (
    Array,
    Buffer,
    ByteOrder,
    Chars,
    Codec,
    EnumCodec,
    Raw,
    Scalar,
    Wide,
    WriteableBuffer,
    bits,
    fit,
    named,
    packed,
    packed_all,
    signed_bits,
    until_nul,
)

# numpy.dtype[numpy.void]; but numpy is optional, and strict checkers that do not find it would
# refuse every generated module for a type they can not resolve.
DType: TypeAlias = Any

Values = tuple[object, ...]
Rows: TypeAlias = Iterable[tuple[Any, ...]]
T = TypeVar("T")
Records: TypeAlias = list[T]
E = TypeVar("E", bound=IntEnum)

_FORMAT = re.compile(r"(\d*)([a-zA-Z?])")
_C_NAMES = dict(
    zip(
        "bBhHiIqQfd",
        ("i8", "u8", "i16", "u16", "i32", "u32", "i64", "u64", "f32", "f64"),
        strict=True,
    )
)


class Record:
    """A C struct: the base of generated dataclasses.

    ``SIZE`` is in bytes. Values that do not fit their member are refused when they are packed.
    """

    # What a buffer held of a record above SIZE bytes; unset where there was nothing.
    __slots__ = ("_beyond",)

    SIZE: ClassVar[int]
    _layout: ClassVar[struct.Struct]
    _labels: ClassVar[tuple[str, ...]]
    _beyond: bytes

    @classmethod
    def _each(cls, rows: Rows, /) -> "Sequence[Record]":
        """Return the value of each row that the layout unpacks, as a list."""
        return list(starmap(cls, rows))

    def _values(self) -> Values:
        """Return what the layout packs."""
        raise NotImplementedError

    def pack(self) -> bytes:
        """Return the value as SIZE bytes. Raises ValueError naming the member that does not fit."""
        values = self._values()
        try:
            return self._layout.pack(*values)
        except (struct.error, OverflowError) as error:  # the latter is for floats
            raise self._misfit(values, error) from None

    def pack_into(self, buffer: WriteableBuffer, offset: int = 0, /) -> None:
        """Write the value at *offset* of *buffer*. Raises ValueError before anything is written."""
        _write(self.pack(), buffer, offset)

    def _misfit(self, values: Values, error: Exception) -> ValueError:
        """Find the value that struct refused."""
        letters: list[str] = []
        for count, letter in _FORMAT.findall(self._layout.format[1:]):
            if letter != "x":
                letters += [letter] if letter == "s" else [letter] * int(count or 1)
        for label, letter, value in zip(self._labels, letters, values, strict=True):
            if letter != "s" and not _fits(letter, value):
                kind = _C_NAMES.get(letter, "a number")
                return ValueError(f"{type(self).__name__}.{label}: {value!r} does not fit {kind}")
        return ValueError(f"{type(self).__name__}: {error}")


class FlexibleRecord(Record):
    """A C struct that ends with a flexible array member.

    Reading one takes all that is left of the buffer for it, so give it a buffer that ends where the
    record does.
    """

    __slots__ = ()

    _tail: ClassVar["tuple[str, int, Rest[Any]]"]

    def pack(self) -> bytes:
        """Return the value with its flexible array member: SIZE bytes or more."""
        name, offset, codec = self._tail
        data = super().pack()
        try:
            tail = codec.write(getattr(self, name))
        except ValueError as error:
            raise ValueError(f"{type(self).__name__}.{name}: {error}") from None
        return data[:offset] + tail + data[offset + len(tail) :]


class Members:
    """Bytes with members: the base of unions, and of the fields of a variable.

    ``_label`` is what errors call it, where that is not the name of its class.
    """

    __slots__ = ()

    _label: ClassVar[str] = ""

    def __repr__(self) -> str:
        members = [name for name, member in vars(type(self)).items() if hasattr(member, "__set__")]
        shown = " ".join(f"{name}={getattr(self, name)!r}" for name in members if name[0] != "_")
        return f"<{type(self).__name__} {shown}>"

    def _memory(self) -> bytearray | memoryview:
        """Return the bytes, to read."""
        raise NotImplementedError

    def _put(self, offset: int, data: bytes) -> None:
        """Write *data* at *offset*."""
        raise NotImplementedError


class Overlay(Members):
    """A C union: the base of generated classes over the bytes that all members share.

    Setting a member changes those bytes. A member that is itself a struct is read as a copy: set it
    whole.
    """

    __slots__ = ("_data",)

    SIZE: ClassVar[int]

    def __init__(self, data: bytes = b"") -> None:
        self._data = bytearray(fit(data, self.SIZE, type(self).__name__))

    def __eq__(self, other: object) -> bool:
        return self._data == other._data if isinstance(other, type(self)) else NotImplemented

    def __hash__(self) -> int:
        return hash(bytes(self._data))

    @classmethod
    def unpack_from(cls, buffer: Buffer, offset: int = 0, /) -> Self:
        """Read the value at *offset* of *buffer*."""
        data = memoryview(buffer).cast("B")[offset : offset + cls.SIZE].tobytes()
        if len(data) < cls.SIZE:
            raise ValueError(f"{len(data)} bytes where {cls.__name__} needs {cls.SIZE}")
        return cls(data)

    def pack(self) -> bytes:
        """Return the value as SIZE bytes."""
        return bytes(self._data)

    def pack_into(self, buffer: WriteableBuffer, offset: int = 0, /) -> None:
        """Write the value at *offset* of *buffer*. Raises ValueError before anything is written."""
        _write(self.pack(), buffer, offset)

    def _memory(self) -> bytearray:
        return self._data

    def _put(self, offset: int, data: bytes) -> None:
        if offset + len(data) > self.SIZE:
            name = type(self).__name__
            raise ValueError(f"{name}: {len(data)} bytes at {offset} do not fit {self.SIZE}")
        self._data[offset : offset + len(data)] = data


class At(Generic[T]):
    """A member of :class:`Members`, by its codec and its offset in bytes."""

    def __init__(self, codec: Codec[T], offset: int) -> None:
        self._codec = codec
        self._offset = offset
        self._label = ""

    def __set_name__(self, owner: type[Members], name: str) -> None:
        self._label = f"{owner._label or owner.__name__}.{name}"

    @overload
    def __get__(self, holder: None, owner: type) -> Self: ...

    @overload
    def __get__(self, holder: Members, owner: type) -> T: ...

    def __get__(self, holder: Members | None, owner: type) -> Self | T:
        if holder is None:
            return self
        return self._codec.unpack_from(holder._memory(), self._offset)

    def __set__(self, holder: Members, value: T) -> None:
        holder._put(self._offset, packed(self._codec, value, self._label))


class BitsAt(Generic[T]):
    """A bitfield of :class:`Members`.

    Its *width* bits are *shift* above the lowest one of the *size* bytes at *offset*.
    """

    def __init__(  # noqa: PLR0917 - generated code is shorter so
        self,
        order: ByteOrder,
        signed: bool,
        offset: int,
        size: int,
        shift: int,
        width: int,
        convert: Callable[[int], T],
    ) -> None:
        self._order = order
        self._signed = signed
        self._place = slice(offset, offset + size)
        self._shift = shift
        self._width = width
        self._convert = convert
        self._label = ""

    def __set_name__(self, owner: type[Members], name: str) -> None:
        self._label = f"{owner._label or owner.__name__}.{name}"

    @overload
    def __get__(self, holder: None, owner: type) -> Self: ...

    @overload
    def __get__(self, holder: Members, owner: type) -> T: ...

    def __get__(self, holder: Members | None, owner: type) -> Self | T:
        if holder is None:
            return self
        found = int.from_bytes(holder._memory()[self._place], self._order) >> self._shift
        found &= (1 << self._width) - 1
        if self._signed and found >> (self._width - 1):
            found -= 1 << self._width
        return self._convert(found)

    def __set__(self, holder: Members, value: int) -> None:
        checked = (signed_bits if self._signed else bits)(value, self._width, self._label)
        mask = ((1 << self._width) - 1) << self._shift
        whole = int.from_bytes(holder._memory()[self._place], self._order)
        whole = whole & ~mask | checked << self._shift
        size = self._place.stop - self._place.start
        holder._put(self._place.start, whole.to_bytes(size, self._order))


class Rest(Protocol[T]):
    """Reads a flexible array member: all that is left of the buffer."""

    def read(self, buffer: Buffer, offset: int, /) -> T:
        """Return the elements from *offset* on."""

    def write(self, value: T, /) -> bytes:
        """Return the elements as bytes."""


class RestBytes:
    """``u8 data[]``: every byte that is left."""

    def read(self, buffer: Buffer, offset: int, /) -> bytes:
        """Return the bytes from *offset* on."""
        return memoryview(buffer).cast("B")[offset:].tobytes()

    def write(self, value: bytes, /) -> bytes:
        """Return *value*."""
        return value


class RestText(RestBytes):
    """``char text[]``: up to the first NUL of what is left."""

    def read(self, buffer: Buffer, offset: int, /) -> bytes:
        """Return the text at *offset*."""
        return until_nul(super().read(buffer, offset))


class RestOf(Generic[T]):
    """``T elements[]``: as many whole elements as are left."""

    def __init__(self, codec: Codec[T]) -> None:
        self._codec = codec

    def read(self, buffer: Buffer, offset: int, /) -> tuple[T, ...]:
        """Return the elements from *offset* on."""
        left = memoryview(buffer).nbytes - offset
        step = self._codec.SIZE
        count = max(left, 0) // step if step else 0
        return tuple(self._codec.unpack_from(buffer, offset + step * i) for i in range(count))

    def write(self, value: tuple[T, ...], /) -> bytes:
        """Return the elements as bytes."""
        return packed_all(self._codec, value)


at = At
bits_at = BitsAt
rest_bytes = RestBytes()
rest_of = RestOf
rest_text = RestText()


def namer(names: type[E]) -> Callable[[int], E | int]:
    """Return what turns a number into the member of an enumeration, if there is one."""
    return lambda number: named(names, number)


def dtype(size: int, members: Iterable[tuple[str, object, int]]) -> DType:
    """Return the structured numpy type of *size* bytes; members have name, type and offset.

    Raises ImportError if numpy is not installed.
    """
    import numpy as np

    found = list(members)
    return np.dtype(
        {
            "names": [name for name, _, _ in found],
            "formats": [kind for _, kind, _ in found],
            "offsets": [offset for _, _, offset in found],
            "itemsize": size,
        }
    )


def dtype_of(codec: object) -> object:
    """Return what numpy makes the type of a codec's values of.

    Raises TypeError if numpy has no type for them.
    """
    found: object = None
    match codec:
        case Scalar(layout=layout):
            found = layout
        case Chars(SIZE=size):
            found = f"S{size}"
        case Raw(SIZE=size):
            found = ("u1", (size,))
        case Wide(SIZE=size):
            found = f"V{size}"
        case Array(element=element, count=count):
            found = (dtype_of(element), (count,))
        case EnumCodec(number=number):
            found = dtype_of(number)
        case _ if hasattr(codec, "dtype"):
            found = codec.dtype()
    if found is None:
        raise TypeError(f"numpy has no type for the values of {codec!r}")
    return found


def tail_of(record: Record) -> bytes:
    """Return what a ring or perf buffer held of *record* after its SIZE bytes, mostly nothing."""
    return getattr(record, "_beyond", b"")


def _write(data: bytes, buffer: WriteableBuffer, offset: int) -> None:
    view = memoryview(buffer).cast("B")
    if not 0 <= offset <= view.nbytes - len(data):
        raise ValueError(f"{len(data)} bytes do not fit at {offset} of {view.nbytes}")
    view[offset : offset + len(data)] = data


def _fits(letter: str, value: object) -> bool:
    try:
        struct.pack(f"<{letter}", value)
    except (struct.error, OverflowError):
        return False
    return True
