"""Maps before they are created: what can be changed until the object is loaded."""

import errno
import operator
import os
from pathlib import Path
from typing import NamedTuple

from ebpfgen.runtime import kernel
from ebpfgen.runtime._libbpf import maps as _maps
from ebpfgen.runtime._libbpf.library import CallError
from ebpfgen.runtime.descriptor import held_fd, number_of
from ebpfgen.runtime.errors import MapError
from ebpfgen.runtime.handle import Handle, Member
from ebpfgen.runtime.maps.base import Map
from ebpfgen.runtime.maps.constants import MapFlag, MapType, known_type, type_name
from ebpfgen.runtime.maps.opened import Opened, opened_at, opened_fd

_U32 = 1 << 32
_U64 = 1 << 64


class InnerMapSpec(NamedTuple):
    """What the maps in a map of maps are like, to be read only. Sizes are in bytes.

    libbpf crashes where the template itself is changed (1.1: it belongs to no object). So
    :meth:`MapSpec.set_inner` puts another in its place.
    """

    type: MapType | int
    key_size: int
    value_size: int
    max_entries: int
    flags: MapFlag


class MapSpec:
    """A map of an object that is not loaded yet. Sizes are in bytes.

    Everything here raises StateError once the object is loaded or closed.
    """

    def __init__(self, owner: Handle, name: str) -> None:
        self._owner = owner
        with owner.held():
            self._pointer = owner.find_map(name)
        self.name = name

    def __repr__(self) -> str:
        return f"<MapSpec {self.name}>"

    @property
    def type(self) -> MapType | int:
        """The kernel's ``BPF_MAP_TYPE_*``."""
        return known_type(self._get("type"))

    @property
    def key_size(self) -> int:
        """How many bytes a key has. Set it only where the bindings do not say it."""
        return self._get("key_size")

    @key_size.setter
    def key_size(self, size: int) -> None:
        self._set("key_size", size, 0, _U32)

    @property
    def value_size(self) -> int:
        """How many bytes a value has; for a map of stacks, 8 for each address.

        Set it only where the bindings do not say it: for maps of stacks, and those not typed.
        """
        return self._get("value_size")

    @value_size.setter
    def value_size(self, size: int) -> None:
        self._set("value_size", size, 0, _U32)

    @property
    def max_entries(self) -> int:
        """How many entries the map will hold; set it to resize the map."""
        return self._get("max_entries")

    @max_entries.setter
    def max_entries(self, count: int) -> None:
        self._set("max_entries", count, 1, _U32)

    @property
    def flags(self) -> MapFlag:
        """How the map will be created: ``BPF_F_*``, as ``rt.MapFlag``."""
        return MapFlag(self._get("map_flags"))

    @flags.setter
    def flags(self, flags: MapFlag) -> None:
        self._set("map_flags", flags, 0, _U32)

    @property
    def numa_node(self) -> int:
        """The NUMA node whose memory the map will take. Setting it sets its flag as well."""
        return self._get("numa_node")

    @numa_node.setter
    def numa_node(self, node: int) -> None:
        self._set("numa_node", node, 0, _U32)
        self.flags |= MapFlag.NUMA_NODE

    @property
    def ifindex(self) -> int:
        """The network device to offload the map to, 0 for none."""
        return self._get("ifindex")

    @ifindex.setter
    def ifindex(self, index: int) -> None:
        self._set("ifindex", index, 0, _U32)

    @property
    def map_extra(self) -> int:
        """What the type makes of it: for a bloom filter, its number of hash functions."""
        return self._get("map_extra")

    @map_extra.setter
    def map_extra(self, value: int) -> None:
        self._set("map_extra", value, 0, _U64)

    @property
    def autocreate(self) -> bool:
        """Whether loading creates the map; set False for one that this kernel does not have.

        Programs that use the map must then be switched off, or not get to the code that does.
        """
        return bool(self._get("autocreate"))

    @autocreate.setter
    def autocreate(self, create: bool) -> None:
        self._set("autocreate", int(create), 0, 2)

    @property
    def pin_path(self) -> Path | None:
        """Where loading pins the map, None for nowhere.

        What is pinned there already is used instead, if its type, sizes and flags are the same; if
        they are not, loading fails. So an old map lives on with all that is in it: :meth:`unpin`
        makes place for a new one.
        """
        with self._owner.held_unloaded():
            path = _maps.pin_path(self._pointer)
        return None if path is None else Path(path)

    @pin_path.setter
    def pin_path(self, path: str | os.PathLike[str] | None) -> None:
        place = None if path is None else os.fspath(path)
        try:
            with self._owner.held_unloaded():
                _maps.set_pin_path(self._pointer, place)
        except CallError as error:
            raise MapError(error.errno, f"can't pin map {self.name} at {place}: {error}") from error

    def unpin(self) -> bool:
        """Remove what is pinned at :attr:`pin_path`, for loading to create and pin a new map.

        Returns whether there was something. Programs that use the old map go on with it.
        """
        path = self.pin_path
        if path is None or not path.exists():
            return False
        if not kernel.on_bpf_filesystem(path):
            raise MapError(errno.EINVAL, f"can't unpin {path}: it is not in a BPF file system")
        path.unlink()
        return True

    @property
    def inner(self) -> "InnerMapSpec | None":
        """The template of the maps in a map of maps, None if it is none or has no template."""
        with self._owner.held_unloaded():
            pointer = _maps.inner(self._pointer)
            if not pointer:
                return None
            map_type, key_size, value_size, max_entries = _maps.facts(pointer)
            flags = MapFlag(_maps.number(pointer, "map_flags"))
        return InnerMapSpec(known_type(map_type), key_size, value_size, max_entries, flags)

    def set_inner(self, template: Map | int) -> None:
        """Take an existing map, or its descriptor, as the template of the maps in a map of maps.

        To resize the template of the source::

            with BpfMaps.Outer.inner.create(max_entries=100) as template:
                specs.Outer.set_inner(template)
                objs = specs.load()
        """
        try:
            with held_fd(template) as fd, self._owner.held_unloaded():
                own = self._owner.descriptor_until_loaded(fd)
                _maps.set_number(self._pointer, "inner_map_fd", own)
        except CallError as error:
            reason = "one is set, or it is no map of maps" if error.errno == errno.EINVAL else error
            raise MapError(
                error.errno, f"can't set the template of map {self.name}: {reason}"
            ) from error

    def reuse(self, existing: Map | int | str | os.PathLike[str]) -> None:
        """Use a map that exists, by its descriptor or where it is pinned, instead of creating one.

        Raises MapError unless it has the same type and sizes; it may have more or fewer entries.
        """
        self._owner.check_not_loaded()
        if isinstance(existing, Map):
            with existing.held_fd():
                self._reuse(existing.opened)
            return
        if isinstance(existing, int):
            try:
                own = os.dup(number_of(existing))
            except OSError as error:
                message = f"can't use descriptor {existing} as map {self.name}: {error.strerror}"
                raise MapError(error.errno or errno.EBADF, message) from error
            opened = opened_fd(own, self.name, f"of descriptor {existing}")
        else:
            opened = opened_at(existing, self.name)
        try:
            self._reuse(opened)
        finally:
            opened.close()

    def _reuse(self, opened: Opened) -> None:
        info = opened.info
        theirs = (info.type, info.key_size, info.value_size)
        ours = (self.type, self.key_size, self.value_size)
        if theirs != ours:
            raise MapError(
                errno.EINVAL,
                f"can't use map {opened.name} {opened.origin} as {self.name}: it is "
                f"{_described(*theirs)}, not {_described(*ours)}",
            )
        try:
            with self._owner.held_unloaded():
                _maps.reuse(self._pointer, opened.fd)
        except CallError as error:
            raise MapError(error.errno, f"can't use a map as {self.name}: {error}") from error

    def _get(self, setting: str) -> int:
        with self._owner.held_unloaded():
            return _maps.number(self._pointer, setting)

    def _set(self, setting: str, value: int, least: int, above: int) -> None:
        self._owner.check_not_loaded()
        value = operator.index(value)
        if not least <= value < above:
            raise ValueError(f"{setting} of {self.name} can't be {value}")
        try:
            with self._owner.held_unloaded():
                _maps.set_number(self._pointer, setting, value)
        except CallError as error:
            raise MapError(
                error.errno, f"can't set {setting} of map {self.name}: {error}"
            ) from error


def _described(map_type: int, key_size: int, value_size: int) -> str:
    return f"{type_name(map_type)} with keys of {key_size} and values of {value_size} bytes"


def map_spec(name: str) -> Member[MapSpec]:
    """Declare a map of a generated specs class; *name* is that of the C definition."""
    return Member(name, MapSpec)
