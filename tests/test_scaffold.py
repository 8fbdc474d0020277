"""A new project has all it needs, and builds with nothing else."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]

from ebpfgen import scaffold
from ebpfgen.config import jobs_from_config
from ebpfgen.errors import IdentifierError, ScaffoldError, UsageError
from ebpfgen.jobs import Options
from ebpfgen.scaffold import create_project, package_name, templates

from .building import files_of, run_cli, run_python

LIBBPF = {
    "bpf_core_read.h",
    "bpf_endian.h",
    "bpf_helper_defs.h",
    "bpf_helpers.h",
    "bpf_tracing.h",
    "usdt.bpf.h",
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that no test changes."""
    folder = tmp_path_factory.mktemp("made") / "My-Proj"
    create_project(folder, "kprobe")
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of the test's own."""
    create_project(tmp_path / "proj", "kprobe")
    return tmp_path / "proj"


def test_a_project_has_these_files(made: Path) -> None:
    files = set(files_of(made))
    assert {name for name in files if not name.startswith("headers/")} == {
        ".gitignore",
        ".pre-commit-config.yaml",
        "README.md",
        "my_proj/__init__.py",
        "my_proj/__main__.py",
        "my_proj/kprobe.c",
        "my_proj/main.py",
        "pyproject.toml",
        "tests/test_my_proj.py",
    }
    assert "headers/common.h" in files
    assert {f"headers/bpf/libbpf/{name}" for name in LIBBPF} <= files


def test_no_template_text_is_left(made: Path) -> None:
    for name, contents in files_of(made).items():
        if not name.startswith("headers/"):
            assert b"{{" not in contents, name
            assert b"{%" not in contents, name
        assert ".jinja" not in name
        assert "copier" not in name


def test_libbpfs_headers_are_copies_with_their_version_and_licence(made: Path) -> None:
    installed = scaffold._find_libbpf()
    for name in LIBBPF:
        assert (made / "headers/bpf/libbpf" / name).read_bytes() == (installed / name).read_bytes()
    note = (made / "headers/bpf/libbpf/README.md").read_text()
    assert f"libbpf {scaffold._libbpf_version(installed)} " in note
    assert "LGPL-2.1 OR BSD-2-Clause" in note


def test_its_configuration_is_what_generate_reads(made: Path) -> None:
    (job,) = jobs_from_config(made, Options())
    assert (job.ident, job.shown_source, job.output_dir) == (
        "bpf",
        "my_proj/kprobe.c",
        made / "my_proj",
    )
    project = tomllib.loads((made / "pyproject.toml").read_text())["project"]
    assert project["name"] == "My-Proj"
    assert project["dependencies"] == ["ebpfgen"]


def test_the_pre_commit_hook_regenerates_the_bindings(made: Path) -> None:
    config = yaml.safe_load((made / ".pre-commit-config.yaml").read_text())
    (repository,) = config["repos"]
    (hook,) = repository["hooks"]
    assert repository["repo"] == "local"
    assert hook["entry"] == "ebpfgen generate --tracked"
    assert hook["language"] == "system"
    assert hook["pass_filenames"] is False


STYLES = {
    "angle brackets": "#include <bpf/bpf_helpers.h>\n#include <bpf/bpf_tracing.h>\n",
    "quotes, as older guides": '#include "bpf_helpers.h"\n#include "bpf_tracing.h"\n',
    "common.h first": '#include "common.h"\n#include <bpf/bpf_helpers.h>\n',
    "common.h last": '#include <bpf/bpf_helpers.h>\n#include "common.h"\n',
}


