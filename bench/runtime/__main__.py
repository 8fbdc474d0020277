"""Measure the runtime beside BCC, and beside C over libbpf as the limit.

``python -m bench.runtime`` prints a table with ratios, and which budgets are met; with --json FILE
it writes the figures there, too. They are the best of several rounds, in which each has its turn.
It takes root, and Debian's python3-bpfcc, whose Python runs ebpfgen here as well.
"""

import argparse
import datetime
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from bench.runtime.setup import PYTHON, SetupError, build, check_bcc, kernel_headers
from bench.runtime.tasks import Figures, Workers

WHO = ("bcc", "ebpfgen", "limit")

Results = dict[str, Figures]


class Row(NamedTuple):
    """A line of the table: figures of the same unit, by who has them.

    *more* says whether more is better. The budget is a ratio to BCC's figure, or a figure.
    """

    what: str
    unit: str
    figures: dict[str, float]
    more: bool = False
    budget: float = 0
    is_ratio: bool = True

    @property
    def ratio(self) -> float | None:
        """How ebpfgen's figure compares to BCC's."""
        bcc = self.figures.get("bcc")
        return self.figures["ebpfgen"] / bcc if bcc else None

    @property
    def met(self) -> bool | None:
        """Whether the budget is met, None if there is none."""
        value = self.ratio if self.is_ratio else self.figures["ebpfgen"]
        if not self.budget or value is None:
            return None
        return value >= self.budget if self.more else value <= self.budget


def measure(workers: Workers, rounds: int, say: Callable[[str], None]) -> Results:
    """Run every task; the best of its rounds counts."""
    results: Results = {}

    def keep(name: str, found: Figures, *, more: Iterable[str] = ()) -> None:
        best = results.setdefault(name, found)
        for key, value in found.items():
            best[key] = (max if key in more else min)(best[key], value)

    for number in range(rounds):
        say(f"round {number + 1} of {rounds}")
        for who in WHO:
            for _ in range(3):
                keep(f"first {who}", workers.first(who))
            keep(f"table {who}", workers.table(who, rounds=8))
        for who, how in (
            ("bcc", ""),
            ("ebpfgen", "-read"),
            ("ebpfgen", "-iterate"),
            ("ebpfgen", "-array"),
            ("limit", ""),
        ):
            keep(f"drain {who}{how}", workers.drain(who, how, rounds=4), more=["rate", "best"])
            if how != "-iterate":
                keep(f"flat {who}{how}", workers.flat(who, how), more=["read", "written"])
        for who, how in (("bcc", ""), ("ebpfgen", ""), ("ebpfgen", "-rarely"), ("limit", "")):
            keep(f"perf {who}{how}", workers.perf(who, how), more=["rate"])
    return results


def rows(results: Results) -> list[Row]:
    """Return the table."""

    def of(task: str, key: str, how: str = "", **keys: str) -> dict[str, float]:
        names = {"bcc": "bcc", "ebpfgen": f"ebpfgen{how}", "limit": "limit"}
        found = {who: results[f"{task} {name}"] for who, name in names.items()}
        return {
            who: figures[keys.get(who, key)]
            for who, figures in found.items()
            if keys.get(who, key) in figures
        }

    table = [
        Row("start → first event", "ms", of("first", "ms"), budget=0.2),
        Row("memory at the first event", "MiB", of("first", "mib"), budget=25, is_ratio=False),
    ]
    for how, budget in (("read", 2.5), ("iterate", 2.5), ("array", 25)):
        figures = of("drain", "rate", f"-{how}")
        table.append(Row(f"ring, typed records, {how}", "M/s", figures, more=True, budget=budget))
    for how in ("read", "array"):
        table.append(Row(f"ring, flat out, {how}: lost", "%", of("flat", "lost", f"-{how}")))
    for how, what in (("", "every record wakes"), ("-rarely", "every 64 KiB wake")):
        table += [
            Row(f"perf, {what}", "M/s", of("perf", "rate", how), more=True),
            Row(f"perf, {what}: lost", "%", of("perf", "lost", how)),
            Row(f"perf, {what}: a system call", "ns", of("perf", "syscall", how)),
        ]
    batch = {"bcc": "batch", "limit": "batch"}
    table += [
        Row("map of 100k → dict, BCC items()", "ms", of("table", "items"), budget=0.1),
        Row("map of 100k → dict, BCC batch", "ms", of("table", "items", **batch), budget=1.0),
        Row("one lookup", "µs", of("table", "lookup")),
        Row("one update", "µs", of("table", "update")),
    ]
    figures = {**of("table", "items", **batch), "ebpfgen": results["table ebpfgen"]["array"]}
    dictionary = results["table ebpfgen"]["items"]
    table.insert(-2, Row("map of 100k → numpy", "ms", figures, False, dictionary, False))
    return table


def render(table: list[Row]) -> str:
    """Return the table as text."""
    lines = [f"{'':36}{'':>5}{'BCC':>10}{'ebpfgen':>10}{'C':>10}{'ratio':>9}  budget"]
    for row in table:
        cells = [f"{row.figures[who]:>10.4g}" if who in row.figures else f"{'':10}" for who in WHO]
        ratio = f"{row.ratio:>9.3g}" if row.ratio is not None else f"{'':9}"
        verdict = ""
        if row.met is not None:
            sign = "≥" if row.more else "≤"
            verdict = f"  {sign} {row.budget:.4g} {'met' if row.met else 'NOT MET'}"
        lines.append(f"{row.what:36}{row.unit:>5}{''.join(cells)}{ratio}{verdict}".rstrip())
    return "\n".join(lines)


def machine() -> dict[str, str]:
    """Return what the figures were measured on, and when."""
    cpuinfo = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line for line in cpuinfo if line.startswith("model name")), ": unknown")
    versions = (
        "import sys, bcc, ctypes; library = ctypes.CDLL('libbpf.so.1');"
        "print(sys.version.split()[0], bcc.__version__,"
        "f'{library.libbpf_major_version()}.{library.libbpf_minor_version()}')"
    )
    done = subprocess.run([PYTHON, "-c", versions], capture_output=True, text=True, check=True)
    python, bcc, libbpf = done.stdout.split()
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "cpu": f"{os.cpu_count()} x {model.partition(': ')[2]}",
        "kernel": os.uname().release,
        "python": python,
        "libbpf": libbpf,
        "bcc": bcc,
    }


def main() -> int:
    """Run the command line; the exit status is 1 if a budget is exceeded, 2 if it can't run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here, too")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="default: 3")
    arguments = parser.parse_args()
    if os.geteuid() != 0:
        parser.exit(2, "bench.runtime: loading BPF takes root\n")
    with tempfile.TemporaryDirectory() as folder:
        try:
            check_bcc()
            headers = kernel_headers()
            build(Path(folder))
        except SetupError as error:
            parser.exit(2, f"bench.runtime: {error}\n")
        workers = Workers(Path(folder), headers)
        results = measure(workers, arguments.rounds, lambda text: print(text, file=sys.stderr))
    table, facts = rows(results), machine()
    print(", ".join(f"{name} {value}" for name, value in facts.items()))
    print(render(table))
    if arguments.json:
        budgets = {row.what: row.met for row in table if row.met is not None}
        content = {"machine": facts, "results": results, "budgets met": budgets}
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(json.dumps(content, indent=2) + "\n")
    return 1 if any(row.met is False for row in table) else 0


if __name__ == "__main__":
    sys.exit(main())
