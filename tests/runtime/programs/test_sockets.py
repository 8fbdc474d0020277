"""Programs of one socket, of sockets that share a port or a map, and of a network namespace."""

import errno
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ebpfgen import runtime as rt

from .conftest import Load, eventually


@pytest.fixture
def udp(network: None) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.bind(("127.0.0.1", 0))
        made.settimeout(60)
        yield made


@pytest.fixture
def stream(network: None) -> Iterator[tuple[socket.socket, socket.socket]]:
    """Give both ends of a TCP connection."""
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname(), timeout=60) as client,
        closing(server.accept()[0]) as accepted,
    ):
        accepted.settimeout(2)
        yield client, accepted


def put(bpf_map: Any, index: int, made: socket.socket) -> None:
    """Put a socket into a map of sockets."""
    value = made.fileno().to_bytes(8, sys.byteorder)
    bpf_map._elements.update(index.to_bytes(4, sys.byteorder), value)


class TestSocketFilter:
    @pytest.fixture
    def objs(self, network: None, load: Load) -> Any:
        return load("socket_filter")

    def test_it_says_how_much_of_a_packet_is_received(self, objs: Any, udp: socket.socket) -> None:
        objs.Keep.value = 8 + 3  # the header of UDP, and three bytes
        with objs.Filtered.attach(udp) as attached:
            assert attached.target == f"socket {udp.fileno()}"
            udp.sendto(b"abcdef", udp.getsockname())
            assert udp.recv(100) == b"abc"
        udp.sendto(b"abcdef", udp.getsockname())
        assert udp.recv(100) == b"abcdef"
        assert objs.Count.value == 1

    def test_a_descriptor_does_for_a_socket(self, objs: Any, udp: socket.socket) -> None:
        objs.Filtered.attach(udp.fileno())
        udp.sendto(b"abcdef", udp.getsockname())
        assert eventually(lambda: objs.Count.value == 1)

    def test_closing_after_the_socket_is_closed_is_fine(self, objs: Any) -> None:
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        attached = objs.Filtered.attach(made)
        made.close()
        attached.close()

    def test_what_is_no_socket_says_so(self, objs: Any, udp: socket.socket) -> None:
        read, write = os.pipe()
        with pytest.raises(rt.AttachError, match=f"filtered to socket {read}: it is no open") as e:
            objs.Filtered.attach(read)
        assert e.value.errno == errno.ENOTSOCK
        os.close(read)
        os.close(write)
        udp.setsockopt(socket.SOL_SOCKET, 44, 1)  # SO_LOCK_FILTER
        with pytest.raises(rt.AttachError, match=r"the socket's filter is locked .*EPERM"):
            objs.Filtered.attach(udp)


class TestSkReuseport:
    @pytest.fixture
    def objs(self, network: None, load: Load) -> Any:
        return load("sk_reuseport")

    def test_it_chooses_among_the_sockets_of_a_port(self, objs: Any) -> None:
        with (
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as first,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as second,
        ):
            for made in (first, second):
                made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
                made.settimeout(60)
            first.bind(("127.0.0.1", 0))
            second.bind(first.getsockname())
            put(objs.Group, 0, first)
            put(objs.Group, 1, second)
            with objs.Chosen.attach(first):
                for choice, made in enumerate((first, second)):
                    objs.Choice.value = choice
                    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                        sender.sendto(bytes([choice]), first.getsockname())
                    assert made.recv(1) == bytes([choice])
            assert objs.Count.value == 2

    def test_a_socket_of_no_group_is_told_how_to_be_one(
        self, objs: Any, udp: socket.socket
    ) -> None:
        with pytest.raises(rt.AttachError, match="set SO_REUSEPORT on the socket first"):
            objs.Chosen.attach(udp)


