"""Fetches the corpus into the user's cache folder: nothing of it is part of this repository.

From Debian's packages come the kernel's source, of which the BPF selftests and the headers they
need are kept, and libbpf-tools, whose programs hold BPF objects. A ``vmlinux.h`` is made of the BTF
of the kernel that the VM boots, or of the running one.
"""

import contextlib
import fcntl
import io
import lzma
import os
import re
import shutil
import struct
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from elftools.elf.elffile import ELFFile

SOURCE_PACKAGE = "linux-source-6.1"
TOOLS_PACKAGE = "libbpf-tools"
KEPT = ("tools/testing/selftests/bpf/", "tools/lib/bpf/", "tools/include/", "scripts/bpf_doc.py")
RUNNING_KERNEL = Path("/sys/kernel/btf/vmlinux")

EM_BPF = 247

_APT = ("apt-get", "-q", "-y", "-o", "Acquire::Retries=3", "-o", "DPkg::Lock::Timeout=300")
_XZ = b"\xfd7zXZ\0"

Say = Callable[[str], None]


class FetchError(Exception):
    """The corpus, or a part of it, can't be had here; the message is one line."""


def folder() -> Path:
    """Return where the corpus is kept."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "ebpfgen" / "corpus"


def kernel() -> Path:
    """Return the folder of the kernel's source."""
    return folder() / SOURCE_PACKAGE


def selftests() -> Path:
    """Return the folder in which the selftests are compiled."""
    return kernel() / "tools/testing/selftests/bpf"


def programs() -> list[Path]:
    """Return the C files of the selftests, none if they were not fetched."""
    return sorted(selftests().glob("progs/*.c"))


def vmlinux_btf() -> Path:
    """Return the raw BTF that ``vmlinux.h`` was made of."""
    return kernel() / "generated/vmlinux.btf"


def tools() -> list[Path]:
    """Return the programs of libbpf-tools, none if they were not fetched."""
    return sorted(path for path in (folder() / TOOLS_PACKAGE).glob("*") if not path.is_symlink())


def bindings() -> Path:
    """Return where `make corpus` leaves what it generates, a folder for each target."""
    return folder() / "bindings"


def images(data: bytes) -> Iterator[bytes]:
    """Yield what is in a program from the beginning of each ELF image for BPF in it."""
    place = data.find(b"\x7fELF")
    while place >= 0:
        if data[place + 5 : place + 6] in (b"\1", b"\2") and place + 64 <= len(data):
            order = "<" if data[place + 5] == 1 else ">"
            (machine,) = struct.unpack_from(f"{order}H", data, place + 18)
            if machine == EM_BPF:
                yield data[place:]
        place = data.find(b"\x7fELF", place + 4)


def cflags(cc: str = "clang") -> tuple[str, ...]:
    """Return the flags of the selftests' Makefile, but -g, -O2 and -target."""
    included = subprocess.run(
        [cc, "-v", "-E", "-x", "c", os.devnull], capture_output=True, text=True, check=True
    ).stderr
    _, _, listed = included.partition("#include <...> search starts here:\n")
    system = listed.partition("End of search list.")[0].split()
    return (
        "-mcpu=v3",
        "-D__TARGET_ARCH_x86",
        "-DENABLE_ATOMICS_TESTS",
        "-Wno-compare-distinct-pointer-types",
        f"-I{kernel() / 'generated'}",
        f"-I{selftests()}",
        f"-I{kernel() / 'tools/include/uapi'}",
        *(word for path in system for word in ("-idirafter", path)),
    )


def missing(package: str) -> str:
    """Return why the files of a package are not in the cache, for tests that need them."""
    noted = _note().read_text() if _note().exists() else "run scripts/corpus --fetch-only"
    return f"{package} is not in the cache ({noted})"


def fetch(say: Say) -> None:
    """Get what is missing of the corpus, and note for tests why there is none.

    Raises FetchError naming what this system lacks.
    """
    with locked():
        try:
            _fetch_missing(say)
        except (FetchError, OSError, tarfile.TarError, lzma.LZMAError) as error:
            why = str(error) if isinstance(error, FetchError) else f"unpacking failed: {error}"
            _note().write_text(why)
            raise FetchError(why) from error
        _note().unlink(missing_ok=True)


