"""What the kernel knows of a loaded program, and how long it ran."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from ebpfgen.runtime import kernel
from ebpfgen.runtime._libbpf import loaded as _loaded
from ebpfgen.runtime._libbpf.library import CallError
from ebpfgen.runtime.errors import BpfError, NotSupportedError


class ProgramInfo(NamedTuple):
    """A program, as the kernel has it at one moment: ``struct bpf_prog_info``.

    What a kernel does not count, for it is too old, is 0. The fields about time are nanoseconds.
    """

    id: int
    """Its number in this kernel, as ``bpftool prog`` lists it."""
    type: int
    """The kernel's ``BPF_PROG_TYPE_*``."""
    name: str
    """The C function's name, its first 15 characters."""
    tag: str
    """A hash of its instructions, in hexadecimal."""
    load_time: int
    """When it was loaded, since the machine started: ``CLOCK_BOOTTIME``."""
    created_by_uid: int
    """The user who loaded it."""
    map_ids: tuple[int, ...]
    """The numbers of the maps it uses."""
    btf_id: int
    """The number of its types, 0 if it has none."""
    xlated_size: int
    """Bytes of BPF instructions, as the verifier left them; 0 for who may not see them."""
    jited_size: int
    """Bytes of machine code; 0 for who may not see it, or where the kernel interprets BPF."""
    run_time_ns: int
    """How long it ran, all runs together, while statistics were on: :func:`enable_stats`."""
    run_count: int
    """How often it ran while statistics were on."""
    recursion_misses: int
    """How often it did not run since it was running on that CPU already (Linux 5.12)."""
    verified_insns: int
    """How many instructions the verifier looked at (Linux 5.16)."""


def program_info(fd: int, name: str) -> ProgramInfo:
    """Return what the kernel knows of a program; *name* is for the error. Raises BpfError."""
    try:
        info, map_ids = _loaded.program_info(fd)
    except CallError as error:
        raise BpfError(error.errno, f"can't ask the kernel of program {name}: {error}") from error
    return ProgramInfo(
        id=info.id,
        type=info.type,
        name=info.name.decode(errors="replace"),
        tag=bytes(info.tag).hex(),
        load_time=info.load_time,
        created_by_uid=info.created_by_uid,
        map_ids=tuple(map_ids),
        btf_id=info.btf_id,
        xlated_size=info.xlated_prog_len,
        jited_size=info.jited_prog_len,
        run_time_ns=info.run_time_ns,
        run_count=info.run_cnt,
        recursion_misses=info.recursion_misses,
        verified_insns=info.verified_insns,
    )


@contextmanager
def enable_stats() -> Iterator[None]:
    """Have the kernel count and time the runs of all programs inside this ``with`` block.

    Reading the clock makes each run a little slower. ``program.info`` has the result.

    Raises NotSupportedError before Linux 5.8, BpfError if this process may not do it.
    """
    try:
        fd = _loaded.enable_run_time_statistics()
    except CallError as error:
        attempt = "can't enable run-time statistics"
        if error.errno == errno.EPERM:
            hint = kernel.permission_hint("CAP_SYS_ADMIN")
            raise BpfError(error.errno, f"{attempt}: {hint}") from error
        if error.errno == errno.EINVAL:
            raise NotSupportedError(error.errno, f"{attempt}: it takes Linux 5.8") from error
        raise BpfError(error.errno, f"{attempt}: {error}") from error
    try:
        yield
    finally:
        os.close(fd)
