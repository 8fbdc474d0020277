"""The comparison with clang's layout must be able to fail: it is shown what is not so."""

from pathlib import Path

import pytest

from ebpfgen.target import DEFAULT_TARGETS
from tests.corpus import pipeline
from tests.corpus.dwarf import Dwarf
from tests.corpus.layouts import Tally, compare

C = """
struct inner { short s; union { int i; unsigned char raw[4]; }; };
enum color { RED = 1, LAST = COLOR };
struct record {
    char before; LONG number; unsigned low : LOW; int high : 3; _Bool flag : 1;
    struct inner inner[2]; enum color color; char name[NAME]; void *pointer; SIGN int sign;
};
struct {
    int (*type)[1]; int (*max_entries)[1]; unsigned int *key; struct record *value;
} records __attribute__((section(".maps"), used));
char _license[] __attribute__((section("license"), used)) = "GPL";
"""
AS_IT_IS = {"LONG": "long", "LOW": "4", "NAME": "6", "COLOR": "7", "SIGN": "signed"}


def tally_of(tmp_path: Path, target: str, **other: str) -> Tally:
    """Generate bindings of the C as it is, and compare them with the C with *other* words."""
    source = tmp_path / "sample.c"
    source.write_text(C)
    made, seen = pipeline.Made(), pipeline.Made()
    tools = pipeline.Tools(_defines(AS_IT_IS), tmp_path, tmp_path / "out")
    pipeline.generate_variant(source, target, tools, made)
    others = pipeline.Tools(_defines(AS_IT_IS | other), tmp_path, tmp_path / "other")
    pipeline.generate_variant(source, target, others, seen)
    module = pipeline.load_bindings(tmp_path / "out" / target / f"sample_{target}.py")
    assert made.module
    return compare(module, made.module.types, Dwarf(seen.unstripped), "Bpf")


def _defines(words: dict[str, str]) -> tuple[str, ...]:
    return tuple(f"-D{name}={word}" for name, word in words.items())


@pytest.mark.parametrize("target", DEFAULT_TARGETS)
def test_agrees_with_the_same_c(tmp_path: Path, target: str) -> None:
    tally = tally_of(tmp_path, target)
    assert (tally.wrong, tally.unmatched) == ([], [])
    assert tally.types == 4
    assert tally.members >= 14


@pytest.mark.parametrize("target", DEFAULT_TARGETS)
@pytest.mark.parametrize(
    ("name", "word", "fault"),
    [
        ("LONG", "int", "bytes, clang"),
        ("LOW", "5", "struct record: record."),
        ("NAME", "7", ".name reads"),
        ("SIGN", "unsigned", ".sign reads"),
        ("COLOR", "8", "enum color: [1, 7]"),
        ("RED", "CYAN", ""),
    ],
)
def test_sees_a_difference(tmp_path: Path, target: str, name: str, word: str, fault: str) -> None:
    tally = tally_of(tmp_path, target, **{name: word})
    if fault:
        assert fault in tally.wrong[0]
    else:
        assert tally.unmatched == ["BpfColor"]
