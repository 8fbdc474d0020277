"""Global variables of the C source: constants before loading, live memory after."""

import errno
from typing import Generic, TypeVar

from ebpfgen.runtime.codec import Codec, packed
from ebpfgen.runtime.collection import Handle, Member, is_constant
from ebpfgen.runtime.errors import StateError

T = TypeVar("T")


class Variable(Generic[T]):
    """A global variable. ``offset`` and ``size`` are in bytes, of its section.

    Reading and setting ``value`` touches the memory the programs use, and no more of it than the
    variable's own. What is ``const`` in C can be set before loading only.
    """

    def __init__(
        self, owner: Handle, name: str, section: str, offset: int, codec: Codec[T]
    ) -> None:
        self._owner = owner
        self._codec = codec
        self.name = name
        self.section = section
        self.offset = offset
        self.size = codec.SIZE

    def __repr__(self) -> str:
        return f"<Variable {self.name} in {self.section}>"

    @property
    def value(self) -> T:
        """What the variable holds now."""
        if self.section == ".kconfig" and not self._owner.loaded:
            raise StateError(errno.EINVAL, f"{self.name} has its value once the object is loaded")
        return self._codec.unpack_from(self._owner.section(self.section), self.offset)

    @value.setter
    def value(self, value: T) -> None:
        if is_constant(self.section) and (self._owner.loaded or self.section == ".kconfig"):
            raise StateError(errno.EPERM, f"{self.name} is constant; set .rodata before load()")
        memory = memoryview(self._owner.section(self.section)).cast("B")
        data = packed(self._codec, value, self.name)[: self.size]
        with memory:
            memory[self.offset : self.offset + len(data)] = data


def variable(name: str, section: str, offset: int, codec: Codec[T]) -> Member[Variable[T]]:
    """Declare a variable of a loaded object."""
    return Member(name, lambda owner, c_name: Variable(owner, c_name, section, offset, codec))


variable_spec = variable
"""Declare a variable of a generated specs class."""
