"""No argument, key, directive or variable gives a traceback, hangs, or writes outside the project.

A run ends with 0, 1 or 2. One that fails says why in its last line, and writes nothing.
"""

import json
import os
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from .building import TINY, files_of, generate_here, make_project

TEXTS = {
    "NUL": "a\0b",
    "NUL behind a name that is there": "bpf.c\0b",
    "line break": "a\nb",
    "line separator": "a\u2028b",
    "dash": "-x",
    "dashes": "--help",
    "source with a dash": "-x.c",
    "source with an at": "@x.c",
    "long": "a" * 5000,
    "long name": "a" * 250,
    "long path": "a/" * 2500 + "b",
    "lone surrogate": "a\ud800b",
    "byte that is no UTF-8": "a\udc80b",
    "above": "../..",
    "empty": "",
    "absolute": "/proc",
    "device": "/dev/zero",
    "folder": "folder",
    "pipe": "pipe",
    "link to itself": "loop",
    "escape": "a\x1b[31mb",
    "quote": "'",
    "space": " ",
    "braces": "{0} {{ %s",
    "equals": "=",
}

OPTIONS = (
    *("--target", "--cc", "--cflags", "--strip", "--output-dir", "--output-stem"),
    *("--output-suffix", "--naming", "--type", "--event", "--define", "--makebase", "--jobs"),
)
ARGUMENTS = {
    **{option: (f"{option}={{}}", "bpf", "bpf.c") for option in OPTIONS},
    "--object": ("--object={}", "bpf"),
    "IDENT": ("{}", "bpf.c"),
    "SOURCE": ("bpf", "{}"),
    "SOURCE here": ("bpf", "./{}"),
    "second SOURCE": ("bpf", "bpf.c", "./{}"),
    "SOURCE with --define": ("--define=X", "bpf", "./{}"),
    "--": ("bpf", "bpf.c", "--", "{}"),
}
VARIABLES = ("EBPFGEN_CC", "EBPFGEN_CFLAGS", "EBPFGEN_STRIP", "EBPFGEN_MAKEBASE")
STRINGS = (
    *("ident", "source", "object", "targets", "cc", "cflags", "strip", "output-dir"),
    *("output-stem", "output-suffix", "naming", "makebase", "no-strip", "global-types"),
)
LISTS = ("source", "object", "targets", "cflags", "types", "defines")
WRITTEN = {"bpf.py", "bpf_bpfel.py", "bpf_bpfel.o"}

Run = Callable[[Path, str], tuple[int, str]]


def check_texts(tmp_path: Path, run: Run, may_write_above: bool = False) -> None:
    """Run with each text, in a project of its own with files of odd names and kinds."""
    for number, (name, text) in enumerate(TEXTS.items()):
        around = tmp_path / str(number)
        project = make_project(
            around / "a/b/project", files={"-x.c": TINY, "@x.c": TINY, "a/theirs": "theirs"}
        )
        (project / "folder").mkdir()
        os.mkfifo(project / "pipe")
        (project / "loop").symlink_to("loop")
        before = files_of(around)
        status, errors = run(project, text)
        changed = {file for file, data in files_of(around).items() if before.get(file) != data}
        changed -= {"a/b/project/pyproject.toml", "a/b/project/module.py"}  # as run() has them
        assert status in (0, 1, 2), name
        assert "Traceback" not in errors, name
        if status:
            assert changed == set(), name
            assert errors.splitlines()[-1].startswith("ebpfgen: "), name
        elif not may_write_above:
            assert all(file.startswith("a/b/project/") for file in changed), name
        assert {Path(file).name for file in changed if "/project/" not in file} <= WRITTEN, name


@pytest.mark.parametrize("words", ARGUMENTS.values(), ids=ARGUMENTS)
def test_an_argument(tmp_path: Path, words: tuple[str, ...]) -> None:
    def run(project: Path, text: str) -> tuple[int, str]:
        if text.startswith("--") and "{}" in words:
            return 2, "ebpfgen: it is an option"
        done = generate_here(
            project, "--target", "bpfel", *(word.replace("{}", text) for word in words)
        )
        return done.returncode, done.stderr

    check_texts(tmp_path, run, may_write_above=words[0] == "--output-dir={}")


@pytest.mark.parametrize("option", OPTIONS)
def test_an_option_for_the_bindings_of_a_project(tmp_path: Path, option: str) -> None:
    def run(project: Path, text: str) -> tuple[int, str]:
        done = generate_here(project, f"{option}={text}")
        return done.returncode, done.stderr

    check_texts(tmp_path, run, may_write_above=option == "--output-dir")


@pytest.mark.parametrize("variable", VARIABLES)
def test_a_variable(tmp_path: Path, variable: str) -> None:
    def run(project: Path, text: str) -> tuple[int, str]:
        if "\0" in text or "\ud800" in text:
            return 2, "ebpfgen: no variable can have it"
        done = generate_here(project, env={variable: text})
        return done.returncode, done.stderr

    check_texts(tmp_path, run)


