"""Maps that have a value for every CPU."""

import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import Generic, TypeVar

from ebpfgen.runtime.codec import Buffer, Codec, Scalar, packed
from ebpfgen.runtime.dtypes import NDArray, dtype_of, numpy
from ebpfgen.runtime.maps.array import ArrayMap
from ebpfgen.runtime.maps.constants import INDEX, MapType, UpdateFlag
from ebpfgen.runtime.maps.hash import HashMap
from ebpfgen.runtime.maps.info import possible_cpus
from ebpfgen.runtime.maps.member import MapMember, keyed, valued
from ebpfgen.runtime.maps.opened import Opened
from ebpfgen.runtime.records import DType

K = TypeVar("K")
V = TypeVar("V")


class PerCpu(Generic[V]):
    """A codec for the values of all possible CPUs, each filled up to a multiple of 8 bytes.

    That is how the kernel hands them over (``bpf_map_value_size`` of ``kernel/bpf/syscall.c``).
    """

    def __init__(self, value: Codec[V], name: str) -> None:
        self._codec = value
        self._name = name
        self._count = possible_cpus()
        self.stride = -(-value.SIZE // 8) * 8
        self.SIZE = self.stride * self._count
        self._struct: struct.Struct | None = None
        if isinstance(value, Scalar):
            order, letter = value.layout[0], value.layout[1]
            one = f"{letter}{self.stride - value.SIZE}x"
            self._struct = struct.Struct(order + one * self._count)

    def unpack_from(self, buffer: Buffer, offset: int = 0, /) -> list[V]:
        """Read a value for each CPU."""
        if self._struct:
            return list(self._struct.unpack_from(buffer, offset))
        view = memoryview(buffer).cast("B")
        size, unpack = self._codec.SIZE, self._codec.unpack_from
        starts = range(offset, offset + self.SIZE, self.stride)
        return [unpack(view[start : start + size]) for start in starts]

    def pack(self, value: Sequence[V], /) -> bytes:
        """Return the values as bytes. Raises ValueError unless there is one for each CPU."""
        if len(value) != self._count:
            raise ValueError(
                f"{len(value)} values for map {self._name}, which has one for each of the "
                f"{self._count} possible CPUs"
            )
        size, codec = self._codec.SIZE, self._codec
        return b"".join([packed(codec, one)[:size].ljust(self.stride, b"\0") for one in value])

    def dtype(self) -> DType:
        """Return the type as numpy reads it: a row with a value for each CPU."""
        value = dtype_of(self._codec)
        if self.stride == self._codec.SIZE:
            return numpy().dtype((value, (self._count,)))
        # A name that without_padding() takes away again.
        padded = {"names": ["value"], "formats": [value], "itemsize": self.stride}
        return numpy().dtype((padded, (self._count,)))

    def without_padding(self, values: NDArray) -> NDArray:
        """Return what was read as :meth:`dtype` without what fills the values up."""
        return values if self.stride == self._codec.SIZE else values["value"]


class PerCpuHashMap(HashMap[K, list[V]], Generic[K, V]):
    """A hash map with a value for every possible CPU: ``map[key]`` is a list of them.

    What is set is a list or tuple of exactly as many, else a ValueError. An LRU map is one as well.
    """

    def __init__(self, opened: Opened, key: Codec[K], value: Codec[V]) -> None:
        self._per_cpu = PerCpu(value, opened.name)
        super().__init__(opened, key, self._per_cpu, size=value.SIZE)

    def __setitem__(self, key: K, value: Sequence[V]) -> None:
        self.put(key, value)

    def put(self, key: K, value: Sequence[V], *, flags: UpdateFlag = UpdateFlag.ANY) -> None:
        """Set the values of *key*, one for each possible CPU, with the flags of a hash map."""
        super().put(key, list(value), flags=flags)

    def update_many(
        self,
        entries: Mapping[K, Sequence[V]] | Iterable[tuple[K, Sequence[V]]],
        *,
        flags: UpdateFlag = UpdateFlag.ANY,
    ) -> None:
        """Set the values of many keys, as a hash map does."""
        pairs = entries.items() if isinstance(entries, Mapping) else entries
        super().update_many([(key, list(values)) for key, values in pairs], flags=flags)

    def read_array(self) -> tuple[NDArray, NDArray]:
        """Return all keys and all values now; those have a row per key and a column per CPU."""
        keys, values = super().read_array()
        return keys, self._per_cpu.without_padding(values)


class PerCpuArrayMap(ArrayMap[list[V]], Generic[V]):
    """An array with a value for every possible CPU: ``array[index]`` is a list of them.

    What is set is a list or tuple of exactly as many, else a ValueError.
    """

    def __init__(self, opened: Opened, value: Codec[V]) -> None:
        self._per_cpu = PerCpu(value, opened.name)
        super().__init__(opened, self._per_cpu, size=value.SIZE)

    def __setitem__(self, index: int, value: Sequence[V]) -> None:
        self.put(index, value)

    def put(self, index: int, value: Sequence[V], *, flags: UpdateFlag = UpdateFlag.ANY) -> None:
        """Set the values of an element, one for each possible CPU."""
        super().put(index, list(value), flags=flags)

    def update_many(
        self,
        entries: Mapping[int, Sequence[V]] | Iterable[tuple[int, Sequence[V]]],
        *,
        flags: UpdateFlag = UpdateFlag.ANY,
    ) -> None:
        """Set the values of many elements, as an array does."""
        pairs = entries.items() if isinstance(entries, Mapping) else entries
        super().update_many([(index, list(values)) for index, values in pairs], flags=flags)

    def read_array(self) -> NDArray:
        """Return all elements now, with a row per element and a column per CPU."""
        return self._per_cpu.without_padding(super().read_array())


def percpu_hash(name: str, *, key: Codec[K], value: Codec[V]) -> MapMember[PerCpuHashMap[K, V]]:
    """Declare a hash map with a value for each CPU."""
    return keyed(name, MapType.PERCPU_HASH, PerCpuHashMap[K, V], key, value)


def lru_percpu_hash(name: str, *, key: Codec[K], value: Codec[V]) -> MapMember[PerCpuHashMap[K, V]]:
    """Declare a hash map with a value for each CPU that drops what was used least recently."""
    return keyed(name, MapType.LRU_PERCPU_HASH, PerCpuHashMap[K, V], key, value)


def percpu_cgroup_storage(
    name: str, *, key: Codec[K], value: Codec[V]
) -> MapMember[PerCpuHashMap[K, V]]:
    """Declare a :func:`cgroup_storage` with a value for each CPU."""
    return keyed(name, MapType.PERCPU_CGROUP_STORAGE, PerCpuHashMap[K, V], key, value)


def percpu_array(name: str, *, value: Codec[V]) -> MapMember[PerCpuArrayMap[V]]:
    """Declare an array with a value for each CPU."""
    return valued(name, MapType.PERCPU_ARRAY, PerCpuArrayMap[V], value, INDEX.SIZE)
