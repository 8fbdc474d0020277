"""A TCP congestion control in BPF: registered, used by a connection, and gone again."""

import socket
from contextlib import closing

from ebpfgen import runtime as rt

from .loading import error_of, loaded

NAME = b"steady"
SENT = b"x" * 100_000


def transfer() -> None:
    """Send something over a connection that has the congestion control."""
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.socket() as client,
    ):
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, NAME)
        client.connect(server.getsockname())
        with closing(server.accept()[0]) as accepted:
            client.settimeout(60)
            accepted.settimeout(60)
            left = len(SENT)
            client.sendall(SENT[:50_000])
            while left > 50_000:
                left -= len(accepted.recv(65536))
            client.sendall(SENT[50_000:])
            while left:
                left -= len(accepted.recv(65536))


def check_it_is_there_for_as_long_as_its_link_is_open() -> None:
    with loaded("congestion") as objs:
        assert isinstance(error_of(transfer), FileNotFoundError)
        with objs.Steady.attach() as link:
            assert link.program == "steady"
            transfer()
            assert objs.Acknowledged.value > 0
            error = error_of(lambda: link.info)
            assert isinstance(error, rt.NotSupportedError), error
        assert isinstance(error_of(transfer), FileNotFoundError)


def check_attach_of_the_whole_registers_it_once() -> None:
    with loaded("congestion") as objs, objs.attach() as links:
        assert [link.program for link in links] == ["steady"]
        transfer()
        assert len(objs.attach()) == 0


def check_a_name_that_is_taken_is_an_error() -> None:
    with loaded("congestion") as first, first.Steady.attach(), loaded("congestion") as second:
        error = error_of(second.Steady.attach)
        assert isinstance(error, rt.AttachError), error
        assert "can't attach struct_ops steady: the kernel has one of that name" in str(error), (
            error
        )


def check_a_program_of_it_says_what_to_attach() -> None:
    with loaded("congestion") as objs:
        error = error_of(objs.Avoid.attach)
        assert isinstance(error, rt.NotSupportedError), error
        assert "attach() is that of the struct_ops map" in str(error), error
