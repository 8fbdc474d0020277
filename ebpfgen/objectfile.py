"""An ELF file and its BTF become an :class:`~ebpfgen.model.ObjectFile`.

What counts as a program or a map is what libbpf takes for one (``bpf_object__add_programs`` and
``parse_btf_map_def`` in its ``libbpf.c``).
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING

from ebpfgen.atomics import forget_wrong_elements
from ebpfgen.btf import types as t
from ebpfgen.btf.layout import (
    alignment_of,
    is_typeless,
    known_size_of,
    malformed,
    size_of,
    strip,
    strip_names,
)
from ebpfgen.btf.reader import Btf, EnumLookup
from ebpfgen.elf import Elf, Symbol, read_elf
from ebpfgen.errors import ObjectError
from ebpfgen.model import Map, ObjectFile, Program, Variable

if TYPE_CHECKING:
    from ebpfgen.dwarf import DebugEnum

_STRUCT_OPS = 26
"""BPF_MAP_TYPE_STRUCT_OPS: libbpf makes a map of each variable in its sections."""

# A leading ? says that libbpf shall not create the map by itself.
_STRUCT_OPS_SECTION = re.compile(r"\??\.struct_ops(\.link)?")

_DATA_SECTION = re.compile(r"\.(data|bss|rodata)(\..*)?")
_ARENA_SECTION = ".addr_space.1"


def read_object(data: bytes, name: str, *, parts: Sequence[bytes] = ()) -> ObjectFile:
    """Read the object file *data*; *name* is what errors call it.

    What its BTF does not record of enums and ``_Atomic`` elements is in its DWARF, or in that of
    the *parts* that it was linked of. Reading that takes longer than all else, so neither is looked
    at before an enum needs it, or if it has no atomic types.

    Raises ObjectError if it is malformed, with the place of the fault; or, without one, if it has
    no BTF or holds what libbpf refuses.
    """
    elf = read_elf(data)
    section = elf.section(".BTF")
    if section is None:
        raise ObjectError(_no_btf(elf, name))
    btf = Btf(section.data, _enum_lookup(chain([data], parts)))
    if btf.byte_order != elf.byte_order:
        raise ObjectError(f"{name} and its BTF differ in byte order", where=".BTF", offset=0)
    forget_wrong_elements(btf, [(elf, data), *((read_elf(part), part) for part in parts)])
    _check_maps(elf, name)
    sections = [section for _, section in btf.of(t.DataSection)]
    return ObjectFile(
        byte_order=elf.byte_order,
        programs=tuple(_programs(elf, name)),
        maps=(*_maps(btf), *_struct_ops(btf, sections)),
        variables=(*_variables(elf, btf, sections), *_kconfig(btf, sections)),
        btf=btf,
        warnings=tuple(_unread(btf, sections)),
    )


def _no_btf(elf: Elf, name: str) -> str:
    """Return why there is no BTF: clang makes none of a source that defines nothing."""
    defined = [symbol for symbol in elf.symbols if symbol.type in ("STT_FUNC", "STT_OBJECT")]
    if not defined:
        return f"{name} is empty: define a program, a map or a global variable in it"
    return f"{name} has no BTF: compile with -g (and without -g0)"


def _check_maps(elf: Elf, name: str) -> None:
    """Raise ObjectError for maps as ``struct bpf_map_def`` has them."""
    legacy = {s.index: s.name for s in elf.sections if re.fullmatch("maps(/.*)?", s.name)}
    if legacy:
        names = ", ".join(s.name for s in elf.symbols if s.section in legacy and s.name)
        raise ObjectError(
            f'{name} defines {names or "maps"} in SEC("{next(iter(legacy.values()))}"), which '
            'libbpf does not read: define them with __uint() and __type() in SEC(".maps")'
        )


def _unread(btf: Btf, sections: Sequence[t.DataSection]) -> Iterator[str]:
    """Yield a warning of the variables that get no attributes though others of their kind do."""
    for section in sections:
        if section.name == _ARENA_SECTION:
            names = ", ".join(variable.name for variable in _globals(btf, section))
            yield (
                f"{names} lie in the arena ({section.name}), which Python does not map, and get no "
                "attributes: copy what Python shall see to a map or to another global variable"
            )


def _enum_lookup(objects: Iterable[bytes]) -> EnumLookup:
    """Return what finds enums in the DWARF of *objects*: by name, size and what BTF has of them."""

    @cache
    def known() -> dict[tuple[object, ...], t.Enum]:
        found = {}
        for enum in (enum for data in objects for enum in _debug_enums(data)):
            values = tuple(t.Enumerator(*value) for value in enum.values)
            complete = t.Enum(enum.name, enum.size, enum.signed, values)
            found[_recorded(complete)] = complete
        return found

    return lambda enum: known().get(_recorded(enum))


def _recorded(enum: t.Enum) -> tuple[object, ...]:
    """Return what BTF without signs and ENUM64 has of an enum: 32 bits of each value."""
    values = ((value.name, value.value & 0xFFFFFFFF) for value in enum.values)
    return enum.name, enum.size, *values


def _debug_enums(data: bytes) -> "list[DebugEnum]":
    """Return the enums of an object's DWARF; one that can't be read is worth as much as none."""
    from ebpfgen.dwarf import read_debug_enums  # few objects need it

    try:
        return read_debug_enums(data)
    except ObjectError:
        return []


def _programs(elf: Elf, name: str) -> Iterator[Program]:
    """Yield the functions with a ``SEC()``; those in ``.text`` are called by others."""
    code = {s.index: s.name for s in elf.sections if s.executable and s.name != ".text"}
    found = [
        symbol
        for symbol in elf.symbols
        if symbol.type == "STT_FUNC" and symbol.section in code and symbol.name
    ]
    for symbol in sorted(found, key=lambda symbol: (symbol.section or 0, symbol.value)):
        section = code[symbol.section or 0]
        if symbol.binding == "STB_LOCAL":
            raise ObjectError(
                f"{name}: program {symbol.name} in SEC({section!r}) is static, which libbpf "
                "refuses: remove the static"
            )
        yield Program(symbol.name, section)


def _variables(elf: Elf, btf: Btf, sections: Sequence[t.DataSection]) -> Iterator[Variable]:
    """Yield the global variables that libbpf puts into maps, with their places from the symbols.

    clang leaves the places 0 in BTF. Static variables are left out, as bpftool's skeletons do.
    """
    symbols_of: dict[int | None, dict[str, Symbol]] = {}
    for symbol in elf.symbols:
        # A static variable of another source may have the name of a global one.
        if symbol.binding != "STB_LOCAL":
            symbols_of.setdefault(symbol.section, {})[symbol.name] = symbol
    for section in sections:
        found = elf.section(section.name)
        if found is None or not _DATA_SECTION.fullmatch(section.name):
            continue
        symbols = symbols_of.get(found.index, {})
        found_in_both = (v for v in _globals(btf, section) if v.name in symbols)
        places = [(symbols[variable.name], variable) for variable in found_in_both]
        for symbol, variable in sorted(places, key=lambda pair: pair[0].value):
            typed = variable.type_id if _fits(btf, variable.type_id, symbol.size) else None
            yield Variable(variable.name, section.name, symbol.value, symbol.size, typed)


def _fits(btf: Btf, type_id: int, size: int) -> bool:
    """Whether a variable of *size* bytes may be of a type.

    Without DWARF, the size is what tells that the elements of an ``_Atomic`` array have the type of
    others. A struct may be smaller than its variable, by its flexible array member.
    """
    if isinstance(strip_names(btf, type_id), t.Array):
        return known_size_of(btf, type_id) == size and not is_typeless(btf, type_id)
    return not is_typeless(btf, type_id)


def _globals(btf: Btf, section: t.DataSection) -> Iterator[t.Var]:
    """Yield the variables of a section that are not static."""
    for place in section.variables:
        variable = btf[place.type_id]
        if isinstance(variable, t.Var) and variable.linkage == t.Linkage.GLOBAL:
            yield variable


def _kconfig(btf: Btf, sections: Sequence[t.DataSection]) -> Iterator[Variable]:
    """Yield ``extern … __kconfig`` variables where libbpf will put them.

    It sorts them by alignment, the largest first, then size and name (``cmp_externs``).
    """
    variables = [v.type_id for s in sections if s.name == ".kconfig" for v in s.variables]
    found = [v for v in map(btf.__getitem__, variables) if isinstance(v, t.Var)]
    sized = [(alignment_of(btf, v.type_id), size_of(btf, v.type_id), v) for v in found]
    offset = 0
    for alignment, size, variable in sorted(sized, key=lambda e: (-e[0], e[1], e[2].name)):
        offset = -(-offset // alignment) * alignment
        yield Variable(variable.name, ".kconfig", offset, size, variable.type_id)
        offset += size


def _struct_ops(btf: Btf, sections: Sequence[t.DataSection]) -> Iterator[Map]:
    for section in sections:
        if _STRUCT_OPS_SECTION.fullmatch(section.name):
            for place in section.variables:
                variable = btf[place.type_id]
                if isinstance(variable, t.Var):
                    size = size_of(btf, variable.type_id)
                    yield Map(variable.name, _STRUCT_OPS, None, None, 4, size, 1)


def _maps(btf: Btf) -> Iterator[Map]:
    section = btf.data_section(".maps")
    for place in section.variables if section else ():
        variable = btf[place.type_id]
        if not isinstance(variable, t.Var):
            raise malformed(btf, place.type_id, f"type {place.type_id} in .maps is no variable")
        yield _map(btf, variable.name, strip(btf, variable.type_id)[0])


def _inner_map(btf: Btf, name: str, type_id: int) -> Map | None:
    """Return what ``__array(values, struct { … })`` says of the maps in a map of maps."""
    array = strip_names(btf, type_id)
    pointer = strip_names(btf, array.type_id) if isinstance(array, t.Array) else None
    if not isinstance(pointer, t.Ptr):
        return None
    inner_id, _ = strip(btf, pointer.type_id)
    is_struct = isinstance(btf[inner_id], t.Struct)
    return _map(btf, f"{name}_inner", inner_id, is_inner=True) if is_struct else None


def _map(btf: Btf, name: str, definition_id: int, *, is_inner: bool = False) -> Map:
    definition = btf[definition_id]
    if not isinstance(definition, t.Struct):
        raise malformed(btf, definition_id, f"map {name} is not defined by a struct")
    members = {member.name: member.type_id for member in definition.members}

    def pointed_at(member: str) -> int:
        pointer = strip_names(btf, members[member])
        if isinstance(pointer, t.Ptr):
            return pointer.type_id
        message = f"map {name} has a member not made by __uint() or __type()"
        raise malformed(btf, definition_id, message)

    def number(member: str) -> int:
        """``__uint(name, value)`` declares a pointer to an array of that many elements."""
        if member not in members:
            return 0
        array = btf[pointed_at(member)]
        if isinstance(array, t.Array):
            return array.count
        raise malformed(btf, definition_id, f"{member} of map {name} is not made by __uint()")

    def size(member: str, type_id: int | None) -> int:
        """Clang may only declare the types of an inner map; libbpf needs those of the others."""
        if is_inner or type_id is None:
            return known_size_of(btf, type_id)
        if is_typeless(btf, type_id):
            raise ObjectError(
                f"the {member} of map {name} has no size in the BTF, and libbpf refuses it: use "
                "neither void nor, before clang 20, _Atomic"
            )
        return size_of(btf, type_id)

    key = pointed_at("key") if "key" in members else None
    value = pointed_at("value") if "value" in members else None
    # libbpf allows one level: what is in a map of maps is none.
    has_inner = "values" in members and not is_inner
    return Map(
        name=name,
        type=number("type"),
        key=key,
        value=value,
        key_size=number("key_size") or size("key", key),
        value_size=number("value_size") or size("value", value),
        max_entries=number("max_entries"),
        inner=_inner_map(btf, name, members["values"]) if has_inner else None,
    )
