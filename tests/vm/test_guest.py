"""Every check of tests/vm/guest, all of them run in one boot of the virtual machine."""

import pytest

from . import machine


@pytest.mark.parametrize("name", machine.discover())
def test_in_the_guest(name: str, guest_report: machine.Report) -> None:
    outcome = guest_report[name]
    if outcome.outcome == "skipped":
        pytest.skip(outcome.detail)
    if outcome.outcome != "passed":
        pytest.fail(outcome.detail, pytrace=False)
