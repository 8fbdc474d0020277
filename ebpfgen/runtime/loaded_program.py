"""What can be done with any loaded program, whichever process loaded it."""

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Self, TypeVar, overload

from ebpfgen.runtime import kernel, pinning
from ebpfgen.runtime._libbpf import descriptors as _descriptors
from ebpfgen.runtime._libbpf.library import CallError
from ebpfgen.runtime.codec import Buffer
from ebpfgen.runtime.errors import BpfError
from ebpfgen.runtime.lifetime import Lifetime, close_when_dropped
from ebpfgen.runtime.options import StrPath
from ebpfgen.runtime.program_info import ProgramInfo, program_info
from ebpfgen.runtime.testrun import Context, RunResult, run_program

ContextT = TypeVar("ContextT", bound=Context)


class LoadedProgram:
    """A program in the kernel."""

    name: str

    @property
    def fd(self) -> int:
        """The program's file descriptor. Raises StateError if it has none (any more)."""
        raise NotImplementedError

    def held_fd(self) -> contextlib.AbstractContextManager[int]:
        """Give :attr:`fd`, which is not closed inside the ``with`` block."""
        raise NotImplementedError

    @property
    def info(self) -> ProgramInfo:
        """What the kernel knows of the program now."""
        with self.held_fd() as fd:
            return program_info(fd, self.name)

    @overload
    def test_run(
        self,
        data: Buffer = b"",
        *,
        ctx: ContextT,
        repeat: int = 1,
        flags: int = 0,
        cpu: int | None = None,
        batch_size: int = 0,
    ) -> RunResult[ContextT]: ...

    @overload
    def test_run(
        self,
        data: Buffer = b"",
        *,
        ctx: bytes = b"",
        repeat: int = 1,
        flags: int = 0,
        cpu: int | None = None,
        batch_size: int = 0,
    ) -> RunResult[bytes]: ...

    def test_run(
        self,
        data: Buffer = b"",
        *,
        ctx: ContextT | bytes = b"",
        repeat: int = 1,
        flags: int = 0,
        cpu: int | None = None,
        batch_size: int = 0,
    ) -> RunResult[ContextT] | RunResult[bytes]:
        """Run the program, without attaching it, on *data* and a context.

        What they must be depends on the kind of program. One that looks at packets takes a packet
        of 14 bytes or more with its Ethernet header, and as *ctx*, if at all, a ``struct xdp_md``
        or ``__sk_buff``; a raw tracepoint its arguments, as ``u64``, for *ctx*, and a *cpu* to run
        on; ``SEC("syscall")`` its own struct. *ctx* is bytes or a value of a generated class, and
        the result has the same. *repeat* says how often to run it, *flags* are the kernel's
        ``BPF_F_TEST_…``, *batch_size* how many frames ``BPF_F_TEST_XDP_LIVE_FRAMES`` sends at once.

        Raises NotSupportedError for a kind that the kernel can't run so (kprobes, tracepoints …),
        BpfError if it refuses the arguments or is interrupted, StateError if the program is gone.
        """
        context = _context_bytes(ctx)
        with self.held_fd() as fd:
            result = run_program(
                fd,
                program_info(fd, self.name).type,
                self.name,
                data=data,
                ctx=context,
                repeat=repeat,
                flags=flags,
                cpu=cpu,
                batch_size=batch_size,
            )
        if isinstance(ctx, bytes | bytearray | memoryview):
            return result
        return RunResult(
            result.return_value, result.data, type(ctx).unpack_from(result.ctx), result.duration
        )

    def pin(self, path: StrPath) -> None:
        """Give the program a name in a BPF filesystem (``/sys/fs/bpf``), which keeps it loaded.

        Raises BpfError if there is something of that name, or the folder is not there.
        """
        try:
            with self.held_fd() as fd:
                _descriptors.pin(fd, os.fspath(path))
        except CallError as error:
            raise _pin_error(error, f"pin program {self.name} to", Path(path)) from error

    def unpin(self, path: StrPath) -> None:
        """Remove a name that :meth:`pin` gave. Raises BpfError if it is not there."""
        _ = self.fd
        try:
            Path(path).unlink()
        except OSError as error:
            raise BpfError(
                error.errno or errno.EIO,
                f"can't unpin program {self.name} from {path}: {error.strerror}",
            ) from error


