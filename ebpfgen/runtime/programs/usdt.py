"""Programs at the static probes (USDT) of programs and libraries."""

import errno
import os

from ebpfgen.runtime._libbpf import attach as _attach
from ebpfgen.runtime._libbpf.library import CallError
from ebpfgen.runtime.errors import AttachError
from ebpfgen.runtime.handle import AttachableMember, Member
from ebpfgen.runtime.link import Link
from ebpfgen.runtime.programs.executable import ALL_PROCESSES, ExecutableProgram, process


class Usdt(ExecutableProgram):
    """A program that runs at a static probe: a place that its authors named in the source.

    Its C source includes ``bpf/usdt.bpf.h`` and reads the arguments with ``bpf_usdt_arg()``.
    """

    def attach(
        self,
        path: str | os.PathLike[str] | None = None,
        provider: str = "",
        name: str = "",
        *,
        pid: int | None = None,
        cookie: int = 0,
    ) -> Link:
        """Attach to the probe *name* of *provider* in the file *path*, by default ``SEC()``'s.

        *path* without a slash is looked for in ``$PATH``, or as a library (``libc.so.6``). *pid* is
        the only process in which the program runs, by default all. *cookie* is what
        ``bpf_usdt_cookie()`` returns.

        Raises AttachError if there is no such file or probe.
        """
        self._check_loaded()
        if path is None:
            path, provider, name = self._from_section()
        file = self._resolve(path)
        target = f"{file}:{provider}:{name}{process(pid)}"
        try:
            handle = self._while_open(
                _attach.attach_usdt,
                file,
                provider,
                name,
                pid=ALL_PROCESSES if pid is None else pid,
                cookie=cookie,
            )
        except CallError as error:
            raise self._error(error, target, _why_not(error, pid)) from error
        return self._link(handle, target)

    def _attach_by_section(self) -> Link | None:
        """Attach to the probe of ``SEC()``; None if it names none."""
        return self.attach() if self.target else None

    def _from_section(self) -> tuple[str, str, str]:
        """Return the parts of ``SEC("usdt/path:provider:name")``."""
        parts = self._need_target().split(":")
        if len(parts) != 3 or not all(parts):
            raise AttachError(
                errno.EINVAL,
                f"SEC({self.section!r}) of {self.name} is no usdt/path:provider:name: write it so, "
                "or pass the three to attach()",
            )
        return parts[0], parts[1], parts[2]


def _why_not(error: CallError, pid: int | None) -> str:
    if error.errno == errno.ESRCH and pid is not None:
        return f"there is no process {pid}"
    if error.errno == errno.ENOENT:
        return "the file has no such probe; readelf --notes lists those it has"
    if error.errno == errno.ESRCH:
        return "its C source does not include bpf/usdt.bpf.h"
    return ""


def usdt(name: str) -> Member[Usdt]:
    """Declare a program at a static probe of user space."""
    return AttachableMember(name, Usdt)
