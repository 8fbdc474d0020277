"""Links where ebpfgen writes and removes lead to no write and no removal elsewhere."""

import os
from pathlib import Path

import pytest

from ebpfgen.errors import OutputError
from ebpfgen.output import write_files
from ebpfgen.stamp import MARK

from .building import files_of, generate_here, generated, make_project, run_cli

OURS = MARK.encode() + b"from x.c; DO NOT EDIT.\n"


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A folder outside the project, with a file of each kind; nothing in it may change."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "theirs").write_bytes(b"theirs")
    (folder / "ours.py").write_bytes(OURS)
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_project(tmp_path / "project")


def test_temporary_files_do_not_follow_links_made_beforehand(
    project: Path, elsewhere: Path
) -> None:
    for name in ("bpf.py", "bpf_bpfel.py", "bpf_bpfel.o"):
        (project / f".{name}.{os.getpid()}.tmp").symlink_to(elsewhere / "theirs")
    before = files_of(elsewhere)
    generated(project)
    assert files_of(elsewhere) == before


def test_a_name_that_is_taken_after_all_is_one_error(
    tmp_path: Path, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "urandom", bytes)
    taken = tmp_path / f".ebpfgen-{'0' * 16}.tmp"
    taken.symlink_to(elsewhere / "theirs")
    before = files_of(elsewhere)
    with pytest.raises(OutputError, match=r"can't write .*: File exists"):
        write_files({tmp_path / "bpf.py": OURS})
    assert files_of(elsewhere) == before
    assert taken.is_symlink()


@pytest.mark.parametrize("target", ["theirs", "ours.py", "missing", "/dev/null"])
@pytest.mark.parametrize("name", ["bpf.py", "bpf_bpfel.py", "bpf_bpfel.o", "bpf_bpfel.py.d"])
def test_a_link_at_the_name_of_a_file_to_write_is_one_error(
    project: Path, elsewhere: Path, name: str, target: str
) -> None:
    (project / name).symlink_to(elsewhere / target)
    before = files_of(project), files_of(elsewhere)
    done = generate_here(project, "--makebase", ".")
    assert done.returncode == 1
    assert done.stderr == (
        f"ebpfgen: {project / name} is a symbolic link, and ebpfgen writes none: "
        "remove it, or choose another --output-stem\n"
    )
    assert files_of(elsewhere) == before[1]
    if not name.endswith(".d"):
        assert files_of(project) == before[0]


def test_a_link_to_what_would_be_written_is_left_alone(project: Path, elsewhere: Path) -> None:
    generated(project, "--makebase", ".")
    for name in ("bpf.py", "bpf_bpfel.py", "bpf_bpfel.o", "bpf_bpfel.py.d"):
        (project / name).rename(elsewhere / name)
        (project / name).symlink_to(elsewhere / name)
        os.utime(elsewhere / name, (1, 1))
    before = files_of(elsewhere)
    generated(project, "--makebase", ".")
    generated(project, "--makebase", ".", "--force")
    assert files_of(elsewhere) == before
    assert {path.stat().st_mtime for path in elsewhere.glob("bpf*")} == {1}, "nor their times"


@pytest.mark.parametrize("name", ["bpf_bpfeb.py", "bpf_bpfeb.o", "bpf_bpfeb.py.d"])
def test_of_an_old_variant_that_is_a_link_the_link_goes(
    project: Path, elsewhere: Path, name: str
) -> None:
    (project / "bpf_bpfeb.py").write_bytes(OURS)
    (project / name).unlink(missing_ok=True)
    (project / name).symlink_to(elsewhere / "ours.py")
    before = files_of(elsewhere)
    generated(project)
    assert list(project.glob("*bpfeb*")) == []
    assert not (project / name).is_symlink()
    assert files_of(elsewhere) == before


def test_a_folder_that_is_a_link_holds_what_is_written_and_keeps_what_is_not(
    tmp_path: Path, elsewhere: Path
) -> None:
    project = make_project(tmp_path / "project", 'bpf\noutput-dir = "out"')
    (project / "out").symlink_to(elsewhere)
    before = files_of(elsewhere)
    generated(project)
    after = files_of(elsewhere)
    assert {name: after[name] for name in before} == before
    assert set(after) - set(before) == {"bpf.py", "bpf_bpfel.py", "bpf_bpfel.o"}


def test_a_folder_that_is_a_link_to_itself_is_one_line(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project", 'bpf\noutput-dir = "out"')
    (project / "out").symlink_to("out")
    for options in ([], ["--check"]):
        done = generate_here(project, *options)
        assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr


def test_a_source_that_is_a_link_to_itself_is_one_line(project: Path) -> None:
    (project / "bpf.c").unlink()
    (project / "bpf.c").symlink_to("bpf.c")
    done = generate_here(project)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert "Too many levels of symbolic links" in done.stderr


@pytest.mark.parametrize("name", ["bpf.py", "bpf_bpfel.py", "bpf_bpfel.o", "other.py"])
def test_links_to_devices_are_not_read(project: Path, name: str) -> None:
    generated(project)
    (project / name).unlink(missing_ok=True)
    (project / name).symlink_to("/dev/zero")
    code = "import resource as r; r.setrlimit(r.RLIMIT_AS, (1 << 30, 1 << 30))"
    (project / "sitecustomize.py").write_text(code)
    for options in (["--check"], ["--check", "--rebuild"], []):
        done = run_cli("generate", *options, cwd=project, env={"PYTHONPATH": python_path(project)})
        assert done.returncode == (name != "other.py")
        assert "Traceback" not in done.stderr


def python_path(folder: Path) -> str:
    return f"{folder}:{os.environ.get('PYTHONPATH', '')}"


def test_a_new_project_goes_into_the_empty_folder_that_a_link_names(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "proj").symlink_to("real")
    done = run_cli("new", "proj", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "real/pyproject.toml").is_file()
    assert (tmp_path / "proj").is_symlink()


def test_a_new_project_does_not_go_through_links_in_a_folder(
    tmp_path: Path, elsewhere: Path
) -> None:
    (tmp_path / "proj").mkdir()
    (tmp_path / "proj/pyproject.toml").symlink_to(elsewhere / "theirs")
    before = files_of(elsewhere)
    done = run_cli("new", "proj", cwd=tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert files_of(elsewhere) == before
