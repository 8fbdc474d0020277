"""Tables of functions, and arenas."""

import ctypes
import importlib
import mmap
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ebpfgen import runtime as rt
from ebpfgen.runtime._libbpf import links
from ebpfgen.runtime._libbpf.library import library, version

from ..conftest import need_libbpf

LIBBPF = tuple(map(int, version().split(".")))


@pytest.fixture
def arena(bpf: None, bindings: Path) -> Iterator[Any]:
    with importlib.import_module("arena").load_arena_objects() as objs:
        yield objs.Shared


@pytest.fixture
def slow(bpf: None, bindings: Path) -> Iterator[Any]:
    with importlib.import_module("congestion").load_congestion_objects() as objs:
        yield objs.Slow


def test_a_table_of_functions_knows_whether_it_is_in_use(slow: Any) -> None:
    assert isinstance(slow, rt.StructOpsMap)
    assert slow.state == 0
    attach = library().bpf_map__attach_struct_ops
    attach.restype, attach.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
    link = attach(slow.opened.pointer)
    assert slow.state.name == "INUSE"
    available = Path("/proc/sys/net/ipv4/tcp_available_congestion_control").read_text()
    assert "ebpfgen_slow" in available.split()
    links.destroy(link)
    assert slow.state.name in ("TOBEFREE", "INIT")


def test_an_arena_has_its_facts(arena: Any) -> None:
    assert (arena.type, arena.max_entries) == (rt.MapType.ARENA, 4)
    assert arena.size == 4 * mmap.PAGESIZE


def test_an_arena_of_an_older_libbpf_says_what_it_needs(
    arena: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    if LIBBPF >= (1, 4):
        monkeypatch.setattr("ebpfgen.runtime.maps.arena.version", lambda: "1.3")
    with pytest.raises(rt.NotSupportedError, match=r"arena shared: it needs libbpf 1\.4 or newer"):
        arena.read(0, 1)


def test_the_memory_of_an_arena_is_shared(arena: Any) -> None:
    need_libbpf("1.4", "arenas")
    end = arena.size
    arena.write(end - 5, b"hello")
    assert arena.read(end - 6, 6) == b"\0hello"
    assert in_child(lambda: map_again(arena)[end - 5 :] == b"hello")
    with pytest.raises(IndexError, match="16384 bytes, not 2 at 16383"):
        arena.read(end - 1, 2)


def test_a_forked_child_is_told_that_it_has_no_arena(arena: Any) -> None:
    need_libbpf("1.4", "arenas")

    def refused() -> bool:
        with pytest.raises(rt.NotSupportedError, match="a forked child does not have it"):
            arena.write(0, b"x")
        return True

    arena.write(0, b"y")
    assert in_child(refused)


def in_child(check: Callable[[], bool]) -> bool:
    """What *check* says in a forked child."""
    child = os.fork()
    if not child:
        status = 1
        try:
            status = int(not check())
        finally:
            os._exit(status)
    return os.waitpid(child, 0)[1] == 0


def map_again(arena: Any) -> bytes:
    """What a process sees that maps the arena itself, which it may at the same address only."""
    libc = ctypes.CDLL(None)
    libc.mmap.restype = ctypes.c_void_p
    address = ctypes.c_void_p(arena._found[1])
    flags = mmap.MAP_SHARED | 0x100000  # MAP_FIXED_NOREPLACE
    access = mmap.PROT_READ | mmap.PROT_WRITE
    assert libc.mmap(address, arena.size, access, flags, arena.fd, 0) == address.value
    return ctypes.string_at(arena._found[1], arena.size)


@pytest.mark.parametrize(("offset", "size"), [(-1, 1), (0, 4 * mmap.PAGESIZE + 1), (5, -1)])
def test_what_is_outside_of_an_arena_is_an_index_error(arena: Any, offset: int, size: int) -> None:
    with pytest.raises(IndexError, match="arena shared has"):
        arena.read(offset, size)


def test_an_arena_that_was_opened_by_id_has_no_memory(
    arena: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ebpfgen.runtime.maps.arena.version", lambda: "1.4")
    maps: ModuleType = importlib.import_module("arena")
    with (
        maps.ArenaMaps.Shared.open_id(arena.info.id) as other,
        pytest.raises(rt.NotSupportedError, match="to be of a loaded object"),
    ):
        other.read(0, 1)
