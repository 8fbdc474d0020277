"""The hooks keep a commit's bindings those of its C. With the real pre-commit, in real commits."""

import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from ebpfgen.scaffold import create_project

from .building import files_of
from .installing import copy_sources, offline, run

BINDINGS = ["bpf.py", "bpf_bpfeb.o", "bpf_bpfeb.py", "bpf_bpfel.o", "bpf_bpfel.py"]

CONFIG = """
repos:
  - repo: {repository}
    rev: {revision}
    hooks:
      - id: {hook}
"""

SPEECHLESS = "the C no longer says which program it is"


@dataclass(frozen=True)
class Hooks:
    """A repository with the hooks, and the environment in which pre-commit can install them."""

    repository: Path
    revision: str
    env: Mapping[str, str]

    def config(self, hook: str, entry: str = "") -> str:
        """The configuration of a project that uses a hook."""
        text = CONFIG.format(repository=self.repository, revision=self.revision, hook=hook)
        return text + (f"        entry: {entry}\n" if entry else "")


@dataclass(frozen=True)
class Project:
    """A project in a git repository, whose commits run a hook."""

    folder: Path
    env: Mapping[str, str]

    @property
    def source(self) -> Path:
        return self.folder / "proj/kprobe.c"

    def git(self, *words: str | Path) -> str:
        """Run git, which has to succeed."""
        done = run("git", *words, cwd=self.folder, env=self.env)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def commit(self, *words: str, **env: str) -> tuple[bool, str]:
        """Commit; return whether there is a commit, and what was said."""
        done = run(
            "git", "commit", "-m", "Change", *words, cwd=self.folder, env={**self.env, **env}
        )
        return done.returncode == 0, done.stdout

    def configure(self, config: str) -> None:
        """Commit another configuration of pre-commit."""
        (self.folder / ".pre-commit-config.yaml").write_text(config)
        self.git("commit", "-qanm", "Configure")

    def generate(self, *words: str) -> None:
        done = run(
            sys.executable, "-m", "ebpfgen", "generate", *words, cwd=self.folder, env=self.env
        )
        assert done.returncode == 0, done.stdout

    def rename(self, old: str, new: str) -> None:
        """Give the program in the C file another name."""
        text = self.source.read_text()
        assert f"int {old}(" in text, SPEECHLESS
        self.source.write_text(text.replace(f"int {old}(", f"int {new}("))

    def committed(self, name: str) -> str:
        """The text of a file as HEAD has it."""
        return self.git("show", f"HEAD:proj/{name}")

    def files(self) -> dict[str, bytes]:
        """All files, but git's own."""
        return {k: v for k, v in files_of(self.folder).items() if not k.startswith(".git/")}


def git_environment(home: Path) -> dict[str, str]:
    """The variables of this process, for a git that knows nothing of this machine's."""
    home.mkdir(exist_ok=True)
    (home / ".gitconfig").write_text(
        "[user]\nname = A Tester\nemail = tester@example.org\n[init]\ndefaultBranch = main\n"
    )
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("GIT_", "EBPFGEN_", "PIP_"))}
    return {**kept, "HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1"}


@pytest.fixture(scope="session")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> Hooks:
    folder = tmp_path_factory.mktemp("hooks")
    env = {
        **git_environment(folder / "home"),
        **offline(folder / "packages"),
        "PRE_COMMIT_HOME": str(folder / "pre-commit"),
    }
    repository = folder / "ebpfgen"
    copy_sources(repository)
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "All"]):
        assert run("git", *words, cwd=repository, env=env).returncode == 0
    revision = run("git", "rev-parse", "HEAD", cwd=repository, env=env).stdout.strip()
    return Hooks(repository, revision, env)


def make_project(folder: Path, env: Mapping[str, str], config: str = "") -> Project:
    """Make a project of the template, in a new repository with nothing committed."""
    create_project(folder, "kprobe")
    if config:
        (folder / ".pre-commit-config.yaml").write_text(config)
    project = Project(folder, env)
    project.git("init", "-q")
    done = run(sys.executable, "-m", "pre_commit", "install", cwd=folder, env=env)
    assert done.returncode == 0, done.stdout
    return project


