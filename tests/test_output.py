"""Files are written all or none, and never over somebody else's."""

import fcntl
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from ebpfgen.errors import OutputError
from ebpfgen.output import is_generated, replaced_files, write_files
from ebpfgen.stamp import MARK
from ebpfgen.target import SUFFIXES

from .building import files_of

OURS = MARK.encode() + b"from x.c; DO NOT EDIT.\n"
THEIRS = b"print('mine')\n"


def binding(folder: Path, stem: str = "bpf", *suffixes: str) -> dict[Path, bytes]:
    """All files of a binding, each with other contents."""
    files = {folder / f"{stem}.py": OURS + b"facade"}
    for suffix in suffixes or ("bpfel", "bpfeb"):
        files[folder / f"{stem}_{suffix}.py"] = OURS + suffix.encode()
        files[folder / f"{stem}_{suffix}.o"] = b"\x7fELF" + suffix.encode()
    return files


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_files_are_written_whole_and_nothing_else_is_left(tmp_path: Path) -> None:
    files = binding(tmp_path)
    write_files(files, [])
    assert {path: path.read_bytes() for path in files} == files
    assert names(tmp_path) == [
        "bpf.py",
        "bpf_bpfeb.o",
        "bpf_bpfeb.py",
        "bpf_bpfel.o",
        "bpf_bpfel.py",
    ]


def test_folders_are_made(tmp_path: Path) -> None:
    write_files(binding(tmp_path / "a/b"), [])
    assert (tmp_path / "a/b/bpf.py").is_file()


def test_unchanged_files_are_left_alone(tmp_path: Path) -> None:
    files = binding(tmp_path)
    write_files(files, [])
    for path in files:
        os.utime(path, (1, 1))
    changed = tmp_path / "bpf_bpfeb.o"
    write_files(files | {changed: b"new"}, [])
    assert {path.name for path in files if path.stat().st_mtime != 1} == {changed.name}
    assert changed.read_bytes() == b"new"


def test_a_file_is_replaced_and_not_written_into(tmp_path: Path) -> None:
    files = binding(tmp_path)
    write_files(files, [])
    module = tmp_path / "bpf_bpfel.py"
    with module.open("rb") as reader:
        write_files({module: OURS + b"new"}, [])
        assert reader.read() == files[module], "whoever reads the old file reads it to the end"
    assert module.read_bytes() == OURS + b"new"


