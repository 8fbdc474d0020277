"""Values that belong to sockets, tasks, inodes and cgroups."""

import ctypes
import importlib
import os
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from ebpfgen import runtime as rt
from ebpfgen.runtime._libbpf.library import library

from .conftest import Load

BPF_CGROUP_INET_EGRESS = 1


def note(source: str, count: int, text: bytes = b"") -> Any:
    """Make a value of a storage."""
    return getattr(importlib.import_module(source), f"{class_name(source)}Note")(count, text)


def class_name(source: str) -> str:
    return source.title().replace("_", "")


STORAGES = {
    "sk_storage": "OfSocket",
    "task_storage": "OfTask",
    "inode_storage": "OfInode",
    "cgrp_storage": "OfCgroup",
}


@pytest.fixture(params=STORAGES)
def source(request: pytest.FixtureRequest) -> str:
    """Give the name of the C file with a storage."""
    return str(request.param)


@pytest.fixture
def storage(source: str, load: Load) -> Any:
    return getattr(load(source), STORAGES[source])


@pytest.fixture
def owners(
    source: str, request: pytest.FixtureRequest, bpf: None, tmp_path: Path
) -> Iterator[list[Any]]:
    """Give the ways to name one and the same owner."""
    with ExitStack() as stack:
        match source:
            case "sk_storage":
                end = stack.enter_context(socket.socket())
                yield [end, end.fileno()]
            case "task_storage":
                pidfd = os.pidfd_open(os.getpid())
                stack.callback(os.close, pidfd)
                yield [pidfd]
            case "inode_storage":
                path = tmp_path / "inode"
                file = stack.enter_context(path.open("w"))
                yield [path, str(path), file, file.fileno()]
            case _:
                path = request.getfixturevalue("cgroup")
                fd = os.open(path, os.O_RDONLY)
                stack.callback(os.close, fd)
                yield [path, str(path), fd]


def test_a_value_belongs_to_its_owner(source: str, storage: Any, owners: list[Any]) -> None:
    for count, owner in enumerate(owners):
        value = note(source, count, b"note")
        assert owner not in storage
        assert storage.get(owner) is None
        assert storage.get(owner, 5) == 5
        storage[owner] = value
        assert all(storage[other] == value for other in owners)
        assert owner in storage
        assert storage.get(owner) == value
        assert storage.pop(owner) == value
        with pytest.raises(KeyError):
            storage[owner]
        with pytest.raises(KeyError):
            del storage[owner]


def test_the_flags_of_put_are_the_kernels(source: str, storage: Any, owners: list[Any]) -> None:
    owner, value = owners[0], note(source, 1)
    with pytest.raises(KeyError):
        storage.put(owner, value, flags=rt.BPF_EXIST)
    storage.put(owner, value, flags=rt.BPF_NOEXIST)
    with pytest.raises(rt.MapError, match="the key is there already"):
        storage.put(owner, value, flags=rt.BPF_NOEXIST)


def test_owners_can_not_be_listed(storage: Any) -> None:
    with pytest.raises(TypeError, match="not iterable"):
        list(storage)


def test_an_inode_need_not_be_one_that_can_be_opened(load: Load) -> None:
    objs = load("inode_storage")
    with socket.socket(socket.AF_UNIX) as server, tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "socket")
        server.bind(str(path))
        objs.OfInode[path] = note("inode_storage", 1)
        assert path in objs.OfInode
        assert Path(folder) not in objs.OfInode
    with pytest.raises(FileNotFoundError):
        objs.OfInode["/absent"]


@pytest.mark.parametrize("source", ["sk_storage", "task_storage"])
def test_a_descriptor_of_something_else_is_refused(storage: Any) -> None:
    with pytest.raises(rt.MapError, match=r"from map of_(task: the descriptor given|socket: )"):
        storage[storage.fd]


def test_the_storage_of_an_attached_cgroup_is_a_mapping(load: Load, cgroup: Path) -> None:
    objs, types = load("cgroup_storage"), importlib.import_module("cgroup_storage")
    key = types.CgroupStorageAttachment(cgroup.stat().st_ino, BPF_CGROUP_INET_EGRESS)
    assert objs.Packets.read() == {}
    with attached(objs.CountPackets, cgroup):
        send_a_packet_from(cgroup)
        assert objs.Packets.read() == {key: 1}
        assert list(objs.Packets) == [key]
        objs.Packets[key] = 5
        assert objs.Packets[key] == 5
        with pytest.raises(KeyError):
            objs.Packets[types.CgroupStorageAttachment(1, 1)] = 1
        with pytest.raises(rt.MapError, match="CGROUP_STORAGE maps do not take"):
            del objs.Packets[key]


def test_the_storage_of_an_attached_cgroup_may_have_a_value_for_each_cpu(
    load: Load, cgroup: Path
) -> None:
    objs = load("percpu_cgroup_storage")
    with attached(objs.CountPacketsByCpu, cgroup):
        send_a_packet_from(cgroup)
        assert sum(objs.CpuPackets[cgroup.stat().st_ino]) == 1
        with pytest.raises(KeyError):
            objs.CpuPackets[1]


@contextmanager
def attached(program: Any, cgroup: Path) -> Iterator[None]:
    """Attach a program to a cgroup, in the way that has been there the longest."""
    fd = os.open(cgroup, os.O_RDONLY)
    try:
        attach = library().bpf_prog_attach
        attach.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_uint]
        assert attach(program.fd, fd, BPF_CGROUP_INET_EGRESS, 0) == 0
        yield
    finally:
        os.close(fd)


def send_a_packet_from(cgroup: Path) -> None:
    code = "import socket; socket.socket(2, 2).sendto(b'x', ('127.0.0.1', 9))"
    script = f'echo $$ > {cgroup}/cgroup.procs && exec python3 -c "{code}"'
    subprocess.run(["sh", "-c", script], check=True)
