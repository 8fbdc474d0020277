"""What people and machines are told of a run."""

import json
import os
import pty
import re
import select
import subprocess
import sys
from pathlib import Path

import pytest

from .building import TINY, files_of, generate_here, generated, make_project, run_cli

WARNS = "#warning careful\n" + TINY
BROKEN = "int a = broken;\n"


def on_terminal(
    *options: str, cwd: Path, env: dict[str, str] | None = None, stdout: int | None = None
) -> str:
    """What ``ebpfgen generate`` writes to a terminal of 80 columns, \\r\\n as \\n."""
    ours, theirs = pty.openpty()
    plain = {key: value for key, value in os.environ.items() if key not in ("CI", "NO_COLOR")}
    process = subprocess.Popen(
        [sys.executable, "-m", "ebpfgen", "generate", *options],
        cwd=cwd,
        env={**plain, "TERM": "xterm", "COLUMNS": "80", **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=theirs if stdout is None else stdout,
        stderr=theirs,
    )
    os.close(theirs)
    written = b""
    while select.select([ours], [], [], 60)[0]:
        try:
            data = os.read(ours, 4096)
        except OSError:  # what Linux says of a terminal that everybody has left
            break
        written += data
    process.wait(60)
    os.close(ours)
    return written.decode().replace("\r\n", "\n")


def many(folder: Path, count: int = 5) -> Path:
    """A project of so many bindings, each of two variants."""
    return make_project(folder, *(f"b{number}" for number in range(count)), defaults="")


def test_a_line_has_source_file_size_and_time_or_that_nothing_was_done(tmp_path: Path) -> None:
    make_project(tmp_path)
    (size,) = re.findall(
        r"^bpf\.c → bpf_bpfel\.py and \.o \((\d\.\d) kB, \d+\.\d\d s\)$", generated(tmp_path), re.M
    )
    assert size == f"{(tmp_path / 'bpf_bpfel.o').stat().st_size / 1000:.1f}"
    assert generated(tmp_path) == f"bpf.c → bpf_bpfel.py and .o ({size} kB, unchanged)\n"
    (tmp_path / "sub").mkdir()
    assert generated(tmp_path / "sub").startswith("bpf.c → ../bpf_bpfel.py and .o")


def test_what_is_made_again_with_the_same_bytes_is_unchanged(tmp_path: Path) -> None:
    make_project(tmp_path)
    generated(tmp_path)
    assert generated(tmp_path, "--force").endswith(" kB, unchanged)\n")


def test_quiet_prints_warnings_and_errors_only(tmp_path: Path) -> None:
    make_project(tmp_path, "a", "b", "c")
    (tmp_path / "b.c").write_text(WARNS)
    (tmp_path / "c.c").write_text(BROKEN)
    done = generate_here(tmp_path, "--quiet")
    assert (done.returncode, done.stdout) == (1, "")
    assert "b.c:1:2: warning: careful" in done.stderr
    assert done.stderr.endswith("ebpfgen: c.c does not compile for target bpfel\n")


def test_json_has_variants_warnings_and_errors(tmp_path: Path) -> None:
    make_project(tmp_path, "a", "b", "c")
    generated(tmp_path, "a", "a.c", "-t", "bpfel")
    (tmp_path / "b.c").write_text(WARNS)
    (tmp_path / "c.c").write_text(BROKEN)
    done = generate_here(tmp_path, "--json")
    assert (done.returncode, done.stderr) == (1, "")
    report = json.loads(done.stdout)
    assert list(report) == ["variants", "warnings", "errors"]
    seconds = [variant.pop("seconds") for variant in report["variants"]]
    assert seconds[0] == 0
    assert seconds[1] > 0
    assert report["variants"] == [
        {
            "source": f"{name}.c",
            "target": "bpfel",
            "module": f"{name}_bpfel.py",
            "object": f"{name}_bpfel.o",
            "object_size": (tmp_path / f"{name}_bpfel.o").stat().st_size,
            "state": state,
        }
        for name, state in (("a", "unchanged"), ("b", "written"))
    ]
    (warning,) = report["warnings"]
    assert "b.c:1:2: warning: careful" in warning
    (error,) = report["errors"]
    assert "undeclared identifier 'broken'" in error.pop("diagnostics")
    assert error == {
        "kind": "CompileError",
        "message": "c.c does not compile for target bpfel",
        "source": "c.c",
        "targets": ["bpfel"],
    }


def test_json_of_objects_alone_has_their_size(tmp_path: Path) -> None:
    make_project(tmp_path)
    (variant,) = json.loads(generated(tmp_path, "--json", "--compile-only"))["variants"]
    assert (variant["module"], variant["object"]) == (None, "bpf_bpfel.o")
    assert variant["object_size"] == (tmp_path / "bpf_bpfel.o").stat().st_size


@pytest.mark.parametrize(
    ("text", "options", "status", "kind"),
    [
        ("[tool.ebpfgen]\n", (), 1, "ConfigError"),
        ("[tool.ebpfgen]\n", ("--target", "vax"), 2, "TargetError"),
        ("[tool.ebpfgen\n", (), 1, "ConfigError"),
    ],
)
def test_json_tells_of_what_stops_a_run_too(
    tmp_path: Path, text: str, options: tuple[str, ...], status: int, kind: str
) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    done = generate_here(tmp_path, "--json", *options)
    assert (done.returncode, done.stderr) == (status, "")
    report = json.loads(done.stdout)
    assert (report["variants"], report["warnings"]) == ([], [])
    assert [error["kind"] for error in report["errors"]] == [kind]


def test_json_has_no_colours_on_a_terminal(tmp_path: Path) -> None:
    make_project(tmp_path)
    (tmp_path / "bpf.c").write_text(BROKEN)
    (error,) = json.loads(on_terminal("--json", cwd=tmp_path))["errors"]
    assert "undeclared identifier" in error["diagnostics"]
    assert "\x1b" not in error["diagnostics"]


def test_diagnostics_keep_their_colours_on_a_terminal(tmp_path: Path) -> None:
    make_project(tmp_path)
    (tmp_path / "bpf.c").write_text(BROKEN)
    assert "\x1b[0;1;31merror: " in on_terminal(cwd=tmp_path)
    assert "\x1b" not in on_terminal(cwd=tmp_path, env={"NO_COLOR": "1"})
    assert "\x1b" not in on_terminal(cwd=tmp_path, env={"TERM": "dumb"})
    assert "\x1b" not in run_cli("generate", cwd=tmp_path).stderr


def test_coloured_diagnostics_are_explained_as_plain_ones_are(tmp_path: Path) -> None:
    (tmp_path / "bpf.c").write_text('#include "vmlinux.h"\n')
    assert "bpftool btf dump file /sys/kernel/btf/vmlinux" in on_terminal(
        "b", "bpf.c", cwd=tmp_path
    )


BAR = re.compile(r"\r\x1b\[Kgenerating \[([# ]{30})\] (\d+)/(\d+)")


def test_a_terminal_shows_how_far_many_variants_are(tmp_path: Path) -> None:
    written = on_terminal(cwd=many(tmp_path))
    bars = BAR.findall(written)
    assert [(int(done), int(total)) for _, done, total in bars] == [(n, 10) for n in range(1, 11)]
    assert [bar.count("#") for bar, _, _ in bars] == [3 * n for n in range(1, 11)]
    shown = re.sub(r"(?m)^.*\r\x1b\[K", "", written)
    assert re.fullmatch(r"(b\d\.c → b\d_bpfe[lb]\.py and \.o \(.*\)\n){10}", shown), (
        "and removes it"
    )
    assert "generating" not in on_terminal(cwd=tmp_path), "there is nothing to do"


def test_lines_go_where_they_shall_while_the_bar_is_shown(tmp_path: Path) -> None:
    project = many(tmp_path / "project")
    with (tmp_path / "out").open("w") as file:
        assert BAR.search(on_terminal(cwd=project, stdout=file.fileno()))
    lines = (tmp_path / "out").read_text().splitlines()
    assert len(lines) == 10
    assert all(line.startswith("b") and line.endswith(" s)") for line in lines)


@pytest.mark.parametrize(
    ("options", "env", "count"),
    [
        ((), {"CI": "true"}, 5),
        ((), {"TERM": "dumb"}, 5),
        (("--quiet",), {}, 5),
        (("--json",), {}, 5),
        ((), {}, 3),
    ],
    ids=["CI", "a dumb terminal", "--quiet", "--json", "few"],
)
def test_no_bar_is_shown_where_none_is_wanted(
    tmp_path: Path, options: tuple[str, ...], env: dict[str, str], count: int
) -> None:
    project = many(tmp_path, count)
    assert "generating" not in on_terminal(*options, cwd=project, env=env)
    assert (project / "b0.py").exists()


@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
def test_any_name_can_be_printed_in_any_encoding(tmp_path: Path, encoding: str) -> None:
    name = os.fsdecode(b"b\xff\xc3\xbc.c")
    (tmp_path / name).write_text(TINY)
    done = run_cli(
        *("generate", "-t", "bpfel", "bpf", name),
        cwd=tmp_path,
        env={"PYTHONIOENCODING": encoding},
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "bpf_bpfel.py and .o" in done.stdout
    assert len(files_of(tmp_path)) == 4


def test_a_folder_that_has_gone_is_one_line(tmp_path: Path) -> None:
    code = "import os, sys; from ebpfgen.cli import main; os.rmdir(os.getcwd()); main(sys.argv[1:])"
    (tmp_path / "gone").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", code, "generate"],
        cwd=tmp_path / "gone",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == "ebpfgen: the current folder has been removed: go to another\n"
