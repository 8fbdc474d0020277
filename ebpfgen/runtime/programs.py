"""Programs, before and after they are loaded: one class for each way to attach."""

import errno
import os

from ebpfgen.runtime import kernel
from ebpfgen.runtime._libbpf import programs as _programs
from ebpfgen.runtime._libbpf.library import CallError
from ebpfgen.runtime.errors import AttachError, BpfError, NotSupportedError, StateError
from ebpfgen.runtime.handle import Handle, Member
from ebpfgen.runtime.link import Link
from ebpfgen.runtime.loaded_program import LoadedProgram

_NO_PERMISSION = (errno.EPERM, errno.EACCES)


class ProgramSpec:
    """A program of an object that is not loaded yet."""

    def __init__(self, owner: Handle, name: str) -> None:
        self._owner = owner
        self._pointer = owner.find_program(name)
        self.name = name
        self.section = _programs.section(self._pointer)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}, SEC({self.section!r})>"

    @property
    def autoload(self) -> bool:
        """Whether the program is loaded with its object; set it to False to leave it out."""
        self._owner.check_not_loaded()
        return _programs.autoload(self._pointer)

    @autoload.setter
    def autoload(self, value: bool) -> None:
        self._owner.check_not_loaded()
        _programs.set_autoload(self._pointer, value)


class Program(LoadedProgram):
    """A loaded program that libbpf knows how to attach from its ``SEC()``."""

    def __init__(self, owner: Handle, name: str) -> None:
        self._owner = owner
        self._pointer = owner.find_program(name)
        self.name = name
        self.section = _programs.section(self._pointer)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}, SEC({self.section!r})>"

    @property
    def fd(self) -> int:
        """The program's file descriptor, which stays the collection's.

        Raises StateError if the program was switched off before loading.
        """
        self._owner.check_open()
        try:
            return _programs.fd(self._pointer)
        except CallError as error:
            raise StateError(
                error.errno, f"program {self.name} is not loaded: its autoload was switched off"
            ) from error

    @property
    def verifier_log(self) -> str:
        """What the verifier said of the program; empty unless it was opened with a log_level."""
        self._owner.check_open()
        return self._owner.verifier_logs.get(self.name, "")

    def attach(self) -> Link:
        """Attach to what ``SEC()`` names.

        Raises AttachError, or NotSupportedError if libbpf can't tell from the section where to.
        """
        self._check_loaded()
        try:
            handle = _programs.attach(self._pointer)
        except CallError as error:
            if error.errno == errno.EOPNOTSUPP:
                raise NotSupportedError(
                    error.errno,
                    f"SEC({self.section!r}) of {self.name} does not say where to attach it",
                ) from error
            raise self._attach_error(error, f"SEC({self.section!r})") from error
        return self._linked(handle, self.section)

    def _check_loaded(self) -> None:
        """Raise StateError unless there is a program to attach."""
        _ = self.fd

    def _linked(self, handle: int, target: str) -> Link:
        return self._owner.keep(Link(handle, self.name, target))

    def _attach_error(self, error: CallError, target: str, reason: str = "") -> AttachError:
        if not reason:
            reason = os.strerror(error.errno)
            if error.errno in _NO_PERMISSION:
                reason = kernel.permission_hint()
        return AttachError(error.errno, f"can't attach {self.name} to {target}: {reason}")

    def _target_from_section(self) -> str:
        """Return what follows the first slash of ``SEC()``.

        Raises AttachError if there is nothing.
        """
        target = self.section.partition("/")[2]
        if not target:
            raise AttachError(
                errno.EINVAL,
                f"SEC({self.section!r}) of {self.name} names nothing to attach to: "
                "pass the name to attach()",
            )
        return target


class Kprobe(Program):
    """A program that runs when a kernel function is entered."""

    _returns = False

    def attach(self, symbol: str | None = None, *, offset: int = 0) -> Link:
        """Attach to the kernel function *symbol*, by default the one ``SEC()`` names.

        A system call may be named ``sys_NAME`` on every platform: where the kernel calls it
        ``__x64_sys_NAME``, that is what is used. *offset* is in bytes from the function's start.

        Raises NotSupportedError on a kernel without kprobes, AttachError if there is no such
        function (naming those that are close), it can't be probed, or a capability is missing.
        """
        self._check_loaded()
        if symbol is None:
            symbol, _, hexadecimal = self._target_from_section().partition("+")
            offset = offset or int(hexadecimal or "0", 0)
        try:
            handle = self._attach_to(symbol, offset)
        except CallError as error:
            raise self._kprobe_error(error, symbol) from error
        return self._linked(handle, symbol)

    def _attach_to(self, symbol: str, offset: int) -> int:
        try:
            return _programs.attach_kprobe(
                self._pointer, symbol, offset=offset, retprobe=self._returns
            )
        except CallError as error:
            platforms_own = kernel.syscall_symbol(symbol)
            if error.errno not in (errno.ENOENT, errno.EINVAL) or platforms_own is None:
                raise
        return _programs.attach_kprobe(
            self._pointer, platforms_own, offset=offset, retprobe=self._returns
        )

    def _kprobe_error(self, error: CallError, symbol: str) -> BpfError:
        target = f"kernel function {symbol}"
        if error.errno in _NO_PERMISSION:
            return self._attach_error(error, target)
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
        return self._attach_error(error, target, reason)


class Kretprobe(Kprobe):
    """A program that runs when a kernel function returns."""

    _returns = True


class Tracepoint(Program):
    """A program that runs at one of the kernel's static tracepoints."""

    def attach(self, event: str | None = None) -> Link:
        """Attach to *event*, ``category/name``, by default the one ``SEC()`` names.

        Raises AttachError if there is no such tracepoint (naming those that are close), tracefs
        is not mounted, or a capability is missing.
        """
        self._check_loaded()
        wanted = (event or self._target_from_section()).replace(":", "/", 1)
        category, _, name = wanted.partition("/")
        try:
            handle = _programs.attach_tracepoint(self._pointer, category, name)
        except CallError as error:
            target = f"tracepoint {wanted}"
            raise self._attach_error(error, target, self._no_tracepoint(error, wanted)) from error
        return self._linked(handle, wanted)

    def _no_tracepoint(self, error: CallError, wanted: str) -> str:
        if kernel.missing_capabilities("CAP_BPF", "CAP_PERFMON"):
            return kernel.permission_hint()
        if kernel.tracefs() is None:
            return (
                "tracefs is not mounted, or not readable by this user: "
                f"mount -t tracefs tracefs {kernel.TRACEFS}"
            )
        if error.errno != errno.ENOENT:
            return ""
        close = kernel.similar_tracepoints(wanted)
        return "this kernel has no such tracepoint" + (
            f"; close: {', '.join(close)}" if close else ""
        )


def program_spec(name: str) -> Member[ProgramSpec]:
    """Declare a program of a generated specs class; *name* is that of the C function."""
    return Member(name, ProgramSpec)


def program(name: str) -> Member[Program]:
    """Declare a program of a kind that attaches as its ``SEC()`` says."""
    return Member(name, Program)


def kprobe(name: str) -> Member[Kprobe]:
    """Declare a kprobe."""
    return Member(name, Kprobe)


def kretprobe(name: str) -> Member[Kretprobe]:
    """Declare a kretprobe."""
    return Member(name, Kretprobe)


def tracepoint(name: str) -> Member[Tracepoint]:
    """Declare a tracepoint program."""
    return Member(name, Tracepoint)
