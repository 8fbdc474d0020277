"""Implementations of the kernel's interfaces (struct_ops), such as a TCP congestion control."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

from ebpfgen.runtime import kernel
from ebpfgen.runtime._libbpf import attach as _attach, links as _links
from ebpfgen.runtime._libbpf.library import CallError
from ebpfgen.runtime.errors import AttachError, NotSupportedError, StateError
from ebpfgen.runtime.handle import Handle
from ebpfgen.runtime.link import HasDescriptor, Link, attached
from ebpfgen.runtime.maps.constants import MapType
from ebpfgen.runtime.maps.member import MapMember
from ebpfgen.runtime.maps.structops import StructOpsMap


class StructOpsLink(Link):
    """An implementation that is registered."""

    _handle: int

    def update(self, program: HasDescriptor) -> None:
        """Put another struct_ops map of the same type in (``.struct_ops.link``, libbpf 1.2).

        Raises NotSupportedError for one that is not in ``SEC(".struct_ops.link")``.
        """
        _ = self.fd
        if not isinstance(program, StructOps):
            raise NotSupportedError(
                errno.EINVAL, f"{self.program} is replaced by a struct_ops map, not {program!r}"
            )
        try:
            with program.held_pointer() as pointer, self.held_fd():
                _links.update_map(self._handle, pointer)
        except CallError as error:
            raise self._error(error, f"put {program.name} in the place of") from error
        self.program = program.name


class StructOps(StructOpsMap):
    """A struct of functions that BPF programs implement, to be registered in the kernel."""

    @contextmanager
    def held_pointer(self) -> Iterator[int]:
        """Give the ``struct bpf_map *``, which stays valid inside this ``with`` block.

        Raises StateError if the map is not of a loaded object.
        """
        with self._object.held():
            yield self._object.find_map(self.name)

    @property
    def _object(self) -> Handle:
        if not isinstance(self._owner, Handle):
            message = f"{self.name} was opened by its path or id: attach it where it was loaded"
            raise StateError(errno.EINVAL, message)
        return self._owner

    def attach(self) -> StructOpsLink:
        """Register the implementation, until the link is closed.

        In ``SEC(".struct_ops.link")`` (Linux 6.4, libbpf 1.2) the link can be pinned, updated and
        asked; in ``SEC(".struct_ops")`` it can be closed.

        Raises AttachError if there is one of that name, or the kernel finds a function missing.
        """
        try:
            with self.held_pointer() as pointer:
                made = attached(_attach.attach_struct_ops(pointer))
                self._object.lifetime.free_before(made.release)
        except CallError as error:
            raise AttachError(
                error.errno, f"can't attach struct_ops {self.name}: {_why_not(error)}"
            ) from error
        link = StructOpsLink(self.name, "the kernel", made.release, made.descriptor)
        link._handle = made.handle
        return self._object.keep(link)

    def auto_attach(self) -> StructOpsLink | None:
        """Register it as the ``attach()`` of its collection does: unless it is registered."""
        return None if self._object.has_attached(self.name) else self.attach()


def _why_not(error: CallError) -> str:
    name = kernel.errno_name(error.errno)
    if error.errno in (errno.EEXIST, errno.EBUSY):
        return f"the kernel has one of that name, or this one, already ({name})"
    if error.errno == errno.EINVAL:
        return f"the kernel refuses it: is a function missing, or a name too long? ({name})"
    if error.errno in (errno.EPERM, errno.EACCES):
        return f"{kernel.permission_hint('CAP_BPF', 'CAP_NET_ADMIN')} ({name})"
    return f"{kernel.errno_text(error.errno)} ({name})"


class StructOpsMember(MapMember[StructOps]):
    """A struct_ops map of a group: attach() of a collection registers it."""

    attachable: ClassVar[bool] = True


def struct_ops(name: str) -> MapMember[StructOps]:
    """Declare a struct_ops map."""
    return StructOpsMember(name, MapType.STRUCT_OPS, StructOps)
