"""What there is to do: a :class:`Job` for each binding, made of options.

Whoever starts ``ebpfgen generate`` when nothing has changed pays for what is imported here.
"""

import keyword
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ebpfgen.errors import ConfigError, ObjectError, SourceError, UsageError, placed
from ebpfgen.flags import check_flags, split_flags
from ebpfgen.inputs import check_file, check_text, shortened
from ebpfgen.naming import Naming, check_identifier
from ebpfgen.selection import TAGS, Selection
from ebpfgen.target import DEFAULT_TARGETS, SUFFIXES, ByteOrder, Target, find_targets

_BYTE_ORDERS: dict[bytes, ByteOrder] = {b"\x01": "little", b"\x02": "big"}
COMMAND_LINE = "the command line"

_OPTION_NAMES = {
    "targets": "--target",
    "cflags": "the flag",
    "types": "--type",
    "events": "--event",
    "defines": "--define",
    "objects": "--object",
}
_NAME_MAX = 255
"""The number of bytes in a file's name that file systems take (limits.h)."""


class Job(NamedTuple):
    """One binding to generate, of C ``sources`` or of ``objects`` that were built elsewhere.

    *folder* is where clang runs, and what relative flags refer to: that of the ``pyproject.toml``,
    or the current one. The names of all files written begin with *stem* and end with *suffix*.
    *cc* and *strip* are None for clang and the llvm-strip beside it. With *makebase*, rules for
    make are written, with paths relative to it. *place* is where the job was asked for.
    """

    ident: str
    folder: Path
    targets: tuple[Target, ...]
    output_dir: Path
    stem: str
    sources: tuple[Path, ...] = ()
    objects: tuple[Path, ...] = ()
    suffix: str = ""
    naming: Naming = Naming.CAMEL
    selection: Selection = Selection()
    defines: tuple[str, ...] = ()
    cc: str | None = None
    cflags: tuple[str, ...] = ()
    strip: str | None = None
    no_strip: bool = False
    makebase: Path | None = None
    place: str = COMMAND_LINE

    @property
    def shown_source(self) -> str:
        """The sources, or objects, as a person in *folder* would name them."""
        return ", ".join(self._shown(path) for path in self.sources or self.objects)

    @property
    def source_names(self) -> str:
        """The sources, or objects, without folders."""
        return ", ".join(path.name for path in self.sources or self.objects)

    @property
    def facade(self) -> Path:
        """The module that stands for whichever variant fits."""
        return self.output_dir / f"{self.stem}{self.suffix}.py"

    def module(self, target: Target) -> Path:
        """Return the module for a target; its object lies beside it."""
        return self.output_dir / f"{self.stem}_{target.suffix}{self.suffix}.py"

    @property
    def outputs(self) -> list[Path]:
        """The files that are written: the facade, and a module and an object per target."""
        modules = [self.module(target) for target in self.targets]
        return [self.facade, *(file for path in modules for file in (path, path.with_suffix(".o")))]

    def _shown(self, path: Path) -> str:
        return str(path.relative_to(self.folder) if path.is_relative_to(self.folder) else path)


