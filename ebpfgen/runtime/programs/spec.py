"""Programs before they are loaded: what can still be changed about them."""

import errno
import os
from collections.abc import Callable
from contextlib import nullcontext
from typing import TypeVar

from ebpfgen.runtime import kernel, targets
from ebpfgen.runtime._libbpf import programs as _programs
from ebpfgen.runtime._libbpf.library import CallError
from ebpfgen.runtime.descriptor import held_fd
from ebpfgen.runtime.errors import AttachError, BpfError
from ebpfgen.runtime.handle import Handle, Member
from ebpfgen.runtime.link import HasDescriptor
from ebpfgen.runtime.program_types import AttachType, ProgramType, named

S = TypeVar("S", int, bool)


class ProgramSpec:
    """A program of an object that is not loaded yet."""

    def __init__(self, owner: Handle, name: str) -> None:
        self._owner = owner
        self.name = name
        with owner.held():
            self._pointer = owner.find_program(name)
            self.section = _programs.section(self._pointer)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}, SEC({self.section!r})>"

    @property
    def autoload(self) -> bool:
        """Whether the program is loaded with its object; set it to False to leave it out."""
        with self._owner.held_unloaded():
            return _programs.autoload(self._pointer)

    @autoload.setter
    def autoload(self, value: bool) -> None:
        self._set("autoload", _programs.set_autoload, value)

    @property
    def autoattach(self) -> bool:
        """Whether ``attach()`` of the collection attaches it; set it to False to leave it out."""
        with self._owner.held_unloaded():
            return _programs.autoattach(self._pointer)

    @autoattach.setter
    def autoattach(self, value: bool) -> None:
        with self._owner.held_unloaded():
            _programs.set_autoattach(self._pointer, value)

    @property
    def type(self) -> ProgramType | int:
        """What kind of program it is loaded as, which ``SEC()`` says unless it is set.

        ``UNSPEC`` is for a section that this libbpf does not know, such as one of a newer libbpf's:
        set it, and ``attach_type``, to load the program all the same.
        """
        with self._owner.held_unloaded():
            return named(ProgramType, _programs.program_type(self._pointer))

    @type.setter
    def type(self, value: ProgramType | int) -> None:
        self._set("type", _programs.set_program_type, value)

    @property
    def attach_type(self) -> AttachType | int:
        """What it is loaded to be attached as, which ``SEC()`` says unless it is set."""
        with self._owner.held_unloaded():
            return named(AttachType, _programs.attach_type(self._pointer))

    @attach_type.setter
    def attach_type(self, value: AttachType | int) -> None:
        self._set("attach_type", _programs.set_attach_type, value)

    @property
    def flags(self) -> int:
        """Flags of loading beside those of ``SEC()``: those of :class:`ProgramFlag`."""
        with self._owner.held_unloaded():
            return _programs.flags(self._pointer)

    @flags.setter
    def flags(self, value: int) -> None:
        self._set("flags", _programs.set_flags, value)

    @property
    def log_level(self) -> int:
        """How much the verifier writes into its log, of bits.

        0: what was wrong, if it refuses the program; 1: every step; 2: more of it; 4: statistics.
        """
        with self._owner.held_unloaded():
            return _programs.log_level(self._pointer)

    @log_level.setter
    def log_level(self, value: int) -> None:
        self._set("log_level", _programs.set_log_level, value)

    def _set(self, what: str, change: Callable[[int, S], None], value: S) -> None:
        try:
            with self._owner.held_unloaded():
                change(self._pointer, value)
        except CallError as error:
            message = f"can't set {what} of program {self.name}: {error}"
            raise BpfError(error.errno, message) from error

    def offload_to(self, interface: str | int) -> None:
        """Load the program into the hardware of a network interface, by its name or index.

        Raises BpfError if there is no such interface.
        """
        with self._owner.held_unloaded():
            _programs.set_ifindex(self._pointer, targets.interface_index(interface))

    def set_attach_target(
        self, function: str | None, program: HasDescriptor | int | None = None
    ) -> None:
        """Say what an fentry, fexit, fmod_ret, lsm, tp_btf or freplace program is for.

        *function* is one of the kernel, by default that of ``SEC()``; with *program*, a loaded one
        or a descriptor, it is one of that program's instead. The program's own ``SEC()`` may name
        none then, or another.

        Raises AttachError if there is no such function, naming those that are close.
        """
        with self._owner.held_unloaded():
            other = nullcontext(0) if program is None else held_fd(program)
            try:
                with other as descriptor:
                    own = descriptor and self._owner.descriptor_until_loaded(descriptor)
                    _programs.set_attach_target(self._pointer, function, own)
            except CallError as error:
                raise self._no_target(error, function, of_kernel=program is None) from error

    def _no_target(self, error: CallError, function: str | None, *, of_kernel: bool) -> AttachError:
        target = f"function {function}"
        reason = os.strerror(error.errno)
        if not of_kernel and error.errno in (errno.ENOENT, errno.ESRCH, errno.EINVAL):
            reason = "the program it is to be of has no such function, or was compiled without -g"
        elif error.errno in (errno.ENOENT, errno.ESRCH):
            close = kernel.similar_functions(function or "")
            reason = "this kernel's BTF has no such function"
            reason += f"; close: {', '.join(close)}" if close else ""
        return AttachError(error.errno, f"can't make {target} the target of {self.name}: {reason}")


def program_spec(name: str) -> Member[ProgramSpec]:
    """Declare a program of a generated specs class; *name* is that of the C function."""
    return Member(name, ProgramSpec)
