"""Maps of programs, sockets, cgroups, devices and CPUs."""

import ctypes
import errno
import mmap
import os
import socket
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ebpfgen import runtime as rt

from ..conftest import need

AF_XDP = 44
SOL_XDP = 283
XDP_UMEM_REG = 4
XDP_RINGS = (2, 5, 6)  # to receive, to fill, of what is completed
SO_COOKIE = 57


@pytest.fixture
def connection() -> Any:
    """Give the two ends of a TCP connection."""
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as client,
    ):
        accepted, _ = server.accept()
        with accepted:
            yield client, accepted


def cookie_of(end: socket.socket) -> int:
    return int.from_bytes(end.getsockopt(socket.SOL_SOCKET, SO_COOKIE, 8), sys.byteorder)


def test_a_tail_call_goes_to_the_program_that_was_set(held: Any) -> None:
    held.Watched.value = os.getpid()
    with held.Call.attach():
        os.getppid()
        assert held.Calls[1] == 0
        held.Steps[2] = held.Step
        os.getppid()
        assert held.Calls[1] > 0


def test_a_prog_array_is_a_mapping_of_the_programs_there(held: Any) -> None:
    steps = held.Steps
    assert not steps
    assert steps.read() == {}
    with pytest.raises(KeyError):
        steps[0]
    steps[1] = held.Step
    steps[3] = held.Step.fd
    assert steps
    assert sorted(steps) == [1, 3]
    assert len(steps) == 2
    assert steps[1] == steps[3] == dict(steps.items())[3] > 0
    assert 1 in steps
    assert 0 not in steps
    assert steps.get(0) is None
    del steps[1]
    assert list(steps) == [3]
    with pytest.raises(KeyError):
        del steps[1]
    steps[0] = held.Step
    steps.clear()
    assert not steps


def test_what_is_no_program_is_refused(held: Any) -> None:
    with pytest.raises(rt.MapError, match="write to map steps: it takes programs"):
        held.Steps[0] = held.Calls
    with pytest.raises(rt.MapError, match="the descriptor given is closed"):
        held.Steps[0] = 9999
    with pytest.raises(TypeError, match="has no descriptor"):
        held.Steps[0] = "program"
    with pytest.raises(ValueError, match="-1 is not a file descriptor"):
        held.Steps[0] = -1
    with pytest.raises(rt.MapError, match="it has 4 elements, the last is 3"):
        held.Steps[4] = held.Step


def test_a_sockmap_reads_as_cookies(held: Any, connection: Any) -> None:
    client, accepted = connection
    held.Sockets[1] = client
    held.Sockets[3] = accepted.fileno()
    assert held.Sockets.read() == {1: cookie_of(client), 3: cookie_of(accepted)}
    held.Sockets.put(1, client, flags=rt.BPF_EXIST)
    with pytest.raises(rt.MapError, match="the key is there already"):
        held.Sockets.put(1, client, flags=rt.BPF_NOEXIST)
    with pytest.raises(KeyError):
        held.Sockets.put(0, client, flags=rt.BPF_EXIST)
    del held.Sockets[1]
    assert list(held.Sockets) == [3]
    with pytest.raises(KeyError):
        del held.Sockets[1]
    held.Sockets.clear()
    assert not held.Sockets


def test_a_sockmap_of_small_values_can_only_be_written(held: Any, connection: Any) -> None:
    held.UnreadSockets[0] = connection[0]
    with pytest.raises(rt.NotSupportedError, match="only where the map's values are __u64"):
        held.UnreadSockets[0]
    held.UnreadSockets.clear()
    with pytest.raises(KeyError):
        del held.UnreadSockets[0]


def test_a_socket_in_the_wrong_state_is_refused(held: Any) -> None:
    with (
        socket.socket() as unconnected,
        pytest.raises(rt.MapError, match="it takes TCP sockets that listen or are connected"),
    ):
        held.Sockets[0] = unconnected


def test_a_sockhash_is_a_mapping_by_ones_own_keys(
    holders: ModuleType, held: Any, connection: Any
) -> None:
    client, accepted = connection
    first, second = holders.HoldersFlow(1, 2), holders.HoldersFlow(3, 4)
    held.Flows[first], held.Flows[second] = client, accepted
    assert held.Flows.read() == {first: cookie_of(client), second: cookie_of(accepted)}
    assert held.Flows[second] == cookie_of(accepted)
    del held.Flows[first]
    with pytest.raises(KeyError):
        held.Flows[first]
    with pytest.raises(KeyError):
        del held.Flows[first]
    accepted.close()
    assert held.Flows.read() == {}


def test_sockets_that_share_a_port_are_chosen_from(held: Any) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        server.bind(("127.0.0.1", 0))
        held.Servers[2] = server
        assert held.Servers.read() == {2: cookie_of(server)}
        with pytest.raises(rt.MapError, match="the key is there already"):
            held.Servers.put(2, server, flags=rt.BPF_NOEXIST)
        del held.Servers[2]
        with pytest.raises(KeyError):
            del held.Servers[2]
    with (
        socket.socket() as unbound,
        pytest.raises(rt.MapError, match="servers: it takes sockets that are bound with SO_REUSE"),
    ):
        held.Servers[0] = unbound


