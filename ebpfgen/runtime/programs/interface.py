"""What programs on network interfaces have in common."""

from typing import ClassVar

from ebpfgen.runtime import targets
from ebpfgen.runtime.errors import BpfError
from ebpfgen.runtime.programs.base import Program


class InterfaceProgram(Program):
    """A program that is attached to a network interface."""

    capabilities: ClassVar[tuple[str, ...]] = ("CAP_BPF", "CAP_NET_ADMIN")

    def _interface(self, interface: str | int) -> int:
        """Return an interface's index. Raises AttachError naming those that are close."""
        try:
            return targets.interface_index(interface)
        except BpfError as error:
            raise self._error(error, f"interface {interface}", error.message) from error
