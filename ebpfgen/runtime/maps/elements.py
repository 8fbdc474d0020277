"""The elements of one map: every call that passes keys or values to the kernel.

The kernel reads and writes as many bytes as the map's keys and values have, whatever the buffer is.
So each call compares the lengths, and keeps the map's descriptor open until it returns.
"""

import ctypes
from typing import NamedTuple

from ebpfgen.runtime._libbpf import elements as _elements
from ebpfgen.runtime._libbpf.elements import Bytes, checked_flags
from ebpfgen.runtime._libbpf.library import CallError
from ebpfgen.runtime.lifetime import Lifetime


class Sizes(NamedTuple):
    """What the kernel reads and writes, in bytes: a key, and a value (per-CPU: of all CPUs)."""

    key: int
    value: int


class Elements:
    """Lookups, updates and deletes on one map, singly and in batches.

    Single lookups and updates are what programs do most: they have the steps of
    ``with self.lifetime`` inline, which would take a fifth of their time.

    Keys and values are packed. Every method raises CallError with the kernel's errno, StateError if
    the map is closed, and ValueError for a buffer whose length is not what the kernel reads.
    """

    def __init__(self, name: str, lifetime: Lifetime, fd: int, sizes: Sizes) -> None:
        self.name = name
        self.lifetime = lifetime
        self.fd = fd
        self._int_fd = ctypes.c_int(fd)  # which ctypes does not make again for every call
        self.key_size, self.value_size = sizes
        self.value_type: type[Bytes] = ctypes.c_char * self.value_size
        self._lookup_elem = _elements.lookup_function()
        self._update_elem = _elements.update_function()

    def lookup(self, key: bytes | None, flags: int = 0) -> Bytes:
        """The value of *key*, None for a map without keys."""
        self._check_key(key)
        if flags:
            flags = checked_flags(flags)
        value = self.value_type()
        with self.lifetime.call():
            _elements.lookup(self.fd, key, value, flags)
        return value

    def contains(self, value: bytes) -> None:
        """Ask a bloom filter for *value*. Raises CallError with ENOENT if it does not have it."""
        self._check_values(value, 1)
        # The kernel reads the value from where it writes those of other maps to.
        buffer = self.value_type.from_buffer_copy(value)
        with self.lifetime.call():
            _elements.lookup(self.fd, None, buffer)

    def take(self, key: bytes | None) -> Bytes:
        """The value of *key*, which is deleted at once."""
        self._check_key(key)
        value = self.value_type()
        with self.lifetime.call():
            _elements.lookup_and_delete(self.fd, key, value)
        return value

    def update(self, key: bytes | None, value: bytes, flags: int = 0) -> None:
        """Set the value of *key*."""
        if key is None or len(key) != self.key_size or len(value) != self.value_size:
            self._check_key(key)
            self._check_values(value, 1)
        if flags:
            flags = checked_flags(flags)
        lifetime = self.lifetime
        try:
            lifetime.calls.append(None)
            if lifetime.closed:
                raise lifetime.error()
            result = self._update_elem(self._int_fd, key, value, flags)
        finally:
            lifetime.calls.pop()
            if lifetime.closed:
                lifetime.settle()
        if result < 0:
            raise CallError(-result)

    def delete(self, key: bytes) -> None:
        """Delete *key*."""
        self._check_key(key)
        with self.lifetime.call():
            _elements.delete(self.fd, key)

    def next_key(self, key: bytes | None) -> bytes:
        """The key after *key*; the first for None, or for a key that is gone."""
        if key is not None:
            self._check_key(key)
        with self.lifetime.call():
            return _elements.next_key(self.fd, key, self.key_size)

    def room(self, count: int) -> _elements.Room:
        """Buffers for a batch of *count* elements."""
        return _elements.Room(self.key_size, self.value_size, count)

    def cursor(self) -> Bytes:
        """A buffer for the position of read_batch(): four bytes in a hash map, a key in others."""
        return ctypes.create_string_buffer(max(self.key_size, 4))

    def read_batch(
        self, cursor: Bytes, room: _elements.Room, *, first: bool, delete: bool
    ) -> tuple[int, int]:
        """Read the elements that follow *cursor* into *room*, the first ones if *first*.

        Gives how many there are, and the errno: 0 if more may follow, ENOENT if these were the
        last.
        """
        self._check(len(cursor) >= max(self.key_size, 4), "a cursor", len(cursor), self.key_size)
        self._check_keys(room.keys, room.count)
        self._check_values(room.values, room.count)
        with self.lifetime.call():
            before = None if first else cursor
            return _elements.read_batch(self.fd, before, cursor, room, delete=delete)

    def update_batch(self, keys: bytes, values: bytes, count: int, flags: int) -> None:
        """Set *count* elements. Raises BatchError, which says how many were set."""
        self._check_keys(keys, count)
        self._check_values(values, count)
        with self.lifetime.call():
            _elements.update_batch(self.fd, keys, values, count, flags)

    def delete_batch(self, keys: Bytes, skipped: int, count: int) -> None:
        """Delete *count* of *keys*, after the first *skipped*. Raises BatchError with its count."""
        self._check_keys(keys, skipped + count)
        with self.lifetime.call():
            start = ctypes.addressof(keys) + skipped * self.key_size
            _elements.delete_batch(self.fd, start, count)

    def lookup_quickly(self, key: bytes) -> Bytes:
        """The value of *key*, as lookup() has it."""
        if len(key) != self.key_size:
            self._check_key(key)
        value = self.value_type()
        lifetime = self.lifetime
        try:
            lifetime.calls.append(None)
            if lifetime.closed:
                raise lifetime.error()
            result = self._lookup_elem(self._int_fd, key, value)
        finally:
            lifetime.calls.pop()
            if lifetime.closed:
                lifetime.settle()
        if result < 0:
            raise CallError(-result)
        return value

    def _check_key(self, key: bytes | None) -> None:
        self._check_keys(b"" if key is None else key, 1)

    def _check_keys(self, keys: bytes | Bytes, count: int) -> None:
        wanted = self.key_size * count
        self._check(len(keys) == wanted, "keys", len(keys), wanted)

    def _check_values(self, values: bytes | Bytes, count: int) -> None:
        wanted = self.value_size * count
        self._check(len(values) == wanted, "values", len(values), wanted)

    def _check(self, fits: bool, what: str, found: int, wanted: int) -> None:
        if not fits:
            raise ValueError(f"{what} for map {self.name} have {found} bytes, not {wanted}")
