"""The members of structs and unions: which there are, what they are called, what room they have."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from ebpfgen.btf import types as t
from ebpfgen.btf.layout import is_typeless, size_of, strip
from ebpfgen.btf.reader import Btf
from ebpfgen.naming import distinct_names, member_name

RESERVED_MEMBERS = frozenset(
    {"SIZE", "dtype", "pack", "pack_into", "unpack_from"}
    | {"_bytes", "_data", "_label", "_labels", "_layout", "_memory", "_misfit", "_put", "_values"}
    | {"ClassVar", "classmethod", "object", "property", "rt"}
)
"""What every generated class defines or uses by name: no member may take these names."""


@dataclass(frozen=True, slots=True)
class Place:
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
            return replace(self, base=base)
        what, path = f"{self.what}.{c_name}", f"{self.path}{c_name}."
        return Place(what, base, f"{self.label}.{spelled}", self.holder, path)


@dataclass(frozen=True, slots=True)
class PlacedMember(t.Member):
    """A member with its offset from the outermost struct or union.

    ``end`` is where the one that declares it ends, in bytes from there.
    """

    end: int


def members_of(
    btf: Btf, holder: t.Struct | t.Union, *, into: type[t.Struct | t.Union], base: int = 0
) -> Iterator[PlacedMember]:
    """Yield the members with those of anonymous ones among them.

    Into a struct come those of anonymous structs, into a union those of anonymous unions too.
    """
    end = base // 8 + holder.size
    for member in holder.members:
        offset = base + member.offset
        inner = btf[strip(btf, member.type_id)[0]]
        width = member.bitfield_size
        if isinstance(inner, t.Int) and inner.bits < inner.size * 8 and not width:
            width = inner.bits
        if not member.name and isinstance(inner, t.Struct | t.Union):
            if isinstance(inner, t.Struct) or into is t.Union:
                yield from members_of(btf, inner, into=into, base=offset)
                continue
        elif not member.name:
            continue
        yield PlacedMember(member.name, member.type_id, offset, width, end)


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

    One without a type has all up to the next of *members*, or to the end of what declares it.
    """
    if not is_typeless(btf, member.type_id):
        return size_of(btf, member.type_id)
    start = member.offset // 8
    following = (other.offset // 8 for other in members)
    return min([member.end, *(offset for offset in following if offset > start)]) - start
