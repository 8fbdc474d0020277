"""What the kernel's refusals mean for maps: an errno becomes an exception that says what to do."""

import errno
import os
from pathlib import Path

from ebpfgen.runtime import kernel
from ebpfgen.runtime._libbpf.library import CallError
from ebpfgen.runtime.errors import BpfError, MapError, NotSupportedError
from ebpfgen.runtime.maps.constants import INDEXED, type_name
from ebpfgen.runtime.maps.info import MapInfo, facts_of_descriptor, is_open_for

ENOTSUPP = 524
"""The kernel's own errno for "not supported", which user space has no name for."""

_UNSUPPORTED = (ENOTSUPP, errno.EOPNOTSUPP)
_DENIED = (errno.EPERM, errno.EACCES)

_REASONS = {
    errno.EEXIST: "the key is there already",
    errno.ENOENT: "there is no such entry",
    errno.EBADF: "the descriptor given is closed, or not of what it takes",
    errno.ENOMEM: "the kernel has no memory for it, or a limit of its cgroup or memlock is met",
    errno.EBUSY: "it is in use; try again",
    errno.ENODEV: "there is no such CPU or network device",
}


def has_no_such_command(error: CallError) -> bool:
    """Return whether the kernel, or this type of map, has no such command.

    Kernels that do not know a command at all answer EINVAL.
    """
    return error.errno in (*_UNSUPPORTED, errno.EINVAL)


def cant(action: str, name: str, fd: int, info: MapInfo, error: CallError) -> BpfError:
    """Return the exception for *action* (``"write to"``) on a map."""
    kind = type_name(info.type)
    attempt = f"can't {action} map {name}"
    if error.errno in _UNSUPPORTED:
        reason = f"this kernel has no such operation for {kind} maps"
        return NotSupportedError(error.errno, f"{attempt}: {reason}")
    denied = error.errno in _DENIED
    reason = _why_denied(fd) if denied else _reason(error.errno, kind, info)
    return MapError(error.errno, f"{attempt}: {reason}")


def cant_open(error: CallError, name: str, path: str) -> MapError:
    """Return the exception for a pinned map that can't be opened."""
    reason = os.strerror(error.errno)
    if error.errno == errno.ENOENT:
        reason = "nothing is pinned there"
    elif error.errno in _DENIED and not kernel.on_bpf_filesystem(Path(path)):
        reason = "it is not in a BPF file system"
    elif error.errno in _DENIED and not os.access(path, os.R_OK | os.W_OK):
        reason = "the file's permissions forbid it"
    elif error.errno in _DENIED:
        reason = kernel.permission_hint()
    return MapError(error.errno, f"can't open {_named(name)}pinned at {path}: {reason}")


def cant_find(error: CallError, number: int) -> MapError:
    """Return the exception for an id that no map can be had by."""
    reason = os.strerror(error.errno)
    if error.errno == errno.ENOENT:
        reason = "there is no such map"
    elif error.errno in _DENIED:
        missing = kernel.missing_capabilities("CAP_SYS_ADMIN")
        reason = f"this process lacks {missing[0]}" if missing else kernel.permission_hint()
    return MapError(error.errno, f"can't open the map with id {number}: {reason}")


def cant_create(error: CallError, name: str, kind: int) -> BpfError:
    """Return the exception for a map that the kernel does not create."""
    reason = os.strerror(error.errno)
    if error.errno in _DENIED:
        reason = kernel.permission_hint()
    elif error.errno == errno.EINVAL:
        reason = f"the kernel takes no {type_name(kind)} map of these sizes and flags alone"
    elif error.errno == errno.ENOMEM:
        reason = _REASONS[error.errno]
    return MapError(error.errno, f"can't create a map like {name}: {reason}")


def cant_pin(error: CallError, name: str, path: Path) -> MapError:
    """Return the exception for a path that a map can't be pinned at."""
    reason = os.strerror(error.errno)
    if error.errno == errno.EEXIST:
        reason = "something is pinned there already: unpin or remove it first"
    elif error.errno == errno.ENOENT:
        reason = f"there is no folder {path.parent}"
    elif error.errno in _DENIED and not kernel.on_bpf_filesystem(path):
        reason = (
            f"{path.parent} is not in a BPF file system: mount -t bpf bpf {path.parent}, "
            "or pin below /sys/fs/bpf"
        )
    elif error.errno in _DENIED and "." in path.name:
        reason = "the kernel allows no dot in the name"
    elif error.errno in _DENIED:
        reason = kernel.permission_hint()
    return MapError(error.errno, f"can't pin map {name} at {path}: {reason}")


def _why_denied(fd: int) -> str:
    readable, writable = is_open_for(fd)
    if facts_of_descriptor(fd).get("frozen") == "1":
        return "it is frozen, which can't be undone"
    # The kernel forgets these flags of a map when it has made the descriptor.
    if not writable:
        return "it was created with the flag BPF_F_RDONLY, or opened with read_only"
    if not readable:
        return "it was created with the flag BPF_F_WRONLY"
    return kernel.permission_hint()


def _reason(number: int, kind: str, info: MapInfo) -> str:
    match number:
        case errno.E2BIG if info.type in INDEXED:
            return f"it has {info.max_entries} elements, the last is {info.max_entries - 1}"
        case errno.E2BIG:
            return f"the map is full ({info.max_entries} entries)"
        case errno.ENOSPC:
            return f"there is no room left in its {info.max_entries} entries"
        case errno.EINVAL:
            return f"{kind} maps do not take this key, this value or these flags"
    return _REASONS.get(number) or os.strerror(number)


def _named(name: str) -> str:
    return f"map {name} " if name else "the map "
