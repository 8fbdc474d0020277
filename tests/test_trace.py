"""The trace pipe is followed and its lines are made readable."""

import doctest
import os
import threading
from pathlib import Path

import pytest

from ebpfgen import trace
from ebpfgen.errors import TraceError
from ebpfgen.trace import follow, readable

from .building import interrupt_cli

READABLE = {
    "a message": (
        "            cat-42      [000] d..31  78.701532: bpf_trace_printk: pid:42,err:-2",
        "78.701532  cat-42  pid:42,err:-2",
    ),
    "with the thread group": (
        "  systemd-1     (      1) [001] .... 1.000001: bpf_trace_printk: hello",
        "1.000001  systemd-1  hello",
    ),
    "without a thread group": (
        "  <...>-7     (-------) [001] d... 1.000001: bpf_trace_printk: hello",
        "1.000001  <...>-7  hello",
    ),
    "a command with spaces and dashes": (
        "  Web Content-3-99    [003] d..3 5.5: bpf_trace_printk: x: y: z",
        "5.5  Web Content-3-99  x: y: z",
    ),
    "empty text": ("  cat-1   [000] d..3 5.5: bpf_trace_printk: ", "5.5  cat-1  "),
    "another event": (
        "  cat-1   [000] d..3 5.5: sys_enter: NR 1 (1, 2)",
        "5.5  cat-1  sys_enter: NR 1 (1, 2)",
    ),
    "lost events": ("CPU:1 [LOST 42 EVENTS]", "CPU:1 [LOST 42 EVENTS]"),
    "an empty line": ("", ""),
    "anything else": ("# tracer: nop", "# tracer: nop"),
}


@pytest.mark.parametrize(("line", "shown"), READABLE.values(), ids=READABLE)
def test_a_line_has_its_time_its_command_and_its_text(line: str, shown: str) -> None:
    assert readable(line) == shown


def test_the_examples_in_docstrings_are_true() -> None:
    results = doctest.testmod(trace)
    assert results.attempted
    assert not results.failed


WRITTEN = b"  cat-42  [000] d..31 7.5: bpf_trace_printk: pid:42\nCPU:1 [LOST 2 EVENTS]\n\xff\n"


@pytest.fixture
def pipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A trace pipe of our own."""
    path = tmp_path / "trace_pipe"
    os.mkfifo(path)
    monkeypatch.setattr(trace, "_find_tracefs", lambda: tmp_path)
    return path


@pytest.mark.parametrize("raw", [False, True])
def test_lines_are_followed_as_they_are_written(pipe: Path, raw: bool) -> None:
    writer = threading.Thread(target=pipe.write_bytes, args=[WRITTEN])
    writer.start()
    lines = list(follow(raw=raw))
    writer.join()
    kernels = WRITTEN.decode(errors="replace").splitlines()
    assert lines == (kernels if raw else ["7.5  cat-42  pid:42", *kernels[1:]])


def test_a_line_comes_before_the_next_is_written(pipe: Path) -> None:
    second = threading.Event()

    def write() -> None:
        with pipe.open("wb", buffering=0) as stream:
            stream.write(b"first\n")
            second.wait(timeout=30)
            stream.write(b"second\n")

    writer = threading.Thread(target=write)
    writer.start()
    lines = follow()
    assert next(lines) == "first"
    second.set()
    assert list(lines) == ["second"]
    writer.join()


def test_a_pipe_that_is_not_there_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trace, "_find_tracefs", lambda: tmp_path)
    with pytest.raises(TraceError, match=r"trace_pipe can't be read: No such file") as caught:
        next(follow())
    assert "\n" not in str(caught.value)


def test_a_user_who_may_not_read_it_is_told_to_be_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trace, "tracefs", lambda: None)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(TraceError, match=r"can't be read by this user: run it as root \(sudo\)"):
        next(follow())


def test_ctrl_c_ends_the_command_in_silence_with_the_status_of_a_shell(tmp_path: Path) -> None:
    try:
        place = trace._find_tracefs()
        descriptor = os.open(place / "trace_pipe", os.O_RDONLY | os.O_NONBLOCK)
    except (TraceError, OSError) as error:
        pytest.skip(f"the kernel's trace pipe can't be read here: {error}")
    os.close(descriptor)
    pipe = place / "trace_pipe"

    def opened(process: int) -> bool:
        descriptors = Path(f"/proc/{process}/fd").iterdir()
        return str(pipe) in [os.path.realpath(descriptor) for descriptor in descriptors]

    done = interrupt_cli("trace", cwd=tmp_path, when=opened)
    assert (done.returncode, done.stderr) == (130, "")
