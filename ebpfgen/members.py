"""The members of structs and unions: which there are, what they are called, what room they have."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from ebpfgen.btf import types as t
from ebpfgen.btf.layout import c_name, is_typeless, malformed, size_of, strip_names
from ebpfgen.btf.reader import Btf
from ebpfgen.naming import distinct_names, member_name

RESERVED_MEMBERS = frozenset(
    {"SIZE", "dtype", "pack", "pack_into", "unpack_from"}
    | {"_beyond", "_bytes", "_data", "_each", "_label", "_labels", "_layout", "_memory", "_misfit"}
    | {"_put", "_tail", "_values"}
    | {"ClassVar", "classmethod", "object", "property", "rt"}
)
"""What every generated class defines or uses by name: no member may take these names."""

# What BTF can count; anonymous structs within each other soon make more, or never end.
_MAX_MEMBERS = 0xFFFF


class Place(NamedTuple):
    """Where a type is used: all there is to call it by, if C gives it no name.

    ``what`` is for warnings, ``base`` for the name of a class, ``label`` for errors of the
    generated module. ``holder`` and ``path`` are those of the comments on its members
    (:meth:`~ebpfgen.comments.Comments.of_member`).
    """

    what: str
    base: str = ""
    label: str = ""
    holder: str = ""
    path: str = ""

    def member(self, c_name: str, spelled: str) -> "Place":
        """Return the place of a member, *spelled* so in Python.

        What an anonymous one contains is the holder's own, as in C.
        """
        base = f"{self.base}_{spelled}"
        if not c_name:
            return self._replace(base=base)
        what, path = f"{self.what}.{c_name}", f"{self.path}{c_name}."
        return Place(what, base, f"{self.label}.{spelled}", self.holder, path)


@dataclass(frozen=True, slots=True)
class PlacedMember(t.Member):
    """A member with its offset from the outermost struct or union.

    ``end`` is where the one that declares it ends, in bytes from there.
    """

    end: int


def members_of(
    btf: Btf, type_id: int, holder: t.Struct | t.Union, *, into: type[t.Struct | t.Union]
) -> list[PlacedMember]:
    """Return the members of a type with those of anonymous ones among them, as C reaches them.

    Into a struct come the members of anonymous structs, into a union those of anonymous unions too.
    An integer of fewer bits than its size, as old compilers have it, makes its member a bitfield.

    Raises ObjectError if there are more than BTF can count, and for a bitfield of a type that can
    be none.
    """
    found: list[PlacedMember] = []
    pending = _placed(holder, 0)
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
                pending += _placed(inner, member.offset)
                continue
        elif not member.name:
            continue
        if (width or member.offset % 8) and not isinstance(inner, t.Int | t.Enum):
            message = f"{member.name} of {c_name(btf, type_id)} can be no bitfield"
            raise malformed(btf, type_id, message)
        found.append(replace(member, bitfield_size=width))
    return found


def _placed(holder: t.Struct | t.Union, base: int) -> list[PlacedMember]:
    """Return the members of what begins at *base* bits, the last one first."""
    end = base // 8 + holder.size
    return [
        PlacedMember(member.name, member.type_id, base + member.offset, member.bitfield_size, end)
        for member in reversed(holder.members)
    ]


def names_of(members: Sequence[t.Member], class_prefix: str) -> dict[t.Member, str]:
    """Return what Python calls each member.

    One that is called like a class of the module would hide it from annotations.
    """
    wanted = [member.name or f"anonymous_{i}" for i, member in enumerate(members)]
    like_classes = {name for name in wanted if name.startswith(class_prefix)}
    names = distinct_names(wanted, member_name, reserved=RESERVED_MEMBERS | like_classes)
    return dict(zip(members, names, strict=True))


def bytes_of(btf: Btf, member: PlacedMember, members: Iterable[t.Member]) -> int:
    """Return the size of a member in bytes.

    One without a type has all up to the next of *members*, or to the end of what declares it: none
    if it begins there, or where no member can be.
    """
    if not is_typeless(btf, member.type_id):
        return size_of(btf, member.type_id)
    start = member.offset // 8
    following = (other.offset // 8 for other in members)
    end = min([member.end, *(offset for offset in following if offset > start)])
    return max(end - start, 0)
