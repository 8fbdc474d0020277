"""A sample of `make corpus`: programs of the kernel's BPF selftests, with every type they have."""

from pathlib import Path

import pytest

from ebpfgen.target import DEFAULT_TARGETS
from tests.corpus import checks, pipeline, sources

SAMPLE = (
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

pytestmark = pytest.mark.skipif(
    not sources.programs(),
    reason="the kernel's selftests are not in the cache: run scripts/corpus --fetch-only",
)


@pytest.mark.parametrize("target", DEFAULT_TARGETS)
def test_bindings_of_selftests_import_type_check_and_have_clangs_layouts(
    tmp_path: Path, target: str
) -> None:
    tools = pipeline.Tools(sources.cflags(), sources.selftests(), tmp_path)
    present = [path for path in sources.programs() if path.stem in SAMPLE]
    outcomes = [pipeline.run(path, target, tools) for path in present]
    accepted = [outcome for outcome in outcomes if outcome.accepted]
    assert len(accepted) >= len(SAMPLE) - 2  # another kernel or clang may lack one or the other

    assert [(outcome.program, outcome.reason) for outcome in accepted if outcome.reason] == []
    for outcome in accepted:
        assert outcome.imported
        for tally in (outcome.tally, outcome.all_types):
            assert tally is not None
            assert (outcome.program, tally.wrong) == (outcome.program, [])
            assert (outcome.program, tally.unmatched) == (outcome.program, [])
    assert sum(outcome.all_types.types for outcome in accepted if outcome.all_types) > 100
    assert checks.type_check(tmp_path, target) == {}
