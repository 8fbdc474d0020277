"""Ends ``ebpfgen`` by signals at random moments: ``python -m tests.ends 300 --busy``.

An end is right if the status is 128 and the number of the signal, nothing is printed about it, and
nothing half-done is left. The interpreter's own start is not ours: until ``ebpfgen`` runs, SIGTERM
and SIGHUP kill the process, and SIGINT is a traceback.
"""

import argparse
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from .building import TINY, make_project

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

COMMANDS = {
    "watch": "generate --watch",
    "nothing to do": "generate -q",
    "everything": "generate --force",
    "two at once": "generate --force -j2",
    "json": "generate --json --force",
    "check": "generate --check",
    "rebuild": "generate --check --rebuild",
    "new": "new created",
    "trace": "trace",
    "help": "generate --help",
}

ENDLESS = ("watch", "trace")

_PATIENCE = 60
"""How many seconds an end may take, on a machine that is busy with other things."""

_WAITS = "watching"
"""What ``--watch`` says once it waits."""


class End(NamedTuple):
    """A command, the signal that ends it, and when: in seconds from its start or its waiting."""

    command: str
    number: signal.Signals
    delay: float
    waiting: bool = False


def random_ends(count: int, seed: int, commands: Sequence[str] = tuple(COMMANDS)) -> list[End]:
    """Ends of every command in turn, each third of ``--watch`` while it waits."""
    chance = random.Random(seed)
    return [
        End(
            command := commands[place % len(commands)],
            chance.choice(SIGNALS),
            # Most commands take less than half of the time.
            chance.uniform(0, 1.5) * chance.choice((1, 0.3)),
            command == "watch" and chance.random() < 1 / 3,
        )
        for place in range(count)
    ]


def make_folder(folder: Path) -> Path:
    """A project with two bindings, of which one is not up to date."""
    make_project(folder / "project", "one", "two")
    (folder / "scratch").mkdir()
    return folder


def fault_of(end: End, folder: Path) -> str | None:
    """What is wrong with an end, empty if nothing; None if the command had ended before."""
    project, scratch = folder / "project", folder / "scratch"
    (project / "two.c").write_text(f"{TINY}int at_{time.time_ns()};\n")
    process = _started(end, project, scratch)
    try:
        output, errors = _ended(process, end)
    finally:
        process.kill()
    left = [
        *scratch.iterdir(),
        *project.glob(".*.tmp"),
        *(path for path in project.glob("created") if not (path / "headers/common.h").is_file()),
    ]
    shutil.rmtree(project / "created", ignore_errors=True)
    for path in scratch.iterdir():
        shutil.rmtree(path)
    status = process.returncode
    if errors is None or (status <= 1 and end.command not in ENDLESS and not left and output):
        return None
    if status == -end.number or _is_of_pythons_start(errors):
        status, errors = 128 + end.number, ""
    if left or errors or status != 128 + end.number:
        return f"status {status}, left {left}, said {errors!r} after {output!r}"
    return ""


def _is_of_pythons_start(errors: str) -> bool:
    return "KeyboardInterrupt" in errors and "/ebpfgen/" not in errors and "ebpfgen:" not in errors


def _started(end: End, project: Path, scratch: Path) -> "subprocess.Popen[str]":
    # A shell that starts this in the background has it, and so its children, ignore Ctrl-C.
    ours = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return subprocess.Popen(
            [sys.executable, "-m", "ebpfgen", *COMMANDS[end.command].split()],
            cwd=project,
            env={**os.environ, "TMPDIR": str(scratch)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
    finally:
        signal.signal(signal.SIGINT, ours)


def _ended(process: "subprocess.Popen[str]", end: End) -> tuple[str, str | None]:
    """End a process; what it printed, and its errors, None if it had ended before."""
    assert process.stdout
    while end.waiting and not process.stdout.readline().startswith(_WAITS):
        pass
    try:
        process.wait(end.delay)
    except subprocess.TimeoutExpired:
        process.send_signal(end.number)
        return process.communicate(timeout=_PATIENCE)
    return process.communicate()[0], None


def main() -> None:
    """Try ends, and print those that were wrong."""
    words = argparse.ArgumentParser()
    words.add_argument("count", type=int)
    words.add_argument("--seed", type=int, default=time.time_ns())
    words.add_argument("--busy", action="store_true", help="keep every processor busy meanwhile")
    words.add_argument("--commands", nargs="+", choices=COMMANDS, default=list(COMMANDS))
    asked = words.parse_args()
    print(f"--seed {asked.seed}")
    busy = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"])
        for _ in range(len(os.sched_getaffinity(0)) if asked.busy else 0)
    ]
    tried, wrong = Counter[str](), Counter[str]()
    try:
        with tempfile.TemporaryDirectory() as name:
            folder = make_folder(Path(name))
            for end in random_ends(asked.count, asked.seed, asked.commands):
                fault = fault_of(end, folder)
                tried[end.command] += fault is not None
                if fault:
                    wrong[end.command] += 1
                    print(end, re.sub(r"\\n", "\n  ", fault), flush=True)
    finally:
        for process in busy:
            process.kill()
    for command, count in tried.items():
        print(f"{command:15} {count:4} ends, {wrong[command]} wrong")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
