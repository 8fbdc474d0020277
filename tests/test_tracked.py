"""With --tracked, what git does not know of a binding is an error."""

import json
import shutil
from pathlib import Path

import pytest

from .building import HEADERS, KPROBE, run_cli
from .installing import run
from .test_pre_commit import git_environment

GENERATE = ("generate", "--target", "bpfel", "--tracked", "bpf", "kprobe.c", "--", f"-I{HEADERS}")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a C file, in no repository as far as git is told."""
    (tmp_path / "code").mkdir()
    shutil.copy(KPROBE, tmp_path / "code")
    return tmp_path / "code"


def git(folder: Path, *words: str) -> None:
    done = run("git", *words, cwd=folder, env=git_environment(folder.parent))
    assert done.returncode == 0, done.stdout


def test_files_that_git_does_not_know_are_named_in_one_line(folder: Path) -> None:
    git(folder, "init", "-q")
    done = run_cli(*GENERATE, cwd=folder)
    assert done.returncode == 1
    assert done.stderr == (
        "ebpfgen: git does not track kprobe.c, bpf.py, bpf_bpfel.py, bpf_bpfel.o: git add them\n"
    )
    git(folder, "add", ".")
    assert run_cli(*GENERATE, cwd=folder).returncode == 0


def test_more_than_six_are_counted(folder: Path) -> None:
    git(folder, "init", "-q")
    done = run_cli("generate", "-t", "arm64,amd64,s390x", *GENERATE[3:], cwd=folder)
    assert done.stderr.endswith("bpf_bpfel_x86.py, bpf_bpfel_x86.o and 2 more: git add them\n")


def test_files_are_named_as_seen_from_the_current_folder(folder: Path) -> None:
    git(folder, "init", "-q")
    (folder / "below").mkdir()
    words = [word.replace("kprobe.c", "../kprobe.c") for word in GENERATE]
    done = run_cli(*words, cwd=folder / "below")
    assert "git does not track ../kprobe.c, bpf.py, " in done.stderr


def test_a_file_of_any_name_is_found(folder: Path) -> None:
    git(folder, "init", "-q")
    (folder / "kprobe.c").rename(folder / "kprobé 'x y'.c")
    words = [word.replace("kprobe.c", "kprobé 'x y'.c") for word in GENERATE]
    done = run_cli(*words, cwd=folder)
    assert "git does not track kprobé 'x y'.c, bpf.py" in done.stderr


def test_what_git_is_to_ignore_is_left_out(folder: Path) -> None:
    git(folder, "init", "-q")
    (folder / ".gitignore").write_text("bpf*\n")
    git(folder, "add", "kprobe.c")
    assert run_cli(*GENERATE, cwd=folder).returncode == 0


def test_a_machine_is_told_too(folder: Path) -> None:
    git(folder, "init", "-q")
    done = run_cli("generate", "--json", *GENERATE[1:], cwd=folder)
    (error,) = json.loads(done.stdout)["errors"]
    assert error["kind"] == "UntrackedError"
    done = run_cli("generate", "--json", "--check", *GENERATE[1:], cwd=folder)
    states = {finding["file"]: finding["state"] for finding in json.loads(done.stdout)["findings"]}
    assert states == dict.fromkeys(
        ("kprobe.c", "bpf.py", "bpf_bpfel.py", "bpf_bpfel.o"), "untracked"
    )


def test_what_is_stale_and_not_tracked_is_listed_once(folder: Path) -> None:
    git(folder, "init", "-q")
    run_cli(*GENERATE, cwd=folder)
    with (folder / "kprobe.c").open("a") as file:
        file.write("// more\n")
    done = run_cli("generate", "--check", *GENERATE[1:], cwd=folder)
    states = [line.split()[0] for line in done.stdout.splitlines() if not line.startswith(" ")]
    assert states == ["stale"] * 3 + ["untracked"]
    assert done.stderr == (
        "ebpfgen: 4 files are not up to date: run ebpfgen generate, "
        "and git add what git does not track\n"
    )


def test_a_folder_in_no_repository_is_one_line(folder: Path) -> None:
    done = run_cli(*GENERATE, cwd=folder, env={"GIT_CEILING_DIRECTORIES": str(folder.parent)})
    assert done.returncode == 1
    assert done.stderr.startswith(
        f"ebpfgen: git can't list the files of {folder}: fatal: not a git"
    )
    assert done.stderr.count("\n") == 1


def test_no_git_is_one_line(folder: Path, tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in ("clang", "llvm-strip"):
        found = shutil.which(tool)
        assert found
        (tools / tool).symlink_to(found)
    done = run_cli(*GENERATE, cwd=folder, env={"PATH": str(tools)})
    assert (done.returncode, done.stderr) == (
        1,
        "ebpfgen: git can't be run: No such file or directory\n",
    )


def test_watching_has_no_end_to_look_at(folder: Path) -> None:
    done = run_cli("generate", "--watch", *GENERATE[1:], cwd=folder)
    assert done.returncode == 2
    assert done.stderr.startswith("ebpfgen: --tracked is for the end of a run")
