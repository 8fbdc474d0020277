"""Programs at the kernel's static tracepoints, with their record or their own arguments."""

import errno

from ebpfgen.runtime import kernel
from ebpfgen.runtime._libbpf import attach as _attach
from ebpfgen.runtime._libbpf.library import CallError
from ebpfgen.runtime.handle import AttachableMember, Member
from ebpfgen.runtime.link import Link
from ebpfgen.runtime.programs.base import Program


class Tracepoint(Program):
    """A program that runs at one of the kernel's static tracepoints."""

    def attach(self, event: str | None = None, *, cookie: int = 0) -> Link:
        """Attach to *event*, ``category/name``, by default the one ``SEC()`` names.

        *cookie* is what ``bpf_get_attach_cookie()`` returns (Linux 5.15).

        Raises AttachError if there is no such tracepoint (naming those that are close), tracefs
        is not mounted, or a capability is missing.
        """
        self._check_loaded()
        wanted = (event or self._need_target()).replace(":", "/", 1)
        category, _, name = wanted.partition("/")
        try:
            handle = self._while_open(_attach.attach_tracepoint, category, name, cookie=cookie)
        except CallError as error:
            target = f"tracepoint {wanted}"
            raise self._error(error, target, self._why_not(error, wanted)) from error
        return self._link(handle, wanted)

    def _attach_by_section(self) -> Link | None:
        """Attach to the tracepoint of ``SEC()``; None if it names none."""
        return self.attach() if self.target else None

    def _why_not(self, error: CallError, wanted: str) -> str:
        if kernel.missing_capabilities(*self.capabilities):
            return kernel.permission_hint(*self.capabilities)
        if kernel.tracefs() is None:
            return (
                "tracefs is not mounted, or not readable by this user: "
                f"mount -t tracefs tracefs {kernel.TRACEFS}"
            )
        if error.errno == errno.ENOENT:
            close = kernel.similar_tracepoints(wanted)
            reason = "this kernel has no such tracepoint"
            return reason + (f"; close: {', '.join(close)}" if close else "")
        return kernel.too_old("a cookie", 5, 15) if error.errno == errno.EOPNOTSUPP else ""


class RawTracepoint(Program):
    """A program that runs at a tracepoint and sees its arguments, before they become a record.

    ``SEC("raw_tp.w/…")`` may also write to the buffer that some tracepoints have for it.
    """

    def attach(self, name: str | None = None, *, cookie: int = 0) -> Link:
        """Attach to the tracepoint *name* (without a category), by default the one of ``SEC()``.

        *cookie* is what ``bpf_get_attach_cookie()`` returns (Linux 6.10, libbpf 1.4).

        Raises AttachError if there is no such tracepoint, naming those that are close.
        """
        self._check_loaded()
        wanted = name or self._need_target()
        try:
            handle = self._while_open(_attach.attach_raw_tracepoint, wanted, cookie=cookie)
        except CallError as error:
            reason = _no_tracepoint(error, wanted)
            if error.errno == errno.EINVAL:
                reason = (
                    kernel.too_old("a cookie of raw tracepoints", 6, 10)
                    if cookie
                    else ("the program reads or writes more than this tracepoint has")
                )
            raise self._error(error, f"raw tracepoint {wanted}", reason) from error
        return self._link(handle, wanted)

    def _attach_by_section(self) -> Link | None:
        """Attach to the tracepoint of ``SEC()``; None if it names none."""
        return self.attach() if self.target else None


def _no_tracepoint(error: CallError, wanted: str) -> str:
    if error.errno != errno.ENOENT:
        return ""
    close = ", ".join(kernel.similar_tracepoints(wanted))
    return "this kernel has no such tracepoint" + (f"; close: {close}" if close else "")


def tracepoint(name: str) -> Member[Tracepoint]:
    """Declare a tracepoint program."""
    return AttachableMember(name, Tracepoint)


def raw_tracepoint(name: str) -> Member[RawTracepoint]:
    """Declare a raw tracepoint program."""
    return AttachableMember(name, RawTracepoint)
