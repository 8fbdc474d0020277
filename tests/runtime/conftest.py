"""Bindings of the C files beside this one, loaded into the kernel that runs the tests."""

import importlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ebpfgen.runtime._libbpf.library import version
from tests.kernel_vm import MARKER, Lacking

from .sources import MAPS, Sources

Load = Callable[[str], Any]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "bpf" in getattr(item, "fixturenames", ()):
            item.add_marker(MARKER)


def need(missing: str) -> None:
    """Skip for what this machine lacks; in CI, which must run everything, fail."""
    if missing and os.environ.get("CI") == "true":
        pytest.fail(missing, pytrace=False)
    if missing:
        pytest.skip(missing)


def need_kernel(missing: str) -> None:
    """Leave the test to another kernel, or another libbpf, for what these lack."""
    if missing:
        raise Lacking(missing)


def need_own_mounts() -> None:
    """Leave the test to another kernel where this one refuses a mount namespace, as in a chroot."""
    probe = ["unshare", "--mount", "true"]
    need_kernel(subprocess.run(probe, capture_output=True, text=True, check=False).stderr.strip())


def need_libbpf(since: str, what: str) -> None:
    """Leave the test to a libbpf that is not older than a version."""
    numbers = [tuple(map(int, text.split("."))) for text in (version(), since)]
    if numbers[0] < numbers[1]:
        raise Lacking(f"{what} came with libbpf {since}, and this is {version()}")


@contextmanager
def importable(
    sources: Sources, name: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """Give the folder of the modules, which can be imported by name.

    In the VM, where compiling takes long, the host has made them.
    """
    if made := os.environ.get("EBPFGEN_VM_SCRATCH"):
        folder = Path(made)
    else:
        folder = tmp_path_factory.mktemp(name)
        sources.compile_into(folder)
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))


@pytest.fixture(scope="session")
def bindings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Give the folder of the modules made of the C files here and of those of maps."""
    with importable(MAPS, "bindings", tmp_path_factory) as folder:
        yield folder


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
    """Mount tracefs if need be, or leave the test to another kernel."""
    place = Path("/sys/kernel/tracing")
    if not (place / "events").exists():
        command = ["mount", "-t", "tracefs", "tracefs", str(place)]
        mount = subprocess.run(command, capture_output=True, text=True, check=False)
        need_kernel(mount.stderr.strip())


@pytest.fixture
def objs(bpf: None, sample: ModuleType) -> Iterator[Any]:
    """Give the loaded objects of sample.c."""
    with sample.load_sample_objects() as loaded:
        yield loaded


@pytest.fixture
def load(bpf: None, bindings: Path) -> Iterator[Load]:
    """Load the objects of a C file here or of maps."""
    with ExitStack() as stack:

        def load_objects(name: str) -> Any:
            load_them = getattr(importlib.import_module(name), f"load_{name}_objects")
            return stack.enter_context(load_them())

        yield load_objects
