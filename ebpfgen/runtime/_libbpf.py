"""The one file that touches libbpf: its prototypes, its log, its errors.

Handles are addresses (``int``) of libbpf's own structures. Every function raises
:class:`CallError`; what it means for a program, its callers know.
"""

import ctypes
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

from ebpfgen.runtime.errors import LibraryError

_LOG_MESSAGES = 200
_LOG_INFO = 1

_char_p, _int, _size_t, _uint, _void_p = (
    ctypes.c_char_p,
    ctypes.c_int,
    ctypes.c_size_t,
    ctypes.c_uint32,
    ctypes.c_void_p,
)
_PRINT = ctypes.CFUNCTYPE(_int, _int, _void_p, _void_p)

_PROTOTYPES: dict[str, tuple[object, list[object]]] = {
    "libbpf_set_print": (_void_p, [_PRINT]),
    "bpf_object__open_mem": (_void_p, [_void_p, _size_t, _void_p]),
    "bpf_object__load": (_int, [_void_p]),
    "bpf_object__close": (None, [_void_p]),
    "bpf_object__find_program_by_name": (_void_p, [_void_p, _char_p]),
    "bpf_object__find_map_by_name": (_void_p, [_void_p, _char_p]),
    "bpf_program__fd": (_int, [_void_p]),
    "bpf_program__section_name": (_char_p, [_void_p]),
    "bpf_program__autoload": (ctypes.c_bool, [_void_p]),
    "bpf_program__set_autoload": (_int, [_void_p, ctypes.c_bool]),
    "bpf_program__attach": (_void_p, [_void_p]),
    "bpf_program__attach_kprobe_opts": (_void_p, [_void_p, _char_p, _void_p]),
    "bpf_program__attach_tracepoint": (_void_p, [_void_p, _char_p, _char_p]),
    "bpf_link__destroy": (_int, [_void_p]),
    "bpf_object__next_map": (_void_p, [_void_p, _void_p]),
    "bpf_map__initial_value": (_void_p, [_void_p, ctypes.POINTER(_size_t)]),
    "bpf_map__set_key_size": (_int, [_void_p, _uint]),
    "bpf_map__set_value_size": (_int, [_void_p, _uint]),
    "bpf_map__fd": (_int, [_void_p]),
    "bpf_map__type": (_uint, [_void_p]),
    "bpf_map__key_size": (_uint, [_void_p]),
    "bpf_map__value_size": (_uint, [_void_p]),
    "bpf_map__max_entries": (_uint, [_void_p]),
    "bpf_map__set_max_entries": (_int, [_void_p, _uint]),
    "bpf_map_lookup_elem": (_int, [_int, _void_p, _void_p]),
    "bpf_map_update_elem": (_int, [_int, _void_p, _void_p, ctypes.c_uint64]),
    "bpf_map_delete_elem": (_int, [_int, _void_p]),
    "bpf_map_get_next_key": (_int, [_int, _void_p, _void_p]),
}


class CallError(Exception):
    """A libbpf function failed: its errno, and what libbpf logged meanwhile."""

    def __init__(self, errno: int, log: str = "") -> None:
        super().__init__(os.strerror(errno))
        self.errno = errno
        self.log = log


class _OpenOptions(ctypes.Structure):
    """``struct bpf_object_open_opts``, as of libbpf 1.0."""

    _fields_ = (
        ("sz", _size_t),
        ("object_name", _char_p),
        ("relaxed_maps", ctypes.c_bool),
        ("pin_root_path", _char_p),
        ("kconfig", _char_p),
        ("btf_custom_path", _char_p),
        ("kernel_log_buf", _void_p),
        ("kernel_log_size", _size_t),
        ("kernel_log_level", _uint),
    )


class _KprobeOptions(ctypes.Structure):
    """``struct bpf_kprobe_opts``, as of libbpf 1.0."""

    _fields_ = (
        ("sz", _size_t),
        ("bpf_cookie", ctypes.c_uint64),
        ("offset", _size_t),
        ("retprobe", ctypes.c_bool),
    )


