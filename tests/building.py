"""What several tests do: compile C, import generated text, run the command line."""

import contextlib
import functools
import io
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from unittest import mock

import pytest

from ebpfgen.binding import bind
from ebpfgen.clang import Compilation, compile_source, find_toolchain, strip_objects
from ebpfgen.cli import main
from ebpfgen.model import Module, ObjectFile
from ebpfgen.naming import Naming
from ebpfgen.objectfile import read_object
from ebpfgen.target import find_target

REPOSITORY = Path(__file__).resolve().parent.parent
HEADERS = REPOSITORY / "headers"
KPROBE = REPOSITORY / "examples/kprobe/kprobe.c"
OPENAT = REPOSITORY / "examples/openat/kprobe.c"

PREAMBLE = """
#include "common.h"
#include <bpf/bpf_helpers.h>

char __license[] SEC("license") = "Dual MIT/GPL";
"""


def map_definition(
    name: str, value: str, *, type: str = "ARRAY", key: str = "u32", entries: int = 1
) -> str:
    """C that defines a map with typed keys and values."""
    return f"""
struct {{
	__uint(type, BPF_MAP_TYPE_{type});
	__type(key, {key});
	__type(value, {value});
	__uint(max_entries, {entries});
}} {name} SEC(".maps");
"""


def program_definition(name: str, section: str) -> str:
    """C that defines a program that does nothing."""
    return f'\nSEC("{section}") int {name}(void *ctx)\n{{\n\treturn 0;\n}}\n'


def compile_c(source: str, target: str = "bpfel", *flags: str) -> bytes:
    """The object that clang makes of C, stripped."""
    made = compilation_of(source, target, *flags)
    (stripped,) = strip_objects([made.object], find_toolchain().strip, folder=Path("/"))
    return stripped


def read_c(source: str, target: str = "bpfel", *flags: str) -> ObjectFile:
    """What is in the object of C."""
    made = compilation_of(source, target, *flags)
    return read_object(made.object, "prog.c")


@functools.cache
def compilation_of(source: str, target: str = "bpfel", *flags: str) -> Compilation:
    """What clang makes of C, once in a session."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "prog.c")
        path.write_text(source)
        return compile_source(
            path,
            find_target(target),
            ("-I", str(HEADERS), *flags),
            toolchain=find_toolchain(),
            folder=Path(folder),
        )


def bind_c(
    source: str, target: str = "bpfel", *, ident: str = "bpf", naming: Naming = Naming.CAMEL
) -> Module:
    """The module to be of C, for one target."""
    return bind(
        read_c(PREAMBLE + source, target),
        ident=ident,
        source="prog.c",
        object_name="prog.o",
        target=find_target(target),
        naming=naming,
    )


def import_text(text: str) -> ModuleType:
    """The module whose text this is."""
    module = ModuleType("generated")
    sys.modules["generated"] = module
    try:
        exec(compile(text, "generated.py", "exec"), module.__dict__)
    finally:
        del sys.modules["generated"]
    return module


TINY = "int counter;\n"
"""C that is compiled in no time, and has something to bind."""


def script(path: Path, text: str) -> Path:
    """A program in shell, such as one that stands in for a compiler."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def make_project(
    folder: Path,
    *bindings: str,
    defaults: str = 'targets = "bpfel"',
    files: Mapping[str, str] | None = None,
) -> Path:
    """A project in *folder*; each of *bindings* is an ident, with lines for its table below it.

    Without a line for it, the source of ``bpf`` is ``bpf.c``, and holds next to nothing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tables = ["[tool.ebpfgen]", defaults]
    for binding in bindings or ("bpf",):
        ident, *lines = binding.splitlines()
        if not any(line.startswith(("source", "object")) for line in lines):
            lines.append(f'source = "{ident}.c"')
            (folder / f"{ident}.c").write_text(TINY)
        tables += ["[[tool.ebpfgen.bindings]]", f'ident = "{ident}"', *lines]
    (folder / "pyproject.toml").write_text("\n".join(tables) + "\n")
    for name, text in (files or {}).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def generated(folder: Path, *options: str | Path, env: Mapping[str, str] | None = None) -> str:
    """What ``ebpfgen generate`` prints; it has to end well and without a warning."""
    done = generate_here(folder, *options, env=env)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


def generate_here(
    folder: Path, *options: str | Path, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run ``ebpfgen generate`` in *folder*, but in this process, which starts sooner."""
    words = ["generate", *map(str, options)]
    output, errors = io.StringIO(), io.StringIO()
    with (
        contextlib.chdir(folder),
        mock.patch.dict(os.environ, env or {}),
        contextlib.redirect_stdout(output),
        contextlib.redirect_stderr(errors),
        pytest.raises(SystemExit) as end,
    ):
        main(words)
    assert isinstance(end.value.code, int)
    return subprocess.CompletedProcess(words, end.value.code, output.getvalue(), errors.getvalue())


def run_cli(
    *arguments: str | Path, cwd: Path, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run ``ebpfgen`` as a user without a terminal does."""
    return run_python("-m", "ebpfgen", *arguments, cwd=cwd, env=env)


def run_python(
    *arguments: str | Path, cwd: Path, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run this Python."""
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def interrupt_cli(
    *arguments: str | Path,
    cwd: Path,
    when: Callable[[int], bool],
    env: Mapping[str, str] | None = None,
    number: signal.Signals = signal.SIGINT,
) -> subprocess.CompletedProcess[str]:
    """Run ``ebpfgen`` and press Ctrl-C as soon as *when*, asked with its process id, says so."""
    # A shell that starts pytest in the background has it, and so its children, ignore Ctrl-C.
    ours = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "ebpfgen", *map(str, arguments)],
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
    finally:
        signal.signal(signal.SIGINT, ours)
    try:
        while process.poll() is None and not when(process.pid):
            time.sleep(0.01)
        process.send_signal(number)
        output, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    return subprocess.CompletedProcess(process.args, process.returncode, output, errors)


def files_of(folder: Path) -> dict[str, bytes]:
    """Every file below *folder*, by its path from there, but for what Python caches."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not re.search(r"__pycache__|\.pytest_cache", str(path))
    }
