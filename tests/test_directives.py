"""``# ebpfgen:generate`` lines in modules are command lines, run in their own folder."""

from pathlib import Path

import pytest

from ebpfgen.directives import find_directives
from ebpfgen.errors import UsageError

from .building import TINY, files_of, generate_here, generated, make_project, run_cli

LINE = "# ebpfgen:generate -t bpfel bpf bpf.c\n"


@pytest.fixture(autouse=True)
def project(tmp_path: Path) -> Path:
    """A project, whose bindings are asked for by modules alone."""
    (tmp_path / "pyproject.toml").touch()
    return tmp_path / "pyproject.toml"


def place(folder: Path, text: str = LINE, name: str = "main.py") -> Path:
    """A module of this text, with a source beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "bpf.c").write_text(TINY)
    (folder / name).write_text(text)
    return folder / name


def test_directives_of_all_folders_run_where_they_stand(tmp_path: Path) -> None:
    make_project(tmp_path, "top")
    place(tmp_path / "a/b", '"""Doc."""\nimport os\n\n' + LINE.replace("bpf bpf.c", "One bpf.c"))
    place(tmp_path / "a", LINE.replace("bpf bpf.c", "--output-dir ../out two b/bpf.c -- -Ib"))
    (tmp_path / "a/b/two.h").write_text("")
    (tmp_path / "a/b/bpf.c").write_text('#include "two.h"\n' + TINY)
    lines = generated(tmp_path).splitlines()
    assert [line.partition(" and")[0] for line in lines] == [
        "top.c → top_bpfel.py",
        "bpf.c → a/b/one_bpfel.py",
        "b/bpf.c → out/two_bpfel.py",
    ], "those of the file first, then by the names of modules"
    assert generated(tmp_path / "a/b").count("unchanged)") == 3, "from anywhere in the project"


def test_a_pyproject_says_where_a_project_begins(tmp_path: Path, project: Path) -> None:
    """Without one, a run in / would do what any module of the machine says."""
    place(tmp_path / "sub", LINE.replace("bpf bpf.c", "--cc /bin/false bpf bpf.c"))
    project.unlink()
    done = run_cli("generate", cwd=tmp_path)
    assert done.returncode != 0
    assert done.stderr.startswith(f"ebpfgen: no pyproject.toml in {tmp_path} or above: ")
    project.touch()
    place(tmp_path / "sub")
    assert generated(tmp_path).startswith("bpf.c → sub/bpf_bpfel.py")


SKIPPED = [".venv", ".hidden/deeper", "build", "dist/x", "node_modules", "__pycache__", "venv"]


@pytest.mark.parametrize("name", SKIPPED)
def test_what_is_not_the_projects_own_is_not_searched(tmp_path: Path, name: str) -> None:
    place(tmp_path / name)
    assert find_directives(tmp_path) == []


@pytest.mark.parametrize("marker", ["pyvenv.cfg", "pyproject.toml"])
def test_environments_and_other_projects_are_not_searched(tmp_path: Path, marker: str) -> None:
    place(tmp_path / "sub/deeper")
    place(tmp_path)
    (tmp_path / marker).touch()
    assert len(find_directives(tmp_path)) == 2
    (tmp_path / "sub" / marker).touch()
    assert [found.file for found in find_directives(tmp_path)] == [tmp_path / "main.py"]


# What stands in a module, and the words of its directives.
TEXTS: dict[str, tuple[str, list[list[str]]]] = {
    "the first line": ("# ebpfgen:generate a b\n", [["a", "b"]]),
    "without an end": ("x = 1\n# ebpfgen:generate a b", [["a", "b"]]),
    "two": ("# ebpfgen:generate a\n# ebpfgen:generate b\n", [["a"], ["b"]]),
    "quotes": (
        "# ebpfgen:generate a 'b c' --cflags '-DX=\"y z\"'\n",
        [["a", "b c", "--cflags", '-DX="y z"']],
    ),
    "a tab": ("# ebpfgen:generate\ta\tb\n", [["a", "b"]]),
    "lines of Windows": ("# ebpfgen:generate a b\r\n", [["a", "b"]]),
    "no words": ("# ebpfgen:generate\n", [[]]),
    "in a string": ('"""\n# ebpfgen:generate a\n"""\n', [["a"]]),
    "indented": ("def f():\n    # ebpfgen:generate a\n", []),
    "after code": ("x = 1  # ebpfgen:generate a\n", []),
    "another word": ("# ebpfgen:generated a\n", []),
    "no space": ("#ebpfgen:generate a\n", []),
    "not UTF-8": ("# \udcff\n# ebpfgen:generate a \udcff\n", [["a", "\ufffd"]]),
}


@pytest.mark.parametrize(("text", "words"), TEXTS.values(), ids=TEXTS)
def test_a_directive_is_a_whole_line(tmp_path: Path, text: str, words: list[list[str]]) -> None:
    (tmp_path / "main.py").write_bytes(text.encode("utf-8", "surrogateescape"))
    (tmp_path / "main.txt").write_text(LINE)
    assert [list(found.words) for found in find_directives(tmp_path)] == words


