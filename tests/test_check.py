"""``--check`` finds what a run would change, and changes nothing."""

import json
import shutil
from pathlib import Path

import pytest

from .building import TINY, files_of, generate_here, generated, make_project, script

CLANG = shutil.which("clang")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of two bindings, generated."""
    folder = make_project(tmp_path / "project", "one", "two", defaults="")
    generated(folder)
    return folder


def found(folder: Path, *options: str, env: dict[str, str] | None = None) -> list[str]:
    """What a check finds, without diffs; it may write nothing, and must say how it went."""
    before = {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in folder.rglob("*")}
    contents = files_of(folder)
    done = generate_here(folder, "--check", *options, env=env)
    lines = [line for line in done.stdout.splitlines() if not line.startswith("    ")]
    assert files_of(folder) == contents
    after = {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in folder.rglob("*")}
    assert after == before
    assert done.returncode == (1 if lines else 0), done.stderr
    assert bool(done.stderr) == bool(lines), done.stderr
    return lines


def test_what_is_right_is_silent(project: Path) -> None:
    assert found(project) == []
    assert found(project, "--rebuild") == []


def test_each_file_has_its_line_with_the_reason(project: Path) -> None:
    (project / "one.c").write_text("long counter;\n")
    (project / "two_bpfel.o").unlink()
    (project / "two_bpfeb.py").write_text(f"{(project / 'two_bpfeb.py').read_text()}# mine\n")
    reason = ": one.c changed"
    assert found(project) == [
        f"stale    one.py{reason}",
        f"stale    one_bpfel.py{reason}",
        f"stale    one_bpfel.o{reason}",
        f"stale    one_bpfeb.py{reason}",
        f"stale    one_bpfeb.o{reason}",
        "missing  two_bpfel.o",
        "stale    two_bpfeb.py: changed by hand",
    ]
    done = generate_here(project, "--check")
    assert done.stderr == "ebpfgen: 7 files are not up to date: run ebpfgen generate\n"


def test_a_short_diff_shows_what_would_change(project: Path) -> None:
    (project / "one.c").write_text("long counter;\n")
    lines = generate_here(project, "--check").stdout.splitlines()
    start = lines.index("stale    one_bpfel.py: one.c changed") + 1
    end = lines.index("stale    one_bpfel.o: one.c changed")
    diff = lines[start:end]
    assert all(line.startswith("    ") for line in diff)
    assert any(line.startswith("    -") and "counter" in line and "i32" in line for line in diff)
    assert any(line.startswith("    +") and "counter" in line and "i64" in line for line in diff)
    (project / "one.c").write_text("".join(f"int counter{i};\n" for i in range(50)))
    lines = generate_here(project, "--check").stdout.splitlines()
    start = lines.index("stale    one_bpfel.py: one.c changed") + 1
    end = lines.index("stale    one_bpfel.o: one.c changed")
    assert end - start == 21
    assert lines[end - 1].endswith(" more lines")


def test_what_cannot_be_built_has_no_diff(project: Path) -> None:
    (project / "one.c").write_text("broken")
    assert len(found(project)) == 5
    (project / "one.c").write_text("long counter;\n")
    assert len(found(project, env={"PATH": ""})) == 5
    assert "    +" not in generate_here(project, "--check", env={"PATH": ""}).stdout


def test_no_compiler_and_another_compiler_are_all_the_same(project: Path) -> None:
    other = script(project.parent / "other", 'echo "clang version 99.0.0"; exit 1')
    assert found(project, env={"PATH": ""}) == []
    assert found(project, env={"EBPFGEN_CC": str(other)}) == []
    assert found(project, "--cc", str(other)) == []


def test_a_rebuild_compares_bytes(project: Path) -> None:
    other = script(project.parent / "other-clang", f'exec {CLANG} -DOTHER "$@"')
    (project / "two.c").write_text("#ifdef OTHER\nlong counter;\n#else\nint counter;\n#endif\n")
    generated(project)
    assert found(project, "--rebuild") == []
    changed = "a rebuild gives another one"
    assert found(project, "--rebuild", "--jobs=1", env={"EBPFGEN_CC": str(other)}) == [
        f"stale    two{end}: {changed}"
        for end in (".py", "_bpfel.py", "_bpfel.o", "_bpfeb.py", "_bpfeb.o")
    ]
    (project / "one_bpfel.o").unlink()
    assert found(project, "--rebuild") == ["missing  one_bpfel.o"]


def test_a_rebuild_that_fails_does_not_hide_the_rest(project: Path) -> None:
    (project / "one.c").write_text("int a = one;")
    (project / "two_bpfel.o").unlink()
    done = generate_here(project, "--check", "--rebuild")
    assert done.returncode == 1
    assert done.stdout == "missing  two_bpfel.o\n"
    assert "use of undeclared identifier 'one'" in done.stderr
    assert "ebpfgen: one.c does not compile for targets bpfel, bpfeb\n" in done.stderr
    assert done.stderr.endswith("ebpfgen: 1 file is not up to date: run ebpfgen generate\n")


def test_what_an_earlier_list_of_targets_left_is_orphaned(project: Path) -> None:
    shutil.copy(project / "one_bpfel.py", project / "one_bpfel_x86.py")
    shutil.copy(project / "one_bpfel.o", project / "one_bpfel_x86.o")
    (project / "one_bpfel_x86.py.d").write_text("# Code generated by ebpfgen")
    orphans = [f"orphaned one_bpfel_x86.{end}: no binding makes it" for end in ("py", "o", "py.d")]
    assert found(project) == orphans
    assert found(project, "one", "one.c") == orphans, "of a single binding, too"
    assert found(project, "two", "two.c") == []
    assert generate_here(project, "--check").stderr == (
        "ebpfgen: 3 files are not up to date: remove what no binding makes\n"
    )


@pytest.mark.parametrize("place", [".", "sub/deeper"])
def test_what_a_removed_binding_left_is_orphaned(project: Path, place: str) -> None:
    folder = project / place
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "gone.c").write_text(TINY)
    generated(folder, "-t", "bpfel", "gone", "gone.c")
    (folder / "gone.o").write_text("mine")
    assert found(project) == [
        f"orphaned {(folder / name).relative_to(project)}: no binding makes it"
        for name in ("gone.py", "gone_bpfel.py", "gone_bpfel.o")
    ]
    assert found(project, "one", "one.c") == []


def test_what_lies_outside_the_project_is_nobodys_orphan(project: Path) -> None:
    for place in (".venv/lib", "build", "other"):
        (project / place).mkdir(parents=True)
        shutil.copy(project / "one_bpfel.py", project / place / "x_bpfel.py")
    (project / "other/pyproject.toml").touch()
    assert found(project) == []


def test_json_has_every_finding(project: Path) -> None:
    (project / "one.c").write_text("long counter;\n")
    (project / "two.py").unlink()
    done = generate_here(project, "--check", "--json")
    assert (done.returncode, done.stderr) == (1, "")
    report = json.loads(done.stdout)
    assert report["errors"] == []
    by_file = {finding.pop("file"): finding for finding in report["findings"]}
    assert by_file["two.py"] == {"state": "missing", "reason": "missing", "diff": ""}
    assert by_file["one_bpfel.py"]["state"] == "stale"
    assert "i64" in by_file["one_bpfel.py"]["diff"]
    generated(project)
    assert json.loads(generated(project, "--check", "--json")) == {"findings": [], "errors": []}


def test_json_has_every_error(project: Path) -> None:
    (project / "one.c").write_text("int a = one;")
    done = generate_here(project, "--check", "--rebuild", "--json")
    assert (done.returncode, done.stderr) == (1, "")
    report = json.loads(done.stdout)
    assert [error["source"] for error in report["errors"]] == ["one.c"]
    done = generate_here(project, "--check", "--json", "--target", "vax")
    assert (done.returncode, done.stderr) == (2, "")
    assert [error["kind"] for error in json.loads(done.stdout)["errors"]] == ["TargetError"]


def test_quiet_leaves_the_last_line(project: Path) -> None:
    (project / "two.py").unlink()
    done = generate_here(project, "--check", "--quiet")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "ebpfgen: 5 files are not up to date: run ebpfgen generate\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--rebuild", "--rebuild is for --check"),
        ("--check --watch", "--check changes nothing"),
        ("--check --force", "--check changes nothing"),
        ("--check --compile-only", "--check changes nothing"),
    ],
)
def test_what_does_not_go_together_is_one_line(project: Path, words: str, said: str) -> None:
    done = generate_here(project, *words.split())
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert said in done.stderr