class Options(NamedTuple):
    """What was said on the command line and by the environment, None or empty where nothing was."""

    targets: tuple[str, ...] = ()
    cc: str | None = None
    cflags: tuple[str, ...] = ()
    strip: str | None = None
    no_strip: bool | None = None
    output_dir: Path | None = None
    output_stem: str | None = None
    output_suffix: str | None = None
    naming: Naming | None = None
    types: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    global_types: bool | None = None
    defines: tuple[str, ...] = ()
    objects: tuple[Path, ...] = ()
    makebase: Path | None = None

    def over(self, base: "Options") -> "Options":
        """Return these options, with those of *base* where nothing was said; lists add up."""
        return Options(
            targets=self.targets or base.targets,
            cc=self.cc or base.cc,
            cflags=(*base.cflags, *self.cflags),
            strip=self.strip or base.strip,
            no_strip=base.no_strip if self.no_strip is None else self.no_strip,
            output_dir=self.output_dir or base.output_dir,
            output_stem=self.output_stem or base.output_stem,
            output_suffix=self.output_suffix or base.output_suffix,
            naming=self.naming or base.naming,
            types=(*base.types, *self.types),
            events=(*base.events, *self.events),
            global_types=base.global_types if self.global_types is None else self.global_types,
            defines=(*base.defines, *self.defines),
            objects=self.objects or base.objects,
            makebase=self.makebase or base.makebase,
        )

    def with_environment(self, environment: Mapping[str, str]) -> "Options":
        """Return these options, with the ``EBPFGEN_*`` variables where the command line is silent.

        clang gets the variable's flags before those of the command line, which so win.

        Raises UsageError for flags that can't be split into words, or passed on.
        """
        for name in ("EBPFGEN_CC", "EBPFGEN_CFLAGS", "EBPFGEN_STRIP", "EBPFGEN_MAKEBASE"):
            with placed(f"${name}"):
                check_text(environment.get(name, ""), f"${name}")
        with placed("$EBPFGEN_CFLAGS"):
            flags = split_flags(environment.get("EBPFGEN_CFLAGS", ""), "$EBPFGEN_CFLAGS")
            check_flags(flags, "$EBPFGEN_CFLAGS")
        makebase = environment.get("EBPFGEN_MAKEBASE")
        return self._replace(
            cc=self.cc or environment.get("EBPFGEN_CC") or None,
            cflags=(*flags, *self.cflags),
            strip=self.strip or environment.get("EBPFGEN_STRIP") or None,
            makebase=self.makebase or (Path(makebase) if makebase else None),
        )


def job_from_arguments(
    ident: str,
    sources: Path | Sequence[Path],
    folder: Path,
    options: Options,
) -> Job:
    """Make the job of ``ebpfgen generate IDENT SOURCE…``, run in *folder*.

    Files go to *folder* unless the options say otherwise, as with bpf2go.

    Raises UsageError for what can't be meant.
    """
    paths = [sources] if isinstance(sources, Path) else sources
    objects = tuple(folder / path for path in options.objects)
    check_inputs([folder / path for path in paths], objects)
    job = Job(
        ident=check_identifier(ident, "ident"),
        sources=tuple(folder / path for path in paths),
        objects=objects,
        folder=folder,
        targets=targets_of(options.targets or DEFAULT_TARGETS, objects, bool(options.targets)),
        output_dir=folder / (options.output_dir or "."),
        stem=stem_of(options.output_stem, ident),
        suffix=check_suffix(options.output_suffix or ""),
        naming=options.naming or Naming.CAMEL,
        selection=Selection(
            check_types(options.types),
            split_events(options.events),
            options.global_types is not False,
        ),
        defines=() if objects else check_defines(options.defines),
        cc=options.cc,
        cflags=() if objects else options.cflags,
        strip=options.strip,
        no_strip=bool(options.no_strip),
        makebase=options.makebase and folder / options.makebase,
    )
    check_names(job)
    return job


def check_options(options: Options) -> None:
    """Raise UsageError for options that can't be meant, whatever the binding."""
    for name, value in options._asdict().items():
        for text in value if isinstance(value, tuple) else (value,):
            if isinstance(text, str | Path):
                check_text(str(text), _OPTION_NAMES.get(name, f"--{name.replace('_', '-')}"))
    find_targets(options.targets)
    check_types(options.types)
    split_events(options.events)
    check_defines(options.defines)
    check_flags(options.cflags, "the flags for clang")
    check_suffix(options.output_suffix or "")
    if options.output_stem is not None:
        check_identifier(options.output_stem, "output stem")
    if options.objects and (options.cflags or options.defines):
        wrong = "flags for clang" if options.cflags else "--define"
        raise UsageError(f"{wrong} and --object don't go together: an object is compiled already")


def check_inputs(sources: Sequence[Path], objects: Sequence[Path]) -> None:
    """Raise UsageError for sources and objects together, one of them twice, or an unusable name."""
    if sources and objects:
        raise UsageError("SOURCE and --object don't go together: pass one of them")
    for path in {*sources, *objects}:
        if [*sources, *objects].count(path) > 1:
            raise UsageError(f"{path} is named twice: name it once")
        check_text(str(path), "the file")


def check_names(job: Job) -> None:
    """Raise UsageError if the names of the files to write are longer than file systems take."""
    longest = max((target.suffix for target in job.targets), key=len)
    size = len(os.fsencode(f"{job.stem}_{longest}{job.suffix}.py.d"))
    if size > _NAME_MAX:
        raise UsageError(
            f"the names of the files of {shortened(job.ident)} would have up to {size} bytes, and "
            f"{_NAME_MAX} is the most: choose a shorter ident, --output-stem or --output-suffix"
        )


