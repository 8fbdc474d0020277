"""Programs at many kernel functions at once."""

import errno
from collections.abc import Sequence
from typing import ClassVar

from ebpfgen.runtime import kernel
from ebpfgen.runtime._libbpf import attach as _attach
from ebpfgen.runtime._libbpf.library import CallError
from ebpfgen.runtime.errors import AttachError
from ebpfgen.runtime.handle import AttachableMember, Member
from ebpfgen.runtime.link import Link
from ebpfgen.runtime.programs.base import Program

_SHOWN = 3


class KprobeMulti(Program):
    """A program that runs when any of many kernel functions is entered (Linux 5.18)."""

    _returns: ClassVar[bool] = False
    _session: ClassVar[bool] = False

    def attach(
        self,
        functions: str | Sequence[str] | None = None,
        *,
        cookies: Sequence[int] | None = None,
    ) -> Link:
        """Attach to *functions*, by default those that ``SEC()`` says.

        A string is a pattern of names in which ``*`` stands for any characters and ``?`` for one;
        a sequence gives each name. *cookies*, one for each name of a sequence, are what
        ``bpf_get_attach_cookie()`` returns.

        Raises AttachError if there is no such function (naming those that are close) or one can't
        be probed, a kernel that has no kprobe links says what it lacks.
        """
        self._check_loaded()
        wanted = self._need_target() if functions is None else functions
        pattern = wanted if isinstance(wanted, str) else None
        names = () if isinstance(wanted, str) else tuple(wanted)
        target = f"kernel functions {pattern or _shortened(names)}"
        if cookies is not None and len(cookies) != len(names):
            raise AttachError(
                errno.EINVAL,
                f"can't attach {self.name} to {target}: give one cookie for each function of a "
                f"list; these are {len(cookies)} cookies and {len(names)} functions",
            )
        try:
            handle = self._while_open(
                _attach.attach_kprobe_multi,
                pattern,
                names,
                cookies=cookies,
                retprobe=self._returns,
                session=self._session,
            )
        except CallError as error:
            reason = self._why_not(error, pattern, names)
            raise self._error(error, target, reason) from error
        return self._link(handle, pattern or _shortened(names))

    def _attach_by_section(self) -> Link | None:
        """Attach to the functions of ``SEC()``; None if it names none."""
        return self.attach() if self.target else None

    def _why_not(self, error: CallError, pattern: str | None, names: Sequence[str]) -> str:
        if error.errno in (errno.ENOENT, errno.ESRCH):
            wanted = [pattern] if pattern else list(kernel.missing_functions(names))
            close = kernel.similar_functions(wanted[0]) if wanted else []
            reason = f"this kernel has no function {wanted[0] if wanted else 'of these names'}"
            return reason + (f"; close: {', '.join(close)}" if close else "")
        if error.errno == errno.EOPNOTSUPP or kernel.lacks_option("CONFIG_FPROBE"):
            return (
                "this kernel is built without CONFIG_FPROBE, which kprobes of many functions need"
            )
        if error.errno == errno.EINVAL:
            since = (6, 10) if self._session else (5, 18)
            old = kernel.too_old("a session" if self._session else "a kprobe of many", *since)
            several = "some of these functions can't be probed: leave them out"
            return old or (several if pattern or len(names) > 1 else "")
        return ""


class KretprobeMulti(KprobeMulti):
    """A program that runs when any of many kernel functions returns (Linux 5.18)."""

    _returns = True


class KprobeSession(KprobeMulti):
    """A program that runs at the entry and the return of kernel functions.

    It needs Linux 6.10 and libbpf 1.5; 1 returned at the entry leaves out the run at the return.
    """

    _session = True


def _shortened(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def kprobe_multi(name: str) -> Member[KprobeMulti]:
    """Declare a kprobe of many functions."""
    return AttachableMember(name, KprobeMulti)


def kretprobe_multi(name: str) -> Member[KretprobeMulti]:
    """Declare a kretprobe of many functions."""
    return AttachableMember(name, KretprobeMulti)


def kprobe_session(name: str) -> Member[KprobeSession]:
    """Declare a program at the entry and return of many functions."""
    return AttachableMember(name, KprobeSession)
