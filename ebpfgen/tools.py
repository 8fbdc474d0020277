"""Runs compilers and their like, and ends them all when there is no going on."""

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from ebpfgen.errors import ToolError

CommandObserver = Callable[[Sequence[str]], None]

_running: set["subprocess.Popen[str]"] = set()
_stopped = threading.Event()


def run_tool(
    command: Sequence[str], folder: Path, observe: CommandObserver | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run a program in *folder* and return what it said.

    *observe* is called with the command line before. Raises ToolError if it can't be run.
    """
    if observe:
        observe(command)
    try:
        process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            # A group of its own can be ended as a whole: compilers may be scripts that run others.
            process_group=0,
        )
    except OSError as error:
        raise ToolError(f"{command[0]} can't be run: {error.strerror}", tool=command[0]) from error
    _running.add(process)
    if _stopped.is_set():
        _end(process)
    try:
        with process:
            output, errors = process.communicate()
    finally:
        _running.discard(process)
    return subprocess.CompletedProcess(list(command), process.returncode, output, errors)


def stop_tools() -> None:
    """End the programs that run_tool() runs in other threads, and those it still starts there."""
    _stopped.set()
    for process in list(_running):
        _end(process)


def allow_tools() -> None:
    """Let run_tool() run programs again after stop_tools()."""
    _stopped.clear()


def _end(process: "subprocess.Popen[str]") -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
