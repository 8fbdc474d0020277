"""C values as bytes: what a generated module says of the keys and values of maps.

A codec is anything with ``SIZE``, ``unpack_from`` and ``pack``: the objects made here for scalars
and arrays, and the generated classes for structs. The byte order is that of the object file the
module was made of, so a value of a big-endian machine reads the same everywhere.
"""

import struct
from collections.abc import Callable, Iterable
from enum import IntEnum
from typing import TYPE_CHECKING, Generic, Literal, Protocol, TypeVar, cast

if TYPE_CHECKING:
    import _typeshed

    Buffer = _typeshed.ReadableBuffer
    WriteableBuffer = _typeshed.WriteableBuffer
else:
    Buffer = WriteableBuffer = object

T = TypeVar("T")
E = TypeVar("E", bound=IntEnum)
ByteOrder = Literal["little", "big"]


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
        except (struct.error, OverflowError):  # the latter is for floats
            raise ValueError(f"{value!r} does not fit {self.name}") from None


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
        # All at once, for what struct knows.
        self._struct: struct.Struct | None = None
        if isinstance(element, Scalar):
            self._struct = struct.Struct(f"{element.layout[0]}{count}{element.layout[1]}")

    def __repr__(self) -> str:
        return f"rt.array_of({self.element!r}, {self.count})"

    def unpack_from(self, buffer: Buffer, offset: int = 0, /) -> tuple[T, ...]:
        """Read the elements at *offset* of *buffer*."""
        if self._struct:
            return self._struct.unpack_from(buffer, offset)
        step, unpack = self.element.SIZE, self.element.unpack_from
        return tuple(unpack(buffer, offset + step * i) for i in range(self.count))

    def pack(self, value: tuple[T, ...], /) -> bytes:
        """Return the elements as bytes. Raises ValueError if they are not *count*."""
        return packed_all(self.element, exactly(value, self.count))


class Wide:
    """A 128-bit integer, which :mod:`struct` does not know."""

    SIZE = 16

    def __init__(self, name: str, order: ByteOrder, *, signed: bool) -> None:
        self.name = name
        self._order = order
        self._signed = signed

    def __repr__(self) -> str:
        return f"rt.{'be' if self._order == 'big' else 'le'}.{self.name}"

    def unpack_from(self, buffer: Buffer, offset: int = 0, /) -> int:
        """Read the value at *offset* of *buffer*."""
        data = _slice(buffer, offset, self.SIZE)
        return int.from_bytes(data, self._order, signed=self._signed)

    def pack(self, value: int, /) -> bytes:
        """Return *value* as bytes. Raises ValueError if it does not fit."""
        try:
            return value.to_bytes(self.SIZE, self._order, signed=self._signed)
        except OverflowError:
            raise ValueError(f"{value} does not fit {self.name}") from None


class EnumCodec(Generic[E]):
    """An enumeration, read as a plain number where the value has no name."""

    def __init__(self, names: type[E], number: Codec[int]) -> None:
        self.names = names
        self.number = number
        self.SIZE = number.SIZE

    def __repr__(self) -> str:
        return f"rt.enum({self.names.__name__}, {self.number!r})"

    def unpack_from(self, buffer: Buffer, offset: int = 0, /) -> E | int:
        """Read the value at *offset* of *buffer*."""
        return named(self.names, self.number.unpack_from(buffer, offset))

    def pack(self, value: E | int, /) -> bytes:
        """Return *value* as bytes. Raises ValueError if it does not fit."""
        return self.number.pack(value)


class Scalars:
    """The scalar types of C in one byte order."""

    def __init__(self, prefix: str, order: ByteOrder) -> None:
        self.order = order
        self.u128 = Wide("u128", order, signed=False)
        self.i128 = Wide("i128", order, signed=True)
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


le = Scalars("<", "little")
be = Scalars(">", "big")
chars = Chars
raw = Raw
array_of = Array
enum = EnumCodec


def until_nul(text: bytes) -> bytes:
    """Return *text* up to its first NUL, all of it if there is none."""
    return text.partition(b"\0")[0]


