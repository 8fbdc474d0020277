"""Facts of the running kernel and this process, for errors that say what to do."""

import ctypes
import errno
import os
import re
import struct
import sys
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

TRACEFS = Path("/sys/kernel/tracing")
_TRACEFS_PLACES = (TRACEFS, Path("/sys/kernel/debug/tracing"))

# Bit numbers of include/uapi/linux/capability.h.
_CAPABILITIES = {"CAP_NET_ADMIN": 12, "CAP_SYS_ADMIN": 21, "CAP_PERFMON": 38, "CAP_BPF": 39}
_CAPABILITY_VERSION_3 = 0x20080522
_PART_OF_SYS_ADMIN = ("CAP_PERFMON", "CAP_BPF")
_SPLIT_SINCE = (5, 8)

BTF = Path("/sys/kernel/btf/vmlinux")

_BPF_FS_MAGIC = 0xCAFE4A11  # include/uapi/linux/magic.h

ENOTSUPP = 524
"""The kernel's own ENOTSUPP, of include/linux/errno.h, which C libraries do not know."""

# Where Python has none, or the name of an alias.
_KERNELS_OWN = {ENOTSUPP: "ENOTSUPP", errno.EOPNOTSUPP: "EOPNOTSUPP"}

# What precedes sys_NAME in the symbol of a system call: each architecture's syscall_wrapper.h.
_SYSCALL_PREFIXES = {
    "x86_64": "__x64_",
    "i386": "__ia32_",
    "i686": "__ia32_",
    "aarch64": "__arm64_",
    "s390x": "__s390x_",
    "riscv64": "__riscv_",
}


# What compilers put before a function under a name of its own: no place to attach to.
_PADDING = ("__pfx_", "__cfi_")


def release() -> tuple[int, int]:
    """Return the kernel's version, major and minor."""
    major, minor = re.findall(r"\d+", os.uname().release)[:2]
    return int(major), int(minor)


def has_security_module(name: str) -> bool:
    """Return whether a security module is active; True where that is nowhere to be read."""
    place = Path("/sys/kernel/security/lsm")
    return not _readable(place) or name in place.read_text().split(",")


def too_old(what: str, major: int, minor: int) -> str:
    """Say that *what* came with a later version than this kernel's; empty if it did not.

    For errors alone, not to ask before: distributions give older versions what newer ones have.
    """
    if release() >= (major, minor):
        return ""
    return f"{what} came with Linux {major}.{minor}, and this is {os.uname().release}"


@cache
def lacks_option(option: str) -> bool:
    """Return whether this kernel is known to be built without an option: ``CONFIG_FPROBE``.

    False where its configuration is nowhere to be read.
    """
    import gzip

    for place, open_file in (
        (Path("/proc/config.gz"), gzip.open),
        (Path(f"/boot/config-{os.uname().release}"), open),
    ):
        if _readable(place):
            with open_file(place, "rt") as lines:
                return not any(line.startswith(f"{option}=") for line in lines)
    return False


def missing_capabilities(*names: str) -> list[str]:
    """Return which of these capabilities this process lacks.

    CAP_SYS_ADMIN includes CAP_BPF and CAP_PERFMON, which were split off from it in Linux 5.8, and
    is what all of BPF needs before.
    """
    mask = _effective_capabilities()
    held = {name for name, number in _CAPABILITIES.items() if mask >> number & 1}
    if "CAP_SYS_ADMIN" in held:
        held.update(_PART_OF_SYS_ADMIN)
    elif release() < _SPLIT_SINCE:
        return ["CAP_SYS_ADMIN"]
    return [name for name in names if name not in held]


def permission_hint(*capabilities: str) -> str:
    """Say why the kernel answers EPERM or EACCES to this process, and what to do.

    *capabilities* are those that were needed, by default those of tracing.
    """
    missing = missing_capabilities(*capabilities or ("CAP_BPF", "CAP_PERFMON"))
    if missing:
        return (
            f"this process lacks {listed(missing)}: run it as root (sudo), or add what it lacks "
            "to its service or container"
        )
    if _in_user_namespace():
        return (
            "this process is in a user namespace, whose capabilities do not count here: run it as "
            "root outside of it"
        )
    return (
        "this process has the capabilities, so a security module, a container's seccomp filter or "
        "kernel lockdown forbids it"
    )


