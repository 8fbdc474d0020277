"""Programs at the traffic control hooks of network interfaces: tc, tcx and netkit."""

import errno
from enum import IntEnum

from ebpfgen.runtime import kernel, targets
from ebpfgen.runtime._libbpf import links as _links, network as _network
from ebpfgen.runtime._libbpf.library import CallError
from ebpfgen.runtime.descriptor import held_fd
from ebpfgen.runtime.handle import AttachableMember, Member
from ebpfgen.runtime.link import Attachment, HasDescriptor, Link
from ebpfgen.runtime.program_types import AttachType
from ebpfgen.runtime.programs.interface import InterfaceProgram

Anchor = HasDescriptor | Link | int
"""Another program at the same place: one that is loaded, its link, or its id in the kernel."""

_REPLACE = 1 << 0  # BPF_TC_F_REPLACE
# BPF_F_* of include/uapi/linux/bpf.h
_BEFORE, _AFTER, _IS_ID, _IS_LINK = 1 << 3, 1 << 4, 1 << 5, 1 << 13


class Direction(IntEnum):
    """Which packets of an interface: those that come in, or those that go out."""

    INGRESS = 1
    EGRESS = 2


class TcFilter(Attachment):
    """A program in a filter of the ``clsact`` queueing discipline.

    ``handle`` and ``priority`` name the filter in ``tc filter show``.
    """

    handle: int = 0
    priority: int = 0


class LinkedAtInterface(InterfaceProgram):
    """A program that can have a link of the kernel at an interface, in an order with others."""

    def _attach_link(
        self,
        interface: str | int,
        attach_type: AttachType,
        *,
        before: Anchor | None,
        after: Anchor | None,
        first: bool,
    ) -> Link:
        self._check_loaded()
        if sum((before is not None, after is not None, first)) > 1:
            raise ValueError("pass one of before, after and first")
        index = self._interface(interface)
        target = f"{targets.interface_name(index)} {attach_type.name.lower().replace('_', ' ')}"
        try:
            link = self._create(index, attach_type, before, after, first)
        except CallError as error:
            reason = _why_no_link(error, attach_type)
            raise self._error(error, f"interface {target}", reason) from error
        return self._link_of(link, target)

    def _create(
        self,
        index: int,
        attach_type: AttachType,
        before: Anchor | None,
        after: Anchor | None,
        first: bool,
    ) -> int:
        anchor = before if before is not None else after
        flags = _BEFORE if before is not None or first else _AFTER if after is not None else 0
        with self.held_fd() as program:
            if anchor is None:
                return _links.create(program, index, attach_type, flags=flags)
            if isinstance(anchor, int):
                return _links.create_relative(
                    program, index, attach_type, flags=flags | _IS_ID, relative_id=anchor
                )
            flags |= _IS_LINK if isinstance(anchor, Link) else 0
            with held_fd(anchor) as other:
                return _links.create_relative(
                    program, index, attach_type, flags=flags, relative_fd=other
                )


class Tc(LinkedAtInterface):
    """A program that decides about each packet at an interface's traffic control."""

    def attach(
        self,
        interface: str | int,
        direction: Direction,
        *,
        handle: int = 0,
        priority: int = 0,
        replace: bool = False,
    ) -> TcFilter:
        """Add a filter to an interface, by its name or index, in direct action mode.

        The kernel gives *handle* and *priority* (the lowest runs first) where they are 0. With
        *replace* the filter that has both is replaced. The interface gets the ``clsact`` queueing
        discipline that filters need, and keeps it. The filter stays when the process ends, unless
        close() is called.

        Raises AttachError if there is no such interface (naming those that are close), the filter
        is there already, or CAP_NET_ADMIN is missing.
        """
        self._check_loaded()
        direction = Direction(direction)
        index = self._interface(interface)
        target = f"{targets.interface_name(index)} {direction.name.lower()}"
        try:
            _create_hook(index)
            with self.held_fd() as program:
                made = _network.attach_tc(
                    index,
                    direction,
                    program,
                    handle=handle,
                    priority=priority,
                    flags=_REPLACE if replace else 0,
                )
        except CallError as error:
            raise self._error(error, f"interface {target}", _why_no_filter(error)) from error
        added = TcFilter(self.name, target, lambda: _network.detach_tc(index, direction, *made))
        added.handle, added.priority = made
        return self._owner.keep(added)

    def attach_tcx(
        self,
        interface: str | int,
        direction: Direction,
        *,
        before: Anchor | None = None,
        after: Anchor | None = None,
        first: bool = False,
    ) -> Link:
        """Attach to an interface by a link, without a queueing discipline (Linux 6.6).

        The program runs after those that are there; *first* puts it before all, *before* or
        *after* beside another one, which needs libbpf 1.3.

        Raises AttachError as attach() does, NotSupportedError if libbpf is too old.
        """
        incoming = Direction(direction) is Direction.INGRESS
        attach_type = AttachType.TCX_INGRESS if incoming else AttachType.TCX_EGRESS
        return self._attach_link(interface, attach_type, before=before, after=after, first=first)


