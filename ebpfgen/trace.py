"""Follows the kernel's trace pipe, where ``bpf_printk`` writes."""

import io
import os
import re
import select
import subprocess
from collections.abc import Iterator
from pathlib import Path

from ebpfgen.errors import TraceError
from ebpfgen.runtime.kernel import TRACEFS, tracefs

# kernel/trace/trace_output.c: task-pid, then perhaps (tgid), [cpu], flags, time: event: text
_LINE = re.compile(
    r"\s*(?P<command>.+)-(?P<pid>\d+)\s+(?:\(\s*[\d-]+\)\s+)?\[\d+\]\s+\S+\s+"
    r"(?P<time>\d+\.\d+): (?P<event>[^:]+): (?P<text>.*)"
)

_CHUNK = 65536
"""How many bytes are read at once."""

_WAIT = 0.5
"""How many seconds at most go by until a signal is handled."""


def follow(*, raw: bool = False) -> Iterator[str]:
    """Yield each message as it is written, without end.

    A message is one line: its time in seconds since boot, the command and pid that caused it, and
    its text. What is not a message of ``bpf_printk`` keeps the name of its event, and a line that
    is none of these (such as one that says events were lost) comes as it is. With *raw* all do.

    Raises TraceError if tracefs can't be found, mounted or read.
    """
    pipe = _find_tracefs() / "trace_pipe"
    try:
        with pipe.open("rb", buffering=0) as stream:
            for data in _lines(stream):
                line = data.decode("utf-8", errors="replace")
                yield line if raw else readable(line)
    except PermissionError as error:
        raise TraceError(f"{pipe} can't be read by this user: run it as root (sudo)") from error
    except OSError as error:
        raise TraceError(f"{pipe} can't be read: {error.strerror}") from error


def _lines(stream: io.FileIO) -> Iterator[bytes]:
    """Yield the lines of a pipe as they are written.

    A signal that comes just before a read does not interrupt it: its handler runs after the read,
    which may be never. So no read waits, and the wait has an end.
    """
    os.set_blocking(stream.fileno(), False)
    rest = b""
    while (data := stream.read(_CHUNK)) != b"":
        if data is None:
            select.select([stream], [], [], _WAIT)
            continue
        *lines, rest = (rest + data).split(b"\n")
        yield from lines
    if rest:
        yield rest


def readable(line: str) -> str:
    """Return a line of the trace pipe as :func:`follow` gives it.

    >>> readable("  cat-42  [000] d..31 78.701532: bpf_trace_printk: pid:42")
    '78.701532  cat-42  pid:42'
    """
    match = _LINE.fullmatch(line)
    if match is None:
        return line
    command, pid, time, event, text = match.groups()
    if event != "bpf_trace_printk":
        text = f"{event}: {text}"
    return f"{time}  {command.strip()}-{pid}  {text}"


def _find_tracefs() -> Path:
    """Return where tracefs is mounted; mount it if it is not and this user may."""
    if place := tracefs():
        return place
    if os.geteuid() != 0:
        raise TraceError(f"{TRACEFS} can't be read by this user: run it as root (sudo)")
    mount = subprocess.run(
        ["mount", "-t", "tracefs", "tracefs", str(TRACEFS)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mount.returncode:
        raise TraceError(
            f"tracefs can't be mounted on {TRACEFS}: {mount.stderr.strip() or 'mount failed'}"
        )
    return TRACEFS
