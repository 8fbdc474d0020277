"""Programs for what the processes of a cgroup do: packets, sockets, devices, sysctls, options."""

import errno
import os
from enum import IntEnum
from typing import ClassVar

from ebpfgen.runtime import kernel, targets
from ebpfgen.runtime._libbpf import links as _links
from ebpfgen.runtime._libbpf.library import CallError
from ebpfgen.runtime.handle import AttachableMember, Member
from ebpfgen.runtime.link import Attachment, Link
from ebpfgen.runtime.program_types import AttachType
from ebpfgen.runtime.programs.base import Program
from ebpfgen.runtime.programs.tracing import lsm_reason


class CgroupSharing(IntEnum):
    """What the cgroups below may have: ``BPF_F_ALLOW_*`` of include/uapi/linux/bpf.h."""

    NONE = 0
    """No program of this kind."""
    OVERRIDE = 1 << 0
    """One, which then runs in the place of this."""
    MULTI = 1 << 1
    """Any number, and this cgroup too; they run before this."""


class Cgroup(Program):
    """A program that is attached to a cgroup (v2), for its processes and those of cgroups below."""

    capabilities: ClassVar[tuple[str, ...]] = ("CAP_BPF", "CAP_NET_ADMIN")

    def attach(self, cgroup: str | os.PathLike[str] | int) -> Link:
        """Attach to a cgroup, by the path of its folder or a descriptor (Linux 5.7).

        Any number of programs can have links there, beside those attached as
        ``CgroupSharing.MULTI``.

        Raises AttachError if there is no such cgroup, it is of version 1, it or one above has a
        program that can't be shared, or a capability is missing.
        """
        self._check_loaded()
        return self._attach_link(cgroup, self.attach_type)

    def attach_without_link(
        self,
        cgroup: str | os.PathLike[str] | int,
        *,
        sharing: CgroupSharing = CgroupSharing.MULTI,
    ) -> Attachment:
        """Attach to a cgroup for as long as the cgroup lives, or until close() is called.

        Raises AttachError as attach() does.
        """
        self._check_loaded()
        return self._attach_directly(cgroup, self.attach_type, sharing)

    def _attach_link(self, cgroup: str | os.PathLike[str] | int, attach_type: int) -> Link:
        target = f"cgroup {_shown(cgroup)}"
        opened = self._opened(targets.opened_cgroup(cgroup), target)
        with self.held_fd() as program, opened as descriptor:
            try:
                link = _links.create(program, descriptor, attach_type)
            except CallError as error:
                raise self._error(error, target, self._why_not(error)) from error
        return self._link_of(link, target)

    def _attach_directly(
        self, cgroup: str | os.PathLike[str] | int, attach_type: int, sharing: CgroupSharing
    ) -> Attachment:
        target = f"cgroup {_shown(cgroup)}"
        opened = self._opened(targets.opened_cgroup(cgroup), target)
        with self.held_fd() as program, opened as descriptor:
            try:
                _links.attach_program(program, descriptor, attach_type, sharing)
            except CallError as error:
                raise self._error(error, target, self._why_not(error)) from error
            kept = os.dup(descriptor)

            def detach() -> None:
                try:
                    _links.detach_program(program, kept, attach_type)
                finally:
                    os.close(kept)

            return self._owner.keep(Attachment(self.name, target, detach))

    def _why_not(self, error: CallError) -> str:
        if error.errno == errno.EBADF:
            return "it is no folder of a cgroup v2 file system (mount -t cgroup2)"
        if error.errno == errno.EPERM:
            return (
                ""
                if kernel.missing_capabilities(*self.capabilities)
                else "a cgroup above, or this one, has a program that can't be shared"
            )
        if error.errno == errno.EINVAL:
            return kernel.too_old("links of cgroups", 5, 7)
        return ""


class CgroupSkb(Cgroup):
    """A program for the packets of a cgroup's sockets; ``SEC()`` leaves the direction open."""

    def attach(self, cgroup: str | os.PathLike[str] | int, *, egress: bool = False) -> Link:
        """Attach to a cgroup, by the path of its folder or a descriptor (Linux 5.7).

        The program sees packets that come in, or, with *egress*, those that go out.

        Raises AttachError as :meth:`Cgroup.attach` does.
        """
        self._check_loaded()
        return self._attach_link(cgroup, _direction(egress))

    def attach_without_link(
        self,
        cgroup: str | os.PathLike[str] | int,
        *,
        sharing: CgroupSharing = CgroupSharing.MULTI,
        egress: bool = False,
    ) -> Attachment:
        """Attach to a cgroup for as long as the cgroup lives, or until close() is called."""
        self._check_loaded()
        return self._attach_directly(cgroup, _direction(egress), sharing)


class SockOps(Cgroup):
    """A program at the turns of TCP connections of a cgroup, which it can time and tune."""


class LsmCgroup(Cgroup):
    """A program at a security hook, for the processes of a cgroup (Linux 6.0)."""

    capabilities: ClassVar[tuple[str, ...]] = ("CAP_BPF", "CAP_PERFMON")

    def _why_not(self, error: CallError) -> str:
        return lsm_reason(error) or super()._why_not(error)


def _direction(egress: bool) -> AttachType:
    return AttachType.CGROUP_INET_EGRESS if egress else AttachType.CGROUP_INET_INGRESS


def _shown(cgroup: str | os.PathLike[str] | int) -> str:
    return f"descriptor {cgroup}" if isinstance(cgroup, int) else os.fspath(cgroup)


def cgroup(name: str) -> Member[Cgroup]:
    """Declare a program of a cgroup."""
    return AttachableMember(name, Cgroup)


def cgroup_skb(name: str) -> Member[CgroupSkb]:
    """Declare a program for a cgroup's packets in either direction."""
    return AttachableMember(name, CgroupSkb)


def sock_ops(name: str) -> Member[SockOps]:
    """Declare a program at the turns of a cgroup's connections."""
    return AttachableMember(name, SockOps)


def lsm_cgroup(name: str) -> Member[LsmCgroup]:
    """Declare a program at a security hook, for a cgroup."""
    return AttachableMember(name, LsmCgroup)
