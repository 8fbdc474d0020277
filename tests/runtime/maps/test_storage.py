"""Values that belong to sockets, tasks, inodes and cgroups."""

import ctypes
import os
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ebpfgen import runtime as rt
from ebpfgen.runtime._libbpf.library import library

from .conftest import HAS_CGRP_STORAGE

BPF_CGROUP_INET_EGRESS = 1


@pytest.fixture(params=["OfSocket", "OfTask", "OfInode", "OfCgroup"])
def storage_and_owners(
    request: pytest.FixtureRequest, held: Any, tmp_path: Path
) -> Iterator[tuple[Any, list[Any]]]:
    """Give a storage, and the ways to name one and the same owner."""
    with ExitStack() as stack:
        owners: list[Any]
        match request.param:
            case "OfSocket":
                end = stack.enter_context(socket.socket())
                owners = [end, end.fileno()]
            case "OfTask":
                pidfd = os.pidfd_open(os.getpid())
                stack.callback(os.close, pidfd)
                owners = [pidfd]
            case "OfInode":
                path = tmp_path / "inode"
                file = stack.enter_context(path.open("w"))
                owners = [path, str(path), file, file.fileno()]
            case _ if not HAS_CGRP_STORAGE:
                pytest.skip("BPF_MAP_TYPE_CGRP_STORAGE is of Linux 6.2")
            case _:
                path = request.getfixturevalue("cgroup")
                fd = os.open(path, os.O_RDONLY)
                stack.callback(os.close, fd)
                owners = [path, str(path), fd]
        yield getattr(held, request.param), owners


def test_a_value_belongs_to_its_owner(
    holders: ModuleType, storage_and_owners: tuple[Any, list[Any]]
) -> None:
    storage, owners = storage_and_owners
    for count, owner in enumerate(owners):
        note = holders.HoldersNote(count=count, text=b"note")
        assert owner not in storage
        assert storage.get(owner) is None
        assert storage.get(owner, 5) == 5
        storage[owner] = note
        assert all(storage[other] == note for other in owners)
        assert owner in storage
        assert storage.get(owner) == note
        assert storage.pop(owner) == note
        with pytest.raises(KeyError):
            storage[owner]
        with pytest.raises(KeyError):
            del storage[owner]


def test_the_flags_of_put_are_the_kernels(
    holders: ModuleType, storage_and_owners: tuple[Any, list[Any]]
) -> None:
    storage, (owner, *_) = storage_and_owners
    note = holders.HoldersNote(count=1, text=b"")
    with pytest.raises(KeyError):
        storage.put(owner, note, flags=rt.BPF_EXIST)
    storage.put(owner, note, flags=rt.BPF_NOEXIST)
    with pytest.raises(rt.MapError, match="the key is there already"):
        storage.put(owner, note, flags=rt.BPF_NOEXIST)


def test_owners_can_not_be_listed(held: Any) -> None:
    with pytest.raises(TypeError, match="not iterable"):
        list(held.OfSocket)


def test_an_inode_need_not_be_one_that_can_be_opened(holders: ModuleType, held: Any) -> None:
    with socket.socket(socket.AF_UNIX) as server, tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "socket")
        server.bind(str(path))
        held.OfInode[path] = holders.HoldersNote(count=1, text=b"")
        assert path in held.OfInode
        assert Path(folder) not in held.OfInode


def test_a_descriptor_of_something_else_is_refused(held: Any) -> None:
    with pytest.raises(rt.MapError, match="can't read from map of_task: the descriptor given"):
        held.OfTask[held.Calls.fd]
    with pytest.raises(rt.MapError, match="can't read from map of_socket"):
        held.OfSocket[0]
    with pytest.raises(FileNotFoundError):
        held.OfInode["/absent"]


def test_the_storage_of_an_attached_cgroup_is_a_mapping(
    holders: ModuleType, held: Any, cgroup: Path
) -> None:
    key = holders.HoldersAttachment(cgroup.stat().st_ino, BPF_CGROUP_INET_EGRESS)
    assert held.Packets.read() == {}
    fd = os.open(cgroup, os.O_RDONLY)
    try:
        attach = library().bpf_prog_attach
        attach.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_uint]
        assert attach(held.CountPackets.fd, fd, BPF_CGROUP_INET_EGRESS, 0) == 0
        send_a_packet_from(cgroup)
        assert held.Packets.read() == {key: 1}
        assert list(held.Packets) == [key]
        held.Packets[key] = 5
        assert held.Packets[key] == 5
        assert attach(held.CountPacketsByCpu.fd, fd, BPF_CGROUP_INET_EGRESS, 0) == 0
        send_a_packet_from(cgroup)
        assert sum(held.CpuPackets[cgroup.stat().st_ino]) == 1
        with pytest.raises(KeyError):
            held.CpuPackets[1]
        with pytest.raises(KeyError):
            held.Packets[holders.HoldersAttachment(1, 1)] = 1
        with pytest.raises(rt.MapError, match="CGROUP_STORAGE maps do not take"):
            del held.Packets[key]
    finally:
        os.close(fd)


def send_a_packet_from(cgroup: Path) -> None:
    code = "import socket; socket.socket(2, 2).sendto(b'x', ('127.0.0.1', 9))"
    script = f'echo $$ > {cgroup}/cgroup.procs && exec python3 -c "{code}"'
    subprocess.run(["sh", "-c", script], check=True)
