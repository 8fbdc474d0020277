"""What programs in user space code have in common: a file, and a process or all of them."""

import errno
import os
from pathlib import Path

from ebpfgen.runtime import elf_symbols, kernel
from ebpfgen.runtime.errors import AttachError
from ebpfgen.runtime.programs.base import Program

ALL_PROCESSES = -1


class ExecutableProgram(Program):
    """A program that is attached to the code of a program or library."""

    def _resolve(self, path: str | os.PathLike[str]) -> str:
        """Return the file that is meant, as libbpf would find it by itself.

        What has no slash is looked for: a library (``libc.so.6``) in ``$LD_LIBRARY_PATH`` and where
        libraries lie, a program in ``$PATH``. Raises AttachError if there is none.
        """
        import shutil

        wanted = os.fspath(path)
        if "/" in wanted:
            found = wanted if Path(wanted).is_file() else None
        elif ".so" in wanted:
            folders = [*os.environ.get("LD_LIBRARY_PATH", "").split(":"), *_library_folders()]
            places = (Path(folder, wanted) for folder in folders if folder)
            found = next((str(place) for place in places if place.is_file()), None)
        else:
            found = shutil.which(wanted) or shutil.which(wanted, path="/usr/bin:/usr/sbin")
        if found is None:
            where = "" if "/" in wanted else ", neither in $PATH nor where libraries lie"
            raise AttachError(
                errno.ENOENT, f"can't attach {self.name} to {wanted}: there is no such file{where}"
            )
        return found

    def _no_function(self, path: str, function: str) -> str:
        close = kernel.similar(function, elf_symbols.functions_of(path))
        reason = f"{path} has no function {function} in its symbol tables"
        return reason + (f"; close: {', '.join(close)}" if close else "; is it stripped?")


def process(pid: int | None) -> str:
    """Say which process is meant, for a link's target."""
    return "" if pid is None else f" of process {pid}"


def _library_folders() -> list[str]:
    """Return where distributions put libraries."""
    import sysconfig

    folders = ["/usr/lib64", "/usr/lib", "/lib64", "/lib"]
    multiarch = sysconfig.get_config_var("MULTIARCH")
    if multiarch:
        folders[2:2] = [f"/usr/lib/{multiarch}", f"/lib/{multiarch}"]
    return folders
