"""The virtual machine as the tests see it: is it there, run this in it, what did it report."""

import ast
import json
import platform
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ebpfgen.runtime._libbpf.library import version

ROOT = Path(__file__).resolve().parents[2]
GUEST = Path(__file__).resolve().parent / "guest"
VM = ROOT / "scripts" / "vm"
NEWER_ALONE = ("newer_*.py",)
"""The files of checks of what only a newer kernel and libbpf have."""
FOR_NEWER = ("check_tracing.py", "check_kernel_probes.py", "check_struct_ops.py", *NEWER_ALONE)
"""The files of checks for the newer kernel: all about programs, and what it alone has."""


def missing() -> str | None:
    """Say what this machine lacks to boot the VM, in scripts/vm's own words; None if nothing."""
    probe = subprocess.run([VM, "--check"], capture_output=True, text=True, check=False)
    return None if probe.returncode == 0 else probe.stderr.strip()


def is_new() -> bool:
    """Whether the usual kernel and libbpf are new enough for the checks of newer ones."""
    probe = subprocess.run([VM, "--check"], capture_output=True, text=True, check=False)
    numbers = re.findall(r"\d+", Path(probe.stdout.strip()).name)[:2]
    libbpf = tuple(map(int, version().split(".")))
    return tuple(map(int, numbers)) >= (6, 9) and libbpf >= (1, 4)


def can_be_installed() -> bool:
    """Tell whether `make vm-packages` is for this machine at all."""
    return platform.machine() == "x86_64"


def run_in_vm(
    script: str,
    *arguments: str,
    writable: Path | None = None,
    timeout: float = 300.0,
    cpus: int = 1,
    kernel: Path | None = None,
    libbpf: Path | None = None,
) -> subprocess.CompletedProcess[str]:
    """Boot, run a file of tests/vm/guest as root in the repository's folder, and shut down.

    A Python file runs in the interpreter of the tests, any other one in sh. The other options are
    those of boot().
    """
    interpreter = sys.executable if script.endswith(".py") else "sh"
    command = [interpreter, str(GUEST / script), *arguments]
    environment = {"EBPFGEN_LIBBPF": str(libbpf)} if libbpf is not None else {}
    return boot(command, environment, writable=writable, timeout=timeout, cpus=cpus, kernel=kernel)


def boot(
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    writable: Path | None = None,
    timeout: float = 300.0,
    cpus: int = 1,
    kernel: Path | None = None,
) -> subprocess.CompletedProcess[str]:
    """Boot, run a command as root in the repository's folder, and shut down.

    What the guest writes into `writable` is there afterwards. `timeout` is in seconds and counts
    the boot, which takes about 20; it ends with the exit status 124. `kernel` is another than the
    usual one.
    """
    options = [f"--timeout={timeout}", f"--cpus={cpus}"]
    if writable is not None:
        options.append(f"--rwdir={writable}")
    if kernel is not None:
        options.append(f"--kernel={kernel}")
    variables = [f"{name}={value}" for name, value in environment.items()]
    command = [str(VM), *options, "--", "env", *variables, *command]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def discover(*patterns: str) -> list[str]:
    """Name every check of these files of the guest, by default of all but those for newer kernels.

    They are not imported: that may need root and another kernel.
    """
    names = []
    for path in sorted(path for p in patterns or ("check_*.py",) for path in GUEST.glob(p)):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("check_"):
                names.append(f"{path.stem}::{node.name}")
    return names


@dataclass(frozen=True)
class Outcome:
    """What the guest wrote about one check."""

    name: str
    outcome: str  # passed, skipped or failed
    detail: str  # what it printed and its traceback, or why it was skipped


class Report:
    """The outcomes of all the checks of one boot."""

    def __init__(self, path: Path, process: subprocess.CompletedProcess[str]) -> None:
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        first, *rest = (json.loads(line) for line in lines or ['{"kernel": "unknown"}'])
        self.kernel: str = first["kernel"]
        outcomes = (Outcome(**record) for record in rest)
        self._outcomes = {outcome.name: outcome for outcome in outcomes}
        self._process = process

    def __getitem__(self, name: str) -> Outcome:
        """Return the outcome of a check; one that never ran has failed, and why."""
        process = self._process
        ended = (
            f"the VM ended with {process.returncode} before this check was done\n"
            f"{process.stdout[-4000:]}{process.stderr[-4000:]}"
        )
        return self._outcomes.get(name, Outcome(name, "failed", ended))