def test_an_open_quote_is_one_line_with_the_place(tmp_path: Path) -> None:
    module = place(tmp_path, f"import os\n{LINE}# ebpfgen:generate a 'b\n")
    with pytest.raises(UsageError) as caught:
        find_directives(tmp_path)
    assert str(caught.value).startswith(f"{module}:3 can't be split into words: ")


MISTAKES = {
    "option": ("--bogus bpf bpf.c", ("--bogus", "see ebpfgen generate --help")),
    "target": ("-t vax bpf bpf.c", ("unknown target 'vax'",)),
    "ident": ("1x bpf.c", ("ident '1x' is not a Python identifier",)),
    "no source": ("bpf", ("SOURCE is missing",)),
    "nothing": ("", ("IDENT and SOURCE are missing",)),
    "a source twice": ("bpf bpf.c ./bpf.c", ("bpf.c is named twice",)),
    "event": ("--event x bpf bpf.c", ("--event 'x' is not of the form MAP=STRUCT",)),
    "-M": ("bpf bpf.c -- -MD", ("-MD in the flags for clang", "--makebase")),
    "help": ("--help", ("a directive is IDENT SOURCE",)),
    **{
        option: (f"{option} bpf bpf.c", ("a directive says what to generate",))
        for option in (
            *("--check", "--json", "--quiet", "--verbose", "--watch", "--force", "--jobs=2"),
            *("--compile-only", "--rebuild"),
        )
    },
}


@pytest.mark.parametrize(("words", "said"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_one_line_with_the_place(
    tmp_path: Path, words: str, said: tuple[str, ...]
) -> None:
    module = place(tmp_path, f"x = 1\n# ebpfgen:generate {words}\n")
    before = files_of(tmp_path)
    done = generate_here(tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert done.stderr.startswith(f"ebpfgen: {module}:2: ")
    assert done.stderr.count(str(module)) == 1
    assert [text for text in said if text not in done.stderr] == []
    assert files_of(tmp_path) == before


def test_a_source_that_is_not_there_has_the_place_that_names_it(tmp_path: Path) -> None:
    module = place(tmp_path / "sub", LINE.replace("bpf.c", "gone.c"))
    done = generate_here(tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"ebpfgen: {module}:1: no C source 'gone.c': check the path\n"
    done = generate_here(tmp_path, "bpf", "gone.c")
    assert done.stderr == "ebpfgen: no C source 'gone.c': check the path\n"


def test_what_is_typed_overrides_a_directive(tmp_path: Path) -> None:
    place(
        tmp_path / "sub",
        "# ebpfgen:generate -t bpfeb --cc no-such --cflags -DA --naming camel --output-dir x bpf "
        "bpf.c\n",
    )
    (tmp_path / "sub/bpf.c").write_text("int a_b = A + B + C;\n")
    generated(
        *(tmp_path, "-t", "bpfel", "--cc=clang", "--naming=snake", "--output-dir=y"),
        *("--", "-UA", "-DA=1", "-DC=3"),
        env={"EBPFGEN_CFLAGS": "-DB=2"},
    )
    assert sorted(files_of(tmp_path / "y")) == ["bpf.py", "bpf_bpfel.o", "bpf_bpfel.py"]
    assert "a_b = " in (tmp_path / "y/bpf_bpfel.py").read_text()


def test_a_mistake_that_is_typed_is_not_the_directives(tmp_path: Path) -> None:
    place(tmp_path)
    done = generate_here(tmp_path, "-t", "vax")
    assert (done.returncode, "main.py" in done.stderr) == (2, False)


CLASHES = {
    "two directives": ("", LINE + LINE, ("main.py:1 or ", "main.py:2")),
    "two modules": ("", LINE, ("a.py:1 or ", "main.py:1")),
    "the file": (
        "bpf",
        LINE,
        ("[[tool.ebpfgen.bindings]] 1 of", "pyproject.toml or ", "main.py:1"),
    ),
}


@pytest.mark.parametrize(("binding", "text", "said"), CLASHES.values(), ids=CLASHES)
def test_two_bindings_for_one_output_name_both_places(
    tmp_path: Path, binding: str, text: str, said: tuple[str, ...]
) -> None:
    if binding:
        make_project(tmp_path, binding)
    if "a.py" in said[0]:
        place(tmp_path, text, "a.py")
    place(tmp_path, text)
    done = generate_here(tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "two bindings write" in done.stderr
    assert [word for word in said if word not in done.stderr] == []


def test_a_directive_is_checked_like_any_binding(tmp_path: Path) -> None:
    module = place(tmp_path)
    assert generate_here(tmp_path, "--check").returncode == 1
    generated(tmp_path)
    assert generated(tmp_path, "--check") == ""
    module.write_text("")
    done = generate_here(tmp_path, "--check")
    assert done.returncode == 1
    assert "has no [tool.ebpfgen]" in done.stderr, "nothing is asked for any more"


def test_a_module_without_directives_that_names_them_asks_for_nothing(tmp_path: Path) -> None:
    make_project(tmp_path)
    (tmp_path / "doc.py").write_text('"""Write # ebpfgen:generate IDENT SOURCE."""\n')
    generated(tmp_path)
