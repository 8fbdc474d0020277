"""Shows who opens which file: loads kprobe.c, attaches it, and prints what it counts.

The files themselves are in the kernel's trace pipe: ebpfgen trace.
"""

import argparse
import itertools
import time

from ebpfgen import runtime as rt

# The bindings are for x86 alone, so importing them elsewhere is an error to report, too.
with rt.one_line_errors("openat"):
    from bpf import load_bpf_objects

# The kernel function to trace.
SYMBOL = "do_sys_openat2"


def main() -> None:
    """Print once a second how often the function was called, until Ctrl-C."""
    parser = argparse.ArgumentParser(description="Traces the opening of files.")
    parser.add_argument("--count", type=int, help="stop after this many lines")
    parser.add_argument("--interval", type=float, default=1.0, help="seconds between lines")
    options = parser.parse_args()

    # Let this process lock the memory that programs and maps take, on kernels that need it.
    rt.remove_memlock()

    with load_bpf_objects() as objs, objs.KprobeOpenat2.attach(SYMBOL):
        print("Waiting for events..", flush=True)
        for _ in range(options.count) if options.count else itertools.count():
            time.sleep(options.interval)
            print(f"{SYMBOL} called {objs.KprobeMap[0]} times", flush=True)


if __name__ == "__main__":
    with rt.one_line_errors("openat"):
        main()
