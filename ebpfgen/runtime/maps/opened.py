"""A created map by its descriptor: of a loaded object, pinned, or found by its id."""

import contextlib
import errno
import os
from pathlib import Path
from typing import NamedTuple

from ebpfgen.runtime._libbpf import descriptors as _descriptors, maps as _maps
from ebpfgen.runtime._libbpf.library import CallError
from ebpfgen.runtime.errors import BpfError, MapError, StateError
from ebpfgen.runtime.handle import Handle
from ebpfgen.runtime.lifetime import Owner
from ebpfgen.runtime.maps.constants import MapFlag
from ebpfgen.runtime.maps.failures import cant_find, cant_open
from ebpfgen.runtime.maps.info import MapInfo, read_info


class OwnDescriptor(Owner):
    """A map's descriptor that no collection has."""

    def __init__(self, fd: int, what: str) -> None:
        def free() -> None:
            with contextlib.suppress(OSError):  # somebody closed the number
                os.close(fd)

        super().__init__(what, free)


class Opened(NamedTuple):
    """A created map: who owns it, its name in C, and what the kernel says of it.

    ``origin`` says where it comes from, for errors; ``pointer`` is libbpf's handle, if it is of an
    object; ``pin_path`` is where it is pinned, as far as is known.
    """

    owner: Owner
    name: str
    fd: int
    info: MapInfo
    origin: str
    pointer: int | None = None
    pin_path: Path | None = None

    def close(self) -> None:
        """Close the descriptor, if it is not a collection's."""
        if isinstance(self.owner, OwnDescriptor):
            self.owner.close()


def opened_in(handle: Handle, name: str) -> Opened:
    """Return a map of a loaded object. Raises StateError if loading has not created it."""
    with handle.held():
        pointer = handle.find_map(name)
        # Newer libbpfs give maps that are not created a descriptor of something else.
        if not _maps.number(pointer, "autocreate"):
            raise StateError(
                errno.ENOENT, f"map {name} was not created: its autocreate was off in the specs"
            )
        fd = _maps.fd(pointer)
        pinned = _maps.pin_path(pointer) if _maps.number(pointer, "is_pinned") else None
        return Opened(
            owner=handle,
            name=name,
            fd=fd,
            info=_info(fd, name),
            origin=f"in {handle.name}",
            pointer=pointer,
            pin_path=Path(pinned) if pinned else None,
        )


def opened_at(path: str | os.PathLike[str], name: str = "", *, read_only: bool = False) -> Opened:
    """Open the map that is pinned at *path*. Raises MapError if there is none."""
    place = os.fspath(path)
    try:
        fd = _descriptors.get(place, MapFlag.RDONLY if read_only else 0)
    except CallError as error:
        raise cant_open(error, name, place) from error
    return opened_fd(fd, name, f"pinned at {place}", Path(place))


def opened_by_id(number: int, name: str = "") -> Opened:
    """Open the map with this id. Raises MapError if there is none."""
    try:
        fd = _descriptors.map_by_id(number)
    except CallError as error:
        raise cant_find(error, number) from error
    return opened_fd(fd, name, f"with id {number}")


def opened_fd(
    fd: int, name: str, origin: str = "that was created", pin_path: Path | None = None
) -> Opened:
    """Take over the descriptor of a map. Raises MapError if it is of something else."""
    try:
        info = _info(fd, f"what is {origin}")
    except BpfError:
        os.close(fd)
        raise
    name = name or info.name
    owner = OwnDescriptor(fd, f"map {name} {origin}")
    return Opened(owner, name, fd, info, origin, pin_path=pin_path)


def _info(fd: int, what: str) -> MapInfo:
    try:
        return read_info(fd)
    except CallError as error:
        # A program or a link has other facts.
        raise MapError(error.errno, f"{what} is no map, but another object") from error
