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


DAMAGES: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_bytes(b""),
    "cut short": lambda path: path.write_bytes(path.read_bytes()[:-100]),
    "more behind it": lambda path: path.write_bytes(path.read_bytes() + b"\0"),
    "text": lambda path: path.write_text("no bytecode"),
    "only the head": lambda path: path.write_bytes(path.read_bytes()[:32]),
    "a folder": lambda path: path.mkdir(),
    "a pipe": os.mkfifo,
    "a link to a device": lambda path: path.symlink_to("/dev/zero"),
    "a link to nothing": lambda path: path.symlink_to("nowhere"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_ones_are_no_fault(
    project: Path, tmp_path: Path, expected: dict[str, bytes], damage: str
) -> None:
    assert generated(project, HOME=str(tmp_path)) == expected
    kept = list((tmp_path / ".cache/ebpfgen/templates").iterdir())
    assert len(kept) == 2
    for path in kept:
        if damage.startswith("a "):
            path.unlink()
        DAMAGES[damage](path)
    assert generated(project, HOME=str(tmp_path)) == expected
    assert not (tmp_path / ".cache/ebpfgen/templates/nowhere").exists()


def test_damaged_ones_are_made_again(tmp_path: Path) -> None:
    env = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    assert run_code(tmp_path, env) == "compiled 2\n"
    for path in (tmp_path / "ebpfgen/templates").iterdir():
        path.write_bytes(path.read_bytes()[:-1])
    assert [run_code(tmp_path, env) for _ in range(2)] == ["compiled 2\n", "compiled 0\n"]


def test_one_that_cannot_be_read_is_no_fault(
    project: Path, tmp_path: Path, expected: dict[str, bytes]
) -> None:
    assert generated(project, HOME=str(tmp_path)) == expected
    for path in (tmp_path / ".cache/ebpfgen/templates").iterdir():
        path.chmod(0)
    assert generated(project, HOME=str(tmp_path)) == expected


CHANGE_BYTES = """
import pathlib, random, sys
from ebpfgen import emit
from jinja2 import Environment
def load():
    emit._environment.cache_clear()
    emit.load_templates()
compiled = []
plain = Environment.compile
Environment.compile = lambda *a, **k: compiled.append(a) or plain(*a, **k)
load()
files = list(pathlib.Path(sys.argv[1]).iterdir())
whole = {file: file.read_bytes() for file in files}
chance = random.Random(1)
for turn in range(300):
    file = files[turn % 2]
    changed = bytearray(whole[file])
    place = turn // 2 if turn < 120 else chance.randrange(len(changed))
    changed[place] ^= 1 << chance.randrange(8)
    file.write_bytes(changed)
    del compiled[:]
    load()
    assert len(compiled) == 1, (file, place)
    assert file.read_bytes() == whole[file]
print("held")
"""


def test_no_byte_can_be_changed_without_notice(tmp_path: Path) -> None:
    env = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    done = run_python("-c", CHANGE_BYTES, tmp_path / "ebpfgen/templates", cwd=tmp_path, env=env)
    assert (done.returncode, done.stdout, done.stderr) == (0, "held\n", "")


@pytest.mark.parametrize(
    "change",
    [
        "import jinja2; jinja2.__version__ += '.1'",
        "import ebpfgen; ebpfgen.__version__ += '.1'",
        "import importlib.util as util; util.MAGIC_NUMBER = b'3.11'",
    ],
)
def test_those_of_another_version_are_not_used(tmp_path: Path, change: str) -> None:
    env = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    assert run_code(tmp_path, env) == "compiled 2\n"
    assert run_code(tmp_path, env, before=change) == "compiled 2\n"


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


def run_code(folder: Path, env: dict[str, str], before: str = "") -> str:
    done = run_python("-c", f"{before}\n{COUNT_COMPILATIONS}", cwd=folder, env=env)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout
