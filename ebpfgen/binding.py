"""An :class:`~ebpfgen.model.ObjectFile` becomes a :class:`~ebpfgen.model.Module`.

Every decision about the Python side falls here: names, the class of each program and map, the
codec of each type. No I/O.
"""

import json
from collections.abc import Iterable

from ebpfgen.model import Attribute, Map, Module, ObjectFile, Program
from ebpfgen.naming import Naming, camel_case, export_order, unique_names
from ebpfgen.records import TypeBinder
from ebpfgen.target import Target

RESERVED_ATTRIBUTES = frozenset({"close", "closed", "load"})
"""What the runtime's collections define: no program or map may take these names."""

_KIND_OF_SECTION = {
    "kprobe": "kprobe",
    "kretprobe": "kretprobe",
    "tracepoint": "tracepoint",
    "tp": "tracepoint",
}

# BPF_MAP_TYPE_* of include/uapi/linux/bpf.h.
_HASH, _ARRAY, _LRU_HASH = 1, 2, 9


def bind(
    object_file: ObjectFile,
    *,
    ident: str,
    source: str,
    object_name: str,
    target: Target,
    naming: Naming = Naming.CAMEL,
) -> Module:
    """Decide what the module for an object file holds.

    *ident* names the generated classes and functions; *source* and *object_name* are the names of
    the C file and of the object that will lie beside the module.

    Raises CollisionError if two C names become one Python name.
    """
    prefix = camel_case(ident)
    names = unique_names(
        [p.name for p in object_file.programs] + [m.name for m in object_file.maps],
        naming.spell,
        what="program or map",
        reserved=RESERVED_ATTRIBUTES,
    )
    own_names = _module_names(prefix, ident)
    types = TypeBinder(object_file.btf, prefix, reserved=frozenset(own_names))
    maps = tuple(_map(bpf_map, names[bpf_map.name], types) for bpf_map in object_file.maps)
    exports = [*own_names, *(made.name for made in types.types)]
    return Module(
        ident=ident,
        prefix=prefix,
        source=source,
        object_name=object_name,
        target=target,
        programs=tuple(_program(p, names[p.name]) for p in object_file.programs),
        maps=maps,
        program_specs=tuple(_specs(object_file.programs, names, "program_spec")),
        map_specs=tuple(_specs(object_file.maps, names, "map_spec")),
        types=types.types,
        exports=tuple(sorted(exports, key=export_order)),
        warnings=types.warnings,
    )


def _module_names(prefix: str, ident: str) -> list[str]:
    """Return the names that every generated module defines."""
    classes = ("ProgramSpecs", "MapSpecs", "Specs", "Programs", "Maps", "Objects")
    return [*(prefix + name for name in classes), f"load_{ident}", f"load_{ident}_objects"]


def _program(program: Program, name: str) -> Attribute:
    # A leading ? in SEC() only says that libbpf shall not load the program by itself.
    kind = program.section.lstrip("?").partition("/")[0]
    return Attribute(
        name=name,
        factory=_KIND_OF_SECTION.get(kind, "program"),
        arguments=(quoted(program.name),),
        comment=f"SEC({quoted(program.section)}).",
    )


def _map(bpf_map: Map, name: str, types: TypeBinder) -> Attribute:
    arguments = [quoted(bpf_map.name)]
    factory = "untyped_map"
    if bpf_map.type in (_HASH, _LRU_HASH):
        factory = "hash_map"
        what = f"key of map {bpf_map.name}"
        key = types.codec(bpf_map.key, bpf_map.key_size, what, f"{bpf_map.name}_key")
        arguments.append(f"key={key.codec}")
    elif bpf_map.type == _ARRAY:
        factory = "array"
    if factory != "untyped_map":
        what = f"value of map {bpf_map.name}"
        value = types.codec(bpf_map.value, bpf_map.value_size, what, f"{bpf_map.name}_value")
        arguments.append(f"value={value.codec}")
    count = bpf_map.max_entries
    entries = "1 entry." if count == 1 else f"{count} entries."
    return Attribute(name, factory, tuple(arguments), comment=entries if count else "")


def _specs(
    items: Iterable[Program | Map], names: dict[str, str], factory: str
) -> Iterable[Attribute]:
    return (Attribute(names[item.name], factory, (quoted(item.name),)) for item in items)


def quoted(text: str) -> str:
    """Return *text* as a Python string literal in double quotes, all ASCII."""
    return json.dumps(text)
