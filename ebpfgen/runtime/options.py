"""What can be said when an object is opened."""

import errno
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TypedDict

from ebpfgen.runtime._libbpf import objects as _objects
from ebpfgen.runtime._libbpf.library import CallError
from ebpfgen.runtime.errors import LoadError

StrPath = str | os.PathLike[str]


class OpenOptions(TypedDict, total=False):
    """The keyword arguments of generated ``load_bpf()`` and ``load_bpf_objects()``."""

    btf: StrPath
    """The kernel's types, a file as ``/sys/kernel/btf/vmlinux`` is one, for a kernel without it
    (``CONFIG_DEBUG_INFO_BTF``). It serves CO-RE relocations alone: programs that attach to kernel
    functions by their types (fentry, fexit, LSM, struct_ops, iterators) need the kernel's own."""

    pin_root: StrPath
    """The folder, of a BPF filesystem, of maps that are pinned by name; by default
    ``/sys/fs/bpf``."""

    kconfig: str | Mapping[str, bool | int | str]
    """Values of ``CONFIG_…`` for ``__kconfig`` variables, before those of the running kernel: the
    text of a ``.config``, or values by name (``True`` for ``y``, ``False`` for ``n``)."""

    relaxed_maps: bool
    """Whether map definitions may have attributes that this libbpf does not know."""

    log_level: int
    """What the verifier shall log of programs it accepts, for ``program.verifier_log``: 1 for what
    it counted, 2 for every instruction and state, plus 4 for times and stack depths. Loading is
    slower then. A program that is refused has its log on the error whatever this is."""


def open_object(
    data: bytes,
    name: str,
    *,
    btf: StrPath | None = None,
    pin_root: StrPath | None = None,
    kconfig: str | Mapping[str, bool | int | str] = "",
    relaxed_maps: bool = False,
    log_level: int = 0,
) -> int:
    """Return libbpf's handle of a parsed object; *data* must live as long.

    Raises LoadError if it, or the file *btf*, can't be read.
    """
    if btf is not None and not os.access(btf, os.R_OK):
        number = errno.EACCES if Path(btf).exists() else errno.ENOENT
        raise LoadError(number, f"can't open {name}: btf={os.fspath(btf)}: {os.strerror(number)}")
    text = kconfig if isinstance(kconfig, str) else _as_text(kconfig)
    try:
        return _objects.open_object(
            data,
            name,
            btf=None if btf is None else os.fsencode(btf),
            pin_root=None if pin_root is None else os.fsencode(pin_root),
            kconfig=text.encode() or None,
            relaxed_maps=relaxed_maps,
            log_level=log_level,
        )
    except CallError as error:
        from ebpfgen.runtime.load_errors import open_error

        raise open_error(name, error) from error


def _as_text(values: Mapping[str, bool | int | str]) -> str:
    """Return values as lines of a kernel's ``.config``."""
    return "".join(f"{name}={_as_config(value)}\n" for name, value in values.items())


def _as_config(value: bool | int | str) -> str:
    if isinstance(value, bool):
        return "y" if value else "n"
    return str(value) if isinstance(value, int) else f'"{value}"'