def check_outputs(jobs: Iterable[Job]) -> None:
    """Raise ConfigError if two of *jobs* would write the same file."""
    seen: dict[Path, Job] = {}
    for job in jobs:
        folder = Path(os.path.realpath(job.output_dir))
        for stem in (job.stem, *(f"{job.stem}_{suffix}" for suffix in SUFFIXES)):
            other = seen.setdefault(folder / (stem + job.suffix), job)
            if other is not job:
                raise ConfigError(
                    f"two bindings write {job.output_dir / (stem + job.suffix)}.py "
                    f"({other.shown_source} and {job.shown_source}): give one another ident or "
                    f"output-stem, in {other.place} or {job.place}"
                )


def check_defines(prefixes: Iterable[str]) -> tuple[str, ...]:
    """Return prefixes of constants. Raises UsageError for an empty one, which begins every name."""
    for prefix in (prefixes := tuple(prefixes)):
        if not prefix.strip():
            raise UsageError("--define '' stands for every macro there is: name a prefix")
    return prefixes


def check_types(names: Iterable[str]) -> tuple[str, ...]:
    """Return names of types. Raises UsageError for one that no type can have."""
    for name in (names := tuple(names)):
        tag, _, rest = name.strip().rpartition(" ")
        if not rest:
            raise UsageError("--type '' names no type: pass one, such as 'struct event'")
        if tag and tag not in TAGS:
            raise UsageError(f"--type {name!r}: say {', '.join(TAGS)} before the name")
    return names


def check_suffix(suffix: str) -> str:
    """Return what ends the names of files. Raises UsageError if no module could have that name."""
    if suffix and not f"x{suffix}".isidentifier():
        raise UsageError(
            f"output suffix {shortened(suffix)} can't end a module's name: use letters, digits, _"
        )
    return suffix


def split_events(texts: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Split ``map=struct``. Raises UsageError for a text that is not of that form."""
    result = []
    for text in texts:
        name, _, record = (part.strip() for part in text.partition("="))
        if not name or not record:
            raise UsageError(f"--event {shortened(text)} is not of the form MAP=STRUCT")
        result.append((name, record))
    return tuple(result)


def stem_of(stem: str | None, ident: str) -> str:
    """Return what output files are called: *stem*, or the ident in lower case as with bpf2go."""
    if stem is not None:
        return check_identifier(stem, "output stem")
    lower = ident.lower()
    return f"{lower}_" if keyword.iskeyword(lower) else lower


def targets_of(names: Iterable[str], objects: Sequence[Path], named: bool) -> tuple[Target, ...]:
    """Return the targets: those of *names*, or the generic ones of objects that were built.

    An object tells its byte order; the architecture it is for, if any, has to be *named*.
    Raises TargetError for an unknown target, UsageError for another number of them than of
    objects, ObjectError if an object does not fit its target.
    """
    if not objects:
        return find_targets(names)
    orders = {path: _byte_order(path) for path in objects}
    generic = {"little": "bpfel", "big": "bpfeb"}
    targets = find_targets(names if named else [generic[order] for order in orders.values()])
    if len(targets) != len(objects):
        raise UsageError(
            f"{len(objects)} objects and {len(targets)} targets: pass one --target for each "
            "--object, in the same order"
        )
    for target, (path, order) in zip(targets, orders.items(), strict=True):
        if target.byte_order != order:
            raise ObjectError(f"{path} is {order} endian, and no object for {target.name}")
    return targets


def _byte_order(path: Path) -> ByteOrder:
    """Return that of an object, from its first bytes (``EI_DATA`` of the ELF specification).

    Raises SourceError if there is no such file, ObjectError if it is no ELF file.
    """
    try:
        check_file(path)
        with path.open("rb") as file:
            head = file.read(6)
    except OSError as error:
        raise SourceError(f"no object {shortened(str(path))}: {error.strerror}") from error
    if head[:4] != b"\x7fELF" or head[5:] not in _BYTE_ORDERS:
        raise ObjectError(f"{path} is no object file: pass what clang -target bpf -c -g wrote")
    return _BYTE_ORDERS[head[5:]]
