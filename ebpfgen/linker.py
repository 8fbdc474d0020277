"""Links the objects of several sources into one, as ``bpftool gen object`` does."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from ebpfgen.errors import LinkError
from ebpfgen.runtime._libbpf.library import CallError, version
from ebpfgen.runtime._libbpf.linker import link_files
from ebpfgen.runtime.errors import LibraryError
from ebpfgen.target import Target
from ebpfgen.tools import no_scratch, scratch_folder

_STEM_MAX = 253
"""The number of bytes before ``.o`` that a file's name has room for."""


def link_objects(objects: Sequence[tuple[str, bytes]], target: Target) -> bytes:
    """Return one object made of several, each with the name of its source for errors.

    Raises LinkError if they do not fit together, or libbpf is missing or too old.
    """
    names = ", ".join(name for name, _ in objects)
    with scratch_folder() as scratch:
        files = []
        try:
            for number, (name, data) in enumerate(objects):
                # libbpf names the file in what it says of it.
                stem = os.fsencode(Path(name).stem)[:_STEM_MAX]
                files.append(scratch / str(number) / f"{os.fsdecode(stem)}.o")
                files[-1].parent.mkdir()
                files[-1].write_bytes(data)
        except OSError as error:
            raise no_scratch(error.strerror) from error
        output = scratch / "linked.o"
        try:
            link_files(files, output)
        except LibraryError as error:
            raise LinkError(f"{names} can't be linked: {error.strerror}") from error
        except CallError as error:
            raise LinkError(_reason(names, target, error, scratch)) from error
        return output.read_bytes()


def _reason(names: str, target: Target, error: CallError, scratch: Path) -> str:
    message = f"{names} can't be linked for {target.name}"
    if target.byte_order != sys.byteorder and _older(version(), (1, 5)):
        own = "bpfel" if sys.byteorder == "little" else "bpfeb"
        return (
            f"{message}: libbpf {version()} links objects of this machine's byte order only; "
            f"install libbpf 1.5 or newer, or name one in $EBPFGEN_LIBBPF, or pass --target {own}"
        )
    said = [line.removeprefix("libbpf: ").strip() for line in error.log.splitlines()]
    told = "; ".join(line for line in said if line) or str(error)
    return f"{message}: {told.replace(f'{scratch}/', '')}"


def _older(text: str, than: tuple[int, int]) -> bool:
    major, minor = text.split(".")[:2]
    return (int(major), int(minor)) < than
