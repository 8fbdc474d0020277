"""Programs of one socket, or of a group of sockets that share a port."""

import contextlib
import errno
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Protocol

from ebpfgen.runtime.handle import AttachableMember, Member
from ebpfgen.runtime.link import Attachment
from ebpfgen.runtime.programs.base import Program

if TYPE_CHECKING:
    import socket

# include/uapi/asm-generic/socket.h; sparc and parisc have others.
_SOL_SOCKET = 1
_ATTACH_BPF, _DETACH_FILTER = 50, 27
_ATTACH_REUSEPORT_EBPF, _DETACH_REUSEPORT_BPF = 52, 68


class HasFileno(Protocol):
    """A socket, or something made of one."""

    def fileno(self) -> int:
        """Return its descriptor, -1 once it is closed."""


class SocketProgram(Program):
    """A program that is attached to a socket by an option of it."""

    capabilities: ClassVar[tuple[str, ...]] = ()
    _attach_option: ClassVar[int]
    _detach_option: ClassVar[int]

    def attach(self, to: HasFileno | int) -> Attachment:
        """Attach to a socket, or its descriptor.

        The program stays with the socket when the process that attached it ends. close() does
        nothing once the socket is closed; of a descriptor it can't tell, so close it before.

        Raises AttachError if it is no socket, or its kind takes no such program.
        """
        self._check_loaded()
        descriptor = to if isinstance(to, int) else to.fileno()
        target = f"socket {descriptor}"
        try:
            with self.held_fd() as program, _borrowed(descriptor) as borrowed:
                borrowed.setsockopt(_SOL_SOCKET, self._attach_option, program)
        except OSError as error:
            raise self._error(error, target, self._why_not(error)) from error

        def detach() -> None:
            if isinstance(to, int) or to.fileno() == descriptor:
                with _borrowed(descriptor) as borrowed:
                    borrowed.setsockopt(_SOL_SOCKET, self._detach_option, 0)

        return self._owner.keep(Attachment(self.name, target, detach))

    def _why_not(self, error: OSError) -> str:
        if error.errno in (errno.EBADF, errno.ENOTSOCK):
            return "it is no open socket"
        return ""


class SocketFilter(SocketProgram):
    """A program that says how many bytes of a packet the socket receives, 0 for none of it."""

    _attach_option = _ATTACH_BPF
    _detach_option = _DETACH_FILTER

    def _why_not(self, error: OSError) -> str:
        if error.errno == errno.EPERM:
            return "the socket's filter is locked (SO_LOCK_FILTER)"
        return super()._why_not(error)


class SkReuseport(SocketProgram):
    """A program that chooses among the sockets that share a port with SO_REUSEPORT.

    Attached to one of them it chooses for the whole group.
    """

    _attach_option = _ATTACH_REUSEPORT_EBPF
    _detach_option = _DETACH_REUSEPORT_BPF

    def _why_not(self, error: OSError) -> str:
        if error.errno == errno.EINVAL:
            return "set SO_REUSEPORT on the socket first, and bind it"
        return super()._why_not(error)


@contextlib.contextmanager
def _borrowed(descriptor: int) -> "Iterator[socket.socket]":
    """Give a descriptor as a socket, and leave it open."""
    import socket

    borrowed = socket.socket(fileno=descriptor)
    try:
        yield borrowed
    finally:
        borrowed.detach()


def socket_filter(name: str) -> Member[SocketFilter]:
    """Declare a socket filter."""
    return AttachableMember(name, SocketFilter)


def sk_reuseport(name: str) -> Member[SkReuseport]:
    """Declare a program that chooses among sockets of a port."""
    return AttachableMember(name, SkReuseport)
