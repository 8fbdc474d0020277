"""scripts/debian13 makes its root once, copies the sources into it, and leaves no mounts behind."""

import fcntl
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from .test_scripts import SCRIPTS, Machine

# What stands in for the namespace: the command runs in the folder of the root.
UNSHARE = """
case "$*" in *" /usr/bin/dpkg --configure -a") exit ;; esac
root=$8 work=$9; shift 9; cd "$root$work" && exec env -i "$@"
"""
MMDEBSTRAP = """
for last; do made=$root; root=$last; done
case $made in */.make.*) mkdir -p "$made/tmp" ;; esac
exit ${BROKEN:-0}
"""


class Debian(Machine):
    """A Debian whose programs that change the system are fakes, and a repository in it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        for name in ("cat", "cp", "find", "git", "tar", "xargs"):
            program = shutil.which(name)
            assert program is not None, name
            (self.bin / name).symlink_to(program)
        self.repository = self.home / "repository"
        (self.repository / "scripts").mkdir(parents=True)
        self.script = Path(shutil.copy(SCRIPTS / "debian13", self.repository / "scripts"))
        install = self.repository / "scripts/install-system-packages"
        install.write_text(f'#!/bin/sh\necho "install $*" >>{self.log}\n')
        install.chmod(0o755)
        subprocess.run(["git", "init", "--quiet", str(self.repository)], check=True)
        self.root = self.home / ".cache/ebpfgen/roots/trixie"
        self.fake("id", "echo 0")
        self.fake("apt-get", "echo http://mirror/debian")
        self.fake("apt-config", "echo 'Acquire::http::Proxy \"http://proxy\";'")
        self.fake("mmdebstrap", MMDEBSTRAP)
        self.fake("unshare", UNSHARE)
        self.environment["GIT_CONFIG_GLOBAL"] = os.devnull


@pytest.fixture
def debian(tmp_path: Path) -> Debian:
    return Debian(tmp_path)


def test_a_command_runs_in_a_copy_of_what_git_does_not_ignore(debian: Debian) -> None:
    (debian.repository / ".gitignore").write_text("ignored\n")
    for name in ("tracked", "untracked", "ignored", "with a space", "deleted"):
        (debian.repository / name).write_text(name)
    subprocess.run(["git", "-C", debian.repository, "add", "tracked", "deleted"], check=True)
    (debian.repository / "deleted").unlink()
    copy = debian.root / "srv/ebpfgen"

    done = debian.run(debian.script, "cat", "tracked", "untracked", "with a space")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("trackeduntrackedwith a space")
    assert {path.name for path in copy.iterdir()} == {
        *(".gitignore", "scripts", "tracked", "untracked", "with a space")
    }


def test_a_root_is_made_once_and_its_copy_is_that_of_now(debian: Debian) -> None:
    (debian.repository / "old").touch()
    assert debian.run(debian.script, "true").returncode == 0
    copy = debian.root / "srv/ebpfgen"
    (copy / ".venv").mkdir()
    (debian.repository / "old").unlink()
    (debian.repository / "new").touch()

    assert debian.run(debian.script, "true").returncode == 0

    assert {path.name for path in copy.iterdir()} == {".venv", "new", "scripts"}
    assert len(debian.calls("mmdebstrap")) == 1
    assert debian.calls("install") == ["debian13", "", "debian13"]
    assert debian.run(debian.script, "--fresh", "true").returncode == 0
    assert not (copy / ".venv").exists()
    assert len(debian.calls("mmdebstrap")) == 2


def test_what_a_killed_run_left_is_made_again(debian: Debian) -> None:
    left = debian.root.with_name(".make.killed")
    (left / "srv").mkdir(parents=True)

    assert debian.run(debian.script, "true").returncode == 0

    assert sorted(path.name for path in debian.root.parent.iterdir()) == [
        *(".trixie.lock", "apt.conf", "trixie", "trixie.log")
    ]


def test_the_command_has_the_settings_of_the_network_and_no_others(debian: Debian) -> None:
    settings = {
        "PIP_CERT": "/a b",
        "https_proxy": "http://proxy",
        "SSL_CERT_FILE": "/c",
        "PYTEST_ARGS": "-k 'one or two'",
    }
    debian.environment |= settings | {"VIRTUAL_ENV": "/here", "SECRET": "1"}

    done = debian.run(debian.script, "env")

    given = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
    assert given.items() >= settings.items()
    assert given.keys() == {*settings, "PATH", "HOME", "LANG"}


def test_the_mirror_is_that_of_apt_or_the_one_that_is_named(debian: Debian) -> None:
    debian.run(debian.script, "true")
    debian.environment["EBPFGEN_DEBIAN_MIRROR"] = "http://other/debian"
    debian.run(debian.script, "--fresh", "true")

    first, second = debian.calls("mmdebstrap")
    assert first.endswith(" http://mirror/debian")
    assert second.endswith(" http://other/debian")
    assert 'Acquire::http::Proxy "http://proxy";' in (debian.root.with_name("apt.conf").read_text())


def test_the_status_is_that_of_the_command(debian: Debian) -> None:
    assert debian.run(debian.script, "sh", "-c", "exit 7").returncode == 7


@pytest.mark.parametrize(
    ("change", "arguments", "said"),
    [
        ("id", (), "needs root, to change into another root: run `sudo make debian13`"),
        ("apt-get", (), "apt here uses no mirror of Debian's: name one in EBPFGEN_DEBIAN_MIRROR"),
        ("mmdebstrap", (), "mmdebstrap failed: see {root}.log"),
        ("no apt", (), "needs apt and mmdebstrap, and this system has no apt"),
        ("", ("--bogus",), "unknown option --bogus: scripts/debian13 [--fresh] [COMMAND...]"),
    ],
)
def test_what_stops_it_is_one_line_and_leaves_no_root(
    debian: Debian, change: str, arguments: tuple[str, ...], said: str
) -> None:
    bodies = {"id": "echo 1000", "apt-get": "", "mmdebstrap": "exit 1"}
    if change in bodies:
        debian.fake(change, bodies[change])
    if change == "no apt":
        (debian.bin / "apt-get").unlink()

    done = debian.run(debian.script, *arguments)

    assert done.returncode == 1
    assert done.stderr == f"debian13: {said.format(root=debian.root)}\n"
    assert not debian.root.exists()
    assert not list(debian.root.parent.glob(".make.*"))


def test_the_mounts_of_a_root_are_those_of_the_kernel_and_end_with_it(debian: Debian) -> None:
    """In a root of busybox alone, with the machine's own unshare, mount and pivot_root."""
    busybox = shutil.which("busybox")
    if os.geteuid() or busybox is None:
        pytest.skip("it takes root, and busybox")
    for folder in ("bin", "dev", "etc", "proc", "root", "srv", "sys", "tmp", "usr/bin"):
        (debian.root / folder).mkdir(parents=True)
    for name in ("bash", "cat", "env", "ls", "sh", "stat", "umount"):
        shutil.copy(busybox, debian.root / "bin" / name)
    dpkg = debian.root / "usr/bin/dpkg"
    dpkg.write_text("#!/bin/sh\n")
    dpkg.chmod(0o755)
    debian.environment["PATH"] = os.environ["PATH"] + ":/usr/sbin:/sbin"
    before = Path("/proc/self/mounts").read_text()

    done = debian.run(debian.script, "sh", "-c", "ls / && cat /proc/self/mounts")

    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[:3] == ["bin", "dev", "etc"]
    mounts = {line.split()[1]: line.split()[2] for line in done.stdout.splitlines() if " " in line}
    assert mounts["/sys/fs/bpf"] == "bpf"
    assert mounts["/sys/kernel/tracing"] == "tracefs"
    assert {"/", "/dev", "/proc", "/sys"} <= mounts.keys()
    assert not any(str(debian.root) in place for place in mounts)
    assert Path("/proc/self/mounts").read_text() == before


def test_two_runs_do_not_share_a_root(debian: Debian) -> None:
    assert debian.run(debian.script, "true").returncode == 0
    with debian.root.with_name(".trixie.lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = debian.run(debian.script, "true")

    assert done.returncode == 1
    assert done.stderr == f"debian13: another run uses {debian.root}: wait for it to end\n"
