"""Maps as attributes of generated classes, and ways to such a map beside the loaded object."""

import errno
import os
from collections.abc import Callable
from typing import Generic, TypeVar

from ebpfgen.runtime._libbpf import descriptors as _descriptors
from ebpfgen.runtime._libbpf.descriptors import TypeIds
from ebpfgen.runtime._libbpf.library import CallError
from ebpfgen.runtime.codec import Codec
from ebpfgen.runtime.errors import MapError, NotSupportedError
from ebpfgen.runtime.handle import Handle, Member
from ebpfgen.runtime.maps.base import Map
from ebpfgen.runtime.maps.constants import INDEX, NO_FLAGS, MapFlag, MapType, type_name
from ebpfgen.runtime.maps.failures import cant_create
from ebpfgen.runtime.maps.opened import Opened, opened_at, opened_by_id, opened_fd, opened_in

K = TypeVar("K")
V = TypeVar("V")
M = TypeVar("M", bound=Map)


class MapMember(Member[M], Generic[M]):
    """A map of a generated class, by its C name; also a way to open others that are like it.

    Of an object it is the map; of the class it is this, by which programs that have not loaded the
    object get at its maps, typed and checked::

        with BpfMaps.Counts.open("/sys/fs/bpf/counts") as counts:
            print(counts[0])
    """

    def __init__(
        self,
        c_name: str,
        map_type: MapType | None,
        make: Callable[[Opened], M],
        *,
        key_size: int = 0,
        value_size: int = 0,
    ) -> None:
        super().__init__(c_name, self._of_object)
        self._type = map_type
        self._make_of = make
        self._key_size = key_size
        self._value_size = value_size

    def open(self, path: str | os.PathLike[str], *, read_only: bool = False) -> M:
        """Open the map that is pinned at *path*; close it when done.

        Raises MapError if nothing is pinned there, or what is has another type or other sizes.
        """
        return self._of_own(opened_at(path, self.c_name, read_only=read_only))

    def open_id(self, number: int) -> M:
        """Open the map with this id, as ``info.id`` and bpftool tell it; close it when done.

        Raises MapError if there is none, or it has another type or other sizes. The kernel asks for
        CAP_SYS_ADMIN.
        """
        return self._of_own(opened_by_id(number, self.c_name))

    def create(self, max_entries: int, *, flags: MapFlag = NO_FLAGS, name: str = "") -> M:
        """Create a map of this type, with keys and values like these; close it when done.

        *name* has up to 15 letters, digits, dots and underscores. Raises MapError if the kernel
        refuses, as it does for types that need more than this to be created.
        """
        return self.create_typed(max_entries, flags, name, None)

    def create_typed(self, max_entries: int, flags: MapFlag, name: str, types: TypeIds | None) -> M:
        """Create a map as :meth:`create` does, whose keys and values have types in the kernel."""
        if self._type is None:
            reason = "the bindings do not say of what type it is"
            message = f"can't create a map like {self.c_name}: {reason}"
            raise NotSupportedError(errno.EINVAL, message)
        label = (name or self.c_name)[:15]
        sizes = (self._key_size, self._value_size, max_entries)
        try:
            fd = _descriptors.create_map(self._type, label, sizes, flags, types)
        except CallError as error:
            raise cant_create(error, self.c_name, self._type) from error
        return self._of_own(opened_fd(fd, self.c_name))

    def _of_object(self, handle: Handle, name: str) -> M:
        return self._checked(opened_in(handle, name))

    def _of_own(self, opened: Opened) -> M:
        try:
            return self._checked(opened)
        except BaseException:
            opened.close()
            raise

    def _checked(self, opened: Opened) -> M:
        found = opened.info.type
        if self._type is not None and found != self._type:
            raise MapError(
                errno.EINVAL,
                f"map {opened.name} {opened.origin} is of type {type_name(found)}, in the "
                f"bindings {self._type.name}",
            )
        return self._make_of(opened)


def untyped_map(name: str) -> MapMember[Map]:
    """Declare a map of a type that has no collection of its own here: its facts and its fd."""
    return MapMember(name, None, Map)


def keyed(
    name: str,
    map_type: MapType,
    make: Callable[[Opened, Codec[K], Codec[V]], M],
    key: Codec[K],
    value: Codec[V],
) -> MapMember[M]:
    """Declare a map of keys and values, which *make* makes."""
    sizes = {"key_size": key.SIZE, "value_size": value.SIZE}
    return MapMember(name, map_type, lambda opened: make(opened, key, value), **sizes)


def valued(
    name: str,
    map_type: MapType,
    make: Callable[[Opened, Codec[V]], M],
    value: Codec[V],
    key_size: int,
) -> MapMember[M]:
    """Declare a map of values, with an index or nothing for a key."""
    sizes = {"key_size": key_size, "value_size": value.SIZE}
    return MapMember(name, map_type, lambda opened: make(opened, value), **sizes)


def plain(
    name: str, map_type: MapType, make: Callable[[Opened], M], *, value_size: int = INDEX.SIZE
) -> MapMember[M]:
    """Declare a map of what the kernel stands for by a number, by index."""
    return MapMember(name, map_type, make, key_size=INDEX.SIZE, value_size=value_size)
