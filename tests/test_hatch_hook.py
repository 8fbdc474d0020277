"""Packages of a project have its bindings. With the real build tools, offline, and installed."""

import os
import shutil
import tarfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from ebpfgen.scaffold import create_project

from .building import files_of
from .installing import copy_sources, make_environment, offline, run

BINDINGS = {
    f"proj/{name}"
    for name in ("bpf.py", "bpf_bpfeb.o", "bpf_bpfeb.py", "bpf_bpfel.o", "bpf_bpfel.py")
}

TABLE = "[tool.hatch.build.hooks.ebpfgen]"

EVENTS = """
struct event {
	u32 pid;
	char comm[16];
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__type(value, struct event);
	__uint(max_entries, 4096);
} events SEC(".maps");
"""

NO_COMPILER = {"EBPFGEN_CC": "no-compiler-clang"}
ASKED_FOR_IT = "ebpfgen: no-compiler-clang not found: install it"


@dataclass(frozen=True)
class Project:
    """A project, and an environment where ebpfgen and the build tools are installed."""

    folder: Path
    python: Path
    env: Mapping[str, str]

    def build(self, *words: str | Path, **env: str) -> tuple[int, str]:
        """Build what *words* say, else a source distribution and from that a wheel."""
        done = run(
            *(self.python, "-m", "build", "--no-isolation", "--outdir", self.folder / "dist"),
            *words,
            cwd=self.folder,
            env={**self.env, **env},
        )
        return done.returncode, done.stdout

    def built(self, *words: str | Path, **env: str) -> None:
        """Build, which has to succeed."""
        status, said = self.build(*words, **env)
        assert status == 0, said

    def edit(self, name: str, old: str, new: str) -> None:
        text = (self.folder / name).read_text()
        assert old in text
        (self.folder / name).write_text(text.replace(old, new))

    @property
    def wheel(self) -> Path:
        (path,) = (self.folder / "dist").glob("*.whl")
        return path

    def packed(self) -> dict[str, bytes]:
        """The files of the wheel."""
        with zipfile.ZipFile(self.wheel) as archive:
            return {name: archive.read(name) for name in archive.namelist()}

    def unpacked(self) -> "Project":
        """The project as its source distribution has it, in a folder of its own."""
        (path,) = (self.folder / "dist").glob("*.tar.gz")
        with tarfile.open(path) as archive:
            archive.extractall(self.folder.parent / "unpacked", filter="data")
        (folder,) = (self.folder.parent / "unpacked").iterdir()
        return replace(self, folder=folder)


@dataclass(frozen=True)
class Tools:
    """A wheel of ebpfgen, and a Python that has it installed, with variables to run it with."""

    wheel: Path
    python: Path
    env: Mapping[str, str]


@pytest.fixture(scope="session")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Tools:
    folder = tmp_path_factory.mktemp("tools")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("EBPFGEN_", "HATCH_", "PIP_"))}
    env = {**kept, **offline(folder / "packages")}
    python = make_environment(folder / "environment")
    copy_sources(folder / "ebpfgen")
    for words in (["wheel", "--wheel-dir", "dist", "./ebpfgen"], ["install", "./ebpfgen"]):
        done = run(python, "-m", "pip", *words, "--no-deps", cwd=folder, env=env)
        assert done.returncode == 0, done.stdout
    (wheel,) = (folder / "dist").glob("*.whl")
    return Tools(wheel, python, env)


@pytest.fixture
def project(tools: Tools, tmp_path: Path) -> Project:
    """A new project, with the hook as its pyproject.toml says, and nothing generated."""
    create_project(tmp_path / "proj", "kprobe")
    project = Project(tmp_path / "proj", tools.python, tools.env)
    project.edit("pyproject.toml", f"# {TABLE}", TABLE)
    project.edit("pyproject.toml", '["hatchling"]\n', '["hatchling", "ebpfgen"]\n')
    return project


def generate(project: Project) -> None:
    done = run(project.python, "-m", "ebpfgen", "generate", cwd=project.folder, env=project.env)
    assert done.returncode == 0, done.stdout


