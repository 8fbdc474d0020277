"""Tests that share a kernel or a virtual machine run in turn; the others do side by side."""

import pytest

from .building import REPOSITORY

CONFTEST = """
import pytest
from tests import side_by_side


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    return side_by_side.Scheduler(config, log)


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: side_by_side.rank(item.nodeid))
"""
SEVERAL = """
import pytest


@pytest.mark.parametrize("number", range(5))
def test_it(number):
    pass
"""


@pytest.fixture
def workers(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> dict[str, tuple[set[str], int]]:
    """Give, for each file that was run, its workers and its turn."""
    for file in ("test_z.py", "runtime/test_a.py", "runtime/maps/test_b.py", "vm/test_c.py"):
        path = pytester.path / "tests" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(SEVERAL)
    pytester.makeconftest(CONFTEST)
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    options = ("-p", "xdist.plugin", "-n2", "-v", "--import-mode=importlib")
    lines = pytester.runpytest_subprocess(*options).outlines
    ran = [line.split() for line in lines if line.startswith("[gw")]
    assert len(ran) == 20, lines
    found: dict[str, tuple[set[str], int]] = {}
    for turn, (worker, *_, nodeid) in enumerate(ran):
        file = nodeid.partition("::")[0].removeprefix("tests/")
        found.setdefault(file, (set(), turn))[0].add(worker)
    return found


def test_those_of_the_kernel_have_one_worker(workers: dict[str, tuple[set[str], int]]) -> None:
    assert len(workers["runtime/test_a.py"][0] | workers["runtime/maps/test_b.py"][0]) == 1


def test_those_of_a_file_have_one_worker(workers: dict[str, tuple[set[str], int]]) -> None:
    assert all(len(names) == 1 for names, _ in workers.values())


def test_the_machine_and_the_kernel_go_first(workers: dict[str, tuple[set[str], int]]) -> None:
    assert workers["vm/test_c.py"][0] != workers["runtime/test_a.py"][0]
    first = min(workers["vm/test_c.py"][1], workers["runtime/test_a.py"][1])
    assert first < workers["test_z.py"][1]
