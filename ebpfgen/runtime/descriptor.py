"""File descriptors as arguments: a number, a program, map or link, a socket or file, a path."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol, runtime_checkable


@runtime_checkable
class HasFd(Protocol):
    """What has a descriptor as ``fd``: programs and maps."""

    @property
    def fd(self) -> int:
        """The descriptor."""


@runtime_checkable
class HoldsFd(HasFd, Protocol):
    """A program, map or link of this runtime, which another thread may close."""

    def held_fd(self) -> AbstractContextManager[int]:
        """Give the descriptor, which is not closed inside the ``with`` block."""


@runtime_checkable
class HasFileno(Protocol):
    """What has a descriptor as files and sockets have."""

    def fileno(self) -> int:
        """Return the descriptor."""


Descriptor = int | HasFd | HasFileno
"""A descriptor."""

File = int | HasFileno | str | os.PathLike[str]
"""A descriptor of a file or folder, or its path."""


_MOST = (1 << 31) - 1


def number_of(descriptor: Descriptor) -> int:
    """The number of a descriptor.

    Raises ValueError if it is out of range (negative, as that of a closed file), TypeError for an
    object that has none.
    """
    match descriptor:
        case int():
            number = descriptor
        case HasFd():
            number = descriptor.fd
        case HasFileno():
            number = descriptor.fileno()
        case _:
            raise TypeError(f"{descriptor!r} has no descriptor")
    if not 0 <= number <= _MOST:
        raise ValueError(f"{number} is not a file descriptor")
    return number


@contextmanager
def held_fd(descriptor: Descriptor) -> Iterator[int]:
    """Give the number of a descriptor; a program, map or link stays open inside the block.

    Raises what :func:`number_of` does, StateError for a program, map or link that is closed.
    """
    if isinstance(descriptor, HoldsFd):
        with descriptor.held_fd() as number:
            yield number
    else:
        yield number_of(descriptor)


@contextmanager
def opened_file(where: File, flags: int = os.O_RDONLY) -> Iterator[int]:
    """Give a file's descriptor; one by its path is open for as long as the block runs."""
    if not isinstance(where, str | os.PathLike):
        yield number_of(where)
        return
    fd = os.open(where, flags | os.O_CLOEXEC)
    try:
        yield fd
    finally:
        os.close(fd)
