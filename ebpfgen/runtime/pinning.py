"""Names in a BPF file system, which keep what they name when its last program ends."""

import errno
import os
from pathlib import Path

from ebpfgen.runtime import kernel
from ebpfgen.runtime._libbpf import descriptors as _descriptors
from ebpfgen.runtime._libbpf.library import CallError
from ebpfgen.runtime.errors import BpfError

BPF_FILE_SYSTEM = "/sys/fs/bpf"


def pin(descriptor: int, path: str | os.PathLike[str], what: str) -> str:
    """Pin an object, which errors call *what*, and return the path.

    Folders that the path lacks are made.
    """
    place = os.fspath(path)
    try:
        Path(place).parent.mkdir(parents=True, exist_ok=True)
        _descriptors.pin(descriptor, place)
    except (CallError, OSError) as error:
        number = error.errno or errno.EIO
        reason = _why_not(number, place)
        raise BpfError(number, f"can't pin {what} to {place}: {reason}") from error
    return place


def unpin(path: str | os.PathLike[str], what: str) -> None:
    """Remove a name; what it named goes when nothing else holds it."""
    try:
        Path(path).unlink()
    except OSError as error:
        reason = os.strerror(error.errno or errno.EIO)
        raise BpfError(
            error.errno or errno.EIO, f"can't unpin {what} from {os.fspath(path)}: {reason}"
        ) from error


def open_pinned(path: str | os.PathLike[str], wanted: str) -> int:
    """Return a descriptor of what is pinned at *path*, which is to be a *wanted*: ``link``."""
    place = os.fspath(path)
    try:
        descriptor = _descriptors.get(place)
    except CallError as error:
        reason = os.strerror(error.errno)
        if error.errno == errno.EACCES:
            reason = kernel.permission_hint()
        elif error.errno == errno.ENOENT:
            reason = "nothing is pinned there"
        raise BpfError(
            error.errno, f"can't open the {wanted} pinned at {place}: {reason}"
        ) from error
    found = kind_of(descriptor)
    if found != wanted:
        os.close(descriptor)
        if found is None:
            reason = "/proc, which tells what it is, is not mounted"
            raise BpfError(errno.ENOENT, f"can't open the {wanted} pinned at {place}: {reason}")
        raise BpfError(errno.EINVAL, f"what is pinned at {place} is a {found}, and no {wanted}")
    return descriptor


def kind_of(descriptor: int) -> str | None:
    """``link``, ``map`` or ``prog`` for a BPF object's descriptor, else the file; None if unknown.

    That is where /proc is not mounted, or the descriptor is not open.
    """
    try:
        file = str(Path(f"/proc/self/fd/{descriptor}").readlink())
    except OSError:
        return None
    return file.removeprefix("anon_inode:bpf").lstrip("-_")


def _why_not(number: int, place: str) -> str:
    if number == errno.EEXIST:
        return "something is pinned there: unlink it first"
    if not kernel.on_bpf_filesystem(Path(place)):
        return (
            "that is not in a BPF file system: pin to "
            f"{BPF_FILE_SYSTEM}, or mount -t bpf bpf {BPF_FILE_SYSTEM}"
        )
    if number in (errno.EPERM, errno.EACCES):
        return kernel.permission_hint()
    return os.strerror(number)
