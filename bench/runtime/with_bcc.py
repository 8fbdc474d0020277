"""The worker that uses BCC, run by the Python that Debian's python3-bpfcc is installed for.

with_bcc.py TASK PRODUCER GETPPID
"""

import ctypes
import json
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from bcc import BPF

TEXT = """
struct event {
    u64 time;
    u32 number;
    u32 pid;
    char name[16];
};
BPF_RINGBUF_OUTPUT(events, PAGES);
BPF_PERF_OUTPUT(samples);
BPF_HASH(table, u32, u64, 100000);
BPF_ARRAY(counts, u32, 1);

static __always_inline void fill(struct event *event)
{
    int zero = 0;
    u32 *count = counts.lookup(&zero);
    event->time = bpf_ktime_get_ns();
    event->number = count ? (*count)++ : 0;
    event->pid = PRODUCER;
    bpf_get_current_comm(event->name, sizeof(event->name));
}

RAW_TRACEPOINT_PROBE(sys_enter)
{
    if (ctx->args[1] != GETPPID || bpf_get_current_pid_tgid() >> 32 != PRODUCER)
        return 0;
#ifdef PERF
    struct event event = {};
    fill(&event);
    samples.perf_submit(ctx, &event, sizeof(event));
#else
    struct event *event = events.ringbuf_reserve(sizeof(*event));
    if (!event)
        return 0;
    fill(event);
    events.ringbuf_submit(event, 0);
#endif
    return 0;
}
"""

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


class Sum:
    """What a reader makes of records: it reads two fields of each."""

    def __init__(self, table: Any) -> None:
        self.records = 0
        self.lost = 0
        self.sum = 0
        self._table = table

    def on_event(self, _context: Any, data: Any, _size: int) -> None:
        """Read a record, as BCC's documentation does."""
        event = self._table.event(data)
        self.records += 1
        self.sum += event.number + event.pid

    def on_lost(self, lost: int) -> None:
        """Count what was lost."""
        self.lost += lost


def first(bpf: Any) -> None:
    """Report when the first record came."""
    total = Sum(bpf["events"])
    bpf["events"].open_ring_buffer(total.on_event)
    while not total.records:
        bpf.ring_buffer_poll(1000)
    say(event=time.monotonic_ns(), kib=peak_kib())


def drain(bpf: Any) -> None:
    """Read what is there."""
    total = Sum(bpf["events"])
    bpf["events"].open_ring_buffer(total.on_event)
    for _ in lines():
        total.records = 0
        start = time.monotonic_ns()
        bpf.ring_buffer_consume()
        say(records=total.records, ns=time.monotonic_ns() - start)


def flat(bpf: Any) -> None:
    """Read for as long as records come."""
    total = Sum(bpf["events"])
    bpf["events"].open_ring_buffer(total.on_event)
    for _ in lines():
        total.records = 0
        start = time.monotonic_ns()
        while time.monotonic_ns() - start < 3_200_000_000:
            bpf.ring_buffer_consume()
        say(records=total.records, ns=0)


def perf(bpf: Any) -> None:
    """Read samples until none come."""
    total = Sum(bpf["samples"])
    bpf["samples"].open_perf_buffer(total.on_event, page_cnt=64, lost_cb=total.on_lost)
    for _ in lines():
        total.records = total.lost = 0
        seen = -1
        start = end = time.monotonic_ns()
        while seen != total.records + total.lost:
            seen = total.records + total.lost
            end = time.monotonic_ns()
            bpf.perf_buffer_poll(500)
        say(records=total.records, lost=total.lost, ns=end - start)


def table(bpf: Any) -> None:
    """Read a map of 100 000 entries, whole and one by one."""
    entries = bpf["table"]
    for number in range(ENTRIES):
        entries[ctypes.c_uint32(number)] = ctypes.c_uint64(number * 3)
    for _ in lines():
        start = time.monotonic_ns()
        items = {key.value: value.value for key, value in entries.items()}
        one_by_one = time.monotonic_ns() - start
        start = time.monotonic_ns()
        found = dict(entries.items_lookup_batch())
        batch = time.monotonic_ns() - start
        assert items == found
        start = time.monotonic_ns()
        for number in range(ENTRIES):
            entries[ctypes.c_uint32(number)].value  # noqa: B018
        lookups = time.monotonic_ns() - start
        start = time.monotonic_ns()
        for number in range(ENTRIES):
            entries[ctypes.c_uint32(number)] = ctypes.c_uint64(number * 3)
        updates = time.monotonic_ns() - start
        say(entries=len(items), items=one_by_one, batch=batch, lookups=lookups, updates=updates)


TASKS: dict[str, Callable[[Any], None]] = {
    "first": first,
    "drain": drain,
    "flat": flat,
    "perf": perf,
    "table": table,
}


def main() -> None:
    """Run the task that the command line names."""
    task, producer, getppid = sys.argv[1:]
    text = TEXT.replace("PRODUCER", producer).replace("GETPPID", getppid)
    text = text.replace("PAGES", "64" if task == "first" else "4096")
    TASKS[task](BPF(text=text, cflags=["-DPERF"] if task == "perf" else []))


main()
