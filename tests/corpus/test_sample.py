"""A sample of `make corpus`: programs of the kernel's BPF selftests, with every type they have."""

from pathlib import Path

import pytest

from ebpfgen.target import DEFAULT_TARGETS
from tests.corpus import checks, pipeline, sources

# Those with the most and the oddest types, and of all others every 25th.
ODDEST = (
    "bpf_cubic",
    "bpf_iter_tcp4",
    "btf_dump_test_case_bitfields",
    "btf_dump_test_case_packing",
    "map_kptr",
    "pyperf50",
    "test_core_read_macros",
    "test_l4lb_noinline",
    "test_map_lock",
    "test_xdp_noinline",
    "timer",
    "twfw",
)
STEP = 25

pytestmark = pytest.mark.skipif(
    not sources.programs(), reason=sources.missing(sources.SOURCE_PACKAGE)
)


def sample() -> list[Path]:
    """The sample's programs; libbpf takes none that defines its maps in the old way."""
    programs = [p for p in sources.programs() if 'SEC("maps")' not in p.read_text()]
    spread = programs[STEP // 2 :: STEP]
    return [path for path in programs if path.stem in ODDEST or path in spread]


@pytest.mark.parametrize("target", DEFAULT_TARGETS)
def test_bindings_of_selftests_import_type_check_and_have_clangs_layouts(
    tmp_path: Path, target: str
) -> None:
    tools = pipeline.Tools(sources.cflags(), sources.selftests(), tmp_path)
    chosen = sample()
    outcomes = [pipeline.run(path, target, tools) for path in chosen]
    accepted = [outcome for outcome in outcomes if outcome.accepted]
    assert len(accepted) >= len(chosen) * 0.9  # another kernel or clang may lack one or the other

    assert [(outcome.program, outcome.reason) for outcome in accepted if outcome.reason] == []
    for outcome in accepted:
        assert outcome.imported
        for tally in (outcome.tally, outcome.all_types):
            assert tally is not None
            assert (outcome.program, tally.wrong) == (outcome.program, [])
            assert (outcome.program, tally.unmatched) == (outcome.program, [])
    assert sum(outcome.all_types.types for outcome in accepted if outcome.all_types) > 100
    assert checks.type_check(tmp_path, target) == {}
