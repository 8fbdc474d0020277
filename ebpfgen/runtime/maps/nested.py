"""Maps of maps."""

import errno
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from functools import partial
from typing import ClassVar, Generic, TypeVar

from ebpfgen.runtime._libbpf import objects as _objects
from ebpfgen.runtime._libbpf.descriptors import TypeIds
from ebpfgen.runtime._libbpf.library import CallError
from ebpfgen.runtime.codec import Buffer, Codec
from ebpfgen.runtime.descriptor import HasFd
from ebpfgen.runtime.errors import MapError
from ebpfgen.runtime.handle import Handle
from ebpfgen.runtime.maps import batch
from ebpfgen.runtime.maps.base import Map
from ebpfgen.runtime.maps.bulk import unpack_many
from ebpfgen.runtime.maps.constants import INDEX, NO_FLAGS, MapFlag, MapType
from ebpfgen.runtime.maps.handles import HandleMap
from ebpfgen.runtime.maps.keyed import KeyedMap
from ebpfgen.runtime.maps.member import MapMember
from ebpfgen.runtime.maps.opened import Opened

K = TypeVar("K")
M = TypeVar("M", bound=Map)
OuterT = TypeVar("OuterT", bound=Map)


_unpack_ids = unpack_many(INDEX)


class _InnerMaps(Generic[M]):
    """A codec of map ids that opens the map: each time anew, for the caller to close."""

    SIZE = 4

    def __init__(self, inner: MapMember[M]) -> None:
        self._inner = inner

    def unpack_from(self, buffer: Buffer, offset: int = 0, /) -> M:
        """Open the map whose id is at *offset*."""
        return self._inner.open_id(INDEX.unpack_from(buffer, offset))

    def pack(self, value: M, /) -> bytes:
        """Return the map's descriptor, which is what the kernel takes."""
        return INDEX.pack(value.fd)


class MapOfMaps(HandleMap[K, HasFd | int], KeyedMap[K, M], Generic[K, M]):
    """Maps by keys: set them to maps or their descriptors, read them as typed, open maps.

    A map that was read is the reader's to close::

        with objs.Outer[3] as inner:
            inner[0] = 1

    So are those of ``items()`` and ``values()``, which open them one by one.
    """

    _takes = "maps like its template in type, sizes, flags and, if they are arrays, max_entries"

    def __init__(
        self, opened: Opened, key: Codec[K], inner: MapMember[M], types: tuple[int, int] | None
    ) -> None:
        """Take *types* as the ids of the inner keys' and values' types in the object's BTF."""
        KeyedMap.__init__(self, opened, key, _InnerMaps(inner))
        self._inner = inner
        self._types = types

    def ids(self) -> dict[K, int]:
        """Return the ids of the maps, none of which is opened for it."""
        return {key: number for chunk in self._chunks() for key, number in self._numbers(chunk)}

    def new(self, max_entries: int, *, flags: MapFlag = NO_FLAGS) -> M:
        """Create a map of the inner type, to be put in here; closing it leaves it here.

        The kernel takes those that are like the template in the C source: the same flags, and
        arrays of the same ``max_entries`` (unless the flag ``BPF_F_INNER_MAP`` is set in both).
        Before Linux 6.2, those with structs as values must also be typed as the template is: where
        ``set_inner()`` has replaced it, create them as its replacement was created.
        """
        if self._types is None or not isinstance(self._owner, Handle):
            return self._inner.create_typed(max_entries, flags, "", None)
        with self._owner.held() as pointer:
            types = self._type_ids(pointer, self._types)
            return self._inner.create_typed(max_entries, flags, "", types)

    # Comparing the maps themselves would open them all.
    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def drain(self) -> list[tuple[K, M]]:
        """Take out the maps that are in here now, one by one; they are the caller's to close.

        One that another process takes out or replaces meanwhile is left out.
        """
        found: list[tuple[K, M]] = []
        with ExitStack() as undo:
            # Opened first: a map that nothing holds any more is gone.
            for key, inner in list(self.items()):
                undo.callback(inner.close)
                try:
                    del self[key]
                except KeyError:
                    inner.close()
                else:
                    found.append((key, inner))
            undo.pop_all()
        return found

    def _key_of(self, key: K) -> bytes:
        return self._pack_key(key)

    @staticmethod
    def _type_ids(pointer: int, types: tuple[int, int]) -> TypeIds | None:
        """The inner types in the kernel, None if it has none (before Linux 4.18)."""
        try:
            return TypeIds(_objects.btf_fd(pointer), *types)
        except CallError:
            return None

    def _numbers(self, chunk: batch.Chunk) -> Iterable[tuple[K, int]]:
        keys = self._unpack_keys(chunk.keys, chunk.length)
        return zip(keys, _unpack_ids(chunk.values, chunk.length), strict=True)

    def _pairs(self, chunk: batch.Chunk) -> Iterator[tuple[K, M]]:
        for key, number in self._numbers(chunk):
            try:
                yield key, self._inner.open_id(number)
            except MapError as error:
                # Another process replaced it, and so deleted it, meanwhile.
                if error.errno != errno.ENOENT:
                    raise


class OuterMember(MapMember[OuterT], Generic[OuterT, M]):
    """A map of maps of a generated class; ``inner`` opens and creates maps to be put into it."""

    def __init__(
        self, c_name: str, map_type: MapType, make: Callable[[Opened], OuterT], inner: MapMember[M]
    ) -> None:
        super().__init__(c_name, map_type, make)
        self.inner = inner


class ArrayOfMaps(MapOfMaps[int, M], Generic[M]):
    """Maps by index. A place that nothing was set at is not in the mapping."""

    _batches: ClassVar[bool] = False


class HashOfMaps(MapOfMaps[K, M], Generic[K, M]):
    """Maps by a key of one's own."""


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
