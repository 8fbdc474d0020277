"""Ctrl-C ends a program that reads, however fast records come."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from types import ModuleType

import pytest

READERS = {
    "iterate": "for event in objs.Events: pass",
    "poll": "while True: objs.Events.poll(1)",
    "read": "while True: objs.Events.read()",
    "several": "for buffer, event in rt.EventPoll(objs.Events, objs.Numbers): pass",
    "wait": "stop.set(); writer.join(); objs.Events.read(); print('quiet', flush=True)\n"
    "        for event in objs.Events: pass",
}

PROGRAM = """
    import signal
    import threading
    import buffers
    from ebpfgen import runtime as rt
    from tests.runtime.events.running import Producer

    stop = threading.Event()

    def write(produce):
        # Test runs that a signal interrupts fail, and what is tested is the reader.
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
        while not stop.is_set():
            produce.events(100_000)

    with buffers.load_buffers_objects() as objs:
        writer = threading.Thread(target=write, args=(Producer(objs, buffers),))
        writer.start()
        try:
            objs.Events.poll()
            print("reading", flush=True)
            {reader}
        finally:
            stop.set()
            writer.join()
"""


@pytest.mark.parametrize("reader", READERS)
def test_ctrl_c_ends_a_reader(bpf: None, buffers: ModuleType, reader: str) -> None:
    folder = Path(buffers.__file__ or "").parent
    root = Path(__file__).parents[3]
    program = textwrap.dedent(PROGRAM).format(reader=READERS[reader])
    # A shell that starts pytest in the background has its children ignore Ctrl-C.
    ours = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        process = subprocess.Popen(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONPATH": f"{folder}:{root}"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
    finally:
        signal.signal(signal.SIGINT, ours)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        if reader == "wait":
            process.stdout.readline()
            time.sleep(0.5)  # for it to wait: a signal that comes first is not what this is about
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == -signal.SIGINT, errors
    assert errors.rstrip().endswith("KeyboardInterrupt"), errors
