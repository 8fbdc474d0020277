"""Finds libbpf, gives its functions their prototypes, and turns its answers into exceptions."""

import ctypes
import errno
import operator
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import cast

from ebpfgen.runtime.errors import LibraryError, NotSupportedError

_LOG_MESSAGES = 200
_LOG_INFO = 1
_VERIFIER_LOG = b"BEGIN PROG LOAD LOG"

# What strerror() does not know: ENOTSUPP of the kernel's include/linux/errno.h, and enum
# libbpf_errno of libbpf_legacy.h, which libbpf answers for objects it can't read.
_OWN_ERRORS = {
    524: "Operation not supported",
    4000: "libelf failed",
    4001: "the format is wrong",
    4003: "it is of the other byte order",
    4004: "libbpf failed",
    4005: "a relocation failed",
    4010: "the kind of a program is not known",
}

CHAR_P, INT, SIZE_T, UINT, VOID_P = (
    ctypes.c_char_p,
    ctypes.c_int,
    ctypes.c_size_t,
    ctypes.c_uint32,
    ctypes.c_void_p,
)
_SIGNED = (ctypes.c_int, ctypes.c_int32, ctypes.c_int64, ctypes.c_long, ctypes.c_ssize_t)
_INTEGERS = (*_SIGNED, UINT, SIZE_T, ctypes.c_uint64, ctypes.c_ulong)
_PRINT = ctypes.CFUNCTYPE(INT, INT, VOID_P, VOID_P)

Prototypes = Mapping[str, tuple[object, Sequence[object]]]
"""Functions by name: what they return, and what they take, as ctypes has it."""

_required: dict[str, tuple[object, Sequence[object]]] = {
    "libbpf_set_print": (VOID_P, [_PRINT]),
    "libbpf_major_version": (UINT, []),
    "libbpf_minor_version": (UINT, []),
}
_optional: dict[str, tuple[object, Sequence[object]]] = {}
_since: dict[str, str] = {}


class CallError(Exception):
    """A libbpf function failed: its errno, and what libbpf logged meanwhile."""

    def __init__(self, number: int, log: str = "") -> None:
        super().__init__(describe(number))
        self.errno = number
        self.log = log


def describe(number: int) -> str:
    """Return what an errno says, those of libbpf and the kernel's ENOTSUPP too."""
    return _OWN_ERRORS.get(number) or os.strerror(number)


class Struct(ctypes.Structure):
    """A C struct whose integers and strings are checked when it is made.

    ctypes keeps the low bits of an integer that does not fit, and C reads a string up to its first
    NUL. Raises ValueError for both.
    """

    def __init__(self, **values: object) -> None:
        kinds = {field[0]: field[1] for field in self._fields_}
        for name, value in values.items():
            if isinstance(value, bytes):
                text(value)
            elif kinds[name] in _INTEGERS:
                values[name] = fitting(cast("int", value), kinds[name], name)
        super().__init__(**values)


class Options(Struct):
    """A ``struct bpf_*_opts``: its first field is the size of what the caller knows of it."""

    def __init__(self, **values: object) -> None:
        super().__init__(sz=ctypes.sizeof(self), **values)


def fitting(value: int, kind: "type[ctypes._CDataType]", what: str) -> int:
    """*value* as a plain integer, for an argument of this C type.

    Raises ValueError naming *what* if it does not fit, TypeError if it is no integer.
    """
    value = operator.index(value)
    if kind in _INTEGERS:
        bits = 8 * ctypes.sizeof(kind)
        least = -(1 << bits - 1) if kind in _SIGNED else 0
        if not least <= value < least + (1 << bits):
            raise ValueError(f"{what} can't be {value}: it has {bits} bits in C")
    return value


