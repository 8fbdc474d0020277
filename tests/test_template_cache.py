"""Compiled templates are kept for the next run, where they can be, and no reason to fail."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from .building import HEADERS, KPROBE, files_of, run_cli, run_python

COUNT_COMPILATIONS = """
import atexit, jinja2
compiled = []
plain = jinja2.Environment.compile
jinja2.Environment.compile = lambda *a, **k: compiled.append(a) or plain(*a, **k)
atexit.register(lambda: print("compiled", len(compiled)))
from ebpfgen.emit import load_templates
load_templates()
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "kprobe.c").write_text(KPROBE.read_text())
    return folder


@pytest.fixture
def expected(project: Path) -> dict[str, bytes]:
    """What is generated without anything kept."""
    return generated(project, HOME="/proc")


def generated(project: Path, **env: str) -> dict[str, bytes]:
    environment = {"XDG_CACHE_HOME": "", **env}
    arguments = ("generate", "--force", "bpf", "kprobe.c", "--", f"-I{HEADERS}")
    done = run_cli(*arguments, cwd=project, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    return files_of(project)


def replace_by_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGES: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_bytes(b""),
    "cut short": lambda path: path.write_bytes(path.read_bytes()[:-100]),
    "text": lambda path: path.write_text("no bytecode"),
    "only the head": lambda path: path.write_bytes(path.read_bytes()[:30]),
    "a folder": replace_by_folder,
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damaged_ones_are_made_again(
    project: Path, tmp_path: Path, expected: dict[str, bytes], damage: Callable[[Path], object]
) -> None:
    assert generated(project, HOME=str(tmp_path)) == expected
    kept = list((tmp_path / ".cache/ebpfgen/templates").iterdir())
    assert len(kept) == 2
    for path in kept:
        damage(path)
    assert generated(project, HOME=str(tmp_path)) == expected


def test_a_second_run_has_them(project: Path, tmp_path: Path) -> None:
    env = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    said = [run_code(project, env) for _ in range(2)]
    assert said == ["compiled 2\n", "compiled 0\n"]


def test_what_others_may_write_is_not_used(project: Path, tmp_path: Path) -> None:
    env = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    folder = tmp_path / "cache/ebpfgen/templates"
    folder.mkdir(parents=True)
    folder.chmod(0o777)
    assert [run_code(project, env) for _ in range(2)] == ["compiled 2\n"] * 2
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("place", ["relative", "/dev/full/no", "/proc/no"])
def test_no_place_for_them_is_no_fault(
    project: Path, tmp_path: Path, expected: dict[str, bytes], place: str
) -> None:
    assert generated(project, XDG_CACHE_HOME=place, HOME=str(tmp_path)) == expected


def run_code(folder: Path, env: dict[str, str]) -> str:
    done = run_python("-c", COUNT_COMPILATIONS, cwd=folder, env=env)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout
