"""What generated modules declare their maps with: a function for each ``BPF_MAP_TYPE``.

Types that behave alike share a class. What differs then is in the kernel; the type is kept, for
maps that are opened by their path to be checked.
"""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from ebpfgen.runtime.codec import Codec
from ebpfgen.runtime.maps.arena import Arena
from ebpfgen.runtime.maps.array import ArrayMap
from ebpfgen.runtime.maps.base import Map
from ebpfgen.runtime.maps.constants import INDEX, MapType
from ebpfgen.runtime.maps.handles import (
    CgroupArray,
    ProgArray,
    ReuseportSockArray,
    SockHash,
    SockMap,
    XskMap,
)
from ebpfgen.runtime.maps.hash import HashMap, IndexMap
from ebpfgen.runtime.maps.lpm import LpmTrieMap
from ebpfgen.runtime.maps.member import MapMember
from ebpfgen.runtime.maps.nested import ArrayOfMaps, HashOfMaps, OuterMember
from ebpfgen.runtime.maps.opened import Opened
from ebpfgen.runtime.maps.percpu import PerCpuArrayMap, PerCpuHashMap
from ebpfgen.runtime.maps.queue import BloomFilter, QueueMap
from ebpfgen.runtime.maps.stacktrace import StackTraceMap
from ebpfgen.runtime.maps.storage import CgroupStorage, InodeStorage, SkStorage, TaskStorage

K = TypeVar("K")
V = TypeVar("V")
M = TypeVar("M", bound=Map)

_DESCRIPTOR_SIZE = INDEX.SIZE


def _keyed(
    name: str,
    map_type: MapType,
    make: Callable[[Opened, Codec[K], Codec[V]], M],
    key: Codec[K],
    value: Codec[V],
) -> MapMember[M]:
    sizes = {"key_size": key.SIZE, "value_size": value.SIZE}
    return MapMember(name, map_type, lambda opened: make(opened, key, value), **sizes)


def _valued(
    name: str,
    map_type: MapType,
    make: Callable[[Opened, Codec[V]], M],
    value: Codec[V],
    key_size: int,
) -> MapMember[M]:
    sizes = {"key_size": key_size, "value_size": value.SIZE}
    return MapMember(name, map_type, lambda opened: make(opened, value), **sizes)


def _plain(
    name: str, map_type: MapType, make: Callable[[Opened], M], *, value_size: int = _DESCRIPTOR_SIZE
) -> MapMember[M]:
    return MapMember(name, map_type, make, key_size=INDEX.SIZE, value_size=value_size)


def hash_map(name: str, *, key: Codec[K], value: Codec[V]) -> MapMember[HashMap[K, V]]:
    """Declare a hash map."""
    return _keyed(name, MapType.HASH, HashMap[K, V], key, value)


def lru_hash(name: str, *, key: Codec[K], value: Codec[V]) -> MapMember[HashMap[K, V]]:
    """Declare a hash map that drops what was used least recently."""
    return _keyed(name, MapType.LRU_HASH, HashMap[K, V], key, value)


def percpu_hash(name: str, *, key: Codec[K], value: Codec[V]) -> MapMember[PerCpuHashMap[K, V]]:
    """Declare a hash map with a value for each CPU."""
    return _keyed(name, MapType.PERCPU_HASH, PerCpuHashMap[K, V], key, value)


def lru_percpu_hash(name: str, *, key: Codec[K], value: Codec[V]) -> MapMember[PerCpuHashMap[K, V]]:
    """Declare a hash map with a value for each CPU that drops what was used least recently."""
    return _keyed(name, MapType.LRU_PERCPU_HASH, PerCpuHashMap[K, V], key, value)


def lpm_trie(name: str, *, key: Codec[K], value: Codec[V]) -> MapMember[LpmTrieMap[K, V]]:
    """Declare a trie of prefixes."""
    return _keyed(name, MapType.LPM_TRIE, LpmTrieMap[K, V], key, value)


def devmap_hash(name: str, *, key: Codec[K], value: Codec[V]) -> MapMember[HashMap[K, V]]:
    """Declare a map of network devices by keys of one's own."""
    return _keyed(name, MapType.DEVMAP_HASH, HashMap[K, V], key, value)


def cgroup_storage(name: str, *, key: Codec[K], value: Codec[V]) -> MapMember[HashMap[K, V]]:
    """Declare the older storage of cgroups, with a value for each cgroup a program is attached to.

    Its key is the cgroup's id, or that and the type of attachment. The kernel makes and deletes the
    entries; only their values can be set.
    """
    return _keyed(name, MapType.CGROUP_STORAGE, HashMap[K, V], key, value)


def percpu_cgroup_storage(
    name: str, *, key: Codec[K], value: Codec[V]
) -> MapMember[PerCpuHashMap[K, V]]:
    """Declare a :func:`cgroup_storage` with a value for each CPU."""
    return _keyed(name, MapType.PERCPU_CGROUP_STORAGE, PerCpuHashMap[K, V], key, value)


def array(name: str, *, value: Codec[V]) -> MapMember[ArrayMap[V]]:
    """Declare an array map."""
    return _valued(name, MapType.ARRAY, ArrayMap[V], value, INDEX.SIZE)


