"""Programs at the entry and return of functions in user space, one at a time."""

import errno
import os
from typing import ClassVar

from ebpfgen.runtime import kernel
from ebpfgen.runtime._libbpf import attach as _attach
from ebpfgen.runtime._libbpf.library import CallError
from ebpfgen.runtime.errors import AttachError
from ebpfgen.runtime.handle import AttachableMember, Member
from ebpfgen.runtime.link import Link
from ebpfgen.runtime.programs.executable import ALL_PROCESSES, ExecutableProgram, process


class Uprobe(ExecutableProgram):
    """A program that runs when a function of a program or library is entered."""

    _returns: ClassVar[bool] = False

    def attach(
        self,
        path: str | os.PathLike[str] | None = None,
        function: str | None = None,
        *,
        offset: int = 0,
        pid: int | None = None,
        cookie: int = 0,
    ) -> Link:
        """Attach to a place in the file *path*, by default the one that ``SEC()`` names.

        *path* without a slash is looked for in ``$PATH``, or as a library (``libc.so.6``). The
        place is *offset* bytes behind the start of *function*, or, without one, of the file. *pid*
        is the only process in which the program runs, by default all. *cookie* is what
        ``bpf_get_attach_cookie()`` returns (Linux 5.15).

        Raises AttachError if there is no such file or function, naming those that are close.
        """
        self._check_loaded()
        if path is None:
            path, function, offset = self._from_section()
        if function is None and offset == 0:
            raise AttachError(
                errno.EINVAL,
                f"can't attach {self.name} to {os.fspath(path)}: pass a function, or an offset",
            )
        file = self._resolve(path)
        place = f"{function or ''}{f'+{offset:#x}' if offset else ''}"
        target = f"{file}:{place.removeprefix('+')}{process(pid)}"
        try:
            handle = self._while_open(
                _attach.attach_uprobe,
                file,
                function,
                offset=offset,
                pid=ALL_PROCESSES if pid is None else pid,
                retprobe=self._returns,
                cookie=cookie,
            )
        except CallError as error:
            raise self._error(error, target, self._why_not(error, file, function, pid)) from error
        return self._link(handle, target)

    def _attach_by_section(self) -> Link | None:
        """Attach to the function of ``SEC()``; None if it names none."""
        return self.attach() if self.target else None

    def _from_section(self) -> tuple[str, str, int]:
        """Return path, function and offset of ``SEC("uprobe/path:function+offset")``."""
        path, _, place = self._need_target().partition(":")
        function, _, offset = place.partition("+")
        if not function:
            raise AttachError(
                errno.EINVAL,
                f"SEC({self.section!r}) of {self.name} names no function: write it as "
                "path:function, or pass both to attach()",
            )
        return path, function, int(offset or "0", 0)

    def _why_not(self, error: CallError, file: str, function: str | None, pid: int | None) -> str:
        if error.errno == errno.ESRCH and pid is not None:
            return f"there is no process {pid}"
        if error.errno in (errno.ENOENT, errno.ESRCH) and function is not None:
            return self._no_function(file, function)
        if error.errno == errno.EINVAL:
            return "no instruction begins there"
        if kernel.lacks_option("CONFIG_UPROBE_EVENTS"):
            return "this kernel is built without CONFIG_UPROBE_EVENTS"
        return kernel.too_old("a cookie", 5, 15) if error.errno == errno.EOPNOTSUPP else ""


class Uretprobe(Uprobe):
    """A program that runs when a function of a program or library returns."""

    _returns = True


def uprobe(name: str) -> Member[Uprobe]:
    """Declare a uprobe."""
    return AttachableMember(name, Uprobe)


def uretprobe(name: str) -> Member[Uretprobe]:
    """Declare a uretprobe."""
    return AttachableMember(name, Uretprobe)
