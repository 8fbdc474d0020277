"""What maps of the kernel's own objects take: a descriptor, by its number or by what has one."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, runtime_checkable


@runtime_checkable
class HasFd(Protocol):
    """What has a descriptor as ``fd``: programs and maps."""

    @property
    def fd(self) -> int:
        """The descriptor."""


@runtime_checkable
class HasFileno(Protocol):
    """What has a descriptor as files and sockets have."""

    def fileno(self) -> int:
        """Return the descriptor."""


Descriptor = int | HasFd | HasFileno
"""A descriptor."""

File = int | HasFileno | str | os.PathLike[str]
"""A descriptor of a file or folder, or its path."""


def number_of(descriptor: Descriptor) -> int:
    """Return the number of a descriptor. Raises ValueError if it is negative, as of a closed file.

    Raises TypeError for what has none.
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
    if number < 0:
        raise ValueError(f"{number} is no descriptor")
    return number


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
