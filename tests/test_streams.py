"""Standard streams that are closed, full or without a reader change nothing but what is printed."""

import functools
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import pytest

from .building import files_of, make_project, script

FULL = "ebpfgen: can't write to the standard output: No space left on device\n"


def run(folder: Path, command: str, redirected: str = "") -> subprocess.CompletedProcess[str]:
    """Run ``ebpfgen`` with its streams as a shell has them *redirected*."""
    return subprocess.run(
        ["/bin/sh", "-c", f'exec "$0" -m ebpfgen {command} {redirected}', sys.executable],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def make_faulty_project(folder: Path) -> Path:
    """A project of two bindings: one gives a warning, the other does not compile."""
    make_project(folder, "bpf", "wrong")
    (folder / "bpf.c").write_text("#warning careful\nint x;\n")
    (folder / "wrong.c").write_text("int a = b;\n")
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_faulty_project(tmp_path)


CLOSED = (">&-", "2>&-", "<&- >&- 2>&-")

# A command, and its status.
COMMANDS = {
    "generate -t bpfel bpf bpf.c": 0,
    "generate --force": 1,
    "generate --json": 1,
    "generate --check": 1,
    "generate --bogus": 2,
    "generate --help": 0,
    "--version": 0,
    "new created": 0,
    "new": 2,
}


@functools.cache
def outcome(command: str, closed: str) -> tuple[int, set[str], set[str], dict[str, bytes]]:
    """What a command does in the project: its status, what it prints, its files."""
    with tempfile.TemporaryDirectory() as name:
        folder = make_faulty_project(Path(name))
        done = run(folder, command, closed)
        return done.returncode, lines(done.stdout), lines(done.stderr), files_of(folder)


def lines(text: str) -> set[str]:
    """The beginnings of lines, which are the same in every run."""
    return {re.split(r'\(|"seconds"', line)[0] for line in text.splitlines()}


@pytest.mark.parametrize("closed", CLOSED)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_closed_stream_loses_what_is_printed_there_and_nothing_else(
    command: str, closed: str
) -> None:
    status, output, errors, files = outcome(command, "")
    assert status == COMMANDS[command]
    if ">&-" in closed.split():
        output = set()
    if "2>&-" in closed.split():
        errors = set()
    assert outcome(command, closed) == (status, output, errors, files)


@pytest.mark.parametrize("closed", CLOSED)
def test_a_compiler_has_all_three_streams(tmp_path: Path, closed: str) -> None:
    make_project(tmp_path)
    said = tmp_path / "said"
    compiler = script(
        tmp_path / "cc",
        f"for number in 0 1 2; do [ -e /proc/self/fd/$number ] || echo $number >> {said}; done\n"
        'exec clang "$@"',
    )
    assert run(tmp_path, f"generate --cc {compiler}", closed).returncode == 0
    assert not said.exists()


@pytest.mark.parametrize("closed", CLOSED)
def test_no_file_gets_the_number_of_a_closed_stream(tmp_path: Path, closed: str) -> None:
    """A module that is imported prints and writes to what was the standard output."""
    make_project(tmp_path)
    numbers = "\n".join(
        (
            "import os, sys",
            "opened = open('opened', 'w')",
            "print('stray'); print('stray', file=sys.stderr); os.write(1, b'stray')",
            "opened.write(str(opened.fileno() > 2)); opened.close()",
            "def watch(*_, **__): raise SystemExit(0)",
        )
    )
    (tmp_path / "watchfiles.py").write_text(numbers)
    done = run(tmp_path, "generate --watch", closed)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "opened").read_text() == "True"


@pytest.mark.parametrize(
    "command",
    ["generate --force", "generate --json", "generate --check", "--version", "generate --help"],
)
def test_no_room_for_what_is_printed_is_one_line(project: Path, command: str) -> None:
    (project / "wrong.c").write_text("int right;\n")
    (project / "bpf.c").write_text("int x;\n")
    done = run(project, command, ">/dev/full")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", FULL)


@pytest.mark.parametrize(
    ("command", "status"),
    [(command, status) for command, status in COMMANDS.items() if "new" not in command],
)
def test_no_room_for_errors_loses_them_and_nothing_else(
    project: Path, command: str, status: int
) -> None:
    done = run(project, command, "2>/dev/full")
    assert (done.returncode, done.stderr) == (status, "")
    if "--json" in command:
        json.loads(done.stdout)
    assert (project / "bpf.py").exists() == command.startswith("generate ") & all(
        word not in command for word in ("--check", "--help", "--bogus")
    )


@pytest.mark.parametrize("command", ["generate", "generate --json", "--version", "generate --help"])
def test_no_room_anywhere_is_a_status(project: Path, command: str) -> None:
    assert run(project, command, ">/dev/full 2>/dev/full").returncode == 1


def test_an_output_that_cannot_be_written_is_one_line_whatever_the_reason(tmp_path: Path) -> None:
    done = run(tmp_path, "--version", "1</dev/null")
    assert done.returncode == 1
    assert done.stderr == "ebpfgen: can't write to the standard output: Bad file descriptor\n"


def run_without_reader(
    folder: Path, command: str, descriptors: Iterable[int]
) -> subprocess.CompletedProcess[str]:
    """Run ``ebpfgen`` with *descriptors* writing to a pipe that nobody reads."""
    reader, writer = os.pipe()
    os.close(reader)
    streams = {1: subprocess.PIPE, 2: subprocess.PIPE, **dict.fromkeys(descriptors, writer)}
    try:
        return subprocess.run(
            [sys.executable, "-m", "ebpfgen", *command.split()],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=streams[1],
            stderr=streams[2],
            text=True,
            check=False,
        )
    finally:
        os.close(writer)


@pytest.mark.parametrize("command", ["generate --force", "--version", "--help", "generate --json"])
@pytest.mark.parametrize("descriptors", [(1,), (1, 2)])
def test_a_reader_that_has_gone_ends_a_command_without_a_word(
    tmp_path: Path, command: str, descriptors: tuple[int, ...]
) -> None:
    make_project(tmp_path)
    done = run_without_reader(tmp_path, command, descriptors)
    assert (done.returncode, done.stderr or "") == (1, "")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_reader_of_errors_that_has_gone_loses_them_and_nothing_else(
    project: Path, command: str
) -> None:
    assert run_without_reader(project, command, (2,)).returncode == COMMANDS[command]
