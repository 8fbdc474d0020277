"""Programs that see packets before the network stack does."""

import errno
from enum import IntEnum

from ebpfgen.runtime import kernel, targets
from ebpfgen.runtime._libbpf import links as _links, network as _network
from ebpfgen.runtime._libbpf.library import CallError
from ebpfgen.runtime.handle import AttachableMember, Member
from ebpfgen.runtime.link import Attachment, Link
from ebpfgen.runtime.program_types import AttachType
from ebpfgen.runtime.programs.interface import InterfaceProgram

_ONLY_IF_NONE = 1 << 0  # XDP_FLAGS_UPDATE_IF_NOEXIST


class XdpMode(IntEnum):
    """Where the program runs: ``XDP_FLAGS_*_MODE`` of include/uapi/linux/if_link.h."""

    ANY = 0
    """In the driver if it can, else generic."""
    GENERIC = 1 << 1
    """In the network stack, for every interface."""
    NATIVE = 1 << 2
    """In the driver."""
    HARDWARE = 1 << 3
    """In the network card."""


class Xdp(InterfaceProgram):
    """A program that decides about each packet that an interface receives."""

    def attach(self, interface: str | int, *, mode: XdpMode = XdpMode.ANY) -> Link:
        """Attach to an interface, by its name or index, for as long as the link is open.

        Raises AttachError if there is no such interface (naming those that are close), it has a
        program already, its driver has not the mode, or CAP_NET_ADMIN is missing. Links of XDP
        came with Linux 5.9; attach_without_link() is for older kernels.
        """
        self._check_loaded()
        index = self._interface(interface)
        name = targets.interface_name(index)
        try:
            with self.held_fd() as program:
                link = _links.create(program, index, AttachType.XDP, flags=mode)
        except CallError as error:
            raise self._error(error, f"interface {name}", _why_not(error, mode)) from error
        return self._link_of(link, name)

    def attach_without_link(
        self, interface: str | int, *, mode: XdpMode = XdpMode.ANY, replace: bool = False
    ) -> Attachment:
        """Attach to an interface as ``ip link set … xdp`` does.

        The program stays there when the process ends, unless close() is called. With *replace* it
        takes the place of the one that is there, which close() does not bring back.

        Raises AttachError as attach() does.
        """
        self._check_loaded()
        index = self._interface(interface)
        name = targets.interface_name(index)
        with self.held_fd() as program:
            try:
                _network.attach_xdp(index, program, mode | (0 if replace else _ONLY_IF_NONE))
            except CallError as error:
                raise self._error(error, f"interface {name}", _why_not(error, mode)) from error
            return self._owner.keep(
                Attachment(self.name, name, lambda: _network.detach_xdp(index, program, mode))
            )


def _why_not(error: CallError, mode: XdpMode) -> str:
    if error.errno in (errno.EBUSY, errno.EEXIST):
        return "it has an XDP program already; ip link show names it"
    if mode is XdpMode.HARDWARE:
        return "its card takes no programs, or this was not loaded for it (spec.offload_to())"
    if error.errno == errno.EOPNOTSUPP:
        return f"its driver has no XDP in this mode ({mode.name}); XdpMode.GENERIC works with all"
    if error.errno == errno.EINVAL:
        return kernel.too_old("links of XDP", 5, 9) or (
            "the driver does not take this program; is its MTU too large without xdp.frags?"
        )
    return ""


def xdp(name: str) -> Member[Xdp]:
    """Declare an XDP program."""
    return AttachableMember(name, Xdp)