def on_bpf_filesystem(path: Path) -> bool:
    """Return whether a file at *path*, there or not, is or would be one of a BPF filesystem.

    That is in ``struct statfs``, which Python's own statvfs() leaves out.
    """
    # The type is the first word on every architecture; 256 bytes are more than any has.
    buffer = (ctypes.c_ulong * 32)()
    statfs = ctypes.CDLL(None).statfs
    places = (path.absolute(), *path.absolute().parents)
    if all(statfs(os.fsencode(place), buffer) != 0 for place in places):
        return False
    return buffer[0] & 0xFFFFFFFF == _BPF_FS_MAGIC


def tracefs() -> Path | None:
    """Return where tracefs is mounted and readable, None if it is not."""
    return next((place for place in _TRACEFS_PLACES if _readable(place / "trace_pipe")), None)


def has_kprobes() -> bool:
    """Return whether this kernel was built with kprobes that perf or tracefs can set."""
    if Path("/sys/bus/event_source/devices/kprobe").exists():
        return True
    place = tracefs()
    return place is not None and (place / "kprobe_events").exists()


def syscall_symbol(symbol: str) -> str | None:
    """Return the symbol this platform gives to ``sys_NAME``; None if it is that itself.

    On x86-64, ``sys_execve`` is ``__x64_sys_execve``.
    """
    prefix = _SYSCALL_PREFIXES.get(os.uname().machine)
    if prefix is None or not symbol.startswith("sys_"):
        return None
    return prefix + symbol


def errno_name(number: int) -> str:
    """Return the name of an errno as the kernel has it: ``EINVAL``."""
    return _KERNELS_OWN.get(number) or errno.errorcode.get(number, str(number))


def errno_text(number: int) -> str:
    """Return what an errno means."""
    return "this kernel does not support it" if number == ENOTSUPP else os.strerror(number)


def similar_functions(symbol: str, *, prefix: str = "") -> list[str]:
    """Return the kernel's functions with names most like *symbol*, best first.

    With a *prefix*, of those that have it, and without it.
    """
    names = [name.removeprefix(prefix) for name in _functions() if name.startswith(prefix)]
    return similar(symbol, names)


def missing_functions(names: Iterable[str]) -> list[str]:
    """Return which of *names* are no functions of the kernel's own."""
    known = set(_functions())
    return [name for name in names if name not in known]


def similar_tracepoints(event: str) -> list[str]:
    """Return the kernel's tracepoints most like *event*, best first.

    They are named as it is: ``category/name``, or the name alone.
    """
    place = tracefs()
    if place is None:
        return []
    events = (place / "available_events").read_text().split()
    if "/" in event:
        return similar(event, [line.replace(":", "/", 1) for line in events])
    return similar(event, {line.partition(":")[2] for line in events})


def similar(wanted: str, names: Iterable[str]) -> list[str]:
    """Return the names most like *wanted*, best first, three at most."""
    # Comparing every name of a kernel takes seconds; those that share a word are few.
    import difflib

    words = {word for word in wanted.replace("/", "_").split("_") if len(word) > 2}
    likely = {name for name in names if any(word in name for word in words)}
    if not likely:
        likely = {name for name in names if name[:4] == wanted[:4]}
    return difflib.get_close_matches(wanted, sorted(likely), n=3, cutoff=0.6)


@cache
def _functions() -> tuple[str, ...]:
    """Return the names of the kernel's own functions (those of modules are left out)."""
    try:
        symbols = Path("/proc/kallsyms").read_text(errors="replace")
    except OSError:
        return ()
    functions = set()
    for line in symbols.splitlines():
        fields = line.split()
        if len(fields) == 3 and fields[1] in "tTwW" and not fields[2].startswith(_PADDING):
            functions.add(fields[2])
    return tuple(sorted(functions))


def _effective_capabilities() -> int:
    """The capabilities of this process, as bits: capget(2), which needs no /proc."""
    header = struct.pack("=Ii", _CAPABILITY_VERSION_3, 0)
    data = ctypes.create_string_buffer(24)  # struct __user_cap_data_struct, for each 32 bits
    if ctypes.CDLL(None).capget(header, data) != 0:
        return 0
    low, high = struct.unpack_from("=I8xI", data)
    return int(low | high << 32)


def _in_user_namespace() -> bool:
    """Whether users are mapped here; False where /proc does not say."""
    try:
        mapping = Path("/proc/self/uid_map").read_text()
    except OSError:
        return False
    return mapping.split() != ["0", "0", str((1 << 32) - 1)]


def listed(names: Sequence[str]) -> str:
    """Return ``a``, ``a and b``, ``a, b and c``."""
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _readable(path: Path) -> bool:
    return os.access(path, os.R_OK)


def machine() -> str:
    """Return this machine as a person would name it: ``x86_64, little endian``."""
    return f"{os.uname().machine}, {sys.byteorder} endian"
