"""Every check of tests/vm/guest; the virtual machine boots once for each kernel."""

import pytest

from . import machine


@pytest.mark.parametrize("name", machine.discover())
def test_in_the_guest(name: str, guest_report: machine.Report) -> None:
    expect(guest_report[name])


@pytest.mark.parametrize("name", machine.discover(*machine.FOR_NEWER))
def test_in_the_guest_with_a_newer_kernel_and_libbpf(
    name: str, newer_guest_report: machine.Report
) -> None:
    expect(newer_guest_report[name])


def expect(outcome: machine.Outcome) -> None:
    """Make a check's outcome the test's own."""
    if outcome.outcome == "skipped":
        pytest.skip(outcome.detail)
    if outcome.outcome != "passed":
        pytest.fail(outcome.detail, pytrace=False)
