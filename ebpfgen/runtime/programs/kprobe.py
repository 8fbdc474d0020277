"""Programs at the entry and return of kernel functions and system calls, one at a time."""

import errno
from typing import ClassVar

from ebpfgen.runtime import kernel
from ebpfgen.runtime._libbpf import attach as _attach
from ebpfgen.runtime._libbpf.library import CallError
from ebpfgen.runtime.errors import BpfError, NotSupportedError
from ebpfgen.runtime.handle import AttachableMember, Member
from ebpfgen.runtime.link import Attached, Link
from ebpfgen.runtime.programs.base import NO_PERMISSION, Program


class KprobeProgram(Program):
    """What kprobes of functions and of system calls have in common."""

    _returns: ClassVar[bool] = False

    def _kprobe_error(self, error: CallError, target: str, symbol: str) -> BpfError:
        if error.errno in NO_PERMISSION:
            return self._error(error, target)
        if not kernel.has_kprobes():
            return NotSupportedError(
                error.errno,
                f"can't attach {self.name} to {target}: this kernel has no kprobes "
                "(CONFIG_KPROBES, CONFIG_KPROBE_EVENTS); use a tracepoint, such as "
                'SEC("tracepoint/syscalls/sys_enter_execve"), or a kernel that has them',
            )
        reason = ""
        if error.errno == errno.ENOENT:
            close = kernel.similar_functions(symbol)
            reason = "this kernel has no such function"
            reason += f"; close: {', '.join(close)}" if close else ""
        elif error.errno == errno.EADDRNOTAVAIL:
            reason = "this kernel has several functions of that name"
        elif error.errno == errno.EINVAL:
            reason = "the kernel does not let this function be probed"
        elif error.errno == errno.EOPNOTSUPP:
            reason = kernel.too_old("a cookie", 5, 15)
        return self._error(error, target, reason)


class Kprobe(KprobeProgram):
    """A program that runs when a kernel function is entered."""

    def attach(self, symbol: str | None = None, *, offset: int = 0, cookie: int = 0) -> Link:
        """Attach to the kernel function *symbol*, by default the one ``SEC()`` names.

        A system call may be named ``sys_NAME`` on every platform: where the kernel calls it
        ``__x64_sys_NAME``, that is what is used. *offset* is in bytes from the function's start,
        *cookie* is what ``bpf_get_attach_cookie()`` returns (Linux 5.15).

        Raises NotSupportedError on a kernel without kprobes, AttachError if there is no such
        function (naming those that are close), it can't be probed, or a capability is missing.
        """
        self._check_loaded()
        if symbol is None:
            symbol, _, hexadecimal = self._need_target().partition("+")
            offset = offset or int(hexadecimal or "0", 0)
        try:
            handle = self._attach_to(symbol, offset, cookie)
        except CallError as error:
            raise self._kprobe_error(error, f"kernel function {symbol}", symbol) from error
        return self._link(handle, symbol)

    def _attach_by_section(self) -> Link | None:
        """Attach to the function of ``SEC()``; None if it names none."""
        return self.attach() if self.target else None

    def _attach_to(self, symbol: str, offset: int, cookie: int) -> Attached:
        try:
            return self._while_open(
                _attach.attach_kprobe, symbol, offset=offset, retprobe=self._returns, cookie=cookie
            )
        except CallError as error:
            platforms_own = kernel.syscall_symbol(symbol)
            if error.errno not in (errno.ENOENT, errno.EINVAL) or platforms_own is None:
                raise
        return self._while_open(
            _attach.attach_kprobe,
            platforms_own,
            offset=offset,
            retprobe=self._returns,
            cookie=cookie,
        )


class Kretprobe(Kprobe):
    """A program that runs when a kernel function returns."""

    _returns = True


class Ksyscall(KprobeProgram):
    """A program that runs when a system call is entered, whatever its function is called here."""

    def attach(self, name: str | None = None, *, cookie: int = 0) -> Link:
        """Attach to the system call *name*, such as ``execve``, by default the one of ``SEC()``.

        *cookie* is what ``bpf_get_attach_cookie()`` returns (Linux 5.15).

        Raises NotSupportedError on a kernel without kprobes, AttachError if there is no such
        system call (naming those that are close) or a capability is missing.
        """
        self._check_loaded()
        wanted = name or self._need_target()
        try:
            handle = self._while_open(
                _attach.attach_ksyscall, wanted, retprobe=self._returns, cookie=cookie
            )
        except CallError as error:
            function = f"sys_{wanted}"
            symbol = kernel.syscall_symbol(function) or function
            raise self._kprobe_error(error, f"system call {wanted}", symbol) from error
        return self._link(handle, wanted)

    def _attach_by_section(self) -> Link | None:
        """Attach to the system call of ``SEC()``; None if it names none."""
        return self.attach() if self.target else None


class Kretsyscall(Ksyscall):
    """A program that runs when a system call returns."""

    _returns = True


def kprobe(name: str) -> Member[Kprobe]:
    """Declare a kprobe."""
    return AttachableMember(name, Kprobe)


def kretprobe(name: str) -> Member[Kretprobe]:
    """Declare a kretprobe."""
    return AttachableMember(name, Kretprobe)


def ksyscall(name: str) -> Member[Ksyscall]:
    """Declare a program at the entry of a system call."""
    return AttachableMember(name, Ksyscall)


def kretsyscall(name: str) -> Member[Kretsyscall]:
    """Declare a program at the return of a system call."""
    return AttachableMember(name, Kretsyscall)
