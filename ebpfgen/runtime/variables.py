"""Global variables of the C source: constants before loading, live memory after."""

import errno
import operator
from collections.abc import Iterator, Sequence
from typing import Generic, TypeVar, overload

from ebpfgen.runtime.codec import Array, Codec, packed
from ebpfgen.runtime.errors import StateError
from ebpfgen.runtime.handle import Handle, Member, is_constant
from ebpfgen.runtime.records import Members

T = TypeVar("T")
F = TypeVar("F", bound="Fields")


class _Bytes:
    """The bytes of a variable, wherever its section is by now."""

    def __init__(self, owner: Handle, name: str, section: str, offset: int, size: int) -> None:
        self._owner = owner
        self.name = name
        self.section = section
        self.offset = offset
        self.size = size

    def read(self) -> memoryview:
        """Return the bytes, to be held no longer than for a call.

        Raises StateError if there are none yet, or any more.
        """
        if self.section == ".kconfig" and not self._owner.loaded:
            raise StateError(errno.EINVAL, f"{self.name} has its value once the object is loaded")
        return self._owner.section(self.section, self.offset, self.size)

    def write(self, offset: int, data: bytes) -> None:
        """Write *data* at *offset*.

        Raises StateError if the variable is constant by now, ValueError if it is shorter.
        """
        if self.section == ".kconfig":
            reason = "is the kernel's configuration; open the object with kconfig=… for another"
            raise StateError(errno.EPERM, f"{self.name} {reason}")
        if is_constant(self.section) and self._owner.loaded:
            raise StateError(errno.EPERM, f"{self.name} is constant; set .rodata before load()")
        if offset + len(data) > self.size:
            raise ValueError(f"{self.name}: {len(data)} bytes do not fit {self.size - offset}")
        self._owner.write_section(self.section, self.offset + offset, data)


class Variable(Generic[T]):
    """A global variable. ``offset`` and ``size`` are in bytes, of its section.

    Reading and setting ``value`` touches the memory the programs use, and no more of it than the
    variable's own. What is ``const`` in C can be set before loading only.
    """

    def __init__(
        self,
        owner: Handle,
        name: str,
        section: str,
        offset: int,
        codec: Codec[T],
        *,
        size: int | None = None,
    ) -> None:
        self._codec = codec
        self._bytes = _Bytes(owner, name, section, offset, size or codec.SIZE)
        self.name = name
        self.section = section
        self.offset = offset
        self.size = self._bytes.size

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name} in {self.section}>"

    @property
    def value(self) -> T:
        """What the variable holds now."""
        return self._codec.unpack_from(self._bytes.read())

    @value.setter
    def value(self, value: T) -> None:
        self._bytes.write(0, packed(self._codec, value, self.name))


class ArrayVariable(Variable[tuple[T, ...]], Sequence[T]):
    """A global variable that is an array, of which single elements are read and set as well.

    ``value`` is all of them.
    """

    def __init__(
        self,
        owner: Handle,
        name: str,
        section: str,
        offset: int,
        element: Codec[T],
        *,
        length: int,
    ) -> None:
        super().__init__(owner, name, section, offset, Array(element, length))
        self._element = element
        self._length = length

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[T]:
        return iter(self.value)

    @overload
    def __getitem__(self, index: int) -> T: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[T, ...]: ...

    def __getitem__(self, index: int | slice) -> T | tuple[T, ...]:
        memory, step = self._bytes.read(), self._element.SIZE
        if isinstance(index, slice):
            found = range(*index.indices(self._length))
            return tuple(self._element.unpack_from(memory, i * step) for i in found)
        return self._element.unpack_from(memory, self._place(index) * step)

    def __setitem__(self, index: int, value: T) -> None:
        place = self._place(index)
        data = packed(self._element, value, f"{self.name}[{place}]")
        self._bytes.write(place * self._element.SIZE, data)

    def _place(self, index: int) -> int:
        index = operator.index(index)  # numpy's integers wrap around
        place = index + self._length if index < 0 else index
        if not 0 <= place < self._length:
            raise IndexError(f"{self.name} has {self._length} elements, no element {index}")
        return place


class StructVariable(Variable[T], Generic[T, F]):
    """A global variable that is a struct or a union."""

    def __init__(
        self,
        owner: Handle,
        name: str,
        section: str,
        offset: int,
        codec: Codec[T],
        *,
        fields: type[F],
        size: int | None = None,
    ) -> None:
        super().__init__(owner, name, section, offset, codec, size=size)
        self._fields = fields

    @property
    def fields(self) -> F:
        """The members, each of which is read and set without touching the others.

        Bitfields share their bytes: setting one writes those next to it again.
        """
        return self._fields(self._bytes)


class Fields(Members):
    """The members of a variable in the memory the programs use.

    A member that is itself a struct is read as a copy: set it whole.
    """

    __slots__ = ("_bytes",)

    def __init__(self, variable: _Bytes) -> None:
        self._bytes = variable

    def _memory(self) -> memoryview:
        return self._bytes.read()

    def _put(self, offset: int, data: bytes) -> None:
        self._bytes.write(offset, data)


def variable(
    name: str, section: str, offset: int, codec: Codec[T], /, *, size: int | None = None
) -> Member[Variable[T]]:
    """Declare a variable of a loaded object; *size* is for more bytes than its type has."""
    return Member(
        name,
        lambda owner, c_name: Variable(owner, c_name, section, offset, codec, size=size),
    )


def array_variable(
    name: str, section: str, offset: int, element: Codec[T], length: int, /
) -> Member[ArrayVariable[T]]:
    """Declare a variable that is an array of *length* elements."""
    return Member(
        name,
        lambda owner, c_name: ArrayVariable(owner, c_name, section, offset, element, length=length),
    )


def struct_variable(
    name: str,
    section: str,
    offset: int,
    codec: Codec[T],
    fields: type[F],
    /,
    *,
    size: int | None = None,
) -> Member[StructVariable[T, F]]:
    """Declare a variable that is a struct or a union, with the class of its *fields*."""
    return Member(
        name,
        lambda owner, c_name: StructVariable(
            owner, c_name, section, offset, codec, fields=fields, size=size
        ),
    )


variable_spec = variable
array_variable_spec = array_variable
struct_variable_spec = struct_variable
"""Declare variables of a generated specs class."""
