"""Stack traces, as ``bpf_get_stackid`` keeps them."""

import errno
import struct

from ebpfgen.runtime.codec import Buffer
from ebpfgen.runtime.errors import NotSupportedError
from ebpfgen.runtime.maps.constants import INDEX, MapFlag, MapType
from ebpfgen.runtime.maps.keyed import KeyedMap
from ebpfgen.runtime.maps.member import MapMember, plain
from ebpfgen.runtime.maps.opened import Opened


class _Addresses:
    """A codec for a stack: addresses up to the first 0."""

    def __init__(self, opened: Opened) -> None:
        self.SIZE = opened.info.value_size
        self._name = opened.name
        self._has_build_ids = bool(opened.info.flags & MapFlag.STACK_BUILD_ID)
        self._struct = struct.Struct(f"={self.SIZE // 8}Q")

    def unpack_from(self, buffer: Buffer, offset: int = 0, /) -> list[int]:
        """Read the stack at *offset*, the innermost function first."""
        if self._has_build_ids:
            raise NotSupportedError(
                errno.EOPNOTSUPP,
                f"map {self._name} has build ids (BPF_F_STACK_BUILD_ID) and no addresses",
            )
        found = self._struct.unpack_from(buffer, offset)
        return list(found[: found.index(0)] if 0 in found else found)

    def pack(self, _value: list[int], /) -> bytes:
        """Refuse: only the kernel writes stacks."""
        raise NotSupportedError(errno.EOPNOTSUPP, f"stacks of map {self._name} can't be set")


class StackTraceMap(KeyedMap[int, list[int]]):
    """Stacks by their ids: lists of addresses, the innermost function first.

    ``pop()`` them, or ``clear()`` the map: it has room for ``max_entries``, and takes no more then.
    """

    _batches = False

    def __init__(self, opened: Opened) -> None:
        super().__init__(opened, INDEX, _Addresses(opened))


def stack_trace(name: str) -> MapMember[StackTraceMap]:
    """Declare a map of stacks."""
    # /proc/sys/kernel/perf_event_max_stack is 127 addresses, if no one has changed it.
    return plain(name, MapType.STACK_TRACE, StackTraceMap, value_size=127 * 8)
