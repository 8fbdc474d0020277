"""A kretprobe sees what a kernel function returns."""

import contextlib
import errno
import importlib
import os
import sys
from pathlib import Path

OPENS = 5


def check_a_kretprobe_counts_the_errors_that_a_function_returns() -> None:
    folder = os.environ["EBPFGEN_VM_SCRATCH"]
    sys.path.insert(0, folder)
    try:
        errors = importlib.import_module("errors_by_number")
    finally:
        sys.path.remove(folder)
    with errors.load_errors_by_number_objects() as objs, objs.Returned.attach():
        objs.OfPid[0] = os.getpid()
        for _ in range(OPENS):
            with contextlib.suppress(FileNotFoundError):
                os.open("/no/such", os.O_RDONLY)
        Path("/etc/hostname").exists()
        assert dict(objs.Errors) == {errno.ENOENT: OPENS}
