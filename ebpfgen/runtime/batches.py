"""Records on their way from a buffer of the kernel to Python objects.

They are copied out as the kernel laid them down, and decoded afterwards. So the kernel has its room
back at once, nobody holds a lock while Python objects are made, and what was not handed out can be
put back. Records of one size lie at equal distances: such a run is found by comparing headers, and
decoded, without a step of the interpreter for each record.
"""

import array
import contextlib
import gc
import struct
from collections.abc import Callable, Iterator
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar, cast

from ebpfgen.runtime.codec import Buffer, Codec, Scalar
from ebpfgen.runtime.records import FlexibleRecord, Record, Rows, dtype_of

R = TypeVar("R")

# numpy.ndarray, where numpy is installed.
Array: TypeAlias = Any

_FIRST_LOOK, _LONGEST_LOOK = 8, 4096


class Run(NamedTuple):
    """*number* records of *size* bytes, the first at *offset* and the others *step* bytes apart.

    Offset and size are those of their payloads, without headers. ``cpu`` is the one whose records
    they are, where each has its own buffer.
    """

    offset: int
    size: int
    step: int
    number: int
    cpu: int = 0


class Batch:
    """Bytes of a buffer, and the runs of records in them; *lead* is the size of a header."""

    __slots__ = ("data", "lead", "runs")

    def __init__(self, data: bytearray, runs: list[Run], lead: int) -> None:
        self.data = data
        self.runs = runs
        self.lead = lead

    def __len__(self) -> int:
        return sum(run.number for run in self.runs)

    def __add__(self, other: "Batch") -> "Batch":
        if not self.runs or not other.runs:
            return self if self.runs else other
        moved = [run._replace(offset=run.offset + len(self.data)) for run in other.runs]
        return Batch(self.data + other.data, self.runs + moved, self.lead)

    def split(self, count: int) -> tuple["Batch", "Batch"]:
        """Return the first *count* records, and the others."""
        before: list[Run] = []
        after: list[Run] = []
        for run in self.runs:
            here = min(count, run.number)
            count -= here
            if here:
                before.append(run._replace(number=here))
            if here < run.number:
                offset = run.offset + here * run.step
                after.append(run._replace(offset=offset, number=run.number - here))
        return self._of(before), self._of(after)

    def by_cpu(self) -> "dict[int, Batch]":
        """Return the records of each CPU."""
        runs: dict[int, list[Run]] = {}
        for run in self.runs:
            runs.setdefault(run.cpu, []).append(run)
        return {cpu: self._of(found) for cpu, found in runs.items()}

    def _of(self, runs: list[Run]) -> "Batch":
        return Batch(self.data, runs, self.lead) if runs else NOTHING

    def first_below(self, size: int) -> int | None:
        """Return which record is the first of less than *size* bytes, None if there is none."""
        index = 0
        for run in self.runs:
            if run.size < size:
                return index
            index += run.number
        return None

    def rows(self, run: Run, layout: struct.Struct) -> Rows:
        """Return the values of each record of a run; *layout* spans a step, from the header on."""
        start = run.offset - self.lead
        return layout.iter_unpack(memoryview(self.data)[start : start + run.number * run.step])

    def layout(self, run: Run, members: str, size: int) -> struct.Struct:
        """Return the layout of a step that has these *members*, of *size* bytes, as payload."""
        rest = run.step - self.lead - size
        return struct.Struct(f"{members[0]}{self.lead}x{members[1:]}{rest}x")

    def payloads(self) -> list[bytes]:
        """Return the bytes of each record."""
        found: list[bytes] = []
        for run in self.runs:
            if run.number == 1:
                found.append(bytes(self.data[run.offset : run.offset + run.size]))
            else:
                layout = self.layout(run, f"={run.size}s", run.size)
                found += [row[0] for row in self.rows(run, layout)]
        return found


NOTHING = Batch(bytearray(), [], 0)


class Payload:
    """The codec of records without a type: all their bytes."""

    SIZE = 0

    def __repr__(self) -> str:
        return "bytes"

    def unpack_from(self, buffer: Buffer, offset: int = 0, /) -> bytes:
        """Return what is in *buffer* from *offset* on."""
        return memoryview(buffer)[offset:].tobytes()

    def pack(self, value: bytes, /) -> bytes:
        """Return *value*. Raises TypeError if it is not bytes."""
        return memoryview(value).tobytes()


