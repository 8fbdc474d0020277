"""What is up to date is not made again, and what is not, is: told by stamps, not by times."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import ebpfgen
from ebpfgen.stamp import above_stamp, read_stamp

from .building import TINY, files_of, generate_here, generated, make_project, script

CLANG = shutil.which("clang")

WITH_HEADER = '#include "shared.h"\n' + TINY


def compiled(folder: Path, *options: str) -> list[str]:
    """The sources that clang is called for by a run of ``ebpfgen generate``, which has to end well.

    No path to it leads through the project, which so looks the same.
    """
    log = folder.parent / f"{folder.name}.log"
    log.write_text("")
    clang = log.with_suffix(".clang")
    script(clang, f"printf '%s\\n' \"$@\" >> '{log}'\nexec {CLANG} \"$@\"")
    generated(folder, "--jobs=1", *options, env={"EBPFGEN_CC": f"'{clang}'"})
    words = log.read_text().splitlines()
    return sorted(words[place + 1] for place, word in enumerate(words) if word == "-c")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of two bindings, of which the first includes a header."""
    folder = make_project(
        tmp_path / "project",
        'one\nsource = "src/one.c"',
        'two\nsource = "src/two.c"',
        defaults='targets = "bpfel"\ncflags = "-Iinclude"',
        files={
            "src/one.c": WITH_HEADER,
            "src/two.c": TINY,
            "include/shared.h": "extern int shared;\n",
        },
    )
    assert compiled(folder) == ["src/one.c", "src/two.c"]
    return folder


def append(path: Path, text: str = "// more\n") -> None:
    with path.open("a") as file:
        file.write(text)


def lose_module(source: Path) -> None:
    """Delete the module of a source that is another one now, but not the object beside it."""
    source.with_name(f"{source.stem}_bpfel.py").unlink()
    append(source, "int more;\n")


def test_nothing_is_done_twice_whatever_the_times_of_files_are(project: Path) -> None:
    before = files_of(project)
    for number, name in enumerate(before):
        os.utime(project / name, (number, 2_000_000_000 - number))
    assert compiled(project) == []
    assert files_of(project) == before


CHANGES: dict[str, tuple[Callable[[Path], object], list[str]]] = {
    "a source": (lambda p: append(p / "src/two.c"), ["src/two.c"]),
    "a header": (lambda p: append(p / "include/shared.h"), ["src/one.c"]),
    "a header that is not included": (lambda p: (p / "include/x.h").write_text(""), []),
    "an edited facade": (lambda p: append(p / "src/one.py"), ["src/one.c"]),
    "an edited module": (lambda p: append(p / "src/one_bpfel.py"), ["src/one.c"]),
    "an edited object": (lambda p: append(p / "src/one_bpfel.o"), ["src/one.c"]),
    "a deleted facade": (lambda p: (p / "src/one.py").unlink(), ["src/one.c"]),
    "a deleted module": (lambda p: (p / "src/one_bpfel.py").unlink(), ["src/one.c"]),
    "a deleted object": (lambda p: (p / "src/one_bpfel.o").unlink(), ["src/one.c"]),
    "a deleted module and another source": (
        lambda p: lose_module(p / "src/one.c"),
        ["src/one.c"],
    ),
    "a package where there was none": (
        lambda p: (p / "src/__init__.py").touch(),
        ["src/one.c", "src/two.c"],
    ),
    "a variant of an earlier run": (
        lambda p: shutil.copy(p / "src/one_bpfel.py", p / "src/one_bpfeb.py"),
        ["src/one.c"],
    ),
}


@pytest.mark.parametrize(("change", "again"), CHANGES.values(), ids=CHANGES)
def test_just_the_bindings_that_a_change_concerns_are_made_again(
    project: Path, change: Callable[[Path], object], again: list[str]
) -> None:
    right = files_of(project / "src")
    change(project)
    assert compiled(project) == again
    assert compiled(project) == []
    now = files_of(project / "src")
    assert {name for name in now if name.endswith(".o")} == {"one_bpfel.o", "two_bpfel.o"}
    assert set(now) >= set(right)


TABLE_CHANGES = {
    "cflags": ('"-Iinclude"', '"-Iinclude -DX"'),
    "targets": ('"bpfel"', '"bpfel,bpfeb"'),
    "ident": ('"one"', '"One"'),
    "naming": ('"one"', '"one"\nnaming = "snake"'),
    "types": ('"one"', '"one"\ntypes = []\nglobal-types = false'),
    "defines": ('"one"', '"one"\ndefines = ["__ebpfgen_no_such"]'),
    "no-strip": ('"one"', '"one"\nno-strip = true'),
    "output-suffix": ('"one"', '"one"\noutput-suffix = "_x"'),
}