@pytest.mark.parametrize(
    ("key", "form"),
    [
        *((key, "{}") for key in STRINGS),
        *((key, '["bpf.c", {}]') for key in LISTS),
        *(("events", "{{ {} = {} }}"), ("events", "{{ a = {} }}"), ("{}", "1")),
    ],
)
def test_a_key(tmp_path: Path, key: str, form: str) -> None:
    def run(project: Path, text: str) -> tuple[int, str]:
        if "\ud800" in text or "\udc80" in text:
            return 2, "ebpfgen: no such file is TOML"
        quoted = json.dumps(text)
        keys = {"ident": '"bpf"', "source": '"bpf.c"', "targets": '"bpfel"'}
        keys |= {key.replace("{}", quoted): form.replace("{}", quoted).replace("{{", "{")}
        if key == "object":
            del keys["source"]
        lines = [f"{name} = {value.replace('}}', '}')}" for name, value in keys.items()]
        table = "[[tool.ebpfgen.bindings]]"
        (project / "pyproject.toml").write_text("\n".join([table, *lines, ""]))
        done = generate_here(project)
        return done.returncode, done.stderr

    check_texts(tmp_path, run, may_write_above=key == "output-dir")


@pytest.mark.parametrize(
    "words",
    [
        *("{} bpf.c", "bpf {}", "bpf ./{}", "--output-dir={} bpf bpf.c", "--cc={} bpf bpf.c"),
        *("bpf bpf.c -- {}", "--object={} bpf", "--event={} bpf bpf.c"),
    ],
)
def test_a_directive(tmp_path: Path, words: str) -> None:
    def run(project: Path, text: str) -> tuple[int, str]:
        (project / "pyproject.toml").write_text("")
        line = f"# ebpfgen:generate {words.replace('{}', shlex.quote(text))}\n"
        (project / "module.py").write_bytes(line.encode("utf-8", "surrogatepass"))
        done = generate_here(project, "--target", "bpfel")
        return done.returncode, done.stderr

    check_texts(tmp_path, run, may_write_above="output-dir" in words)


NAMES = [f"{text}.c" for text in TEXTS.values() if text.isprintable()] + ["a\udc80b.c"]


@pytest.mark.parametrize("name", [name for name in NAMES if len(name) < 256 and "/" not in name])
def test_a_name_for_a_source_is_never_an_option(tmp_path: Path, name: str) -> None:
    """A source of that name compiles to what any other compiles to."""
    (tmp_path / name).write_text("#define ONE 1\n" + TINY)
    arguments = ("--target", "bpfel", "--define", "ONE", "bpf", f"./{name}")
    done = generate_here(tmp_path, *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert b"ONE = 1" in (tmp_path / "bpf_bpfel.py").read_bytes()
    assert "unchanged" not in done.stdout
    done = generate_here(tmp_path, "--check", *arguments)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("folder", ["-I", "-", "@folder", "--"])
def test_a_folder_of_headers_is_never_an_option(tmp_path: Path, folder: str) -> None:
    headers = tmp_path / folder
    headers.mkdir()
    (headers / "a.h").write_text(TINY)
    (tmp_path / "bpf.c").write_text('#include "a.h"\n')
    for flags in (["-I", str(headers)], [f"-I{headers}"]):
        done = generate_here(tmp_path, "--target", "bpfel", "bpf", "bpf.c", "--", *flags)
        assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    "toml",
    ["a = " + "[" * 5000, "a = " + "1" * 5000, "a" + ".a" * 5000 + " = 1", "\0", "a = 1979-99-99"],
    ids=["arrays", "number", "tables", "NUL", "date"],
)
def test_a_configuration_that_tomllib_chokes_on(tmp_path: Path, toml: str) -> None:
    (tmp_path / "pyproject.toml").write_text(toml)
    done = generate_here(tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)


def test_a_linked_source_may_have_the_longest_name(tmp_path: Path) -> None:
    (tmp_path / ("a" * 253 + ".c")).write_text("int a;\n")
    (tmp_path / ("b" * 255)).write_text("int b;\n")
    words = ("--target", "bpfel", "--cflags=-xc", "bpf", "a" * 253 + ".c", "b" * 255)
    done = generate_here(tmp_path, *words)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", ["../x.o", "a/b", "/etc/passwd", r"\x00", r"\ud800", ".."])
@pytest.mark.parametrize("kind", ["input", "output"])
def test_a_stamp(tmp_path: Path, kind: str, name: str) -> None:
    """The stamp of a facade in a repository may name anything; what it names is not written."""
    project = make_project(tmp_path / "project")
    (tmp_path / "x.o").write_text("theirs")
    generate_here(project)
    facade = project / "bpf.py"
    line = f"# {kind:<7} {'0' * 32} {name}\n"
    facade.write_text(facade.read_text() + line)
    for options in (["--check"], ["--check", "--rebuild"], ["--tracked"], []):
        done = generate_here(project, *options)
        assert done.returncode in (0, 1)
        assert "Traceback" not in done.stderr
    if (kind, name) != ("input", ".."):  # outside, where what is missing does not matter
        assert line not in facade.read_text()
    assert (tmp_path / "x.o").read_text() == "theirs"
