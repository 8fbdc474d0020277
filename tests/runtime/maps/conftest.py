"""Objects with maps of every type, and what some of them need."""

import importlib
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ..conftest import Load, need_kernel

__all__ = ["Load"]


@pytest.fixture(scope="session")
def tables(bindings: Path) -> ModuleType:
    return importlib.import_module("tables")


@pytest.fixture
def objs(bpf: None, tables: ModuleType) -> Iterator[Any]:
    """Give the loaded maps of tables.c."""
    with tables.load_tables_objects() as loaded:
        yield loaded


@pytest.fixture
def bpffs(bpf: None, tmp_path: Path) -> Iterator[Path]:
    """Give the root of a BPF file system of the test's own."""
    folder = tmp_path / "bpf"
    folder.mkdir()
    mount("bpf", folder)
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def cgroup(bpf: None, tmp_path: Path) -> Iterator[Path]:
    """Give a cgroup (v2) that nothing runs in."""
    folder = tmp_path / "cgroups"
    folder.mkdir()
    mount("cgroup2", folder)
    group = Path(tempfile.mkdtemp(prefix="ebpfgen-", dir=folder))
    yield group
    group.rmdir()
    subprocess.run(["umount", str(folder)], check=True)


def mount(kind: str, folder: Path) -> None:
    """Mount a file system without a device, or leave the test to another kernel."""
    command = ["mount", "-t", kind, kind, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    need_kernel(done.stderr.strip())


def open_maps() -> int:
    """How many descriptors of maps this process has."""
    links = Path("/proc/self/fd").iterdir()
    return sum(link.is_symlink() and "bpf-map" in str(link.readlink()) for link in links)
