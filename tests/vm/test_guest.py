"""Every check of tests/vm/guest; the virtual machine boots once for each kernel."""

from collections.abc import Callable

import pytest

from tests.kernel_vm import RAN_ON

from ..backports import HOW
from ..runtime.conftest import need
from . import machine

USUAL = machine.discover()
NEWER = machine.discover(*machine.FOR_NEWER)


@pytest.mark.parametrize("name", sorted({*USUAL, *NEWER}))
def test_in_the_guest(
    name: str, request: pytest.FixtureRequest, record_property: Callable[[str, object], None]
) -> None:
    """A check runs on each kernel that it is for, and is skipped if none has what it needs."""
    fixtures = {"guest_report": USUAL, "newer_guest_report": NEWER}
    found: list[machine.Report | None] = [
        request.getfixturevalue(fixture) for fixture, names in fixtures.items() if name in names
    ]
    reports = [report for report in found if report is not None]
    need("" if reports else f"there is no newer kernel, or libbpf, for the VM: {HOW}")
    skipped = []
    for report in reports:
        outcome = report[name]
        if outcome.outcome == "skipped":
            skipped.append(outcome.detail)
            continue
        record_property(RAN_ON, f"{report.kernel} (VM)")
        if outcome.outcome != "passed":
            pytest.fail(f"{report.kernel}: {outcome.detail}", pytrace=False)
    if len(skipped) == len(reports):
        pytest.skip("; ".join(dict.fromkeys(skipped)))
