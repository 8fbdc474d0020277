"""Array maps."""

import mmap
import operator
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import TypeVar, overload

from ebpfgen.runtime._libbpf.elements import BatchError
from ebpfgen.runtime._libbpf.library import CallError
from ebpfgen.runtime.codec import Codec
from ebpfgen.runtime.dtypes import NDArray, array_from, dtype_of
from ebpfgen.runtime.maps import batch
from ebpfgen.runtime.maps.bulk import pack_many
from ebpfgen.runtime.maps.constants import INDEX, MapFlag, MapType, UpdateFlag
from ebpfgen.runtime.maps.member import MapMember, valued
from ebpfgen.runtime.maps.opened import Opened
from ebpfgen.runtime.maps.typed import TypedMap

V = TypeVar("V")

_CHUNK = 4096


class ArrayMap(TypedMap[V], Sequence[V]):
    """An array map: a sequence of fixed length whose elements can be set.

    Iterating, ``array[:]`` and :meth:`read` ask the kernel for thousands of elements at a time. An
    array with the flag ``BPF_F_MMAPABLE`` is read and written in memory, without asking it at all.
    """

    def __init__(self, opened: Opened, value: Codec[V], *, size: int | None = None) -> None:
        super().__init__(opened, value, size=size)
        self._is_mappable = bool(self.flags & MapFlag.MMAPABLE)
        self._memory: mmap.mmap | None = None
        self._is_writable = False
        self._stride = -(-self.value_size // 8) * 8

    def __len__(self) -> int:
        return self.max_entries

    @overload
    def __getitem__(self, index: int) -> V: ...

    @overload
    def __getitem__(self, index: slice) -> list[V]: ...

    def __getitem__(self, index: int | slice) -> V | list[V]:
        if isinstance(index, slice):
            wanted = range(*index.indices(len(self)))
            # Reading all of it costs less than asking for most of it one by one.
            return self.read()[index] if 2 * len(wanted) > len(self) else [self[i] for i in wanted]
        position = self._position(index)
        if self._is_mappable and (memory := self._mapped()) is not None:
            return self._value.unpack_from(self._bytes_at(memory, position))
        try:
            found = self._lookup(INDEX.pack(position))
        except CallError as error:
            raise self._error(error, f"read element {index} of") from error
        return self._unpack_value(found)

    def __setitem__(self, index: int, value: V) -> None:
        self.put(index, value)

    def __iter__(self) -> Iterator[V]:
        return chain.from_iterable(
            self._unpack_values(chunk.values, chunk.length) for chunk in self._chunks()
        )

    def lookup(self, index: int, *, flags: UpdateFlag = UpdateFlag.ANY) -> V:
        """Return an element, as ``array[index]`` does, with flags for the kernel.

        ``BPF_F_LOCK`` reads a value that has a ``bpf_spin_lock`` while holding it.
        """
        try:
            return self._read(INDEX.pack(self._position(index)), flags)
        except CallError as error:
            raise self._error(error, f"read element {index} of") from error

    def put(self, index: int, value: V, *, flags: UpdateFlag = UpdateFlag.ANY) -> None:
        """Set an element, as ``array[index] = value`` does, with flags for the kernel.

        ``BPF_F_LOCK`` writes a value that has a ``bpf_spin_lock`` while holding it. All elements of
        an array are always there, so that ``BPF_NOEXIST`` is a MapError.
        """
        position = self._position(index)
        memory = self._mapped() if self._is_mappable and not flags else None
        if memory is not None and self._is_writable:
            data = self._pack_value(value)
            start = position * self._stride
            try:
                memory[start : start + len(data)] = data
            except ValueError:  # another thread closed it meanwhile
                self._owner.check_open()
                raise
            return
        try:
            self._write(INDEX.pack(position), value, flags)
        except CallError as error:
            raise self._error(error, f"set element {index} of") from error

    def update_many(
        self,
        entries: Mapping[int, V] | Iterable[tuple[int, V]],
        *,
        flags: UpdateFlag = UpdateFlag.ANY,
    ) -> None:
        """Set many elements, at once where the kernel can (since 5.6).

        Raises IndexError or ValueError before anything is set if one is outside or does not fit.
        """
        pairs = list(entries.items() if isinstance(entries, Mapping) else entries)
        keys = pack_many(INDEX, [self._position(index) for index, _ in pairs], INDEX.SIZE)
        values = pack_many(self._value, [value for _, value in pairs], self._value_space)
        try:
            batch.update(self._elements, keys, values, flags)
        except BatchError as error:
            raise self._error(error, f"set element {pairs[error.done][0]} of") from error

    def clear(self) -> None:
        """Set all elements to zeros."""
        for start in range(0, len(self), _CHUNK):
            indices = range(start, min(start + _CHUNK, len(self)))
            keys = pack_many(INDEX, indices, INDEX.SIZE)
            try:
                batch.update(self._elements, keys, bytes(self._value_space * len(indices)), 0)
            except BatchError as error:
                raise self._error(error, "clear") from error

    def read(self) -> list[V]:
        """Return all elements now."""
        return list(self)

    def read_array(self) -> NDArray:
        """Return all elements now, as a numpy array.

        That of C structs is structured, with the C names of the members. Raises ImportError if
        numpy is not installed.
        """
        value_type = dtype_of(self._value)
        data = bytearray()
        for chunk in self._chunks():
            data += chunk.values[: chunk.length * self._value_space]
        return array_from(data, value_type)

    def freeze(self) -> None:
        """Forbid user space to write to the map, for good; BPF programs still may.

        Raises MapError if it is frozen already, or mapped for writing by another process.
        """
        # The kernel freezes no map that is mapped for writing, by this object either.
        self._unmap()
        super().freeze()

    def _position(self, index: int) -> int:
        index = operator.index(index)  # numpy's integers wrap around
        position = index + self.max_entries if index < 0 else index
        if not 0 <= position < self.max_entries:
            raise IndexError(f"{self.name} has {self.max_entries} elements, no element {index}")
        return position

    def _chunks(self) -> Iterator[batch.Chunk]:
        """Yield the elements, from the first to the last."""
        is_packed = self._stride == self._value_space
        memory = self._mapped() if self._is_mappable and is_packed else None
        if memory is not None:
            values = self._bytes_at(memory, 0, len(self))
            yield batch.Chunk(memoryview(b""), memoryview(values), len(self))
            return
        try:
            for chunk in batch.read(self._elements, self.max_entries):
                yield chunk
                self._owner.check_open()
        except CallError as error:
            raise self._error(error, "read all of") from error

    def _bytes_at(self, memory: mmap.mmap, position: int, count: int = 1) -> bytes:
        """Return the bytes of elements that have no padding between them."""
        start = position * self._stride
        try:
            return memory[start : start + count * self._value_space]
        except ValueError:  # another thread closed it meanwhile
            self._owner.check_open()
            raise

    def _mapped(self) -> mmap.mmap | None:
        """Return the map's memory, for writing if the kernel lets it; None if it is not to be had.

        It gives none for writing of a map that is frozen, or read-only for programs or for us.
        """
        self._owner.check_open()
        if self._memory is None:
            with self.held_fd() as fd:
                self._memory = self._map(fd)
        return self._memory

    def _map(self, fd: int) -> mmap.mmap | None:
        size = -(-self._stride * len(self) // mmap.PAGESIZE) * mmap.PAGESIZE
        for access in (mmap.ACCESS_WRITE, mmap.ACCESS_READ):
            try:
                memory = mmap.mmap(fd, size, access=access)
            except OSError:
                continue
            self._is_writable = access == mmap.ACCESS_WRITE
            return self._owner.keep(memory)
        self._is_mappable = False
        return None

    def _unmap(self) -> None:
        memory, self._memory = self._memory, None
        if memory is not None:
            memory.close()


def array(name: str, *, value: Codec[V]) -> MapMember[ArrayMap[V]]:
    """Declare an array map."""
    return valued(name, MapType.ARRAY, ArrayMap[V], value, INDEX.SIZE)
