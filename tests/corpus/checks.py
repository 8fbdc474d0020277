"""Checks that take the whole corpus at once: mypy on the bindings, Go's compiler on bpf2go's."""

import os
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

GO_SOURCES = Path("/usr/share/gocode")
_GO_MACHINE = {"bpfel": "amd64", "bpfeb": "s390x"}


def type_check(output: Path, package: str) -> dict[str, str]:
    """Run ``mypy --strict`` on a package and return the first error of each module that has one."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "mypy", "--strict", "--config-file=", "--no-error-summary"),
            *(f"--cache-dir={output / '.mypy_cache' / package}", "--package", package),
        ],
        cwd=output,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode > 1 or (done.returncode and not done.stdout):
        return {"": (done.stderr or done.stdout).strip()}
    errors: dict[str, str] = {}
    for line in done.stdout.splitlines():
        if found := re.match(rf"{package}/(\w+)\.py:\d+: error: (.*)", line):
            errors.setdefault(found[1], found[2])
    return errors


def build_bpf2go(folder: Path) -> str:
    """Build Debian's bpf2go and return its path, empty if Go or its package is not here."""
    package = "github.com/cilium/ebpf/cmd/bpf2go"
    if not shutil.which("go") or not (GO_SOURCES / "src" / package).exists():
        return ""
    built = folder / "bpf2go"
    if not built.exists():
        done = _go(["build", "-o", str(built), package], folder)
        return str(built) if done.returncode == 0 else ""
    return str(built)


def go_refuses(output: Path, target: str) -> dict[str, str]:
    """Compile what bpf2go wrote and return Go's first error for each package it refuses."""
    folder = output / "go" / target
    done = _go(["build", "./..."], folder, GOARCH=_GO_MACHINE[target], CGO_ENABLED="0")
    errors: dict[str, list[str]] = defaultdict(list)
    program = ""
    for line in done.stderr.splitlines():
        if line.startswith("# "):
            program = line.rpartition("/")[2]
        elif program:
            errors[program].append(line)
    return {program: lines[0] for program, lines in errors.items()}


def _go(arguments: list[str], cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    own = {"GO111MODULE": "off", "GOPATH": str(GO_SOURCES), "GOFLAGS": ""}
    return subprocess.run(
        ["go", *arguments],
        cwd=cwd,
        env={**os.environ, **own, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
