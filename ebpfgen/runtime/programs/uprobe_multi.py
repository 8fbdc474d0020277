"""Programs at many places in user space at once."""

import errno
import os
from collections.abc import Sequence
from typing import ClassVar

from ebpfgen.runtime import elf_symbols, kernel
from ebpfgen.runtime._libbpf import attach as _attach
from ebpfgen.runtime._libbpf.library import CallError
from ebpfgen.runtime.errors import AttachError
from ebpfgen.runtime.handle import AttachableMember, Member
from ebpfgen.runtime.link import Link
from ebpfgen.runtime.programs.executable import ALL_PROCESSES, ExecutableProgram, process


class UprobeMulti(ExecutableProgram):
    """A program that runs when any of many functions is entered (Linux 6.6, libbpf 1.3)."""

    _returns: ClassVar[bool] = False
    _session: ClassVar[bool] = False

    def attach(
        self,
        path: str | os.PathLike[str] | None = None,
        functions: str | Sequence[str] | Sequence[int] | None = None,
        *,
        cookies: Sequence[int] | None = None,
        pid: int | None = None,
    ) -> Link:
        """Attach to places in the file *path*, by default those that ``SEC()`` names.

        *path* without a slash is looked for in ``$PATH``, or as a library (``libc.so.6``). A string
        is a pattern of function names in which ``*`` stands for any characters and ``?`` for one;
        a sequence gives each name, or each offset in the file. *cookies*, one for each of a
        sequence, are what ``bpf_get_attach_cookie()`` returns. *pid* is the only process in which
        the program runs, by default all.

        Raises NotSupportedError if libbpf or the kernel is too old, AttachError if there is no
        such file or function.
        """
        self._check_loaded()
        if path is None:
            path, _, functions = self._need_target().partition(":")
        if not functions:
            raise AttachError(
                errno.EINVAL,
                f"can't attach {self.name} to {os.fspath(path)}: pass a pattern or the functions",
            )
        file = self._resolve(path)
        is_pattern = isinstance(functions, str)
        shown = functions if is_pattern else f"{len(functions)} places"
        target = f"{file}:{shown}{process(pid)}"
        try:
            handle = self._while_open(
                _attach.attach_uprobe_multi,
                file,
                functions if isinstance(functions, str) else None,
                functions=[] if is_pattern else [f for f in functions if isinstance(f, str)],
                offsets=[] if is_pattern else [f for f in functions if isinstance(f, int)],
                cookies=cookies,
                pid=ALL_PROCESSES if pid is None else pid,
                retprobe=self._returns,
                session=self._session,
            )
        except CallError as error:
            reason = self._why_not(error, file, functions, pid)
            raise self._error(error, target, reason) from error
        return self._link(handle, target)

    def _attach_by_section(self) -> Link | None:
        """Attach to the functions of ``SEC()``; None if it names none."""
        return self.attach() if self.target else None

    def _why_not(
        self,
        error: CallError,
        file: str,
        functions: str | Sequence[str] | Sequence[int],
        pid: int | None,
    ) -> str:
        if error.errno == errno.ESRCH and pid is not None:
            return f"there is no process {pid}"
        if error.errno in (errno.ENOENT, errno.ESRCH):
            known = elf_symbols.functions_of(file)
            names = [functions] if isinstance(functions, str) else functions
            missing = [name for name in names if isinstance(name, str) and name not in known]
            return self._no_function(file, missing[0]) if missing else ""
        since = (6, 13) if self._session else (6, 6)
        return kernel.too_old("a uprobe session" if self._session else "a uprobe of many", *since)


class UretprobeMulti(UprobeMulti):
    """A program that runs when any of many functions returns (Linux 6.6, libbpf 1.3)."""

    _returns = True


class UprobeSession(UprobeMulti):
    """A program that runs at the entry and the return of functions (Linux 6.13, libbpf 1.6).

    1 returned at the entry leaves out the run at the return.
    """

    _session = True


def uprobe_multi(name: str) -> Member[UprobeMulti]:
    """Declare a uprobe of many functions."""
    return AttachableMember(name, UprobeMulti)


def uretprobe_multi(name: str) -> Member[UretprobeMulti]:
    """Declare a uretprobe of many functions."""
    return AttachableMember(name, UretprobeMulti)


def uprobe_session(name: str) -> Member[UprobeSession]:
    """Declare a program at the entry and return of many functions."""
    return AttachableMember(name, UprobeSession)
