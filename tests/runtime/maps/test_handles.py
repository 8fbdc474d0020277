"""Maps of programs, sockets, cgroups, devices and CPUs."""

import ctypes
import errno
import importlib
import mmap
import os
import socket
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ebpfgen import runtime as rt

from ..conftest import need_kernel
from .conftest import Load

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


def test_a_tail_call_goes_to_the_program_that_was_set(load: Load) -> None:
    objs = load("prog_array")
    objs.Watched.value = os.getpid()
    with objs.Call.attach():
        os.getppid()
        assert objs.Calls[1] == 0
        objs.Steps[2] = objs.Step
        os.getppid()
        assert objs.Calls[1] > 0


def test_a_prog_array_is_a_mapping_of_the_programs_there(load: Load) -> None:
    objs = load("prog_array")
    steps = objs.Steps
    assert not steps
    assert steps.read() == {}
    with pytest.raises(KeyError):
        steps[0]
    steps[1] = objs.Step
    steps[3] = objs.Step.fd
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
    steps[0] = objs.Step
    steps.clear()
    assert not steps


def test_what_is_no_program_is_refused(load: Load) -> None:
    objs = load("prog_array")
    with pytest.raises(rt.MapError, match="write to map steps: it takes programs"):
        objs.Steps[0] = objs.Calls
    with pytest.raises(rt.MapError, match="the descriptor given is closed"):
        objs.Steps[0] = 9999
    with pytest.raises(TypeError, match="has no descriptor"):
        objs.Steps[0] = "program"
    with pytest.raises(ValueError, match="-1 is not a file descriptor"):
        objs.Steps[0] = -1
    with pytest.raises(rt.MapError, match="it has 4 elements, the last is 3"):
        objs.Steps[4] = objs.Step


def test_a_sockmap_reads_as_cookies(load: Load, connection: Any) -> None:
    objs = load("sockmap")
    client, accepted = connection
    objs.Sockets[1] = client
    objs.Sockets[3] = accepted.fileno()
    assert objs.Sockets.read() == {1: cookie_of(client), 3: cookie_of(accepted)}
    objs.Sockets.put(1, client, flags=rt.BPF_EXIST)
    with pytest.raises(rt.MapError, match="the key is there already"):
        objs.Sockets.put(1, client, flags=rt.BPF_NOEXIST)
    with pytest.raises(KeyError):
        objs.Sockets.put(0, client, flags=rt.BPF_EXIST)
    del objs.Sockets[1]
    assert list(objs.Sockets) == [3]
    with pytest.raises(KeyError):
        del objs.Sockets[1]
    objs.Sockets.clear()
    assert not objs.Sockets


def test_a_sockmap_of_small_values_can_only_be_written(load: Load, connection: Any) -> None:
    objs = load("sockmap")
    objs.UnreadSockets[0] = connection[0]
    with pytest.raises(rt.NotSupportedError, match="only where the map's values are __u64"):
        objs.UnreadSockets[0]
    objs.UnreadSockets.clear()
    with pytest.raises(KeyError):
        del objs.UnreadSockets[0]


def test_a_socket_in_the_wrong_state_is_refused(load: Load) -> None:
    objs = load("sockmap")
    with (
        socket.socket() as unconnected,
        pytest.raises(rt.MapError, match="it takes TCP sockets that listen or are connected"),
    ):
        objs.Sockets[0] = unconnected


def test_a_sockhash_is_a_mapping_by_ones_own_keys(load: Load, connection: Any) -> None:
    objs, types = load("sockhash"), importlib.import_module("sockhash")
    client, accepted = connection
    first, second = types.SockhashFlow(1, 2), types.SockhashFlow(3, 4)
    objs.Flows[first], objs.Flows[second] = client, accepted
    assert objs.Flows.read() == {first: cookie_of(client), second: cookie_of(accepted)}
    assert objs.Flows[second] == cookie_of(accepted)
    del objs.Flows[first]
    with pytest.raises(KeyError):
        objs.Flows[first]
    with pytest.raises(KeyError):
        del objs.Flows[first]
    accepted.close()
    assert objs.Flows.read() == {}


def test_sockets_that_share_a_port_are_chosen_from(load: Load) -> None:
    objs = load("reuseport_sockarray")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        server.bind(("127.0.0.1", 0))
        objs.Servers[2] = server
        assert objs.Servers.read() == {2: cookie_of(server)}
        with pytest.raises(rt.MapError, match="the key is there already"):
            objs.Servers.put(2, server, flags=rt.BPF_NOEXIST)
        del objs.Servers[2]
        with pytest.raises(KeyError):
            del objs.Servers[2]
    with (
        socket.socket() as unbound,
        pytest.raises(rt.MapError, match="servers: it takes sockets that are bound with SO_REUSE"),
    ):
        objs.Servers[0] = unbound


