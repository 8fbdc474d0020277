"""The story on one page: jobs, compiled, read, bound, emitted, written."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from ebpfgen.binding import bind
from ebpfgen.clang import CommandObserver, Toolchain, compile_source, find_toolchain
from ebpfgen.comments import read_comments
from ebpfgen.config import Job
from ebpfgen.defines import read_defines
from ebpfgen.emit import render_facade, render_module
from ebpfgen.model import Facade, Module, Variant
from ebpfgen.objectfile import read_object
from ebpfgen.output import replaced_files, write_files
from ebpfgen.target import Target

MessageObserver = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Generated:
    """A variant that was written: its module, with the object beside it, and the object's size."""

    source: str
    target: Target
    module: Path
    object_size: int


@dataclass(frozen=True, slots=True)
class _Binding:
    """All files of one job, in memory."""

    files: dict[Path, bytes]
    replaced: list[Path]
    variants: list[Generated]


def generate(
    jobs: Iterable[Job],
    *,
    observe_command: CommandObserver | None = None,
    warn: MessageObserver | None = None,
) -> list[Generated]:
    """Generate the bindings of all *jobs*, and write them once all are made.

    *observe_command* is called with each command line that is run, *warn* with each warning:
    clang's, as it wrote them, and ebpfgen's own.

    Raises EbpfgenError, with no file changed, at the first that fails.
    """
    said: set[str] = set()

    def warn_once(text: str) -> None:
        """Say what concerns several targets once."""
        if warn and text not in said:
            said.add(text)
            warn(text)

    bindings = [_make(job, observe_command, warn_once) for job in jobs]
    write_files(
        {path: data for binding in bindings for path, data in binding.files.items()},
        [path for binding in bindings for path in binding.replaced],
    )
    return [variant for binding in bindings for variant in binding.variants]


def _make(job: Job, observe: CommandObserver | None, warn: MessageObserver) -> _Binding:
    toolchain = find_toolchain(job.cc)
    files: dict[Path, bytes] = {}
    modules: list[Module] = []
    variants: list[Generated] = []
    for target in job.targets:
        compilation = compile_source(
            job.source,
            target,
            job.cflags,
            toolchain=toolchain,
            folder=job.folder,
            observe=observe,
        )
        if compilation.diagnostics:
            warn(compilation.diagnostics)
        path = job.output_dir / f"{job.stem}_{target.suffix}.py"
        texts = [path.read_text("utf-8", errors="replace") for path in compilation.inputs]
        module = bind(
            read_object(
                compilation.object,
                f"{job.shown_source} for {target.name}",
                unstripped=compilation.unstripped,
            ),
            ident=job.ident,
            source=job.source.name,
            object_name=path.with_suffix(".o").name,
            target=target,
            naming=job.naming,
            selection=job.selection,
            constants=_constants(job, target, toolchain, observe, warn),
            comments=read_comments(texts),
        )
        modules.append(module)
        files[path] = render_module(module).encode()
        files[path.with_suffix(".o")] = compilation.object
        variants.append(Generated(job.shown_source, target, path, len(compilation.object)))
    for warning in (text for module in modules for text in module.warnings):
        warn(f"{job.shown_source}: {warning}\n")
    facade = render_facade(_facade(job, modules))
    files[job.output_dir / f"{job.stem}.py"] = facade.encode()
    kept = [target.suffix for target in job.targets]
    return _Binding(files, replaced_files(job.output_dir, job.stem, kept), variants)


def _constants(
    job: Job,
    target: Target,
    toolchain: Toolchain,
    observe: CommandObserver | None,
    warn: MessageObserver,
) -> dict[str, int]:
    """Return the constants that were asked for, with a warning for each prefix that has none."""
    if not job.defines:
        return {}
    found = read_defines(
        job.source,
        target,
        job.cflags,
        job.defines,
        toolchain=toolchain,
        folder=job.folder,
        observe=observe,
    )
    for prefix in job.defines:
        if not any(name.startswith(prefix) for name in found):
            warn(f"{job.shown_source}: no integer constant begins with {prefix}\n")
    return found


def _facade(job: Job, modules: Iterable[Module]) -> Facade:
    """Return the facade: variants for a machine come before those for a byte order."""
    variants = [
        Variant(
            module=f"{job.stem}_{module.target.suffix}",
            byte_order=module.target.byte_order,
            machines=module.target.machines,
            exports=module.exports,
        )
        for module in modules
    ]
    return Facade(
        source=job.source.name,
        variants=tuple(sorted(variants, key=lambda variant: not variant.machines)),
        in_package=(job.output_dir / "__init__.py").exists(),
    )
