"""What the stages hand to each other: facts of an object file, and a Python module to be.

:class:`ObjectFile` says what C and the compiler say and has no Python spelling in it.
:class:`Module` has every Python name and expression final; whoever writes it out decides nothing.
"""

from typing import NamedTuple

from ebpfgen.btf.reader import Btf
from ebpfgen.target import ByteOrder, Target


class Program(NamedTuple):
    """A BPF program: a function and the ``SEC()`` it is in."""

    name: str
    section: str


class Map(NamedTuple):
    """A map as ``SEC(".maps")`` defines it.

    ``type`` is the kernel's number (``BPF_MAP_TYPE_*``). Sizes are in bytes, 0 where the definition
    has none; ``key`` and ``value`` are type ids in the object's BTF, None where only a size is
    given. ``inner`` is what a map of maps holds.
    """

    name: str
    type: int
    key: int | None
    value: int | None
    key_size: int
    value_size: int
    max_entries: int
    inner: "Map | None" = None


class Variable(NamedTuple):
    """A global variable: its section, its place there and its size in bytes.

    ``type_id`` is None where the compiler gives it no type.
    """

    name: str
    section: str
    offset: int
    size: int
    type_id: int | None


class ObjectFile(NamedTuple):
    """What an object file holds, in the order of the file."""

    byte_order: ByteOrder
    programs: tuple[Program, ...]
    maps: tuple[Map, ...]
    btf: Btf
    variables: tuple[Variable, ...] = ()
    warnings: tuple[str, ...] = ()


class Attribute(NamedTuple):
    """A program, map or variable of a generated group: ``name = rt.factory(arguments)``.

    ``comment`` is said of it in its docstring, after ``doc``, what the C source says.
    """

    name: str
    factory: str
    arguments: tuple[str, ...]
    comment: str = ""
    doc: str = ""


class Field(NamedTuple):
    """A member of a generated dataclass; ``comment`` is its C type, ``doc`` the C comment."""

    name: str
    annotation: str
    comment: str
    doc: str = ""


class Alias(NamedTuple):
    """A member of an anonymous union, reached through the field that holds the union."""

    name: str
    annotation: str
    through: str
    comment: str
    doc: str = ""


class Tail(NamedTuple):
    """A flexible array member: its field, where it begins, and the codec of its elements."""

    name: str
    offset: int
    codec: str


class Record(NamedTuple):
    """A C struct as a dataclass.

    ``format`` is that of :mod:`struct` and covers all its bytes; ``decode`` are the expressions of
    the fields, made of ``v``, what the format unpacks to; ``encode`` those of the format's values,
    made of ``self``, and ``labels`` what errors call them. ``constants`` are codecs that the
    expressions use, by name. ``dtype`` maps names to numpy types and offsets.
    """

    name: str
    c_name: str
    size: int
    format: str
    fields: tuple[Field, ...]
    decode: tuple[str, ...]
    encode: tuple[str, ...]
    labels: tuple[str, ...]
    constants: tuple[tuple[str, str], ...]
    dtype: tuple[tuple[str, str, int], ...]
    aliases: tuple[Alias, ...] = ()
    tail: Tail | None = None
    doc: str = ""
    kind: str = "record"

    @property
    def is_plain(self) -> bool:
        """Whether the fields are what the format unpacks to, as it is."""
        return self.decode == tuple(f"v[{index}]" for index in range(len(self.decode)))


class OverlayMember(NamedTuple):
    """A member of a union: ``descriptor`` is the expression that reads and writes it."""

    name: str
    annotation: str
    descriptor: str
    comment: str
    doc: str = ""


class Overlay(NamedTuple):
    """A C union, or a struct whose members overlap, as a class over its bytes.

    ``label`` is what errors call it, where that is not its name: the struct that it is a part of.
    """

    name: str
    c_name: str
    size: int
    members: tuple[OverlayMember, ...]
    dtype: tuple[tuple[str, str, int], ...]
    label: str = ""
    doc: str = ""
    kind: str = "overlay"


class Fields(NamedTuple):
    """The members of variables of one type, each read and written by itself.

    ``label`` is what errors call the variable's type.
    """

    name: str
    c_name: str
    members: tuple[OverlayMember, ...]
    label: str
    kind: str = "fields"


class Enumeration(NamedTuple):
    """A C enum as an IntEnum; ``values`` have name, value and the source's comment."""

    name: str
    c_name: str
    size: int
    values: tuple[tuple[str, int, str], ...]
    doc: str = ""
    kind: str = "enumeration"


GeneratedType = Record | Overlay | Fields | Enumeration


class Module(NamedTuple):
    """A generated module, but for its text.

    ``prefix`` begins the names of its classes and ``ident`` ends those of its functions;
    ``source`` and ``object_name`` are file names without folders. ``warnings`` are for the person
    who generates it.
    """

    ident: str
    prefix: str
    source: str
    object_name: str
    target: Target
    programs: tuple[Attribute, ...]
    maps: tuple[Attribute, ...]
    program_specs: tuple[Attribute, ...]
    map_specs: tuple[Attribute, ...]
    variables: tuple[Attribute, ...]
    variable_specs: tuple[Attribute, ...]
    constants: tuple[tuple[str, int], ...]
    types: tuple[GeneratedType, ...]
    exports: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def hides_types(self) -> bool:
        """Whether some member has the name of one of Python's types."""
        records = (made for made in self.types if isinstance(made, Record))
        return any("builtins." in field.annotation for made in records for field in made.fields)


class Variant(NamedTuple):
    """A generated module as the facade knows it: its name and the machines it fits."""

    module: str
    byte_order: ByteOrder
    machines: tuple[str, ...]
    exports: tuple[str, ...]


class Facade(NamedTuple):
    """The module that stands for whichever variant fits the machine it runs on.

    ``variants`` are in the order in which they are tried; ``in_package`` says whether they lie in
    a package, as type checkers need to know.
    """

    source: str
    variants: tuple[Variant, ...]
    in_package: bool
