"""Arenas: memory that programs and user space share at the same addresses."""

import ctypes
import errno
import mmap
import os
from pathlib import Path

from ebpfgen.runtime._libbpf import maps as _maps
from ebpfgen.runtime._libbpf.library import version
from ebpfgen.runtime.errors import NotSupportedError
from ebpfgen.runtime.maps.base import Map
from ebpfgen.runtime.maps.constants import MapFlag, MapType
from ebpfgen.runtime.maps.member import MapMember

_SINCE = (1, 4)


class Arena(Map):
    """Memory of ``max_entries`` pages that programs allocate in (since Linux 6.9, libbpf 1.4).

    Reading or writing a page that no program has allocated allocates it.
    """

    _found: tuple[int, int] | None = None
    """A process, and where the arena begins in it."""

    @property
    def size(self) -> int:
        """How many bytes the arena has."""
        return self.max_entries * mmap.PAGESIZE

    @property
    def address(self) -> int:
        """Where the arena begins, for the pointers that programs keep in it.

        Raises NotSupportedError if it has no memory here: with libbpf below 1.4, if it was opened
        by its path or id, in a forked child, or if it has the flag ``BPF_F_SEGV_ON_FAULT``, by
        which a read of a page that is not allocated would end the process.
        """
        pointer = self.opened.pointer
        if tuple(map(int, version().split("."))) < _SINCE:
            needs = f"libbpf 1.4 or newer, and this is {version()}"
        elif pointer is None:
            needs = "to be of a loaded object, and was opened by its path or id"
        elif self.flags & MapFlag.SEGV_ON_FAULT:
            needs = "to be created without BPF_F_SEGV_ON_FAULT, which would end this process"
        elif address := self._address_here(pointer):
            return address
        else:
            needs = "/proc, and the process that loaded it: a forked child does not have it"
        raise NotSupportedError(
            errno.EOPNOTSUPP, f"can't reach the memory of arena {self.name}: it needs {needs}"
        )

    def read(self, offset: int, size: int) -> bytes:
        """Return *size* bytes at *offset*. Raises IndexError outside of the arena."""
        self._check(offset, size)
        with self._owner.lifetime.call():  # which unmaps it
            return ctypes.string_at(self.address + offset, size)

    def write(self, offset: int, data: bytes) -> None:
        """Write *data* at *offset*. Raises IndexError outside of the arena."""
        data = memoryview(data).tobytes()
        self._check(offset, len(data))
        with self._owner.lifetime.call():
            ctypes.memmove(self.address + offset, data, len(data))

    def _address_here(self, pointer: int) -> int | None:
        process = os.getpid()
        if self._found is None or self._found[0] != process:
            with self._owner.lifetime.call():
                globals_ = ctypes.addressof(_maps.initial_value(pointer))
            start = _start_of_mapping(globals_)
            self._found = None if start is None else (process, start)
        return self._found and self._found[1]

    def _check(self, offset: int, size: int) -> None:
        if not 0 <= offset <= offset + size <= self.size:
            raise IndexError(f"arena {self.name} has {self.size} bytes, not {size} at {offset}")


def _start_of_mapping(address: int) -> int | None:
    """Return where the mapping begins that an address is in, None if it is in none.

    libbpf tells where the global variables of an arena are, which newer versions put at its end.
    """
    try:
        mappings = Path("/proc/self/maps").read_text()
    except OSError:  # /proc is not mounted
        return None
    for line in mappings.splitlines():
        first, last = (int(end, 16) for end in line.partition(" ")[0].split("-"))
        if first <= address < last:
            return first
    return None


def arena(name: str) -> MapMember[Arena]:
    """Declare memory that programs and user space share."""
    return MapMember(name, MapType.ARENA, Arena)
