"""Programs of the sockets in a sockmap: what they send, and where what they receive goes."""

import errno
import os
from typing import ClassVar

from ebpfgen.runtime import kernel
from ebpfgen.runtime._libbpf import links as _links
from ebpfgen.runtime._libbpf.library import CallError
from ebpfgen.runtime.descriptor import held_fd
from ebpfgen.runtime.errors import AttachError
from ebpfgen.runtime.handle import AttachableMember, Member
from ebpfgen.runtime.link import Attachment, HasDescriptor
from ebpfgen.runtime.program_types import AttachType
from ebpfgen.runtime.programs.base import Program


class SockmapProgram(Program):
    """A program that is attached to a sockmap or sockhash, for all sockets in it."""

    capabilities: ClassVar[tuple[str, ...]] = ("CAP_BPF", "CAP_NET_ADMIN")

    def attach(self, sockmap: HasDescriptor | int) -> Attachment:
        """Attach to a sockmap or sockhash, or a descriptor of one.

        It is for the sockets that are put there afterwards, too. The program stays when the process
        ends and the map does not, unless close() is called.

        Raises AttachError if it is no such map, or has a program that excludes this one.
        """
        name = f"descriptor {sockmap}" if isinstance(sockmap, int) else sockmap.name
        target, attach_type = f"sockmap {name}", self._attach_type()
        with self.held_fd() as program, held_fd(sockmap) as descriptor:
            try:
                _links.attach_program(program, descriptor, attach_type, 0)
            except CallError as error:
                raise self._error(error, target, _why_not(error), AttachError) from error
            # The map may be closed before the program is detached from it.
            kept = os.dup(descriptor)

            def detach() -> None:
                try:
                    _links.detach_program(program, kept, attach_type)
                finally:
                    os.close(kept)

            return self._owner.keep(Attachment(self.name, target, detach))

    def _attach_type(self) -> int:
        return self.attach_type


class SkMsg(SockmapProgram):
    """A program that sees what the sockets send, and may send it elsewhere."""


class SkSkb(SockmapProgram):
    """A program for what the sockets receive.

    ``stream_parser`` says where a message ends, ``stream_verdict`` or ``verdict`` what becomes of
    it; just ``SEC("sk_skb")`` is taken for a verdict.
    """

    def _attach_type(self) -> int:
        # libbpf gives a program of SEC("sk_skb") no attach type.
        return self.attach_type or AttachType.SK_SKB_STREAM_VERDICT


def _why_not(error: CallError) -> str:
    if error.errno == errno.EOPNOTSUPP:
        return "it is no sockmap or sockhash"
    if error.errno == errno.EBUSY:
        return "it has a program that excludes this one: a verdict of the other kind"
    if error.errno == errno.EINVAL and kernel.lacks_option("CONFIG_BPF_STREAM_PARSER"):
        return "this kernel is built without CONFIG_BPF_STREAM_PARSER"
    return ""


def sk_msg(name: str) -> Member[SkMsg]:
    """Declare a program for what the sockets of a sockmap send."""
    return AttachableMember(name, SkMsg)


def sk_skb(name: str) -> Member[SkSkb]:
    """Declare a program for what the sockets of a sockmap receive."""
    return AttachableMember(name, SkSkb)
