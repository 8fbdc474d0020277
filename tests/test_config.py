"""Arguments and pyproject.toml become jobs, or one line that says what is wrong."""

from pathlib import Path

import pytest

from ebpfgen.config import jobs_from_config
from ebpfgen.errors import (
    ConfigError,
    EbpfgenError,
    IdentifierError,
    SourceError,
    TargetError,
    UsageError,
)
from ebpfgen.jobs import Job, Options, job_from_arguments
from ebpfgen.naming import Naming
from ebpfgen.selection import Selection
from ebpfgen.target import find_targets

DEFAULT = find_targets(["bpfel,bpfeb"])


def configured(folder: Path, text: str, options: Options | None = None) -> list[Job]:
    """The jobs of a pyproject.toml in *folder*."""
    (folder / "pyproject.toml").write_text(text)
    return jobs_from_config(folder, options or Options())


def binding(*lines: str, defaults: tuple[str, ...] = ()) -> str:
    """A pyproject.toml with one binding, and lines that change or add a key."""
    keys = {"ident": '"bpf"', "source": '"kprobe.c"'}
    for line in lines:
        key, _, value = line.partition(" = ")
        keys[key] = value
    table = "\n".join(f"{key} = {value}" for key, value in keys.items() if value != "none")
    top = "\n".join(defaults)
    return f"[tool.ebpfgen]\n{top}\n[[tool.ebpfgen.bindings]]\n{table}\n"


def one(folder: Path, text: str, options: Options | None = None) -> Job:
    (job,) = configured(folder, text, options)
    return job


def test_a_binding_has_defaults_for_all_but_ident_and_source(tmp_path: Path) -> None:
    job = one(tmp_path, binding('source = "src/kprobe.c"'))
    assert job == Job(
        ident="bpf",
        sources=(tmp_path / "src/kprobe.c",),
        folder=tmp_path,
        targets=DEFAULT,
        cflags=(),
        output_dir=tmp_path / "src",
        stem="bpf",
        naming=Naming.CAMEL,
        place=job.place,
    )


def test_a_binding_overrides_the_table_and_flags_add_up(tmp_path: Path) -> None:
    defaults = ('targets = ["amd64"]', 'cc = "clang-1"', 'cflags = ["-Ia"]', 'naming = "snake"')
    inherited = one(tmp_path, binding(defaults=(*defaults, 'output-dir = "out"')))
    assert [target.name for target in inherited.targets] == ["amd64"]
    assert (inherited.cc, inherited.cflags) == ("clang-1", ("-Ia",))
    assert (inherited.naming, inherited.output_dir) == (Naming.SNAKE, tmp_path / "out")

    lines = ('targets = "arm64,s390x"', 'cc = "clang-2"', "cflags = \"-Ib '-DX=a b'\"")
    own = one(tmp_path, binding(*lines, 'naming = "camel"', 'output-dir = "."', defaults=defaults))
    assert [target.name for target in own.targets] == ["arm64", "s390x"]
    assert (own.cc, own.cflags) == ("clang-2", ("-Ia", "-Ib", "-DX=a b"))
    assert (own.naming, own.output_dir) == (Naming.CAMEL, tmp_path)


