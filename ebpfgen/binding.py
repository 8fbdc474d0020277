"""An :class:`~ebpfgen.model.ObjectFile` becomes a :class:`~ebpfgen.model.Module`.

Every decision about the Python side falls here: names, the class of each program and map, the
codec of each type. No I/O.
"""

from collections.abc import Iterable, Mapping

from ebpfgen.btf import types as t
from ebpfgen.btf.find import find_type
from ebpfgen.btf.layout import strip
from ebpfgen.btf.reader import Btf
from ebpfgen.comments import Comments
from ebpfgen.errors import SelectionError
from ebpfgen.map_kinds import UNTYPED, kind_of
from ebpfgen.model import Attribute, Map, Module, ObjectFile, Program, Variable
from ebpfgen.naming import Naming, camel_case, export_order, member_name, unique_names
from ebpfgen.program_kinds import factory_of
from ebpfgen.records import TypeBinder
from ebpfgen.selection import Selection
from ebpfgen.target import Target

RESERVED_ATTRIBUTES = frozenset({"attach", "close", "closed", "load"})
"""What the runtime's collections define: no program or map may take these names."""

# BPF_MAP_TYPE_* of include/uapi/linux/bpf.h.
_PERF_EVENT_ARRAY = 4
_EVENTS = {_PERF_EVENT_ARRAY: "perf_buffer", 27: "ring_buffer", 31: "user_ring_buffer"}

_CLASSES = (
    *("ProgramSpecs", "MapSpecs", "VariableSpecs", "Specs"),
    *("Programs", "Maps", "Variables", "Objects"),
)


def bind(
    object_file: ObjectFile,
    *,
    ident: str,
    source: str,
    object_name: str,
    target: Target,
    naming: Naming = Naming.CAMEL,
    selection: Selection | None = None,
    constants: Mapping[str, int] | None = None,
    comments: Comments | None = None,
) -> Module:
    """Decide what the module for an object file holds.

    *ident* names the generated classes and functions; *source* and *object_name* are the names of
    the C file and of the object that will lie beside the module. *constants* are values to export
    by their C names, *comments* what the source says of what it declares.

    Raises SelectionError if a type or map of the *selection* is not in the object.
    """
    selection = selection or Selection()
    comments = comments or Comments()
    prefix = camel_case(ident)
    names, meetings = unique_names(
        [
            *(program.name for program in object_file.programs),
            *(bpf_map.name for bpf_map in object_file.maps),
            *(variable.name for variable in object_file.variables),
        ],
        naming.spell,
        what="program, map or variable",
        reserved=RESERVED_ATTRIBUTES,
    )
    own = [*(prefix + name for name in _CLASSES), f"load_{ident}", f"load_{ident}_objects"]
    values, more_meetings = unique_names(
        constants or {}, member_name, what="constant", reserved=frozenset(own)
    )
    reserved = frozenset([*own, *values.values()])
    types = TypeBinder(
        object_file.btf,
        prefix,
        reserved=reserved,
        classes=selection.global_types,
        comments=comments,
    )
    docs = {names[c_name]: comments.of_name(c_name) for c_name in names}
    maps = _maps(object_file, names, types, dict(selection.events))
    variables = tuple(_variable(v, names[v.name], types) for v in object_file.variables)
    programs = tuple(_program(p, names[p.name]) for p in object_file.programs)
    for wanted in selection.types:
        types.add(find_type(object_file.btf, wanted))
    exports = [*reserved, *(made.name for made in types.types)]
    return Module(
        ident=ident,
        prefix=prefix,
        source=source,
        object_name=object_name,
        target=target,
        programs=_documented(programs, docs),
        maps=_documented(maps, docs),
        program_specs=tuple(_specs(object_file.programs, names, "program_spec")),
        map_specs=tuple(_specs(object_file.maps, names, "map_spec")),
        variables=_documented(variables, docs),
        variable_specs=tuple(v._replace(factory=f"{v.factory}_spec") for v in variables),
        constants=tuple((values[name], value) for name, value in (constants or {}).items()),
        types=types.types,
        exports=tuple(sorted(exports, key=export_order)),
        warnings=(*object_file.warnings, *meetings, *more_meetings, *types.warnings),
    )


def _documented(attributes: Iterable[Attribute], docs: Mapping[str, str]) -> tuple[Attribute, ...]:
    return tuple(attribute._replace(doc=docs[attribute.name]) for attribute in attributes)


def _program(program: Program, name: str) -> Attribute:
    return Attribute(
        name=name,
        factory=factory_of(program.section),
        arguments=(quoted(program.name),),
        comment=f"SEC({quoted(program.section)}).",
    )


