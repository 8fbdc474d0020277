"""Run the checks that the host lists in checks.txt; write one JSON line for each to report.jsonl.

The first line of report.jsonl names the kernel.

A check is a function of a file check_*.py beside this one. It takes no arguments and raises to
fail, or unittest.SkipTest(reason) to be skipped. EBPFGEN_VM_SCRATCH names the folder of both lists,
which is shared with the host. Each line is written as its check ends, so that one that takes the
kernel down leaves the outcomes of those before it.
"""

import contextlib
import importlib
import io
import json
import os
import signal
import sys
import traceback
import unittest
from pathlib import Path

SECONDS = 300  # for one check: the host emulates the machine, and may be busy
sys.path.insert(0, str(Path(__file__).resolve().parents[3]))


def out_of_time(_signal: int, _frame: object) -> None:
    """Fail the check that runs."""
    raise TimeoutError("not done in the seconds that a check has")


def run(name: str) -> tuple[str, str]:
    """Run the check named file::function; return its outcome and what there is to say about it."""
    file, _, function = name.partition("::")
    output = io.StringIO()
    signal.alarm(SECONDS)
    try:
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
            module = importlib.import_module(f"tests.vm.guest.{file}")
            getattr(module, function)()
    except unittest.SkipTest as reason:
        return "skipped", str(reason)
    except Exception:  # noqa: BLE001 - whatever a check raises is its outcome
        return "failed", output.getvalue() + traceback.format_exc()
    finally:
        signal.alarm(0)
    return "passed", output.getvalue()


def main() -> None:
    """Run the checks listed in the folder of the first argument."""
    scratch = Path(sys.argv[1])
    os.environ["EBPFGEN_VM_SCRATCH"] = str(scratch)
    signal.signal(signal.SIGALRM, out_of_time)
    with (scratch / "report.jsonl").open("w", encoding="utf-8") as report:
        report.write(json.dumps({"kernel": os.uname().release}) + "\n")
        for name in (scratch / "checks.txt").read_text(encoding="utf-8").split():
            outcome, detail = run(name)
            record = {"name": name, "outcome": outcome, "detail": detail}
            report.write(json.dumps(record) + "\n")
            report.flush()


if __name__ == "__main__":
    main()
