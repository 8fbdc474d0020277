"""Programs at the hooks of netfilter."""

import errno
from enum import IntEnum
from typing import ClassVar

from ebpfgen.runtime import kernel
from ebpfgen.runtime._libbpf import attach as _attach
from ebpfgen.runtime._libbpf.library import CallError
from ebpfgen.runtime.handle import AttachableMember, Member
from ebpfgen.runtime.link import Link
from ebpfgen.runtime.programs.base import Program

_DEFRAGMENT = 1 << 0  # BPF_F_NETFILTER_IP_DEFRAG


class Family(IntEnum):
    """Which packets: ``NFPROTO_*`` of include/uapi/linux/netfilter.h."""

    IPV4 = 2
    IPV6 = 10


class NetfilterHook(IntEnum):
    """Where on their way: ``enum nf_inet_hooks`` of include/uapi/linux/netfilter.h."""

    PRE_ROUTING = 0
    LOCAL_IN = 1
    FORWARD = 2
    LOCAL_OUT = 3
    POST_ROUTING = 4


class Netfilter(Program):
    """A program that decides, with 0 (drop) or 1 (accept), about packets at a hook."""

    capabilities: ClassVar[tuple[str, ...]] = ("CAP_BPF", "CAP_NET_ADMIN")

    def attach(
        self,
        family: Family,
        hook: NetfilterHook,
        *,
        priority: int,
        defragment: bool = False,
    ) -> Link:
        """Attach to a hook in this process's network namespace (Linux 6.4, libbpf 1.3).

        The lowest *priority* runs first, each has one program; iptables' filter table has 0. With
        *defragment* (Linux 6.6) the program sees packets put together, which needs a priority above
        -400.

        Raises AttachError if the priority is taken or CAP_NET_ADMIN is missing, NotSupportedError
        if libbpf is too old.
        """
        self._check_loaded()
        family, hook = Family(family), NetfilterHook(hook)
        target = f"netfilter {family.name} {hook.name}, priority {priority}"
        flags = _DEFRAGMENT if defragment else 0
        try:
            handle = self._while_open(_attach.attach_netfilter, family, hook, priority, flags)
        except CallError as error:
            raise self._error(error, target, _why_not(error)) from error
        return self._link(handle, target)


def _why_not(error: CallError) -> str:
    if error.errno == errno.EBUSY:
        return "this priority has a program already"
    if kernel.lacks_option("CONFIG_NETFILTER_BPF_LINK"):
        return "this kernel is built without CONFIG_NETFILTER_BPF_LINK"
    return kernel.too_old("netfilter programs", 6, 4)


def netfilter(name: str) -> Member[Netfilter]:
    """Declare a netfilter program."""
    return AttachableMember(name, Netfilter)
