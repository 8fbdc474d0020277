"""Fixtures of the tests that run in the virtual machine."""

import os
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from ebpfgen.generate import generate
from ebpfgen.jobs import Options, job_from_arguments

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
    """Boot once and run every check of tests/vm/guest."""
    generate_bindings(vm_scratch)
    checks = "\n".join(machine.discover())
    (vm_scratch / "checks.txt").write_text(checks, encoding="utf-8")
    # Two CPUs: with one, per-CPU maps look like any other.
    process = machine.run_in_vm(
        "run_all.py", str(vm_scratch), writable=vm_scratch, timeout=600, cpus=2
    )
    return machine.Report(vm_scratch / "report.jsonl", process)


def generate_bindings(folder: Path) -> None:
    """Generate the bindings of every .c file beside this one, for this machine, named after it."""
    for source in sorted(Path(__file__).parent.glob("*.c")):
        job = job_from_arguments(
            source.stem,
            source,
            folder,
            Options(targets=("native",), cflags=("-I", str(machine.ROOT / "headers"))),
        )
        generate([job])