def test_an_xskmap_takes_af_xdp_sockets_only(load: Load, connection: Any) -> None:
    objs = load("xskmap")
    with pytest.raises(rt.MapError, match="xsks: it takes AF_XDP sockets that have memory"):
        objs.Xsks[0] = connection[0]
    with af_xdp_socket() as xsk:
        objs.Xsks[3] = xsk
        objs.Xsks.put(3, xsk, flags=rt.BPF_EXIST)
        del objs.Xsks[3]
        with pytest.raises(KeyError):
            objs.Xsks.put(3, xsk, flags=rt.BPF_EXIST)
        objs.Xsks[3] = xsk.fileno()
        objs.Xsks.clear()
        with pytest.raises(KeyError):
            objs.Xsks.put(3, xsk, flags=rt.BPF_EXIST)
    assert not hasattr(objs.Xsks, "__getitem__")


@contextmanager
def af_xdp_socket() -> Iterator[socket.socket]:
    """Give an AF_XDP socket of the loopback device (include/uapi/linux/if_xdp.h)."""
    try:
        xsk = socket.socket(AF_XDP, socket.SOCK_RAW)
    except OSError as error:
        need_kernel(f"AF_XDP: {error}")
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


def test_a_cgroup_array_takes_paths_and_descriptors(load: Load, cgroup: Path) -> None:
    objs = load("cgroup_array")
    objs.Cgroups[0] = cgroup
    objs.Cgroups[1] = str(cgroup)
    fd = os.open(cgroup, os.O_RDONLY)
    objs.Cgroups[2] = fd
    os.close(fd)
    del objs.Cgroups[1]
    with pytest.raises(KeyError):
        del objs.Cgroups[1]
    objs.Cgroups.clear()
    with pytest.raises(KeyError):
        del objs.Cgroups[0]
    with pytest.raises(rt.MapError, match="the descriptor given is closed, or not of what"):
        objs.Cgroups[0] = "/"
    with pytest.raises(FileNotFoundError):
        objs.Cgroups[0] = cgroup / "absent"


def test_a_devmap_is_a_mapping_of_the_devices_there(load: Load) -> None:
    objs, types = load("devmap"), importlib.import_module("devmap")
    loopback = socket.if_nametoindex("lo")
    objs.Devices[2] = loopback
    assert objs.Devices.read() == {2: loopback}
    assert (len(objs.Devices), bool(objs.Devices)) == (1, True)
    assert objs.Devices.pop(2) == loopback
    assert not objs.Devices
    objs.Devices.update_many({0: loopback, 3: loopback})
    assert objs.Devices.read() == {0: loopback, 3: loopback}
    assert objs.Devices.popitem() == (0, loopback)
    assert objs.Devices.drain() == [(3, loopback)]
    with pytest.raises(rt.MapError, match="DEVMAP maps do not take"):
        objs.Devices[0] = 2**31
    device = types.DevmapDevice(ifindex=loopback, program=0)
    objs.DevicePrograms[1] = device
    assert objs.DevicePrograms.read() == {1: device}


def test_a_devmap_hash_has_keys_of_ones_own(load: Load) -> None:
    objs = load("devmap_hash")
    loopback = socket.if_nametoindex("lo")
    objs.DevicesByMark[0xDEAD] = loopback
    assert objs.DevicesByMark.read() == {0xDEAD: loopback}
    with pytest.raises(KeyError):
        objs.DevicesByMark[1]
    objs.DevicesByMark.clear()
    assert not objs.DevicesByMark


def test_a_cpumap_is_a_mapping_of_the_cpus_there(load: Load) -> None:
    objs, types = load("cpumap"), importlib.import_module("cpumap")
    processor = types.CpumapProcessor(queue_size=192, program=0)
    objs.Processors[0] = processor
    assert objs.Processors.read() == {0: processor}
    with pytest.raises(rt.MapError, match="there is no such CPU or network device"):
        objs.Processors[63] = processor
    objs.Processors.clear()
    assert objs.Processors.read() == {}


def test_the_errno_of_a_refusal_is_the_kernels(load: Load) -> None:
    objs = load("prog_array")
    with pytest.raises(rt.MapError) as raised:
        objs.Steps[0] = objs.Calls
    assert raised.value.errno == errno.EINVAL
