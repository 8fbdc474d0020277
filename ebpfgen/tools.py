"""Runs compilers and their like, and ends them all when there is no going on."""

import contextlib
import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from ebpfgen.errors import OutputError, ToolError

CommandObserver = Callable[[Sequence[str]], None]

_PATIENCE = 1.0
"""How many seconds, at most, a program has to end when it is asked to, before it is killed."""

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
        _signal(process, signal.SIGTERM)
    try:
        with process:
            output, errors = _outcome(process)
    finally:
        _running.discard(process)
    return subprocess.CompletedProcess(list(command), process.returncode, output, errors)


def stop_tools() -> None:
    """End the programs that run_tool() runs in other threads, and those it still starts there."""
    _stopped.set()
    for process in list(_running):
        _signal(process, signal.SIGTERM)


def allow_tools() -> None:
    """Let run_tool() run programs again after stop_tools()."""
    _stopped.clear()


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    """Give a folder for what programs write, until the block ends.

    Raises OutputError if there is no place for one (:func:`no_scratch`).
    """
    try:
        scratch = tempfile.TemporaryDirectory(prefix="ebpfgen-", ignore_cleanup_errors=True)
    except OSError as error:
        raise no_scratch(error.strerror) from error
    with scratch as folder:
        yield Path(folder).resolve()


def no_scratch(reason: str | None) -> OutputError:
    """Return the error for temporary files that can't be written."""
    return OutputError(f"can't write temporary files: {reason}; name another folder in $TMPDIR")


def _outcome(process: "subprocess.Popen[str]") -> tuple[str, str]:
    """Wait for a program and return what it wrote; kill it if it does not end when it is told."""
    while True:
        try:
            return process.communicate(timeout=_PATIENCE)
        except subprocess.TimeoutExpired:
            if _stopped.is_set():
                _signal(process, signal.SIGKILL)


def _signal(process: "subprocess.Popen[str]", number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)
