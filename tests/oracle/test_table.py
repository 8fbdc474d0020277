"""Each C type of the table in Python, in both byte orders, as this machine's compiler has it."""

import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.oracle.cases import CASES
from tests.oracle.oracle import TARGETS, Oracle

ALL = [pytest.param(part, name, id=f"{part}-{name}") for part in CASES for name in CASES[part]]
every_type = pytest.mark.parametrize(("part", "name"), ALL)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("oracle")


@cache
def _oracle(part: str, folder: Path) -> Oracle:
    own = folder / part
    own.mkdir()
    return Oracle(list(CASES[part].values()), own)


def _asked(part: str, name: str, folder: Path) -> tuple[Oracle, int]:
    return _oracle(part, folder), list(CASES[part]).index(name)


@every_type
def test_the_layout_is_that_of_c(part: str, name: str, folder: Path) -> None:
    oracle, number = _asked(part, name, folder)
    assert not list(oracle.layout(number))


@every_type
def test_the_values_are_those_of_c(part: str, name: str, folder: Path) -> None:
    oracle, number = _asked(part, name, folder)
    assert not [*oracle.bit_order(number), *oracle.values(number, seed=1)]


@every_type
def test_every_member_can_be_set(part: str, name: str, folder: Path) -> None:
    oracle, number = _asked(part, name, folder)
    assert not list(oracle.members_are_set(number))


@every_type
def test_every_member_of_a_variable_is_read_and_set(part: str, name: str, folder: Path) -> None:
    oracle, number = _asked(part, name, folder)
    assert not list(oracle.fields(number))


@every_type
def test_what_does_not_fit_is_refused(part: str, name: str, folder: Path) -> None:
    oracle, number = _asked(part, name, folder)
    assert not list(oracle.ranges(number))


def test_there_is_nothing_to_warn_of_but_names_that_meet(folder: Path) -> None:
    warnings = {text for part in CASES for text in _oracle(part, folder).bindings.warnings}
    assert {text.split("'")[0].strip() for text in warnings} == {
        "types.c: union Same_name is called",
        "types.c: enum SameName is called",
        "types.c: struct Objects is called",
    }


@pytest.mark.parametrize("checker", ["mypy", "pyright"])
def test_the_modules_pass_the_strictest_type_checks(checker: str, folder: Path) -> None:
    modules = []
    for part in CASES:
        for target in TARGETS:
            module = folder / f"{part}_{target}.py"
            module.write_bytes(_oracle(part, folder).bindings.paths[target].read_bytes())
            modules.append(module.name)
    settings = {"typeCheckingMode": "strict", "include": modules}
    (folder / "pyrightconfig.json").write_text(json.dumps(settings))
    arguments = {
        "mypy": ["--strict", "--python-version=3.11", *modules],
        "pyright": ["--pythonpath", sys.executable],
    }
    command = [sys.executable, "-m", checker, *arguments[checker]]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
