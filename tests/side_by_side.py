"""How pytest-xdist (``--dist loadfile``) shares out the tests.

The tests of the virtual machine stay together, for it boots once for all of them; so do those of
the running kernel, which they have to themselves. Of the others, each file does. What takes the
longest begins first.
"""

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

TOGETHER = ("tests/vm/", "tests/runtime/")


def scope(nodeid: str) -> str:
    """Name what a test stays together with."""
    file = nodeid.partition("::")[0]
    return next((folder for folder in TOGETHER if file.startswith(folder)), file)


def rank(nodeid: str) -> int:
    """The place of a test in the order in which they begin."""
    return [*TOGETHER, scope(nodeid)].index(scope(nodeid))


class Scheduler(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Gives the tests to the workers in the order in which they were collected."""

    def __init__(self, config: pytest.Config, log: Producer | None = None) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False

    def _split_scope(self, nodeid: str) -> str:
        return scope(nodeid)
