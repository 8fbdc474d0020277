"""Options and settings of all tests."""

import os
import signal
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .kernel_vm import Place  # pytest itself imports it, to rewrite its assertions

pytest_plugins = ["tests.kernel_vm"]

# The VM runs no test of examples, and takes seconds to import what makes them.
if "EBPFGEN_VM_SCRATCH" not in os.environ:
    import hypothesis

    # How long an example takes says more about the machine than about the code.
    hypothesis.settings.register_profile("ebpfgen", deadline=None)
    hypothesis.settings.load_profile("ebpfgen")


# Who starts these tests may ignore signals (nohup does, and a shell's &), and what they start would
# do so, too. A signal that is handled, if by doing nothing, is not ignored there.
for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, lambda *_: None)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="write what is generated now into tests/golden, for you to review with git diff",
    )


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    from .side_by_side import Scheduler

    return Scheduler(config, log) if config.option.dist == "loadfile" else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):
        from .side_by_side import rank

        items.sort(key=lambda item: rank(item.nodeid))


def pytest_kernel_places() -> "list[Place]":
    from .vm.places import places

    return places()


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Whether golden files are to be written and not compared."""
    return bool(request.config.getoption("--update-golden"))
