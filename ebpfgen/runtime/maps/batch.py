"""Reading all elements of a map: in batches where the kernel has them, one by one where not."""

import ctypes
import errno
from collections.abc import Iterator
from typing import NamedTuple

from ebpfgen.runtime._libbpf import elements as _elements
from ebpfgen.runtime._libbpf.elements import Bytes, Room
from ebpfgen.runtime._libbpf.library import CallError
from ebpfgen.runtime.maps.failures import has_no_such_command

_MOST_ELEMENTS = 4096
_MOST_BYTES = 1 << 20
_MOST_RETRIES = 100


class Chunk(NamedTuple):
    """*length* keys, and as many values, one after the other. The next chunk overwrites them."""

    keys: memoryview
    values: memoryview
    length: int


class Elements(NamedTuple):
    """Where to read: the map's descriptor, and the bytes that a key and a value take."""

    fd: int
    key_size: int
    value_space: int
    max_entries: int


def read(place: Elements, *, delete: bool = False, batches: bool = True) -> Iterator[Chunk]:
    """Yield all elements, and with *delete* take them out of the map as they are read.

    Ends even while others add and delete: what is there all the time is read once, what comes or
    goes meanwhile perhaps. Raises CallError.
    """
    if batches:
        try:
            yield from _read_batches(place, delete=delete)
        except _NoBatchesError:
            pass
        else:
            return
    yield from _read_singly(place, delete=delete)


class _NoBatchesError(Exception):
    """The kernel has no batches for this map."""


def _read_batches(place: Elements, *, delete: bool) -> Iterator[Chunk]:
    each = place.key_size + place.value_space
    most = min(_MOST_ELEMENTS, place.max_entries, max(_MOST_BYTES // each, 16))
    room = Room(place.key_size, place.value_space, most)
    # The kernel's place in a hash map takes four bytes, that in others a key.
    cursor: Bytes = ctypes.create_string_buffer(max(place.key_size, 4))
    total = stalled = 0
    # In other maps than hashes, the kernel begins again when the key it stands on was deleted.
    while total < 2 * place.max_entries:
        count, number = _elements.read_batch(
            place.fd, cursor if total else None, cursor, room, delete=delete
        )
        if number == errno.ENOSPC:
            # One of the buckets, which are read whole, is larger than the buffer.
            room = Room(place.key_size, place.value_space, 2 * room.count)
            continue
        if has_no_such_command(CallError(number)) and not total and not count:
            raise _NoBatchesError
        if number not in (0, errno.ENOENT, errno.EINTR):
            raise CallError(number)
        if count:
            total += count
            yield Chunk(room.key_bytes, room.value_bytes, count)
        elif number != errno.ENOENT:
            # Others delete each key before the kernel gets to it.
            stalled += 1
            if stalled == _MOST_RETRIES:
                raise CallError(number)
        if number == errno.ENOENT:
            return


def _read_singly(place: Elements, *, delete: bool) -> Iterator[Chunk]:
    found: list[bytes] = []
    values: list[bytes] = []
    value: Bytes = ctypes.create_string_buffer(place.value_space)
    for key in keys(place):
        try:
            _elements.lookup(place.fd, key, value)
            if delete:
                _elements.delete(place.fd, key)
        except CallError as error:
            if error.errno != errno.ENOENT:
                raise
            continue  # Deleted meanwhile, or an index that nothing was set at.
        found.append(key)
        values.append(value.raw)
        if len(found) == _MOST_ELEMENTS:
            yield _joined(found, values)
            found, values = [], []
    if found:
        yield _joined(found, values)


def keys(place: Elements) -> Iterator[bytes]:
    """Yield keys, no more than the map can hold.

    The kernel begins again when the key it goes on from was deleted meanwhile, so the next key is
    had before anyone is given the chance to delete this one.
    """
    key = _key_after(place, None)
    for _ in range(place.max_entries):
        if key is None:
            return
        following = _key_after(place, key)
        yield key
        key = following


def _key_after(place: Elements, key: bytes | None) -> bytes | None:
    try:
        return _elements.next_key(place.fd, key, place.key_size)
    except CallError as error:
        if error.errno != errno.ENOENT:
            raise
        return None


def delete(place: Elements, packed: bytes, *, batches: bool = True) -> int:
    """Delete packed keys, as far as they are there; returns how many were. Raises CallError."""
    size = place.key_size
    total = len(packed) // size
    buffer = ctypes.create_string_buffer(packed, len(packed))
    deleted = position = 0
    while batches and position < total:
        try:
            rest = ctypes.addressof(buffer) + position * size
            _elements.delete_batch(place.fd, rest, total - position)
        except _elements.BatchError as error:
            deleted += error.done
            position += error.done
            if error.errno == errno.ENOENT:
                position += 1
            elif has_no_such_command(error) and not position:
                batches = False
            else:
                raise
        else:
            return deleted + total - position
    for index in range(position, total):
        try:
            _elements.delete(place.fd, packed[index * size : (index + 1) * size])
            deleted += 1
        except CallError as error:
            if error.errno != errno.ENOENT:
                raise
    return deleted


def update(
    place: Elements, packed: bytes, values: bytes, flags: int, *, batches: bool = True
) -> None:
    """Write packed keys and values. Raises BatchError, which says how many were written."""
    key_size, space = place.key_size, place.value_space
    total = len(packed) // key_size
    if batches:
        try:
            return _elements.update_batch(place.fd, packed, values, total, flags)
        except _elements.BatchError as error:
            # The kernel takes no flags but BPF_F_LOCK here, and says EINVAL to others.
            if not has_no_such_command(error):
                raise
    for index in range(total):
        key = packed[index * key_size : (index + 1) * key_size]
        value = values[index * space : (index + 1) * space]
        try:
            _elements.update(place.fd, key, value, flags)
        except CallError as error:
            raise _elements.BatchError(error.errno, index) from error
    return None


def _joined(keys: list[bytes], values: list[bytes]) -> Chunk:
    return Chunk(memoryview(b"".join(keys)), memoryview(b"".join(values)), len(keys))
