"""What all maps have: facts, pins, and a descriptor."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from ebpfgen.runtime._libbpf import descriptors as _descriptors
from ebpfgen.runtime._libbpf.library import CallError
from ebpfgen.runtime.errors import BpfError, MapError, StateError
from ebpfgen.runtime.maps.constants import MapFlag, MapType
from ebpfgen.runtime.maps.elements import Elements, Sizes
from ebpfgen.runtime.maps.failures import cant, cant_pin
from ebpfgen.runtime.maps.info import MapInfo, facts_of_descriptor, read_info, value_space
from ebpfgen.runtime.maps.opened import Opened, OwnDescriptor


class Map:
    """A map in the kernel. Sizes are in bytes.

    A map of a collection is closed with it. One that was opened by its path or id, or read from a
    map of maps, is yours: ``close()`` it, or leave its ``with`` block.
    """

    def __init__(self, opened: Opened) -> None:
        info = opened.info
        self._opened = opened
        self._owner = opened.owner
        self._fd = opened.fd
        sizes = Sizes(info.key_size, value_space(info))
        self._elements = Elements(opened.name, opened.owner.lifetime, opened.fd, sizes)
        self._pin_path = opened.pin_path
        self.name = opened.name
        self.type: MapType | int = info.type
        self.flags: MapFlag = info.flags
        self.key_size = info.key_size
        self.value_size = info.value_size
        self.max_entries = info.max_entries

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"

    @property
    def fd(self) -> int:
        """The map's descriptor, which stays the map's. Raises StateError if it is closed."""
        self._owner.check_open()
        return self._fd

    @property
    def opened(self) -> Opened:
        """The map as the runtime has it. Raises StateError if it is closed."""
        self._owner.check_open()
        return self._opened

    @contextmanager
    def held_fd(self) -> Iterator[int]:
        """Give :attr:`fd`, which is not closed inside this ``with`` block.

        Raises StateError if the map is closed.
        """
        with self._owner.lifetime.call():
            yield self._fd

    def fileno(self) -> int:
        """Return :attr:`fd`, for what takes files."""
        return self.fd

    @property
    def info(self) -> MapInfo:
        """What the kernel says of the map now."""
        try:
            with self.held_fd() as fd:
                return read_info(fd)
        except CallError as error:
            raise self._error(error, "get the facts of") from error

    @property
    def frozen(self) -> bool:
        """Whether user space may write to the map no more.

        Raises MapError if the process can't read its own ``/proc``, having given root up.
        """
        with self.held_fd() as fd:
            facts = facts_of_descriptor(fd)
        if "frozen" not in facts:
            message = f"can't tell whether map {self.name} is frozen: /proc/self can't be read"
            raise MapError(errno.EACCES, message)
        return facts["frozen"] == "1"

    def freeze(self) -> None:
        """Forbid user space to write to the map, for good; BPF programs still may.

        Raises MapError if it is frozen already, or mapped for writing by this or another process.
        """
        with self.held_fd() as fd:
            try:
                _descriptors.freeze(fd)
            except CallError as error:
                # Of a frozen map, kernels say EBUSY or EPERM.
                is_frozen = facts_of_descriptor(fd).get("frozen") == "1"
                if not is_frozen and error.errno != errno.EBUSY:
                    raise self._error(error, "freeze") from error
                reason = "it is frozen already" if is_frozen else "it is mapped for writing"
                raise MapError(error.errno, f"can't freeze map {self.name}: {reason}") from error

    @property
    def pin_path(self) -> Path | None:
        """Where the map is pinned, None if this object has not pinned or found it anywhere."""
        return self._pin_path

    def pin(self, path: str | os.PathLike[str]) -> None:
        """Keep the map when all its users are gone: *path* of a BPF file system stands for it.

        The folder must exist, and the last part of *path* have no dot. Raises MapError if something
        is there already, or no BPF file system.
        """
        place = Path(path)
        try:
            with self.held_fd() as fd:
                _descriptors.pin(fd, os.fspath(place))
        except CallError as error:
            raise cant_pin(error, self.name, place) from error
        self._pin_path = place

    def unpin(self) -> None:
        """Remove the file at :attr:`pin_path`; the map lives on for as long as it is used.

        Raises StateError if the map is not pinned, and nothing if someone else has removed the
        file.
        """
        if self._pin_path is None:
            raise StateError(errno.ENOENT, f"map {self.name} is not pinned")
        self._pin_path.unlink(missing_ok=True)
        self._pin_path = None

    @property
    def closed(self) -> bool:
        """Whether the descriptor is closed: by close(), or with the collection."""
        return self._owner.closed

    def close(self) -> None:
        """Close the map, if it is not a collection's. Twice does nothing."""
        if isinstance(self._owner, OwnDescriptor):
            self._owner.close()

    def __enter__(self) -> Self:
        self._owner.check_open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _error(self, error: CallError, action: str) -> BpfError:
        with self.held_fd() as fd:  # Another thread may have closed it meanwhile.
            return cant(action, self.name, fd, self._opened.info, error)