class Decoder(Generic[R]):
    """Makes Python objects of records.

    ``size`` is how many bytes a record has at least. A payload may have up to *padding* more that
    mean nothing; what it has above that is the record's tail.
    """

    def __init__(self, codec: Codec[R], padding: int) -> None:
        self.size = codec.SIZE
        self._codec = codec
        self._padding = padding
        self._kind = _kind_of(codec)
        self._members, self._of_rows = _at_once(codec, self._kind)
        self._layouts: dict[int, struct.Struct] = {}

    def records(self, batch: Batch) -> list[R]:
        """Return the records of a batch; none may be shorter than ``size``."""
        if self._kind is Payload:
            return cast("list[R]", batch.payloads())
        with _garbage_left_alone():
            return self._records(batch)

    def _records(self, batch: Batch) -> list[R]:
        records: list[R] = []
        for run in batch.runs:
            if self._members and run.size <= self.size + self._padding:
                layout = self._layouts.get(run.step)
                if layout is None:
                    layout = self._layouts[run.step] = batch.layout(run, self._members, self.size)
                records += self._of_rows(batch.rows(run, layout))
            else:
                places = range(run.offset, run.offset + run.number * run.step, run.step)
                records += [self._single(batch.data, place, run.size) for place in places]
        return records

    def array(self, batch: Batch) -> Array:
        """Return the records of a batch as a numpy array; their tails are left out.

        Raises ImportError if numpy is not installed, TypeError if it has no type for the records.
        """
        import numpy as np

        record = dtype_of(self._codec)
        parts = []
        for run in batch.runs:
            step = np.dtype(
                {"names": ["_"], "formats": [record], "offsets": [batch.lead], "itemsize": run.step}
            )
            start = run.offset - batch.lead
            parts.append(np.frombuffer(batch.data, step, run.number, start)["_"])
        if len(parts) == 1:
            return parts[0]
        return np.concatenate(parts) if parts else np.empty(0, record)

    def _single(self, data: bytearray, offset: int, size: int) -> R:
        if self._kind is FlexibleRecord:
            return self._codec.unpack_from(memoryview(data)[offset : offset + size])
        record = self._codec.unpack_from(data, offset)
        if isinstance(record, Record) and size > self.size + self._padding:
            record._beyond = bytes(data[offset + self.size : offset + size])
        return record


@contextlib.contextmanager
def _garbage_left_alone() -> Iterator[None]:
    """Put off the collection of garbage.

    Records are made by the thousand, all of them in use, and looking through them again and again
    takes as long as making them.
    """
    was_enabled = gc.isenabled()
    try:
        gc.disable()
        yield
    finally:
        if was_enabled:
            gc.enable()


def run_length(words: "memoryview[int]", first: int, step: int, most: int) -> int:
    """Return how many of *most* headers are equal, from the one at *first* on, *step* words apart.

    What is compared is looked at in that order, as one that is not equal says that those after it
    are no headers.
    """
    header = words[first]
    count = 1
    if most < 2 or words[first + step] != header:
        return count
    look = _FIRST_LOOK
    while count < most:
        ahead = min(look, most - count)
        start = first + count * step
        found = words[start : start + ahead * step : step]
        if found != memoryview(array.array(words.format, [header]) * ahead):
            values = found.tolist()
            return count + next((i for i, value in enumerate(values) if value != header), ahead)
        count += ahead
        look = min(look * 2, _LONGEST_LOOK)
    return count


def _kind_of(codec: object) -> type | None:
    """Return which of the classes that read in a way of their own a codec is of, if any."""
    if isinstance(codec, Payload):
        return Payload
    kinds = (FlexibleRecord, Record, Scalar)
    own = codec if isinstance(codec, type) else type(codec)
    return next((kind for kind in kinds if issubclass(own, kind)), None)


def _at_once(codec: object, kind: type | None) -> tuple[str, Callable[[Rows], list[R]]]:
    """Return the format of a value, and what makes values of the rows that it unpacks.

    The format is empty where there is no such way, and values are read one by one.
    """
    if kind is Scalar:
        return cast("Scalar[object]", codec).layout, lambda rows: [value for (value,) in rows]
    if kind is Record:
        record = cast("type[Record]", codec)
        return record._layout.format, cast("Callable[[Rows], list[R]]", record._each)
    return "", lambda _: []
