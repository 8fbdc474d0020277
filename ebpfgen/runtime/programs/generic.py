"""Programs of a kind that has no class of its own here."""

import errno

from ebpfgen.runtime._libbpf import attach as _attach
from ebpfgen.runtime._libbpf.library import CallError
from ebpfgen.runtime.errors import NotSupportedError
from ebpfgen.runtime.handle import AttachableMember, Member
from ebpfgen.runtime.link import Link
from ebpfgen.runtime.programs.base import Program

_IN_A_MAP = "it runs for what a map redirects: put its fd into the value of a devmap or cpumap"

# Kinds that run without an attach() of their own, by the beginning of the section.
_RUN_OTHERWISE = {
    "syscall": "it runs when test_run() is called",
    "struct_ops": "attach() is that of the struct_ops map that names it",
    "xdp/": _IN_A_MAP,
    "xdp.": _IN_A_MAP,
    "lwt_": "pin() it, and name the file in a route: ip route add … encap bpf … pinned PATH",
    "lirc_mode2": "pin() it, and attach it with ir-keytable",
    "action": 'attach a SEC("tc") program, which can act by itself',
}


class OtherProgram(Program):
    """A program that libbpf may know how to attach from its ``SEC()``."""

    def attach(self) -> Link:
        """Attach to what ``SEC()`` names, if libbpf can.

        Raises NotSupportedError saying what to do instead if it can't, AttachError if it fails.
        """
        self._check_loaded()
        try:
            return self._link(self._while_open(_attach.attach), self.section)
        except CallError as error:
            if error.errno == errno.EOPNOTSUPP:
                raise self._no_place(error) from error
            raise self._error(error, f"SEC({self.section!r})") from error

    def _attach_by_section(self) -> Link | None:
        try:
            return self.attach()
        except NotSupportedError as error:
            if error.errno == errno.EOPNOTSUPP:
                return None
            raise

    def _no_place(self, error: CallError) -> NotSupportedError:
        message = f"SEC({self.section!r}) of {self.name} does not say where to attach it"
        for section, how in _RUN_OTHERWISE.items():
            if self.section.startswith(section):
                message = f"{self.name} is not attached from SEC({self.section!r}): {how}"
        return NotSupportedError(error.errno, message)


def program(name: str) -> Member[OtherProgram]:
    """Declare a program of a kind that attaches as its ``SEC()`` says."""
    return AttachableMember(name, OtherProgram)
