"""C names become Python names here, and nowhere else.

The rule is that of bpf2go's identifiers, so that people who come from Go find the names they know:
``kprobe_execve`` becomes ``KprobeExecve``. Python adds a few words that can't be names.
"""

import keyword
import re
from collections.abc import Callable, Iterable
from enum import StrEnum

from ebpfgen.errors import CollisionError, IdentifierError

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


def unique_names(
    c_names: Iterable[str],
    spell: Callable[[str], str],
    *,
    what: str,
    reserved: frozenset[str] = frozenset(),
) -> dict[str, str]:
    """Spell every name, and refuse two that meet.

    Returns a mapping of C name to Python name in the order given. A name in *reserved* (what the
    runtime's classes define themselves) gets a trailing underscore.

    Raises CollisionError naming both C names and the way out.
    """
    result: dict[str, str] = {}
    taken: dict[str, str] = {}
    for c_name in c_names:
        if c_name in result:
            continue
        name = spell(c_name)
        if name in reserved:
            name += "_"
        if name in taken:
            first = taken[name]
            raise CollisionError(
                f"{what} {first!r} and {c_name!r} both become {name!r} in Python: "
                "rename one of them in the C source"
                + (", or pass --naming snake to keep the C names" if spell is camel_case else ""),
                first=first,
                second=c_name,
                name=name,
            )
        taken[name] = c_name
        result[c_name] = name
    return result


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
            f"{what} {name!r} is not a Python identifier: "
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