@pytest.mark.parametrize(("old", "new"), TABLE_CHANGES.values(), ids=TABLE_CHANGES)
def test_other_options_make_another_binding(project: Path, old: str, new: str) -> None:
    file = project / "pyproject.toml"
    file.write_text(file.read_text().replace(old, new))
    done = generate_here(project)
    assert done.returncode == 0
    assert "src/one.c → src/one_" in done.stdout
    assert "src/one_bpfel.py and .o (0.7 kB, unchanged)" not in done.stdout
    assert compiled(project) == []


def test_what_does_not_decide_what_is_written_does_not_matter(project: Path) -> None:
    file = project / "pyproject.toml"
    text = file.read_text()
    file.write_text(text.replace('"-Iinclude"', f'["-I{project}/include"]\nstrip = "true"'))
    assert compiled(project, "--jobs", "1", "--quiet") == [], "the folder is the same"
    assert compiled(project, "--force") == ["src/one.c", "src/two.c"]


def test_another_version_makes_everything_again(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ebpfgen, "__version__", "999")
    assert compiled(project) == ["src/one.c", "src/two.c"]
    assert "\n# Made by ebpfgen 999 of" in (project / "src/one.py").read_text()


def test_a_clone_is_up_to_date_without_a_compiler(project: Path, tmp_path: Path) -> None:
    clone = tmp_path / "somewhere else/deeper/clone"
    shutil.copytree(project, clone, copy_function=shutil.copyfile)
    before = files_of(clone)
    output = generated(clone, env={"PATH": ""})
    assert [line.endswith("unchanged)") for line in output.splitlines()] == [True, True]
    assert files_of(clone) == before


def test_a_header_that_has_gone_is_a_change(project: Path) -> None:
    (project / "include/shared.h").unlink()
    done = generate_here(project)
    assert done.returncode == 1
    assert "'shared.h' file not found" in done.stderr
    assert "src/two.c → src/two_bpfel.py and .o (0.7 kB, unchanged)" in done.stdout


def test_a_source_that_has_gone_is_an_error(tmp_path: Path) -> None:
    for folder in ("here", "there"):
        (tmp_path / folder).mkdir()
    (tmp_path / "there/bpf.c").write_text(TINY)
    binding = ("-t", "bpfel", "bpf", "../there/bpf.c")
    generated(tmp_path / "here", *binding)
    (tmp_path / "there/bpf.c").unlink()
    done = generate_here(tmp_path / "here", *binding)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "no C source '../there/bpf.c'" in done.stderr


@pytest.mark.parametrize(
    ("flag", "given"),
    [("-I", "../sdk"), ("-I", "{}/sdk"), ("-isystem", "{}/sdk"), ("-idirafter", "../sdk")],
)
def test_a_header_outside_the_project_is_an_input_that_may_be_missing(
    tmp_path: Path, flag: str, given: str
) -> None:
    project = make_project(
        tmp_path / "project",
        'bpf\nsource = "bpf.c"',
        defaults=f'targets = "bpfel"\ncflags = ["{flag}", "{given.format(tmp_path)}"]',
        files={"bpf.c": WITH_HEADER},
    )
    header = tmp_path / "sdk/shared.h"
    header.parent.mkdir()
    header.write_text("")
    assert compiled(project) == ["bpf.c"]
    append(header)
    assert compiled(project) == ["bpf.c"]
    assert compiled(project) == []
    header.unlink()
    assert compiled(project) == [], "not every machine has it, and the outputs are right"
    (project / ".git").mkdir()
    (tmp_path / ".git").mkdir()
    assert compiled(project) == [], "a repository of its own"
    (project / ".git").rmdir()
    assert generate_here(project).returncode == 1, "in one repository, it has to be there"


def test_the_machines_own_headers_are_no_inputs(tmp_path: Path) -> None:
    source = (
        "#include <stddef.h>\n#include <bpf/bpf_endian.h>\n#include <libbpf_version.h>\n" + TINY
    )
    make_project(tmp_path, 'bpf\nsource = "bpf.c"', files={"bpf.c": source})
    generated(tmp_path, "--", "-isystem", "/usr/include", "-I/usr/include/bpf")
    stamp = read_stamp((tmp_path / "bpf.py").read_text())
    assert stamp
    assert list(stamp.inputs) == ["bpf.c"]


