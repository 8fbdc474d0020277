"""Programs of a network namespace: which socket gets a packet, and what its headers mean."""

import errno
import os
from typing import ClassVar

from ebpfgen.runtime import kernel, targets
from ebpfgen.runtime._libbpf import links as _links
from ebpfgen.runtime._libbpf.library import CallError
from ebpfgen.runtime.handle import AttachableMember, Member
from ebpfgen.runtime.link import Link
from ebpfgen.runtime.programs.base import Program


class NetnsProgram(Program):
    """A program that is attached to a network namespace."""

    capabilities: ClassVar[tuple[str, ...]] = ("CAP_BPF", "CAP_NET_ADMIN")

    def attach(self, netns: str | os.PathLike[str] | int | None = None) -> Link:
        """Attach to a network namespace, by default this process's.

        *netns* is a path such as ``/proc/PID/ns/net``, a name of ``ip netns``, or a descriptor.

        Raises AttachError if there is no such namespace, it has a program where there can be one,
        or CAP_NET_ADMIN is missing.
        """
        self._check_loaded()
        shown = "this one" if netns is None else f"descriptor {netns}"
        if not isinstance(netns, int | None):
            shown = os.fspath(netns)
        target = f"network namespace {shown}"
        opened = self._opened(targets.opened_netns(netns), target)
        with self.held_fd() as program, opened as descriptor:
            try:
                link = _links.create(program, descriptor, self.attach_type)
            except CallError as error:
                raise self._error(error, target, self._why_not(error)) from error
        return self._link_of(link, target)

    def _why_not(self, error: CallError) -> str:
        if error.errno in (errno.EEXIST, errno.E2BIG):
            return "it has as many programs of this kind as the kernel takes"
        if error.errno == errno.EINVAL:
            return kernel.too_old("links of network namespaces", 5, 8)
        return ""


class SkLookup(NetnsProgram):
    """A program that chooses the socket for a packet or connection (Linux 5.9).

    It runs before the kernel looks one up by address and port; several run in the order in which
    they were attached.
    """


class FlowDissector(NetnsProgram):
    """A program that reads packets' headers in the place of the kernel (Linux 5.8).

    There can be one for a network namespace; one of the first network namespace is for all.
    """


def sk_lookup(name: str) -> Member[SkLookup]:
    """Declare a program that chooses sockets."""
    return AttachableMember(name, SkLookup)


def flow_dissector(name: str) -> Member[FlowDissector]:
    """Declare a flow dissector."""
    return AttachableMember(name, FlowDissector)
