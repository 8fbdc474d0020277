"""What the stages hand to each other: facts of an object file, and a Python module to be.

:class:`ObjectFile` says what C and the compiler say and has no Python spelling in it.
:class:`Module` has every Python name and expression final; whoever writes it out decides nothing.
"""

from dataclasses import dataclass

from ebpfgen.btf.reader import Btf
from ebpfgen.target import ByteOrder, Target


@dataclass(frozen=True, slots=True)
class Program:
    """A BPF program: a function and the ``SEC()`` it is in."""

    name: str
    section: str


@dataclass(frozen=True, slots=True)
class Map:
    """A map as ``SEC(".maps")`` defines it.

    ``type`` is the kernel's number (``BPF_MAP_TYPE_*``). Sizes are in bytes, 0 where the definition
    has none; ``key`` and ``value`` are type ids in the object's BTF, None where only a size is
    given.
    """

    name: str
    type: int
    key: int | None
    value: int | None
    key_size: int
    value_size: int
    max_entries: int


@dataclass(frozen=True, slots=True)
class ObjectFile:
    """What an object file holds, in the order of the file."""

    byte_order: ByteOrder
    programs: tuple[Program, ...]
    maps: tuple[Map, ...]
    btf: Btf


@dataclass(frozen=True, slots=True)
class Attribute:
    """One line of a generated group: ``name = rt.factory(arguments)  # comment``."""

    name: str
    factory: str
    arguments: tuple[str, ...]
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """A member of a generated dataclass.

    ``decode`` makes its value of ``v``, the tuple that the struct's format unpacks to; ``encode``
    makes the format's arguments of ``self``. Both are Python expressions.
    """

    name: str
    annotation: str
    decode: str
    encode: str
    comment: str


@dataclass(frozen=True, slots=True)
class Record:
    """A C struct as a dataclass; ``format`` is that of :mod:`struct` and covers all its bytes."""

    name: str
    c_name: str
    size: int
    format: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Module:
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
    records: tuple[Record, ...]
    exports: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Variant:
    """A generated module as the facade knows it: its name and the machines it fits."""

    module: str
    byte_order: ByteOrder
    machines: tuple[str, ...]
    exports: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Facade:
    """The module that stands for whichever variant fits the machine it runs on.

    ``variants`` are in the order in which they are tried; ``in_package`` says whether they lie in
    a package, as type checkers need to know.
    """

    source: str
    variants: tuple[Variant, ...]
    in_package: bool
