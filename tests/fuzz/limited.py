"""Runs one target on some files with bounded memory and time.

``python -m tests.fuzz.limited TARGET FILE...`` ends with 0 if the target's contract holds. It
prints the name of each file before it begins with it.
"""

import resource
import sys
from pathlib import Path

from tests.fuzz.targets import TARGETS_BY_NAME

MEMORY = 256 << 20
"""Bytes that a target may take, beside what Python and the modules have."""
SECONDS = 60


def main() -> None:
    """Set the limits and run."""
    target, _ = TARGETS_BY_NAME[sys.argv[1]]
    inputs = {path: Path(path).read_bytes() for path in sys.argv[2:]}
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    for path, data in inputs.items():
        print(Path(path).name, flush=True)
        target(data)


if __name__ == "__main__":
    main()