def percpu_array(name: str, *, value: Codec[V]) -> MapMember[PerCpuArrayMap[V]]:
    """Declare an array with a value for each CPU."""
    return _valued(name, MapType.PERCPU_ARRAY, PerCpuArrayMap[V], value, INDEX.SIZE)


def devmap(name: str, *, value: Codec[V]) -> MapMember[IndexMap[V]]:
    """Declare a map of network devices by index."""
    return _valued(name, MapType.DEVMAP, IndexMap[V], value, INDEX.SIZE)


def cpumap(name: str, *, value: Codec[V]) -> MapMember[IndexMap[V]]:
    """Declare a map of CPUs that take packets over."""
    return _valued(name, MapType.CPUMAP, IndexMap[V], value, INDEX.SIZE)


def queue(name: str, *, value: Codec[V]) -> MapMember[QueueMap[V]]:
    """Declare a queue: first in, first out."""
    return _valued(name, MapType.QUEUE, QueueMap[V], value, 0)


def stack(name: str, *, value: Codec[V]) -> MapMember[QueueMap[V]]:
    """Declare a stack: last in, first out."""
    return _valued(name, MapType.STACK, QueueMap[V], value, 0)


def bloom_filter(name: str, *, value: Codec[V]) -> MapMember[BloomFilter[V]]:
    """Declare a bloom filter."""
    return _valued(name, MapType.BLOOM_FILTER, BloomFilter[V], value, 0)


def sk_storage(name: str, *, value: Codec[V]) -> MapMember[SkStorage[V]]:
    """Declare a storage of sockets."""
    return _valued(name, MapType.SK_STORAGE, SkStorage[V], value, INDEX.SIZE)


def task_storage(name: str, *, value: Codec[V]) -> MapMember[TaskStorage[V]]:
    """Declare a storage of tasks."""
    return _valued(name, MapType.TASK_STORAGE, TaskStorage[V], value, INDEX.SIZE)


def inode_storage(name: str, *, value: Codec[V]) -> MapMember[InodeStorage[V]]:
    """Declare a storage of inodes."""
    return _valued(name, MapType.INODE_STORAGE, InodeStorage[V], value, INDEX.SIZE)


def cgrp_storage(name: str, *, value: Codec[V]) -> MapMember[CgroupStorage[V]]:
    """Declare a storage of cgroups, the newer one."""
    return _valued(name, MapType.CGRP_STORAGE, CgroupStorage[V], value, INDEX.SIZE)


def prog_array(name: str) -> MapMember[ProgArray]:
    """Declare an array of programs to tail-call."""
    return _plain(name, MapType.PROG_ARRAY, partial(ProgArray, key=INDEX))


def cgroup_array(name: str) -> MapMember[CgroupArray]:
    """Declare an array of cgroups."""
    return _plain(name, MapType.CGROUP_ARRAY, CgroupArray)


def sockmap(name: str) -> MapMember[SockMap]:
    """Declare a map of sockets by index."""
    return _plain(name, MapType.SOCKMAP, partial(SockMap, key=INDEX), value_size=8)


def sockhash(name: str, *, key: Codec[K]) -> MapMember[SockHash[K]]:
    """Declare a map of sockets by keys of one's own."""
    sizes = {"key_size": key.SIZE, "value_size": 8}
    return MapMember(name, MapType.SOCKHASH, partial(SockHash[K], key=key), **sizes)


def reuseport_sockarray(name: str) -> MapMember[ReuseportSockArray]:
    """Declare an array of sockets that share a port."""
    return _plain(
        name,
        MapType.REUSEPORT_SOCKARRAY,
        lambda opened: ReuseportSockArray(opened, INDEX),
        value_size=8,
    )


def xskmap(name: str) -> MapMember[XskMap]:
    """Declare a map of AF_XDP sockets."""
    return _plain(name, MapType.XSKMAP, XskMap)


def stack_trace(name: str) -> MapMember[StackTraceMap]:
    """Declare a map of stacks."""
    # /proc/sys/kernel/perf_event_max_stack is 127 addresses, if no one has changed it.
    return _plain(name, MapType.STACK_TRACE, StackTraceMap, value_size=127 * 8)


def array_of_maps(
    name: str, *, inner: MapMember[M], types: tuple[int, int] | None = None
) -> OuterMember[ArrayOfMaps[M], M]:
    """Declare maps by index; *inner* is what they are like.

    *types* are the ids of the types of their keys and values in the object.
    """
    make = partial(ArrayOfMaps[M], key=INDEX, inner=inner, types=types)
    return OuterMember(name, MapType.ARRAY_OF_MAPS, make, inner)


def hash_of_maps(
    name: str, *, key: Codec[K], inner: MapMember[M], types: tuple[int, int] | None = None
) -> OuterMember[HashOfMaps[K, M], M]:
    """Declare maps by keys of one's own; *inner* is what they are like.

    *types* are the ids of the types of their keys and values in the object.
    """
    make = partial(HashOfMaps[K, M], key=key, inner=inner, types=types)
    return OuterMember(name, MapType.HASH_OF_MAPS, make, inner)


def arena(name: str) -> MapMember[Arena]:
    """Declare memory that programs and user space share."""
    return MapMember(name, MapType.ARENA, Arena)
