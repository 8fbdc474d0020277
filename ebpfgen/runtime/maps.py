"""Maps, before and after they are created: Python collections over the kernel's."""

import ctypes
import errno
import os
import sys
from collections.abc import Iterator, MutableMapping, Sequence
from typing import Generic, TypeVar, overload

from ebpfgen.runtime import kernel
from ebpfgen.runtime._libbpf import maps as _maps
from ebpfgen.runtime._libbpf.library import CallError
from ebpfgen.runtime.codec import Codec
from ebpfgen.runtime.collection import Handle, Member
from ebpfgen.runtime.errors import BpfError, MapError

K = TypeVar("K")
V = TypeVar("V")

_ANY = 0


class MapSpec:
    """A map of an object that is not loaded yet. Sizes are in bytes."""

    def __init__(self, owner: Handle, name: str) -> None:
        self._owner = owner
        self._pointer = owner.find_map(name)
        self.name = name
        self.type, self.key_size, self.value_size, _ = _maps.facts(self._pointer)

    def __repr__(self) -> str:
        return f"<MapSpec {self.name}>"

    @property
    def max_entries(self) -> int:
        """How many entries the map will hold; set it to resize the map."""
        self._owner.check_not_loaded()
        return _maps.facts(self._pointer)[3]

    @max_entries.setter
    def max_entries(self, count: int) -> None:
        self._owner.check_not_loaded()
        if not 0 < count < 1 << 32:
            raise ValueError(f"max_entries of {self.name} can't be {count}")
        _maps.set_max_entries(self._pointer, count)


class Map:
    """A map in the kernel. Sizes are in bytes; ``type`` is the kernel's ``BPF_MAP_TYPE_*``."""

    def __init__(self, owner: Handle, name: str) -> None:
        self._owner = owner
        self.name = name
        pointer = owner.find_map(name)
        self.type, self.key_size, self.value_size, self.max_entries = _maps.facts(pointer)
        self._fd = _maps.fd(pointer)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"

    @property
    def fd(self) -> int:
        """The map's file descriptor, which stays the collection's."""
        self._owner.check_open()
        return self._fd

    def _error(self, error: CallError, action: str) -> BpfError:
        reason = os.strerror(error.errno)
        if error.errno == errno.E2BIG:
            reason = f"the map is full ({self.max_entries} entries)"
        elif error.errno in (errno.EPERM, errno.EACCES):
            reason = kernel.permission_hint()
        return MapError(error.errno, f"can't {action} map {self.name}: {reason}")


class TypedMap(Map, Generic[V]):
    """A map whose values have a codec."""

    def __init__(self, owner: Handle, name: str, value: Codec[V]) -> None:
        super().__init__(owner, name)
        self._value = value
        _check_size(name, "value", value.SIZE, self.value_size)
        self._buffer_type = ctypes.c_char * self.value_size

    def _read(self, key: bytes) -> V:
        buffer = self._buffer_type()
        _maps.lookup(self.fd, key, buffer)
        return self._value.unpack_from(buffer)

    def _write(self, key: bytes, value: V) -> None:
        # A flexible array member makes it longer than the map's values, which end where it begins.
        data = self._value.pack(value)[: self.value_size]
        _maps.update(self.fd, key, data, _ANY)


class ArrayMap(TypedMap[V], Sequence[V]):
    """An array map: a sequence of fixed length whose elements can be set."""

    def __len__(self) -> int:
        return self.max_entries

    @overload
    def __getitem__(self, index: int) -> V: ...

    @overload
    def __getitem__(self, index: slice) -> list[V]: ...

    def __getitem__(self, index: int | slice) -> V | list[V]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        try:
            return self._read(self._key(index))
        except CallError as error:
            raise self._error(error, f"read element {index} of") from error

    def __setitem__(self, index: int, value: V) -> None:
        try:
            self._write(self._key(index), value)
        except CallError as error:
            raise self._error(error, f"set element {index} of") from error

    def _key(self, index: int) -> bytes:
        wanted = index + self.max_entries if index < 0 else index
        if not 0 <= wanted < self.max_entries:
            raise IndexError(f"{self.name} has {self.max_entries} elements, no element {index}")
        return wanted.to_bytes(4, sys.byteorder)


class HashMap(TypedMap[V], MutableMapping[K, V], Generic[K, V]):
    """A hash map. Only a key that is not there is a KeyError; all else is a MapError."""

    def __init__(self, owner: Handle, name: str, key: Codec[K], value: Codec[V]) -> None:
        super().__init__(owner, name, value)
        self._key = key
        _check_size(name, "key", key.SIZE, self.key_size)

    def __getitem__(self, key: K) -> V:
        try:
            return self._read(self._key.pack(key))
        except CallError as error:
            raise self._key_error(error, key, "read") from error

    def __setitem__(self, key: K, value: V) -> None:
        try:
            self._write(self._key.pack(key), value)
        except CallError as error:
            raise self._error(error, "write to") from error

    def __delitem__(self, key: K) -> None:
        try:
            _maps.delete(self.fd, self._key.pack(key))
        except CallError as error:
            raise self._key_error(error, key, "delete from") from error

    def __iter__(self) -> Iterator[K]:
        """Yield the keys.

        The kernel begins again when the key it goes on from was deleted meanwhile, so a key may
        come twice then; there are never more of them than the map can hold.
        """
        key: bytes | None = None
        for _ in range(self.max_entries):
            try:
                key = _maps.next_key(self.fd, key, self.key_size)
            except CallError as error:
                if error.errno == errno.ENOENT:
                    return
                raise self._error(error, "iterate over") from error
            yield self._key.unpack_from(key)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _key_error(self, error: CallError, key: K, action: str) -> Exception:
        if error.errno == errno.ENOENT:
            return KeyError(key)
        return self._error(error, action)


def _check_size(name: str, what: str, codec: int, kernel: int) -> None:
    """Refuse a codec of another size than the map's: the kernel reads and writes its own."""
    if codec != kernel:
        raise MapError(
            errno.EINVAL,
            f"the {what} of map {name} has {kernel} bytes in the object and {codec} in the "
            "bindings: run ebpfgen generate again",
        )


def map_spec(name: str) -> Member[MapSpec]:
    """Declare a map of a generated specs class; *name* is that of the C definition."""
    return Member(name, MapSpec)


def untyped_map(name: str) -> Member[Map]:
    """Declare a map of a type that has no collection of its own here: its facts and its fd."""
    return Member(name, Map)


def array(name: str, *, value: Codec[V]) -> Member[ArrayMap[V]]:
    """Declare an array map."""
    return Member(name, lambda owner, c_name: ArrayMap(owner, c_name, value))


def hash_map(name: str, *, key: Codec[K], value: Codec[V]) -> Member[HashMap[K, V]]:
    """Declare a hash map, with or without eviction (LRU)."""
    return Member(name, lambda owner, c_name: HashMap(owner, c_name, key, value))
