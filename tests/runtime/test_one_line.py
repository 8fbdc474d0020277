"""A program in trouble ends with one line that says what to do, and no traceback."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

PROGRAM = """\
import time
from ebpfgen import runtime as rt

with rt.one_line_errors("program", bindings="{module}"):
    from {module} import {load}
    with {load}() as objs:
        {body}
"""

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(bindings: Path, tmp_path: Path) -> Run:
    """Run a program that loads the sample and then *body*."""

    def run_program(
        body: str = "pass",
        *,
        module: str = "sample",
        load: str = "load_sample_objects",
        prefix: tuple[str, ...] = (),
        **environment: str,
    ) -> subprocess.CompletedProcess[str]:
        file = tmp_path / "program.py"
        file.write_text(PROGRAM.format(module=module, load=load, body=body))
        return subprocess.run(
            [*prefix, sys.executable, str(file)],
            env={**os.environ, "PYTHONPATH": str(bindings), **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    return run_program


def one_line(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 1, done
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith("program: ")
    return done.stderr


def test_no_libbpf_names_the_package(run: Run, tmp_path: Path) -> None:
    assert "$EBPFGEN_LIBBPF names" in one_line(run(EBPFGEN_LIBBPF="/nowhere/libbpf.so.1"))


def test_another_library_is_no_libbpf(run: Run) -> None:
    assert "libbpf 1.0 or newer" in one_line(run(EBPFGEN_LIBBPF="libc.so.6"))


def test_no_libbpf_on_the_system_names_the_package() -> None:
    code = """\
import ctypes
def missing(name, **_):
    raise OSError(f"{name}: cannot open shared object file")
from ebpfgen.runtime._libbpf import library
ctypes.CDLL = missing
try:
    library.library()
except library.LibraryError as error:
    print(error)
"""
    environment = {k: v for k, v in os.environ.items() if k != "EBPFGEN_LIBBPF"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert "apt install libbpf1" in done.stdout
    assert done.stdout.count("\n") == 1


@pytest.mark.usefixtures("bpf")
def test_not_root_names_the_capabilities(run: Run) -> None:
    setpriv = shutil.which("setpriv")
    assert setpriv, "setpriv belongs to util-linux, which every Debian has"
    drop = (setpriv, "--bounding-set=-all", "--inh-caps=-all", "--ambient-caps=-all")
    line = one_line(run(prefix=drop))
    assert "lacks CAP_BPF and CAP_PERFMON" in line
    assert "root" in line


@pytest.mark.usefixtures("bpf")
def test_the_verifier_is_quoted(run: Run) -> None:
    line = one_line(run(module="refused", load="load_refused_objects"))
    assert "the verifier says" in line


def test_bindings_that_are_not_generated_yet(run: Run) -> None:
    line = one_line(run(module="not_generated"))
    assert "no module not_generated yet: run ebpfgen generate" in line


def test_a_fault_of_the_program_keeps_its_traceback(run: Run) -> None:
    done = run("1 / 0", load="load_sample")
    assert "Traceback" in done.stderr
    assert "ZeroDivisionError" in done.stderr


def test_ctrl_c_ends_without_a_word(bindings: Path, tmp_path: Path) -> None:
    file = tmp_path / "program.py"
    body = "print('ready', flush=True); time.sleep(60)"
    file.write_text(PROGRAM.format(module="sample", load="load_sample", body=body))
    with subprocess.Popen(
        [sys.executable, str(file)],
        env={**os.environ, "PYTHONPATH": str(bindings)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate()
    assert (process.returncode, stderr) == (130, "")