USE = """
import proj.bpf as bpf
from proj import bpf_bpfeb

event = bpf.BpfEvent.unpack_from(b"\\x2a\\0\\0\\0" + b"cat".ljust(16, b"\\0"))
print(event.pid, event.comm)
print(bpf_bpfeb.BpfEvent.unpack_from(b"\\0\\0\\0\\x2a" + bytes(16)).pid)
with bpf.load_bpf() as specs:
    print(specs.KprobeMap.value_size)
"""


def test_an_installed_wheel_has_bindings_that_work(
    project: Project, tools: Tools, tmp_path: Path
) -> None:
    with (project.folder / "proj/kprobe.c").open("a") as file:
        file.write(EVENTS)
    project.built()
    assert set(project.packed()) >= BINDINGS

    python = make_environment(tmp_path / "production")
    env = {k: v for k, v in tools.env.items() if k != "PYTHONPATH"}
    install = (python, "-m", "pip", "install", "--no-deps", tools.wheel, project.wheel)
    done = run(*install, cwd=tmp_path, env=env)
    assert done.returncode == 0, done.stdout
    done = run(python, "-I", "-c", USE, cwd=tmp_path, env=env)
    assert done.stdout == "42 b'cat'\n42\n8\n"


def test_a_build_generates_what_is_not_up_to_date(project: Project) -> None:
    generate(project)
    project.edit("proj/kprobe.c", "int kprobe_execve(", "int renamed(")
    status, said = project.build("--wheel")
    assert status == 0
    assert "proj/kprobe.c → proj/bpf_bpfel.py and .o" in said
    text = (project.folder / "proj/bpf_bpfel.py").read_text()
    assert "Renamed = " in text
    assert project.packed()["proj/bpf_bpfel.py"].decode() == text


def test_what_git_is_to_ignore_is_packed_all_the_same(project: Project) -> None:
    (project.folder / ".gitignore").write_text("bpf*.py\n*.o\n")
    project.built()
    assert set(project.packed()) >= BINDINGS
    unpacked = project.unpacked()
    assert set(files_of(unpacked.folder)) >= {*BINDINGS, "proj/kprobe.c", "headers/common.h"}


def test_a_binding_that_is_a_link_is_packed_under_its_own_name(project: Project) -> None:
    generate(project)
    (project.folder / ".gitignore").write_text("*bpf*\n")
    (project.folder / "kept").mkdir()
    for name in BINDINGS:
        kept = project.folder / "kept" / Path(name).name
        (project.folder / name).rename(kept)
        (project.folder / name).symlink_to(kept)
    project.built("--wheel")
    assert set(project.packed()) >= BINDINGS


def test_files_of_any_name_are_packed(project: Project) -> None:
    (project.folder / ".gitignore").write_text("*bpf*\n")
    odd = project.folder / "proj/a [b]! #c"
    odd.mkdir()
    shutil.copy(project.folder / "proj/kprobe.c", odd)
    project.edit("pyproject.toml", "proj/kprobe.c", "proj/a [b]! #c/kprobe.c")
    project.built("--wheel")
    assert {f"proj/a [b]! #c/bpf_bpfel.{end}" for end in ("py", "o")} <= set(project.packed())


def test_bindings_of_directives_are_packed(project: Project) -> None:
    (project.folder / ".gitignore").write_text("*bpf*\n")
    project.edit(
        "proj/__init__.py",
        '"""\n',
        '"""\n\n# ebpfgen:generate --target bpfel more kprobe.c -- -I../headers\n',
    )
    project.built("--wheel")
    assert {"proj/more.py", "proj/more_bpfel.py", "proj/more_bpfel.o"} <= set(project.packed())


def test_what_is_up_to_date_is_built_without_a_compiler(project: Project) -> None:
    generate(project)
    before = {name: (project.folder / name).read_bytes() for name in BINDINGS}
    project.built(**NO_COMPILER)
    packed = project.packed()
    assert {name: packed[name] for name in BINDINGS} == before


