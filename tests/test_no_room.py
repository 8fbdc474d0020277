"""Full disks and read-only folders are one line, and nothing is half-written."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from .building import files_of, run_cli

# Of some bytes, as what does not fit must be more than the last block of the disk holds.
SOURCE = f'const char text[16384] = "{"text " * 3000}";\n'


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A folder with room for 12 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=12k", "tmpfs", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no small disk: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "prog.c").write_text(SOURCE)
    return folder


def test_no_room_for_temporary_files(project: Path, disk: Path) -> None:
    done = run_cli("generate", "bpf", "prog.c", cwd=project, env={"TMPDIR": str(disk)})
    assert (done.returncode, done.stdout) == (1, "")
    reason = "can't write temporary files: No space left on device; name another folder in $TMPDIR"
    assert done.stderr == f"ebpfgen: {reason}\n"
    assert list(disk.glob("ebpfgen-*")) == []
    assert set(files_of(project)) == {"prog.c"}


def test_no_room_for_the_bindings(project: Path, disk: Path) -> None:
    done = run_cli("generate", "--output-dir", disk, "bpf", "prog.c", cwd=project)
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"ebpfgen: can't write {disk}/bpf")
    assert line.endswith(": No space left on device")
    assert files_of(disk) == {}


def test_a_read_only_folder(project: Path, disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    done = run_cli("generate", "--output-dir", disk, "bpf", "prog.c", cwd=project)
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"ebpfgen: can't write {disk}/bpf")
    assert line.endswith(": Read-only file system")
