"""How single C values are read and written: the pieces that records are put together from.

A :class:`Value` says it in every form a generated module needs: as a codec of its own, and in line
with the format of the struct that holds it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from ebpfgen.btf import types as t

# The letters of Python's struct module, by size in bytes; signed ones are the lower-case letters.
UNSIGNED = {1: "B", 2: "H", 4: "I", 8: "Q"}
_FLOATS = {4: "f", 8: "d"}
_WIDE = 16


@dataclass(frozen=True, slots=True)
class Value:
    """A C type as Python reads it.

    ``layout`` is its part of a format of :mod:`struct`, which unpacks to ``count`` values.
    ``decode`` takes the index of the first of them in ``v`` and returns the expression that makes
    the Python value. ``encode`` takes the expression of the Python value and what errors call it,
    and returns those of the format's values. ``dtype`` is the expression of its numpy type.
    ``letter`` is the layout of a single number, ``enum`` the class of an enumeration; ``is_packed``
    says that it is read by its codec; ``labels`` are what errors call each value, after the name of
    the whole. ``element`` is the codec of each of an array's ``length`` elements.
    """

    annotation: str
    codec: str
    layout: str
    count: int
    decode: Callable[[int], str]
    encode: Callable[[str, str], list[str]]
    dtype: str
    letter: str = ""
    enum: str = ""
    is_packed: bool = False
    labels: tuple[str, ...] = ()
    element: str = ""
    length: int = 0


def scalar(btf_type: t.Type, order: str) -> Value | None:
    """Return the value of a number or a pointer, None if it is neither.

    *order* is ``<`` or ``>``.
    """
    scalars = "rt.le" if order == "<" else "rt.be"
    match btf_type:
        case t.Ptr():
            return _plain("int", f"{scalars}.u64", "Q", f"{order}u8")
        case t.Float(size=size) if size in _FLOATS:
            return _plain("float", f"{scalars}.f{size * 8}", _FLOATS[size], f"{order}f{size}")
        case t.Int(size=1, is_bool=True):
            return _plain("bool", f"{scalars}.boolean", "?", "?")
        case t.Int(size=size, signed=signed) | t.Enum(size=size, signed=signed):
            return _integer(size, signed=signed, order=order)
        case _:
            return None


def integer_codec(size: int, *, signed: bool, order: str) -> str:
    """Return the expression of the codec of an integer."""
    return f"rt.{'le' if order == '<' else 'be'}.{'i' if signed else 'u'}{size * 8}"


def text(size: int) -> Value:
    """Return the value of ``char[size]``."""
    return Value(
        annotation="bytes",
        codec=f"rt.chars({size})",
        layout=f"{size}s",
        count=1,
        decode=lambda index: f"rt.until_nul(v[{index}])",
        encode=lambda value, label: [f'rt.fit({value}, {size}, "{label}")'],
        dtype=f'"S{size}"',
    )


def raw(size: int, dtype: str = "") -> Value:
    """Return the value of *size* bytes as they are."""
    return Value(
        annotation="bytes",
        codec=f"rt.raw({size})",
        layout=f"{size}s",
        count=1,
        decode=lambda index: f"v[{index}]",
        encode=lambda value, label: [f'rt.fit({value}, {size}, "{label}")'],
        dtype=dtype or f'"V{size}"',
    )


def packed(annotation: str, codec: str, size: int, dtype: str) -> Value:
    """Return a value that a codec makes of its bytes, for what no format can say."""
    return Value(
        annotation=annotation,
        codec=codec,
        layout=f"{size}s",
        count=1,
        decode=lambda index: f"{codec}.unpack_from(v[{index}])",
        encode=lambda value, label: [f'rt.packed({codec}, {value}, "{label}")'],
        dtype=dtype,
        is_packed=True,
    )


def opaque(name: str, size: int) -> Value:
    """Return the value of a class that is made of its bytes as they are."""
    return Value(
        annotation=name,
        codec=name,
        layout=f"{size}s",
        count=1,
        decode=lambda index: f"{name}(v[{index}])",
        encode=lambda value, label: [f'rt.packed({name}, {value}, "{label}")'],
        dtype=f"{name}.dtype()",
    )


def scalars_in_line(element: Value, codec: str, count: int) -> Value:
    """Return the value of an array of scalars that are part of the format."""
    return Value(
        annotation=f"tuple[{element.annotation}, ...]",
        codec=codec,
        layout=f"{count}{element.letter}",
        count=count,
        decode=lambda index: f"v[{index}:{index + count}]",
        encode=lambda value, label: [f'*rt.exactly({value}, {count}, "{label}")'],
        dtype=f"({element.dtype}, ({count},))",
    )


def named(enum: str, number: Value) -> Value:
    """Return the value of an enumeration whose class is *enum*."""
    return Value(
        annotation=f"{enum} | int",
        codec=f"rt.enum({enum}, {number.codec})",
        layout=number.layout,
        count=1,
        decode=lambda index: f"rt.named({enum}, {number.decode(index)})",
        encode=number.encode,
        dtype=number.dtype,
        enum=enum,
    )


def _plain(annotation: str, codec: str, letter: str, dtype: str) -> Value:
    return Value(
        annotation=annotation,
        codec=codec,
        layout=letter,
        count=1,
        decode=lambda index: f"v[{index}]",
        encode=lambda value, _: [value],
        dtype=f'"{dtype}"',
        letter=letter,
    )


def _integer(size: int, *, signed: bool, order: str) -> Value | None:
    codec = integer_codec(size, signed=signed, order=order)
    if size == _WIDE:
        return packed("int", codec, size, '"V16"')
    if size not in UNSIGNED:
        return None
    letter = UNSIGNED[size].lower() if signed else UNSIGNED[size]
    return _plain("int", codec, letter, f"{order}{'i' if signed else 'u'}{size}")
