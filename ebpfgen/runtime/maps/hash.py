"""Hash maps, and all that behave like them: keys to values that can be set."""

from collections.abc import Iterable, Mapping, MutableMapping
from typing import ClassVar, Generic, TypeVar

from ebpfgen.runtime._libbpf.elements import BatchError
from ebpfgen.runtime._libbpf.library import CallError
from ebpfgen.runtime.codec import Codec
from ebpfgen.runtime.maps import batch
from ebpfgen.runtime.maps.bulk import pack_many
from ebpfgen.runtime.maps.constants import INDEX, MapType, UpdateFlag
from ebpfgen.runtime.maps.keyed import KeyedMap
from ebpfgen.runtime.maps.member import MapMember, keyed, valued
from ebpfgen.runtime.maps.opened import Opened

K = TypeVar("K")
V = TypeVar("V")


class HashMap(KeyedMap[K, V], MutableMapping[K, V], Generic[K, V]):
    """A map of keys to values, as a mutable mapping.

    An LRU map, which makes room by dropping what was used least recently, is one as well. What
    :class:`KeyedMap` says of reading, and of a key that is not there, is so here.
    """

    def __setitem__(self, key: K, value: V) -> None:
        self.put(key, value)

    def put(self, key: K, value: V, *, flags: UpdateFlag = UpdateFlag.ANY) -> None:
        """Set the value of *key*.

        With ``BPF_NOEXIST`` only if it is not there, else MapError (EEXIST); with ``BPF_EXIST``
        only if it is, else KeyError; with ``BPF_F_LOCK`` while holding the value's
        ``bpf_spin_lock``.
        """
        try:
            self._elements.update(self._pack_key(key), self._pack_value(value), flags)
        except CallError as error:
            raise self._key_error(error, key, "write to") from error

    def update_many(
        self,
        entries: Mapping[K, V] | Iterable[tuple[K, V]],
        *,
        flags: UpdateFlag = UpdateFlag.ANY,
    ) -> None:
        """Set many values, at once where the kernel can (since 5.6), with the flags of :meth:`put`.

        Raises ValueError before anything is set if one does not fit, and MapError naming the key
        that the kernel refuses; those before it are set then.
        """
        pairs = list(entries.items() if isinstance(entries, Mapping) else entries)
        keys = pack_many(self._key, [key for key, _ in pairs], self.key_size)
        values = pack_many(self._value, [value for _, value in pairs], self._value_space)
        try:
            batch.update(self._elements, keys, values, flags, batches=self._batches)
        except BatchError as error:
            key = pairs[error.done][0]
            raise self._key_error(error, key, f"write {key!r} to") from error


class IndexMap(HashMap[int, V], Generic[V]):
    """Values by index, of which not all are set: a mapping from the indices that are.

    ``len()`` counts them; ``max_entries`` is how many there can be. A devmap's values are network
    devices for ``bpf_redirect_map``, by their ``ifindex``; a cpumap's are the sizes of the queues
    of CPUs. Either may be a struct that names a program by its descriptor, and reads as its id.
    """

    _batches: ClassVar[bool] = False

    def __init__(self, opened: Opened, value: Codec[V]) -> None:
        super().__init__(opened, INDEX, value)


def hash_map(name: str, *, key: Codec[K], value: Codec[V]) -> MapMember[HashMap[K, V]]:
    """Declare a hash map."""
    return keyed(name, MapType.HASH, HashMap[K, V], key, value)


def lru_hash(name: str, *, key: Codec[K], value: Codec[V]) -> MapMember[HashMap[K, V]]:
    """Declare a hash map that drops what was used least recently."""
    return keyed(name, MapType.LRU_HASH, HashMap[K, V], key, value)


def devmap_hash(name: str, *, key: Codec[K], value: Codec[V]) -> MapMember[HashMap[K, V]]:
    """Declare a map of network devices by keys of one's own."""
    return keyed(name, MapType.DEVMAP_HASH, HashMap[K, V], key, value)


def cgroup_storage(name: str, *, key: Codec[K], value: Codec[V]) -> MapMember[HashMap[K, V]]:
    """Declare the older storage of cgroups, with a value for each cgroup a program is attached to.

    Its key is the cgroup's id, or that and the type of attachment. The kernel makes and deletes the
    entries; only their values can be set.
    """
    return keyed(name, MapType.CGROUP_STORAGE, HashMap[K, V], key, value)


def devmap(name: str, *, value: Codec[V]) -> MapMember[IndexMap[V]]:
    """Declare a map of network devices by index."""
    return valued(name, MapType.DEVMAP, IndexMap[V], value, INDEX.SIZE)


def cpumap(name: str, *, value: Codec[V]) -> MapMember[IndexMap[V]]:
    """Declare a map of CPUs that take packets over."""
    return valued(name, MapType.CPUMAP, IndexMap[V], value, INDEX.SIZE)
