"""The elements of maps, by descriptor: one by one and in batches.

Buffers are ctypes arrays of the size that the kernel reads or writes; a buffer that is too small
lets it write over other memory, so their sizes are the callers' to get right.
"""

import ctypes
import errno
from collections.abc import Callable

from ebpfgen.runtime._libbpf.library import (
    INT,
    SIZE_T,
    UINT,
    VOID_P,
    CallError,
    Struct,
    check,
    declare,
    fitting,
    library,
)

_U64 = ctypes.c_uint64
_BATCH_READ = [INT, VOID_P, VOID_P, VOID_P, VOID_P, VOID_P, VOID_P]

Bytes = ctypes.Array[ctypes.c_char]

declare(
    {
        "bpf_map_lookup_elem": (INT, [INT, VOID_P, VOID_P]),
        "bpf_map_lookup_elem_flags": (INT, [INT, VOID_P, VOID_P, _U64]),
        "bpf_map_lookup_and_delete_elem": (INT, [INT, VOID_P, VOID_P]),
        "bpf_map_update_elem": (INT, [INT, VOID_P, VOID_P, _U64]),
        "bpf_map_delete_elem": (INT, [INT, VOID_P]),
        "bpf_map_get_next_key": (INT, [INT, VOID_P, VOID_P]),
        "bpf_map_lookup_batch": (INT, _BATCH_READ),
        "bpf_map_lookup_and_delete_batch": (INT, _BATCH_READ),
        "bpf_map_update_batch": (INT, [INT, VOID_P, VOID_P, VOID_P, VOID_P]),
        "bpf_map_delete_batch": (INT, [INT, VOID_P, VOID_P, VOID_P]),
    }
)


class _BatchOptions(Struct):
    """``struct bpf_map_batch_opts``."""

    _fields_ = (("sz", SIZE_T), ("elem_flags", _U64), ("flags", _U64))


def checked_flags(flags: int) -> int:
    """Flags of an element. Raises ValueError if the kernel would see them cut."""
    return fitting(flags, _U64, "flags")


def lookup_function() -> Callable[[ctypes.c_int, bytes | None, Bytes], int]:
    """Return ``bpf_map_lookup_elem``, which answers with a negative errno.

    Single lookups and updates are what programs do most, so that their callers save the way through
    a function of this module.
    """
    found: Callable[[ctypes.c_int, bytes | None, Bytes], int] = library().bpf_map_lookup_elem
    return found


def update_function() -> Callable[[ctypes.c_int, bytes | None, bytes, int], int]:
    """Return ``bpf_map_update_elem``, as :func:`lookup_function` does for lookups."""
    found: Callable[[ctypes.c_int, bytes | None, bytes, int], int] = library().bpf_map_update_elem
    return found


def lookup(fd: int, key: bytes | None, value: Bytes, flags: int = 0) -> None:
    """Read the value of *key* into *value*. Queues, stacks and bloom filters have no keys."""
    lib = library()
    if flags:
        check(lib.bpf_map_lookup_elem_flags(fd, key, value, flags))
    else:
        check(lib.bpf_map_lookup_elem(fd, key, value))


def lookup_and_delete(fd: int, key: bytes | None, value: Bytes) -> None:
    """Read the value of *key* into *value* and delete the key, at once."""
    check(library().bpf_map_lookup_and_delete_elem(fd, key, value))


def delete(fd: int, key: bytes) -> None:
    """Delete *key*."""
    check(library().bpf_map_delete_elem(fd, key))


def next_key(fd: int, key: bytes | None, size: int) -> bytes:
    """Return the key after *key*, or the first for None or a key that is gone."""
    following = ctypes.create_string_buffer(size)
    check(library().bpf_map_get_next_key(fd, key, following))
    return following.raw


class Room:
    """Buffers for the keys and values of a batch."""

    def __init__(self, key_size: int, value_space: int, count: int) -> None:
        self.count = count
        self.keys: Bytes = ctypes.create_string_buffer(key_size * count)
        self.values: Bytes = ctypes.create_string_buffer(value_space * count)
        self.key_bytes = memoryview(self.keys).cast("B")
        self.value_bytes = memoryview(self.values).cast("B")


def read_batch(
    fd: int, cursor: Bytes | None, after: Bytes, room: Room, *, delete: bool
) -> tuple[int, int]:
    """Read the elements that follow *cursor*, None for the first ones, into *room*.

    Returns how many there are, and the errno: 0 if more may follow *after*, which may be *cursor*;
    ENOENT if these were the last.
    """
    lib = library()
    call = lib.bpf_map_lookup_and_delete_batch if delete else lib.bpf_map_lookup_batch
    count = UINT(room.count)
    result = call(fd, cursor, after, room.keys, room.values, ctypes.byref(count), None)
    # A kernel that refuses the command leaves the count as it was.
    refused = result < 0 and -result != errno.ENOENT and count.value == room.count
    return 0 if refused else count.value, -result


def update_batch(fd: int, keys: bytes, values: bytes, count: int, flags: int) -> None:
    """Write *count* elements. Raises BatchError, which says how many were written."""
    options = _BatchOptions(sz=ctypes.sizeof(_BatchOptions), elem_flags=flags)
    left = UINT(count)
    function = library().bpf_map_update_batch
    result = function(fd, keys, values, ctypes.byref(left), ctypes.byref(options))
    _check_batch(result, left.value, count)


def delete_batch(fd: int, keys: int, count: int) -> None:
    """Delete *count* keys at an address. Raises BatchError, which says how many were deleted."""
    left = UINT(count)
    result = library().bpf_map_delete_batch(fd, keys, ctypes.byref(left), None)
    _check_batch(result, left.value, count)


class BatchError(CallError):
    """A batch ended before its last element; ``done`` says how many went through."""

    def __init__(self, number: int, done: int) -> None:
        super().__init__(number)
        self.done = done


def _check_batch(result: int, counted: int, count: int) -> None:
    if result < 0:
        raise BatchError(-result, 0 if counted >= count else counted)