def test_an_xskmap_takes_af_xdp_sockets_only(held: Any, connection: Any) -> None:
    with pytest.raises(rt.MapError, match="xsks: it takes AF_XDP sockets that have memory"):
        held.Xsks[0] = connection[0]
    with af_xdp_socket() as xsk:
        held.Xsks[3] = xsk
        held.Xsks.put(3, xsk, flags=rt.BPF_EXIST)
        del held.Xsks[3]
        with pytest.raises(KeyError):
            held.Xsks.put(3, xsk, flags=rt.BPF_EXIST)
        held.Xsks[3] = xsk.fileno()
        held.Xsks.clear()
        with pytest.raises(KeyError):
            held.Xsks.put(3, xsk, flags=rt.BPF_EXIST)
    assert not hasattr(held.Xsks, "__getitem__")


@contextmanager
def af_xdp_socket() -> Iterator[socket.socket]:
    """Give an AF_XDP socket of the loopback device (include/uapi/linux/if_xdp.h)."""
    try:
        xsk = socket.socket(AF_XDP, socket.SOCK_RAW)
    except OSError as error:
        need(f"AF_XDP: {error}")
    with xsk, mmap.mmap(-1, 64 * 4096) as memory:
        address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
        region = struct.pack("=QQIIII", address, 64 * 4096, 4096, 0, 0, 0)
        xsk.setsockopt(SOL_XDP, XDP_UMEM_REG, region)
        for ring in XDP_RINGS:
            xsk.setsockopt(SOL_XDP, ring, 64)
        name = struct.pack("=HHIII", AF_XDP, 0, socket.if_nametoindex("lo"), 0, 0)
        bind = ctypes.CDLL(None, use_errno=True).bind
        assert bind(xsk.fileno(), name, len(name)) == 0, os.strerror(ctypes.get_errno())
        yield xsk


def test_a_cgroup_array_takes_paths_and_descriptors(held: Any, cgroup: Path) -> None:
    held.Cgroups[0] = cgroup
    held.Cgroups[1] = str(cgroup)
    fd = os.open(cgroup, os.O_RDONLY)
    held.Cgroups[2] = fd
    os.close(fd)
    del held.Cgroups[1]
    with pytest.raises(KeyError):
        del held.Cgroups[1]
    held.Cgroups.clear()
    with pytest.raises(KeyError):
        del held.Cgroups[0]
    with pytest.raises(rt.MapError, match="the descriptor given is closed, or not of what"):
        held.Cgroups[0] = "/"
    with pytest.raises(FileNotFoundError):
        held.Cgroups[0] = cgroup / "absent"


def test_a_devmap_is_a_mapping_of_the_devices_there(holders: ModuleType, held: Any) -> None:
    loopback = socket.if_nametoindex("lo")
    held.Devices[2] = loopback
    assert held.Devices.read() == {2: loopback}
    assert (len(held.Devices), bool(held.Devices)) == (1, True)
    assert held.Devices.pop(2) == loopback
    assert not held.Devices
    held.Devices.update_many({0: loopback, 3: loopback})
    assert held.Devices.read() == {0: loopback, 3: loopback}
    assert held.Devices.popitem() == (0, loopback)
    assert held.Devices.drain() == [(3, loopback)]
    with pytest.raises(rt.MapError, match="DEVMAP maps do not take"):
        held.Devices[0] = 2**31
    device = holders.HoldersDevice(ifindex=loopback, program=0)
    held.DevicePrograms[1] = device
    assert held.DevicePrograms.read() == {1: device}


def test_a_devmap_hash_has_keys_of_ones_own(held: Any) -> None:
    loopback = socket.if_nametoindex("lo")
    held.DevicesByMark[0xDEAD] = loopback
    assert held.DevicesByMark.read() == {0xDEAD: loopback}
    with pytest.raises(KeyError):
        held.DevicesByMark[1]
    held.DevicesByMark.clear()
    assert not held.DevicesByMark


def test_a_cpumap_is_a_mapping_of_the_cpus_there(holders: ModuleType, held: Any) -> None:
    processor = holders.HoldersProcessor(queue_size=192, program=0)
    held.Processors[0] = processor
    assert held.Processors.read() == {0: processor}
    with pytest.raises(rt.MapError, match="there is no such CPU or network device"):
        held.Processors[63] = processor
    held.Processors.clear()
    assert held.Processors.read() == {}


def test_the_errno_of_a_refusal_is_the_kernels(held: Any) -> None:
    with pytest.raises(rt.MapError) as raised:
        held.Steps[0] = held.Calls
    assert raised.value.errno == errno.EINVAL
