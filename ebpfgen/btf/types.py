"""One class per BTF kind, named and numbered as in the kernel's ``include/uapi/linux/btf.h``.

Types refer to each other by id, as they do in BTF: id 0 is ``void``. Sizes are in bytes and the
offsets and widths of members in bits.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple


class Kind(IntEnum):
    """The number of each kind (``BTF_KIND_*``)."""

    VOID = 0
    INT = 1
    PTR = 2
    ARRAY = 3
    STRUCT = 4
    UNION = 5
    ENUM = 6
    FWD = 7
    TYPEDEF = 8
    VOLATILE = 9
    CONST = 10
    RESTRICT = 11
    FUNC = 12
    FUNC_PROTO = 13
    VAR = 14
    DATASEC = 15
    FLOAT = 16
    DECL_TAG = 17
    TYPE_TAG = 18
    ENUM64 = 19


class Linkage(IntEnum):
    """How far a variable or a function can be seen (``BTF_VAR_*`` and ``BTF_FUNC_*``)."""

    STATIC = 0
    GLOBAL = 1
    EXTERN = 2


@dataclass(frozen=True, slots=True)
class Void:
    """``void``: type id 0, which no record describes."""


class Int(NamedTuple):
    """An integer. ``bits`` is its width, which is that of its ``size`` in all code clang makes."""

    name: str
    size: int
    bits: int
    signed: bool
    is_char: bool
    is_bool: bool


class Float(NamedTuple):
    """A floating-point number."""

    name: str
    size: int


class Ptr(NamedTuple):
    """A pointer."""

    type_id: int


@dataclass(frozen=True, slots=True)
class Array:
    """An array; ``count`` is 0 for a flexible array member."""

    type_id: int
    index_type_id: int
    count: int


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a struct or union. ``bitfield_size`` is 0 for what is not a bitfield."""

    name: str
    type_id: int
    offset: int
    bitfield_size: int


class Struct(NamedTuple):
    """A struct; an empty name is an anonymous one."""

    name: str
    size: int
    members: tuple[Member, ...]


class Union(NamedTuple):
    """A union; an empty name is an anonymous one."""

    name: str
    size: int
    members: tuple[Member, ...]


class Enumerator(NamedTuple):
    """One name of an enum with its value."""

    name: str
    value: int


class Enum(NamedTuple):
    """An enum, of kind ENUM or ENUM64.

    clang before 15 has no ENUM64, and says of no ENUM that it is signed. ``cut`` says that the
    values are wider than the kind records; ``guessed`` that the sign is one of two possible.
    """

    name: str
    size: int
    signed: bool
    values: tuple[Enumerator, ...]
    cut: bool = False
    guessed: bool = False


class Fwd(NamedTuple):
    """A struct or union that is declared and not defined."""

    name: str
    is_union: bool


class Typedef(NamedTuple):
    """Another name of a type."""

    name: str
    type_id: int


class Modifier(NamedTuple):
    """``volatile``, ``const``, ``restrict`` or a type tag; ``name`` is the tag's text."""

    kind: Kind
    type_id: int
    name: str = ""


class Param(NamedTuple):
    """A parameter of a function prototype."""

    name: str
    type_id: int


class FuncProto(NamedTuple):
    """The type of a function."""

    return_type_id: int
    params: tuple[Param, ...]


class Func(NamedTuple):
    """A function; ``type_id`` is its FuncProto."""

    name: str
    type_id: int
    linkage: int


class Var(NamedTuple):
    """A global variable."""

    name: str
    type_id: int
    linkage: int


class SectionVariable(NamedTuple):
    """A variable's place in its section. clang leaves both numbers 0 for libbpf to fill in."""

    type_id: int
    offset: int
    size: int


class DataSection(NamedTuple):
    """The variables of one ELF section."""

    name: str
    size: int
    variables: tuple[SectionVariable, ...]


class DeclTag(NamedTuple):
    """A ``btf_decl_tag``; ``component`` is the member or parameter it is on, -1 for the whole."""

    name: str
    type_id: int
    component: int


Type = (
    Void
    | Int
    | Float
    | Ptr
    | Array
    | Struct
    | Union
    | Enum
    | Fwd
    | Typedef
    | Modifier
    | FuncProto
    | Func
    | Var
    | DataSection
    | DeclTag
)
