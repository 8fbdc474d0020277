#!/usr/bin/env python3
"""Measure `ebpfgen generate` beside bpf2go and plain clang, on 1 and on 50 sources.

Prints a table and writes the figures to bench/results/generate.json, or to --json FILE. Whatever is
compared is run in turns, so that a busy machine is as busy for each; a figure is the median of its
runs, and a ratio the median of the ratios within the turns. Nothing needs root. bpf2go is Debian's
(golang-go and golang-github-cilium-ebpf-dev); without it its rows are left out.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import ebpfgen  # noqa: E402
from bench.workload import Workload, kernel_object  # noqa: E402
from tests.corpus import sources  # noqa: E402
from tests.corpus.checks import build_bpf2go  # noqa: E402

RESULTS = Path(__file__).with_name("results") / "generate.json"
EBPFGEN = str(Path(sys.executable).with_name("ebpfgen"))
TARGETS = ("bpfel", "bpfeb")
NOTHING_TO_DO_SECONDS = 0.12
MEMORY_MIB = 150.0

Commands = Sequence[Sequence[str]]


@dataclass(frozen=True)
class Run:
    """What commands took one after the other: time, processor time, memory at the peak."""

    seconds: float
    cpu: float
    mib: float


@dataclass
class Contestant:
    """Commands that are run in *folder* in each turn, after what *prepare* does untimed."""

    name: str
    commands: Commands
    folder: Path
    prepare: Callable[[], None] = lambda: None
    runs: list[Run] = field(default_factory=list)

    def run(self) -> None:
        """Run once more."""
        self.prepare()
        self.runs.append(run(self.commands, self.folder))

    def median(self, what: str) -> float:
        """Return the median of a field of the runs."""
        values: list[float] = [getattr(one, what) for one in self.runs]
        return statistics.median(values)

    def ratio(self, other: Contestant) -> float:
        """Return the median of how many times as long as *other* this took, turn by turn."""
        pairs = zip(self.runs, other.runs, strict=True)
        return statistics.median(mine.seconds / its.seconds for mine, its in pairs)


@dataclass
class Match:
    """What is measured side by side: ebpfgen first, and what it is compared with.

    *limits* are the most that it may take, as ratios by the name of another contestant;
    *seconds* is a limit of its own.
    """

    title: str
    contestants: list[Contestant]
    limits: dict[str, float] = field(default_factory=dict)
    seconds: float | None = None

    def rows(self) -> list[dict[str, object]]:
        """Return a row of figures for each contestant."""
        first = self.contestants[0]
        result = []
        for one in self.contestants:
            ratio = None if one is first else first.ratio(one)
            limit = self.limits.get(one.name)
            took = one.median("seconds")
            if one is first and self.seconds:
                met = took <= self.seconds
            else:
                met = not (limit and ratio) or ratio <= limit
            result.append(
                {
                    "what": self.title,
                    "who": one.name,
                    "seconds": round(took, 4),
                    "cpu_seconds": round(one.median("cpu"), 4),
                    "limit_seconds": self.seconds if one is first else None,
                    "ebpfgen_ratio": ratio and round(ratio, 3),
                    "limit_ratio": limit,
                    "met": met,
                    "runs": [round(r.seconds, 4) for r in one.runs],
                }
            )
        return result


def run(commands: Commands, folder: Path) -> Run:
    """Run commands one after the other, silently; each has to succeed."""
    cpu, mib = 0.0, 0.0
    # Installed modules are compiled ones, and so are these after the turn that does not count.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    environment["GOPACKAGE"] = "main"
    silence = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_WRONLY, 0) for fd in (1, 2)]
    os.chdir(folder)
    started = time.perf_counter()
    for command in commands:
        pid = os.posix_spawnp(command[0], list(command), environment, file_actions=silence)
        _, status, usage = os.wait4(pid, 0)
        if status:
            raise SystemExit(f"{' '.join(command)} failed in {folder}")
        cpu += usage.ru_utime + usage.ru_stime
        mib = max(mib, usage.ru_maxrss / 1024)
    return Run(time.perf_counter() - started, cpu, mib)


def matches(work: Workload, bpf2go: str) -> list[Match]:
    """Return what is measured of a project."""
    count = len(work.sources)
    what = "1 source" if count == 1 else f"{count} sources"
    limit = 1.5 if count == 1 else 0.6
    generate, check = [[EBPFGEN, "generate"]], [[EBPFGEN, "generate", "--check"]]
    others = [Contestant("clang, one after the other", clang(work), work.folder)]
    if bpf2go:
        command = go_commands(work, bpf2go)
        others.insert(0, Contestant("bpf2go", command, work.package, work.clear))
    typer = [Contestant("import typer", [[sys.executable, "-c", "import typer"]], work.folder)]

    def again(contestants: list[Contestant]) -> list[Contestant]:
        return [Contestant(c.name, c.commands, c.folder, c.prepare) for c in contestants]

    def make() -> None:
        if any(work.package.glob("*.go")):  # with objects of the same names, which are not ours
            work.clear()
        run(generate, work.folder)

    def edit() -> None:
        make()
        work.edit()

    def match(title: str, commands: Commands, prepare: Callable[[], None]) -> Match:
        mine = Contestant("ebpfgen", commands, work.folder, prepare)
        return Match(f"{what}, {title}", [mine])

    cold = match("nothing there", generate, work.clear)
    cold.contestants += others
    cold.limits = {"bpf2go": limit}
    edited = match("one edited", generate, edit)
    edited.contestants += again(others[:1])
    unchanged = match("nothing to do", generate, make)
    checked = match("--check", check, make)
    for one in (unchanged, checked):
        one.contestants += again(typer)
        one.limits = {"import typer": 2.5}
        one.seconds = NOTHING_TO_DO_SECONDS
    return [cold, edited, unchanged, checked]


def go_commands(work: Workload, bpf2go: str) -> Commands:
    """Return what `go generate` would run, which it does one after the other."""
    flags = ("--", "-I../headers")
    return [[bpf2go, source.stem, source.name, *flags] for source in work.sources]


def clang(work: Workload) -> Commands:
    """Return the compilations alone, unstripped."""
    flags = ("-O2", "-g", "-mcpu=v1", "-Iheaders", "-o", os.devnull)
    return [
        ["clang", "-target", target, *flags, "-c", str(source)]
        for source in work.sources
        for target in TARGETS
    ]


def measure(match: Match, turns: int) -> None:
    """Run the contestants in turns, after one that does not count."""
    for _ in range(turns + 1):
        for one in match.contestants:
            one.run()
    for one in match.contestants:
        del one.runs[0]


def memory(folder: Path) -> dict[str, object] | None:
    """Return the peak memory of ebpfgen, without clang, on an object with a kernel's BTF."""
    btf = sources.vmlinux_btf()
    btf = btf if btf.exists() else sources.RUNNING_KERNEL
    if not btf.exists():
        return None
    made = kernel_object(folder, btf)
    command = [EBPFGEN, "generate", "--force", "--object", str(made), "kernel"]
    mib = run([[*command, "--type", "task_struct"]], folder).mib
    return {
        "what": f"peak memory, BTF of a kernel ({btf.stat().st_size / 2**20:.1f} MiB)",
        "who": "ebpfgen",
        "mib": round(mib, 1),
        "limit_mib": MEMORY_MIB,
        "met": mib <= MEMORY_MIB,
    }