def text(value: str | bytes | os.PathLike[str]) -> bytes:
    """*value* as C has strings and paths. Raises ValueError if it has a NUL, which would end it."""
    encoded = os.fsencode(value)
    if b"\0" in encoded:
        raise ValueError(f"{value!r} has a NUL byte, which ends a string in C")
    return encoded


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
    missing = [function for function in _required if not hasattr(found, function)]
    if missing:
        raise LibraryError(
            0, f"{name} lacks {missing[0]}(): ebpfgen needs libbpf 1.0 or newer (libbpf.so.1)"
        )
    _apply(found, _required)
    _apply(found, _optional)
    found.libbpf_set_print(_on_message)
    return found


def declare(prototypes: Prototypes, *, since: str = "") -> None:
    """Say how functions are called; without that ctypes would cut pointers in two.

    Those that came after libbpf 1.0 name the version, and are had by :func:`newer`.
    """
    known = _optional if since else _required
    known.update(prototypes)
    _since.update(dict.fromkeys(prototypes, since))
    if library.cache_info().currsize:
        # This module came after the first call of another.
        _apply(library(), prototypes)


def newer(function: str) -> Callable[..., int]:
    """Return a function that only newer libbpfs have.

    Raises NotSupportedError naming the version that has it.
    """
    try:
        found: Callable[..., int] = getattr(library(), function)
    except AttributeError as error:
        raise NotSupportedError(
            errno.ENOSYS,
            f"libbpf {version()} lacks {function}(): install libbpf {_since[function]} or newer, "
            "or name one in $EBPFGEN_LIBBPF",
        ) from error
    return found


def version() -> str:
    """Return libbpf's version, such as ``1.1``."""
    return f"{library().libbpf_major_version()}.{library().libbpf_minor_version()}"


def _apply(found: ctypes.CDLL, prototypes: Prototypes) -> None:
    for function, (restype, argtypes) in prototypes.items():
        if hasattr(found, function):
            prototype = getattr(found, function)
            prototype.restype, prototype.argtypes = restype, list(argtypes)


class _ThreadLog(threading.local):
    """libbpf logs in the thread that calls it: the messages of the call under way."""

    messages: deque[str] | None = None
    verifier = False


_thread_log = _ThreadLog()


@contextmanager
def captured_log(*, verifier: bool = False) -> "Iterator[deque[str]]":
    """Collect what libbpf says in this thread, the last messages if there are many.

    With *verifier*, what the kernel's verifier says of programs it accepts is among them: libbpf
    takes that for a message of its lowest level.
    """
    library()
    log = _thread_log
    outer, log.messages = log.messages, deque(maxlen=None if verifier else _LOG_MESSAGES)
    outer_verifier, log.verifier = log.verifier, verifier
    try:
        yield log.messages
    finally:
        log.messages, log.verifier = outer, outer_verifier


def _make_printer() -> Callable[[int, int, int], int]:
    libc = ctypes.CDLL(None)
    libc.vasprintf.argtypes = [ctypes.POINTER(VOID_P), VOID_P, VOID_P]
    libc.free.argtypes = [VOID_P]
    libc.free.restype = None

    def on_message(level: int, text_format: int, arguments: int) -> int:
        if _thread_log.messages is None:
            return 0
        if level > _LOG_INFO and not (
            _thread_log.verifier and _VERIFIER_LOG in ctypes.string_at(text_format)
        ):
            return 0
        text = VOID_P()
        length: int = libc.vasprintf(ctypes.byref(text), text_format, arguments)
        if length >= 0:
            message = ctypes.string_at(text.value or 0, length).decode(errors="replace")
            _thread_log.messages.append(message)
            libc.free(text)
        return length

    return on_message


# libbpf keeps the address of this callback for as long as the process lives.
_on_message = _PRINT(_make_printer())


def check(result: int, log: "deque[str] | None" = None) -> int:
    """Return what a function that answers with a negative errno returned."""
    if result < 0:
        raise CallError(-result, "".join(log or ()))
    return result


def pointer(result: int | None, log: "deque[str] | None" = None) -> int:
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
