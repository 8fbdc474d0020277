"""What ebpfgen makes of the types: each one the value of a map and the type of a variable.

In modules for both byte orders.
"""

import ast
import importlib.util
import itertools
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from ebpfgen.elf import read_elf
from ebpfgen.generate import generate
from ebpfgen.jobs import Options, job_from_arguments
from ebpfgen.run import Observer
from ebpfgen.runtime import Codec, Fields
from tests.oracle.images import Place, bitfields
from tests.oracle.shapes import CType

_MAP = """
struct {{
    int (*type)[2], (*max_entries)[1];
    unsigned *key;
    {spelling} *value;
}} map_{number} __attribute__((section(".maps"), used));
{spelling} var_{number};
"""

_counter = itertools.count()


@dataclass(slots=True)
class Bindings:
    """The generated modules, by the name of their target, and the warnings."""

    paths: dict[str, Path]
    modules: dict[str, ModuleType]
    codecs: dict[str, list[Codec[Any]]]
    fields: dict[str, list[type[Fields] | None]]
    """The classes of the fields of variables, None where a type has none."""

    warnings: list[str]
    marks: list[tuple[int, Place, bytes]]
    """All bits of a bitfield set in zeros, by clang for bpfeb: type, bitfield, bytes."""


def bindings_of(types: Sequence[CType], folder: Path) -> Bindings:
    """Generate and import the modules for *types*."""
    source, marked = _source(types)
    (folder / "types.c").write_text(source)
    options = Options(targets=("bpfel,bpfeb",), cflags=("-w",))
    warnings: list[str] = []
    job = job_from_arguments("bpf", Path("types.c"), folder, options)
    made = generate([job], observer=Observer(warning=warnings.append))
    paths = {variant.target.name: variant.object.with_suffix(".py") for variant in made}
    modules = {target: _import(path) for target, path in paths.items()}
    codecs = {target: _codecs(paths[target], modules[target]) for target in paths}
    fields = {target: _fields(paths[target], modules[target]) for target in paths}
    elf = read_elf(paths["bpfeb"].with_suffix(".o").read_bytes())
    data = {section.index: section.data for section in elf.sections if section.name == "marks"}
    found = {s.name: data[s.section][s.value :] for s in elf.symbols if s.section in data}
    marks = [(i, place, found[name][: types[i].size]) for name, (i, place) in marked.items()]
    return Bindings(paths, modules, codecs, fields, warnings, marks)


def _source(types: Sequence[CType]) -> tuple[str, dict[str, tuple[int, Place]]]:
    parts = [ctype.text for ctype in types]
    marked: dict[str, tuple[int, Place]] = {}
    for number, ctype in enumerate(types):
        parts.append(_MAP.format(spelling=ctype.spelling, number=number))
        for place in itertools.islice(bitfields(ctype), 200):
            name = f"mark_{number}_{len(marked)}"
            value = 1 if place.kind == "bool" else -1
            parts.append(
                f'{ctype.spelling} {name} __attribute__((section("marks"))) = '
                f"{{ {place.path} = {value} }};"
            )
            marked[name] = number, place
    return "\n".join(parts) + "\n", marked


def _import(path: Path) -> ModuleType:
    """Import a module under a name that no other has."""
    name = f"{path.stem}_{next(_counter)}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses looks a class's module up there
    try:
        spec.loader.exec_module(module)
    finally:
        del sys.modules[name]
    return module


def _codecs(path: Path, module: ModuleType) -> list[Codec[Any]]:
    """Return the codec of each map's value, as the module's text has it."""
    found: dict[str, Codec[Any]] = {}
    for name, call in _calls(path, "rt.array"):
        (value,) = (keyword.value for keyword in call.keywords if keyword.arg == "value")
        found[name] = eval(ast.unparse(value), vars(module))
    return [found[f"map_{number}"] for number in range(len(found))]


def _fields(path: Path, module: ModuleType) -> list[type[Fields] | None]:
    """Return the class of each variable's fields."""
    found: dict[str, type[Fields] | None] = {}
    for factory in ("variable", "array_variable"):
        found |= {name: None for name, _ in _calls(path, f"rt.{factory}")}
    for name, call in _calls(path, "rt.struct_variable"):
        found[name] = eval(ast.unparse(call.args[4]), vars(module))
    return [found[f"var_{number}"] for number in range(len(found))]


def _calls(path: Path, function: str) -> Iterator[tuple[str, ast.Call]]:
    """Yield the calls of a function in a module, each with its first argument."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == function:
            name = node.args[0]
            assert isinstance(name, ast.Constant)
            yield str(name.value), node
