"""A map whose values have a codec: what reads and writes single elements."""

import errno
from typing import Generic, TypeVar

from ebpfgen.runtime.codec import Codec, packer
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
        self._value_space = self._elements.value_size
        self._pack_value = packer(value, self._value_space, f"value of {self.name}")
        self._unpack_values = unpack_many(value)
        # Looked up once, for the call that programs make most.
        self._lookup = self._elements.lookup_quickly
        self._unpack_value = value.unpack_from

    def _read(self, key: bytes | None, flags: int = 0) -> V:
        """Return the value of a packed key. Raises CallError."""
        return self._value.unpack_from(self._elements.lookup(key, flags))

    def _take(self, key: bytes | None) -> V:
        """Return the value of a packed key, and delete it. Raises CallError."""
        return self._value.unpack_from(self._elements.take(key))

    def _write(self, key: bytes | None, value: V, flags: int) -> None:
        """Set the value of a packed key. Raises CallError."""
        self._elements.update(key, self._pack_value(value), flags)


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