@pytest.mark.parametrize("target", ["bpfel", "bpfeb", "-D__TARGET_ARCH_x86"])
@pytest.mark.parametrize("includes", STYLES.values(), ids=STYLES)
def test_its_headers_are_all_that_c_needs(
    made: Path, tmp_path: Path, includes: str, target: str
) -> None:
    source = tmp_path / "prog.c"
    source.write_text(
        includes + 'SEC("kprobe/x") int f(struct pt_regs *c) { u32 a = 1; return a; }'
    )
    flags = ["-target", target] if target.startswith("bpf") else ["-target", "bpfel", target]
    command = ["clang", *flags, "-O2", "-g", "-nostdinc", "-Iheaders", "-c", str(source)]
    subprocess.run([*command, "-o", str(tmp_path / "prog.o")], cwd=made, check=True)


def test_it_generates_with_nothing_but_its_own_headers(project: Path) -> None:
    done = run_cli("generate", "--", "-nostdinc", cwd=project)
    assert (done.returncode, done.stderr) == (0, "")
    assert {path.name for path in (project / "proj").glob("bpf*")} == {
        "bpf.py",
        *(f"bpf_{suffix}.{end}" for suffix in ("bpfel", "bpfeb") for end in ("py", "o")),
    }


def test_its_own_tests_pass(project: Path) -> None:
    done = run_python("-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=project)
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout


def test_its_own_tests_notice_c_that_is_another(project: Path) -> None:
    source = project / "proj/kprobe.c"
    source.write_text(source.read_text().replace("__type(value, u64)", "__type(value, u32)"))
    done = run_python("-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=project)
    assert done.returncode == 1, done.stdout


OPENAT2 = """
#include "common.h"
#include <bpf/bpf_helpers.h>
#include "bpf_tracing.h"

char __license[] SEC("license") = "Dual MIT/GPL";

SEC("kprobe/do_sys_openat2")
int kprobe_openat2(struct pt_regs *ctx)
{
	u32 pid = bpf_get_current_pid_tgid() >> 32;
	char filename[20];
	const char *fp = (char *)PT_REGS_PARM2(ctx);
	long err = bpf_probe_read_user_str(filename, sizeof(filename), fp);

	bpf_printk("pid:%d,filename:%s,err:%ld", pid, filename, err);
	return 0;
}
"""


def test_the_walk_from_a_generic_target_to_one_architecture(project: Path) -> None:
    assert run_cli("generate", cwd=project).returncode == 0
    before = files_of(project / "proj")
    (project / "proj/kprobe.c").write_text(OPENAT2)

    done = run_cli("generate", cwd=project)
    assert done.returncode == 1
    assert "pass --target amd64" in done.stderr.splitlines()[-1]
    after = files_of(project / "proj")
    assert {name for name in after if after[name] != before[name]} == {"kprobe.c"}

    done = run_cli("generate", "--target", "amd64", cwd=project)
    assert (done.returncode, done.stderr) == (0, "")
    generated = sorted(path.name for path in (project / "proj").glob("bpf*"))
    assert generated == ["bpf.py", "bpf_bpfel_x86.o", "bpf_bpfel_x86.py"]
    text = (project / "proj/bpf_bpfel_x86.py").read_text()
    assert 'KprobeOpenat2 = rt.kprobe("kprobe_openat2")' in text
    assert "KprobeExecve" not in text


def test_running_it_before_generate_says_to_generate(project: Path) -> None:
    done = run_python("-m", "proj", cwd=project)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "run ebpfgen generate" in done.stderr


@pytest.mark.parametrize(
    ("name", "package"),
    [
        ("myproj", "myproj"),
        ("My-Proj", "my_proj"),
        ("a.b c", "a_b_c"),
        ("x--y", "x_y"),
        ("_x", "_x"),
    ],
)
def test_the_package_is_the_name_as_python_can_have_it(name: str, package: str) -> None:
    assert package_name(name) == package


REFUSED = {
    "1x": "is not a Python identifier",
    "a+b": "is not a Python identifier",
    "é": "is not a Python identifier",
    "class": "is a Python keyword",
    "Class": "is a Python keyword",
    "json": "would hide Python's module json",
    "JSON": "would hide Python's module json",
    "ebpfgen": "would hide Python's module ebpfgen",
    "tests": "would hide",
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_name_that_cannot_be_a_package_is_refused_before_anything_is_written(
    tmp_path: Path, name: str
) -> None:
    with pytest.raises(IdentifierError, match=REFUSED[name]):
        create_project(tmp_path / name, "kprobe")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("hidden", ["file", ".hidden"])
def test_a_folder_that_is_not_empty_is_refused(tmp_path: Path, hidden: str) -> None:
    folder = tmp_path / "proj"
    folder.mkdir()
    (folder / hidden).write_text("mine")
    with pytest.raises(ScaffoldError, match="is not empty: choose another name, or empty it"):
        create_project(folder, "kprobe")
    assert files_of(folder) == {hidden: b"mine"}


def test_a_file_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "proj").write_text("mine")
    with pytest.raises(ScaffoldError, match="exists and is no folder"):
        create_project(tmp_path / "proj", "kprobe")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    with pytest.raises(ScaffoldError, match="exists and is no folder"):
        create_project(tmp_path / "dangling", "kprobe")


def test_an_unknown_template_lists_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no template 'xyz'; templates: kprobe"):
        create_project(tmp_path / "proj", "xyz")
    assert templates() == ["kprobe"]


@pytest.mark.parametrize("template", ["", ".", "..", "../project/kprobe"])
def test_a_path_is_no_template(tmp_path: Path, template: str) -> None:
    with pytest.raises(UsageError, match="no template"):
        create_project(tmp_path / "proj", template)


def test_no_libbpf_is_one_line_with_the_packages_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scaffold, "_LIBBPF_FOLDERS", (tmp_path / "nowhere",))
    with pytest.raises(ScaffoldError, match="apt install libbpf-dev") as caught:
        create_project(tmp_path / "proj", "kprobe")
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_an_existing_empty_folder_is_filled(tmp_path: Path) -> None:
    folder = tmp_path / "deep/er/proj"
    folder.mkdir(parents=True)
    assert create_project(folder, "kprobe").package == "proj"
    assert (folder / ".pre-commit-config.yaml").is_file()


def test_folders_above_are_made(tmp_path: Path) -> None:
    create_project(tmp_path / "deep/er/proj", "kprobe")
    assert (tmp_path / "deep/er/proj/pyproject.toml").is_file()


def test_the_current_folder_can_be_the_project(tmp_path: Path) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    done = run_cli("new", ".", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert (folder / "here/main.py").is_file()


def test_the_description_is_in_what_a_reader_sees(tmp_path: Path) -> None:
    create_project(tmp_path / "proj", "kprobe", description="Watches the door.")
    assert "\nWatches the door.\n" in (tmp_path / "proj/README.md").read_text()


@pytest.mark.parametrize(
    "description",
    ['Says "hi"', 'Three """ quotes', "A back\\slash", "Two\nlines", "{{ 7 * 7 }}", "ends\\"],
)
def test_a_description_may_hold_anything(tmp_path: Path, description: str) -> None:
    folder = tmp_path / "proj"
    create_project(folder, "kprobe", description=description)
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    assert project["description"] == " ".join(description.split())
    for path in folder.glob("proj/*.py"):
        compile(path.read_text(), str(path), "exec")


def test_the_name_of_the_distribution_is_one_that_pip_takes(tmp_path: Path) -> None:
    create_project(tmp_path / "my proj", "kprobe")
    name = tomllib.loads((tmp_path / "my proj/pyproject.toml").read_text())["project"]["name"]
    assert name.replace("-", "_") == "my_proj"


def test_nothing_asks_without_a_terminal(tmp_path: Path) -> None:
    done = run_cli("new", "proj", cwd=tmp_path)
    assert done.returncode == 0
    assert "?" not in done.stdout
    assert sys.executable in done.stdout


def test_two_projects_of_one_name_are_the_same_bytes(made: Path, tmp_path: Path) -> None:
    create_project(tmp_path / "My-Proj", "kprobe")
    assert files_of(tmp_path / "My-Proj") == files_of(made)
