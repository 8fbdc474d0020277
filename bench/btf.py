#!/usr/bin/env python3
"""Measure the reading of BTF: that of a whole kernel, and those of ordinary objects.

Prints a table and, with --json FILE, writes the figures there too. Times are the best of several
runs, each in a process of its own, whose peak memory is given with that of Python and ebpfgen's
imports in it. Objects are those that `make corpus` left in the cache.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import statistics
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from ebpfgen.btf.reader import Btf  # noqa: E402
from ebpfgen.objectfile import read_object  # noqa: E402
from tests.corpus import sources  # noqa: E402

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


def read_objects(folder: Path) -> Figures:
    """Read every object in a folder and return the distribution of the times."""
    seconds = []
    for path in sorted(folder.glob("*.o")):
        data = path.read_bytes()
        started = time.perf_counter()
        read_object(data, path.name)
        seconds.append(time.perf_counter() - started)
    if not seconds:
        return {}
    return {
        "objects": len(seconds),
        "median": statistics.median(seconds),
        "p99": sorted(seconds)[len(seconds) * 99 // 100],
        "slowest": max(seconds),
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
    # A process of its own for each run, and none that inherits the memory of this one.
    context = multiprocessing.get_context("spawn")
    with context.Pool(1, maxtasksperchild=1) as pool:
        runs = [pool.apply(read_kernel, (path,)) for _ in range(RUNS)]
        bindings = sources.folder() / "bindings"
        objects = pool.apply(read_objects, (bindings / "bpfel",))
    kernel = {name: min(run[name] for run in runs) for name in runs[0]}
    rows = [
        ("kernel, types found", kernel["index"], kernel["index_mib"], KERNEL_SECONDS),
        ("kernel, every type decoded", kernel["all"], kernel["all_mib"], KERNEL_SECONDS),
    ]
    print(f"BTF of a kernel: {kernel['size']:.1f} MiB, {kernel['types']:.0f} types")
    if objects:
        print(f"objects: {objects['objects']:.0f}")
        rows += [(f"object, {name}", objects[name], 0, OBJECT_SECONDS) for name in _OBJECT_ROWS]
    print(f"\n{'':30}{'ms':>10}{'budget':>10}{'MiB':>10}{'budget':>10}")
    for name, seconds, mib, budget in rows:
        memory = f"{mib:>10.1f}{KERNEL_MIB:>10.0f}" if mib else ""
        print(f"{name:30}{seconds * 1000:>10.1f}{budget * 1000:>10.0f}{memory}")
    if arguments.json:
        arguments.json.write_text(json.dumps({"kernel": kernel, "objects": objects}, indent=2))
    slow = [name for name, seconds, mib, budget in rows if seconds > budget or mib > KERNEL_MIB]
    return 1 if slow else 0


_OBJECT_ROWS = ("median", "p99", "slowest")


if __name__ == "__main__":
    sys.exit(main())
