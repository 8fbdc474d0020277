"""Programs that the kernel runs for each of its objects of a kind, and that write about them."""

import errno
import io
import os
import struct
from typing import BinaryIO, TextIO

from ebpfgen.runtime import kernel, targets
from ebpfgen.runtime._libbpf import attach as _attach, links as _links
from ebpfgen.runtime._libbpf.library import CallError
from ebpfgen.runtime.descriptor import held_fd
from ebpfgen.runtime.errors import BpfError
from ebpfgen.runtime.handle import AttachableMember, Member
from ebpfgen.runtime.link import HasDescriptor, Link
from ebpfgen.runtime.programs.base import Program

# enum bpf_cgroup_iter_order
_ORDERS = {"self": 1, "descendants": 2, "descendants_post": 3, "ancestors": 4}


class IteratorLink(Link):
    """An iterator with what it iterates over; each open() goes over it anew."""

    def open(self) -> BinaryIO:
        """Return what the program writes as a binary file, which the program runs to fill.

        It can be read once; close it before its objects. Raises BpfError if the kernel refuses.
        """
        try:
            with self.held_fd() as descriptor:
                return os.fdopen(_links.create_iterator(descriptor), "rb")
        except CallError as error:
            raise self._error(error, "open the iterator") from error

    def open_text(self, encoding: str = "utf-8") -> TextIO:
        """Return what the program writes as a text file."""
        return io.TextIOWrapper(self.open(), encoding=encoding, errors="replace")

    def read(self) -> bytes:
        """Return all that the program writes, going over everything now."""
        with self.open() as file:
            try:
                return file.read()
            except OSError as error:
                raise BpfError(
                    error.errno or errno.EIO,
                    f"iterator {self.program} over {self.target} failed: {error.strerror}",
                ) from error

    def read_text(self, encoding: str = "utf-8") -> str:
        """Return all that the program writes as text."""
        return self.read().decode(encoding, "replace")


class Iterator(Program):
    """A program that writes with ``bpf_seq_printf()`` and ``bpf_seq_write()`` what it is shown."""

    def attach(
        self,
        *,
        bpf_map: HasDescriptor | int | None = None,
        cgroup: str | os.PathLike[str] | int | None = None,
        order: str = "descendants",
        pid: int | None = None,
        tid: int | None = None,
    ) -> IteratorLink:
        """Give the iterator what it goes over.

        *bpf_map*, a map or a descriptor, is for the elements of maps and for socket storage.
        *cgroup*, a path or descriptor, and *order* are for cgroups (Linux 6.1): ``self``,
        ``descendants``, ``descendants_post`` (children first) or ``ancestors``. *pid* or *tid*
        limit those of tasks, their files and memory to a process or thread (Linux 6.1).

        Raises AttachError if the kind of iterator takes no such limit, or needs one.
        """
        self._check_loaded()
        if bpf_map is not None:
            with held_fd(bpf_map) as descriptor:
                return self._attach(struct.pack("=I12x", descriptor))
        if cgroup is None:
            return self._attach(_process_info(pid, tid))
        with self._opened(targets.opened_cgroup(cgroup), f"cgroup {cgroup}") as descriptor:
            return self._attach(struct.pack("=IIQ", _order(order), descriptor, 0))

    def _attach_by_section(self) -> IteratorLink | None:
        """Attach the iterator, unless it is for something that ``SEC()`` can't name."""
        needs_more = self.target in ("bpf_map_elem", "bpf_sk_storage_map", "cgroup", "sockmap")
        return None if needs_more or not self.target else self.attach()

    def _attach(self, info: bytes) -> IteratorLink:
        try:
            made = self._while_open(_attach.attach_iterator, info)
        except CallError as error:
            raise self._error(error, self.section, self._why_not(error, info)) from error
        return self._owner.keep(IteratorLink(self.name, self.target, made.release, made.descriptor))

    def _why_not(self, error: CallError, info: bytes) -> str:
        if error.errno in (errno.EINVAL, errno.EBADF) and not info:
            return "this iterator needs something to go over: pass bpf_map or cgroup"
        if error.errno == errno.EINVAL:
            return kernel.too_old("a cgroup or a process to go over", 6, 1) or (
                "this kind of iterator does not go over that"
            )
        return kernel.too_old("iterators", 5, 8)


def _process_info(pid: int | None, tid: int | None) -> bytes:
    """A ``union bpf_iter_link_info`` for tasks, empty without a limit."""
    if pid is None and tid is None:
        return b""
    for name, number in (("pid", pid), ("tid", tid)):
        if number is not None and not 0 < number < 1 << 31:
            raise ValueError(f"{name} can't be {number}")
    return struct.pack("=III4x", tid or 0, pid or 0, 0)


def _order(order: str) -> int:
    if order not in _ORDERS:
        raise ValueError(f"order of cgroups is one of {', '.join(_ORDERS)}, not {order!r}")
    return _ORDERS[order]


def iterator(name: str) -> Member[Iterator]:
    """Declare an iterator."""
    return AttachableMember(name, Iterator)
