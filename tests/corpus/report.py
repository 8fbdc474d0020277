"""Counts the outcomes, and says in words what did not come all the way."""

import re
import textwrap
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from tests.corpus.layouts import Tally
from tests.corpus.pipeline import Outcome

Row = tuple[str, Callable[["Column"], str]]


@dataclass
class Column:
    """All outcomes for one target, with what mypy and Go said of them by program.

    ``taken`` are the programs that bpftool makes a skeleton of. It reads only objects of its own
    byte order: what it says of those counts for both.
    """

    target: str
    outcomes: Sequence[Outcome]
    taken: frozenset[str]
    untyped: dict[str, str] = field(default_factory=dict)
    go_refused: dict[str, str] = field(default_factory=dict)
    has_bpf2go: bool = False

    def count(self, test: Callable[[Outcome], object]) -> int:
        """Return the number of programs that pass a test."""
        return sum(bool(test(outcome)) for outcome in self.outcomes)

    def is_typed(self, outcome: Outcome) -> bool:
        """Whether mypy had nothing to say."""
        return outcome.imported and f"{outcome.program}_{self.target}" not in self.untyped

    def is_whole(self, outcome: Outcome) -> bool:
        """Whether a program came all the way."""
        return not outcome.reason and outcome.right and self.is_typed(outcome)

    def missing(self) -> int:
        """Return the number of programs that libbpf takes and that did not come all the way."""
        return self.count(lambda o: o.program in self.taken and not self.is_whole(o))

    def total(self, kind: str, what: str) -> int:
        """Add up a number of all tallies."""
        tallies = [getattr(outcome, kind) for outcome in self.outcomes]
        numbers = [getattr(tally, what) for tally in tallies if tally]
        return sum(n if isinstance(n, int) else len(n) for n in numbers)


def table(columns: Sequence[Column]) -> str:
    """Return the figures, one column for each target."""
    rows: list[tuple[str, list[str]]] = [("", [column.target for column in columns])]
    for name, value in (*_COUNTS, *_types("tally", "generated"), *_types("all_types", "all")):
        rows.append((name, [value(column) for column in columns]))
    if columns[0].has_bpf2go:
        rows += [(name, [value(column) for column in columns]) for name, value in _BPF2GO]
    width = max(len(name) for name, _ in rows)
    return "\n".join(
        f"{name:<{width}}" + "".join(f"{value:>10}" for value in values) for name, values in rows
    )


_COUNTS: tuple[Row, ...] = (
    ("programs", lambda c: str(len(c.outcomes))),
    ("accepted by clang", lambda c: str(c.count(lambda o: o.accepted))),
    (
        "accepted by bpftool gen skeleton",
        lambda c: str(c.count(lambda o: o.skeleton) or "n/a"),
    ),
    ("generated", lambda c: str(c.count(lambda o: o.generated))),
    ("imported", lambda c: str(c.count(lambda o: o.imported))),
    ("type-checked", lambda c: str(c.count(c.is_typed))),
    ("all layouts right", lambda c: str(c.count(lambda o: o.right))),
    ("accepted by bpftool, not all right here", lambda c: str(c.missing())),
)

_BPF2GO: tuple[Row, ...] = (
    ("bpf2go: generated", lambda c: str(c.count(lambda o: o.bpf2go))),
    (
        "bpf2go: compiled by Go",
        lambda c: str(c.count(lambda o: o.bpf2go and o.program not in c.go_refused)),
    ),
)


def _types(kind: str, which: str) -> tuple[Row, ...]:
    def number(what: str) -> Callable[[Column], str]:
        return lambda column: str(column.total(kind, what))

    return (
        (f"{which} types: compared", number("types")),
        (f"{which} types: members compared", number("members")),
        (f"{which} types: wrong", number("wrong")),
        (f"{which} types: nothing to compare with", number("unmatched")),
    )


def not_generated(columns: Sequence[Column], compiler: str) -> str:
    """Return the list of what did not come all the way, with a reason each, as Markdown."""
    parts = [
        "# What the corpus does not give\n\n"
        "Written by `make corpus`: the BPF selftests of Debian's linux-source-6.1, compiled with\n"
        f"{compiler}. What is generated are the types of maps and variables, as for any user; the\n"
        "types of the whole object are made for comparison alone. A program is listed once where\n"
        "both byte orders have the same reason.\n\n"
        f"```text\n{table(columns)}\n```\n",
        _section("Not accepted by clang", columns, _refused),
        _section("Accepted by clang, not generated or compared", columns, _failed),
        _section("Generated, not type-checked", columns, _untyped),
        _section(
            "Generated, with a layout that is not clang's or has no counterpart",
            columns,
            lambda _, o: _faults(o.tally),
        ),
        _section("Read as bytes, or otherwise with a warning", columns, lambda _, o: o.warnings),
        _section(
            "All types of the object: not clang's layout, or no counterpart",
            columns,
            lambda _, o: _faults(o.all_types),
        ),
    ]
    return "\n".join(parts)


Reasons = Callable[[Column, Outcome], Iterable[str]]


def _section(title: str, columns: Sequence[Column], reasons: Reasons) -> str:
    found: dict[tuple[str, str], list[str]] = {}
    for column in columns:
        for outcome in column.outcomes:
            for reason in reasons(column, outcome):
                key = (outcome.program, _portable(reason, column.target))
                found.setdefault(key, []).append(column.target)
    lines = []
    for (program, reason), targets in sorted(found.items()):
        only = "" if len(targets) == len(columns) else f" ({', '.join(targets)} only)"
        lines.append(f"- {program}{only}: {textwrap.shorten(reason, 240, placeholder='…')}")
    programs = len({program for program, _ in found})
    return f"## {title}: {programs}\n\n" + ("\n".join(lines) or "None.") + "\n"


def _portable(reason: str, target: str) -> str:
    """Return a reason without what is another in the other byte order."""
    reason = re.sub(r" reads -?\d+, clang -?\d+$", " reads another number than clang's", reason)
    return reason.replace(f" for {target}", "")


def _refused(_: Column, outcome: Outcome) -> Iterable[str]:
    return () if outcome.accepted else (outcome.reason,)


def _failed(column: Column, outcome: Outcome) -> Iterable[str]:
    if outcome.accepted and outcome.reason:
        taken = outcome.program in column.taken
        yield f"{outcome.reason}{'' if taken else ' (bpftool takes it neither)'}"


def _untyped(column: Column, outcome: Outcome) -> Iterable[str]:
    error = column.untyped.get(f"{outcome.program}_{column.target}")
    return (error,) if error else ()


def _faults(tally: Tally | None) -> Iterable[str]:
    if tally:
        yield from tally.wrong
        for name in tally.unmatched:
            yield f"{name} was not compared: clang has none, or only in what differs or is empty"
