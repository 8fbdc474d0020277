"""Takes one program of the corpus through everything that must work on it."""

import importlib.util
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from unittest import mock

from ebpfgen.btf import types as t
from ebpfgen.emit import render_module
from ebpfgen.errors import CompileError, EbpfgenError
from ebpfgen.generate import generate
from ebpfgen.jobs import Options, job_from_arguments
from ebpfgen.model import Module
from ebpfgen.objectfile import read_object
from ebpfgen.records import TypeBinder
from ebpfgen.run import Observer
from tests.corpus.dwarf import Dwarf
from tests.corpus.layouts import Tally, compare

IDENT = "bpf"


@dataclass(frozen=True)
class Tools:
    """What the corpus is compiled and compared with; an empty name is a tool not found here."""

    cflags: tuple[str, ...]
    folder: Path
    output: Path
    bpftool: str = ""
    bpf2go: str = ""


@dataclass
class Made:
    """What comes up while a variant is generated: as much of it as there is before an error.

    ``unstripped`` is clang's object with its DWARF, which the binding's object no longer has.
    """

    unstripped: bytes = b""
    module: Module | None = None
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Outcome:
    """How far a program came for one target. ``reason`` is why it came no further.

    ``tally`` is of the types that were generated, ``all_types`` of every one that the object has.
    """

    program: str
    target: str
    accepted: bool = False
    skeleton: bool = False
    generated: bool = False
    imported: bool = False
    reason: str = ""
    warnings: tuple[str, ...] = ()
    tally: Tally | None = None
    all_types: Tally | None = None
    bpf2go: bool = False
    bpf2go_reason: str = ""

    @property
    def right(self) -> bool:
        """Whether every generated type was compared with clang's, and agreed."""
        return self.tally is not None and not self.tally.wrong and not self.tally.unmatched


def run(source: Path, target: str, tools: Tools) -> Outcome:
    """Compile, generate, import and compare one program."""
    made = Made()
    program = source.stem
    reached = Outcome(program, target)
    try:
        generate_variant(source, target, tools, made)
        reached = replace(reached, accepted=True, generated=True)
        imported = load_bindings(tools.output / target / f"{program}_{target}.py")
        reached = replace(reached, imported=True)
    except CompileError as error:
        return replace(reached, reason=_first_error(error.diagnostics))
    except EbpfgenError as error:
        reached = replace(reached, accepted=True, reason=str(error))
    except Exception as error:  # noqa: BLE001 - a traceback is a finding, not the end
        reached = replace(reached, accepted=True, reason=f"{type(error).__name__}: {error}")
    if not made.unstripped:
        return reached
    if reached.imported and made.module:
        try:
            dwarf = Dwarf(made.unstripped)
            tally = compare(imported, made.module.types, dwarf, made.module.prefix)
            reached = replace(reached, tally=tally)
            reached = replace(reached, all_types=_compare_all(made, target, tools, dwarf))
        except Exception as error:  # noqa: BLE001
            reached = replace(reached, reason=f"not compared: {type(error).__name__}: {error}")
    bpf2go = _bpf2go(source, target, tools)
    own = f"progs/{program}.c:"
    return replace(
        reached,
        skeleton=_makes_skeleton(tools, made.unstripped),
        warnings=tuple(text.strip() for text in made.warnings if text.startswith(own)),
        bpf2go=not bpf2go,
        bpf2go_reason=bpf2go,
    )


def generate_variant(source: Path, target: str, tools: Tools, made: Made) -> None:
    """Generate a variant into the package of its target, noting in *made* what comes up."""
    package = tools.output / target
    package.mkdir(parents=True, exist_ok=True)
    (package / "__init__.py").touch()
    options = Options(
        targets=(target,), cflags=tools.cflags, output_dir=package, output_stem=source.stem
    )

    def observing(command: Sequence[str]) -> None:
        if "strip" in Path(command[0]).name:
            made.unstripped = Path(command[-1]).read_bytes()

    def rendering(module: Module) -> str:
        made.module = module
        return render_module(module)

    with mock.patch("ebpfgen.emit.render_module", rendering):
        generate(
            [job_from_arguments(IDENT, source, tools.folder, options)],
            observer=Observer(command=observing, warning=made.warnings.append),
        )


def _compare_all(made: Made, target: str, tools: Tools, dwarf: Dwarf) -> Tally:
    """Make classes of all structs, unions and enums of an object, and compare them."""
    module = made.module
    assert module
    stem = module.object_name.removesuffix(".o")
    data = (tools.output / target / module.object_name).read_bytes()
    btf = read_object(data, stem, parts=(made.unstripped,)).btf
    binder = TypeBinder(btf, module.prefix, reserved=frozenset(module.exports))
    for type_id, c_type in btf:
        if isinstance(c_type, t.Struct | t.Union | t.Enum) and c_type.name:
            binder.add(type_id)
    everything = module._replace(
        maps=(),
        map_specs=(),
        variables=(),
        variable_specs=(),
        types=binder.types,
        exports=(),
    )
    package = tools.output / f"{target}_all"
    package.mkdir(parents=True, exist_ok=True)
    (package / "__init__.py").touch()
    path = package / f"{stem}.py"
    path.write_text(render_module(everything))
    try:
        imported = load_bindings(path)
    except Exception as error:  # noqa: BLE001
        return Tally(wrong=[f"not imported: {type(error).__name__}: {error}"])
    return compare(imported, everything.types, dwarf, module.prefix)


def load_bindings(path: Path) -> ModuleType:
    """Import a generated module by its path."""
    spec = importlib.util.spec_from_file_location(f"{path.parent.name}.{path.stem}", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[module.__name__] = module
    spec.loader.exec_module(module)
    return module


def _makes_skeleton(tools: Tools, data: bytes) -> bool:
    """Tell whether libbpf takes the object. One of the other byte order this libbpf never does."""
    order = {1: "little", 2: "big"}.get(data[5])  # EI_DATA
    if not tools.bpftool or order != sys.byteorder:
        return False
    with tempfile.TemporaryDirectory(prefix="corpus-") as scratch:
        path = Path(scratch, "object.o")
        path.write_bytes(data)
        done = subprocess.run(
            [tools.bpftool, "gen", "skeleton", str(path), "name", IDENT],
            capture_output=True,
            check=False,
        )
    return done.returncode == 0


def _bpf2go(source: Path, target: str, tools: Tools) -> str:
    """Run bpf2go and return why it failed, empty if it did not."""
    if not tools.bpf2go:
        return "not here"
    package = tools.output / "go" / target / source.stem
    package.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [tools.bpf2go, "-target", target, IDENT, str(source), "--", *tools.cflags],
        cwd=package,
        env={**os.environ, "GOPACKAGE": "corpus"},
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    lines = done.stderr.strip().splitlines() or ["no message"]
    return lines[-1] if done.returncode else ""


def _first_error(diagnostics: str) -> str:
    """Return clang's first error without the path before it."""
    found = re.search(r"error: .*", diagnostics)
    return found[0] if found else diagnostics.strip().partition("\n")[0]
