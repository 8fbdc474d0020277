"""C enums become IntEnums."""

from ebpfgen.btf import types as t
from ebpfgen.comments import Comments
from ebpfgen.model import Enumeration
from ebpfgen.naming import distinct_names, enumerator_name

RESERVED_ENUMERATORS = frozenset({"mro", "name", "value"})
"""What IntEnum defines, and would refuse or hide."""

_WAY_OUT = "clang 15 or newer, or an object that is not stripped"


def doubts(enum: t.Enum) -> str:
    """Return what to warn of: what the object does not tell of an enum, and what does."""
    if enum.cut:
        return (
            "has values of more than 32 bits, which the object does not record: it is read as a "
            f"number; {_WAY_OUT}, gives the names"
        )
    if enum.guessed:
        value = next(value for value in enum.values if value.value < 0 or value.value >> 31)
        return (
            f"may have a sign or not, which the object does not record: {value.name} is taken for "
            f"{value.value}; {_WAY_OUT}, tells"
        )
    return ""


def enumeration_of(enum: t.Enum, name: str, c_type: str, comments: Comments) -> Enumeration:
    """Return the class of an enum, called *name*; *c_type* is what C calls it."""
    names = distinct_names(
        [value.name for value in enum.values], enumerator_name, reserved=RESERVED_ENUMERATORS
    )
    holder = c_type if enum.name or not c_type.startswith("enum ") else "enum"
    values = tuple(
        (spelled, value.value, comments.of_enumerator(holder, value.name))
        for spelled, value in zip(names, enum.values, strict=True)
    )
    return Enumeration(name, c_type, enum.size, values, comments.of_type(c_type))
