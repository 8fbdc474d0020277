"""Generated text is what tests/golden says, and pleases every linter and type checker.

Each folder of tests/golden has a prog.c, the options it is generated with (args, where there are
any) and the modules that must come of it, named after the folder. After a change that is meant:

    pytest tests/test_golden.py --update-golden && git diff tests/golden
"""

import json
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import pytest

from .building import HEADERS, REPOSITORY, files_of, run_cli, run_python

GOLDEN = Path(__file__).parent / "golden"
CASES = sorted(path.parent.name for path in GOLDEN.glob("*/prog.c"))
EXAMPLES = {"kprobe": "kprobe.c", "openat": "kprobe.c", "events": "events.c"}

PRAGMAS = ("# fmt: off\n", "# ruff: noqa\n")

Findings = Mapping[str, list[str]]
"""What a checker says, by the name of the module."""


def generate_case(case: str, folder: Path) -> dict[str, str]:
    """The modules of a golden folder, by name, made in *folder*."""
    shutil.copy(GOLDEN / case / "prog.c", folder)
    args = GOLDEN / case / "args"
    options = args.read_text().split() if args.exists() else []
    done = run_cli("generate", *options, case, "prog.c", "--", f"-I{HEADERS}", cwd=folder)
    assert done.returncode == 0, done.stderr
    return {path.name: without_stamp(path.read_text()) for path in sorted(folder.glob("*.py"))}


def without_stamp(text: str) -> str:
    """A module without the digests of every header it was made of."""
    return text.partition("\n# Made by ebpfgen ")[0]


@pytest.mark.parametrize("case", CASES)
def test_generated_text_is_what_is_expected(case: str, tmp_path: Path, update_golden: bool) -> None:
    made = generate_case(case, tmp_path)
    if update_golden:
        for old in (GOLDEN / case).glob("*.py"):
            old.unlink()
        for name, text in made.items():
            (GOLDEN / case / name).write_text(text)
    assert made == {path.name: path.read_text() for path in (GOLDEN / case).glob("*.py")}


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_examples_hold_what_is_generated_of_them(example: str, tmp_path: Path) -> None:
    folder = REPOSITORY / "examples" / example
    committed = {path.name for path in folder.glob("bpf*") if path.suffix in (".py", ".o")}
    fresh = tmp_path / "examples" / example
    fresh.mkdir(parents=True)
    shutil.copytree(HEADERS, tmp_path / "headers")
    for name in (EXAMPLES[example], "pyproject.toml"):
        shutil.copy(folder / name, fresh)
    done = run_cli("generate", cwd=fresh)
    assert done.returncode == 0, done.stderr
    assert {path.name for path in fresh.glob("bpf*")} == committed
    version = subprocess.run(["clang", "--version"], capture_output=True, text=True, check=True)
    same_clang = "clang version 14." in version.stdout
    for name in sorted(committed):
        if same_clang or name.endswith(".py"):
            made, held = ((place / name).read_bytes() for place in (fresh, folder))
            if not same_clang:
                made, held = (without_stamp(text.decode()).encode() for text in (made, held))
            assert made == held, name


@pytest.fixture(scope="session")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every golden module, and each example's in a package."""
    folder = tmp_path_factory.mktemp("gallery")
    for path in sorted(GOLDEN.glob("*/*.py")):
        shutil.copy(path, folder)
    shutil.copy(GOLDEN / "uses.py", folder)
    for example, name in EXAMPLES.items():
        package = folder / f"example_{example}"
        package.mkdir()
        (package / "__init__.py").touch()
        options = ("-t", "amd64") if example == "openat" else ()
        source = REPOSITORY / "examples" / example / name
        target = ("--output-dir", package, "bpf", source)
        done = run_cli("generate", *options, *target, "--", f"-I{HEADERS}", cwd=folder)
        assert done.returncode == 0, done.stderr
    return folder


MODULES = [
    *sorted(path.name for path in GOLDEN.glob("*/*.py")),
    *(f"example_{example}/bpf.py" for example in EXAMPLES),
    *("example_kprobe/bpf_bpfel.py", "example_openat/bpf_bpfel_x86.py"),
    "example_events/bpf_bpfel.py",
]


