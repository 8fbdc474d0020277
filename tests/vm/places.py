"""Other kernels, and a newer libbpf, for the tests that the host's refuse or lack."""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess

from tests.kernel_vm import Place
from tests.runtime.sources import compile_all

from ..backports import newer_kernel, newer_libbpf
from . import machine

SECONDS = 120  # for a test, in an emulated machine


def places() -> list[Place]:
    """The places of this machine, the fastest first."""
    found: list[Place] = []
    kernel, libbpf = newer_kernel(), newer_libbpf()
    if libbpf is not None and os.geteuid() == 0:
        found.append(ThisKernel(libbpf))
    found.append(Vm())
    if kernel is not None:
        found.append(Vm(kernel, libbpf))
    return found


@dataclass(frozen=True)
class ThisKernel:
    """A process with another libbpf."""

    libbpf: Path

    @property
    def name(self) -> str:
        return f"this host, {_version(self.libbpf)}"

    def missing(self) -> str:
        return ""

    def run(self, arguments: Sequence[str], folder: Path) -> CompletedProcess[str]:
        compile_all(folder)
        environment = {**os.environ, **_environment(folder, self.libbpf)}
        command = [*_pytest(), *arguments]
        return subprocess.run(
            command, cwd=machine.ROOT, env=environment, capture_output=True, text=True, check=False
        )


@dataclass(frozen=True)
class Vm:
    """A virtual machine with the kernel that it has by default, or another one."""

    kernel: Path | None = None
    libbpf: Path | None = None

    @property
    def name(self) -> str:
        return f"VM, {_version(self.libbpf)}" if self.libbpf else "VM"

    def missing(self) -> str:
        return machine.missing() or ""

    def run(self, arguments: Sequence[str], folder: Path) -> CompletedProcess[str]:
        compile_all(folder)
        return machine.boot(
            [*_pytest(), *arguments],
            _environment(folder, self.libbpf),
            writable=folder,
            timeout=900 + SECONDS * len((folder / "tests").read_text().splitlines()),
            cpus=2,  # with one, per-CPU maps look like any other
            kernel=self.kernel,
        )


def _pytest() -> list[str]:
    return [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]


def _environment(folder: Path, libbpf: Path | None) -> dict[str, str]:
    variables = {
        "EBPFGEN_VM_SCRATCH": str(folder),
        "CI": os.environ.get("CI", ""),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # none of them is used, and importing takes long
    }
    return variables | ({"EBPFGEN_LIBBPF": str(libbpf)} if libbpf else {})


def _version(libbpf: Path) -> str:
    """libbpf 1.4.6, of a file libbpf.so.1 that is a link to libbpf.so.1.4.6."""
    return libbpf.resolve().name.replace(".so.", " ")
