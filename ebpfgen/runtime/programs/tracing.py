"""Programs that the kernel calls by BTF: trampolines at functions, security hooks, replacements.

Their target is part of what the verifier checks, so it is set before loading: by ``SEC()``, or by
``specs.NAME.set_attach_target()``.
"""

import errno
from contextlib import nullcontext

from ebpfgen.runtime import kernel
from ebpfgen.runtime._libbpf import attach as _attach
from ebpfgen.runtime._libbpf.library import CallError, newer
from ebpfgen.runtime.descriptor import held_fd
from ebpfgen.runtime.errors import AttachError
from ebpfgen.runtime.handle import AttachableMember, Member
from ebpfgen.runtime.link import HasDescriptor, Link
from ebpfgen.runtime.programs.base import Program


class Tracing(Program):
    """A program that was loaded for one function or tracepoint, with its types."""

    def attach(self, *, cookie: int = 0) -> Link:
        """Attach to what the program was loaded for.

        *cookie* is what ``bpf_get_attach_cookie()`` returns (Linux 5.19).

        Raises AttachError if the function can't be traced, or has such a program already where
        there can be one.
        """
        self._check_loaded()
        try:
            handle = self._while_open(_attach.attach_trace, cookie=cookie)
        except CallError as error:
            raise self._error(error, self.section, self._why_not(error, cookie)) from error
        return self._link(handle, self.target or self.section)

    def _attach_by_section(self) -> Link | None:
        """Attach to what the program was loaded for."""
        return self.attach()

    def _why_not(self, error: CallError, cookie: int) -> str:
        if error.errno == errno.EINVAL and cookie:
            return kernel.too_old("a cookie", 5, 19)
        if error.errno == kernel.ENOTSUPP:
            return "this kernel has no BPF trampolines on this architecture"
        if error.errno == errno.EBUSY:
            return "something else traces or patches this function"
        if error.errno == errno.E2BIG:
            return "this function has as many programs as the kernel takes"
        return ""


class TpBtf(Tracing):
    """A program that runs at a tracepoint and sees its arguments with their types."""

    def attach(self, *, cookie: int = 0) -> Link:
        """Attach to the tracepoint that the program was loaded for.

        *cookie* is what ``bpf_get_attach_cookie()`` returns (Linux 6.10, libbpf 1.4).
        """
        if cookie:
            newer("bpf_program__attach_raw_tracepoint_opts")
        return super().attach(cookie=cookie)


class Fentry(Tracing):
    """A program that runs when a function of the kernel, or of a BPF program, is entered."""


class Fexit(Tracing):
    """A program that runs when a function returns, and sees its arguments and its result."""


class FmodRet(Tracing):
    """A program that runs before a function and may return in its place.

    The kernel has a list of such functions: system calls, those of ``ALLOW_ERROR_INJECTION``, and
    ``security_*``.
    """


class Lsm(Program):
    """A program at a hook of the kernel's security modules; it may refuse."""

    def attach(self) -> Link:
        """Attach to the hook that the program was loaded for.

        Raises AttachError if the kernel runs without BPF among its security modules.
        """
        self._check_loaded()
        try:
            handle = self._while_open(_attach.attach_lsm)
        except CallError as error:
            raise self._error(error, self.section, lsm_reason(error)) from error
        return self._link(handle, self.target or self.section)

    def _attach_by_section(self) -> Link | None:
        """Attach to the hook that the program was loaded for."""
        return self.attach()


class Freplace(Program):
    """A program that takes the place of a global function of another program."""

    def attach(
        self, program: HasDescriptor | int | None = None, function: str | None = None
    ) -> Link:
        """Replace the function that the program was loaded for, or *function* of *program*.

        *program* is a loaded program or a descriptor of one; *function* has the same arguments as
        the one it was loaded for (Linux 5.10).

        Raises AttachError if the function is replaced already, is not global, or differs.
        """
        self._check_loaded()
        if (program is None) != (function is None):
            raise AttachError(
                errno.EINVAL, f"can't attach {self.name}: pass both program and function, or none"
            )
        try:
            with nullcontext(0) if program is None else held_fd(program) as descriptor:
                handle = self._while_open(_attach.attach_freplace, descriptor, function)
        except CallError as error:
            target = f"function {function}" if function else self.section
            raise self._error(error, target, _no_replacement(error)) from error
        return self._link(handle, function or self.target or self.section)

    def _attach_by_section(self) -> Link | None:
        """Replace the function that the program was loaded for."""
        return self.attach()


def lsm_reason(error: CallError) -> str:
    """Say why a program can't be attached to a security hook, if that can be told."""
    if error.errno == errno.EBUSY and not kernel.has_security_module("bpf"):
        return "this kernel runs without BPF among its security modules: boot it with lsm=…,bpf"
    if error.errno == kernel.ENOTSUPP:
        return "this kernel has no BPF trampolines on this architecture"
    return ""


def _no_replacement(error: CallError) -> str:
    if error.errno == errno.EBUSY:
        return "the function is replaced by another program, or the program is traced"
    if error.errno in (errno.ENOENT, errno.ESRCH):
        return "the program has no such function, or was compiled without -g"
    if error.errno == errno.EINVAL:
        return "the function is not global, or has other arguments than the program"
    return ""


def tp_btf(name: str) -> Member[TpBtf]:
    """Declare a program at a tracepoint, with its types."""
    return AttachableMember(name, TpBtf)


def fentry(name: str) -> Member[Fentry]:
    """Declare a program at the entry of a function, with its types."""
    return AttachableMember(name, Fentry)


def fexit(name: str) -> Member[Fexit]:
    """Declare a program at the return of a function, with its types."""
    return AttachableMember(name, Fexit)


def fmod_ret(name: str) -> Member[FmodRet]:
    """Declare a program that may return in a function's place."""
    return AttachableMember(name, FmodRet)


def lsm(name: str) -> Member[Lsm]:
    """Declare a program at a security hook."""
    return AttachableMember(name, Lsm)


def freplace(name: str) -> Member[Freplace]:
    """Declare a program that replaces a function of another."""
    return AttachableMember(name, Freplace)