@cache
def library() -> ctypes.CDLL:
    """Return libbpf: that of ``$EBPFGEN_LIBBPF``, or the system's ``libbpf.so.1``.

    Raises LibraryError with the package to install.
    """
    name = os.environ.get("EBPFGEN_LIBBPF") or "libbpf.so.1"
    try:
        found = ctypes.CDLL(name, use_errno=True)
    except OSError as error:
        raise LibraryError(error.errno or 0, _how_to_get_libbpf(name, str(error))) from error
    missing = [function for function in _PROTOTYPES if not hasattr(found, function)]
    if missing:
        raise LibraryError(
            0, f"{name} lacks {missing[0]}(): ebpfgen needs libbpf 1.0 or newer (libbpf.so.1)"
        )
    for function, (restype, argtypes) in _PROTOTYPES.items():
        prototype = getattr(found, function)
        prototype.restype, prototype.argtypes = restype, argtypes
    found.libbpf_set_print(_on_message)
    return found


def open_object(data: bytes, name: str) -> int:
    """Parse an object; *data* must live as long as the handle."""
    options = _OpenOptions(sz=ctypes.sizeof(_OpenOptions), object_name=name.encode())
    with _captured_log() as log:
        handle = library().bpf_object__open_mem(data, len(data), ctypes.byref(options))
        return _pointer(handle, log)


def load_object(handle: int) -> None:
    """Create the object's maps and load its programs."""
    with _captured_log() as log:
        _check(library().bpf_object__load(handle), log)


def close_object(handle: int) -> None:
    """Free an object; the kernel unloads what nothing else holds."""
    library().bpf_object__close(handle)


def find_program(handle: int, name: str) -> int:
    """Return the handle of a program by its C name."""
    return _pointer(library().bpf_object__find_program_by_name(handle, name.encode()))


def find_map(handle: int, name: str) -> int:
    """Return the handle of a map by its C name."""
    return _pointer(library().bpf_object__find_map_by_name(handle, name.encode()))


def program_fd(program: int) -> int:
    """Return the descriptor of a loaded program."""
    return _check(library().bpf_program__fd(program))


def program_section(program: int) -> str:
    """Return the ``SEC()`` of a program."""
    name: bytes = library().bpf_program__section_name(program)
    return name.decode()


def program_autoload(program: int) -> bool:
    """Return whether loading the object loads the program."""
    return bool(library().bpf_program__autoload(program))


def set_program_autoload(program: int, autoload: bool) -> None:
    """Say whether loading the object shall load the program."""
    _check(library().bpf_program__set_autoload(program, autoload))


def attach(program: int) -> int:
    """Attach a program to what its ``SEC()`` names; returns the handle of the link."""
    with _captured_log() as log:
        return _pointer(library().bpf_program__attach(program), log)


def attach_kprobe(program: int, symbol: str, *, offset: int, retprobe: bool) -> int:
    """Attach a program to a kernel function; returns the handle of the link."""
    options = _KprobeOptions(sz=ctypes.sizeof(_KprobeOptions), offset=offset, retprobe=retprobe)
    with _captured_log() as log:
        link = library().bpf_program__attach_kprobe_opts(
            program, symbol.encode(), ctypes.byref(options)
        )
        return _pointer(link, log)


def attach_tracepoint(program: int, category: str, name: str) -> int:
    """Attach a program to a tracepoint; returns the handle of the link."""
    with _captured_log() as log:
        link = library().bpf_program__attach_tracepoint(program, category.encode(), name.encode())
        return _pointer(link, log)


def destroy_link(link: int) -> None:
    """Detach a link, unless it is pinned, and free it."""
    _check(library().bpf_link__destroy(link))


def map_fd(bpf_map: int) -> int:
    """Return the descriptor of a created map."""
    return _check(library().bpf_map__fd(bpf_map))


def map_facts(bpf_map: int) -> tuple[int, int, int, int]:
    """Return a map's type, key size, value size and maximum of entries."""
    lib = library()
    return (
        lib.bpf_map__type(bpf_map),
        lib.bpf_map__key_size(bpf_map),
        lib.bpf_map__value_size(bpf_map),
        lib.bpf_map__max_entries(bpf_map),
    )


