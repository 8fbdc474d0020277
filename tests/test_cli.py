"""The command line, as a user meets it."""

import re
import shutil
from pathlib import Path

import pytest

import ebpfgen

from .building import (
    HEADERS,
    KPROBE,
    OPENAT,
    PREAMBLE,
    files_of,
    generate_here,
    interrupt_cli,
    make_project,
    map_definition,
    run_cli,
    run_python,
)

INCLUDE = ("--", f"-I{HEADERS}")
DEFAULT_FILES = {"bpf.py", "bpf_bpfeb.o", "bpf_bpfeb.py", "bpf_bpfel.o", "bpf_bpfel.py"}

SOURCES = {
    "kprobe.c": KPROBE.read_text(),
    "openat.c": OPENAT.read_text(),
    "broken.c": "int a = b;\nint c = d;\n",
    "meet.c": PREAMBLE + map_definition("my_map", "u64") + map_definition("myMap", "u64"),
    "legacy.c": PREAMBLE + 'struct { u32 type; } old SEC("maps") = { 1 };',
    "static.c": PREAMBLE + 'SEC("xdp") static int p(void *c) { return 0; }\nvoid *q = p;',
    "warned.c": "#warning careful\nint x;\n",
    "underscores.c": "int __;\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in SOURCES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def words(command: str) -> list[str | Path]:
    """The words of a command line; @ stands for a space, and EMPTY for nothing."""
    plain = [word.replace("HEADERS", str(HEADERS)) for word in command.split()]
    return [word.replace("@", " ").replace("EMPTY", "") for word in plain]


# What is typed, the exit status, and what the one line on stderr must say.
REFUSED = {
    "no pyproject.toml": ("generate", 1, ("no pyproject.toml in", "ebpfgen generate IDENT SOURCE")),
    "no source given": ("generate bpf", 2, ("SOURCE is missing", "generate bpf FILE.c")),
    "no such source": ("generate bpf no.c", 1, ("no C source 'no.c'",)),
    "a folder for a source": ("generate bpf .", 1, ("C source '.' can't be read: it is not a",)),
    "ident": ("generate 1x kprobe.c", 2, ("ident '1x' is not a Python identifier",)),
    "ident is a keyword": ("generate class kprobe.c", 2, ("ident 'class' is a Python keyword",)),
    "ident of underscores": ("generate __ kprobe.c -- -IHEADERS", 2, ("'__'",)),
    "output stem": ("generate --output-stem a/b bpf kprobe.c", 2, ("output stem 'a/b'",)),
    "target": ("generate -t x86_64 bpf kprobe.c", 2, ("did you mean amd64?", "riscv64, s390x")),
    "empty target": ("generate -t amd64, bpf kprobe.c", 2, ("unknown target ''",)),
    "naming": (
        "generate --naming upper bpf kprobe.c",
        2,
        ("--naming 'upper' is unknown: pass camel or snake",),
    ),
    "jobs": ("generate -j x bpf kprobe.c", 2, ("--jobs 'x' is not a number", "pass 1 or more")),
    "negative jobs": ("generate --jobs -1", 2, ("--jobs '-1' is not a number",)),
    "jobs in part": ("generate --jobs 1.5", 2, ("--jobs '1.5' is not a number",)),
    "jobs without end": (f"generate -j {'9' * 5000}", 2, ("is not a number",)),
    "an empty source": ("generate bpf EMPTY", 2, ("SOURCE is empty: name a file",)),
    "an empty object": ("generate --object EMPTY bpf", 2, ("--object is empty",)),
    "a type of no name": ("generate --type EMPTY bpf kprobe.c", 2, ("--type '' names no type",)),
    "a type of no kind": (
        "generate --type class@x bpf kprobe.c",
        2,
        ("--type 'class x'", "struct, union, enum, typedef"),
    ),
    "a type that is not there": (
        "generate --type zzz bpf kprobe.c -- -IHEADERS",
        1,
        ("kprobe.c: --type 'zzz': no such type in the object",),
    ),
    "a map that is not there": (
        "generate --event zzz=u64 bpf kprobe.c -- -IHEADERS",
        1,
        ("kprobe.c: --event zzz=…: no such map; maps: kprobe_map",),
    ),
    "a C name that is none in Python": (
        "generate bpf underscores.c",
        1,
        ("underscores.c: C name '__' leaves nothing to name it",),
    ),
    "option": ("generate --bogus bpf kprobe.c", 2, ("--bogus", "see ebpfgen generate --help")),
    "option without value": ("generate bpf kprobe.c --cc", 2, ("--cc",)),
    "a second source that is not there": (
        "generate bpf kprobe.c more.c -- -IHEADERS",
        1,
        ("no C source 'more.c'",),
    ),
    "command": ("frobnicate", 2, ("frobnicate",)),
    "cflags": ("generate --cflags ' bpf kprobe.c", 2, ("--cflags can't be split",)),
    "compiler": ("generate --cc no-cc bpf kprobe.c", 1, ("no-cc not found", "--cc")),
    "no BTF": (
        "generate bpf kprobe.c -- -IHEADERS -g0",
        1,
        ("kprobe.c for bpfel, bpfeb has no BTF: compile with -g",),
    ),
    "legacy maps": ("generate bpf legacy.c -- -IHEADERS", 1, ('old in SEC("maps")', ".maps")),
    "static program": ("generate bpf static.c -- -IHEADERS", 1, ("program p", "remove the static")),
    "folder is a file": (
        "generate --output-dir kprobe.c bpf kprobe.c -- -IHEADERS",
        1,
        ("can't write", "kprobe.c/"),
    ),
    "new without a name": ("new", 2, ("NAME is missing: ebpfgen new NAME",)),
    "new with an empty name": ("new EMPTY", 2, ("NAME is missing: ebpfgen new NAME",)),
    "new with a bad name": ("new 1x", 2, ("'1x' is not a Python identifier",)),
    "new with a module's name": ("new json", 2, ("would hide Python's module json",)),
    "new in a full folder": ("new .", 1, ("is not empty",)),
    "new over a file": ("new kprobe.c/x", 1, ("kprobe.c",)),
    "no such template": ("new x --template xyz", 2, ("no template 'xyz'", "kprobe")),
    "new option": ("new x --bogus", 2, ("--bogus", "see ebpfgen new --help")),
    "trace option": ("trace --bogus", 2, ("--bogus", "see ebpfgen trace --help")),
}


@pytest.mark.parametrize(("command", "status", "said"), REFUSED.values(), ids=REFUSED)
def test_bad_input_is_one_line_and_writes_nothing(
    folder: Path, command: str, status: int, said: tuple[str, ...]
) -> None:
    done = run_cli(*words(command), cwd=folder)
    assert done.returncode == status, done.stderr
    assert done.stdout == ""
    assert done.stderr.startswith("ebpfgen: ")
    assert done.stderr.count("\n") == 1
    assert done.stderr.endswith("\n")
    assert [text for text in said if text not in done.stderr] == []
    assert {name: text.decode() for name, text in files_of(folder).items()} == SOURCES
    assert {path.name for path in folder.iterdir()} == set(SOURCES), "not even an empty folder"


# What is wrong in a file or in the environment, which a line of the manual would not mend.
WRONG_ELSEWHERE = {
    "target": ("bpf", 'targets = "vax"', "", "unknown target 'vax'"),
    "suffix": ("bpf", 'output-suffix = "-x"', "", "output suffix '-x'"),
    "flags": ("bpf", 'cflags = "-D\'"', "", "cflags in"),
    "ident": ("1x", "", "", "ident in"),
    "underscores": ("__", "", "", "'__' is nothing but underscores"),
    "stem": ('bpf\noutput-stem = "a/b"', "", "", "output stem 'a/b'"),
    "prefix": ('bpf\ndefines = [""]', "", "", "--define ''"),
    "type": ('bpf\ntypes = ["class x"]', "", "", "--type 'class x'"),
    "record": ('bpf\nevents = { "" = "x" }', "", "", "MAP=STRUCT"),
    "source twice": ('bpf\nsource = ["a.c", "a.c"]', "", "", "named twice"),
    "source and object": ('bpf\nsource = "a.c"\nobject = "a.o"', "", "", "don't go together"),
    "open quote in the environment": ("bpf", "", "'", "$EBPFGEN_CFLAGS can't be split"),
    "-M in the environment": ("bpf", "", "-MD", "-MD in $EBPFGEN_CFLAGS"),
}


@pytest.mark.parametrize(
    ("binding", "defaults", "variable", "said"), WRONG_ELSEWHERE.values(), ids=WRONG_ELSEWHERE
)
def test_what_is_not_typed_is_no_wrong_usage(
    tmp_path: Path, binding: str, defaults: str, variable: str, said: str
) -> None:
    make_project(tmp_path, binding, defaults=defaults)
    done = generate_here(tmp_path, env={"EBPFGEN_CFLAGS": variable})
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert said in done.stderr
    typed = generate_here(tmp_path, "-t", "vax", env={"EBPFGEN_CFLAGS": variable})
    assert typed.returncode == 2, "a wrong word comes first"


def test_a_message_with_a_line_break_is_one_line(folder: Path) -> None:
    (folder / "a\n\x1b[31mb").touch()
    done = run_cli(
        *("generate", "--output-dir", "a\n\x1b[31mb", "bpf", "kprobe.c", *INCLUDE), cwd=folder
    )
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert r"a\n\x1b[31mb" in done.stderr


def test_a_c_error_is_clangs_text_and_then_one_line(folder: Path) -> None:
    done = run_cli("generate", "bpf", "broken.c", cwd=folder)
    assert done.returncode == 1
    clang, last = done.stderr.rstrip("\n").rsplit("\n", 1)
    assert last == "ebpfgen: broken.c does not compile for targets bpfel, bpfeb"
    assert clang.splitlines()[0].startswith("broken.c:1:9: error: use of undeclared identifier 'b'")
    assert clang.splitlines()[-1] == "2 errors generated."
    assert set(files_of(folder)) == set(SOURCES)


def test_registers_without_a_target_are_explained_below_clangs_text(folder: Path) -> None:
    done = run_cli("generate", "bpf", "openat.c", *INCLUDE, cwd=folder)
    assert done.returncode == 1
    assert "error: Must specify a BPF target arch" in done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith("ebpfgen: openat.c does not compile for targets bpfel, bpfeb: ")
    assert "pass --target amd64" in last
    done = run_cli("generate", "-t", "amd64", "bpf", "openat.c", *INCLUDE, cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")


def test_no_clang_is_one_line_with_the_package(folder: Path) -> None:
    done = run_cli("generate", "bpf", "kprobe.c", cwd=folder, env={"PATH": ""})
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "clang not found: install it (apt install clang llvm" in done.stderr


def test_no_table_in_the_nearest_file_is_one_line(folder: Path) -> None:
    (folder / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    done = run_cli("generate", cwd=folder)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "has no [tool.ebpfgen]" in done.stderr


def test_a_run_says_what_it_wrote(folder: Path) -> None:
    done = run_cli("generate", "bpf", "kprobe.c", *INCLUDE, cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(
        r"kprobe\.c → bpf_bpfel\.py and \.o \(\d\.\d kB, \d\.\d\d s\)\n"
        r"kprobe\.c → bpf_bpfeb\.py and \.o \(\d\.\d kB, \d\.\d\d s\)\n",
        done.stdout,
    )
    assert set(files_of(folder)) == set(SOURCES) | DEFAULT_FILES


def test_every_option_reaches_what_it_is_for(folder: Path) -> None:
    options = "--target=arm64 -t s390x,bpfel --cc clang --cflags -DX=1 --cflags '-DY' "
    options = options.replace("'", "") + "--output-dir out --output-stem stem --naming snake -v"
    done = run_cli("generate", *options.split(), "My", "kprobe.c", *INCLUDE, "-DZ", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert sorted(files_of(folder / "out")) == [
        "stem.py",
        *(f"stem_{s}.{end}" for s in ("bpfeb_s390", "bpfel") for end in ("o", "py")),
        *(f"stem_bpfel_arm64.{end}" for end in ("o", "py")),
    ]
    text = (folder / "out/stem_bpfel_arm64.py").read_text()
    assert 'kprobe_map = rt.array("kprobe_map"' in text
    assert "class MyObjects(" in text
    compilers = [line for line in done.stderr.splitlines() if line.startswith("clang ")]
    assert len(compilers) == 3
    assert all(re.search(r" -DX=1 -DY -I\S+ -DZ ", line) for line in compilers)
    assert sum("-D__TARGET_ARCH_arm64" in line for line in compilers) == 1


def test_verbose_prints_every_command_line_and_nothing_else_does(folder: Path) -> None:
    done = run_cli("generate", "-v", "-t", "amd64", "bpf", "kprobe.c", *INCLUDE, cwd=folder)
    compiler, strip = done.stderr.splitlines()
    assert compiler.startswith("clang -target bpfel -O2 -g -mcpu=v1 -D__TARGET_ARCH_x86 ")
    assert "llvm-strip -g " in strip


def test_flags_after_the_dashes_are_clangs_even_if_they_look_like_ours(folder: Path) -> None:
    done = run_cli("generate", "bpf", "kprobe.c", *INCLUDE, "-v", cwd=folder)
    assert done.returncode == 0
    assert "clang version" in done.stderr, "clang's own -v"
    assert "-mcpu=v1 " not in done.stderr.splitlines()[0], "and not ours"
    done = run_cli("generate", "bpf", "warned.c", "--", "-Werror", "--target=bpfeb", cwd=folder)
    assert done.returncode == 1
    assert "error: careful" in done.stderr


def test_arguments_may_come_in_any_order_before_the_dashes(folder: Path) -> None:
    done = run_cli("generate", "bpf", "-t", "bpfel", "kprobe.c", *INCLUDE, cwd=folder)
    assert done.returncode == 0, done.stderr


def test_names_that_meet_are_a_warning_and_do_not_fail_the_run(folder: Path) -> None:
    done = run_cli("generate", "-t", "bpfel", "bpf", "meet.c", *INCLUDE, cwd=folder)
    assert done.returncode == 0
    assert done.stderr == (
        "meet.c: program, map or variable 'my_map' is called 'MyMap_2', because 'myMap' is called "
        "'MyMap': rename one of them in the C source, or pass --naming snake to keep the C names\n"
    )
    assert {"bpf.py", "bpf_bpfel.py", "bpf_bpfel.o"} <= set(files_of(folder))


def test_warnings_of_clang_do_not_fail_the_run(folder: Path) -> None:
    done = run_cli("generate", "-t", "bpfel", "bpf", "warned.c", cwd=folder)
    assert done.returncode == 0
    assert "warned.c:1:2: warning: careful" in done.stderr


def test_without_arguments_the_nearest_pyproject_is_generated(folder: Path) -> None:
    (folder / "pyproject.toml").write_text(
        f"[tool.ebpfgen]\ntargets = ['amd64']\ncflags = ['-I{HEADERS}']\n"
        "[[tool.ebpfgen.bindings]]\nident = 'bpf'\nsource = 'kprobe.c'\n"
    )
    (folder / "sub").mkdir()
    done = run_cli("generate", cwd=folder / "sub")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("kprobe.c → ../bpf_bpfel_x86.py and .o")
    done = run_cli("generate", "--", "-DMORE=", "-Werror", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_version_is_that_of_the_package(tmp_path: Path) -> None:
    done = run_cli("--version", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, f"ebpfgen {ebpfgen.__version__}\n")


@pytest.mark.parametrize("arguments", [[], ["-h"], ["--help"]])
def test_help_lists_the_commands(tmp_path: Path, arguments: list[str]) -> None:
    done = run_cli(*arguments, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert [
        word for word in ("generate", "new", "trace", "--version") if word not in done.stdout
    ] == []


@pytest.mark.parametrize("command", ["", "generate", "new", "trace"])
def test_help_fits_80_columns_and_says_nothing_of_how_it_is_parsed(
    tmp_path: Path, command: str
) -> None:
    done = run_cli(*command.split(), "--help", cwd=tmp_path, env={"COLUMNS": "80"})
    assert (done.returncode, done.stderr) == (0, "")
    assert max(map(len, done.stdout.splitlines())) <= 80
    strange = ("<", "list[", "...]...", "range", "x>=", "None")
    assert [text for text in strange if text in done.stdout] == []
    options = re.split(r"\n  (?=-)", done.stdout)
    assert [option for option in options if option.count("default: ") > 1] == []


def test_usage_lines_name_the_arguments_in_order(tmp_path: Path) -> None:
    done = run_cli("generate", "--help", cwd=tmp_path)
    assert done.stdout.startswith("Usage: ebpfgen generate [OPTIONS] [IDENT] [SOURCE]...\n")
    done = run_cli("new", "--help", cwd=tmp_path)
    assert done.stdout.startswith("Usage: ebpfgen new [OPTIONS] [NAME]\n")


def test_help_of_generate_has_every_option(tmp_path: Path) -> None:
    done = run_cli("generate", "--help", cwd=tmp_path)
    options = "--target --cc --cflags --output-dir --output-stem --naming --verbose IDENT SOURCE --"
    assert done.returncode == 0
    assert [word for word in options.split() if word not in done.stdout] == []


def test_a_reader_that_has_gone_is_no_traceback(folder: Path) -> None:
    script = "import os, sys; from ebpfgen.cli import main; os.close(1); r, w = os.pipe();" + (
        "os.close(r); os.dup2(w, 1); main(['--help'])"
    )
    done = run_python("-c", script, cwd=folder)
    assert (done.returncode, done.stderr) == (1, "")


def test_ctrl_c_ends_a_run_in_silence_with_the_status_of_a_shell(folder: Path) -> None:
    slow = folder / "slow-clang"
    slow.write_text("#!/bin/sh\ntouch started\nexec sleep 60\n")
    slow.chmod(0o755)
    done = interrupt_cli(
        *("generate", "--cc", slow, "bpf", "kprobe.c"),
        cwd=folder,
        when=lambda _: (folder / "started").exists(),
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")
    assert set(files_of(folder)) == {*SOURCES, "slow-clang", "started"}


def test_new_makes_a_project_and_says_what_is_next(tmp_path: Path) -> None:
    done = run_cli("new", "my-proj", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[:3] == [
        "created my-proj; next:",
        "  cd my-proj",
        "  ebpfgen generate",
    ]
    assert done.stdout.endswith(" -m my_proj\n")
    shutil.rmtree(tmp_path / "my-proj")