def facts(turns: int) -> dict[str, object]:
    """Return where and when this was measured, and with what."""
    text = Path("/proc/cpuinfo").read_text()
    model = next(
        (x.partition(": ")[2] for x in text.splitlines() if x.startswith("model name")), ""
    )
    package = ["dpkg-query", "-W", "-f", "${Version}", "golang-github-cilium-ebpf-dev"]
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": {"cpu": model, "cpus": len(os.sched_getaffinity(0))},
        "versions": {
            "ebpfgen": ebpfgen.__version__,
            "python": platform.python_version(),
            "kernel": platform.release(),
            "clang": said(["clang", "-dumpversion"]),
            "bpf2go": said(package).partition("-")[0],
        },
        "turns": turns,
        "load_before": round(os.getloadavg()[0], 2),
    }


def said(command: list[str]) -> str:
    """Return what a program prints, nothing if there is no such program."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""


def table(rows: Sequence[dict[str, object]]) -> str:
    """Return the rows as Markdown."""
    lines = ["| what | who | time | ebpfgen takes | budget | |", "|---|---|--:|--:|--:|---|"]
    last = None
    for row in rows:
        ratio, limit = row.get("ebpfgen_ratio"), row.get("limit_ratio")
        took = f"{row['seconds']:.3f} s" if "seconds" in row else f"{row['mib']} MiB"
        most = row.get("limit_seconds") or row.get("limit_mib")
        budget = f"{most:g} {'MiB' if 'mib' in row else 's'}" if most else ""
        budget = f"{limit:g} x" if limit else budget
        mark = ("met" if row["met"] else "MISSED") if budget else ""
        shown = row["what"] if row["what"] != last else ""
        last = row["what"]
        factor = f"{ratio:.2f} x" if ratio else ""
        lines.append(f"| {shown} | {row['who']} | {took} | {factor} | {budget} | {mark} |")
    return "\n".join(lines)


def main() -> int:
    """Run the command line; the exit status is 1 if a budget is exceeded."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--turns", type=int, default=11, help="how often each is run")
    parser.add_argument("--turns-of-50", type=int, default=5, help="how often with 50 sources")
    parser.add_argument("--json", type=Path, metavar="FILE", default=RESULTS)
    arguments = parser.parse_args()
    bpf2go = build_bpf2go(sources.folder())
    result = facts(arguments.turns)
    rows: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory(prefix="ebpfgen-bench-") as scratch:
        for name, count, turns in (
            ("one", 1, arguments.turns),
            ("fifty", 50, arguments.turns_of_50),
        ):
            work = Workload(Path(scratch, name), count)
            for match in matches(work, bpf2go):
                measure(match, turns)
                rows += match.rows()
                print(f"measured: {match.title}", file=sys.stderr)
        used = memory(Path(scratch))
        rows += [used] if used else []
        os.chdir(ROOT)
    result |= {"load_after": round(os.getloadavg()[0], 2), "rows": rows}
    print(table(rows))
    arguments.json.parent.mkdir(exist_ok=True)
    arguments.json.write_text(json.dumps(result, indent=1) + "\n")
    return 0 if all(row["met"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