class PinnedProgram(LoadedProgram):
    """A program that was pinned, by this process or another: see :func:`open_pinned_program`."""

    def __init__(self, fd: int, path: Path) -> None:
        self.path = path
        self.name = program_info(fd, str(path)).name
        self._fd = fd
        self._lifetime = Lifetime(f"program {self.name}, of {path},", lambda: os.close(fd))
        self._finalizer = close_when_dropped(self, f"program {path}", self._lifetime.close)

    def __repr__(self) -> str:
        return f"<PinnedProgram {self.name} at {self.path}{', closed' if self.closed else ''}>"

    @property
    def fd(self) -> int:
        """The program's file descriptor, which stays this object's."""
        self._lifetime.check_open()
        return self._fd

    @contextlib.contextmanager
    def held_fd(self) -> Iterator[int]:
        """Give :attr:`fd`, which is not closed inside the ``with`` block."""
        with self._lifetime.call():
            yield self._fd

    @property
    def closed(self) -> bool:
        """Whether the descriptor is closed."""
        return self._lifetime.closed

    def close(self) -> None:
        """Close the descriptor; the program stays pinned. Twice does nothing."""
        self._finalizer.detach()
        self._lifetime.close()

    def __enter__(self) -> Self:
        _ = self.fd
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _context_bytes(ctx: Context | bytes) -> bytes:
    """A context as bytes. Raises TypeError if it is neither bytes nor a generated class's value."""
    if isinstance(ctx, bytes | bytearray | memoryview):
        return bytes(ctx)
    if not hasattr(ctx, "pack"):
        raise TypeError(f"ctx is {ctx!r}, not bytes or a value of a generated class")
    return ctx.pack()


def open_pinned_program(path: StrPath) -> PinnedProgram:
    """Open the program that is pinned at *path*; close it, or use it in a ``with`` block.

    Raises BpfError if there is nothing, or it is not a program.
    """
    try:
        fd = _descriptors.get(os.fspath(path))
    except CallError as error:
        raise _pin_error(error, "open the program pinned at", Path(path)) from error
    with contextlib.ExitStack() as undo:
        undo.callback(os.close, fd)
        kind = pinning.kind_of(fd)
        if kind is None:
            reason = "/proc, which tells what it is, is not mounted"
            raise BpfError(errno.ENOENT, f"can't open the program pinned at {path}: {reason}")
        if kind != "prog":
            raise BpfError(errno.EINVAL, f"{path} is no program but a pinned {kind}")
        program = PinnedProgram(fd, Path(path))
        undo.pop_all()
    return program


def _pin_error(error: CallError, action: str, path: Path) -> BpfError:
    """Return the exception for a path of a BPF filesystem that did not do."""
    reason = str(error)
    if error.errno == errno.EEXIST:
        reason = "there is something of that name"
    elif error.errno == errno.ENOENT and path.parent.is_dir():
        reason = "there is nothing of that name"
    elif error.errno == errno.ENOENT:
        reason = f"there is no folder {path.parent}"
    elif not kernel.on_bpf_filesystem(path):
        reason = (
            "that is not on a BPF filesystem; one is at /sys/fs/bpf, or can be mounted: "
            "mount -t bpf bpf /sys/fs/bpf"
        )
    elif error.errno in (errno.EPERM, errno.EACCES):
        reason = kernel.permission_hint("CAP_BPF")
    return BpfError(error.errno, f"can't {action} {path}: {reason}")
