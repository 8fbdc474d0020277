"""Programs of a cgroup run for what its processes do, and may refuse it."""

import contextlib
import errno
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ebpfgen import runtime as rt

from .conftest import Load

PLACES = (
    *("CREATED", "INCOMING", "OUTGOING", "EITHER", "BOUND", "CONNECTED", "SENT", "RECEIVED"),
    *("READ_OPTION", "SET_OPTION", "SYSCTL", "DEVICE", "TURN", "SECOND"),
)
REFUSED = pytest.mark.parametrize("refuse", [False, True], ids=["allows", "refuses"])


@pytest.fixture
def load_there(network: None, cgroup: Path, load: Load) -> Load:
    """Load as ever, in a network namespace and a cgroup of one's own."""
    return load


@pytest.fixture
def objs(load_there: Load) -> Any:
    return load_there("cgroup_sock")


def count(objs: Any, place: str) -> int:
    return int(objs.Counts.value[PLACES.index(place)])


def open_socket() -> None:
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).close()


@contextlib.contextmanager
def listening(objs: Any) -> Iterator[socket.socket]:
    """Give a TCP socket that listens; its port is the one that the programs look at."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        objs.OnlyPort.value = server.getsockname()[1]
        yield server


def connect(objs: Any) -> None:
    with listening(objs) as server, socket.create_connection(server.getsockname(), timeout=60):
        pass


def bind(objs: Any) -> None:
    objs.OnlyPort.value = 4321
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.bind(("127.0.0.1", 4321))


def send(objs: Any) -> None:
    objs.OnlyPort.value = 4321
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.sendto(b"x", ("127.0.0.1", 4321))


def receive(_: Any) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.bind(("127.0.0.1", 0))
        made.sendto(b"x", made.getsockname())
        made.recvfrom(1)


def read_option(_: Any) -> None:
    with socket.socket() as made:
        made.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)


def set_option(_: Any) -> None:
    with socket.socket() as made:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)


def read_sysctl(_: Any) -> None:
    Path("/proc/sys/net/ipv4/ip_forward").read_text()


def open_device(_: Any) -> None:
    Path("/dev/null").read_bytes()


MEDIATED: dict[str, tuple[str, str, Callable[[Any], None]]] = {
    "CREATED": ("cgroup_sock", "Created", lambda _: open_socket()),
    "BOUND": ("cgroup_sock_addr", "Bound", bind),
    "CONNECTED": ("cgroup_sock_addr", "Connected", connect),
    "SENT": ("cgroup_sock_addr", "Sent", send),
    "READ_OPTION": ("cgroup_sockopt", "ReadOption", read_option),
    "SET_OPTION": ("cgroup_sockopt", "SetOption", set_option),
    "SYSCTL": ("cgroup_sysctl", "Sysctl", read_sysctl),
    "DEVICE": ("cgroup_device", "Device", open_device),
}


@REFUSED
@pytest.mark.parametrize("place", MEDIATED)
def test_what_a_process_does_is_seen_and_may_be_refused(
    load_there: Load, cgroup: Path, place: str, refuse: bool
) -> None:
    source, name, act = MEDIATED[place]
    objs = load_there(source)
    objs.Refuse.value = refuse
    with getattr(objs, name).attach(cgroup) as link:
        assert link.target == f"cgroup {cgroup}"
        with pytest.raises(PermissionError) if refuse else contextlib.nullcontext():
            act(objs)
        assert count(objs, place) >= 1
    counted = count(objs, place)
    act(objs)
    assert count(objs, place) == counted, "ran after its link was closed"


def test_what_is_received_is_seen(load_there: Load, cgroup: Path) -> None:
    objs = load_there("cgroup_sock_addr")
    with objs.Received.attach(cgroup):
        receive(objs)
    assert count(objs, "RECEIVED") == 1


def test_packets_are_seen_in_both_directions(load_there: Load, cgroup: Path) -> None:
    objs = load_there("cgroup_skb")
    with objs.Incoming.attach(cgroup), objs.Outgoing.attach(cgroup):
        receive(objs)
        assert (count(objs, "INCOMING"), count(objs, "OUTGOING")) == (1, 1)


@pytest.mark.parametrize("egress", [False, True])
def test_a_section_that_leaves_the_direction_open_takes_it_from_attach(
    load_there: Load, cgroup: Path, egress: bool
) -> None:
    objs = load_there("cgroup_skb")
    directions = {False: rt.AttachType.CGROUP_INET_INGRESS, True: rt.AttachType.CGROUP_INET_EGRESS}
    with objs.Either.attach(cgroup, egress=egress) as link:
        info = link.info
        assert isinstance(info, rt.CgroupLinkInfo)
        assert info.attach_type == directions[egress]
        assert info.cgroup_id == cgroup.stat().st_ino
        receive(objs)
    assert count(objs, "EITHER") == 1
    with objs.Either.attach_without_link(cgroup, egress=egress):
        receive(objs)
    assert count(objs, "EITHER") == 2


def test_the_turns_of_a_connection_are_seen(load_there: Load, cgroup: Path) -> None:
    objs = load_there("sock_ops")
    with objs.Turned.attach(cgroup):
        connect(objs)
    assert count(objs, "TURN") >= 2


def test_a_descriptor_does_for_a_path(objs: Any, cgroup: Path) -> None:
    descriptor = os.open(cgroup, os.O_RDONLY)
    with objs.Created.attach(descriptor) as link:
        assert link.target == f"cgroup descriptor {descriptor}"
        open_socket()
    os.close(descriptor)  # raises if attach() closed it
    assert count(objs, "CREATED") == 1


def test_several_programs_have_links_there(objs: Any, cgroup: Path) -> None:
    with objs.Created.attach(cgroup), objs.Second.attach(cgroup):
        open_socket()
    assert (count(objs, "CREATED"), count(objs, "SECOND")) == (1, 1)


def test_without_a_link_several_share_when_allowed(objs: Any, cgroup: Path) -> None:
    with objs.Created.attach_without_link(cgroup), objs.Second.attach_without_link(cgroup):
        open_socket()
    open_socket()
    assert (count(objs, "CREATED"), count(objs, "SECOND")) == (1, 1)


def test_a_cgroup_below_overrides_when_allowed(objs: Any, cgroup: Path) -> None:
    below = cgroup / "below"
    below.mkdir()
    sharing = rt.CgroupSharing.OVERRIDE
    with (
        objs.Created.attach_without_link(cgroup, sharing=sharing),
        objs.Second.attach_without_link(below, sharing=sharing),
    ):
        (below / "cgroup.procs").write_text(str(os.getpid()))
        open_socket()
        (cgroup / "cgroup.procs").write_text(str(os.getpid()))
    below.rmdir()
    assert (count(objs, "CREATED"), count(objs, "SECOND")) == (0, 1)


def test_a_program_that_is_not_shared_keeps_others_out(objs: Any, cgroup: Path) -> None:
    with (
        objs.Created.attach_without_link(cgroup, sharing=rt.CgroupSharing.NONE),
        pytest.raises(rt.AttachError, match=r"second to cgroup .*can't be shared \(EPERM\)"),
    ):
        objs.Second.attach(cgroup)


def test_what_is_no_cgroup_says_so(objs: Any, cgroup: Path, tmp_path: Path) -> None:
    wrong = cgroup.with_name(f"{cgroup.name}x")
    with pytest.raises(rt.AttachError, match=f"there is no such cgroup; .*{cgroup.name}") as raised:
        objs.Created.attach(wrong)
    assert raised.value.errno == errno.ENOENT
    with pytest.raises(rt.AttachError, match="no folder of a cgroup v2 file system"):
        objs.Created.attach(tmp_path)
