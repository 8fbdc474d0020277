"""Objects with maps of every type, and what some of them need."""

import importlib
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ebpfgen.runtime import kernel

from ..conftest import need

HAS_CGRP_STORAGE = kernel.release() >= (6, 2)


@pytest.fixture(scope="session")
def tables(bindings: Path) -> ModuleType:
    return importlib.import_module("tables")


@pytest.fixture(scope="session")
def holders(bindings: Path) -> ModuleType:
    return importlib.import_module("holders")


@pytest.fixture
def objs(bpf: None, tables: ModuleType) -> Iterator[Any]:
    """Give the loaded maps of tables.c."""
    with tables.load_tables_objects() as loaded:
        yield loaded


@pytest.fixture
def held(bpf: None, holders: ModuleType) -> Iterator[Any]:
    """Give the loaded maps of holders.c."""
    with holders.load_holders() as specs, holders.HoldersMaps.First.create(3) as template:
        specs.Untold.set_inner(template)
        specs.OfCgroup.autocreate = HAS_CGRP_STORAGE
        with specs.load() as loaded:
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
    """Mount a file system without a device, or skip."""
    command = ["mount", "-t", kind, kind, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    need(done.stderr.strip())


def open_maps() -> int:
    """How many descriptors of maps this process has."""
    links = Path("/proc/self/fd").iterdir()
    return sum(link.is_symlink() and "bpf-map" in str(link.readlink()) for link in links)
