"""Sizes and members of C types, and what lies behind their other names."""

import dataclasses

from ebpfgen.btf import types as t
from ebpfgen.btf.reader import Btf
from ebpfgen.errors import ObjectError

POINTER_SIZE = 8
"""The size of a pointer in BPF, whatever the machine that runs it."""

MAX_SIZE = 0xFFFFFFFF
"""The largest size in bytes: the kernel, too, refuses arrays past it (``btf_array_resolve``)."""

# Chains of typedefs, modifiers and array dimensions are short in C; a longer one is a loop.
_MAX_DEPTH = 32

# What BTF can count; anonymous structs within each other soon make more, or never end.
_MAX_MEMBERS = 0xFFFF


def strip(btf: Btf, type_id: int) -> tuple[int, str]:
    """Return the id behind typedefs, ``const``, ``volatile``, ``restrict`` and type tags.

    With it comes the name of the innermost typedef, which is what C calls an anonymous type; empty
    if there is none. Raises ObjectError if they form a loop.
    """
    name = ""
    for _ in range(_MAX_DEPTH):
        btf_type = btf[type_id]
        if not isinstance(btf_type, t.Typedef | t.Modifier):
            return type_id, name
        if isinstance(btf_type, t.Typedef):
            name = btf_type.name
        type_id = btf_type.type_id
    raise malformed(btf, type_id, f"the typedefs of type {type_id} don't end")


def malformed(btf: Btf, type_id: int, message: str) -> ObjectError:
    """Return the error that says *message* of a type, with its place."""
    return ObjectError(message, where=".BTF", offset=btf.offset_of(type_id))


def strip_names(btf: Btf, type_id: int) -> t.Type:
    """Return the type that :func:`strip` gives the id of."""
    return btf[strip(btf, type_id)[0]]


def size_of(btf: Btf, type_id: int) -> int:
    """Return the size of a type in bytes.

    Raises ObjectError for what has none (``void``, functions and forward declarations) and for what
    is larger than MAX_SIZE.
    """
    whole, count = type_id, 1
    for _ in range(_MAX_DEPTH):
        btf_type = strip_names(btf, type_id)
        if isinstance(btf_type, t.Array):
            count *= btf_type.count
            type_id = btf_type.type_id
            continue
        if isinstance(btf_type, t.Ptr):
            size = count * POINTER_SIZE
        elif isinstance(btf_type, t.Int | t.Float | t.Struct | t.Union | t.Enum):
            size = count * btf_type.size
        else:
            kind = type(btf_type).__name__
            raise malformed(btf, type_id, f"type {type_id} ({kind}) has no size")
        if size > MAX_SIZE:
            raise malformed(btf, whole, f"type {whole} has more than {MAX_SIZE} bytes")
        return size
    raise malformed(btf, type_id, f"the array dimensions of type {type_id} don't end")


def known_size_of(btf: Btf, type_id: int | None) -> int:
    """Return the size of a type in bytes, 0 for what has none: ``void``, or one only declared."""
    if type_id is None:
        return 0
    element = strip_names(btf, type_id)
    for _ in range(_MAX_DEPTH):
        if not isinstance(element, t.Array):
            break
        element = strip_names(btf, element.type_id)
    sizeless = isinstance(element, t.Void | t.Fwd | t.FuncProto)
    return 0 if sizeless else size_of(btf, type_id)


def alignment_of(btf: Btf, type_id: int) -> int:
    """Return the alignment in bytes of a number, or of the elements of an array of numbers."""
    for _ in range(_MAX_DEPTH):
        btf_type = strip_names(btf, type_id)
        if not isinstance(btf_type, t.Array):
            return max(1, min(size_of(btf, type_id), POINTER_SIZE))
        type_id = btf_type.type_id
    raise malformed(btf, type_id, f"the array dimensions of type {type_id} don't end")


def reachable_members(
    btf: Btf, type_id: int, holder: t.Struct | t.Union, *, into: type[t.Struct | t.Union]
) -> list[t.Member]:
    """Return the members of a type with those of anonymous ones among them, as C reaches them.

    Offsets are from the outermost. Into a struct come the members of anonymous structs, into a
    union those of anonymous unions too. An integer of fewer bits than its size, as old compilers
    have it, makes its member a bitfield.

    Raises ObjectError if there are more than BTF can count, and for a bitfield of a type that can
    be none.
    """
    found: list[t.Member] = []
    pending = list(reversed(holder.members))
    seen = 0
    while pending:
        if seen + len(pending) > _MAX_MEMBERS:
            message = f"{c_name(btf, type_id)} has more than {_MAX_MEMBERS} members"
            raise malformed(btf, type_id, message)
        member = pending.pop()
        seen += 1
        inner = strip_names(btf, member.type_id)
        width = member.bitfield_size
        if isinstance(inner, t.Int) and inner.bits < inner.size * 8 and not width:
            width = inner.bits
        if not member.name and isinstance(inner, t.Struct | t.Union):
            if isinstance(inner, t.Struct) or into is t.Union:
                pending += (
                    dataclasses.replace(below, offset=member.offset + below.offset)
                    for below in reversed(inner.members)
                )
                continue
        elif not member.name:
            continue
        if (width or member.offset % 8) and not isinstance(inner, t.Int | t.Enum):
            message = f"{member.name} of {c_name(btf, type_id)} can be no bitfield"
            raise malformed(btf, type_id, message)
        found.append(dataclasses.replace(member, bitfield_size=width))
    return found


def c_name(btf: Btf, type_id: int) -> str:
    """Return how C spells a type: ``u64``, ``struct event``, ``char **``, ``int[4]``.

    Without ``const`` and its like, which say nothing of what is in memory.
    """
    stars = dimensions = ""
    for _ in range(_MAX_DEPTH):
        btf_type = btf[type_id]
        if isinstance(btf_type, t.Array):
            dimensions += f"[{btf_type.count}]"
            type_id = btf_type.type_id
        elif isinstance(btf_type, t.Ptr):
            stars += "*"
            type_id = btf_type.type_id
        elif isinstance(btf_type, t.Modifier):
            type_id = btf_type.type_id
        else:
            return _own_name(btf_type) + (f" {stars}" if stars else "") + dimensions
    raise malformed(btf, type_id, f"the name of type {type_id} doesn't end")


def _own_name(btf_type: t.Type) -> str:  # noqa: PLR0911 - one line for each kind
    match btf_type:
        case t.Void():
            return "void"
        case t.FuncProto():
            return "function"
        case t.Struct(name=name) | t.Fwd(name=name, is_union=False):
            return f"struct {name or '{…}'}"
        case t.Union(name=name) | t.Fwd(name=name):
            return f"union {name or '{…}'}"
        case t.Enum(name=name):
            return f"enum {name or '{…}'}"
        case t.Int() | t.Float() | t.Typedef() | t.Var() | t.Func():
            return btf_type.name
        case _:
            return type(btf_type).__name__.lower()
