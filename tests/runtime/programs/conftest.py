"""What the programs' tests attach to: interfaces, cgroups and processes of their own."""

import ctypes
import importlib
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from shutil import which
from typing import Any

import pytest

from ebpfgen import runtime as rt

from ..conftest import importable, need, need_kernel, need_libbpf
from ..sources import PROGRAMS, VICTIM, compile_victim

NEW_NETWORK = 0x40000000  # CLONE_NEWNET

Load = Callable[..., Any]


@pytest.fixture(scope="session")
def program_bindings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Give the folder of the modules made of the C files here, which can be imported by name."""
    with importable(PROGRAMS, "programs", tmp_path_factory) as folder:
        yield folder


@pytest.fixture
def load(bpf: None, program_bindings: Path) -> Iterator[Load]:
    """Load the objects of a C file here, after *change* was called with its specs."""
    with ExitStack() as stack:

        def load_objects(name: str, change: Callable[[Any], None] | None = None) -> Any:
            module = importlib.import_module(name)
            specs = stack.enter_context(getattr(module, f"load_{name}")())
            if change:
                change(specs)
            return stack.enter_context(specs.load())

        yield load_objects


@pytest.fixture(scope="session")
def victim(program_bindings: Path) -> Path:
    """Give the program that victim.c becomes."""
    program = program_bindings / VICTIM.stem
    missing = "" if program.exists() else compile_victim(program)
    need(f"clang can't make programs of this machine: {missing}" if missing else "")
    return program


@pytest.fixture
def network(bpf: None) -> Iterator[None]:
    """Move this thread into a network namespace of its own, with its loopback up."""
    need("" if which("ip") else "ip is missing: apt install iproute2")
    libc = ctypes.CDLL(None, use_errno=True)
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    failed = libc.unshare(NEW_NETWORK)
    need_kernel(f"unshare: {os.strerror(ctypes.get_errno())}" if failed else "")
    try:
        ip("link", "set", "lo", "up")
        yield
    finally:
        libc.setns(home, NEW_NETWORK)
        os.close(home)


@pytest.fixture
def veth(network: None) -> tuple[str, str]:
    """Give the names of two interfaces: what is sent on one is received on the other."""
    ip("link", "add", "left", "type", "veth", "peer", "name", "right")
    for name in ("left", "right"):
        Path(f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6").write_text("1")
        ip("link", "set", name, "up")
    # The kernel's own worker opens their queues after both are up, and what is sent before is lost:
    # it says so first, and has done so when it lets go of the lock that another command needs.
    assert eventually(lambda: ip("link", "show").count(" state UP ") == 2)
    ip("link", "set", "left", "up")
    return "left", "right"


@pytest.fixture
def cgroup(bpf: None, tmp_path: Path) -> Iterator[Path]:
    """Move this process into a cgroup (v2) of its own."""
    lines = Path("/proc/self/cgroup").read_text().splitlines()
    own = next((line.removeprefix("0::") for line in lines if line.startswith("0::")), None)
    need_kernel("" if own is not None else "this kernel has no cgroup v2")
    root = tmp_path / "cgroup2"
    root.mkdir()
    mount = ["mount", "-t", "cgroup2", "cgroup2", str(root)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    need_kernel(done.stderr.strip())
    before = root / (own or "").lstrip("/")
    folder = root / f"ebpfgen-{os.getpid()}"
    try:
        folder.mkdir()
        (folder / "cgroup.procs").write_text(str(os.getpid()))
        yield folder
        (before / "cgroup.procs").write_text(str(os.getpid()))
        folder.rmdir()
    finally:
        subprocess.run(["umount", "-l", str(root)], check=True)


@pytest.fixture
def bpffs(bpf: None, tmp_path: Path) -> Iterator[Path]:
    """Give a BPF file system of its own."""
    folder = tmp_path / "bpffs"
    folder.mkdir()
    mount = ["mount", "-t", "bpf", "bpf", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    need_kernel(done.stderr.strip())
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def ip(*arguments: str) -> str:
    """Run ip(8) and return its output; what it lacks of this kernel skips the test."""
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    need_kernel(f"ip {' '.join(arguments)}: {done.stderr.strip()}" if done.returncode else "")
    return done.stdout


def eventually(condition: Callable[[], object]) -> bool:
    """Wait until a condition holds; False if that takes a minute."""
    deadline = time.monotonic() + 60
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


__all__ = ["Load", "descriptors", "eventually", "ip", "need", "need_kernel", "need_libbpf", "rt"]
