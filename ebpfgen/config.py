"""``[tool.ebpfgen]`` of a ``pyproject.toml`` becomes jobs."""

import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ebpfgen.directives import Directive, find_directives
from ebpfgen.errors import ConfigError, UsageError, placed
from ebpfgen.flags import check_flags, split_flags
from ebpfgen.inputs import shortened, text_fault
from ebpfgen.jobs import (
    Job,
    Options,
    check_defines,
    check_inputs,
    check_names,
    check_outputs,
    check_suffix,
    check_types,
    split_events,
    stem_of,
    targets_of,
)
from ebpfgen.naming import Naming, check_identifier
from ebpfgen.project import find_config
from ebpfgen.selection import Selection
from ebpfgen.target import DEFAULT_TARGETS

_DEFAULT_KEYS = (
    *("targets", "cc", "cflags", "strip", "no-strip", "output-dir", "output-suffix"),
    *("naming", "global-types", "makebase"),
)
_BINDING_KEYS = (
    *("ident", "source", "object", "output-stem"),
    *("types", "events", "defines"),
    *_DEFAULT_KEYS,
)


def jobs_from_config(
    folder: Path, options: Options, parse: Callable[[Directive], Job] | None = None
) -> list[Job]:
    """Make the jobs of the project that *folder* is in.

    They are those of the nearest ``pyproject.toml``, in *folder* or above it, and those that
    *parse* makes of the directives in the modules beside and below that file. Options override
    what the file says, flags come after its flags. Files go beside their source unless the file or
    the options say otherwise.

    Raises ConfigError naming the file and the key, UsageError for what can't be meant.
    """
    file = find_config(folder)
    configured = jobs_of_file(file, options) if file else None
    directives = find_directives(file.parent) if file and parse else []
    jobs = [*(configured or ()), *(parse(directive) for directive in directives if parse)]
    if not jobs and file is None:
        raise ConfigError(
            f"no pyproject.toml in {folder} or above: "
            "run ebpfgen generate IDENT SOURCE, or ebpfgen new for a project"
        )
    if not jobs:
        raise ConfigError(
            f"{file} has no [tool.ebpfgen]: add [[tool.ebpfgen.bindings]] with ident and source, "
            "or run ebpfgen generate IDENT SOURCE"
        )
    if options.output_stem and len(jobs) > 1:
        raise UsageError("--output-stem fits one binding: pass IDENT and SOURCE too")
    check_outputs(jobs)
    return jobs


def jobs_of_file(file: Path, options: Options) -> list[Job] | None:
    """Make the jobs of one ``pyproject.toml``, as jobs_from_config() does; None without a table."""
    table = _read(file)
    if table is None:
        return None
    place = f"[tool.ebpfgen] of {file}"
    _check_keys(table, (*_DEFAULT_KEYS, "bindings"), place)
    bindings = table.pop("bindings", [])
    if not isinstance(bindings, list) or not all(isinstance(item, dict) for item in bindings):
        raise ConfigError(f"bindings in {place} must be tables: [[tool.ebpfgen.bindings]]")
    if not bindings:
        raise ConfigError(f"{place} has no [[tool.ebpfgen.bindings]]: add one with ident, source")
    jobs = []
    for number, binding in enumerate(bindings, 1):
        here = f"[[tool.ebpfgen.bindings]] {number} of {file}"
        with placed(here):
            jobs.append(_job(_Table(table, binding, here), file, options))
    return jobs


