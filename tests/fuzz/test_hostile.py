"""What asks for more than it is takes neither memory nor time, and ends as anything else does."""

from pathlib import Path

import pytest

from tests.building import REPOSITORY, run_python
from tests.fuzz import hostile
from tests.fuzz.targets import TARGETS_BY_NAME


@pytest.mark.parametrize(
    ("target", "section"), [(name, section) for name, (_, section) in TARGETS_BY_NAME.items()]
)
def test_no_input_takes_more_than_its_share(tmp_path: Path, target: str, section: str) -> None:
    names = hostile.cases(section)
    for name in names:
        (tmp_path / name).write_bytes(hostile.made(name))
    done = run_python(
        *("-m", "tests.fuzz.limited", target), *(tmp_path / name for name in names), cwd=REPOSITORY
    )
    assert (done.stdout.split(), done.stderr, done.returncode) == (names, "", 0)
