"""What programs are attached to, by the names people give it: interfaces, cgroups, namespaces."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ebpfgen.runtime.errors import BpfError

_OWN_NAMESPACE = "/proc/self/ns/net"
_NAMED_NAMESPACES = "/run/netns"  # of ip-netns(8)


def interface_index(interface: str | int) -> int:
    """Return the index of a network interface. Raises BpfError naming those there are."""
    import socket

    known = {name: index for index, name in socket.if_nameindex()}
    if isinstance(interface, int):
        if interface in known.values():
            return interface
    elif interface in known:
        return known[interface]
    raise BpfError(
        errno.ENODEV,
        f"there is no such interface in this network namespace; {_nearest(interface, known)}",
    )


def interface_name(index: int) -> str:
    """Return an interface as a person names it: by its name, or its index if it has gone."""
    import socket

    try:
        return socket.if_indextoname(index)
    except OSError:
        return str(index)


@contextmanager
def opened_cgroup(cgroup: str | os.PathLike[str] | int) -> Iterator[int]:
    """Give a descriptor of a cgroup's folder; one that is passed stays open.

    Raises BpfError if there is no such folder.
    """
    if isinstance(cgroup, int):
        yield cgroup
        return
    with _opened(os.fspath(cgroup), "cgroup", os.O_DIRECTORY) as descriptor:
        yield descriptor


@contextmanager
def opened_netns(netns: str | os.PathLike[str] | int | None) -> Iterator[int]:
    """Give a descriptor of a network namespace; one that is passed stays open.

    None is this process's, a name without a slash that of ``ip netns``. Raises BpfError if there
    is no such file.
    """
    if isinstance(netns, int):
        yield netns
        return
    path = _OWN_NAMESPACE if netns is None else os.fspath(netns)
    if "/" not in path:
        path = f"{_NAMED_NAMESPACES}/{path}"
    with _opened(path, "network namespace", 0) as descriptor:
        yield descriptor


@contextmanager
def _opened(path: str, what: str, flags: int) -> Iterator[int]:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | flags)
    except OSError as error:
        number = error.errno or errno.EIO
        raise BpfError(number, _no_file(number, path, what)) from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _no_file(number: int, path: str, what: str) -> str:
    if number not in (errno.ENOENT, errno.ENOTDIR):
        return os.strerror(number)
    folder = Path(path).parent
    others = sorted(other.name for other in folder.glob("*")) if folder.is_dir() else []
    if what == "cgroup":
        others = [name for name in others if (folder / name).is_dir()]
    return f"there is no such {what}; " + (
        f"{folder} has {', '.join(others[:8])}" if others else f"{folder} has none"
    )


def _nearest(interface: str | int, known: dict[str, int]) -> str:
    """Name the interfaces like the one asked for, or, if none is, the first ones."""
    import difflib

    close = difflib.get_close_matches(str(interface), known, n=3)
    if close:
        return f"close: {', '.join(close)}"
    return f"there are {', '.join(f'{name} ({index})' for name, index in list(known.items())[:8])}"
