"""What the checks share: bindings that the host generated, loaded for this process alone."""

import contextlib
import importlib
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

UNLINKS = 3
tempfile.gettempdir()  # it makes and removes a file when it is first asked


@contextlib.contextmanager
def loaded(name: str, *programs: str) -> Iterator[Any]:
    """Load the objects of a C file of tests/vm, with these of its programs that are off there."""
    specs = opened(name)
    for program in programs:
        getattr(specs, program).autoload = True
    with specs.load() as objs:
        for_this_process(objs)
        yield objs


def opened(name: str) -> Any:
    """Return the specs of a C file of tests/vm."""
    folder = os.environ["EBPFGEN_VM_SCRATCH"]
    sys.path.insert(0, folder)
    try:
        module = importlib.import_module(name)
    finally:
        sys.path.remove(folder)
    return getattr(module, f"load_{name}")()


def for_this_process(objs: Any) -> None:
    if hasattr(objs, "OnlyPid"):
        objs.OnlyPid.value = os.getpid()


def unlink_files() -> None:
    """Remove some files that were made for it."""
    with tempfile.TemporaryDirectory() as folder:
        for number in range(UNLINKS):
            Path(folder, str(number)).touch()
            Path(folder, str(number)).unlink()


def error_of(call: Any) -> Exception:
    """Return what a call raises."""
    try:
        call()
    except Exception as error:  # noqa: BLE001 - the check looks at what it is
        return error
    raise AssertionError("nothing was raised")
