"""Running a program once, or often, on data of the caller: ``BPF_PROG_TEST_RUN``."""

import ctypes
import errno
import mmap
from typing import ClassVar, Generic, NamedTuple, Protocol, Self, TypeVar

from ebpfgen.runtime import kernel
from ebpfgen.runtime._libbpf import loaded as _loaded
from ebpfgen.runtime._libbpf.library import CallError
from ebpfgen.runtime.codec import Buffer
from ebpfgen.runtime.errors import BpfError, NotSupportedError

_ENOTSUPP = 524  # include/linux/errno.h of the kernel
_RUN_ON_CPU = 1  # BPF_F_TEST_RUN_ON_CPU

# A program can make a packet longer by less than this: tail and head room of XDP, BPF_SKB_MAX_LEN.
_MOST_GROWTH = 16 * mmap.PAGESIZE
# More than struct __sk_buff, the largest context. The kernel writes the whole of its own, which may
# have grown since the caller's.
_LARGEST_CONTEXT = 256
_ETHERNET_HEADER = 14

# BPF_PROG_TYPE_*. The first three get their context where it was given, or not at all.
_RAW_TRACEPOINT, _RAW_TRACEPOINT_WRITABLE, _SYSCALL, _TRACING, _SK_LOOKUP = 17, 24, 31, 26, 30
_NO_OUTPUT = (_RAW_TRACEPOINT, _RAW_TRACEPOINT_WRITABLE, _SYSCALL)
_PACKET = "a packet of 14 bytes or more as data"
_TAKES = {
    _RAW_TRACEPOINT: "its arguments as ctx, u64 each, and neither data nor repeat",
    _RAW_TRACEPOINT_WRITABLE: "its arguments as ctx, u64 each, and neither data nor repeat",
    _SYSCALL: "a ctx of the size it reads, and neither data nor repeat",
    _SK_LOOKUP: "a struct bpf_sk_lookup as ctx, with its family, and no data",
}


class Context(Protocol):
    """A generated class for the struct that a program gets as its context."""

    SIZE: ClassVar[int]

    def pack(self) -> bytes:
        """Return the value as bytes."""

    @classmethod
    def unpack_from(cls, buffer: Buffer, offset: int = 0, /) -> Self:
        """Read the value at *offset* of *buffer*."""


C = TypeVar("C")


class RunResult(NamedTuple, Generic[C]):
    """What a test run gave back."""

    return_value: int
    """What the program returned, as a signed ``int``."""
    data: bytes
    """The data as the program left it: a packet, or the keys of a flow dissector."""
    ctx: C
    """The context as the program left it, of the type that was given; ``b""`` if none was."""
    duration: int
    """Nanoseconds that one run took, the mean of all; 0 for kinds the kernel does not time."""


def run_program(
    fd: int,
    kind: int,
    name: str,
    *,
    data: Buffer = b"",
    ctx: bytes = b"",
    repeat: int = 1,
    flags: int = 0,
    cpu: int | None = None,
    batch_size: int = 0,
) -> RunResult[bytes]:
    """Run a program of type *kind*; *name* is for errors.

    See :meth:`~ebpfgen.runtime.loaded_program.LoadedProgram.test_run`.
    """
    if repeat < 1:
        raise ValueError(f"can't test-run program {name} {repeat} times")
    given = bytes(memoryview(data))
    output = ctypes.create_string_buffer(len(given) + _MOST_GROWTH) if given else None
    context = ctypes.create_string_buffer(ctx, max(len(ctx), _LARGEST_CONTEXT)) if ctx else None
    options = _loaded.RunOptions(
        data_in=_address(ctypes.create_string_buffer(given, len(given)) if given else None),
        data_size_in=len(given),
        data_out=_address(output),
        data_size_out=len(output) if output else 0,
        ctx_in=_address(context),
        ctx_size_in=len(ctx),
        # Kinds that can't repeat refuse any count, and all take 0 for once.
        repeat=0 if repeat == 1 else repeat,
        flags=flags | (0 if cpu is None else _RUN_ON_CPU),
        cpu=cpu or 0,
        batch_size=batch_size,
    )
    if context and kind not in _NO_OUTPUT:
        options.ctx_out, options.ctx_size_out = options.ctx_in, len(context)
    try:
        _loaded.run_program(fd, options)
    except CallError as error:
        raise _run_error(error, kind, name, options) from error
    return RunResult(
        return_value=ctypes.c_int32(options.retval).value,
        data=output.raw[: options.data_size_out] if output else b"",
        ctx=context.raw[: len(ctx)] if context else b"",
        duration=options.duration,
    )


def _address(buffer: "ctypes.Array[ctypes.c_char] | None") -> ctypes.c_void_p | None:
    """Return a pointer that keeps *buffer* alive."""
    return None if buffer is None else ctypes.cast(buffer, ctypes.c_void_p)


def _run_error(error: CallError, kind: int, name: str, options: _loaded.RunOptions) -> BpfError:
    from ebpfgen.runtime import features

    feature = features.program_type(kind)
    attempt = f"can't test-run program {name}"
    # The kernel runs of these what traces its own test functions, and answers EFAULT to the rest.
    traces = kind == _TRACING and error.errno == errno.EFAULT
    if error.errno == _ENOTSUPP or traces:
        what = feature.name if feature else f"type {kind}"
        told = f"{attempt}: the kernel runs no {what} by itself, only where it is attached"
        return NotSupportedError(error.errno, told)
    reason = str(error)
    if error.errno in (errno.EPERM, errno.EACCES):
        needed = feature.capabilities if feature else ()
        reason = kernel.permission_hint("CAP_BPF", *needed)
    elif error.errno == errno.ENXIO:
        reason = f"there is no CPU {options.cpu}"
    elif error.errno == errno.EINVAL and kind in _TAKES:
        reason = f"this kind takes {_TAKES[kind]}"
    elif error.errno == errno.EINVAL and options.data_size_in < _ETHERNET_HEADER:
        reason = f"this kind takes {_PACKET}"
    elif error.errno == errno.EINVAL:
        reason = "the kernel refuses these arguments: flags, what is set in ctx, or all of a ctx"
    elif error.errno == errno.E2BIG:
        reason = "this kernel does not know all of these arguments"
    return BpfError(error.errno, f"{attempt}: {reason}")