@contextlib.contextmanager
def locked() -> Iterator[None]:
    """Keep other runs from changing the cache at the same time."""
    folder().mkdir(parents=True, exist_ok=True)
    with (folder() / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _note() -> Path:
    return folder() / "why-not-fetched"


def _fetch_missing(say: Say) -> None:
    if tools() and programs():
        return
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        raise FetchError("the corpus is made of Debian's packages, and this system has no apt")
    for stale in folder().glob(".fetch-*"):  # what a killed run left
        shutil.rmtree(stale)
    if not tools():
        _fetch_tools(say)
    if not programs():
        _fetch_selftests(say)


def install(packages: Sequence[str], say: Say) -> None:
    """Install Debian packages. Raises FetchError if that fails."""
    sudo = [] if os.geteuid() == 0 else ["sudo"]
    if sudo and not shutil.which("sudo"):
        raise FetchError(f"neither root nor sudo here: run as root: apt-get install {packages[0]}")
    say(f"installing {' '.join(packages)}")
    command = [*sudo, *_APT, "install", "--no-install-recommends", *packages]
    if not _succeeds(command):
        _succeeds([*sudo, *_APT, "update"])
        if not _succeeds(command):
            raise FetchError(f"apt-get install {' '.join(packages)} failed: try it by hand")


def find_bpftool(say: Say) -> str:
    """Return bpftool, installed if it was missing. It lies where not all users' PATH leads."""
    path = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
    if not (found := shutil.which("bpftool", path=path)):
        install(["bpftool"], say)
        found = shutil.which("bpftool", path=path)
    return found or "bpftool"


def _fetch_tools(say: Say) -> None:
    say(f"downloading {TOOLS_PACKAGE}")
    with tempfile.TemporaryDirectory(dir=folder(), prefix=".fetch-") as scratch:
        _download(TOOLS_PACKAGE, Path(scratch), say)
        unpacked = Path(scratch, "usr/sbin")
        unpacked.rename(folder() / TOOLS_PACKAGE)


def _fetch_selftests(say: Say) -> None:
    bpftool, btf = find_bpftool(say), kernel_btf()
    say(f"downloading {SOURCE_PACKAGE} and unpacking the BPF selftests")
    with tempfile.TemporaryDirectory(dir=folder(), prefix=".fetch-") as scratch:
        _download(SOURCE_PACKAGE, Path(scratch), say)
        (archive,) = Path(scratch).glob("usr/src/linux-source-*.tar.xz")
        tree = Path(scratch, "tree")
        with tarfile.open(archive, "r|xz") as stream:
            # Python before 3.11.4 has no filters.
            stream.extraction_filter = getattr(tarfile, "data_filter", None)
            stream.extractall(tree, members=_kept(stream))
        _generate_headers(tree, bpftool, btf)
        # A folder of this name is complete.
        tree.rename(kernel())


def _kept(stream: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    for member in stream:
        _, _, path = member.name.partition("/")
        if path.startswith(KEPT) and not member.isdir():
            member.name = path
            yield member


def _download(package: str, into: Path, say: Say) -> None:
    """Unpack a package into a folder without installing it."""
    command = [*_APT, "download", package]
    if os.geteuid() == 0:
        command[1:1] = ["-o", "APT::Sandbox::User=root"]  # the folder is not _apt's
    if not _succeeds(command, into):
        sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
        _succeeds([*sudo, *_APT, "update"])
        if not _succeeds(command, into):
            raise FetchError(f"apt-get download {package} failed: no such package, or no network")
    (archive,) = into.glob("*.deb")
    if not _succeeds(["dpkg-deb", "-x", str(archive), str(into)]):
        raise FetchError(f"dpkg-deb can't unpack {archive.name}: try again")
    archive.unlink()


def _succeeds(command: Sequence[str], cwd: Path | None = None) -> bool:
    if not shutil.which(command[0]):
        return False
    done = subprocess.run(
        command,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
    )
    return done.returncode == 0


def _generate_headers(tree: Path, bpftool: str, btf: bytes) -> None:
    """Make what the selftests' Makefile makes: vmlinux.h and the headers of libbpf, in bpf/."""
    generated = tree / "generated"
    (generated / "bpf").mkdir(parents=True)
    for header in sorted((tree / "tools/lib/bpf").glob("*.h")):
        shutil.copy(header, generated / "bpf")
    raw = generated / vmlinux_btf().name
    raw.write_bytes(btf)
    _write_output(
        [bpftool, "btf", "dump", "file", str(raw), "format", "c"], generated / "vmlinux.h"
    )
    api = tree / "tools/include/uapi/linux/bpf.h"
    helpers = [sys.executable, str(tree / "scripts/bpf_doc.py"), "--header", "--filename", str(api)]
    _write_output(helpers, generated / "bpf/bpf_helper_defs.h")


def _write_output(command: Sequence[str], path: Path) -> None:
    with path.open("wb") as file:
        done = subprocess.run(
            command, stdout=file, stderr=subprocess.PIPE, check=False, text=True, errors="replace"
        )
    if done.returncode:
        reason = done.stderr.strip().rpartition("\n")[2]
        raise FetchError(f"{Path(command[0]).name} failed for {path.name}: {reason}")


def kernel_btf() -> bytes:
    """Return the BTF of the newest kernel unpacked for the VM, or of the running one."""
    images = sorted(
        folder().parent.glob("kernels/[0-9]*/boot/vmlinuz-*"),
        key=lambda path: [int(number) for number in re.findall(r"\d+", path.name)],
    )
    if images:
        section = ELFFile(io.BytesIO(_decompressed(images[-1]))).get_section_by_name(".BTF")
        if section is not None:
            return bytes(section.data())
    if RUNNING_KERNEL.exists():
        return RUNNING_KERNEL.read_bytes()
    raise FetchError("no kernel here has BTF: run scripts/install-system-packages kernel")


def _decompressed(image: Path) -> bytes:
    """Return the kernel in a boot image, which begins with a program that unpacks it."""
    data = image.read_bytes()
    start = data.find(_XZ)
    if start >= 0:
        return lzma.LZMADecompressor().decompress(data[start:])
    raise FetchError(f"{image.name} is not packed with xz, as Debian 12's kernels are")
