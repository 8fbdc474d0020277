"""Shows who runs which program: loads events.c, attaches it, and prints what it sends."""

import argparse
import os
from itertools import islice

from ebpfgen import runtime as rt

from bpf import load_bpf_objects


def main() -> None:
    """Print a line for every program that is run, until Ctrl-C."""
    parser = argparse.ArgumentParser(description="Shows who runs which program.")
    parser.add_argument("--count", type=int, help="stop after this many lines")
    options = parser.parse_args()

    # Let this process lock the memory that programs and maps take, on kernels that need it.
    rt.remove_memlock()

    with load_bpf_objects() as objs, objs.EnterExecve.attach():
        print("Waiting for events..", flush=True)
        lost = 0
        for event in islice(objs.Events, options.count):
            seconds = event.time / 1e9
            who, what = os.fsdecode(event.comm), os.fsdecode(event.filename)
            print(f"{seconds:.6f}  {who}-{event.pid} runs {what}", flush=True)
            if objs.Lost.value > lost:
                print(f"{objs.Lost.value - lost} more were lost", flush=True)
                lost = objs.Lost.value


if __name__ == "__main__":
    with rt.one_line_errors("events"):
        main()