def test_a_source_distribution_is_built_without_a_compiler_wherever_it_was_made(
    project: Project,
) -> None:
    project.built("--sdist")
    unpacked = project.unpacked()
    unpacked.edit("proj/bpf.py", "# Made by ebpfgen ", "# Made by ebpfgen 9.")
    text = (unpacked.folder / "proj/bpf.py").read_text()
    options = next(line for line in text.splitlines() if line.startswith("# options "))
    unpacked.edit("proj/bpf.py", options, f"# options {0:032}")
    unpacked.built("--wheel", **NO_COMPILER)
    assert unpacked.packed()["proj/bpf.py"] == (unpacked.folder / "proj/bpf.py").read_bytes()

    (unpacked.folder / "PKG-INFO").unlink()
    status, said = unpacked.build("--wheel", **NO_COMPILER)
    assert status == 1
    assert ASKED_FOR_IT in said


def test_a_source_distribution_may_leave_out_the_source(project: Project) -> None:
    with (project.folder / "pyproject.toml").open("a") as file:
        file.write('\n[tool.hatch.build.targets.sdist]\nexclude = ["/headers", "*.c"]\n')
    project.built()
    unpacked = project.unpacked()
    assert not (unpacked.folder / "proj/kprobe.c").exists()
    unpacked.built("--wheel", **NO_COMPILER)
    assert set(unpacked.packed()) >= BINDINGS


def test_what_was_changed_in_a_source_distribution_is_generated_again(project: Project) -> None:
    project.built("--sdist")
    unpacked = project.unpacked()
    unpacked.edit("proj/kprobe.c", "int kprobe_execve(", "int renamed(")
    status, said = unpacked.build("--wheel", **NO_COMPILER)
    assert status == 1
    assert ASKED_FOR_IT in said
    unpacked.built("--wheel")
    assert b"Renamed = " in unpacked.packed()["proj/bpf_bpfel.py"]


def test_an_editable_install_generates_in_place(project: Project) -> None:
    with (project.folder / "pyproject.toml").open("a") as file:
        # Else hatchling needs one more package.
        file.write('\n[tool.hatch.build]\ndev-mode-dirs = ["."]\n')
    done = run(
        *(project.python, "-m", "hatchling", "build", "--target", "wheel:editable"),
        cwd=project.folder,
        env=project.env,
    )
    assert done.returncode == 0, done.stdout
    assert set(files_of(project.folder)) >= BINDINGS


def failed(project: Project, *words: str, **env: str) -> str:
    """Build, which has to fail with one line of ebpfgen, and return what was said."""
    status, said = project.build("--wheel", *words, **env)
    assert status == 1
    assert "Traceback" not in said
    assert sum(line.startswith("ebpfgen: ") for line in said.splitlines()) == 1
    assert not list(project.folder.glob("dist/*"))
    return said


def test_no_compiler_is_one_line(project: Project) -> None:
    assert ASKED_FOR_IT in failed(project, **NO_COMPILER)


def test_c_that_does_not_compile_is_one_line_below_what_clang_says(project: Project) -> None:
    (project.folder / "proj/kprobe.c").write_text("int main(\n")
    said = failed(project)
    assert "error: expected" in said
    assert "ebpfgen: proj/kprobe.c does not compile for targets bpfel, bpfeb\n" in said


def test_a_project_without_bindings_is_one_line(project: Project) -> None:
    text = (project.folder / "pyproject.toml").read_text()
    head, _, _ = text.partition("[tool.ebpfgen]")
    (project.folder / "pyproject.toml").write_text(head)
    assert "has no [tool.ebpfgen]" in failed(project)


def test_an_option_of_ebpfgen_in_the_hooks_table_is_one_line(project: Project) -> None:
    project.edit("pyproject.toml", TABLE, f'{TABLE}\ntargets = ["amd64"]')
    said = failed(project)
    assert f"ebpfgen: unknown key 'targets' in {TABLE}: " in said


def test_hatchlings_own_options_are_no_errors(project: Project) -> None:
    project.edit("pyproject.toml", TABLE, f"{TABLE}\nenable-by-default = false")
    project.built("--wheel", **NO_COMPILER)
    assert not BINDINGS & set(project.packed())
    project.built("--wheel", HATCH_BUILD_HOOK_ENABLE_EBPFGEN="true")
    assert set(project.packed()) >= BINDINGS
