"""The examples count, and write, what was done: on a kernel with kprobes, as a user runs them."""

import contextlib
import errno
import importlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ebpfgen import runtime as rt

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
CALLS = 7
LINES = 60
OTHERS = 5  # what the guest may run by itself meanwhile


@contextlib.contextmanager
def running(*command: str, folder: Path) -> Iterator[Callable[[], str]]:
    """Start a program; gives a function that returns its next line of output."""
    process = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout is not None
    try:
        yield process.stdout.readline
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def counted(example: str, line: re.Pattern[str], act: Callable[[], None]) -> int:
    """Run an example's main.py and return by how much its count rises when *act* is called."""
    main = (sys.executable, "main.py", "--interval", "0.5")
    with running(*main, folder=EXAMPLES / example) as next_line:

        def count() -> int:
            text = next_line()
            match = line.fullmatch(text)
            assert match, text
            return int(match[1])

        waiting = next_line()
        assert waiting == "Waiting for events..\n", waiting
        before = count()
        act()
        # Lines may wait that were written while act ran: those after it all say the same.
        after = [count(), count()]
        while after[-1] != after[-2] or after[-1] - before < CALLS:
            after.append(count())
            assert len(after) < LINES, after
        return after[-1] - before


def run_true() -> None:
    for _ in range(CALLS):
        subprocess.run(["/bin/true"], check=True)


def open_missing() -> None:
    for _ in range(CALLS):
        with contextlib.suppress(FileNotFoundError):
            os.open("/no/such", os.O_RDONLY)


def check_kprobe_counts_the_execve_calls_that_were_made() -> None:
    rise = counted("kprobe", re.compile(r"sys_execve called (\d+) times\n"), run_true)
    assert CALLS <= rise < CALLS + OTHERS, rise


def check_openat_counts_at_least_the_files_that_were_opened() -> None:
    rise = counted("openat", re.compile(r"do_sys_openat2 called (\d+) times\n"), open_missing)
    assert CALLS <= rise < CALLS + 50, rise


def check_trace_shows_who_opened_which_file() -> None:
    name = "/no/such/a-name"
    main = (sys.executable, "main.py")
    trace = (sys.executable, "-m", "ebpfgen", "trace")
    with running(*main, folder=EXAMPLES / "openat") as output:
        assert output() == "Waiting for events..\n"
        with running(*trace, folder=EXAMPLES) as next_line:
            deadline = time.monotonic() + 200
            wanted = f"pid:{os.getpid()},filename:{name},err:{len(name) + 1}\n"
            while time.monotonic() < deadline:
                with contextlib.suppress(FileNotFoundError):
                    os.open(name, os.O_RDONLY)
                line = next_line()
                if line.endswith(wanted):
                    break
            else:
                raise AssertionError(f"no {wanted!r}")
    # Time, command with pid, text.
    assert re.fullmatch(rf"\d+\.\d+  \S+-{os.getpid()}  {re.escape(wanted)}", line), line


def check_a_kprobe_attaches_where_its_section_says() -> None:
    with kprobe_example() as bpf, bpf.load_bpf_objects() as objs:
        with objs.KprobeExecve.attach() as link:
            assert link.target == "sys_execve"
            run_true()
        counted = objs.KprobeMap[0]
        assert CALLS <= counted < CALLS + OTHERS, counted
        run_true()
        assert objs.KprobeMap[0] == counted, "counted after the link was closed"


def check_a_forked_child_leaves_the_link_alone() -> None:
    with kprobe_example() as bpf, bpf.load_bpf_objects() as objs:
        objs.KprobeExecve.attach()
        child = os.fork()
        if child == 0:
            objs.close()
            os._exit(0)
        os.waitpid(child, 0)
        run_true()
        assert CALLS <= objs.KprobeMap[0] < CALLS + OTHERS, objs.KprobeMap[0]


def check_a_missing_symbol_names_those_that_are_close() -> None:
    with kprobe_example() as bpf, bpf.load_bpf_objects() as objs:
        try:
            objs.KprobeExecve.attach("do_sys_openat3")
        except rt.AttachError as raised:
            error = raised
        else:
            raise AssertionError("attached to a function that does not exist")
    assert error.errno == errno.ENOENT
    assert "do_sys_openat2" in str(error)
    assert "\n" not in str(error)


@contextlib.contextmanager
def kprobe_example() -> Iterator[Any]:
    """Give the bindings of examples/kprobe."""
    sys.path.insert(0, str(EXAMPLES / "kprobe"))
    try:
        yield importlib.import_module("bpf")
    finally:
        sys.path.remove(str(EXAMPLES / "kprobe"))
