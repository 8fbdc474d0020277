"""Maps of keys to values, as far as they are all alike: reading, looking for keys, deleting."""

import errno
from collections.abc import ItemsView, Iterable, Iterator, Mapping, ValuesView
from itertools import chain
from operator import itemgetter
from typing import ClassVar, Generic, TypeVar, cast, overload

from ebpfgen.runtime._libbpf.library import CallError
from ebpfgen.runtime.codec import Codec, packer
from ebpfgen.runtime.dtypes import NDArray, array_from, dtype_of
from ebpfgen.runtime.maps import batch
from ebpfgen.runtime.maps.bulk import pack_many, unpack_many
from ebpfgen.runtime.maps.constants import UpdateFlag
from ebpfgen.runtime.maps.failures import has_no_such_command
from ebpfgen.runtime.maps.opened import Opened
from ebpfgen.runtime.maps.typed import TypedMap, check_size

K = TypeVar("K")
V = TypeVar("V")
D = TypeVar("D")

_REQUIRED = object()
_NO_LIMIT = 1 << 32


class KeyedMap(TypedMap[V], Mapping[K, V], Generic[K, V]):
    """A map of keys to values. Only a key that is not there is a KeyError, all else a BpfError.

    Iterating, ``items()``, ``values()``, ``len()`` and :meth:`read` ask the kernel for thousands of
    elements at a time. Other processes and BPF programs may change the map meanwhile: what is there
    from beginning to end comes once, what comes or goes in between perhaps, and it ends.

    ``dict(map)`` asks for every key on its own, and fails if one is deleted meanwhile:
    :meth:`read` is the way to a dictionary.
    """

    _batches: ClassVar[bool] = True

    def __init__(
        self, opened: Opened, key: Codec[K], value: Codec[V], *, size: int | None = None
    ) -> None:
        check_size(opened, "key", key.SIZE, opened.info.key_size)
        super().__init__(opened, value, size=size)
        self._key = key
        self._pack_key = packer(key, self.key_size, f"key of {self.name}")
        self._unpack_keys = unpack_many(key)

    def __getitem__(self, key: K) -> V:
        try:
            found = self._lookup(self._pack_key(key))
        except CallError as error:
            raise self._key_error(error, key, "read from") from error
        return self._unpack_value(found)

    def lookup(self, key: K, *, flags: UpdateFlag = UpdateFlag.ANY) -> V:
        """Return the value of *key*, as ``map[key]`` does, with flags for the kernel.

        ``BPF_F_LOCK`` reads a value that has a ``bpf_spin_lock`` while holding it.
        """
        try:
            return self._read(self._pack_key(key), flags)
        except CallError as error:
            raise self._key_error(error, key, "read from") from error

    def __contains__(self, key: object) -> bool:
        try:
            self._elements.lookup_quickly(self._pack_key(cast("K", key)))
        except CallError as error:
            if error.errno != errno.ENOENT:
                raise self._error(error, "read from") from error
            return False
        return True

    def __iter__(self) -> Iterator[K]:
        # No generator for each key: chain() goes through a chunk without a step of Python's.
        return chain.from_iterable(
            self._unpack_keys(chunk.keys, chunk.length) for chunk in self._chunks()
        )

    def __len__(self) -> int:
        """Return how many entries there are, for which all of them are read."""
        return sum(chunk.length for chunk in self._chunks())

    def __bool__(self) -> bool:
        return any(self._has(key) for key in self._packed_keys())

    def items(self) -> ItemsView[K, V]:
        """Return the pairs, read in batches when they are iterated over."""
        return _Items(self)

    def values(self) -> ValuesView[V]:
        """Return the values, read in batches when they are iterated over."""
        return _Values(self)

    def read(self) -> dict[K, V]:
        """Return all that is in the map now."""
        return dict(self.items())

    def read_array(self) -> tuple[NDArray, NDArray]:
        """Return all keys and all values now, as two numpy arrays of the same length.

        Those of C structs are structured, with the C names of the members. Raises ImportError if
        numpy is not installed.
        """
        key_type, value_type = dtype_of(self._key), dtype_of(self._value)
        keys, values = bytearray(), bytearray()
        for chunk in self._chunks():
            keys += chunk.keys[: chunk.length * self.key_size]
            values += chunk.values[: chunk.length * self._value_space]
        return array_from(keys, key_type), array_from(values, value_type)

    def __delitem__(self, key: K) -> None:
        try:
            self._elements.delete(self._pack_key(key))
        except CallError as error:
            raise self._key_error(error, key, "delete from") from error

    def delete_many(self, keys: Iterable[K]) -> int:
        """Delete keys, at once where the kernel can; returns how many of them were there."""
        packed = pack_many(self._key, list(keys), self.key_size)
        try:
            return batch.delete(self._elements, packed, batches=self._batches)
        except CallError as error:
            raise self._error(error, "delete from") from error

    @overload
    def pop(self, key: K, /) -> V: ...

    @overload
    def pop(self, key: K, /, default: V | D) -> V | D: ...

    def pop(self, key: K, /, default: object = _REQUIRED) -> object:
        """Delete *key* and return its value, at once where the kernel can (since 5.14 for hashes).

        Without a *default*, a key that is not there is a KeyError.
        """
        try:
            return self._pop_packed(self._pack_key(key))
        except CallError as error:
            if error.errno == errno.ENOENT and default is not _REQUIRED:
                return default
            raise self._key_error(error, key, "take from") from error

    def popitem(self) -> tuple[K, V]:
        """Delete some key, and return it with its value. An empty map is a KeyError."""
        for packed in self._packed_keys():
            try:
                value = self._pop_packed(packed)
            except CallError as error:
                if error.errno != errno.ENOENT:
                    raise self._error(error, "take from") from error
            else:
                return self._key.unpack_from(packed), value
        raise KeyError(f"map {self.name} is empty")

    def drain(self) -> list[tuple[K, V]]:
        """Delete all that is in the map now, and return it, so that every entry is had once.

        The kernel takes out thousands at once (since 5.6, of hashes).
        """
        return [pair for chunk in self._chunks(delete=True) for pair in self._pairs(chunk)]

    def clear(self) -> None:
        """Delete all that is in the map now."""
        for _ in self._chunks(delete=True):
            pass

    def _pop_packed(self, packed: bytes) -> V:
        try:
            return self._take(packed)
        except CallError as error:
            if not has_no_such_command(error):
                raise
        value = self._read(packed)
        self._elements.delete(packed)
        return value

    def _has(self, packed: bytes) -> bool:
        try:
            self._elements.lookup(packed)
        except CallError:
            return False
        return True

    @property
    def _most(self) -> int:
        # The storages of cgroups have no limit.
        return self.max_entries or _NO_LIMIT

    def _packed_keys(self) -> Iterator[bytes]:
        try:
            yield from batch.keys(self._elements, self._most)
        except CallError as error:
            raise self._error(error, "iterate over") from error

    def _chunks(self, *, delete: bool = False) -> Iterator[batch.Chunk]:
        action = "empty" if delete else "read all of"
        try:
            found = batch.read(self._elements, self._most, delete=delete, batches=self._batches)
            for chunk in found:
                yield chunk
                self._owner.check_open()
        except CallError as error:
            raise self._error(error, action) from error

    def _pairs(self, chunk: batch.Chunk) -> Iterable[tuple[K, V]]:
        keys = self._unpack_keys(chunk.keys, chunk.length)
        return zip(keys, self._unpack_values(chunk.values, chunk.length), strict=True)

    def _all_pairs(self) -> Iterator[tuple[K, V]]:
        return chain.from_iterable(map(self._pairs, self._chunks()))

    def _key_error(self, error: CallError, key: K, action: str) -> Exception:
        if error.errno == errno.ENOENT:
            return KeyError(key)
        return self._error(error, action)


class _Items(ItemsView[K, V]):
    """Pairs in batches, where Mapping's own view would look every key up."""

    def __init__(self, of: KeyedMap[K, V]) -> None:
        super().__init__(of)
        self._map = of

    def __iter__(self) -> Iterator[tuple[K, V]]:
        return self._map._all_pairs()


class _Values(ValuesView[V]):
    """Values in batches, where Mapping's own view would look every key up."""

    def __init__(self, of: KeyedMap[K, V]) -> None:
        super().__init__(of)
        self._map = of

    def __iter__(self) -> Iterator[V]:
        return map(itemgetter(1), self._map._all_pairs())
