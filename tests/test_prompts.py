"""``ebpfgen new`` asks on a terminal, and leaves it as it was however that ends."""

import contextlib
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

PATIENCE = 60
"""How many seconds a question may take to come, on a machine that is busy with other things."""

NAME, DESCRIPTION = "Name of the project: ", "What it does, in one line"
CTRL_C, CTRL_D = "\x03", "\x04"


class Terminal:
    """``ebpfgen new`` on a terminal of its own."""

    def __init__(self, folder: Path, redirected: str = "") -> None:
        self._ours, theirs = pty.openpty()
        self._modes = termios.tcgetattr(self._ours)
        self.shown = ""
        # Who leads a session and opens a terminal is sent its signals.
        command = f'exec "$0" -m ebpfgen new < "$1" {redirected}'
        self.process = subprocess.Popen(
            ["/bin/sh", "-c", command, sys.executable, os.ttyname(theirs)],
            cwd=folder,
            env={**os.environ, "TERM": "dumb", "PROMPT_TOOLKIT_NO_CPR": "1"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)

    def answer(self, question: str, text: str) -> None:
        """Wait for a question and type *text*."""
        end = time.monotonic() + PATIENCE
        while question not in self.shown and time.monotonic() < end:
            self._read()
        assert question in self.shown
        time.sleep(0.3)  # a terminal that is read raw drops what is typed before
        os.write(self._ours, text.encode("utf-8", "surrogateescape"))

    def end(self) -> int:
        """Wait for the end; the status. The terminal must be as it was."""
        end = time.monotonic() + PATIENCE
        while self.process.poll() is None and time.monotonic() < end:
            self._read()
        self._read()
        assert termios.tcgetattr(self._ours) == self._modes
        return self.process.returncode

    def close(self) -> None:
        """End what has not ended."""
        self.process.kill()
        self.process.wait()
        os.close(self._ours)

    def _read(self) -> None:
        if select.select([self._ours], [], [], 0.1)[0]:
            with contextlib.suppress(OSError):  # nobody has it open any more
                self.shown += os.read(self._ours, 4096).decode(errors="replace")


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    opened = Terminal(tmp_path)
    yield opened
    opened.close()


def test_what_is_asked_for_is_in_the_project(tmp_path: Path, terminal: Terminal) -> None:
    terminal.answer(NAME, "\n")
    terminal.answer(NAME, "asked\n")
    terminal.answer(DESCRIPTION, " once\r")
    assert terminal.end() == 0, terminal.shown
    assert "created asked; next:" in terminal.shown
    assert "Counts execve calls with eBPF once." in (tmp_path / "asked/README.md").read_text()


def test_ctrl_c_at_the_name_ends_the_line_and_the_command(
    tmp_path: Path, terminal: Terminal
) -> None:
    terminal.answer(NAME, CTRL_C)
    assert terminal.end() == 130
    assert terminal.shown == f"{NAME}^C\r\n"
    assert list(tmp_path.iterdir()) == []


def test_the_end_of_the_input_is_one_line(tmp_path: Path, terminal: Terminal) -> None:
    terminal.answer(NAME, CTRL_D)
    assert terminal.end() == 2
    assert terminal.shown == f"{NAME}\r\nebpfgen: NAME is missing: ebpfgen new NAME\r\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["\udcff", "1x", "a\x1bb"])
def test_a_name_that_cannot_be_is_one_line(tmp_path: Path, terminal: Terminal, name: str) -> None:
    terminal.answer(NAME, f"{name}\n")
    assert terminal.end() == 2
    lines = terminal.shown.splitlines()
    assert len(lines) == 2
    assert "is not a Python identifier" in lines[1]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_at_the_name_is_the_status(terminal: Terminal, number: signal.Signals) -> None:
    terminal.answer(NAME, "")
    terminal.process.send_signal(number)
    assert terminal.end() == 128 + number
    assert terminal.shown == f"{NAME}\r\n"


def test_ctrl_c_at_the_description_creates_nothing(tmp_path: Path, terminal: Terminal) -> None:
    terminal.answer(NAME, "asked\n")
    terminal.answer(DESCRIPTION, CTRL_C)
    assert terminal.end() == 130
    assert "Traceback" not in terminal.shown
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_at_the_description_is_the_status(
    tmp_path: Path, terminal: Terminal, number: signal.Signals
) -> None:
    terminal.answer(NAME, "asked\n")
    terminal.answer(DESCRIPTION, "")
    terminal.process.send_signal(number)
    assert terminal.end() == 128 + number
    assert "Traceback" not in terminal.shown
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_asked_where_the_question_is_not_seen(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, redirected="> output")
    try:
        assert terminal.end() == 2
    finally:
        terminal.close()
    assert terminal.shown == "ebpfgen: NAME is missing: ebpfgen new NAME\r\n"
    assert (tmp_path / "output").read_text() == ""
