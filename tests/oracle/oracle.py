"""The questions put to both: what C says of a type, and what the generated module says."""

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ebpfgen.runtime import Codec
from tests.oracle.bindings import bindings_of
from tests.oracle.images import (
    Found,
    big_endian,
    choices,
    images_of,
    leaves,
    places,
    same,
    spelled,
)
from tests.oracle.program import Program
from tests.oracle.shapes import (
    Array,
    CType,
    Group,
    Leaf,
    Shape,
    Text,
    flattened,
    rest_of,
    shapes_of,
)

TARGETS = {"bpfel": "<", "bpfeb": ">"}


class Oracle:
    """Some C types, each compared in its own right."""

    def __init__(self, snippets: Sequence[str], folder: Path) -> None:
        self.types = shapes_of(list(snippets), folder)
        self.program = Program(self.types, folder)
        self.bindings = bindings_of(self.types, folder)
        self.compared = 0

    def all_problems(self, number: int, seed: int) -> list[str]:
        """Return every disagreement about a type."""
        checks: list[Callable[[int], Iterator[str]]]
        checks = [self.layout, self.bit_order, self.ranges, self.members_are_set, self.fields]
        try:
            found = [problem for check in checks for problem in check(number)]
            return found + list(self.values(number, seed))
        except Exception as error:
            error.add_note(self.types[number].text)
            raise

    def codec(self, number: int, target: str) -> Codec[Any]:
        """Return the codec of a type."""
        return self.bindings.codecs[target][number]

    def layout(self, number: int) -> Iterator[str]:
        """Compare the size, and the place of each member in numpy's type."""
        ctype = self.types[number]
        for target, order in TARGETS.items():
            codec = self.codec(number, target)
            if ctype.size != codec.SIZE:
                yield f"{target}: SIZE {codec.SIZE}, in C {ctype.size}"
            if isinstance(ctype.shape, Group):
                dtype: Any = codec.dtype()  # type: ignore[attr-defined]
                yield from _dtype(ctype.shape, dtype, ctype.size, order, target)

    def values(self, number: int, seed: int) -> Iterator[str]:
        """Compare what is read from bytes, before and after they went through Python."""
        ctype = self.types[number]
        little = self.codec(number, "bpfel")
        images = list(images_of(ctype, seed))
        packed = [little.pack(little.unpack_from(image)) for image in images]
        printed = self.program.read((number, data) for data in images + packed)
        for data, again, first, second in zip(
            images, packed, printed, printed[len(images) :], strict=False
        ):
            wanted = _by_path(ctype, len(data), first)
            yield from self._differences("bpfel", wanted, ctype.shape, little, data)
            yield from _unlike("packed", wanted, _by_path(ctype, len(again), second).items())
            big = self.codec(number, "bpfeb")
            for choice in range(min(choices(ctype.shape), 60)):
                swapped = big_endian(ctype, data, choice)
                there = {place.path for place in places(ctype, len(data), choice)}
                part = {path: value for path, value in wanted.items() if path in there}
                back = big.pack(big.unpack_from(swapped))
                yield from self._differences("bpfeb", part, ctype.shape, big, swapped, choice)
                yield from self._differences("repacked", part, ctype.shape, big, back, choice)

    def _differences(
        self,
        what: str,
        wanted: dict[str, Found],
        shape: Shape,
        codec: Codec[Any],
        data: bytes,
        choice: int | None = None,
    ) -> Iterator[str]:
        found = leaves(shape, codec.unpack_from(b"\xee" * 3 + data, 3), choice=choice)
        self.compared += len(wanted)
        yield from (f"{text} in {data.hex()}" for text in _unlike(what, wanted, found))

    def bit_order(self, number: int) -> Iterator[str]:
        """Compare our model of big-endian bitfields with what clang makes for bpfeb."""
        ctype = self.types[number]
        for marked, place, data in self.bindings.marks:
            if marked != number:
                continue
            mask = 1 << (len(data) * 8 - place.offset - place.width)
            wanted = ((1 << place.width) - 1) * mask
            if int.from_bytes(data, "big") != wanted:
                yield f"{ctype.spelling}{place.path} is elsewhere for bpfeb: {data.hex()}"

    def members_are_set(self, number: int) -> Iterator[str]:
        """Set each member in zeros to what it is in ones, those of unions too."""
        ctype = self.types[number]
        if not isinstance(ctype.shape, Group):
            return
        for target in TARGETS:
            codec = self.codec(number, target)
            for member in flattened(ctype.shape):
                if member is rest_of(ctype.shape):
                    continue
                name = spelled(member.name)
                value = getattr(codec.unpack_from(b"\xff" * ctype.size), name)
                changed = codec.unpack_from(bytes(ctype.size))
                setattr(changed, name, value)
                again = getattr(codec.unpack_from(codec.pack(changed)), name)
                yield from _unlike(
                    f"{target} {name}",
                    dict(leaves(member.shape, value)),
                    leaves(member.shape, again),
                )

    def fields(self, number: int) -> Iterator[str]:
        """Read and set each member by itself, as in a variable, against what the whole has."""
        ctype = self.types[number]
        if not isinstance(ctype.shape, Group):
            return
        images = [b"\xff" * ctype.size, bytes((i * 37 + 1) % 256 for i in range(ctype.size))]
        for target, image in itertools.product(TARGETS, images):
            made: Any = self.bindings.fields[target][number]
            codec = self.codec(number, target)
            for member in flattened(ctype.shape):
                name = spelled(member.name)
                value = getattr(codec.unpack_from(image), name)
                wanted = dict(leaves(member.shape, value))
                if set(wanted.values()) <= {b""} or member is rest_of(ctype.shape):
                    continue  # of no bytes
                what = f"{target} field {name}"
                if not hasattr(made, name):
                    yield f"{what} is not there"
                    continue
                yield from _unlike(
                    what, wanted, leaves(member.shape, getattr(made(_Live(image)), name))
                )
                live = _Live(bytes(ctype.size))
                setattr(made(live), name, value)
                changed = codec.unpack_from(bytes(ctype.size))
                setattr(changed, name, value)
                if bytes(live.memory) != codec.pack(changed)[: ctype.size]:
                    yield f"{what} is set to {live.memory.hex()}, not {codec.pack(changed).hex()}"

    def ranges(self, number: int) -> Iterator[str]:
        """Put each number's limits into it, and what is beyond them."""
        ctype = self.types[number]
        if not isinstance(ctype.shape, Group):
            return
        zeros = bytes(ctype.size + (64 if rest_of(ctype.shape) else 0))
        for target in TARGETS:
            codec = self.codec(number, target)
            for steps, low, high in _limits(ctype.shape, codec.unpack_from(zeros)):
                for value in (low, high):
                    record = put(codec.unpack_from(zeros), steps, value)
                    if at(codec.unpack_from(codec.pack(record)), steps) != value:
                        yield f"{target} {steps}: {value!r} does not come back"
                for beyond in _beyond(low, high):
                    yield from _refused(codec.unpack_from(zeros), steps, beyond, target)