class Tcx(LinkedAtInterface):
    """A program at an interface's traffic control whose ``SEC()`` says in which direction."""

    def attach(
        self,
        interface: str | int,
        *,
        before: Anchor | None = None,
        after: Anchor | None = None,
        first: bool = False,
    ) -> Link:
        """Attach to an interface, by its name or index (Linux 6.6, libbpf 1.3).

        The program runs after those that are there; *first* puts it before all, *before* or
        *after* beside another one.

        Raises AttachError if there is no such interface (naming those that are close), or
        CAP_NET_ADMIN is missing.
        """
        outgoing = self.target == "egress"
        attach_type = AttachType.TCX_EGRESS if outgoing else AttachType.TCX_INGRESS
        return self._attach_link(interface, attach_type, before=before, after=after, first=first)


class Netkit(LinkedAtInterface):
    """A program at one end of a pair of netkit interfaces, as its ``SEC()`` says."""

    def attach(
        self,
        interface: str | int,
        *,
        before: Anchor | None = None,
        after: Anchor | None = None,
        first: bool = False,
    ) -> Link:
        """Attach to a pair, by the name or index of its primary end (Linux 6.7, libbpf 1.3).

        The program runs after those that are there; *first* puts it before all, *before* or
        *after* beside another one.

        Raises AttachError if there is no such interface (naming those that are close), it is no
        primary netkit interface, or CAP_NET_ADMIN is missing.
        """
        peer = self.target == "peer"
        attach_type = AttachType.NETKIT_PEER if peer else AttachType.NETKIT_PRIMARY
        return self._attach_link(interface, attach_type, before=before, after=after, first=first)


def _create_hook(index: int) -> None:
    try:
        _network.create_tc_hook(index, Direction.INGRESS | Direction.EGRESS)
    except CallError as error:
        if error.errno != errno.EEXIST:
            raise


def _why_no_filter(error: CallError) -> str:
    if error.errno == errno.EEXIST:
        return "a filter with this handle and priority is there; replace=True takes its place"
    for option in ("CONFIG_NET_SCH_INGRESS", "CONFIG_NET_CLS_BPF"):
        if kernel.lacks_option(option):
            return f"this kernel is built without {option}"
    return ""


def _why_no_link(error: CallError, attach_type: AttachType) -> str:
    netkit = attach_type in (AttachType.NETKIT_PRIMARY, AttachType.NETKIT_PEER)
    if error.errno in (errno.EINVAL, errno.ENXIO):
        old = kernel.too_old("netkit", 6, 7) if netkit else kernel.too_old("tcx", 6, 6)
        return old or ("it is no netkit interface" if netkit else "")
    if error.errno == errno.EACCES and netkit:
        return "it is the peer of a pair: attach to the primary interface"
    if error.errno == errno.ENOENT:
        return "the other program is not attached there"
    return ""


def tc(name: str) -> Member[Tc]:
    """Declare a program at traffic control."""
    return AttachableMember(name, Tc)


def tcx(name: str) -> Member[Tcx]:
    """Declare a program at traffic control with a direction."""
    return AttachableMember(name, Tcx)


def netkit(name: str) -> Member[Netkit]:
    """Declare a program at a pair of netkit interfaces."""
    return AttachableMember(name, Netkit)
