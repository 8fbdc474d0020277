"""What needs a newer libbpf, and a newer kernel that can be spoilt."""

import os

from ebpfgen import runtime as rt
from ebpfgen.runtime import kernel

from .check_struct_ops import transfer
from .loading import error_of, loaded


def check_this_kernel_has_what_is_newer() -> None:
    assert kernel.release() >= (6, 7)
    assert not kernel.lacks_option("CONFIG_NETKIT")


def check_the_memory_of_an_arena_is_shared() -> None:
    with loaded("arena") as objs:
        arena = objs.Shared
        arena.write(arena.size - 5, b"hello")
        assert arena.read(arena.size - 6, 6) == b"\0hello"
        assert arena.read(0, 1) == b"\0"
        assert isinstance(error_of(lambda: arena.read(arena.size, 1)), IndexError)
        child = os.fork()
        if not child:
            refused = isinstance(error_of(lambda: arena.read(0, 1)), rt.NotSupportedError)
            os._exit(0 if refused else 1)
        assert os.waitpid(child, 0)[1] == 0


def check_a_struct_ops_link_is_asked_and_updated() -> None:
    with loaded("linked_congestion") as objs, objs.Steady.attach() as link:
        info = link.info
        assert isinstance(info, rt.MapLinkInfo), info
        assert info.type is rt.LinkType.STRUCT_OPS
        transfer()
        assert objs.AvoidedAnew.value == 0
        link.update(objs.Successor)
        assert link.program == "successor"
        transfer()
        assert objs.AvoidedAnew.value > 0
        assert objs.Acknowledged.value > 0
        error = error_of(lambda: link.update(objs.Avoid))
        assert isinstance(error, rt.NotSupportedError), error