class _Live:
    """Stands for the memory of a loaded variable."""

    def __init__(self, data: bytes) -> None:
        self.memory = bytearray(data)

    def read(self) -> memoryview:
        return memoryview(self.memory)

    def write(self, offset: int, data: bytes) -> None:
        self.memory[offset : offset + len(data)] = data


Steps = tuple[str | int, ...]


def put(value: Any, steps: Steps, new: object) -> Any:
    """Set what lies at the end of *steps*, members or indices, and return the whole."""
    if not steps:
        return new
    step, *rest = steps
    if isinstance(step, int):
        items = list(value)
        items[step] = put(items[step], tuple(rest), new)
        return tuple(items)
    setattr(value, step, put(getattr(value, step), tuple(rest), new))
    return value


def at(value: Any, steps: Steps) -> object:
    """Return what lies at the end of *steps*."""
    for step in steps:
        value = value[step] if isinstance(step, int) else getattr(value, step)
    return value


def _refused(record: Any, steps: Steps, value: int | bytes, target: str) -> Iterator[str]:
    """Try to write what does not fit: nothing may be written, and the error must say where."""
    buffer = bytearray(b"\xa5" * (len(record.pack()) + 8))
    before = bytes(buffer)
    place = max(i for i, step in enumerate(steps) if isinstance(step, str))
    name = steps[place]
    holders = {type(record).__name__, type(at(record, steps[:place])).__name__}
    try:
        put(record, steps, value)
        record.pack_into(buffer, 4)
    except ValueError as error:
        message = str(error)
        if f".{name}" not in message or not re.search(rf"\b({'|'.join(holders)})\w*\.", message):
            yield f"{target} {steps}: the error names no type and member: {message}"
    else:
        yield f"{target} {steps}: {value!r} is not refused"
    if buffer != before:
        yield f"{target} {steps}: {value!r} is refused, and bytes are written"