def test_options_override_the_file_and_add_flags(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    job = one(
        tmp_path,
        binding('targets = ["amd64"]', 'cc = "a"', 'cflags = ["-Ia"]', 'output-stem = "stem"'),
        Options(
            targets=("arm64", "bpfel,bpfeb"),
            cc="b",
            cflags=("-Ib",),
            output_dir=Path("out"),
            output_stem="other",
            naming=Naming.SNAKE,
        ),
    )
    assert [target.name for target in job.targets] == ["arm64", "bpfel", "bpfeb"]
    assert (job.cc, job.cflags, job.stem, job.naming) == (
        "b",
        ("-Ia", "-Ib"),
        "other",
        Naming.SNAKE,
    )
    assert job.output_dir == tmp_path / "here/out", "an option is relative to where it is typed"


def test_every_default_is_one_for_all_bindings(tmp_path: Path) -> None:
    defaults = (
        'targets = ["amd64"]',
        'cc = "gcc"',
        'cflags = "-DX"',
        'strip = "st"',
        "no-strip = true",
        'output-dir = "out"',
        'output-suffix = "_s"',
        'naming = "snake"',
        "global-types = false",
        'makebase = "base"',
    )
    job = one(tmp_path, binding(defaults=defaults))
    assert job == Job(
        ident="bpf",
        sources=(tmp_path / "kprobe.c",),
        folder=tmp_path,
        targets=find_targets(["amd64"]),
        cc="gcc",
        cflags=("-DX",),
        strip="st",
        no_strip=True,
        output_dir=tmp_path / "out",
        stem="bpf",
        suffix="_s",
        naming=Naming.SNAKE,
        selection=Selection(global_types=False),
        makebase=tmp_path / "base",
        place=job.place,
    )
    own = binding("no-strip = false", "global-types = true", defaults=defaults)
    assert not one(tmp_path, own).no_strip
    assert one(tmp_path, own).selection.global_types


def test_a_binding_may_have_several_sources_and_several_tables(tmp_path: Path) -> None:
    job = one(
        tmp_path,
        binding('source = ["src/a.c", "b.c"]', 'events = { m = "struct e" }', 'types = ["t"]'),
        Options(types=("u",), events=("n=f", "m=g")),
    )
    assert job.sources == (tmp_path / "src/a.c", tmp_path / "b.c")
    assert (job.shown_source, job.output_dir) == ("src/a.c, b.c", tmp_path / "src")
    assert job.selection.types == ("t", "u")
    assert dict(job.selection.events) == {"m": "g", "n": "f"}, "what is typed wins"


@pytest.mark.parametrize("depth", ["", "a", "a/b/c"])
def test_the_nearest_file_counts(tmp_path: Path, depth: str) -> None:
    (tmp_path / "pyproject.toml").write_text(binding('ident = "outer"'))
    near = tmp_path / "project"
    near.mkdir()
    (near / "pyproject.toml").write_text(binding('ident = "near"'))
    (near / depth).mkdir(parents=True, exist_ok=True)
    (job,) = jobs_from_config(near / depth, Options())
    assert (job.ident, job.folder, job.sources) == ("near", near, (near / "kprobe.c",))


def test_every_binding_is_a_job_in_the_order_of_the_file(tmp_path: Path) -> None:
    second = '[[tool.ebpfgen.bindings]]\nident = "other"\nsource = "other.c"\n'
    jobs = configured(tmp_path, binding() + second)
    assert [(job.ident, job.stem, job.shown_source) for job in jobs] == [
        ("bpf", "bpf", "kprobe.c"),
        ("other", "other", "other.c"),
    ]


@pytest.mark.parametrize(
    ("ident", "stem"),
    [("bpf", "bpf"), ("MyProbe", "myprobe"), ("If", "if_"), ("my_probe", "my_probe")],
)
def test_the_stem_is_the_ident_in_lower_case(tmp_path: Path, ident: str, stem: str) -> None:
    assert one(tmp_path, binding(f'ident = "{ident}"')).stem == stem
    assert job_from_arguments(ident, Path("x.c"), tmp_path, Options()).stem == stem


# What stands in the file, and the words that must be in the line about it.
MISTAKES: dict[str, tuple[str, type[EbpfgenError], tuple[str, ...]]] = {
    "invalid TOML": ("[tool.ebpfgen\n", ConfigError, ("is not valid TOML", "line 1")),
    "not UTF-8": ("# \udcff\n", ConfigError, ("is not valid TOML",)),
    "no table": ("[project]\nname = 'x'\n", ConfigError, ("has no [tool.ebpfgen]", "IDENT SOURCE")),
    "no such tool": ("[tool.ruff]\n", ConfigError, ("has no [tool.ebpfgen]",)),
    "tool is no table": ("tool = 1\n", ConfigError, ("has no [tool.ebpfgen]",)),
    "ebpfgen is no table": ("[tool]\nebpfgen = 1\n", ConfigError, ("has no [tool.ebpfgen]",)),
    "no bindings": (
        "[tool.ebpfgen]\n",
        ConfigError,
        ("[[tool.ebpfgen.bindings]]", "ident, source"),
    ),
    "bindings is no list": ("[tool.ebpfgen]\nbindings = 1\n", ConfigError, ("must be tables",)),
    "bindings of numbers": ("[tool.ebpfgen]\nbindings = [1]\n", ConfigError, ("must be tables",)),
    "no ident": (binding("ident = none"), ConfigError, ("lacks ident", "bindings]] 1 of")),
    "no source": (binding("source = none"), ConfigError, ("lacks source",)),
    "empty source": (binding('source = ""'), ConfigError, ("source", "must be a string")),
    "ident is a number": (binding("ident = 1"), ConfigError, ("ident", "must be a string, not 1")),
    "ident is no name": (binding('ident = "a-b"'), IdentifierError, ("'a-b'", "bindings]] 1 of")),
    "ident is a keyword": (binding('ident = "class"'), IdentifierError, ("'class'", "keyword")),
    "stem is no name": (binding('output-stem = "a/b"'), IdentifierError, ("output stem 'a/b'",)),
    "stem is a number": (binding("output-stem = 1"), ConfigError, ("output-stem", "not 1")),
    "unknown key": (binding('sauce = "x"'), ConfigError, ("'sauce'", "did you mean source?")),
    "very unknown key": (binding("q = 1"), ConfigError, ("'q'", "known keys: ident, source")),
    "unknown default": (
        binding(defaults=("target = 'x'",)),
        ConfigError,
        ("did you mean targets?",),
    ),
    "ident among the defaults": (binding(defaults=('ident = "x"',)), ConfigError, ("'ident'",)),
    "unknown target": (binding('targets = ["x86_64"]'), TargetError, ("did you mean amd64?",)),
    "targets is a number": (binding("targets = 1"), ConfigError, ("targets", "list of strings")),
    "targets of numbers": (binding("targets = [1]"), ConfigError, ("targets", "list of strings")),
    "no targets": (binding("targets = []"), ConfigError, ("targets",)),
    "cc is a list": (binding('cc = ["clang"]'), ConfigError, ("cc", "must be a string")),
    "cflags is a number": (binding("cflags = 1"), ConfigError, ("cflags", "list of strings")),
    "cflags of numbers": (binding("cflags = [1]"), ConfigError, ("cflags", "list of strings")),
    "cflags with an open quote": (binding('cflags = "-D\'"'), UsageError, ("cflags in", "quot")),
    "naming": (binding('naming = "upper"'), ConfigError, ("camel or snake", "'upper'")),
    "naming is a number": (binding("naming = 1"), ConfigError, ("naming", "not 1")),
    "output-dir is a number": (binding("output-dir = 1"), ConfigError, ("output-dir", "not 1")),
    "source is a number": (binding("source = 1"), ConfigError, ("source in [[", "not 1")),
    "source of numbers": (binding("source = [1]"), ConfigError, ("source in [[", "not [1]")),
    "an empty list of sources": (binding("source = []"), ConfigError, ("source in [[", "is empty")),
    "an empty source in a list": (
        binding('source = [""]'),
        ConfigError,
        ("source in [[", "is empty"),
    ),
    "line break": (binding('source = "a\\nb.c"'), ConfigError, ("'a\\nb.c' has a line break",)),
    "source twice": (binding('source = ["a.c", "./a.c"]'), UsageError, ("a.c is named twice",)),
    "source and object": (binding('object = "x.o"'), UsageError, ("SOURCE and --object",)),
    "object is a number": (binding("source = none", "object = 1"), ConfigError, ("object in [[",)),
    "no such object": (
        binding("source = none", 'object = "x.o"'),
        SourceError,
        ("bindings]] 1 of", "no object"),
    ),
    "flags for an object": (
        binding("source = none", 'object = "x.o"', 'cflags = "-DX"'),
        ConfigError,
        ("cflags in [[", "an object is compiled"),
    ),
    "constants of an object": (
        binding("source = none", 'object = "x.o"', 'defines = ["X"]'),
        ConfigError,
        ("defines in [[", "an object is compiled"),
    ),
    "strip is true": (binding("strip = true"), ConfigError, ("strip in [[", "not True")),
    "no-strip is a string": (
        binding('no-strip = "yes"'),
        ConfigError,
        ("no-strip in [[", "must be true or false, not 'yes'"),
    ),
    "global-types is a number": (binding("global-types = 1"), ConfigError, ("global-types in [[",)),
    "output-suffix is a number": (binding("output-suffix = 1"), ConfigError, ("output-suffix in",)),
    "output-suffix is no name": (
        binding('output-suffix = "-x"'),
        UsageError,
        ("bindings]] 1 of", "output suffix '-x'"),
    ),
    "makebase is a list": (binding("makebase = []"), ConfigError, ("makebase in [[", "not []")),
    "types is a string": (binding('types = "x"'), ConfigError, ("types in [[", "list of strings")),
    "defines is a string": (binding('defines = "X"'), ConfigError, ("defines in [[", "list of")),
    "an empty prefix": (binding('defines = [""]'), UsageError, ("bindings]] 1 of", "--define ''")),
    "events is a list": (binding("events = []"), ConfigError, ("events in [[", "must be a table")),
    "events of numbers": (binding("events = { m = 1 }"), ConfigError, ("events in [[", "a table")),
    "an event without a name": (
        binding('events = { "" = "struct e" }'),
        UsageError,
        ("bindings]] 1 of", "MAP=STRUCT"),
    ),
    "-M": (binding('cflags = ["-MD"]'), UsageError, ("-MD in cflags in [[", "--makebase")),
    "a key of a binding among the defaults": (
        binding(defaults=("types = []",)),
        ConfigError,
        ("unknown key 'types' in [tool.ebpfgen]", "it is for [[tool.ebpfgen.bindings]]"),
    ),
    "bindings misspelled": (
        "[[tool.ebpfgen.binding]]\nident = 'x'\n",
        ConfigError,
        ("'binding'", "did you mean bindings?"),
    ),
    **{
        f"{wrong} for {key}": (
            binding(f"{wrong} = 1"),
            ConfigError,
            (f"unknown key {wrong!r} in [[", f"did you mean {key}?"),
        )
        for wrong, key in {
            "sources": "source",
            "objects": "object",
            "no_strip": "no-strip",
            "nostrip": "no-strip",
            "output_suffix": "output-suffix",
            "suffix": "output-suffix",
            "make-base": "makebase",
            "define": "defines",
            "event": "events",
            "target": "targets",
            "cflag": "cflags",
        }.items()
    },
}


@pytest.mark.parametrize(("text", "error", "words"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_one_line_that_says_where_and_what(
    tmp_path: Path, text: str, error: type[EbpfgenError], words: tuple[str, ...]
) -> None:
    file = tmp_path / "pyproject.toml"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(EbpfgenError) as caught:
        jobs_from_config(tmp_path, Options())
    assert type(caught.value) is error
    message = str(caught.value)
    assert [word for word in words if word not in message] == []
    assert "\n" not in message
    if error is ConfigError:
        assert str(file) in message


def test_a_mistake_in_the_second_binding_is_found_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"\[\[tool\.ebpfgen\.bindings\]\] 2 of .* lacks ident"):
        configured(tmp_path, binding() + '[[tool.ebpfgen.bindings]]\nsource = "x.c"\n')


def test_no_file_at_all_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"no pyproject.toml in {tmp_path}") as caught:
        jobs_from_config(tmp_path, Options())
    assert "ebpfgen generate IDENT SOURCE" in str(caught.value)


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    broken = tmp_path / "project/pyproject.toml"
    broken.symlink_to("/proc/self/mem")
    with pytest.raises(ConfigError, match=r"can't be read|is not valid TOML"):
        jobs_from_config(tmp_path / "project", Options())


CLASHES = {
    "the same ident": ("bpf", "other.c", ""),
    "idents that differ in case": ("BPF", "other.c", ""),
    "the same stem": ("other", "other.c", 'output-stem = "bpf"'),
    "the same folder, spelled otherwise": ("bpf", "other.c", 'output-dir = "a/.."'),
    "a variant of the first is the facade of the second": ("bpf_bpfel", "other.c", ""),
}


@pytest.mark.parametrize(("ident", "source", "line"), CLASHES.values(), ids=CLASHES)
def test_two_bindings_may_not_write_one_file(
    tmp_path: Path, ident: str, source: str, line: str
) -> None:
    (tmp_path / "a").mkdir()
    second = f'[[tool.ebpfgen.bindings]]\nident = "{ident}"\nsource = "{source}"\n{line}\n'
    with pytest.raises(ConfigError, match=r"two bindings write .*bpf\w*\.py") as caught:
        configured(tmp_path, binding() + second)
    assert "kprobe.c and other.c" in str(caught.value)


def test_one_ident_may_be_in_two_folders(tmp_path: Path) -> None:
    second = '[[tool.ebpfgen.bindings]]\nident = "bpf"\nsource = "sub/other.c"\n'
    assert len(configured(tmp_path, binding() + second)) == 2


def test_one_stem_for_two_bindings_is_refused(tmp_path: Path) -> None:
    second = '[[tool.ebpfgen.bindings]]\nident = "other"\nsource = "other.c"\n'
    with pytest.raises(UsageError, match="--output-stem fits one binding"):
        configured(tmp_path, binding() + second, Options(output_stem="x"))


def test_arguments_have_defaults_for_all_but_ident_and_source(tmp_path: Path) -> None:
    job = job_from_arguments("Bpf", Path("src/kprobe.c"), tmp_path, Options())
    assert job == Job(
        ident="Bpf",
        sources=(tmp_path / "src/kprobe.c",),
        folder=tmp_path,
        targets=DEFAULT,
        cflags=(),
        output_dir=tmp_path,
        stem="bpf",
        naming=Naming.CAMEL,
        place=job.place,
    )


def test_arguments_take_all_options(tmp_path: Path) -> None:
    options = Options(
        targets=("amd64",),
        cc="gcc",
        cflags=("-DX",),
        output_dir=Path("out"),
        output_stem="stem",
        naming=Naming.SNAKE,
    )
    job = job_from_arguments("bpf", Path("/abs/kprobe.c"), tmp_path, options)
    assert job == Job(
        ident="bpf",
        sources=(Path("/abs/kprobe.c"),),
        folder=tmp_path,
        targets=find_targets(["amd64"]),
        cc="gcc",
        cflags=("-DX",),
        output_dir=tmp_path / "out",
        stem="stem",
        naming=Naming.SNAKE,
    )
    assert job.shown_source == "/abs/kprobe.c"


@pytest.mark.parametrize(
    ("ident", "options", "error"),
    [
        ("1x", Options(), IdentifierError),
        ("class", Options(), IdentifierError),
        ("bpf", Options(output_stem="a-b"), IdentifierError),
        ("bpf", Options(targets=("vax",)), TargetError),
    ],
)
def test_arguments_that_cannot_be_meant_are_refused(
    tmp_path: Path, ident: str, options: Options, error: type[UsageError]
) -> None:
    with pytest.raises(error):
        job_from_arguments(ident, Path("x.c"), tmp_path, options)
