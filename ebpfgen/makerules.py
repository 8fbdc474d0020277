"""Rules for make: what a generated module depends on, as compilers write them with ``-MD -MP``."""

import os
from collections.abc import Iterable
from pathlib import Path

from ebpfgen.errors import EbpfgenError, OutputError
from ebpfgen.freshness import stamped_inputs
from ebpfgen.inputs import exists
from ebpfgen.jobs import Job
from ebpfgen.output import rules_file, write_files
from ebpfgen.stamp import MARK


def write_rules(job: Job, base: Path) -> list[EbpfgenError]:
    """Write rules for the modules of a binding that is up to date; return what goes wrong.

    make goes by time, and takes a module for one to be made again if it is older than what it is
    made of. So such a module gets the present time, though its bytes are right.
    """
    inputs = stamped_inputs(job)
    modules = [job.module(target) for target in job.targets]
    try:
        write_files({rules_file(path): make_rules(path, inputs, base) for path in modules})
        newest = max((path.stat().st_mtime_ns for path in inputs if exists(path)), default=0)
        for path in modules:
            if path.lstat().st_mtime_ns < newest:
                os.utime(path, follow_symlinks=False)
    except OSError as error:
        return [OutputError(f"can't say that {error.filename} is new: {error.strerror}")]
    except EbpfgenError as error:
        return [error]
    return []


def make_rules(module: Path, inputs: Iterable[Path], base: Path) -> bytes:
    """Return a rule for *module*, and an empty one for each input, with paths relative to *base*.

    The empty ones keep make going when a header has been removed that nothing includes any more.
    """
    target, *names = (_escaped(os.path.relpath(path, base)) for path in (module, *inputs))
    rule = f"{target}: \\\n" + " \\\n".join(f" {name}" for name in names)
    phony = "".join(f"\n{name}:\n" for name in names)
    text = f"{MARK}for make; DO NOT EDIT.\n{rule}\n{phony}"
    return os.fsencode(text)


def _escaped(name: str) -> str:
    return name.replace("$", "$$").replace("#", r"\#").replace(" ", r"\ ")
