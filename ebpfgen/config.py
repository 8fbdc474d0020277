"""Command line and ``[tool.ebpfgen]`` become jobs: which source, for which targets, into what."""

import difflib
import keyword
import shlex
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ebpfgen.clang import DEFAULT_CC
from ebpfgen.errors import ConfigError, UsageError
from ebpfgen.naming import Naming, check_identifier
from ebpfgen.selection import Selection
from ebpfgen.target import DEFAULT_TARGETS, SUFFIXES, Target, find_targets

_DEFAULT_KEYS = ("targets", "cc", "cflags", "output-dir", "naming")
_BINDING_KEYS = (
    *("ident", "source", "output-stem", "types", "events", "global-types", "defines"),
    *_DEFAULT_KEYS,
)


@dataclass(frozen=True, slots=True)
class Job:
    """One binding to generate.

    *folder* is where clang runs, and what relative flags refer to: that of the ``pyproject.toml``,
    or the current one. *stem* begins the names of all files written.
    """

    ident: str
    source: Path
    folder: Path
    targets: tuple[Target, ...]
    cc: str
    cflags: tuple[str, ...]
    output_dir: Path
    stem: str
    naming: Naming
    selection: Selection = field(default_factory=Selection)
    defines: tuple[str, ...] = ()

    @property
    def shown_source(self) -> str:
        """The source as a person in *folder* would name it."""
        inside = self.source.is_relative_to(self.folder)
        return str(self.source.relative_to(self.folder) if inside else self.source)


@dataclass(frozen=True, slots=True)
class Options:
    """What was said on the command line, None or empty where nothing was."""

    targets: tuple[str, ...] = ()
    cc: str | None = None
    cflags: tuple[str, ...] = ()
    output_dir: Path | None = None
    output_stem: str | None = None
    naming: Naming | None = None
    types: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    global_types: bool = True
    defines: tuple[str, ...] = ()


def job_from_arguments(ident: str, source: Path, folder: Path, options: Options) -> Job:
    """Make the job of ``ebpfgen generate IDENT SOURCE``, run in *folder*.

    Files go to *folder* unless the options say otherwise, as with bpf2go.

    Raises UsageError for what can't be meant.
    """
    return Job(
        ident=check_identifier(ident, "ident"),
        source=folder / source,
        folder=folder,
        targets=find_targets(options.targets or DEFAULT_TARGETS),
        cc=options.cc or DEFAULT_CC,
        cflags=options.cflags,
        output_dir=folder / (options.output_dir or "."),
        stem=_stem(options.output_stem, ident),
        naming=options.naming or Naming.CAMEL,
        selection=Selection(options.types, _events(options.events), options.global_types),
        defines=options.defines,
    )


def jobs_from_config(folder: Path, options: Options) -> list[Job]:
    """Make the jobs of the nearest ``pyproject.toml``, in *folder* or above it.

    Options override what the file says, flags come after its flags. Files go beside their source
    unless the file or the options say otherwise.

    Raises ConfigError naming the file and the key, UsageError for what can't be meant.
    """
    file = _nearest(folder)
    table = _read(file)
    place = f"[tool.ebpfgen] of {file}"
    bindings = table.pop("bindings", [])
    if not isinstance(bindings, list) or not all(isinstance(item, dict) for item in bindings):
        raise ConfigError(f"bindings in {place} must be tables: [[tool.ebpfgen.bindings]]")
    if not bindings:
        raise ConfigError(f"{place} has no [[tool.ebpfgen.bindings]]: add one with ident, source")
    if options.output_stem and len(bindings) > 1:
        raise UsageError("--output-stem fits one binding: pass IDENT and SOURCE too")
    _check_keys(table, _DEFAULT_KEYS, place)
    jobs = [
        _job(_Table(table, binding, f"[[tool.ebpfgen.bindings]] {number} of {file}"), file, options)
        for number, binding in enumerate(bindings, 1)
    ]
    _check_outputs(jobs, file)
    return jobs


@dataclass(frozen=True, slots=True)
class _Table:
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
        return value

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
                flags += split_flags(value, f"cflags in {self.place}")
            else:
                flags += self._texts("cflags", value)
        return tuple(flags)

    def texts(self, key: str) -> tuple[str, ...]:
        """Return the binding's list of strings of a key, empty without it."""
        return tuple(self._texts(key, self.binding.get(key, [])))

    def events(self) -> tuple[str, ...]:
        """Return the binding's table of record types by map, as the command line has it."""
        value = self.binding.get("events", {})
        if not isinstance(value, dict) or not all(isinstance(v, str) for v in value.values()):
            raise ConfigError(f'events in {self.place} must be a table: {{ map = "struct" }}')
        return tuple(f"{name}={record}" for name, record in value.items())

    def flag(self, key: str, *, default: bool) -> bool:
        """Return the binding's true or false of a key."""
        value = self.binding.get(key, default)
        if not isinstance(value, bool):
            raise ConfigError(f"{key} in {self.place} must be true or false, not {value!r}")
        return value

    def _texts(self, key: str, value: object) -> list[str]:
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise ConfigError(f"{key} in {self.place} must be a list of strings, not {value!r}")
        return value


