"""Makes the files of one binding, in memory: compiled, read, bound, emitted."""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ebpfgen.clang import Compilation, Toolchain, compile_source
from ebpfgen.errors import LinkError, SourceError, placed
from ebpfgen.inputs import read_file
from ebpfgen.jobs import COMMAND_LINE, Job
from ebpfgen.stamp import in_package, stamped
from ebpfgen.target import Target
from ebpfgen.tools import CommandObserver

if TYPE_CHECKING:
    from ebpfgen.model import Facade, Module


class BuiltVariant(NamedTuple):
    """A variant in memory: ``module`` is None if only the object was asked for.

    ``inputs`` are the files that it was made of, ``warnings`` texts that end with a newline;
    ``since`` is when it was begun, in nanoseconds since the epoch, ``seconds`` how long it took.
    """

    target: Target
    object: bytes
    module: "Module | None"
    inputs: tuple[Path, ...]
    warnings: tuple[str, ...]
    since: int
    seconds: float


def import_rest() -> None:
    """Import what reads, binds and emits, which takes as long as clang does for a small source."""
    import ebpfgen.binding
    import ebpfgen.comments
    import ebpfgen.objectfile  # noqa: F401 - imported to have been imported
    from ebpfgen.emit import load_templates

    load_templates()


def make_part(
    job: Job,
    target: Target,
    number: int,
    toolchain: Callable[[], Toolchain],
    observe: CommandObserver | None = None,
) -> Compilation:
    """Compile one of the job's sources, or read the object that it has for *target*.

    *toolchain* is asked for when something has to be compiled. Raises EbpfgenError.
    """
    if job.objects:
        return _object_of(job, target)
    try:
        return compile_source(
            job.sources[number],
            target,
            job.cflags,
            toolchain=toolchain(),
            folder=job.folder,
            observe=observe,
        )
    except SourceError as error:
        if job.place != COMMAND_LINE:
            error.args = (f"{job.place}: {error}",)
        raise


def link_parts(job: Job, target: Target, parts: Sequence[Compilation]) -> Compilation:
    """Return the object of all parts. Raises LinkError if libbpf can't link them."""
    if len(parts) == 1:
        return parts[0]
    from ebpfgen.linker import link_objects

    named = [(path.name, part.object) for path, part in zip(job.sources, parts, strict=True)]
    return Compilation(
        link_objects(named, target),
        "".join(part.diagnostics for part in parts),
        tuple({path: None for part in parts for path in part.inputs}),
        tuple(part.object for part in parts),
    )


def build_variant(
    job: Job,
    target: Target,
    made: Compilation,
    toolchain: Callable[[], Toolchain],
    *,
    since: int,
    compile_only: bool = False,
    observe: CommandObserver | None = None,
) -> BuiltVariant:
    """Make the variant of *job* for *target* of its object, which may have its DWARF or not.

    *since* is when work on it began, in nanoseconds since the epoch. Raises EbpfgenError.
    """
    warnings = [made.diagnostics] if made.diagnostics else []
    module = None
    if not compile_only:
        constants = _constants(job, target, toolchain, observe) if job.defines else {}
        warnings += [
            f"{job.shown_source}: no integer constant begins with {prefix}\n"
            for prefix in job.defines
            if not any(name.startswith(prefix) for name in constants)
        ]
        with placed(job.shown_source):
            module = _bound(job, target, made, constants)
        warnings += [f"{job.shown_source}: {text}\n" for text in module.warnings]
    seconds = (time.time_ns() - since) / 1e9
    return BuiltVariant(target, made.object, module, made.inputs, tuple(warnings), since, seconds)


def assemble(job: Job, variants: Sequence[BuiltVariant]) -> dict[Path, bytes]:
    """Return the files of a binding by path, all of whose variants are there."""
    from ebpfgen.emit import render_facade, render_module

    modules = [variant.module for variant in variants if variant.module]
    files = {job.module(v.target).with_suffix(".o"): v.object for v in variants}
    files |= {job.module(m.target): render_module(m).encode() for m in modules}
    inputs = {path: None for variant in variants for path in variant.inputs}
    since = min(variant.since for variant in variants)
    facade = stamped(job, inputs, files, render_facade(_facade(job, modules)), since)
    return {**files, job.facade: facade.encode()}


def _object_of(job: Job, target: Target) -> Compilation:
    path = job.objects[job.targets.index(target)]
    try:
        data = read_file(path)
        return Compilation(data, "", (path,))
    except OSError as error:
        raise SourceError(f"{path} can't be read: {error.strerror}") from error


def _text_of(path: Path) -> str:
    try:
        return read_file(path).decode("utf-8", "replace")
    except OSError as error:
        raise SourceError(f"{path} can't be read: {error.strerror}") from error


def _bound(job: Job, target: Target, made: Compilation, constants: Mapping[str, int]) -> "Module":
    from ebpfgen.binding import bind
    from ebpfgen.comments import Comments
    from ebpfgen.objectfile import read_object

    texts = [_text_of(path) for path in made.inputs] if job.sources else []
    return bind(
        read_object(made.object, f"{job.shown_source} for {target.name}", parts=made.parts),
        ident=job.ident,
        source=job.source_names,
        object_name=job.module(target).with_suffix(".o").name,
        target=target,
        naming=job.naming,
        selection=job.selection,
        constants=constants,
        comments=Comments(texts),
    )


def _constants(
    job: Job,
    target: Target,
    toolchain: Callable[[], Toolchain],
    observe: CommandObserver | None,
) -> dict[str, int]:
    """Return the constants that were asked for, of all sources.

    Raises LinkError if two sources have different values for one name.
    """
    from ebpfgen.defines import read_defines

    found: dict[str, int] = {}
    for source in job.sources:
        of_source = read_defines(
            source,
            target,
            job.cflags,
            job.defines,
            toolchain=toolchain(),
            folder=job.folder,
            observe=observe,
        )
        for name, value in of_source.items():
            if found.setdefault(name, value) != value:
                raise LinkError(
                    f"{name} is {found[name]} in one source of {job.ident} and {value} in "
                    f"{source.name}: rename one, or choose another --define"
                )
    return found


def _facade(job: Job, modules: "Sequence[Module]") -> "Facade":
    """Return the facade: variants for a machine come before those for a byte order."""
    from ebpfgen.model import Facade, Variant

    variants = [
        Variant(
            module=job.module(module.target).stem,
            byte_order=module.target.byte_order,
            machines=module.target.machines,
            exports=module.exports,
        )
        for module in modules
    ]
    return Facade(
        source=job.source_names,
        variants=tuple(sorted(variants, key=lambda variant: not variant.machines)),
        in_package=in_package(job),
    )
