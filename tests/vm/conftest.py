"""Fixtures of the tests that run in the virtual machine."""

import os
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from ebpfgen.generate import generate
from ebpfgen.jobs import Options, job_from_arguments

from ..backports import newer_kernel, newer_libbpf
from . import machine


@pytest.fixture(scope="session")
def vm() -> None:
    """Skip, naming what is missing, where there is no VM; in CI that is a failure."""
    missing = machine.missing()
    if missing is None:
        return
    if os.environ.get("CI") == "true" and machine.can_be_installed():
        pytest.fail(missing, pytrace=False)
    pytest.skip(missing)


@pytest.fixture(scope="session")
def run_in_vm(vm: None) -> Callable[..., CompletedProcess[str]]:
    """Give machine.run_in_vm to a test that needs a boot of its own."""
    return machine.run_in_vm


@pytest.fixture(scope="session")
def vm_scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder that both sides write to; checks find it in EBPFGEN_VM_SCRATCH."""
    return tmp_path_factory.mktemp("vm-scratch")


@pytest.fixture(scope="session")
def guest_report(vm: None, vm_scratch: Path) -> machine.Report:
    """Boot once and run every check of tests/vm/guest that is not for a newer kernel alone."""
    names = machine.discover()
    if machine.is_new():
        compile_newer(vm_scratch)
        names += machine.discover(*machine.NEWER_ALONE)
    return run_checks(names, vm_scratch)


@pytest.fixture(scope="session")
def newer_guest_report(
    vm: None, guest_report: machine.Report, tmp_path_factory: pytest.TempPathFactory
) -> machine.Report | None:
    """Boot a newer kernel, and run what it has to be tested with, with a newer libbpf.

    None if there is neither.
    """
    kernel, libbpf = newer_kernel(), newer_libbpf()
    if machine.is_new():
        return guest_report
    if kernel is None or libbpf is None:
        return None
    scratch = tmp_path_factory.mktemp("newer-vm-scratch")
    compile_newer(scratch)
    return run_checks(machine.discover(*machine.FOR_NEWER), scratch, kernel, libbpf)


def compile_newer(folder: Path) -> None:
    """Make the bindings that the checks for the newer kernel have need of."""
    generate_bindings(folder, machine.ROOT / "tests/runtime/maps", "arena.c")


def run_checks(
    names: list[str], scratch: Path, kernel: Path | None = None, libbpf: Path | None = None
) -> machine.Report:
    """Boot, run these checks, and return their outcomes."""
    generate_bindings(scratch, Path(__file__).parent)
    (scratch / "checks.txt").write_text("\n".join(names), encoding="utf-8")
    process = machine.run_in_vm(
        "run_all.py",
        str(scratch),
        writable=scratch,
        timeout=1800,  # of which it takes some minutes where others are busy, too
        cpus=2,  # with one, per-CPU maps look like any other
        kernel=kernel,
        libbpf=libbpf,
    )
    return machine.Report(scratch / "report.jsonl", process)


def generate_bindings(folder: Path, sources: Path, pattern: str = "*.c") -> None:
    """Generate the bindings of the .c files of a folder, for this machine, named after them."""
    options = Options(targets=("native",), cflags=("-I", str(machine.ROOT / "headers")))
    files = sorted(sources.glob(pattern))
    generate([job_from_arguments(source.stem, source, folder, options) for source in files])
