"""Bindings of the C files beside this one, loaded into the kernel that runs the tests."""

import importlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ebpfgen.generate import generate
from ebpfgen.jobs import Options, job_from_arguments

HERE = Path(__file__).parent
HEADERS = HERE.parents[1] / "headers"


def need(missing: str) -> None:
    """Skip for what this machine lacks; in CI, which must run everything, fail."""
    if missing and os.environ.get("CI") == "true":
        pytest.fail(missing, pytrace=False)
    if missing:
        pytest.skip(missing)


def need_own_mounts() -> None:
    """Skip where the kernel refuses a mount namespace, or ``/`` is no mount point (a chroot)."""
    probe = ["unshare", "--mount", "true"]
    need(subprocess.run(probe, capture_output=True, text=True, check=False).stderr.strip())


@pytest.fixture(scope="session")
def bindings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Give the folder of the generated modules, which can be imported by name."""
    folder = tmp_path_factory.mktemp("bindings")
    options = Options(cflags=("-I", str(HEADERS)))
    sources = sorted({*HERE.glob("*.c"), *HERE.glob("maps/*.c")})
    generate([job_from_arguments(p.stem, p, folder, options) for p in sources])
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))


@pytest.fixture(scope="session")
def sample(bindings: Path) -> ModuleType:
    return importlib.import_module("sample")


@pytest.fixture(scope="session")
def refused(bindings: Path) -> ModuleType:
    return importlib.import_module("refused")


@pytest.fixture(scope="session")
def bpf() -> None:
    """Skip unless this process may load BPF."""
    need("" if os.geteuid() == 0 else "loading BPF needs root, and this is not")


@pytest.fixture(scope="session")
def tracefs() -> None:
    """Mount tracefs if need be, or skip."""
    place = Path("/sys/kernel/tracing")
    if not (place / "events").exists():
        command = ["mount", "-t", "tracefs", "tracefs", str(place)]
        mount = subprocess.run(command, capture_output=True, text=True, check=False)
        need(mount.stderr.strip())


@pytest.fixture
def objs(bpf: None, sample: ModuleType) -> Iterator[Any]:
    """Give the loaded objects of sample.c."""
    with sample.load_sample_objects() as loaded:
        yield loaded
