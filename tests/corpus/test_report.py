"""The list of what the corpus does not give: a reason once, whatever the byte order shows of it."""

from dataclasses import replace

from tests.corpus.layouts import Tally
from tests.corpus.pipeline import Outcome
from tests.corpus.report import Column, not_generated

WHOLE = Outcome(
    "whole", "bpfel", accepted=True, skeleton=True, generated=True, imported=True, tally=Tally()
)


def column(target: str, *outcomes: Outcome) -> Column:
    own = [replace(outcome, target=target) for outcome in outcomes]
    return Column(target, own, frozenset({"whole", "refused"}))


def lines(*columns: Column) -> list[str]:
    return [line for line in not_generated(columns, "clang 0").splitlines() if line[:2] == "- "]


def test_a_reason_of_both_byte_orders_is_listed_once() -> None:
    little = replace(WHOLE, all_types=Tally(wrong=["struct s: s.a reads -1, clang 5"]))
    big = replace(WHOLE, all_types=Tally(wrong=["struct s: s.a reads -2, clang 7"]))
    assert lines(column("bpfel", little), column("bpfeb", big)) == [
        "- whole: struct s: s.a reads another number than clang's"
    ]


def test_a_reason_of_one_byte_order_says_which() -> None:
    wrong = replace(WHOLE, tally=Tally(unmatched=["BpfS"]))
    assert lines(column("bpfel", WHOLE), column("bpfeb", wrong)) == [
        "- whole (bpfeb only): BpfS was not compared: clang has none, or only in what differs or "
        "is empty"
    ]


def test_what_bpftool_refuses_is_not_missing() -> None:
    columns = [
        column(
            target,
            WHOLE,
            Outcome("refused", target, accepted=True, reason="why"),
            Outcome("odd", target, accepted=True, reason=f"odd.c for {target} is odd"),
        )
        for target in ("bpfel", "bpfeb")
    ]
    assert lines(*columns) == ["- odd: odd.c is odd (bpftool takes it neither)", "- refused: why"]
    assert [each.missing() for each in columns] == [1, 1]


def test_what_is_wrong_in_any_way_is_missing() -> None:
    wrong = (
        replace(WHOLE, tally=None),
        replace(WHOLE, tally=Tally(wrong=["x"])),
        replace(WHOLE, tally=Tally(unmatched=["x"])),
        replace(WHOLE, imported=False),
        replace(WHOLE, reason="x"),
    )
    assert [column("bpfel", outcome).missing() for outcome in (WHOLE, *wrong)] == [0, 1, 1, 1, 1, 1]
    untyped = column("bpfel", WHOLE)
    untyped.untyped["whole_bpfel"] = "error"
    assert untyped.missing() == 1
