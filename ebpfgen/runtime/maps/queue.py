"""Queues and stacks, and bloom filters: values without keys."""

import errno
from typing import TypeVar

from ebpfgen.runtime._libbpf.library import CallError
from ebpfgen.runtime.codec import Codec
from ebpfgen.runtime.maps.constants import MapType, UpdateFlag
from ebpfgen.runtime.maps.member import MapMember, valued
from ebpfgen.runtime.maps.typed import TypedMap

V = TypeVar("V")


class QueueMap(TypedMap[V]):
    """A queue, first in, first out; or a stack, last in, first out.

    The kernel does not say how many values there are.
    """

    def push(self, value: V, *, flags: UpdateFlag = UpdateFlag.ANY) -> None:
        """Put *value* in. Raises MapError (E2BIG) if the map is full.

        With ``BPF_EXIST``, a full map drops its oldest value instead.
        """
        try:
            self._write(None, value, flags)
        except CallError as error:
            raise self._error(error, "push to") from error

    def pop(self) -> V:
        """Take the next value out. Raises IndexError if there is none."""
        try:
            return self._take(None)
        except CallError as error:
            raise self._empty(error, "pop from") from error

    def peek(self) -> V:
        """Return the next value and leave it there. Raises IndexError if there is none."""
        try:
            return self._read(None)
        except CallError as error:
            raise self._empty(error, "peek into") from error

    def drain(self) -> list[V]:
        """Take out what is there, no more than the map can hold; the next value comes first."""
        found: list[V] = []
        try:
            while len(found) < self.max_entries:
                found.append(self._take(None))
        except CallError as error:
            if error.errno != errno.ENOENT:
                raise self._error(error, "pop from") from error
        return found

    def _empty(self, error: CallError, action: str) -> Exception:
        if error.errno == errno.ENOENT:
            return IndexError(f"map {self.name} is empty")
        return self._error(error, action)


class BloomFilter(TypedMap[V]):
    """A set that may take a value for its own that was never added, and never one that was for not.

    Values can be added and asked for (``value in map``); nothing else.
    """

    def add(self, value: V) -> None:
        """Add *value*. Adding more than ``max_entries`` makes the answers worse."""
        try:
            self._write(None, value, 0)
        except CallError as error:
            raise self._error(error, "add to") from error

    def __contains__(self, value: V) -> bool:
        try:
            self._elements.contains(self._pack_value(value))
        except CallError as error:
            if error.errno == errno.ENOENT:
                return False
            raise self._error(error, "look into") from error
        return True


def queue(name: str, *, value: Codec[V]) -> MapMember[QueueMap[V]]:
    """Declare a queue: first in, first out."""
    return valued(name, MapType.QUEUE, QueueMap[V], value, 0)


def stack(name: str, *, value: Codec[V]) -> MapMember[QueueMap[V]]:
    """Declare a stack: last in, first out."""
    return valued(name, MapType.STACK, QueueMap[V], value, 0)


def bloom_filter(name: str, *, value: Codec[V]) -> MapMember[BloomFilter[V]]:
    """Declare a bloom filter."""
    return valued(name, MapType.BLOOM_FILTER, BloomFilter[V], value, 0)
