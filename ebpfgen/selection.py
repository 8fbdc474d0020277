"""Which types a module gets beside those of its maps and variables."""

from typing import NamedTuple

TAGS = ("struct", "union", "enum", "typedef")
"""What may stand before the name of a type, with a space."""


class Selection(NamedTuple):
    """What was asked for: names of types, record types of event maps, no types for globals."""

    types: tuple[str, ...] = ()
    events: tuple[tuple[str, str], ...] = ()
    global_types: bool = True