@pytest.fixture(scope="session")
def generated(hooks: Hooks, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with the hook ebpfgen-generate, whose bindings are committed."""
    config = hooks.config("ebpfgen-generate")
    project = make_project(tmp_path_factory.mktemp("made") / "proj", hooks.env, config)
    project.generate()
    project.git("add", ".")
    done, said = project.commit()
    assert done, said
    return project


@pytest.fixture
def project(generated: Project, tmp_path: Path) -> Project:
    """A copy of that project for a test of its own."""
    shutil.copytree(generated.folder, tmp_path / "proj", symlinks=True)
    return Project(tmp_path / "proj", generated.env)


@pytest.fixture
def checked(project: Project, hooks: Hooks) -> Project:
    """The same with the hook ebpfgen-check."""
    project.configure(hooks.config("ebpfgen-check"))
    return project


def test_the_manifest_is_valid(hooks: Hooks) -> None:
    done = run(
        *(sys.executable, "-m", "pre_commit", "validate-manifest", ".pre-commit-hooks.yaml"),
        cwd=hooks.repository,
        env=hooks.env,
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_the_hook_is_installed_from_the_repository_that_has_it(
    hooks: Hooks, project: Project
) -> None:
    (installed,) = (hooks.repository.parent / "pre-commit").glob("*/py_env-*/bin/ebpfgen")
    python = installed.with_name("python")
    code = "import ebpfgen.scaffold as s; print(s.__file__); print(s._HEADERS[0].is_dir())"
    where, has_headers = run(python, "-c", code, cwd=project.folder, env=hooks.env).stdout.split()
    assert Path(where).is_relative_to(installed.parent.parent)
    assert has_headers == "True"


def test_a_changed_source_regenerates_and_stops_the_commit_and_the_next_one_passes(
    project: Project,
) -> None:
    project.rename("kprobe_execve", "renamed")
    done, said = project.commit("-a")
    assert not done
    assert "files were modified by this hook" in said
    assert "proj/kprobe.c → proj/bpf_bpfel.py and .o" in said
    assert "Renamed" in (project.folder / "proj/bpf_bpfel.py").read_text()

    done, said = project.commit("-a", EBPFGEN_CC="no-compiler-is-needed")
    assert done, said
    assert "Renamed" in project.committed("bpf_bpfeb.py")
    assert project.git("status", "--porcelain") == ""


def test_a_clone_of_what_was_committed_is_up_to_date(project: Project, tmp_path: Path) -> None:
    project.rename("kprobe_execve", "renamed")
    project.commit("-a")
    project.commit("-a")
    project.git("clone", "-q", ".", tmp_path / "clone")
    Project(tmp_path / "clone", project.env).generate("--check", "--tracked")


def test_the_commit_stays_stopped_until_the_bindings_are_in_it(project: Project) -> None:
    project.rename("kprobe_execve", "renamed")
    project.git("add", "proj/kprobe.c")
    for _ in range(2):
        done, said = project.commit()
        assert not done
        assert "files were modified by this hook" in said
    project.git("add", *(f"proj/{name}" for name in BINDINGS))
    done, said = project.commit()
    assert done, said


def test_a_header_counts_as_its_users(project: Project) -> None:
    with (project.folder / "headers/common.h").open("a") as file:
        file.write("// more\n")
    done, said = project.commit("-a")
    assert not done
    assert "files were modified by this hook" in said
    done, said = project.commit("-a")
    assert done, said


def test_bindings_changed_by_hand_are_put_right(project: Project) -> None:
    before = project.files()
    with (project.folder / "proj/bpf.py").open("a") as file:
        file.write("# mine\n")
    project.git("add", "proj/bpf.py")
    assert not project.commit()[0]
    assert project.files() == before


def test_what_has_not_changed_passes_without_a_compiler(project: Project) -> None:
    with (project.folder / "proj/main.py").open("a") as file:
        file.write("# more\n")
    done, said = project.commit("-a", EBPFGEN_CC="no-compiler-is-needed")
    assert done, said
    assert "Passed" in said


def test_a_commit_of_other_files_does_not_run_the_hook(project: Project) -> None:
    (project.folder / "README.md").write_text("Read me.\n")
    done, said = project.commit("-a")
    assert done, said
    assert "(no files to check)Skipped" in said


def test_c_that_does_not_compile_stops_the_commit_and_changes_nothing(project: Project) -> None:
    project.source.write_text("int main(\n")
    before = project.files()
    done, said = project.commit("-a")
    assert not done
    assert "ebpfgen: proj/kprobe.c does not compile for targets bpfel, bpfeb" in said
    assert project.files() == before


def test_the_bindings_are_those_of_the_staged_source(project: Project) -> None:
    project.rename("kprobe_execve", "staged")
    project.git("add", "proj/kprobe.c")
    project.rename("staged", "unstaged")
    edited = project.source.read_bytes()

    done, said = project.commit()
    assert not done
    assert "Unstaged files detected" in said
    assert "files were modified by this hook" in said
    assert "Staged =" in (project.folder / "proj/bpf_bpfel.py").read_text()
    assert project.source.read_bytes() == edited

    project.git("add", *(f"proj/{name}" for name in BINDINGS))
    done, said = project.commit()
    assert done, said
    assert "int staged(" in project.committed("kprobe.c")
    assert "Staged =" in project.committed("bpf_bpfel.py")
    assert project.source.read_bytes() == edited
    assert project.git("status", "--porcelain") == " M proj/kprobe.c\n"


def test_bindings_of_edits_that_are_not_staged_do_not_get_in_and_are_not_lost(
    project: Project,
) -> None:
    project.rename("kprobe_execve", "staged")
    project.git("add", "proj/kprobe.c")
    project.rename("staged", "unstaged")
    project.generate()
    before = project.files()
    assert b"Unstaged =" in before["proj/bpf_bpfel.py"]

    done, said = project.commit()
    assert not done
    assert "Rolling back fixes" in said
    assert project.files() == before

    project.git("add", *(f"proj/{name}" for name in BINDINGS))
    done, said = project.commit()
    assert not done, "the staged bindings are of another source than the staged one"
    assert project.source.read_bytes() == before["proj/kprobe.c"]
    assert "Staged =" in (project.folder / "proj/bpf_bpfel.py").read_text()
    project.git("add", *(f"proj/{name}" for name in BINDINGS))
    done, said = project.commit()
    assert done, said
    assert project.git("status", "--porcelain") == " M proj/kprobe.c\n"


def test_new_targets_have_to_be_added_and_those_they_replace_go(project: Project) -> None:
    config = project.folder / "pyproject.toml"
    text = config.read_text()
    config.write_text(text.replace("[tool.ebpfgen]", '[tool.ebpfgen]\ntargets = ["amd64"]'))
    project.git("add", "pyproject.toml")
    for _ in range(2):
        done, said = project.commit()
        assert not done
        missing = "git does not track proj/bpf_bpfel_x86.py, proj/bpf_bpfel_x86.o: git add them"
        assert f"ebpfgen: {missing}\n" in said
    project.git("add", "proj")
    done, said = project.commit()
    assert done, said
    tracked = project.git("ls-files", "proj/bpf*").split()
    assert tracked == ["proj/bpf.py", "proj/bpf_bpfel_x86.o", "proj/bpf_bpfel_x86.py"]


def test_a_header_that_git_does_not_know_stops_the_commit(project: Project) -> None:
    (project.folder / "proj/limits.h").write_text("#define LIMIT 1\n")
    project.source.write_text('#include "limits.h"\n' + project.source.read_text())
    project.commit("-a")
    done, said = project.commit("-a")
    assert not done
    assert "ebpfgen: git does not track proj/limits.h: git add them\n" in said
    project.git("add", "proj/limits.h")
    done, said = project.commit("-a")
    assert done, said


def test_bindings_that_git_was_told_to_ignore_may_stay_out(project: Project) -> None:
    (project.folder / ".gitignore").write_text("/proj/bpf*\n")
    project.git("rm", "-q", "--cached", *(f"proj/{name}" for name in BINDINGS))
    project.git("add", ".gitignore")
    project.rename("kprobe_execve", "renamed")
    done, said = project.commit("-a")
    assert done, said
    assert "Renamed" in (project.folder / "proj/bpf_bpfel.py").read_text()


def test_the_check_stops_the_commit_and_writes_nothing(checked: Project) -> None:
    checked.rename("kprobe_execve", "renamed")
    before = checked.files()
    done, said = checked.commit("-a")
    assert not done
    assert "ebpfgen: 5 files are not up to date: run ebpfgen generate\n" in said
    assert "files were modified by this hook" not in said
    assert checked.files() == before

    checked.generate()
    done, said = checked.commit("-a", EBPFGEN_CC="no-compiler-is-needed")
    assert done, said


def test_the_check_looks_at_what_is_staged(checked: Project) -> None:
    checked.rename("kprobe_execve", "renamed")
    checked.git("add", "proj/kprobe.c")
    checked.generate()
    before = checked.files()
    done, said = checked.commit()
    assert not done
    assert "stale    proj/bpf.py: kprobe.c changed" in said
    assert checked.files() == before


def test_the_check_misses_files_that_git_does_not_know(checked: Project) -> None:
    checked.git("rm", "-q", "--cached", "proj/bpf_bpfel.o")
    with (checked.folder / "proj/main.py").open("a") as file:
        file.write("# more\n")
    done, said = checked.commit("-a")
    assert not done
    assert "untracked proj/bpf_bpfel.o: git does not track it" in said
    assert "1 file is not up to date: git add what git does not track" in said


def test_a_project_below_the_top_of_the_repository_needs_another_entry(
    hooks: Hooks, project: Project
) -> None:
    below = Project(project.folder / "below", project.env)
    below.folder.mkdir()
    names = ("pyproject.toml", "headers", "proj")
    project.git("mv", *names, "below")
    entry = "env -C below ebpfgen generate --tracked"
    project.configure(hooks.config("ebpfgen-generate", entry))
    below.rename("kprobe_execve", "renamed")
    done, said = project.commit("-a")
    assert not done
    assert "files were modified by this hook" in said
    project.git("rm", "-q", "--cached", "below/proj/bpf.py")
    done, said = project.commit("-a")
    assert not done
    assert "ebpfgen: git does not track proj/bpf.py: git add them\n" in said


@pytest.fixture
def scaffolded(hooks: Hooks, tmp_path: Path) -> Project:
    """A new project as it is, in an environment where ebpfgen is installed."""
    path = os.pathsep.join([str(Path(sys.executable).parent), hooks.env["PATH"]])
    return make_project(tmp_path / "proj", {**hooks.env, "PATH": path})


def test_a_new_project_is_not_committed_without_its_bindings(scaffolded: Project) -> None:
    scaffolded.git("add", ".")
    for _ in range(2):
        done, said = scaffolded.commit()
        assert not done
        assert "git does not track proj/bpf.py, proj/bpf_bpfel.py, proj/bpf_bpfel.o" in said
    scaffolded.git("add", ".")
    done, said = scaffolded.commit()
    assert done, said
    assert scaffolded.git("ls-files", "proj/bpf*").split() == [f"proj/{name}" for name in BINDINGS]


def test_a_new_project_has_its_objects_committed_where_objects_are_ignored(
    scaffolded: Project,
) -> None:
    ignore = scaffolded.folder.parent / "ignore"
    ignore.write_text("*.o\n")
    scaffolded.git("config", "core.excludesFile", ignore)
    scaffolded.generate()
    scaffolded.git("add", ".")
    done, said = scaffolded.commit()
    assert done, said
    assert scaffolded.git("ls-files", "proj/bpf*").split() == [f"proj/{name}" for name in BINDINGS]
