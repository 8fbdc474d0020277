"""An ELF file and its BTF become an :class:`~ebpfgen.model.ObjectFile`.

What counts as a program or a map is what libbpf takes for one (``bpf_object__add_programs`` and
``parse_btf_map_def`` in its ``libbpf.c``).
"""

from collections.abc import Iterator, Sequence

from ebpfgen.btf import types as t
from ebpfgen.btf.layout import (
    alignment_of,
    known_size_of,
    malformed,
    size_of,
    strip,
    strip_names,
)
from ebpfgen.btf.reader import Btf
from ebpfgen.elf import Elf, Symbol, read_elf
from ebpfgen.errors import ObjectError
from ebpfgen.model import Map, ObjectFile, Program, Variable

_STRUCT_OPS = 26
"""BPF_MAP_TYPE_STRUCT_OPS: libbpf makes a map of each variable in its sections."""


def read_object(data: bytes, name: str) -> ObjectFile:
    """Read the object file *data*; *name* is what errors call it.

    Raises ObjectError if it is malformed, with the place of the fault; or, without one, if it has
    no BTF or holds what libbpf refuses.
    """
    elf = read_elf(data)
    section = elf.section(".BTF")
    if section is None:
        raise ObjectError(f"{name} has no BTF: compile with -g (and without -g0)")
    btf = Btf(section.data)
    if btf.byte_order != elf.byte_order:
        raise ObjectError(f"{name} and its BTF differ in byte order", where=".BTF", offset=0)
    if legacy := elf.section("maps"):
        names = ", ".join(s.name for s in elf.symbols if s.section == legacy.index and s.name)
        raise ObjectError(
            f'{name} defines {names or "maps"} in SEC("maps"), which libbpf 1.0 dropped: define '
            'them with __uint() and __type() in SEC(".maps")'
        )
    sections = [section for _, section in btf.of(t.DataSection)]
    unread = [s.name for s in sections if s.name.startswith(".addr_space.")]
    return ObjectFile(
        byte_order=elf.byte_order,
        programs=tuple(_programs(elf, name)),
        maps=(*_maps(btf), *_struct_ops(btf, sections)),
        variables=(*_variables(elf, btf, sections), *_kconfig(btf, sections)),
        btf=btf,
        warnings=tuple(f"globals of the arena ({name}) have no attributes" for name in unread),
    )


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
        symbols_of.setdefault(symbol.section, {})[symbol.name] = symbol
    for section in sections:
        if section.name.split(".")[1:2] not in (["data"], ["bss"], ["rodata"]):
            continue
        found = elf.section(section.name)
        symbols = symbols_of.get(found.index, {}) if found else {}
        places: list[tuple[Symbol, t.Var]] = []
        for place in section.variables:
            variable = btf[place.type_id]
            if not isinstance(variable, t.Var) or variable.name not in symbols:
                continue
            if variable.linkage == t.Linkage.GLOBAL:
                places.append((symbols[variable.name], variable))
        for symbol, variable in sorted(places, key=lambda pair: pair[0].value):
            typed = variable.type_id or None
            yield Variable(variable.name, section.name, symbol.value, symbol.size, typed)


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
        if section.name in (".struct_ops", ".struct_ops.link"):
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

    def size(type_id: int | None) -> int:
        """Clang may only declare the types of an inner map; libbpf needs those of the others."""
        if is_inner or type_id is None:
            return known_size_of(btf, type_id)
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
        key_size=number("key_size") or size(key),
        value_size=number("value_size") or size(value),
        max_entries=number("max_entries"),
        inner=_inner_map(btf, name, members["values"]) if has_inner else None,
    )