def named(names: type[E], number: int) -> E | int:
    """Return the member of an enumeration with that value, the number itself if there is none."""
    return cast("E | int", names._value2member_map_.get(number, number))


def fit(value: bytes, size: int, what: str = "") -> bytes:
    """Return *value* filled up with NULs to *size*.

    Raises ValueError naming *what* if it is longer, TypeError if it is text: encode() it.
    """
    if len(value) > size:
        raise ValueError(f"{_of(what)}{len(value)} bytes do not fit {size}")
    try:
        return value.ljust(size, b"\0")
    except TypeError:
        raise TypeError(f"{_of(what)}{value!r} is text, and not bytes: encode() it") from None


def exactly(elements: tuple[T, ...], count: int, what: str = "") -> tuple[T, ...]:
    """Return *elements*. Raises ValueError naming *what* if they are not *count*."""
    if len(elements) != count:
        raise ValueError(f"{_of(what)}{len(elements)} elements for an array of {count}")
    return elements


def packed(codec: Codec[T], value: T, what: str = "") -> bytes:
    """Pack *value*: exactly ``SIZE`` bytes, or more with a flexible array member.

    Raises ValueError naming *what* for a value that does not fit or is of another generated class,
    TypeError for one of another type.
    """
    if isinstance(codec, type) and not isinstance(value, codec):
        raise misfit(codec, value, what)
    try:
        data = codec.pack(value)
    except ValueError as error:
        raise ValueError(f"{_of(what)}{error}") from None
    except TypeError as error:
        raise TypeError(f"{_of(what)}{error}") from None
    except AttributeError:
        raise misfit(codec, value, what) from None
    if len(data) < codec.SIZE:
        raise ValueError(f"{_of(what)}{value!r} packs to {len(data)} bytes, not {codec.SIZE}")
    return data if type(data) is bytes else bytes(data)


def packed_all(codec: Codec[T], values: Iterable[T]) -> bytes:
    """Pack elements one after the other. Raises what :func:`packed` does."""
    size = codec.SIZE
    return b"".join([packed(codec, value)[:size] for value in values])


def packer(codec: Codec[T], size: int, what: str) -> Callable[[T], bytes]:
    """The function that packs values for *size* bytes that the kernel reads.

    A flexible array member ends there. Raises what :func:`packed` does.
    """
    if isinstance(codec, Scalar) and size == codec.SIZE:
        return codec.pack  # the shortest way, for the keys that most maps have
    return lambda value: packed(codec, value, what)[:size]


def misfit(codec: Codec[T] | type, value: object, what: str = "") -> ValueError:
    """The error for a value of another class, or one with a member of another class."""
    wanted = codec.__name__ if isinstance(codec, type) else repr(codec)
    found = type(value).__name__
    if found == wanted:
        return ValueError(f"{_of(what)}a member of {value!r} is not of the type that {wanted} has")
    return ValueError(f"{_of(what)}{value!r} is of class {found}, not {wanted}")


def bits(value: int, width: int, what: str = "") -> int:
    """Return the *width* bits of an unsigned bitfield. Raises ValueError if it does not fit."""
    if not 0 <= value < 1 << width:
        raise ValueError(f"{_of(what)}{value} does not fit {width} bits")
    return value


def signed_bits(value: int, width: int, what: str = "") -> int:
    """Return the *width* bits of a signed bitfield. Raises ValueError if it does not fit."""
    if not -1 << (width - 1) <= value < 1 << (width - 1):
        raise ValueError(f"{_of(what)}{value} does not fit {width} bits with a sign")
    return value & ((1 << width) - 1)


def _of(what: str) -> str:
    return f"{what}: " if what else ""


def _slice(buffer: Buffer, offset: int, size: int) -> bytes:
    found = memoryview(buffer).cast("B")[offset : offset + size].tobytes()
    if len(found) < size:
        raise ValueError(f"{len(found)} bytes where {size} are needed")
    return found