class _Table(NamedTuple):
    """A binding's keys, with the defaults of ``[tool.ebpfgen]`` behind them."""

    defaults: Mapping[str, object]
    binding: Mapping[str, object]
    place: str

    def text(self, key: str, default: str | None = None) -> str:
        """Return the string of a key; without a default the key is required."""
        value = self.binding.get(key, self.defaults.get(key, default))
        if value is None:
            raise ConfigError(f"{self.place} lacks {key}: add {key} = …")
        if not isinstance(value, str) or not value:
            raise ConfigError(f"{key} in {self.place} must be a string, not {value!r}")
        return self._checked(key, value)

    def has(self, key: str) -> bool:
        """Return whether a key is given."""
        return key in self.binding or key in self.defaults

    def optional(self, key: str) -> str | None:
        """Return the string of a key, None without it."""
        return self.text(key) if self.has(key) else None

    def inputs(self, folder: Path, ident: str) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
        """Return the sources and the objects, each one or a list; a binding has one of the two."""
        if "source" not in self.binding and "object" not in self.binding:
            raise ConfigError(f"{self.place} lacks source: add source = …, the C of {ident}")
        sources, objects = self._paths("source", folder), self._paths("object", folder)
        check_inputs(sources, objects)
        for key in ("cflags", "defines"):
            if objects and key in self.binding:
                raise ConfigError(f"{key} in {self.place} is for C, but an object is compiled")
        return sources, objects

    def targets(self) -> tuple[str, ...]:
        """Return the names of targets, given as a list or as one comma-separated string."""
        value = self.binding.get("targets", self.defaults.get("targets", list(DEFAULT_TARGETS)))
        names = self._texts("targets", [value] if isinstance(value, str) else value)
        if not names:
            raise ConfigError(f"targets in {self.place} is empty: name one, or leave it out")
        return tuple(names)

    def cflags(self) -> tuple[str, ...]:
        """Return the defaults' flags and then the binding's, each a list or a shell's words."""
        flags: list[str] = []
        for table in (self.defaults, self.binding):
            value = table.get("cflags", [])
            if isinstance(value, str):
                words = split_flags(value, f"cflags in {self.place}")
                flags += [self._checked("cflags", word) for word in words]
            else:
                flags += self._texts("cflags", value)
        check_flags(flags, f"cflags in {self.place}")
        return tuple(flags)

    def texts(self, key: str) -> tuple[str, ...]:
        """Return the binding's list of strings of a key, empty without it."""
        return tuple(self._texts(key, self.binding.get(key, [])))

    def events(self) -> tuple[str, ...]:
        """Return the binding's table of record types by map, as the command line has it."""
        value = self.binding.get("events", {})
        if not isinstance(value, dict) or not all(isinstance(v, str) for v in value.values()):
            raise ConfigError(f'events in {self.place} must be a table: {{ map = "struct" }}')
        texts = (f"{name}={record}" for name, record in value.items())
        return tuple(self._checked("events", text) for text in texts)

    def flag(self, key: str, *, default: bool) -> bool:
        """Return the true or false of a key."""
        value = self.binding.get(key, self.defaults.get(key, default))
        if not isinstance(value, bool):
            raise ConfigError(f"{key} in {self.place} must be true or false, not {value!r}")
        return value

    def _paths(self, key: str, folder: Path) -> tuple[Path, ...]:
        if key not in self.binding:
            return ()
        value = self.binding[key]
        names = self._texts(key, value) if isinstance(value, list) else [self.text(key)]
        if not all(names) or not names:
            raise ConfigError(f"{key} in {self.place} is empty: name a file")
        return tuple(folder / name for name in names)

    def _texts(self, key: str, value: object) -> list[str]:
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise ConfigError(f"{key} in {self.place} must be a list of strings, not {value!r}")
        return [self._checked(key, text) for text in value]

    def _checked(self, key: str, text: str) -> str:
        if fault := text_fault(text):
            raise ConfigError(f"{key} in {self.place}: {shortened(text)} {fault}")
        return text


def _job(table: _Table, file: Path, options: Options) -> Job:
    _check_keys(table.binding, _BINDING_KEYS, table.place)
    folder = file.parent
    ident = check_identifier(table.text("ident"), f"ident in {table.place}:")
    sources, objects = table.inputs(folder, ident)
    beside = (sources or objects)[0].parent
    output_dir = options.output_dir and Path.cwd() / options.output_dir
    makebase = options.makebase and Path.cwd() / options.makebase
    if table.has("makebase") and not makebase:
        makebase = folder / table.text("makebase")
    cflags, defines = table.cflags(), (*table.texts("defines"), *options.defines)
    names = options.targets or table.targets()
    no_strip = table.flag("no-strip", default=False)
    global_types = table.flag("global-types", default=True)
    job = Job(
        ident=ident,
        sources=sources,
        objects=objects,
        folder=folder,
        targets=targets_of(names, objects, bool(options.targets) or table.has("targets")),
        output_dir=output_dir or folder / table.text("output-dir", str(beside)),
        stem=stem_of(options.output_stem or table.optional("output-stem"), ident),
        suffix=check_suffix(options.output_suffix or table.optional("output-suffix") or ""),
        naming=options.naming or _naming(table),
        selection=Selection(
            check_types((*table.texts("types"), *options.types)),
            split_events((*table.events(), *options.events)),
            global_types if options.global_types is None else options.global_types,
        ),
        defines=() if objects else check_defines(defines),
        cc=options.cc or table.optional("cc"),
        cflags=() if objects else (*cflags, *options.cflags),
        strip=options.strip or table.optional("strip"),
        no_strip=no_strip if options.no_strip is None else options.no_strip,
        makebase=makebase,
        place=table.place,
    )
    check_names(job)
    return job


def _naming(table: _Table) -> Naming:
    value = table.text("naming", Naming.CAMEL)
    if value not in list(Naming):
        raise ConfigError(f"naming in {table.place} must be camel or snake, not {value!r}")
    return Naming(value)


def _read(file: Path) -> dict[str, object] | None:
    try:
        with file.open("rb") as stream:
            tool = tomllib.load(stream).get("tool")
    except (ValueError, RecursionError) as error:  # of numbers and tables without end, too
        raise ConfigError(f"{file} is not valid TOML: {error}") from error
    except OSError as error:
        raise ConfigError(f"{file} can't be read: {error.strerror}") from error
    table = tool.get("ebpfgen") if isinstance(tool, dict) else None
    return table if isinstance(table, dict) else None


def _check_keys(table: Iterable[str], known: Sequence[str], place: str) -> None:
    for key in table:
        if key not in known:
            import difflib

            close = difflib.get_close_matches(key, known, n=1)
            hint = f"did you mean {close[0]}?" if close else f"known keys: {', '.join(known)}"
            if key in _BINDING_KEYS:
                hint = "it is for [[tool.ebpfgen.bindings]]"
            raise ConfigError(f"unknown key {key!r} in {place}: {hint}")
