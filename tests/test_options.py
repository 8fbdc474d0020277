"""Every option, said on the command line, by the environment and in pyproject.toml."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from ebpfgen.elf import read_elf

from .building import (
    HEADERS,
    PREAMBLE,
    TINY,
    files_of,
    generate_here,
    generated,
    make_project,
    map_definition,
    run_python,
    script,
)

CLANG, STRIP = shutil.which("clang"), shutil.which("llvm-strip")
PLACES = ("config", "environment", "typed")


def tools(folder: Path, *names: str) -> Path:
    """Compilers and strips of these names that write down that, and how, they were called."""
    log = folder / "log"
    for name in names:
        script(folder / f"clang-{name}", f'echo "cc {name} $*" >> {log}\nexec {CLANG} "$@"')
        script(folder / f"strip-{name}", f'echo "strip {name}" >> {log}\nexec {STRIP} "$@"')
    return log


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    log = tools(tmp_path, *PLACES)
    config, environment, typed = (
        {
            "cc": str(tmp_path / f"clang-{name}"),
            "cflags": f"'-DFROM_{name}=a b'",
            "strip": str(tmp_path / f"strip-{name}"),
            "makebase": str(tmp_path / ("deeper/" * depth) / name),
        }
        for depth, name in enumerate(PLACES)
    )
    project = make_project(
        tmp_path / "project",
        defaults="\n".join(f'{k} = "{v}"' for k, v in config.items()),
    )
    in_environment = {f"EBPFGEN_{key.upper()}": value for key, value in environment.items()}
    options = [f"--{key}={value}" for key, value in typed.items()]
    flags = [f"-DFROM_{name}=a b" for name in PLACES]
    for count, (winner, env, words) in enumerate(
        [
            ("config", {}, []),
            ("environment", in_environment, []),
            ("typed", in_environment, options),
        ],
        1,
    ):
        log.write_text("")
        generated(project, "-t", "bpfel", *words, env=env)
        compiler, strip = log.read_text().splitlines()
        assert compiler.startswith(f"cc {winner} ")
        assert f" {' '.join(flags[:count])} -fno-ident" in compiler, "flags add up, in this order"
        assert strip == f"strip {winner}"
        base = tmp_path / ("deeper/" * (count - 1)) / winner
        rules = (project / "bpf_bpfel.py.d").read_text().splitlines()
        assert rules[1] == f"{os.path.relpath(project, base)}/bpf_bpfel.py: \\"


def test_empty_variables_say_nothing(tmp_path: Path) -> None:
    names = ("CC", "CFLAGS", "STRIP", "MAKEBASE")
    generated(make_project(tmp_path), env={f"EBPFGEN_{name}": "" for name in names})
    assert not list(tmp_path.glob("*.d"))


def test_a_compiler_may_be_called_by_another_program(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project")
    log = tmp_path / "log"
    script(tmp_path / "bin/ccache", f'echo "$1" > {log}\nexec "$@"')
    path = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
    generated(project, env={"PATH": path, "EBPFGEN_CC": "ccache clang"})
    assert log.read_text() == "clang\n"


def test_flags_of_all_places_may_have_quotes(tmp_path: Path) -> None:
    source = '_Static_assert(sizeof(A) + sizeof(B) + sizeof(C) == 9, "");\n' + TINY
    project = make_project(
        tmp_path, 'bpf\ncflags = "\'-DA=\\"a b\\"\'"\nsource = "bpf.c"', files={"bpf.c": source}
    )
    generated(project, "--cflags", "'-DC=\"c\"'", env={"EBPFGEN_CFLAGS": "'-DB=\"b \"'"})


@pytest.mark.parametrize(
    ("flag", "place", "words", "variable", "key", "status"),
    [
        ("-M", "the flags for clang", "--cflags={}", "", "", 2),
        ("-MD", "the flags for clang", "-- -DX {}", "", "", 2),
        ("-MF", "$EBPFGEN_CFLAGS", "", "-DX {}", "", 1),
        ("-MMD", "cflags in [[tool.ebpfgen.bindings]] 1 of", "", "", "-DX {}", 1),
    ],
    ids=["option", "after the dashes", "variable", "key"],
)
def test_flags_that_make_clang_write_rules_are_refused_with_the_reason(
    tmp_path: Path, flag: str, place: str, words: str, variable: str, key: str, status: int
) -> None:
    project = make_project(tmp_path, defaults=f'cflags = "{key.format(flag)}"')
    before = files_of(project)
    done = generate_here(
        project,
        *words.format(flag).split(),
        env={"EBPFGEN_CFLAGS": variable.format(flag)},
    )
    assert done.returncode == status
    assert done.stderr.startswith(f"ebpfgen: {flag} in {place}")
    assert done.stderr.endswith("pass --makebase FOLDER\n")
    assert done.stderr.count("\n") == 1
    assert files_of(project) == before


def has_dwarf(file: Path) -> bool:
    return read_elf(file.read_bytes()).section(".debug_info") is not None


def test_dwarf_is_kept_if_somebody_says_so(tmp_path: Path) -> None:
    project = make_project(tmp_path, defaults='targets = "bpfel"\nno-strip = true')
    generated(project)
    assert has_dwarf(tmp_path / "bpf_bpfel.o")
    generated(project, env={"EBPFGEN_STRIP": "llvm-strip"})
    assert has_dwarf(tmp_path / "bpf_bpfel.o"), "the variable says with what, and not that"
    generated(project, "--strip", "llvm-strip")
    assert not has_dwarf(tmp_path / "bpf_bpfel.o"), "the command line wins over the file"
    generated(project, "--strip", "llvm-strip", "--no-strip")
    assert has_dwarf(tmp_path / "bpf_bpfel.o")


def test_no_strip_is_looked_for_if_none_is_needed(tmp_path: Path) -> None:
    script(tmp_path / "bin/clang", f'exec {CLANG} "$@"')
    project = make_project(tmp_path / "project")
    env = {"PATH": str(tmp_path / "bin")}
    generated(project, "--no-strip", env=env)
    done = generate_here(project, "--force", env=env)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "llvm-strip not found: install it" in done.stderr
    done = generate_here(project, "--force", "--strip", "no-strip-here")
    assert done.stderr == "ebpfgen: no-strip-here not found: check --strip\n"


def test_types_for_globals_can_be_had_against_the_file(tmp_path: Path) -> None:
    source = PREAMBLE + map_definition("m", "struct { u32 a; }")
    project = make_project(
        tmp_path,
        'bpf\nsource = "bpf.c"\nglobal-types = false',
        defaults=f'targets = "bpfel"\ncflags = "-I{HEADERS}"',
        files={"bpf.c": source},
    )
    module = tmp_path / "bpf_bpfel.py"
    generated(project)
    assert "@dataclass" not in module.read_text()
    generated(project, "--global-types")
    assert "@dataclass" in module.read_text()
    generated(project, "--no-global-types")
    assert "@dataclass" not in module.read_text()


def test_a_type_and_a_constant_can_be_asked_for_beside_those_of_the_file(tmp_path: Path) -> None:
    source = "struct a { int x; } va;\nstruct b { int x; } *vb;\n#define A_1 1\n#define B_1 2\n"
    project = make_project(
        tmp_path,
        'bpf\nsource = "bpf.c"\nglobal-types = false\ntypes = ["struct a"]\ndefines = ["A_"]',
        files={"bpf.c": source},
    )
    generated(project, "--type", "struct b", "--define", "B_")
    text = (tmp_path / "bpf_bpfel.py").read_text()
    assert [word for word in ("class BpfA", "class BpfB", "A_1", "B_1") if word not in text] == []


def test_the_folder_the_stem_and_the_suffix_name_the_files(tmp_path: Path) -> None:
    lines = ('output-dir = "config"', 'output-stem = "config"', 'output-suffix = "_config"')
    project = make_project(tmp_path, "\n".join(("bpf", *lines)))
    generated(project)
    assert sorted(files_of(tmp_path / "config")) == [
        "config_bpfel_config.o",
        "config_bpfel_config.py",
        "config_config.py",
    ]
    options = ("--output-dir", "typed", "--output-stem", "typed", "--output-suffix", "_typed")
    generated(project, *options)
    assert sorted(files_of(tmp_path / "typed")) == [
        "typed_bpfel_typed.o",
        "typed_bpfel_typed.py",
        "typed_typed.py",
    ]


@pytest.mark.parametrize("package", [False, True])
def test_a_facade_with_a_suffix_imports_variants_with_it(tmp_path: Path, package: bool) -> None:
    output = tmp_path / "package"
    output.mkdir()
    if package:
        (output / "__init__.py").touch()
    make_project(tmp_path, 'bpf\noutput-suffix = "_test"\noutput-dir = "package"', defaults="")
    generated(tmp_path)
    name, folder = ("package.bpf_test", tmp_path) if package else ("bpf_test", output)
    code = f"import {name} as b; print(b.BpfObjects.__module__); b.load_bpf().close()"
    done = run_python("-c", code, cwd=folder)
    little = "bpfel" if sys.byteorder == "little" else "bpfeb"
    assert done.stdout == f"{name.replace('bpf_test', f'bpf_{little}_test')}\n", done.stderr


def test_a_suffix_that_no_module_may_end_with_is_refused(tmp_path: Path) -> None:
    make_project(tmp_path)
    done = generate_here(tmp_path, "--output-suffix", "-test")
    assert done.returncode == 2
    assert "output suffix '-test' can't end a module's name" in done.stderr
    assert "pyproject" not in done.stderr, "it was typed"


def test_variants_with_another_suffix_are_another_bindings(tmp_path: Path) -> None:
    make_project(tmp_path, "bpf", defaults="")
    generated(tmp_path)
    generated(tmp_path, "--output-suffix", "_test", "-t", "bpfel", "bpf", "bpf.c")
    generated(tmp_path, "--output-suffix", "_test", "-t", "bpfeb", "bpf", "bpf.c")
    modules = sorted(path.name for path in tmp_path.glob("*.py"))
    assert modules == ["bpf.py", "bpf_bpfeb.py", "bpf_bpfeb_test.py", "bpf_bpfel.py", "bpf_test.py"]