@pytest.mark.parametrize("name", ["bpf.py", "bpf_bpfel.py", "bpf_bpfeb.o"])
def test_a_file_of_somebody_else_stops_everything(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(THEIRS)
    with pytest.raises(OutputError) as caught:
        write_files(binding(tmp_path), [])
    assert str(caught.value) == (
        f"{tmp_path / name} exists and was not written by ebpfgen: "
        "move it, or choose another --output-stem"
    )
    assert files_of(tmp_path) == {name: THEIRS}


@pytest.mark.parametrize("contents", [b"", MARK.encode()[:-1], b"\n" + OURS, b"\xff\xfe"])
def test_only_the_first_line_makes_a_file_ours(tmp_path: Path, contents: bytes) -> None:
    path = tmp_path / "bpf.py"
    path.write_bytes(contents)
    assert not is_generated(path)
    path.write_bytes(OURS)
    assert is_generated(path)
    assert not is_generated(tmp_path)
    assert not is_generated(tmp_path / "missing.py")


def test_variants_that_are_not_kept_are_replaced(tmp_path: Path) -> None:
    write_files(binding(tmp_path, "bpf", *SUFFIXES), [])
    stale = replaced_files(tmp_path, "bpf", "", ["bpfel_x86"])
    gone = {path.name for path in stale}
    assert gone == {f"bpf_{s}.{end}" for s in SUFFIXES for end in ("py", "o") if s != "bpfel_x86"}
    write_files(binding(tmp_path, "bpf", "bpfel_x86"), stale)
    assert names(tmp_path) == ["bpf.py", "bpf_bpfel_x86.o", "bpf_bpfel_x86.py"]


def test_files_of_the_same_pattern_that_are_not_ours_stay(tmp_path: Path) -> None:
    foreign = {
        "bpf_bpfel.py": THEIRS,  # called like a variant, written by a person, with its object
        "bpf_bpfel.o": b"theirs",
        "bpf_bpfeb_s390.o": b"an object without a module",
        "bpf_bpfel_vax.py": OURS,  # ours, for a target that there is not
        "bpf2_bpfeb.py": OURS,  # of another stem
        "bpf.py": OURS,
    }
    for name, contents in foreign.items():
        (tmp_path / name).write_bytes(contents)
    write_files({}, replaced_files(tmp_path, "bpf", "", ["bpfel_x86"]))
    assert files_of(tmp_path) == foreign


def test_a_stale_module_without_its_object_goes_too(tmp_path: Path) -> None:
    (tmp_path / "bpf_bpfeb.py").write_bytes(OURS)
    assert replaced_files(tmp_path, "bpf", "", []) == [tmp_path / "bpf_bpfeb.py"]


def test_a_file_where_a_folder_is_needed_is_one_error(tmp_path: Path) -> None:
    (tmp_path / "out").write_bytes(THEIRS)
    with pytest.raises(OutputError, match=r"can't write .*out/") as caught:
        write_files(binding(tmp_path) | binding(tmp_path / "out"), [])
    assert "\n" not in str(caught.value)
    assert files_of(tmp_path) == {"out": THEIRS}


@pytest.mark.parametrize("name", ["bpf.py", "bpf_bpfel.o"])
def test_a_folder_where_a_file_is_needed_stops_everything(tmp_path: Path, name: str) -> None:
    write_files(binding(tmp_path), [])
    (tmp_path / name).unlink()
    (tmp_path / name).mkdir()
    before = files_of(tmp_path)
    new = {path: data + b"new" for path, data in binding(tmp_path).items()}
    with pytest.raises(OutputError):
        write_files(new, [])
    assert files_of(tmp_path) == before


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Path]:
    """A file system of 16 pages, which can be made read-only."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mount.returncode:
        pytest.skip(f"no file system can be mounted here: {mount.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_one_error_and_leaves_the_last_files(tiny: Path) -> None:
    write_files(binding(tiny), [])
    before = files_of(tiny)
    new = {path: data + b"x" * 9000 for path, data in binding(tiny).items()}
    with pytest.raises(OutputError, match=r"can't write .*: No space left on device"):
        write_files(new, [])
    assert files_of(tiny) == before
    assert names(tiny) == sorted(before)


def test_a_read_only_folder_is_one_error_and_leaves_the_last_files(tiny: Path) -> None:
    write_files(binding(tiny), [])
    before = files_of(tiny)
    subprocess.run(["mount", "-o", "remount,ro", str(tiny)], check=True)
    new = {path: data + b"new" for path, data in binding(tiny).items()}
    with pytest.raises(OutputError, match=r"can't write .*: Read-only file system"):
        write_files(new, replaced_files(tiny, "bpf", "", []))
    assert files_of(tiny) == before


def test_ctrl_c_leaves_the_old_files_or_the_new_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_files(binding(tmp_path), [])
    new = {path: data + b"new" for path, data in binding(tmp_path).items()}
    replace, done = Path.replace, []

    def interrupted_replace(path: Path, target: Path) -> Path:
        os.kill(os.getpid(), signal.SIGINT)
        done.append(target)
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", interrupted_replace)
    ours = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            write_files(new, [])
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, ours)
    assert len(done) == len(new)
    assert {path: path.read_bytes() for path in new} == new
    assert names(tmp_path) == sorted(path.name for path in new)


def test_threads_write_too(tmp_path: Path) -> None:
    thread = threading.Thread(target=write_files, args=(binding(tmp_path),))
    thread.start()
    thread.join()
    assert len(names(tmp_path)) == 5


def test_one_of_two_writers_waits_for_the_other(tmp_path: Path) -> None:
    descriptor = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    code = (
        "import sys; from pathlib import Path; from ebpfgen.output import write_files\n"
        "print('begun', flush=True); write_files({Path('x.py'): b'x'})"
    )
    writer = subprocess.Popen(
        [sys.executable, "-c", code], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout
    assert writer.stdout.readline() == "begun\n"
    waits = f" FLOCK .* {writer.pid} "
    while not re.search(f"->{waits}", Path("/proc/locks").read_text()):
        assert writer.poll() is None, "it did not wait"
    assert names(tmp_path) == []
    os.close(descriptor)
    assert writer.wait() == 0
    assert names(tmp_path) == ["x.py"]


def test_removing_what_is_gone_already_is_no_error(tmp_path: Path) -> None:
    write_files(binding(tmp_path), [tmp_path / "bpf_bpfel_x86.py"])
    assert (tmp_path / "bpf.py").exists()
