"""Fuzzes every target for a fixed time each, and prints what came of it.

    python -m tests.fuzz [--seconds N] [TARGET...]

What was found to reach new code is kept in the user's cache folder, and is where the next run
begins. The exit status is 1 if a target failed; the input that did it is kept and named.
"""

import argparse
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from tests.building import REPOSITORY
from tests.fuzz import seeds
from tests.fuzz.targets import TARGETS_BY_NAME

LIMITS = ("-timeout=10", "-rss_limit_mb=1024", "-max_len=65536", "-print_final_stats=1")
"""Seconds for one input, MiB for all, bytes of an input."""

_FAULTS = r"(?m)^(?: === Uncaught Python exception: ===\n(.*)|==\d+== ERROR: libFuzzer: (.*))"


@dataclass(frozen=True)
class Run:
    """What came of a target: how many inputs it was given, and how it failed, if it did."""

    executions: int
    kept: int
    fault: str
    inputs: tuple[Path, ...]


def folder() -> Path:
    """Return where inputs are kept."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "ebpfgen" / "fuzz"


def fuzz(name: str, seconds: int) -> Run:
    """Fuzz one target, in a process of its own."""
    corpus, failures = folder() / name, folder() / f"{name}-failures"
    corpus.mkdir(parents=True, exist_ok=True)
    failures.mkdir(exist_ok=True)
    for data in seeds.sections(TARGETS_BY_NAME[name][1]):
        (corpus / sha256(data).hexdigest()).write_bytes(data)
    before = set(failures.iterdir())
    options = (f"-max_total_time={seconds}", f"-artifact_prefix={failures}/", *LIMITS)
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.one_target", name, *options, str(corpus)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    said = done.stdout + done.stderr
    executions = re.search(r"stat::number_of_executed_units:\s*(\d+)", said)
    fault = ""
    if done.returncode:
        found = re.search(_FAULTS, said)
        fault = (found[1] or found[2]) if found else said.strip()[-400:]
    new = tuple(sorted(set(failures.iterdir()) - before))
    return Run(int(executions[1]) if executions else 0, len(list(corpus.iterdir())), fault, new)


def main() -> int:
    """Run the command line and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--seconds", type=int, default=60, help="for each target (default: 60)")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(TARGETS_BY_NAME))
    arguments = parser.parse_args()
    names = arguments.targets or list(TARGETS_BY_NAME)
    if unknown := set(names) - set(TARGETS_BY_NAME):
        parser.error(f"no target {', '.join(sorted(unknown))}: {', '.join(TARGETS_BY_NAME)}")
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        runs = dict(zip(names, pool.map(lambda n: fuzz(n, arguments.seconds), names), strict=True))
    print(f"{'target':8}{'executions':>12}{'per second':>12}{'kept':>8}  failure")
    for name, run in runs.items():
        speed = run.executions // max(1, arguments.seconds)
        print(f"{name:8}{run.executions:>12}{speed:>12}{run.kept:>8}  {run.fault or 'none'}")
        for path in run.inputs:
            print(f"{'':8}{path}")
    return 1 if any(run.fault for run in runs.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
