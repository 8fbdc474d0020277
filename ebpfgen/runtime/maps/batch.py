"""Reading all elements of a map: in batches where the kernel has them, one by one where not."""

import ctypes
import errno
from collections.abc import Iterator
from typing import NamedTuple

from ebpfgen.runtime._libbpf.elements import BatchError
from ebpfgen.runtime._libbpf.library import CallError
from ebpfgen.runtime.maps.elements import Elements
from ebpfgen.runtime.maps.failures import has_no_such_command

_MOST_ELEMENTS = 4096
_MOST_BYTES = 1 << 20
_MOST_RETRIES = 100


class Chunk(NamedTuple):
    """*length* keys, and as many values, one after the other. The next chunk overwrites them."""

    keys: memoryview
    values: memoryview
    length: int


def read(
    elements: Elements, most: int, *, delete: bool = False, batches: bool = True
) -> Iterator[Chunk]:
    """Yield all elements, and with *delete* take them out of the map as they are read.

    *most* is how many there can be. Ends even while others add and delete: what is there all the
    time is read once, what comes or goes meanwhile perhaps. Raises CallError, and StateError if the
    map is closed meanwhile.
    """
    if batches:
        try:
            yield from _read_batches(elements, most, delete=delete)
        except _NoBatchesError:
            pass
        else:
            return
    yield from _read_singly(elements, most, delete=delete)


class _NoBatchesError(Exception):
    """The kernel has no batches for this map."""


def _read_batches(elements: Elements, most: int, *, delete: bool) -> Iterator[Chunk]:
    each = elements.key_size + elements.value_size
    room = elements.room(min(_MOST_ELEMENTS, most, max(_MOST_BYTES // each, 16)))
    cursor = elements.cursor()
    total = stalled = 0
    # In other maps than hashes, the kernel begins again when the key it stands on was deleted.
    while total < 2 * most:
        count, number = elements.read_batch(cursor, room, first=not total, delete=delete)
        if number == errno.ENOSPC:
            # One of the buckets, which are read whole, is larger than the buffer.
            room = elements.room(2 * room.count)
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


def _read_singly(elements: Elements, most: int, *, delete: bool) -> Iterator[Chunk]:
    found: list[bytes] = []
    values: list[bytes] = []
    for key in keys(elements, most):
        try:
            value = elements.lookup(key)
            if delete:
                elements.delete(key)
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


def keys(elements: Elements, most: int) -> Iterator[bytes]:
    """Yield keys, no more than *most*.

    The kernel begins again when the key it goes on from was deleted meanwhile, so the next key is
    read before the caller gets the chance to delete this one.
    """
    key = _key_after(elements, None)
    for _ in range(most):
        if key is None:
            return
        following = _key_after(elements, key)
        yield key
        key = following


def _key_after(elements: Elements, key: bytes | None) -> bytes | None:
    try:
        return elements.next_key(key)
    except CallError as error:
        if error.errno != errno.ENOENT:
            raise
        return None


def delete(elements: Elements, packed: bytes, *, batches: bool = True) -> int:
    """Delete packed keys, as far as they are there; returns how many were. Raises CallError."""
    size = elements.key_size
    total = len(packed) // size
    buffer = ctypes.create_string_buffer(packed, len(packed))
    deleted = position = 0
    while batches and position < total:
        try:
            elements.delete_batch(buffer, position, total - position)
        except BatchError as error:
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
            elements.delete(packed[index * size : (index + 1) * size])
            deleted += 1
        except CallError as error:
            if error.errno != errno.ENOENT:
                raise
    return deleted


def update(
    elements: Elements, packed: bytes, values: bytes, flags: int, *, batches: bool = True
) -> None:
    """Write packed keys and values. Raises BatchError, which says how many were written."""
    key_size, space = elements.key_size, elements.value_size
    total = len(packed) // key_size
    if batches:
        try:
            return elements.update_batch(packed, values, total, flags)
        except BatchError as error:
            # The kernel takes no flags but BPF_F_LOCK here, and says EINVAL to others.
            if not has_no_such_command(error):
                raise
    for index in range(total):
        key = packed[index * key_size : (index + 1) * key_size]
        value = values[index * space : (index + 1) * space]
        try:
            elements.update(key, value, flags)
        except CallError as error:
            raise BatchError(error.errno, index) from error
    return None


def _joined(keys: list[bytes], values: list[bytes]) -> Chunk:
    return Chunk(memoryview(b"".join(keys)), memoryview(b"".join(values)), len(keys))
