"""The worker that uses ebpfgen; the bindings of programs.c are on its path.

with_ebpfgen.py TASK[-HOW] PRODUCER GETPPID
"""

import json
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from programs import load_programs

ENTRIES = 100_000


def lines() -> Iterator[str]:
    """Say that all is ready, and wait for the word to begin; as often as it comes."""
    while True:
        print("ready", flush=True)
        line = sys.stdin.readline()
        if not line:
            return
        yield line


def say(**figures: int) -> None:
    """Report."""
    print(json.dumps(figures), flush=True)


def peak_kib() -> int:
    """Return the most memory this process has used."""
    with open("/proc/self/status") as status:  # noqa: PTH123
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))


def first(objs: Any, _how: str) -> None:
    """Report when the first record came."""
    next(iter(objs.Events))
    say(event=time.monotonic_ns(), kib=peak_kib())


def drain(objs: Any, how: str) -> None:
    """Read what is there, and two fields of each record."""
    for _ in lines():
        start = time.monotonic_ns()
        records = SUMS[how](objs.Events)
        say(records=records, ns=time.monotonic_ns() - start)


def flat(objs: Any, how: str) -> None:
    """Read for as long as records come."""
    for _ in lines():
        records = 0
        start = time.monotonic_ns()
        while time.monotonic_ns() - start < 3_200_000_000:
            records += SUMS[how](objs.Events)
        say(records=records, ns=0)


def perf(objs: Any, how: str) -> None:
    """Read samples until none come."""
    samples = objs.Samples.open(wakeup_bytes=64 << 10) if how == "rarely" else objs.Samples.open()
    for _ in lines():
        lost = sum(samples.lost.values())
        records = total = 0
        start = end = time.monotonic_ns()
        while events := samples.poll(0.5):
            records += len(events)
            for event in events:
                total += event.number + event.pid
            end = time.monotonic_ns()
        say(records=records, lost=sum(samples.lost.values()) - lost, ns=end - start)


def table(objs: Any, _how: str) -> None:
    """Read a map of 100 000 entries, whole and one by one."""
    entries = objs.Table
    for number in range(ENTRIES):
        entries[number] = number * 3
    for _ in lines():
        start = time.monotonic_ns()
        items = entries.read()
        whole = time.monotonic_ns() - start
        assert items == {number: number * 3 for number in range(ENTRIES)}
        start = time.monotonic_ns()
        keys, values = entries.read_array()
        array = time.monotonic_ns() - start
        assert (keys * 3 == values).all()
        assert len(keys) == ENTRIES
        start = time.monotonic_ns()
        for number in range(ENTRIES):
            entries[number]
        lookups = time.monotonic_ns() - start
        start = time.monotonic_ns()
        for number in range(ENTRIES):
            entries[number] = number * 3
        updates = time.monotonic_ns() - start
        say(entries=len(items), items=whole, array=array, lookups=lookups, updates=updates)


def sum_read(events: Any) -> int:
    """Read a list of all records."""
    total = 0
    records = events.read()
    for event in records:
        total += event.number + event.pid
    return len(records)


def sum_iterated(events: Any) -> int:
    """Iterate over what is there."""
    total = records = 0
    expected = events.pending // 40
    if expected:
        for event in events:
            total += event.number + event.pid
            records += 1
            if records == expected:
                break
    return records


def sum_array(events: Any) -> int:
    """Read a numpy array of all records."""
    found = events.read_array()
    int(found["number"].sum()) + int(found["pid"].sum())
    return len(found)


SUMS: dict[str, Callable[[Any], int]] = {
    "read": sum_read,
    "iterate": sum_iterated,
    "array": sum_array,
}

TASKS: dict[str, Callable[[Any, str], None]] = {
    "first": first,
    "drain": drain,
    "flat": flat,
    "perf": perf,
    "table": table,
}


def main() -> None:
    """Run the task that the command line names."""
    task, _, how = sys.argv[1].partition("-")
    specs = load_programs()
    specs.Producer.value, specs.Getppid.value = int(sys.argv[2]), int(sys.argv[3])
    wanted = {"perf": "WriteSample", "table": ""}.get(task, "WriteEvent")
    for name in ("WriteEvent", "WriteSample"):
        getattr(specs, name).autoload = name == wanted
    if task == "first":
        specs.Events.max_entries = 256 << 10
    with specs.load() as objs:
        if wanted:
            getattr(objs, wanted).attach()
        TASKS[task](objs, how)


main()
