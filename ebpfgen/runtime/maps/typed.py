"""A map whose values have a codec: what reads and writes single elements."""

import ctypes
import errno
from typing import Generic, TypeVar

from ebpfgen.runtime._libbpf import elements as _elements
from ebpfgen.runtime._libbpf.elements import Bytes
from ebpfgen.runtime._libbpf.library import CallError
from ebpfgen.runtime.codec import Codec, misfit
from ebpfgen.runtime.errors import MapError
from ebpfgen.runtime.maps.base import Map
from ebpfgen.runtime.maps.bulk import unpack_many
from ebpfgen.runtime.maps.opened import Opened

V = TypeVar("V")


class TypedMap(Map, Generic[V]):
    """A map whose values have a codec.

    Its methods may be called by several threads at once: each call has its own buffers, and the
    kernel sees to the elements.
    """

    def __init__(self, opened: Opened, value: Codec[V], *, size: int | None = None) -> None:
        """Take *value* as the codec; *size* is that of one value, if it is not the codec's."""
        super().__init__(opened)
        check_size(opened, "value", value.SIZE if size is None else size, self.value_size)
        self._value = value
        # How many bytes the kernel reads and writes for a value.
        self._value_space = value.SIZE
        self._buffer_type: type[Bytes] = ctypes.c_char * self._value_space
        self._lookup_elem = _elements.lookup_function()
        self._unpack_values = unpack_many(value)

    def _read(self, key: bytes | None, flags: int = 0) -> V:
        """Return the value of a packed key. Raises CallError."""
        buffer = self._buffer_type()
        if flags:
            _elements.lookup(self.fd, key, buffer, flags)
        elif (result := self._lookup_elem(self.fd, key, buffer)) < 0:
            raise CallError(-result)
        return self._value.unpack_from(buffer)

    def _take(self, key: bytes | None) -> V:
        """Return the value of a packed key, and delete it. Raises CallError."""
        buffer = self._buffer_type()
        _elements.lookup_and_delete(self.fd, key, buffer)
        return self._value.unpack_from(buffer)

    def _write(self, key: bytes | None, value: V, flags: int) -> None:
        """Set the value of a packed key. Raises CallError."""
        _elements.update(self.fd, key, self._packed(value), flags)

    def _packed(self, value: V) -> bytes:
        # A flexible array member makes it longer than the map's values, which end where it begins.
        try:
            return self._value.pack(value)[: self._value_space]
        except AttributeError:
            raise misfit(self._value, value, f"value of {self.name}") from None


_REMEDY = (
    "run ebpfgen generate again",
    "it is of another program, or of another version of this one",
)


def check_size(opened: Opened, what: str, bindings: int, kernel: int) -> None:
    """Refuse a codec of another size than the map's: the kernel reads and writes its own."""
    if bindings != kernel:
        raise MapError(
            errno.EINVAL,
            f"the {what}s of map {opened.name} {opened.origin} have {kernel} bytes, those of the "
            f"bindings {bindings}: {_REMEDY[opened.pointer is None]}",
        )
