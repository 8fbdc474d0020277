"""What runs in production pays for the runtime alone."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from .building import HEADERS, KPROBE, REPOSITORY, make_project, run_cli, run_python

HEAVY = ("typer", "click", "jinja2", "copier", "elftools", "rich", "yaml", "pydantic")

PRINT_NEW = "import sys; before = set(sys.modules); {}; print(*sorted(set(sys.modules) - before))"


def imported_by(statement: str, folder: Path) -> set[str]:
    """The modules that a statement loads into a fresh interpreter."""
    done = run_python("-c", PRINT_NEW.format(statement), cwd=folder)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


@pytest.fixture(scope="module")
def bindings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("light")
    done = run_cli("generate", "bpf", KPROBE, "--", f"-I{HEADERS}", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_importing_the_package_imports_nothing_else_of_it(tmp_path: Path) -> None:
    loaded = imported_by("import ebpfgen", tmp_path)
    assert {name for name in loaded if name.startswith("ebpfgen")} == {"ebpfgen"}


@pytest.mark.parametrize("statement", ["import ebpfgen.runtime", "import bpf", "import bpf_bpfeb"])
def test_the_runtime_and_generated_modules_import_nothing_of_the_generator(
    statement: str, bindings: Path
) -> None:
    loaded = imported_by(statement, bindings)
    assert "ebpfgen.runtime" in loaded
    assert [name for name in HEAVY if name in loaded] == []
    own = {name for name in loaded if name.startswith("ebpfgen")}
    assert [name for name in own if not name.startswith("ebpfgen.runtime")] == ["ebpfgen"]


def test_the_runtime_needs_the_standard_library_alone(bindings: Path) -> None:
    """Without site-packages, as after pip install --no-deps."""
    only = bindings / "only"
    only.mkdir()
    (only / "ebpfgen").symlink_to(REPOSITORY / "ebpfgen")
    code = (
        f"import sys; sys.path[:0] = [{str(bindings)!r}, {str(only)!r}]; import bpf; bpf.load_bpf"
    )
    subprocess.run([sys.executable, "-I", "-S", "-c", code], check=True, cwd=bindings)


@pytest.mark.parametrize("command", ["--version", "trace", "new x", "generate --force"])
def test_the_command_says_what_it_lacks(bindings: Path, tmp_path: Path, command: str) -> None:
    (tmp_path / "ebpfgen").symlink_to(REPOSITORY / "ebpfgen")
    make_project(tmp_path)
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); sys.argv[1:] = {command.split()!r}; "
        "from ebpfgen.__main__ import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    (line,) = done.stderr.splitlines()
    assert re.fullmatch(r"ebpfgen: \w+ is not installed: pip install ebpfgen, .*", line)
    assert done.returncode == 1


@pytest.mark.parametrize(
    ("package", "owners"),
    [
        ("typer", {"cli.py"}),
        ("jinja2", {"emit.py"}),
        ("copier", {"scaffold.py"}),
        ("elftools", {"elf.py", "dwarf.py"}),
        ("hatchling", {"hatch_hook.py"}),
    ],
)
def test_each_dependency_is_imported_where_it_belongs(package: str, owners: set[str]) -> None:
    importers = {
        path.name
        for path in (REPOSITORY / "ebpfgen").rglob("*.py")
        for line in path.read_text().splitlines()
        if line.strip().startswith((f"import {package}", f"from {package}"))
    }
    assert importers == owners


def loaded_by_a_run(folder: Path, *options: str) -> set[str]:
    """The modules that are loaded at the end of ``ebpfgen generate``."""
    run = (
        f"sys.argv = ['ebpfgen', 'generate', *{options!r}]; import ebpfgen.__main__ as m; m.main()"
    )
    end = "print('LOADED', *sys.modules)"
    code = f"import os, sys\nos._exit = sys.exit\ntry:\n    {run}\nfinally:\n    {end}"
    done = run_python("-c", code, cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    return set(done.stdout.partition("LOADED")[2].split())


BUILDING = ("subprocess", "json", "concurrent.futures", "shlex", "tempfile", "ebpfgen.clang")


@pytest.mark.parametrize("options", [(), ("--quiet",), ("--check",)])
def test_a_run_that_finds_nothing_to_do_imports_next_to_nothing(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    make_project(tmp_path)
    assert "ebpfgen.clang" in loaded_by_a_run(tmp_path)
    loaded = loaded_by_a_run(tmp_path, *options)
    assert "ebpfgen.stamp" in loaded
    assert [name for name in (*HEAVY, *BUILDING) if name in loaded] == []


@pytest.mark.parametrize("arguments", [("--version",), ("generate", "--help")])
def test_help_and_version_load_neither_copier_nor_jinja2(
    arguments: tuple[str, ...], tmp_path: Path
) -> None:
    run = (
        f"sys.argv = ['ebpfgen', *{arguments!r}]\ntry:\n    from ebpfgen.cli import main; main()\n"
    )
    code = f"import sys\n{run}finally:\n    print('LOADED', *sys.modules)"
    done = run_python("-c", code, cwd=tmp_path)
    loaded = done.stdout.partition("LOADED")[2].split()
    assert "typer" in loaded
    assert [name for name in ("copier", "jinja2", "elftools") if name in loaded] == []