class TestSockmap:
    def test_what_is_sent_is_seen_and_may_be_refused(
        self, load: Load, stream: tuple[socket.socket, socket.socket]
    ) -> None:
        objs = load("sk_msg")
        client, accepted = stream
        with objs.Message.attach(objs.Sockets) as attached:
            assert attached.target == "sockmap sockets"
            put(objs.Sockets, 0, client)
            client.sendall(b"abc")
            assert accepted.recv(100) == b"abc"
            objs.Refuse.value = True
            with pytest.raises(PermissionError):
                client.sendall(b"def")
        assert objs.Count.value == 2

    def test_what_is_received_is_parsed_and_judged(
        self, load: Load, stream: tuple[socket.socket, socket.socket]
    ) -> None:
        objs = load("sk_skb")
        client, accepted = stream
        with objs.Parsed.attach(objs.Sockets), objs.Verdict.attach(objs.Sockets.fd):
            put(objs.Sockets, 0, accepted)
            client.sendall(b"abc")
            assert eventually(lambda: objs.VerdictCount.value == 1)
            assert accepted.recv(100) == b"abc"
            objs.Refuse.value = True
            client.sendall(b"def")
            assert eventually(lambda: objs.VerdictCount.value == 2)
            with pytest.raises(TimeoutError):
                accepted.recv(100)
        assert objs.ParsedCount.value == 2

    def test_what_is_no_sockmap_says_so(self, load: Load) -> None:
        objs, other = load("sk_msg"), load("sk_reuseport")
        with pytest.raises(
            rt.AttachError, match=r"sockmap group: it is no sockmap.*\(EOPNOTSUPP\)"
        ):
            objs.Message.attach(other.Group)


class TestNetworkNamespace:
    @pytest.fixture
    def objs(self, network: None, load: Load) -> Any:
        return load("sk_lookup")

    def test_connections_are_seen_and_may_be_refused(self, objs: Any) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            objs.OnlyPort.value = server.getsockname()[1]
            with objs.LookedUp.attach() as link:
                assert link.target == "network namespace this one"
                socket.create_connection(server.getsockname(), timeout=60).close()
                assert objs.Count.value >= 1
                objs.Refuse.value = True
                with pytest.raises(ConnectionRefusedError):
                    socket.create_connection(server.getsockname(), timeout=60)
                info = link.info
            assert isinstance(info, rt.NetnsLinkInfo)
            assert info.netns == Path("/proc/thread-self/ns/net").stat().st_ino
            socket.create_connection(server.getsockname(), timeout=60).close()

    def test_a_namespace_is_named_by_a_path_or_descriptor(self, objs: Any) -> None:
        path = "/proc/thread-self/ns/net"
        descriptor = os.open(path, os.O_RDONLY)
        for netns in (path, descriptor):
            with objs.LookedUp.attach(netns) as link:
                assert isinstance(link.info, rt.NetnsLinkInfo)
                assert link.info.netns == Path(path).stat().st_ino
        os.close(descriptor)

    def test_what_is_no_namespace_says_so(self, objs: Any) -> None:
        with pytest.raises(rt.AttachError, match=r"no such network namespace; /run/netns has"):
            objs.LookedUp.attach("no-such-name")


class TestFlowDissector:
    @pytest.fixture
    def objs(self, network: None, load: Load) -> Any:
        return load("flow_dissector")

    def test_headers_are_dissected(self, objs: Any, udp: socket.socket) -> None:
        with objs.Dissected.attach() as link:
            assert link.info.attach_type == rt.AttachType.FLOW_DISSECTOR
            # The kernel dissects what has no port of its own, such as what goes to a packet socket.
            with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as out:
                out.bind(("lo", 0))
                out.send(b"\0" * 12 + b"\x08\0" + b"\x45" + b"\0" * 60)
            assert eventually(lambda: objs.Count.value >= 1)

    def test_there_is_one_dissector(self, objs: Any, load: Load) -> None:
        other = load("flow_dissector")
        with (
            objs.Dissected.attach(),
            pytest.raises(rt.AttachError, match="it has as many programs of this kind"),
        ):
            other.Dissected.attach()
