"""The parts of a struct, and the dataclass that is put together from them."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from ebpfgen.model import Alias, Field, Overlay, Record, Tail
from ebpfgen.values import Value, packed

# Past this many values, one call with all of them costs more than a codec of its own.
MAX_IN_LINE = 64

Read = Callable[[int], str]

_TYPES = frozenset({"bool", "bytes", "float", "int", "tuple"})


@dataclass(frozen=True, slots=True)
class Cell:
    """A part of a record's format, with the fields that are read from it.

    Each field comes with what makes the expression of its value of the index in ``v``; ``encode``
    takes the expression of the record and what errors call it. ``labels`` are what errors call its
    values. ``overlay`` is that of an anonymous union; ``constant`` is a codec that the expressions
    use, with its name.
    """

    offset: int
    size: int
    layout: str
    count: int
    fields: tuple[tuple[Field, Read], ...]
    encode: Callable[[str, str], list[str]]
    labels: tuple[str, ...] = ()
    dtype: tuple[tuple[str, str, int], ...] = ()
    overlay: Overlay | None = None
    constant: tuple[str, str] | None = None


def in_order(cells: list[Cell], size: int) -> list[Cell] | None:
    """Return *cells* by their place in a struct of *size* bytes, None if two share a byte."""
    found = sorted(cells, key=lambda cell: (cell.offset, cell.size))
    ends = [0, *(cell.offset + cell.size for cell in found)]
    apart = all(cell.offset >= end for cell, end in zip(found, ends, strict=False))
    return found if apart and max(ends) <= size else None


def record_of(
    cells: list[Cell],
    *,
    name: str,
    c_type: str,
    size: int,
    order: str,
    tail: Tail | None,
    doc: str = "",
) -> Record:
    """Put a record together; *order* is ``<`` or ``>``."""
    layout, position = order, 0
    for cell in cells:
        layout += f"{cell.offset - position}x" if cell.offset > position else ""
        layout += cell.layout
        position = cell.offset + cell.size
    layout += f"{size - position}x" if size > position else ""
    decode = _decoded(cells, 0)
    return Record(
        name=name,
        c_name=c_type,
        size=size,
        format=layout,
        fields=_annotated([field for cell in cells for field, _ in cell.fields]),
        decode=tuple(decode[:-1] if tail else decode),
        encode=tuple(part for cell in cells for part in cell.encode("self", name)),
        labels=tuple(label for cell in cells for label in cell.labels),
        constants=tuple(cell.constant for cell in cells if cell.constant),
        dtype=tuple(entry for cell in cells for entry in cell.dtype),
        aliases=tuple(_aliases(cells)),
        tail=tail,
        doc=doc,
    )


def value_of(record: Record, cells: list[Cell]) -> Value:
    """Return how a record is read inside another: as part of its format, unless it is large."""
    name, dtype = record.name, f"{record.name}.dtype()"
    count = sum(cell.count for cell in cells)
    if count > MAX_IN_LINE or not count:
        return packed(name, name, record.size, dtype)
    return Value(
        annotation=name,
        codec=name,
        layout=record.format[1:],
        count=count,
        decode=lambda index: f"{name}({', '.join(_decoded(cells, index))})",
        encode=lambda value, label: [part for cell in cells for part in cell.encode(value, label)],
        dtype=dtype,
        labels=tuple(f".{label}" for label in record.labels),
    )


def _annotated(fields: list[Field]) -> tuple[Field, ...]:
    """Return *fields* with annotations that a member called ``bytes`` does not hide."""
    hidden = {field.name for field in fields} & _TYPES
    if not hidden:
        return tuple(fields)
    words = re.compile(rf"\b({'|'.join(sorted(hidden))})\b")
    return tuple(
        field._replace(annotation=words.sub(r"builtins.\1", field.annotation)) for field in fields
    )


def _decoded(cells: list[Cell], index: int) -> list[str]:
    """Return the expressions of all fields; the first cell's values begin at *index* in ``v``."""
    expressions = []
    for cell in cells:
        expressions += [read(index) for _, read in cell.fields]
        index += cell.count
    return expressions


def _aliases(cells: list[Cell]) -> list[Alias]:
    """Return the members of anonymous unions, which C reaches as if they were the struct's own."""
    taken = {field.name for cell in cells for field, _ in cell.fields}
    return [
        Alias(member.name, member.annotation, cell.fields[0][0].name, member.comment, member.doc)
        for cell in cells
        if cell.overlay
        for member in cell.overlay.members
        if member.name not in taken
    ]
