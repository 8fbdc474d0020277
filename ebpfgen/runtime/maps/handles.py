"""Maps of the kernel's own objects: programs, sockets, cgroups; put there by their descriptors.

What is read of them is another number: a program's id, a socket's cookie.
"""

import errno
import sys
from contextlib import AbstractContextManager
from functools import partial
from typing import ClassVar, Generic, TypeVar, cast

from ebpfgen.runtime._libbpf.library import CallError
from ebpfgen.runtime.codec import Codec
from ebpfgen.runtime.descriptor import (
    Descriptor,
    File,
    HasFd,
    HasFileno,
    held_fd,
    opened_file,
)
from ebpfgen.runtime.errors import BpfError, MapError, NotSupportedError
from ebpfgen.runtime.maps import batch
from ebpfgen.runtime.maps.base import Map
from ebpfgen.runtime.maps.constants import INDEX, NATIVE, MapType, UpdateFlag
from ebpfgen.runtime.maps.keyed import KeyedMap
from ebpfgen.runtime.maps.member import MapMember, plain
from ebpfgen.runtime.maps.opened import Opened

K = TypeVar("K")
H = TypeVar("H")

# What deleting says of a place that nothing was put at: ENOENT, but a sockmap EINVAL.
_ABSENT = (errno.ENOENT, errno.EINVAL)

# What putting in says of an object that has no place there.
_MISPLACED = (errno.EINVAL, errno.EOPNOTSUPP)


class HandleMap(Map, Generic[K, H]):
    """A map that objects of the kernel are put into by descriptor, and deleted from."""

    _takes: ClassVar[str]
    """What the kernel lets in, as errors say it."""

    def __setitem__(self, key: K, handle: H) -> None:
        self.put(key, handle)

    def put(self, key: K, handle: H, *, flags: UpdateFlag = UpdateFlag.ANY) -> None:
        """Put what has this descriptor at *key*; the map keeps it alive when it is closed.

        With ``BPF_NOEXIST`` only where nothing is yet, with ``BPF_EXIST`` only where something is,
        if this type of map takes these flags.
        """
        packed = self._key_of(key)
        with self._descriptor(handle) as number:
            data = number.to_bytes(self._elements.value_size, sys.byteorder)
            try:
                self._elements.update(packed, data, flags)
            except CallError as error:
                raise self._put_error(error, key) from error

    def __delitem__(self, key: K) -> None:
        try:
            self._elements.delete(self._key_of(key))
        except CallError as error:
            if error.errno in _ABSENT:
                raise KeyError(key) from error
            raise self._error(error, "delete from") from error

    def clear(self) -> None:
        """Delete all that is in the map now."""
        try:
            for packed in batch.keys(self._elements, self.max_entries):
                self._delete_if_there(packed)
        except CallError as error:
            raise self._error(error, "empty") from error

    def _delete_if_there(self, packed: bytes) -> None:
        try:
            self._elements.delete(packed)
        except CallError as error:
            if error.errno not in _ABSENT:
                raise

    def _key_of(self, key: K) -> bytes:
        raise NotImplementedError

    def _descriptor(self, handle: H) -> AbstractContextManager[int]:
        return held_fd(cast("Descriptor", handle))

    def _put_error(self, error: CallError, key: K) -> BpfError | KeyError:
        if error.errno == errno.ENOENT:
            return KeyError(key)
        if error.errno in _MISPLACED:
            message = f"can't write to map {self.name}: it takes {self._takes}"
            return MapError(error.errno, message)
        return self._error(error, "write to")


class IndexedHandleMap(HandleMap[int, H]):
    """A :class:`HandleMap` by index that can't be read."""

    def _key_of(self, key: int) -> bytes:
        return INDEX.pack(key)


class NumberMap(HandleMap[K, H], KeyedMap[K, int], Generic[K, H]):
    """A :class:`HandleMap` that is read as numbers: a mapping from keys to them."""

    _batches = False

    def __init__(self, opened: Opened, key: Codec[K]) -> None:
        number = NATIVE.u64 if opened.info.value_size == 8 else NATIVE.u32
        KeyedMap.__init__(self, opened, key, number)

    def _key_of(self, key: K) -> bytes:
        return self._pack_key(key)


class ProgArray(NumberMap[int, HasFd | int]):
    """Programs to tail-call, by index: set them to programs, read their ids.

    All of them must be of the type of the program that calls them. A place that nothing was set at
    is not in the mapping. ``len()`` counts the programs; ``max_entries`` is how many there can be.
    """

    _takes = "programs, all of the type of the one that calls them"


class SocketMap(NumberMap[K, HasFileno | int], Generic[K]):
    """Sockets, put in as such or by descriptor, and read as their cookies.

    Reading needs the map's values to be ``__u64``. A socket leaves the map when it is closed.
    """

    _takes = (
        "TCP sockets that listen or are connected, bound UDP sockets and connected Unix sockets"
    )

    def _error(self, error: CallError, action: str) -> BpfError:
        if error.errno == errno.ENOSPC and self.value_size != 8:
            return NotSupportedError(
                error.errno,
                f"can't {action} map {self.name}: the kernel tells cookies only where the map's "
                "values are __u64",
            )
        return super()._error(error, action)


class SockMap(SocketMap[int]):
    """Sockets by index; see :class:`SocketMap`."""


class SockHash(SocketMap[K], Generic[K]):
    """Sockets by a key of one's own; see :class:`SocketMap`."""


class ReuseportSockArray(SocketMap[int]):
    """Sockets with ``SO_REUSEPORT`` by index, of which a program chooses one.

    It is read as a :class:`SocketMap` is.
    """

    _takes = "sockets that are bound with SO_REUSEPORT"


class XskMap(IndexedHandleMap[HasFileno | int]):
    """AF_XDP sockets by index, for ``bpf_redirect_map``. The kernel does not let them be read."""

    _takes = "AF_XDP sockets that have memory, a fill ring and a receive ring"


class CgroupArray(IndexedHandleMap[File]):
    """Cgroups by index, put in by path or descriptor. The kernel does not let them be read."""

    _takes = "cgroups of version 2"

    def _descriptor(self, handle: File) -> AbstractContextManager[int]:
        return opened_file(handle)


def prog_array(name: str) -> MapMember[ProgArray]:
    """Declare an array of programs to tail-call."""
    return plain(name, MapType.PROG_ARRAY, partial(ProgArray, key=INDEX))


def cgroup_array(name: str) -> MapMember[CgroupArray]:
    """Declare an array of cgroups."""
    return plain(name, MapType.CGROUP_ARRAY, CgroupArray)


def sockmap(name: str) -> MapMember[SockMap]:
    """Declare a map of sockets by index."""
    return plain(name, MapType.SOCKMAP, partial(SockMap, key=INDEX), value_size=8)


def sockhash(name: str, *, key: Codec[K]) -> MapMember[SockHash[K]]:
    """Declare a map of sockets by keys of one's own."""
    sizes = {"key_size": key.SIZE, "value_size": 8}
    return MapMember(name, MapType.SOCKHASH, partial(SockHash[K], key=key), **sizes)


def reuseport_sockarray(name: str) -> MapMember[ReuseportSockArray]:
    """Declare an array of sockets that share a port."""
    return plain(
        name,
        MapType.REUSEPORT_SOCKARRAY,
        lambda opened: ReuseportSockArray(opened, INDEX),
        value_size=8,
    )


def xskmap(name: str) -> MapMember[XskMap]:
    """Declare a map of AF_XDP sockets."""
    return plain(name, MapType.XSKMAP, XskMap)
