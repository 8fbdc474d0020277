"""What is measured, and how: a worker reads what a producer's system calls have BPF write.

Workers do the same five tasks, each in a process of its own, with BCC, ebpfgen, and C:

first   load, attach, and say when the first record came, and how much memory it took
drain   read the records that are in the ring buffer, and two fields of each
flat    read for three seconds in which the producer makes system calls without a pause
perf    read the perf buffer while the producer writes, until all records have come
table   read a map of 100 000 entries, whole and one by one
"""

import json
import os
import statistics
import subprocess
import sysconfig
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from bench.runtime.setup import HERE, PYTHON, ROOT

GETPPID = {"x86_64": 110, "aarch64": 173, "s390x": 64, "ppc64le": 64, "riscv64": 173}

Figures = dict[str, float]

_DRAINED, _SAMPLES = 300_000, 200_000
_MILLISECONDS = 3000


class Process:
    """A child that is told what to do, and answers, line by line."""

    def __init__(self, command: list[str], env: Mapping[str, str] | None = None) -> None:
        self._child = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **(env or {})},
            text=True,
            bufsize=1,
        )
        self._name = " ".join(Path(part).name for part in command[:3])
        self.pid = self._child.pid

    def tell(self, line: str) -> None:
        """Send a line."""
        assert self._child.stdin
        self._child.stdin.write(f"{line}\n")

    def answer(self) -> str:
        """Return the next line. Raises RuntimeError if the child has ended."""
        assert self._child.stdout
        line = self._child.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._name} ended with status {self._child.wait()}")
        return line.strip()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._child.stdin.close()  # type: ignore[union-attr]  # it is a pipe
        try:
            self._child.wait(30)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()


class Workers:
    """Starts workers and the producer, from the folder that was built."""

    def __init__(self, folder: Path, headers: Path) -> None:
        self._folder = folder
        self._headers = headers
        self._getppid = str(GETPPID[os.uname().machine])

    def producer(self) -> Process:
        """Start the producer."""
        return Process([str(self._folder / "producer")])

    def start(self, who: str, task: str, producer: Process) -> Process:
        """Start a worker: ``bcc``, ``ebpfgen`` or ``limit``."""
        last = [str(producer.pid), self._getppid]
        if who == "limit":
            objects = next(self._folder.glob("programs_bpfe*.o"))
            return Process([str(self._folder / "with_limit"), str(objects), task, *last])
        env = {"BCC_KERNEL_SOURCE": str(self._headers)}
        if who == "ebpfgen":
            env = {"PYTHONPATH": f"{self._folder}:{ROOT}"}
        if task.endswith("-array") or task == "table":
            # numpy, which Debian's Python has no need of otherwise.
            env["PYTHONPATH"] = env.get("PYTHONPATH", "") + ":" + sysconfig.get_path("platlib")
        return Process([PYTHON, str(HERE / f"with_{who}.py"), task, *last], env)

    def first(self, who: str) -> Figures:
        """Return the milliseconds from starting a process to its first record, and its MiB."""
        with self.producer() as producer:
            producer.tell("slow 4000")
            started = time.monotonic_ns()
            with self.start(who, "first", producer) as worker:
                found = json.loads(worker.answer())
            producer.answer()
        return {"ms": (found["event"] - started) / 1e6, "mib": found["kib"] / 1024}

    def drain(self, who: str, how: str, rounds: int) -> Figures:
        """Return the millions of records a second that are read from a ring that is full."""
        rates = []
        with ExitStack() as stack:
            producer = stack.enter_context(self.producer())
            worker = stack.enter_context(self.start(who, f"drain{how}", producer))
            for _ in range(rounds):
                _expect_ready(worker)
                producer.tell(f"count {_DRAINED}")
                producer.answer()
                worker.tell("go")
                found = json.loads(worker.answer())
                assert found["records"] == _DRAINED, found
                rates.append(found["records"] / found["ns"] * 1e3)
            _expect_ready(worker)
        return {"rate": statistics.median(rates), "best": max(rates)}

    def flat(self, who: str, how: str) -> Figures:
        """Return how many of a flat-out producer's records are lost, in percent."""
        with ExitStack() as stack:
            producer = stack.enter_context(self.producer())
            worker = stack.enter_context(self.start(who, f"flat{how}", producer))
            _expect_ready(worker)
            worker.tell("go")
            producer.tell(f"for {_MILLISECONDS}")
            produced, nanoseconds = map(int, producer.answer().split())
            read = json.loads(worker.answer())["records"]
            _expect_ready(worker)
        return {
            "lost": (1 - read / produced) * 100,
            "read": read / _MILLISECONDS / 1e3,
            "written": produced / nanoseconds * 1e3,
        }

    def perf(self, who: str, how: str) -> Figures:
        """Return millions of samples a second, percent of them lost, and ns for a system call."""
        with ExitStack() as stack:
            producer = stack.enter_context(self.producer())
            worker = stack.enter_context(self.start(who, f"perf{how}", producer))
            _expect_ready(worker)
            worker.tell("go")
            producer.tell(f"count {_SAMPLES}")
            produced, nanoseconds = map(int, producer.answer().split())
            found = json.loads(worker.answer())
            _expect_ready(worker)
        return {
            "rate": found["records"] / max(found["ns"], 1) * 1e3,
            "lost": (1 - found["records"] / produced) * 100,
            "syscall": nanoseconds / produced,
        }

    def table(self, who: str, rounds: int) -> Figures:
        """Return the milliseconds of reading a whole map, and the microseconds of one lookup."""
        results = []
        with ExitStack() as stack:
            producer = stack.enter_context(self.producer())
            worker = stack.enter_context(self.start(who, "table", producer))
            for _ in range(rounds):
                _expect_ready(worker)
                worker.tell("go")
                results.append(json.loads(worker.answer()))
            _expect_ready(worker)
        best = {name: min(found[name] for found in results) for name in results[0]}
        entries = best.pop("entries")
        figures = {name: value / 1e6 for name, value in best.items()}
        figures["lookup"] = figures.pop("lookups") * 1e3 / entries
        figures["update"] = figures.pop("updates") * 1e3 / entries
        return figures


def _expect_ready(worker: Process) -> None:
    answer = worker.answer()
    assert answer == "ready", answer
