"""C names become Python names here, and nowhere else.

The rule is that of bpf2go's identifiers, so that people who come from Go find the names they know:
``kprobe_execve`` becomes ``KprobeExecve``. Python adds a few words that can't be names.
"""

import keyword
import re
from collections.abc import Callable, Iterable
from enum import StrEnum
from itertools import count
from typing import NamedTuple

from ebpfgen.errors import IdentifierError
from ebpfgen.inputs import shortened

_NOT_IN_IDENTIFIERS = re.compile(r"[^A-Za-z0-9_]")


class Naming(StrEnum):
    """How the names of programs, maps and variables are spelled."""

    CAMEL = "camel"
    SNAKE = "snake"

    @property
    def spell(self) -> Callable[[str], str]:
        """The function that spells a C name this way."""
        return camel_case if self is Naming.CAMEL else snake_case


def camel_case(c_name: str) -> str:
    """Spell *c_name* as bpf2go does.

    The first letter becomes upper case; an underscore that leads, or follows a lower-case letter or
    a digit, goes, and a letter after it becomes upper case; what no identifier may hold goes. A
    letter made upper case counts as such for the next underscore: ``a_b_c`` is ``A_bC``.

    >>> camel_case("kprobe_openat2"), camel_case("FOO_BAR"), camel_case("none")
    ('KprobeOpenat2', 'FOO_BAR', 'None_')
    """
    result = ""
    begins_word = True
    for char in _NOT_IN_IDENTIFIERS.sub("", c_name):
        if char == "_" and (begins_word or result[-1].islower() or result[-1].isdigit()):
            begins_word = True
            continue
        result += char.upper() if begins_word else char
        begins_word = False
    return _usable(result, c_name)


def snake_case(c_name: str) -> str:
    """Keep *c_name* as it is in C, as far as Python can.

    Leading underscores go: inside a class, Python reads ``__name`` as something else.

    >>> snake_case("kprobe_execve"), snake_case("__private"), snake_case("lambda")
    ('kprobe_execve', 'private', 'lambda_')
    """
    return _usable(_NOT_IN_IDENTIFIERS.sub("", c_name).lstrip("_"), c_name)


def member_name(c_name: str) -> str:
    """Spell a struct member: its C name, as far as Python can.

    Of two leading underscores one goes, because Python reads ``__name`` inside a class as
    something else.
    """
    kept = _NOT_IN_IDENTIFIERS.sub("", c_name)
    return _usable(f"_{kept.lstrip('_')}" if kept.startswith("__") else kept, c_name)


class Names(NamedTuple):
    """Python names by their C names, and a warning for each that is not as the rule spells it."""

    names: dict[str, str]
    warnings: tuple[str, ...]


def unique_names(
    c_names: Iterable[str],
    spell: Callable[[str], str],
    *,
    what: str,
    reserved: frozenset[str] = frozenset(),
) -> Names:
    """Spell every name; of those that meet, the one that *spell* changes least keeps its spelling.

    The others get ``_2``, ``_3`` and so on, in the order given, each with a warning, in which
    *what* says what they are. A name in *reserved* (what the runtime's classes define themselves)
    gets a trailing underscore.
    """
    names = {c_name: spell(c_name) for c_name in c_names}
    names = {c_name: f"{n}_" if n in reserved else n for c_name, n in names.items()}
    meeting: dict[str, list[str]] = {}
    for c_name, name in names.items():
        meeting.setdefault(name, []).append(c_name)
    taken = {*meeting, *reserved}
    warnings = []
    for name, group in meeting.items():
        keeper = min(group, key=lambda c_name: _changes(c_name, name))
        numbered = (f"{name}_{number}" for number in count(2))
        free = (spelled for spelled in numbered if spelled not in taken)
        for c_name in group:
            if c_name != keeper:
                names[c_name] = next(free)
                called = meeting_names(f"{what} {c_name!r}", names[c_name], repr(keeper), name)
                warnings.append(called + _way_out(c_name, keeper, spell))
        taken.update(names[c_name] for c_name in group)
    return Names(names, tuple(warnings))


def _changes(c_name: str, name: str) -> int:
    """Count the characters that were added to a C name, left out of it or made upper case."""
    kept = zip(c_name.replace("_", ""), name.replace("_", ""), strict=False)
    return abs(len(c_name) - len(name)) + sum(before != after for before, after in kept)


def meeting_names(numbered: str, name: str, keeper: str, kept: str) -> str:
    """Return the warning of two C names that meet: *keeper* is the one without a number."""
    return (
        f"{numbered} is called {name!r}, because {keeper} is called {kept!r}: "
        "rename one of them in the C source"
    )


def _way_out(c_name: str, keeper: str, spell: Callable[[str], str]) -> str:
    kept_apart = spell is camel_case and snake_case(c_name) != snake_case(keeper)
    return ", or pass --naming snake to keep the C names" if kept_apart else ""


def enumerator_name(c_name: str) -> str:
    """Spell an enumerator: its C name, as far as Python's Enum takes it for one."""
    name = member_name(c_name)
    return (
        _usable(name.lstrip("_"), c_name) if name.startswith("_") and name.endswith("_") else name
    )


def distinct_names(
    c_names: Iterable[str], spell: Callable[[str], str], *, reserved: frozenset[str]
) -> list[str]:
    """Spell every name; one that is taken or reserved gets an underscore, two, or a number.

    For what stands in types, where a name is only read in one place and must not fail the rest.
    """
    result: list[str] = []
    taken = set(reserved)
    tries: dict[str, int] = {}
    for c_name in c_names:
        name = wanted = spell(c_name)
        while name in taken:
            tries[wanted] = number = tries.get(wanted, 0) + 1
            name = wanted + ("_" * number if number < 3 else f"_{number}")
        taken.add(name)
        result.append(name)
    return result


def export_order(name: str) -> tuple[int, list[tuple[int, str]]]:
    """Sort key of exported names: constants, classes, functions, as Python's linters want them."""
    kind = 0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2
    parts = re.findall(r"\d+|\D+", name.lower())
    return kind, [(int(part), "") if part.isdigit() else (-1, part) for part in parts]


def check_identifier(name: str, what: str) -> str:
    """Return *name* if Python can use it as the name of a module, function or class.

    Raises IdentifierError otherwise.
    """
    if not name.isidentifier() or not name.isascii():
        raise IdentifierError(
            f"{what} {shortened(name)} is not a Python identifier: "
            "use letters, digits and underscores, and begin with a letter",
            name=name,
        )
    if not name.strip("_"):
        raise IdentifierError(
            f"{what} {name!r} is nothing but underscores: add a letter", name=name
        )
    if keyword.iskeyword(name):
        raise IdentifierError(f"{what} {name!r} is a Python keyword: choose another", name=name)
    return name


def _usable(name: str, c_name: str) -> str:
    """Mend what Python can't take as a name; *c_name* is for the error."""
    if not name.strip("_"):
        raise IdentifierError(f"C name {c_name!r} leaves nothing to name it in Python", name=c_name)
    if name[0].isdigit():
        name = f"_{name}"
    if keyword.iskeyword(name):
        name = f"{name}_"
    return name
