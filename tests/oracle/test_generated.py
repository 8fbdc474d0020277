"""Types that nobody thought of, in both byte orders, as the compiler of this machine has them.

EBPFGEN_ORACLE_EXAMPLES sets how many times 15 to 25 types are made; past the usual number they are
new ones each time, and a failure is made smaller.
"""

import os
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings, strategies as st

from tests.oracle.generated import PRELUDE, types
from tests.oracle.oracle import Oracle

_USUAL = 10
_EXAMPLES = int(os.environ.get("EBPFGEN_ORACLE_EXAMPLES", _USUAL))
_PHASES = (Phase.generate, Phase.shrink) if _EXAMPLES > _USUAL else (Phase.generate,)


@pytest.fixture(scope="module")
def figures() -> Iterator[Counter[str]]:
    found: Counter[str] = Counter()
    yield found
    print(f"\ntypes {found['types']}, values compared {found['values']}")


@settings(
    max_examples=_EXAMPLES,
    derandomize=_EXAMPLES <= _USUAL,
    deadline=None,
    database=None,
    phases=_PHASES,
    suppress_health_check=list(HealthCheck),
)
@given(texts=types(), seed=st.integers(0, 2**32))
def test_made_types_are_those_of_c(figures: Counter[str], texts: list[str], seed: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        oracle = Oracle([PRELUDE, *texts], Path(folder))
        problems = {
            made.text: found
            for number, made in enumerate(oracle.types)
            if (found := oracle.all_problems(number, seed))
        }
    figures["types"] += len(oracle.types)
    figures["values"] += oracle.compared
    assert not problems