def _limits(
    shape: Shape, value: Any, steps: Steps = (), width: int = 0
) -> Iterator[tuple[Steps, int | bytes, int | bytes]]:
    """Yield where numbers and bytes lie, the first and the last of an array, with their limits."""
    match shape:
        case Leaf(kind="int" | "pointer", size=size, signed=signed):
            bits = width or size * 8
            low, high = (
                (-1 << (bits - 1), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)
            )
            yield steps, low, high
        case Text(count=int(count)) if count:
            yield steps, bytes(count) if shape.raw else b"", b"\xff" * count
        case Array(element=element) if value:
            for i in sorted({0, len(value) - 1}):
                yield from _limits(element, value[i], (*steps, i))
        case Group():
            for member in flattened(shape):
                name = spelled(member.name)
                bits = member.size if member.is_bitfield else 0
                yield from _limits(member.shape, getattr(value, name), (*steps, name), bits)


def _beyond(low: int | bytes, high: int | bytes) -> list[int | bytes]:
    if isinstance(low, int) and isinstance(high, int):
        return [low - 1, high + 1]
    return [high + b"\xff"] if isinstance(high, bytes) else []


def _by_path(ctype: CType, length: int, printed: Sequence[int | str]) -> dict[str, Found]:
    found: dict[str, Found] = {}
    for place, value in zip(places(ctype, length), printed, strict=True):
        found[place.path] = place.found(value)
    return found


def _unlike(
    what: str, wanted: dict[str, Found], found: Iterator[tuple[str, Found]] | Any
) -> Iterator[str]:
    seen = dict(found)
    if seen.keys() != wanted.keys():
        yield f"{what}: {sorted(seen.keys() ^ wanted.keys())} on one side only"
    for path in seen.keys() & wanted.keys():
        if not same(seen[path], wanted[path]):
            yield f"{what}: {path} is {seen[path]!r}, in C {wanted[path]!r}"


def _dtype(group: Group, dtype: Any, size: int, order: str, path: str) -> Iterator[str]:
    """Compare numpy's type of a struct or union, member by member."""
    if dtype.itemsize != size:
        yield f"{path}: itemsize {dtype.itemsize}, in C {size}"
    for member in flattened(group):
        if member.is_bitfield or not member.size:
            continue
        inner = f"{path}.{member.name}"
        if spelled(member.name) not in dtype.fields:
            yield f"{inner} is not in the dtype"
            continue
        found, offset = dtype.fields[spelled(member.name)]
        if (offset, found.itemsize) != (member.offset, member.size):
            wanted = f"{member.size} at {member.offset}"
            yield f"{inner}: {found.itemsize} bytes at {offset}, in C {wanted}"
        shape, counts = member.shape, []
        while isinstance(shape, Array):
            counts.append(shape.count)
            shape = shape.element
        if isinstance(shape, Text) and shape.raw:
            counts.append(shape.count)
        base, dimensions = found, []
        while base.subdtype:
            base, more = base.subdtype
            dimensions += more
        if dimensions != counts:
            yield f"{inner}: shape {dimensions}, in C {counts}"
        if isinstance(shape, Group):
            stride = member.size
            for count in counts:
                stride //= count or 1
            yield from _dtype(shape, base, stride, order, inner)
        elif base.str != _numpy(shape, order):
            yield f"{inner}: {base.str}, and not {_numpy(shape, order)}"


def _numpy(shape: Leaf | Text, order: str) -> str:
    """Return what numpy calls a number, or text."""
    if isinstance(shape, Text):
        return "|u1" if shape.raw else f"|S{shape.count}"
    if shape.size == 16:
        return "|V16"
    letter = {"bool": "b", "float": "f", "pointer": "u"}.get(
        shape.kind, "i" if shape.signed else "u"
    )
    return f"{order if shape.size > 1 else '|'}{letter}{shape.size}"