def set_map_max_entries(bpf_map: int, count: int) -> None:
    """Resize a map that is not created yet."""
    _check(library().bpf_map__set_max_entries(bpf_map, count))


def maps(handle: int) -> Iterator[int]:
    """Yield the handles of an object's maps."""
    found = library().bpf_object__next_map(handle, None)
    while found:
        yield found
        found = library().bpf_object__next_map(handle, found)


def set_map_sizes(bpf_map: int, *, key: int, value: int) -> None:
    """Set the sizes in bytes of the keys and values of a map that is not created yet."""
    _check(library().bpf_map__set_key_size(bpf_map, key))
    _check(library().bpf_map__set_value_size(bpf_map, value))


def initial_value(bpf_map: int) -> "ctypes.Array[ctypes.c_char]":
    """Return libbpf's memory of a data section that is not loaded yet."""
    size = _size_t()
    address = _pointer(library().bpf_map__initial_value(bpf_map, ctypes.byref(size)))
    return (ctypes.c_char * size.value).from_address(address)


def map_lookup(fd: int, key: bytes, value: "ctypes.Array[ctypes.c_char]") -> None:
    """Read the value of *key* into *value*, which has the map's value size."""
    _check(library().bpf_map_lookup_elem(fd, key, value))


def map_update(fd: int, key: bytes, value: bytes, flags: int) -> None:
    """Write the value of *key*."""
    _check(library().bpf_map_update_elem(fd, key, value, flags))


def map_delete(fd: int, key: bytes) -> None:
    """Delete *key*."""
    _check(library().bpf_map_delete_elem(fd, key))


def map_next_key(fd: int, key: bytes | None, size: int) -> bytes:
    """Return the key after *key*, or the first for None or a key that is gone."""
    following = ctypes.create_string_buffer(size)
    _check(library().bpf_map_get_next_key(fd, key, following))
    return following.raw


class _ThreadLog(threading.local):
    """libbpf logs in the thread that calls it: the messages of the call under way."""

    messages: deque[str] | None = None


_thread_log = _ThreadLog()


@contextmanager
def _captured_log() -> "Iterator[deque[str]]":
    """Collect what libbpf says in this thread, the last messages if there are many."""
    library()
    outer, _thread_log.messages = _thread_log.messages, deque(maxlen=_LOG_MESSAGES)
    try:
        yield _thread_log.messages
    finally:
        _thread_log.messages = outer


def _make_printer() -> Callable[[int, int, int], int]:
    libc = ctypes.CDLL(None)
    libc.vasprintf.argtypes = [ctypes.POINTER(_void_p), _void_p, _void_p]
    libc.free.argtypes = [_void_p]
    libc.free.restype = None

    def on_message(level: int, text_format: int, arguments: int) -> int:
        if _thread_log.messages is None or level > _LOG_INFO:
            return 0
        text = _void_p()
        length: int = libc.vasprintf(ctypes.byref(text), text_format, arguments)
        if length >= 0:
            message = ctypes.string_at(text.value or 0, length).decode(errors="replace")
            _thread_log.messages.append(message)
            libc.free(text)
        return length

    return on_message


# libbpf keeps the address of this callback for as long as the process lives.
_on_message = _PRINT(_make_printer())


def _check(result: int, log: "deque[str] | None" = None) -> int:
    """Return what a function that answers with a negative errno returned."""
    if result < 0:
        raise CallError(-result, "".join(log or ()))
    return result


def _pointer(result: int | None, log: "deque[str] | None" = None) -> int:
    """Return what a function that answers NULL and sets errno returned."""
    if not result:
        raise CallError(ctypes.get_errno(), "".join(log or ()))
    return result


def _how_to_get_libbpf(name: str, reason: str) -> str:
    if "EBPFGEN_LIBBPF" in os.environ:
        return f"$EBPFGEN_LIBBPF names {name}, which can't be loaded: {reason}"
    return (
        f"{name} not found: install libbpf (apt install libbpf1, dnf install libbpf, "
        "pacman -S libbpf, apk add libbpf) or name the file in $EBPFGEN_LIBBPF"
    )