def run_ruff(folder: Path, *arguments: str) -> str:
    """What ruff says, or what it can't do."""
    done = run_python("-m", "ruff", *arguments, "--no-cache", ".", cwd=folder)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def bare(gallery: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The gallery without the lines that tell linters to look away."""
    folder = tmp_path_factory.mktemp("bare")
    for name, text in files_of(gallery).items():
        if name.endswith(".py"):
            (folder / name).parent.mkdir(exist_ok=True)
            plain = text.decode()
            for pragma in PRAGMAS:
                assert name == "uses.py" or not plain or pragma in plain
                plain = plain.replace(pragma, "")
            (folder / name).write_text(plain)
    return folder


def test_ruff_leaves_generated_modules_alone_in_any_project(gallery: Path) -> None:
    # PGH004 is about the line that says so.
    settings = ("--isolated", "--line-length", "60")
    rules = ("--select", "ALL", "--ignore", "PGH004", "--output-format", "concise")
    checked = run_ruff(gallery, "check", *settings, *rules)
    assert by_module(r"(?!uses|.*__init__)(\S+\.py):(.*)", checked.splitlines()) == {}
    formatted = run_ruff(gallery, "format", "--diff", *settings)
    assert set(by_module(r"--- (\S+\.py)()", formatted.splitlines())) == {"uses.py"}


@pytest.fixture(scope="session")
def reformatted(bare: Path) -> Findings:
    # Where a name or a format is as long as a line, ruff would break it inside the expressions.
    settings = ("--isolated", "--diff", "--exclude", "wide*,everything*")
    lines = run_ruff(bare, "format", *settings).splitlines()
    return by_module(r"--- (\S+\.py)()", lines)


@pytest.fixture(scope="session")
def linted(bare: Path) -> Findings:
    settings = ("--isolated", "--select", "E4,E7,E9,F", "--output-format", "concise")
    return by_module(r"(\S+\.py):\d+:\d+: (.*)", run_ruff(bare, "check", *settings).splitlines())


@pytest.fixture(scope="session")
def typed_by_mypy(gallery: Path) -> Findings:
    settings = ("--strict", "--no-color-output", "--no-error-summary", "--hide-error-codes")
    cache = ("--cache-dir", str(gallery / ".mypy_cache"))
    done = run_python("-m", "mypy", *settings, *cache, ".", cwd=gallery)
    assert done.returncode in (0, 1), done.stderr
    return by_module(r"(\S+\.py):(\d+: error: .*)", done.stdout.splitlines())


@pytest.fixture(scope="session")
def typed_by_pyright(gallery: Path) -> Findings:
    (gallery / "pyrightconfig.json").write_text(json.dumps({"typeCheckingMode": "strict"}))
    arguments = ("--outputjson", "--pythonpath", sys.executable)
    done = run_python("-m", "pyright", *arguments, cwd=gallery)
    assert done.returncode in (0, 1), done.stderr
    lines = []
    for found in json.loads(done.stdout)["generalDiagnostics"]:
        name = Path(found["file"]).relative_to(gallery.resolve())
        line = found["range"]["start"]["line"] + 1
        lines.append(f"{name}:{line}: {found['severity']}: {found['message']}")
    return by_module(r"(\S+\.py):(\d+: .*)", lines)


def by_module(pattern: str, lines: list[str]) -> Findings:
    found = defaultdict(list)
    for line in lines:
        if match := re.match(pattern, line):
            found[match[1]].append(match[2])
    return found


CHECKERS = ("reformatted", "linted", "typed_by_mypy", "typed_by_pyright")


@pytest.mark.parametrize("checker", CHECKERS)
@pytest.mark.parametrize("module", MODULES)
def test_no_checker_finds_fault_with_a_module(
    module: str, checker: str, request: pytest.FixtureRequest, gallery: Path
) -> None:
    assert (gallery / module).is_file()
    findings: Findings = request.getfixturevalue(checker)
    assert findings.get(module, []) == []


@pytest.mark.parametrize("checker", ["typed_by_mypy", "typed_by_pyright"])
def test_type_checkers_reject_what_is_wrong_and_accept_what_is_right(
    checker: str, request: pytest.FixtureRequest
) -> None:
    findings: Findings = request.getfixturevalue(checker)
    found = {int(finding.partition(":")[0]): finding for finding in findings["uses.py"]}
    lines = (GOLDEN / "uses.py").read_text().splitlines()
    marked = {number: line for number, line in enumerate(lines, 1) if "# REJECTED" in line}
    assert len(marked) >= 18
    assert {n: text for n, text in found.items() if n not in marked} == {}
    assert {n: text for n, text in marked.items() if n not in found} == {}


def test_the_checkers_do_find_faults(tmp_path: Path) -> None:
    (tmp_path / "wrong.py").write_text("import os\nx: int='y'\n")
    assert "F401" in run_ruff(tmp_path, "check", "--isolated", "--output-format", "concise")
    assert "wrong.py" in run_ruff(tmp_path, "format", "--isolated", "--diff")