def _maps(
    object_file: ObjectFile, names: dict[str, str], types: TypeBinder, events: dict[str, str]
) -> tuple[Attribute, ...]:
    for name in events:
        if name not in names or name not in {bpf_map.name for bpf_map in object_file.maps}:
            known = ", ".join(bpf_map.name for bpf_map in object_file.maps) or "none"
            raise SelectionError(f"--event {name}=…: no such map; maps: {known}")
    result = []
    for bpf_map in object_file.maps:
        record = events.get(bpf_map.name)
        value = find_type(object_file.btf, record) if record else bpf_map.value
        if not record and _holds_descriptors(bpf_map, object_file.btf):
            value = None
        result.append(_map(bpf_map._replace(value=value), names[bpf_map.name], types))
    return tuple(result)


def _holds_descriptors(bpf_map: Map, btf: Btf) -> bool:
    """Return whether a perf buffer says what its elements are, and not what its records are."""
    if bpf_map.type != _PERF_EVENT_ARRAY or bpf_map.value is None:
        return False
    value = btf[strip(btf, bpf_map.value)[0]]
    return isinstance(value, t.Int) and value.size == 4


def _map(bpf_map: Map, name: str, types: TypeBinder) -> Attribute:
    key = value = None
    if bpf_map.key is not None or bpf_map.key_size:
        what = f"key of map {bpf_map.name}"
        key = types.codec(bpf_map.key, bpf_map.key_size, what, f"{bpf_map.name}_key")
    if bpf_map.value is not None or bpf_map.value_size:
        what = f"value of map {bpf_map.name}"
        value = types.codec(bpf_map.value, bpf_map.value_size, what, f"{bpf_map.name}_value")
    inner = _map(bpf_map.inner, "", types) if bpf_map.inner else None
    if not name:  # an inner map
        # Clang may only declare the types of an inner map, and nothing can be read by those.
        key, value = (codec if codec and codec.layout != "0s" else None for codec in (key, value))
    arguments = [quoted(bpf_map.name)]
    count = bpf_map.max_entries
    comment = "1 entry." if count == 1 else f"{count} entries." if count else ""
    if bpf_map.type in _EVENTS:
        factory = _EVENTS[bpf_map.type]
        records = ""
        if bpf_map.value is not None and value:
            arguments.append(f"value={value.codec}")
            records = f" of {value.annotation}"
        comment = f"A {factory.replace('_', ' ')}{records}."
        return Attribute(name, factory, tuple(arguments), comment)
    kind = kind_of(bpf_map.type, has_key=key is not None, has_value=value is not None)
    if key and kind.has_key:
        arguments.append(f"key={key.codec}")
    if value and kind.has_value:
        arguments.append(f"value={value.codec}")
    if kind.has_inner:
        arguments += _held(inner, bpf_map)
    return Attribute(name, kind.factory, tuple(arguments), comment)


def _held(inner: Attribute | None, outer: Map) -> list[str]:
    """Return what is said of the maps that a map of maps holds; without a template, nothing."""
    if inner is None:
        inner = Attribute("", UNTYPED.factory, (quoted(f"{outer.name}_inner"),))
    arguments = [f"inner=rt.{inner.factory}({', '.join(inner.arguments)})"]
    if outer.inner and outer.inner.key and outer.inner.value:
        arguments.append(f"types=({outer.inner.key}, {outer.inner.value})")
    return arguments


def _variable(variable: Variable, name: str, types: TypeBinder) -> Attribute:
    what = f"variable {variable.name}"
    type_id = variable.type_id
    codec = types.codec(type_id, variable.size, what, variable.name)
    place = (quoted(variable.name), quoted(variable.section), str(variable.offset))
    comment = f"{types.c_name(type_id)} in {variable.section}."
    if type_id is None:
        types.warn_typeless(what, variable.size)
        return Attribute(name, "variable", (*place, codec.codec), comment)
    # Only the initial value of a flexible array member is beyond its type.
    beyond = variable.size > types.size(type_id)
    size = (f"size={variable.size}",) if beyond else ()
    if fields := types.fields(type_id, variable.name):
        return Attribute(name, "struct_variable", (*place, codec.codec, fields, *size), comment)
    if codec.length:
        arguments = (*place, codec.element, str(codec.length))
        return Attribute(name, "array_variable", arguments, comment)
    return Attribute(name, "variable", (*place, codec.codec, *size), comment)


def _specs(
    items: Iterable[Program | Map], names: dict[str, str], factory: str
) -> Iterable[Attribute]:
    return (Attribute(names[item.name], factory, (quoted(item.name),)) for item in items)


def quoted(text: str) -> str:
    """Return *text* as a Python string literal in double quotes, all ASCII."""
    escaped = text.encode("unicode_escape", "surrogatepass").decode()
    return '"' + escaped.replace('"', '\\"') + '"'
