"""Counts execve calls: loads kprobe.c, attaches it, and prints what it counts."""

import argparse
import itertools
import time

from ebpfgen import runtime as rt

from bpf import load_bpf_objects

# The kernel function to trace.
SYMBOL = "sys_execve"


def main() -> None:
    """Print once a second how often the function was called, until Ctrl-C."""
    parser = argparse.ArgumentParser(description="Counts execve calls.")
    parser.add_argument("--count", type=int, help="stop after this many lines")
    parser.add_argument("--interval", type=float, default=1.0, help="seconds between lines")
    options = parser.parse_args()

    # Let this process lock the memory that programs and maps take, on kernels that need it.
    rt.remove_memlock()

    with load_bpf_objects() as objs, objs.KprobeExecve.attach(SYMBOL):
        print("Waiting for events..", flush=True)
        for _ in range(options.count) if options.count else itertools.count():
            time.sleep(options.interval)
            print(f"{SYMBOL} called {objs.KprobeMap[0]} times", flush=True)


if __name__ == "__main__":
    with rt.one_line_errors("kprobe"):
        main()
