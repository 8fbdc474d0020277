"""struct_ops maps: tables of functions that the kernel calls."""

from enum import IntEnum

from ebpfgen.runtime._libbpf.library import CallError
from ebpfgen.runtime.maps.base import Map
from ebpfgen.runtime.maps.constants import INDEX


class StructOpsState(IntEnum):
    """``enum bpf_struct_ops_state`` of ``include/linux/bpf.h``."""

    INIT = 0
    """Nothing was set yet."""
    INUSE = 1
    """Registered: the kernel may call its functions."""
    TOBEFREE = 2
    """Unregistered, and still in use here and there."""
    READY = 3
    """To be registered by a link (``SEC(".struct_ops.link")``)."""


class StructOpsMap(Map):
    """A table of functions, such as ``struct tcp_congestion_ops``, that programs implement."""

    @property
    def state(self) -> StructOpsState:
        """Whether the kernel uses the table now."""
        try:
            value = self._elements.lookup(INDEX.pack(0))
        except CallError as error:
            raise self._error(error, "read the state of") from error
        # struct bpf_struct_ops_common_value: a reference count, then the state.
        return StructOpsState(INDEX.unpack_from(value, 4))
