#!/usr/bin/env python3
"""Measure the reading of BTF: that of a whole kernel, and those of ordinary objects.

Prints a table and, with --json FILE, writes the figures there too. Times are the best of several
runs. Each run of the kernel's BTF has a process of its own, whose peak memory is given with that of
Python and ebpfgen's imports in it. Objects are those of the examples and of tests/golden, those in
the programs of libbpf-tools, and those that `make corpus` left in the cache, as far as they are
there. The exit status is 1 if a budget is exceeded; of the last, which are some of the largest that
anybody wrote, one in a hundred may be.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from ebpfgen.btf.reader import Btf  # noqa: E402
from ebpfgen.objectfile import read_object  # noqa: E402
from tests.corpus import sources  # noqa: E402
from tests.fuzz import seeds  # noqa: E402

RUNS = 3
KERNEL_SECONDS, KERNEL_MIB, OBJECT_SECONDS = 2.0, 150.0, 0.020
MIB = 1 << 20

Figures = dict[str, float]


def read_kernel(path: Path) -> Figures:
    """Index a kernel's BTF, then decode every type of it."""
    data = path.read_bytes()
    started = time.perf_counter()
    btf = Btf(data)
    indexed = time.perf_counter()
    index_mib = peak_mib()
    count = sum(1 for _ in btf)
    decoded = time.perf_counter()
    return {
        "size": len(data) / MIB,
        "types": count,
        "index": indexed - started,
        "index_mib": index_mib,
        "all": decoded - started,
        "all_mib": peak_mib(),
    }


def read_objects(group: str) -> Figures:
    """Read every object of a group and return the distribution of the times."""
    seconds = []
    for data in GROUPS[group]():
        times = []
        for _ in range(RUNS):
            started = time.perf_counter()
            read_object(data, group)
            times.append(time.perf_counter() - started)
        seconds.append(min(times))
    if not seconds:
        return {}
    return {
        "objects": len(seconds),
        "median": statistics.median(seconds),
        "p99": sorted(seconds)[len(seconds) * 99 // 100],
        "slowest": max(seconds),
    }


def tools() -> Iterator[bytes]:
    """Yield the objects in the programs of libbpf-tools."""
    for path in sources.tools():
        yield from sources.images(path.read_bytes())


def selftests() -> Iterator[bytes]:
    """Yield the objects of the kernel's selftests that `make corpus` compiled, for bpfel."""
    for path in sorted((sources.bindings() / "bpfel").glob("*.o")):
        yield path.read_bytes()


GROUPS: dict[str, Callable[[], Iterator[bytes]]] = {
    "examples, golden": seeds.objects,
    "libbpf-tools": tools,
    "selftests": selftests,
}


def peak_mib() -> float:
    """Return the peak memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> int:
    """Run the command line; the exit status is 1 if a budget is exceeded."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here, too")
    arguments = parser.parse_args()
    path = sources.vmlinux_btf()
    path = path if path.exists() else sources.RUNNING_KERNEL
    if not path.exists():
        parser.exit(1, "no kernel's BTF here: run scripts/corpus --fetch-only\n")
    context = multiprocessing.get_context("spawn")  # no process with the memory of this one
    with context.Pool(1, maxtasksperchild=1) as pool:
        runs = [pool.apply(read_kernel, (path,)) for _ in range(RUNS)]
        groups = {group: pool.apply(read_objects, (group,)) for group in GROUPS}
    best = {name: min(run[name] for run in runs) for name in runs[0]}
    kernel = best | {name: max(run[name] for run in runs) for name in ("index_mib", "all_mib")}
    print_kernel(kernel)
    print_objects(groups)
    if arguments.json:
        arguments.json.write_text(json.dumps({"kernel": kernel, "objects": groups}, indent=2))
    fast = kernel["all"] <= KERNEL_SECONDS and kernel["all_mib"] <= KERNEL_MIB
    return 0 if fast and all(is_fast(group, groups[group]) for group in GROUPS) else 1


def print_kernel(kernel: Figures) -> None:
    """Print the figures of the kernel's BTF."""
    print(f"BTF of a kernel: {kernel['size']:.1f} MiB, {kernel['types']:.0f} types\n")
    print(f"{'':22}{'ms':>9}{'budget':>9}{'MiB':>9}{'budget':>9}")
    for name, key in (("types found", "index"), ("every type decoded", "all")):
        seconds, mib = kernel[key], kernel[f"{key}_mib"]
        budget = f"{KERNEL_SECONDS * 1000:>9.0f}"
        print(f"{name:22}{seconds * 1000:>9.1f}{budget}{mib:>9.1f}{KERNEL_MIB:>9.0f}")


def print_objects(groups: dict[str, Figures]) -> None:
    """Print the figures of all objects."""
    print(f"\n{'objects of':22}{'number':>9}{'median':>9}{'p99':>9}{'slowest':>9}{'budget':>9}  ms")
    for group, figures in groups.items():
        if not figures:
            print(f"{group:22}{'not here: run make corpus':>45}")
            continue
        times = "".join(f"{figures[name] * 1000:>9.1f}" for name in ("median", "p99", "slowest"))
        print(f"{group:22}{figures['objects']:>9.0f}{times}{OBJECT_SECONDS * 1000:>9.0f}")


def is_fast(group: str, figures: Figures) -> bool:
    """Tell whether a group's objects keep to the budget, as far as they are ordinary."""
    counted = "p99" if group == "selftests" else "slowest"
    return not figures or figures[counted] <= OBJECT_SECONDS


if __name__ == "__main__":
    sys.exit(main())
