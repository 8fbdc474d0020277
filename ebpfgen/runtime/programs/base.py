"""What all loaded programs have in common, whatever they attach to."""

import errno
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import ClassVar, Concatenate, ParamSpec

from ebpfgen.runtime import kernel
from ebpfgen.runtime._libbpf import programs as _programs
from ebpfgen.runtime._libbpf.library import CallError
from ebpfgen.runtime.errors import AttachError, BpfError, NotSupportedError, StateError
from ebpfgen.runtime.handle import Handle
from ebpfgen.runtime.link import Attached, Attachment, Link, attached, link_of_descriptor
from ebpfgen.runtime.loaded_program import LoadedProgram
from ebpfgen.runtime.program_types import AttachType, named

P = ParamSpec("P")

NO_PERMISSION = (errno.EPERM, errno.EACCES)
# What libbpf logs of the kernel's answers over netlink.
_KERNEL_SAYS = re.compile(r"Kernel error message: (.+)")
_NOT_SUPPORTED = (errno.EOPNOTSUPP, errno.ENOSYS, kernel.ENOTSUPP)


class Program(LoadedProgram):
    """A loaded program. The classes for its kinds say how it is attached."""

    capabilities: ClassVar[tuple[str, ...]] = ("CAP_BPF", "CAP_PERFMON")
    """What a process needs to attach it, for errors."""

    def __init__(self, owner: Handle, name: str) -> None:
        self._owner = owner
        self.name = name
        with owner.held():
            self._pointer = owner.find_program(name)
            self.section = _programs.section(self._pointer)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}, SEC({self.section!r})>"

    @property
    def fd(self) -> int:
        """The program's file descriptor, which stays the collection's.

        Raises StateError if the program was switched off before loading.
        """
        with self.held_fd() as descriptor:
            return descriptor

    @contextmanager
    def held_fd(self) -> Iterator[int]:
        """Give :attr:`fd`, which is not closed inside this ``with`` block.

        Raises what :attr:`fd` does.
        """
        with self._owner.lifetime.call():
            yield self._descriptor()

    def _descriptor(self) -> int:
        try:
            return _programs.fd(self._pointer)
        except CallError as error:
            raise StateError(
                error.errno, f"program {self.name} is not loaded: its autoload was switched off"
            ) from error

    @property
    def attach_type(self) -> AttachType | int:
        """What the program was loaded to be attached as."""
        with self._owner.lifetime.call():
            return named(AttachType, _programs.attach_type(self._pointer))

    @property
    def verifier_log(self) -> str:
        """What the verifier said of the program; empty unless it was opened with a log_level."""
        self._owner.check_open()
        return self._owner.verifier_logs.get(self.name, "")

    def auto_attach(self) -> Attachment | None:
        """Attach the program as the ``attach()`` of its collection does.

        None, and nothing is attached, where it is switched off or attached already, or where
        ``SEC()`` does not say to what.
        """
        with self._owner.lifetime.call():
            wanted = _programs.autoload(self._pointer) and _programs.autoattach(self._pointer)
        if not wanted or self._owner.has_attached(self.name):
            return None
        return self._attach_by_section()

    def _attach_by_section(self) -> Attachment | None:
        """Attach the program to what ``SEC()`` names; None if it names nothing."""
        return None

    @property
    def target(self) -> str:
        """What follows the first slash of ``SEC()``: empty where it says only the kind."""
        return self.section.partition("/")[2]

    def _need_target(self) -> str:
        """Return what ``SEC()`` names. Raises AttachError if that is nothing."""
        if not self.target:
            raise AttachError(
                errno.EINVAL,
                f"SEC({self.section!r}) of {self.name} names nothing to attach to: "
                "pass the name to attach()",
            )
        return self.target

    def _check_loaded(self) -> None:
        """Raise StateError unless there is a program to attach."""
        _ = self.fd

    def _while_open(
        self, attach: Callable[Concatenate[int, P], int], *args: P.args, **options: P.kwargs
    ) -> Attached:
        """Attach this program by libbpf, which no other thread frees meanwhile.

        The link is freed before the object, whoever closes that until a Link has it.
        """
        with self._owner.held():
            made = attached(attach(self._pointer, *args, **options))
            self._owner.lifetime.free_before(made.release)
            return made

    def _link(self, made: Attached, target: str) -> Link:
        """The link that libbpf made, which is closed with the collection."""
        return self._owner.keep(Link(self.name, target, made.release, made.descriptor))

    def _link_of(self, descriptor: int, target: str) -> Link:
        """The link of the kernel's descriptor, which is closed with the collection."""
        return self._owner.keep(link_of_descriptor(self.name, target, descriptor))

    @contextmanager
    def _opened(self, target: AbstractContextManager[int], shown: str) -> Iterator[int]:
        """Give a target's descriptor; that it can't be opened is an error of attach()."""
        with ExitStack() as stack:
            try:
                descriptor = stack.enter_context(target)
            except BpfError as error:
                raise self._error(error, shown, error.message) from error
            yield descriptor

    def _error(
        self,
        error: CallError | OSError,
        target: str,
        reason: str = "",
        kind: type[BpfError] | None = None,
    ) -> BpfError:
        """Return what is raised for a failed attach(); without *reason*, the errno's own.

        Without *kind* it is NotSupportedError where the errno says so, else AttachError.
        """
        number = error.errno or errno.EIO
        if number in NO_PERMISSION and (missing := kernel.missing_capabilities(*self.capabilities)):
            reason = f"this process lacks {' and '.join(missing)}: run it as root (sudo)"
        elif not reason and number in NO_PERMISSION:
            reason = kernel.permission_hint(*self.capabilities)
        elif not reason and number == errno.EEXIST:
            reason = "it is attached there already: close that link first"
        elif not reason:
            said = _KERNEL_SAYS.findall(error.log) if isinstance(error, CallError) else []
            reason = said[-1] if said else kernel.errno_text(number)
        message = f"can't attach {self.name} to {target}: {reason} ({kernel.errno_name(number)})"
        usual = NotSupportedError if number in _NOT_SUPPORTED else AttachError
        return (kind or usual)(number, message)
