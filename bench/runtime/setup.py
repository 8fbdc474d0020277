"""What the benchmark needs: bindings, C programs, and kernel headers for BCC."""

import os
import subprocess
import tempfile
from pathlib import Path

from ebpfgen.generate import generate
from ebpfgen.jobs import Options, job_from_arguments

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PYTHON = "/usr/bin/python3"
HEADERS_PACKAGE = "linux-headers-amd64"


class SetupError(Exception):
    """Something is missing here; the message is one line that says what to do."""


def cache() -> Path:
    """Return the folder that outlives a run."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "ebpfgen" / "bench"


def build(folder: Path) -> None:
    """Make the bindings of programs.c, and compile the C programs, in *folder*."""
    options = Options(targets=("bpf",), cflags=("-I", str(ROOT / "headers")))
    generate([job_from_arguments("programs", HERE / "programs.c", folder, options)])
    for name, libraries in (("producer", ()), ("with_limit", ("-lbpf",))):
        source = HERE / f"{name}.c"
        run("cc", "-O2", "-Wall", "-o", str(folder / name), str(source), *libraries)


def check_bcc() -> None:
    """Raise SetupError unless BCC can be used."""
    done = subprocess.run([PYTHON, "-c", "import bcc"], capture_output=True, check=False)
    if done.returncode:
        raise SetupError("BCC is not installed: apt install python3-bpfcc")


def kernel_headers() -> Path:
    """Return a tree of a kernel's headers, fetched once from Debian where this kernel has none.

    BCC takes it by ``BCC_KERNEL_SOURCE``. Debian's headers are two packages, the one for the
    architecture to lie over the other.
    """
    own = Path("/lib/modules", os.uname().release, "build")
    if own.exists():
        return own
    tree = cache() / "headers"
    if tree.exists():
        return tree
    package = _depends(HEADERS_PACKAGE, "linux-headers-")
    common = _depends(package, "linux-headers-", "-common")
    tree.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=tree.parent) as temporary:
        folder = Path(temporary)
        for name in (common, package):
            run("apt-get", "-q", "download", name, cwd=folder)
        for deb in folder.glob("*.deb"):
            run("dpkg", "-x", str(deb), str(folder / "unpacked"))
        merged = folder / "merged"
        merged.mkdir()
        for name in (common, package):
            run("cp", "-a", f"{folder}/unpacked/usr/src/{name}/.", str(merged))
        merged.rename(tree)
    return tree


def _depends(package: str, beginning: str, end: str = "") -> str:
    listed = run("apt-cache", "depends", package)
    names = (line.rpartition(" ")[2] for line in listed.splitlines() if "Depends:" in line)
    for name in names:
        if name.startswith(beginning) and name.endswith(end):
            return name
    raise SetupError(f"apt knows no {package}: set up a Debian mirror, or install kernel headers")


def run(*command: str, cwd: Path | None = None) -> str:
    """Return what a command prints. Raises SetupError if it fails."""
    try:
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    except OSError as error:
        raise SetupError(f"{command[0]} can't be run: {error.strerror}") from error
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        raise SetupError(f"{' '.join(command[:3])} failed: {''.join(last)}")
    return done.stdout
