"""Rules for make: what a generated module depends on, as compilers write them with ``-MD -MP``."""

import os
from collections.abc import Iterable
from pathlib import Path

from ebpfgen.stamp import MARK


def make_rules(module: Path, inputs: Iterable[Path], base: Path) -> bytes:
    """Return a rule for *module*, and an empty one for each input, with paths relative to *base*.

    The empty ones keep make going when a header has been removed that nothing includes any more.
    """
    target, *names = (_escaped(os.path.relpath(path, base)) for path in (module, *inputs))
    rule = f"{target}: \\\n" + " \\\n".join(f" {name}" for name in names)
    phony = "".join(f"\n{name}:\n" for name in names)
    return f"{MARK}for make; DO NOT EDIT.\n{rule}\n{phony}".encode()


def _escaped(name: str) -> str:
    return name.replace("$", "$$").replace("#", r"\#").replace(" ", r"\ ")