def test_a_link_to_another_header_is_another_header(project: Path) -> None:
    header = project / "include/shared.h"
    for name in ("old.h", "new.h"):
        (project / "include" / name).write_text(f"// {name}\n")
    header.unlink()
    header.symlink_to("old.h")
    assert compiled(project) == ["src/one.c"]
    header.unlink()
    header.symlink_to("new.h")
    assert compiled(project) == ["src/one.c"]
    header.unlink()
    header.symlink_to("../include/new.h")
    assert compiled(project) == [], "the same bytes"


def test_a_link_to_another_folder_is_another_folder(project: Path) -> None:
    shutil.copytree(project / "include", project / "newer")
    append(project / "newer/shared.h")
    (project / "include").rename(project / "older")
    (project / "include").symlink_to("older")
    assert compiled(project) == []
    assert compiled(project, "--force") == ["src/one.c", "src/two.c"]
    (project / "include").unlink()
    (project / "include").symlink_to("newer")
    assert compiled(project) == ["src/one.c"]


def test_a_project_behind_a_link_is_the_same_project(project: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(project)
    before = files_of(project)
    assert compiled(tmp_path / "link") == []
    words = f"--output-dir=out one {tmp_path}/link/src/one.c -- -I{tmp_path}/link/include"
    assert compiled(project, *words.split()) == ["src/one.c"] * 2
    stamp = read_stamp((project / "out/one.py").read_text())
    assert stamp
    assert list(stamp.inputs) == ["../include/shared.h", "../src/one.c"]
    assert {name: files_of(project)[name] for name in before} == before


NAMES = ["with space.h", "überall.h", "$dollar #hash.h", "odd\udcff.h", " lead.h"]


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_file_may_have_any_name(tmp_path: Path, name: str) -> None:
    folder = make_project(tmp_path / "project")
    source = os.fsencode(f'#include "{name}"\n{TINY}')
    (folder / "bpf.c").write_bytes(source)
    (folder / name).write_text("")
    assert compiled(folder) == ["bpf.c"]
    assert compiled(folder) == []
    stamp = read_stamp((folder / "bpf.py").read_text())
    assert stamp
    assert sorted(stamp.inputs) == sorted(["bpf.c", name])
    append(folder / name)
    assert compiled(folder) == ["bpf.c"]


GARBAGE = {
    "none": above_stamp,
    "half of it": lambda text: text[: -len(text) // 20],
    "a word more": lambda text: text + "word\n",
    "a line of code more": lambda text: text + "import os\n",
    "an escape that is none": lambda text: text + f"# input   {'0' * 32} a\\x\n",
    "a digest that is none": lambda text: text + "# input   12 a\n",
    "conflicting": lambda text: text + "<<<<<<< HEAD\n",
    "no digest of options": lambda text: text.replace("# options", "# input  "),
    "bytes": lambda text: text + "\udcff",
}


@pytest.mark.parametrize("spoil", GARBAGE.values(), ids=GARBAGE)
def test_a_stamp_that_cannot_be_read_is_replaced(
    project: Path, spoil: Callable[[str], str]
) -> None:
    facade = project / "src/one.py"
    right = facade.read_text()
    facade.write_text(spoil(right), errors="surrogateescape")
    assert compiled(project) == ["src/one.c"]
    assert facade.read_text() == right


@pytest.mark.parametrize("changed", ["bpf.c", "header.h"])
def test_what_changes_while_it_is_compiled_is_made_again(tmp_path: Path, changed: str) -> None:
    folder = make_project(
        tmp_path / "project",
        'bpf\nsource = "bpf.c"',
        files={"bpf.c": f'#include "header.h"\n{TINY}', "header.h": ""},
    )
    hasty = script(
        tmp_path / "hasty-clang", f'{CLANG} "$@" && echo "int late;" >> {folder / changed}'
    )
    generated(folder, env={"EBPFGEN_CC": str(hasty)})
    module = folder / "bpf_bpfel.py"
    assert "Late" not in module.read_text()
    done = generate_here(folder, "--check", env={"PATH": ""})
    assert (done.returncode, f"{changed} changed" in done.stdout) == (1, True)
    assert compiled(folder) == ["bpf.c"]
    assert "Late" in module.read_text()
    assert compiled(folder) == []


def test_what_vanishes_while_it_is_compiled_is_one_line(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "project")
    hasty = script(tmp_path / "hasty-clang", f'{CLANG} "$@" && rm {folder / "bpf.c"}')
    done = generate_here(folder, env={"EBPFGEN_CC": str(hasty)})
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "bpf.c can't be read: No such file or directory" in done.stderr
