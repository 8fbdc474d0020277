"""C values as bytes: what a generated module says of the keys and values of maps.

A codec is anything with ``SIZE``, ``unpack_from`` and ``pack``: the objects made here for scalars
and arrays, and the generated classes for structs. The byte order is that of the object file the
module was made of, so a value of a big-endian machine reads the same everywhere.
"""

import struct
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    import _typeshed

    Buffer = _typeshed.ReadableBuffer
    WriteableBuffer = _typeshed.WriteableBuffer
else:
    Buffer = WriteableBuffer = object

T = TypeVar("T")


class Codec(Protocol[T]):
    """Turns bytes into a Python value and back."""

    @property
    def SIZE(self) -> int:  # noqa: N802 - a constant of generated classes
        """How many bytes a value takes."""

    def unpack_from(self, buffer: Buffer, offset: int = 0, /) -> T:
        """Read the value at *offset* of *buffer*."""

    def pack(self, value: T, /) -> bytes:
        """Return *value* as SIZE bytes. Raises ValueError if it does not fit."""


class Scalar(Generic[T]):
    """A C type that :mod:`struct` knows; ``name`` is how errors call it."""

    def __init__(self, name: str, layout: str) -> None:
        self.name = name
        self.layout = layout
        self._struct = struct.Struct(layout)
        self.SIZE = self._struct.size

    def __repr__(self) -> str:
        return f"rt.{'be' if self.layout[0] == '>' else 'le'}.{self.name}"

    def unpack_from(self, buffer: Buffer, offset: int = 0, /) -> T:
        """Read the value at *offset* of *buffer*."""
        value: T = self._struct.unpack_from(buffer, offset)[0]
        return value

    def pack(self, value: T, /) -> bytes:
        """Return *value* as bytes. Raises ValueError if it does not fit."""
        try:
            return self._struct.pack(value)
        except struct.error as error:
            raise ValueError(f"{value!r} does not fit {self.name}: {error}") from None


class Chars:
    """``char[N]``: text up to the first NUL; shorter text is filled up with NULs."""

    def __init__(self, size: int) -> None:
        self.SIZE = size

    def __repr__(self) -> str:
        return f"rt.chars({self.SIZE})"

    def unpack_from(self, buffer: Buffer, offset: int = 0, /) -> bytes:
        """Read the text at *offset* of *buffer*."""
        return until_nul(_slice(buffer, offset, self.SIZE))

    def pack(self, value: bytes, /) -> bytes:
        """Return *value* as SIZE bytes. Raises ValueError if it is longer."""
        return fit(value, self.SIZE)


class Raw:
    """Bytes as they are: ``u8[N]``, and every type that has no better codec."""

    def __init__(self, size: int) -> None:
        self.SIZE = size

    def __repr__(self) -> str:
        return f"rt.raw({self.SIZE})"

    def unpack_from(self, buffer: Buffer, offset: int = 0, /) -> bytes:
        """Read the bytes at *offset* of *buffer*."""
        return _slice(buffer, offset, self.SIZE)

    def pack(self, value: bytes, /) -> bytes:
        """Return *value*, filled up with NULs. Raises ValueError if it is longer."""
        return fit(value, self.SIZE)


class Array(Generic[T]):
    """A C array of *count* elements, as a tuple."""

    def __init__(self, element: Codec[T], count: int) -> None:
        self.element = element
        self.count = count
        self.SIZE = element.SIZE * count

    def __repr__(self) -> str:
        return f"rt.array_of({self.element!r}, {self.count})"

    def unpack_from(self, buffer: Buffer, offset: int = 0, /) -> tuple[T, ...]:
        """Read the elements at *offset* of *buffer*."""
        step, unpack = self.element.SIZE, self.element.unpack_from
        return tuple(unpack(buffer, offset + step * i) for i in range(self.count))

    def pack(self, value: tuple[T, ...], /) -> bytes:
        """Return the elements as bytes. Raises ValueError if they are not *count*."""
        pack = self.element.pack
        return b"".join(pack(element) for element in exactly(value, self.count))


class Scalars:
    """The scalar types of C in one byte order."""

    def __init__(self, prefix: str) -> None:
        self.u8: Scalar[int] = Scalar("u8", prefix + "B")
        self.u16: Scalar[int] = Scalar("u16", prefix + "H")
        self.u32: Scalar[int] = Scalar("u32", prefix + "I")
        self.u64: Scalar[int] = Scalar("u64", prefix + "Q")
        self.i8: Scalar[int] = Scalar("i8", prefix + "b")
        self.i16: Scalar[int] = Scalar("i16", prefix + "h")
        self.i32: Scalar[int] = Scalar("i32", prefix + "i")
        self.i64: Scalar[int] = Scalar("i64", prefix + "q")
        self.f32: Scalar[float] = Scalar("f32", prefix + "f")
        self.f64: Scalar[float] = Scalar("f64", prefix + "d")
        self.boolean: Scalar[bool] = Scalar("boolean", prefix + "?")


le = Scalars("<")
be = Scalars(">")
chars = Chars
raw = Raw
array_of = Array


def until_nul(text: bytes) -> bytes:
    """Return *text* up to its first NUL, all of it if there is none."""
    return text.partition(b"\0")[0]


def fit(value: bytes, size: int) -> bytes:
    """Return *value* filled up with NULs to *size*. Raises ValueError if it is longer."""
    if len(value) > size:
        raise ValueError(f"{len(value)} bytes do not fit {size}")
    return value.ljust(size, b"\0")


def exactly(elements: tuple[T, ...], count: int) -> tuple[T, ...]:
    """Return *elements*. Raises ValueError if they are not *count*."""
    if len(elements) != count:
        raise ValueError(f"{len(elements)} elements for an array of {count}")
    return elements


def _slice(buffer: Buffer, offset: int, size: int) -> bytes:
    found = memoryview(buffer).cast("B")[offset : offset + size].tobytes()
    if len(found) < size:
        raise ValueError(f"{len(found)} bytes where {size} are needed")
    return found
