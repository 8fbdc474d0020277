"""The structs that are passed to libbpf and the kernel lie as their headers say."""

import ctypes
import importlib
import pkgutil
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from ebpfgen.runtime import _libbpf

HEADERS = ("bpf/libbpf.h", "bpf/bpf.h", "linux/bpf.h", "linux/perf_event.h")


def structs() -> Iterator[tuple[str, type[ctypes.Structure]]]:
    """The C name, from its docstring, of every struct that is written down for ctypes."""
    for found in pkgutil.iter_modules(_libbpf.__path__, f"{_libbpf.__name__}."):
        for value in vars(importlib.import_module(found.name)).values():
            name = re.match(r"``(struct \w+)``", getattr(value, "__doc__", "") or "")
            if name and isinstance(value, type) and issubclass(value, ctypes.Structure):
                yield name[1], value


def test_every_member_has_its_offset_and_size(tmp_path: Path) -> None:
    headers = "".join(Path("/usr/include", header).read_text() for header in HEADERS)
    lines = [f"#include <{header}>" for header in HEADERS]
    for name, struct in structs():
        # Nothing for a struct of a newer libbpf than the headers, nor for what is in its unions.
        members = re.findall(rf"^{name} {{$(.*?)^}}", headers, re.MULTILINE | re.DOTALL)
        known = re.findall(r"^\t\w[\w *]*?(\w+)(?:\[\w+\])?;", "".join(members), re.MULTILINE)
        for field in (field for field, *_ in struct._fields_ if field in known):
            place = getattr(struct, field)
            for fact, value in (
                (f"__builtin_offsetof({name}, {field})", place.offset),
                (f"sizeof((({name} *) 0)->{field})", place.size),
            ):
                lines.append(f'_Static_assert({fact} == {value}, "{fact}");')
    assert len(lines) > 20
    source = tmp_path / "layouts.c"
    source.write_text("\n".join(lines))
    command = ["clang", "-fsyntax-only", "-Wno-everything", str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr
