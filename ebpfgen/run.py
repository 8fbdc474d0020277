"""How a run of ``generate`` shall go, who is told of it, and what comes of it."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from ebpfgen.target import Target

State = Literal["written", "unchanged"]


class Generated(NamedTuple):
    """A variant that is there now: its module, with the object beside it, and the object's size.

    ``state`` says whether anything had to be written; ``seconds`` is how long it took to make, 0
    if nothing was. ``module`` is None if only the object was asked for.
    """

    source: str
    target: Target
    module: Path | None
    object: Path
    object_size: int
    state: State
    seconds: float


class Settings(NamedTuple):
    """How to go about it: ``workers`` is how many variants are made at once.

    ``shipped`` files are those of a source distribution, which were up to date when it was made:
    another version of ebpfgen does not make them again, nor does what was left out.
    """

    workers: int = 0
    force: bool = False
    compile_only: bool = False
    colour: bool = False
    shipped: bool = False


class Observer(NamedTuple):
    """Who is told of what happens, in the order of the jobs, but for ``command`` and ``progress``.

    ``command`` gets each command line as it is run, ``warning`` each warning (clang's as it wrote
    them, and ebpfgen's own), ``variant`` each variant that is there, and ``progress`` how many
    variants of how many are made.
    """

    command: Callable[[Sequence[str]], None] | None = None
    warning: Callable[[str], None] | None = None
    variant: Callable[[Generated], None] | None = None
    progress: Callable[[int, int], None] | None = None


def usable_cpus() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0))
