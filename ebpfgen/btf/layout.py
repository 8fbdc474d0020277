"""Sizes of C types, and what lies behind their other names."""

from ebpfgen.btf import types as t
from ebpfgen.btf.reader import Btf
from ebpfgen.errors import ObjectError

POINTER_SIZE = 8
"""The size of a pointer in BPF, whatever the machine that runs it."""

MAX_SIZE = 0xFFFFFFFF
"""The largest size in bytes: the kernel, too, refuses arrays past it (``btf_array_resolve``)."""

# Chains of typedefs, modifiers and array dimensions are short in C; a longer one is a loop.
_MAX_DEPTH = 32


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


def element_of(btf: Btf, type_id: int) -> t.Type:
    """Return what the arrays of a type, of any dimensions, are made of: the type if it is none."""
    for _ in range(_MAX_DEPTH):
        btf_type = strip_names(btf, type_id)
        if not isinstance(btf_type, t.Array):
            return btf_type
        type_id = btf_type.type_id
    raise malformed(btf, type_id, f"the array dimensions of type {type_id} don't end")


def is_typeless(btf: Btf, type_id: int) -> bool:
    """Whether something with bytes has no type, or is an array of such things.

    It is ``_Atomic``, for which clang before 20 writes ``void``.
    """
    return isinstance(element_of(btf, type_id), t.Void)


def known_size_of(btf: Btf, type_id: int | None) -> int:
    """Return the size of a type in bytes, 0 for what has none: ``void``, or one only declared."""
    if type_id is None:
        return 0
    sizeless = isinstance(element_of(btf, type_id), t.Void | t.Fwd | t.FuncProto)
    return 0 if sizeless else size_of(btf, type_id)


def alignment_of(btf: Btf, type_id: int) -> int:
    """Return the alignment in bytes of a number, or of the elements of an array of numbers."""
    for _ in range(_MAX_DEPTH):
        btf_type = strip_names(btf, type_id)
        if not isinstance(btf_type, t.Array):
            return max(1, min(size_of(btf, type_id), POINTER_SIZE))
        type_id = btf_type.type_id
    raise malformed(btf, type_id, f"the array dimensions of type {type_id} don't end")


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
