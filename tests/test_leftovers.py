"""Temporary files of killed runs are removed by the next run, and listed by a check."""

import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from .building import files_of, generate_here, generated, make_project

NAME = ".ebpfgen-0123456789abcdef.tmp"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project that is up to date."""
    folder = make_project(tmp_path / "project", 'bpf\noutput-dir = "out"')
    generated(folder)
    return folder


def test_a_killed_run_leaves_what_the_next_one_removes(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project")
    code = (
        "import os, signal; from pathlib import Path; from ebpfgen.__main__ import main\n"
        "Path.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "main()"
    )
    done = subprocess.run([sys.executable, "-c", code, "generate"], cwd=project, check=False)
    assert done.returncode == -signal.SIGKILL
    left = set(files_of(project)) - {"bpf.c", "pyproject.toml"}
    assert len(left) == 3
    generated(project)
    assert set(files_of(project)) == {
        *("bpf.c", "pyproject.toml", "bpf.py", "bpf_bpfel.py", "bpf_bpfel.o"),
    }


@pytest.mark.parametrize("options", [[], ["--force"], ["--compile-only"]])
def test_leftovers_go_though_all_is_up_to_date(project: Path, options: list[str]) -> None:
    (project / "out" / NAME).write_text("half")
    generated(project, *options)
    assert not (project / "out" / NAME).exists()


def test_a_leftover_that_is_a_link_goes_and_its_target_stays(project: Path) -> None:
    (project / "target").write_text("theirs")
    (project / "out" / NAME).symlink_to("../target")
    generated(project)
    assert not (project / "out" / NAME).is_symlink()
    assert (project / "target").read_text() == "theirs"


FOREIGN: dict[str, Callable[[Path], object]] = {
    ".ebpfgen-0123456789abcdeg.tmp": Path.touch,
    ".ebpfgen-0123456789abcdef.tmp.txt": Path.touch,
    "ebpfgen-0123456789abcdef.tmp": Path.touch,
    ".bpf.py.1234.tmp": Path.touch,
    ".ebpfgen-0000000000000000.tmp": Path.mkdir,
    ".ebpfgen-0000000000000001.tmp": os.mkfifo,
}


def test_what_is_not_known_to_be_a_leftover_stays(project: Path) -> None:
    for name, make in FOREIGN.items():
        make(project / "out" / name)
    generated(project, "--force")
    assert FOREIGN.keys() <= {path.name for path in (project / "out").iterdir()}
    assert "tmp" not in generated(project, "--check")


def test_a_check_lists_them_and_removes_nothing(project: Path) -> None:
    (project / "out" / NAME).write_text("half")
    (project / "other").mkdir()
    (project / "other" / NAME).symlink_to("/dev/null")
    done = generate_here(project, "--check")
    assert done.returncode == 1
    assert [line for line in done.stdout.splitlines() if NAME in line] == [
        f"orphaned out/{NAME}: a run that was killed left it",
        f"orphaned other/{NAME}: a run that was killed left it",
    ]
    assert (project / "out" / NAME).exists()
    assert (project / "other" / NAME).is_symlink()


def test_those_of_a_run_that_is_alive_stay_and_are_not_listed(project: Path) -> None:
    (project / "out" / NAME).write_text("in the making")
    descriptor = os.open(project / "out", os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        generated(project)
        generated(project, "--check")
        assert (project / "out" / NAME).exists()
    finally:
        os.close(descriptor)
    generated(project)
    assert not (project / "out" / NAME).exists()


def test_files_have_the_permissions_that_the_umask_leaves(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project")
    before = os.umask(0o027)
    try:
        generated(project)
    finally:
        os.umask(before)
    modes = {path.name: path.stat().st_mode & 0o777 for path in project.glob("bpf*.*")}
    assert modes == {"bpf.c": modes["bpf.c"], **dict.fromkeys(sorted(modes)[1:], 0o640)}