def split_flags(text: str, what: str) -> list[str]:
    """Split flags as a shell does. Raises UsageError naming *what* if a quote is left open."""
    try:
        return shlex.split(text)
    except ValueError as error:
        raise UsageError(f"{what} can't be split into words: {error}") from error


def _job(table: _Table, file: Path, options: Options) -> Job:
    _check_keys(table.binding, _BINDING_KEYS, table.place)
    folder = file.parent
    source = folder / table.text("source")
    ident = check_identifier(table.text("ident"), f"ident in {table.place}:")
    output_dir = options.output_dir and Path.cwd() / options.output_dir
    configured = table.binding.get("output-stem")
    stem = table.text("output-stem") if configured is not None else None
    return Job(
        ident=ident,
        source=source,
        folder=folder,
        targets=find_targets(options.targets or table.targets()),
        cc=options.cc or table.text("cc", DEFAULT_CC),
        cflags=(*table.cflags(), *options.cflags),
        output_dir=output_dir or folder / table.text("output-dir", str(source.parent)),
        stem=_stem(options.output_stem or stem, ident),
        naming=options.naming or _naming(table),
        selection=Selection(
            (*table.texts("types"), *options.types),
            _events((*table.events(), *options.events)),
            table.flag("global-types", default=True) and options.global_types,
        ),
        defines=(*table.texts("defines"), *options.defines),
    )


def _events(texts: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Split ``map=struct``. Raises UsageError for a text that is not of that form."""
    result = []
    for text in texts:
        name, _, record = (part.strip() for part in text.partition("="))
        if not name or not record:
            raise UsageError(f"--event {text!r} is not of the form MAP=STRUCT")
        result.append((name, record))
    return tuple(result)


def _naming(table: _Table) -> Naming:
    value = table.text("naming", Naming.CAMEL)
    if value not in list(Naming):
        raise ConfigError(f"naming in {table.place} must be camel or snake, not {value!r}")
    return Naming(value)


def _stem(stem: str | None, ident: str) -> str:
    """Return what output files are called: *stem*, or the ident in lower case as with bpf2go."""
    if stem is not None:
        return check_identifier(stem, "output stem")
    lower = ident.lower()
    return f"{lower}_" if keyword.iskeyword(lower) else lower


def _nearest(folder: Path) -> Path:
    for candidate in (folder, *folder.parents):
        file = candidate / "pyproject.toml"
        if file.is_file():
            return file
    raise ConfigError(
        f"no pyproject.toml in {folder} or above: "
        "run ebpfgen generate IDENT SOURCE, or ebpfgen new for a project"
    )


def _read(file: Path) -> dict[str, object]:
    try:
        with file.open("rb") as stream:
            tool = tomllib.load(stream).get("tool")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file} is not valid TOML: {error}") from error
    except OSError as error:
        raise ConfigError(f"{file} can't be read: {error.strerror}") from error
    table = tool.get("ebpfgen") if isinstance(tool, dict) else None
    if not isinstance(table, dict):
        raise ConfigError(
            f"{file} has no [tool.ebpfgen]: add [[tool.ebpfgen.bindings]] with ident and source, "
            "or run ebpfgen generate IDENT SOURCE"
        )
    return table


def _check_keys(table: Iterable[str], known: Sequence[str], place: str) -> None:
    for key in table:
        if key not in known:
            close = difflib.get_close_matches(key, known, n=1)
            hint = f"did you mean {close[0]}?" if close else f"known keys: {', '.join(known)}"
            raise ConfigError(f"unknown key {key!r} in {place}: {hint}")


def _check_outputs(jobs: Iterable[Job], file: Path) -> None:
    seen: dict[Path, Job] = {}
    for job in jobs:
        folder = job.output_dir.resolve()
        for name in (job.stem, *(f"{job.stem}_{suffix}" for suffix in SUFFIXES)):
            other = seen.setdefault(folder / name, job)
            if other is not job:
                raise ConfigError(
                    f"two bindings of {file} write {job.output_dir / name}.py "
                    f"({other.shown_source} and {job.shown_source}): "
                    "give one another ident or output-stem"
                )
