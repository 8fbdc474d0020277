"""The scripts do the least that is needed, and say in one line what stops them."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parent.parent / "scripts"
# What the scripts call and every system has.
COMMON = [
    *("bash", "chmod", "chown", "dirname", "env", "flock", "grep", "head", "ln", "mkdir"),
    *("mktemp", "mv", "readlink", "rm", "sed", "sh", "sleep", "tail", "tr", "true"),
]

DPKG_QUERY = """
shift 3
for package; do
  case " $INSTALLED " in *" $package "*) echo "installed $package" ;; esac
done
"""
BUILD = "clang llvm libbpf-dev"
VM = "qemu-system-x86 kmod busybox-static udev file"
TESTS = f"{VM} iproute2"


class Machine:
    """A PATH of its own, in which chosen programs are fakes that record how they were called."""

    def __init__(self, folder: Path) -> None:
        self.bin = folder / "bin"
        self.log = folder / "calls"
        self.home = folder / "home"
        self.bin.mkdir()
        self.home.mkdir()
        self.log.touch()
        for name in COMMON:
            program = shutil.which(name)
            assert program is not None, name
            (self.bin / name).symlink_to(program)
        self.fake("python3")  # has ensurepip and venv, then
        self.fake("uname", "echo x86_64")
        self.release = folder / "os-release"
        self.release.write_text("ID=debian\nVERSION_CODENAME=trixie\n")
        self.environment = {
            "PATH": str(self.bin),
            "HOME": str(self.home),
            "INSTALLED": "",
            "EBPFGEN_OS_RELEASE": str(self.release),
        }

    def fake(self, name: str, body: str = "") -> None:
        """Put a program on the PATH that notes its arguments and then runs `body`."""
        program = self.bin / name
        program.unlink(missing_ok=True)
        note = f"{{ printf '{name} '; echo \"$*\" | tr '\\n' ' '; echo; }} >>{self.log}"
        program.write_text(f"#!/bin/sh\n{note}\n{body}\n")
        program.chmod(0o755)

    def with_apt(self, *, installed: str, user: int) -> None:
        """Make this a Debian system with these packages, used by this user id."""
        self.fake("dpkg-query", DPKG_QUERY)
        self.fake("apt-get")
        self.fake("sudo", 'exec "$@"')
        self.fake("id", f"echo {user}")
        self.environment["INSTALLED"] = installed

    def with_kernel(self) -> Path:
        """Put an unpacked kernel into the cache."""
        boot = self.home / ".cache/ebpfgen/kernels/6.1.0-1-amd64/boot"
        boot.mkdir(parents=True)
        kernel = boot / "vmlinuz-6.1.0-1-amd64"
        kernel.touch()
        return kernel

    def run(self, script: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a script on this machine."""
        return subprocess.run(
            [script, *arguments],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def calls(self, name: str) -> list[str]:
        """Return the arguments of every call of a fake."""
        lines = self.log.read_text().splitlines()
        return [line.removeprefix(name).strip() for line in lines if line.split()[0] == name]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


INSTALL = SCRIPTS / "install-system-packages"


def test_packages_are_named_for_systems_without_apt(machine: Machine) -> None:
    done = machine.run(INSTALL)

    assert done.returncode == 1
    assert "dnf install clang llvm libbpf-devel" in done.stderr
    assert "pacman -S clang llvm libbpf" in done.stderr
    assert "apk add clang llvm libbpf-dev" in done.stderr
    assert "dnf install qemu-system-x86-core kmod busybox" in done.stderr


def test_only_the_group_asked_for_is_named_without_apt(machine: Machine) -> None:
    done = machine.run(INSTALL, "build")

    assert done.returncode == 1
    assert "qemu" not in done.stderr


def test_a_system_without_apt_that_has_the_programs_passes(machine: Machine) -> None:
    machine.fake("clang")
    machine.fake("llvm-strip")

    assert machine.run(INSTALL, "build").returncode == 0


def test_nothing_is_installed_where_all_is_there(machine: Machine) -> None:
    machine.with_apt(installed=f"{BUILD} {TESTS}", user=1000)
    machine.with_kernel()

    done = machine.run(INSTALL)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert machine.calls("apt-get") == []
    assert machine.calls("sudo") == []


def test_only_what_is_missing_is_installed(machine: Machine) -> None:
    machine.with_apt(installed="clang libbpf-dev", user=0)

    done = machine.run(INSTALL, "build")

    assert done.returncode == 0, done.stderr
    update, install = machine.calls("apt-get")
    assert update.endswith(" update")
    assert install.endswith(" install --no-install-recommends llvm")
    assert machine.calls("sudo") == []


def test_venv_is_installed_for_the_python_that_lacks_it(machine: Machine) -> None:
    machine.with_apt(installed=BUILD, user=0)
    machine.fake("python3", 'case "$2" in *ensurepip*) exit 1 ;; *) echo python3.11-venv ;; esac')

    machine.run(INSTALL, "build")

    assert machine.calls("apt-get")[-1].endswith(" python3.11-venv")


def test_sudo_is_used_by_those_who_are_not_root(machine: Machine) -> None:
    machine.with_apt(installed="", user=1000)

    done = machine.run(INSTALL, "build")

    assert done.returncode == 0, done.stderr
    assert len(machine.calls("sudo")) == 2
    assert all(" apt-get " in call for call in machine.calls("sudo"))


def test_neither_root_nor_sudo_is_one_line(machine: Machine) -> None:
    machine.with_apt(installed="", user=1000)
    (machine.bin / "sudo").unlink()

    done = machine.run(INSTALL, "build")

    assert done.returncode == 1
    assert done.stderr == (
        "install-system-packages: neither root nor sudo here: "
        f"run as root: apt-get install {BUILD}\n"
    )
    assert machine.calls("apt-get") == []


def test_what_apt_says_is_shown_when_it_fails(machine: Machine) -> None:
    machine.with_apt(installed="", user=0)
    machine.fake("apt-get", 'case "$*" in *install*) echo "E: no such package"; exit 100 ;; esac')

    done = machine.run(INSTALL, "build")

    assert done.returncode == 1
    assert "E: no such package\n" in done.stderr
    assert done.stderr.splitlines()[-1].endswith(f"apt-get install {BUILD} failed (see above)")


def test_an_interrupted_unpacking_leaves_no_kernel(machine: Machine) -> None:
    machine.with_apt(installed=VM, user=0)
    machine.fake("apt-cache", 'echo "  Depends: linux-image-6.1.0-1-amd64"')
    machine.fake("apt-get", 'case "$*" in *download*) : >kernel.deb ;; esac')
    machine.fake("dpkg", 'mkdir -p "$3/boot" "$3/lib"; : >"$3/boot/vmlinuz-6.1.0-1-amd64"')
    machine.fake("depmod", "exit 1")
    kernels = machine.home / ".cache/ebpfgen/kernels"

    assert machine.run(INSTALL, "vm").returncode == 1
    assert [path.name for path in kernels.iterdir()] == [".lock"]

    machine.fake("depmod")
    assert machine.run(INSTALL, "vm").returncode == 0
    assert (kernels / "6.1.0-1-amd64/boot/vmlinuz-6.1.0-1-amd64").exists()


def test_the_kernel_goes_to_the_caller_of_sudo(machine: Machine) -> None:
    machine.with_apt(installed=VM, user=0)
    machine.fake("sudo")
    machine.environment["SUDO_USER"] = "somebody"

    assert machine.run(INSTALL, "vm").returncode == 0
    assert machine.calls("sudo") == [f"-H -u somebody {INSTALL} kernel"]


@pytest.fixture
def bookworm(machine: Machine) -> Machine:
    """Return a Debian 12 whose backports have a libbpf and a kernel."""
    machine.with_apt(installed=TESTS, user=0)
    machine.with_kernel()
    machine.release.write_text("ID=debian\nVERSION_CODENAME=bookworm\n")
    machine.fake("id", "echo root")
    machine.fake("apt-cache", 'echo "  Depends: linux-image-6.12.1-amd64"')
    machine.fake("apt-get", BACKPORTS)
    machine.fake("dpkg", UNPACK)
    machine.fake("depmod")
    return machine


BACKPORTS = """
case "$*" in
  indextargets*) echo http://mirror.example/debian ;;
  *download*) : >libbpf1_1.4.6-1_amd64.deb; : >linux-image-6.12.1-amd64_6.12.1-1_amd64.deb ;;
esac
"""
UNPACK = """
case "$2" in
  *libbpf1*) mkdir -p "$3/usr/lib/triplet"; : >"$3/usr/lib/triplet/libbpf.so.1" ;;
  *) mkdir -p "$3/boot" "$3/lib"; : >"$3/boot/vmlinuz-6.12.1-amd64" ;;
esac
"""


def test_debian_12_gets_a_newer_libbpf_and_kernel_for_the_tests(bookworm: Machine) -> None:
    done = bookworm.run(INSTALL, "tests")

    assert done.returncode == 0, done.stderr
    place = bookworm.home / ".cache/ebpfgen/backports"
    assert (place / "libbpf.so.1").exists()
    assert (place / "kernel/boot/vmlinuz-6.12.1-amd64").exists()
    assert bookworm.calls("depmod")[0].endswith("/kernel 6.12.1-amd64")
    download = bookworm.calls("apt-get")[-1]
    assert download.endswith(" download libbpf1 linux-image-6.12.1-amd64")
    assert " -o Dir::Etc::sourceparts=/dev/null " in download, (
        "the suite is no source of the system"
    )
    assert bookworm.run(INSTALL, "tests").stdout == "", "it is there now"


def test_without_backports_all_else_is_done(bookworm: Machine) -> None:
    bookworm.fake(
        "apt-get", 'case "$*" in *update) echo "E: no network"; exit 100 ;; *) echo x ;; esac'
    )

    done = bookworm.run(INSTALL, "tests")

    assert done.returncode == 0
    assert "they can't be had here" in done.stdout
    cache = bookworm.home / ".cache/ebpfgen"
    assert {path.name for path in cache.iterdir()} == {"kernels", ".backports.lock"}


def test_the_vm_alone_gets_nothing_that_only_tests_use(bookworm: Machine) -> None:
    bookworm.environment["INSTALLED"] = VM

    done = bookworm.run(INSTALL, "vm")

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert bookworm.calls("apt-get") == []
    assert not (bookworm.home / ".cache/ebpfgen/backports").exists()


@pytest.mark.parametrize("group", ["kernel", "backports"])
def test_a_kernel_is_unpacked_where_there_was_no_depmod(bookworm: Machine, group: str) -> None:
    bookworm.environment["INSTALLED"] = ""

    assert bookworm.run(INSTALL, group).returncode == 0
    (install,) = [call for call in bookworm.calls("apt-get") if " install " in call]
    assert install.endswith(" install --no-install-recommends kmod")


def test_an_interrupted_unpacking_leaves_no_backports(bookworm: Machine) -> None:
    bookworm.fake("depmod", "exit 1")
    place = bookworm.home / ".cache/ebpfgen/backports"

    assert bookworm.run(INSTALL, "backports").returncode == 1
    assert not place.exists()

    bookworm.fake("depmod")
    assert bookworm.run(INSTALL, "backports").returncode == 0
    assert place.exists()


def test_other_releases_get_no_backports(bookworm: Machine) -> None:
    bookworm.release.write_text("ID=ubuntu\nVERSION_CODENAME=noble\n")

    assert bookworm.run(INSTALL, "backports").stdout == ""
    assert bookworm.calls("apt-get") == []


def test_other_architectures_get_no_vm(machine: Machine) -> None:
    machine.with_apt(installed="", user=0)
    machine.fake("uname", "echo aarch64")

    done = machine.run(INSTALL, "tests")

    assert done.returncode == 0
    assert done.stdout.count("\n") == 1
    assert "this is aarch64" in done.stdout
    assert machine.calls("apt-get") == []


def test_the_group_debian13_is_mmdebstrap_alone(machine: Machine) -> None:
    machine.with_apt(installed="debian-archive-keyring", user=0)

    assert machine.run(INSTALL, "debian13").returncode == 0

    (install,) = (call for call in machine.calls("apt-get") if " install " in call)
    assert install.endswith(" install --no-install-recommends mmdebstrap")


def test_an_unknown_group_is_one_line(machine: Machine) -> None:
    done = machine.run(INSTALL, "docs")

    assert done.returncode == 1
    assert done.stderr == (
        "install-system-packages: no group docs: "
        "give build, vm, kernel, tests, backports or debian13\n"
    )


@pytest.fixture
def vm_machine(machine: Machine) -> Machine:
    """Return a machine with all that scripts/vm looks for but vng and a kernel."""
    for name in ("qemu-system-x86_64", "busybox", "file", "modprobe", "udevadm"):
        machine.fake(name)
    (machine.bin / "python3").unlink()
    (machine.bin / "python3").symlink_to(sys.executable)
    return machine


def vm_with(machine: Machine, vng: str) -> Path:
    """Copy scripts/vm into a folder without .venv; vng is a fake, and $last what it should run."""
    scripts = machine.home / "repository/scripts"
    scripts.mkdir(parents=True)
    shutil.copy(SCRIPTS / "vm", scripts)
    machine.fake("vng", f"for last; do :; done\n{vng}")
    return scripts / "vm"


def test_vm_says_where_a_kernel_comes_from(vm_machine: Machine) -> None:
    done = vm_machine.run(vm_with(vm_machine, ""), "--", "true")

    assert done.returncode == 1
    assert done.stderr == (
        "vm: no kernel to boot: run `make vm-packages`, or give one with --kernel\n"
    )


@pytest.mark.parametrize("tool", ["qemu-system-x86_64", "busybox", "vng"])
def test_vm_names_the_program_that_is_missing(vm_machine: Machine, tool: str) -> None:
    vm = vm_with(vm_machine, "")
    vm_machine.with_kernel()
    (vm_machine.bin / tool).unlink()
    if any((Path(folder) / tool).exists() for folder in ("/usr/sbin", "/sbin")):
        pytest.skip(f"scripts/vm finds this machine's own {tool}")

    done = vm_machine.run(vm, "--", "true")

    assert done.returncode == 1
    assert done.stderr.startswith(f"vm: {tool} ")
    assert done.stderr.count("\n") == 1


def test_vm_passes_arguments_outputs_and_status_through(vm_machine: Machine) -> None:
    vm = vm_with(vm_machine, "exec $last")
    vm_machine.with_kernel()
    script = 'printf "%s|" "$@"; echo oops >&2; exit 7'

    done = vm_machine.run(vm, "--", "sh", "-c", script, "sh", "a  b", "it's", "--", "$HOME")

    assert (done.returncode, done.stdout, done.stderr) == (7, "a  b|it's|--|$HOME|", "oops\n")


def test_vm_boots_the_newest_kernel(vm_machine: Machine) -> None:
    vm = vm_with(vm_machine, "")
    old = vm_machine.with_kernel()
    new = Path(str(old).replace("6.1.0-1-", "6.1.0-10-"))
    new.parent.mkdir(parents=True)
    new.touch()

    assert vm_machine.run(vm, "--check").stdout == f"{new}\n"


def test_vm_ends_all_it_started_when_time_is_up(vm_machine: Machine) -> None:
    vm = vm_with(vm_machine, "sleep 600 & echo $!; wait")
    vm_machine.with_kernel()

    done = vm_machine.run(vm, "--timeout", "0.5", "--", "true")

    assert done.returncode == 124
    assert done.stderr == "vm: stopped after 0.5 seconds (--timeout)\n"
    assert not Path("/proc", done.stdout.strip()).exists()


EBPFGEN = """
case $1 in new) mkdir "$2" ;; generate) : >bpf.py ;; esac
"""


@pytest.fixture
def demo(machine: Machine) -> Path:
    """Return scripts/demo in a repository where every program but itself is a fake."""
    root = machine.home / "repository"
    (root / ".venv/bin").mkdir(parents=True)
    (root / "scripts").mkdir()
    shutil.copy(SCRIPTS / "demo", root / "scripts")
    machine.fake("ebpfgen", EBPFGEN)
    machine.fake("python", "pwd")
    machine.fake("vm")
    machine.fake("install-system-packages")
    machine.fake("vng")
    for name in ("ebpfgen", "vng"):
        (machine.bin / name).rename(root / ".venv/bin" / name)
    for name in ("vm", "install-system-packages"):
        (machine.bin / name).rename(root / "scripts" / name)
    machine.environment["EBPFGEN_SYSFS"] = str(root / "sys")
    machine.environment["TMPDIR"] = str(machine.home)
    machine.fake("id", "echo 0")
    return root / "scripts/demo"


def has_kprobes(machine: Machine) -> None:
    (Path(machine.environment["EBPFGEN_SYSFS"]) / "bus/event_source/devices/kprobe").mkdir(
        parents=True
    )


def test_demo_runs_here_as_root_with_kprobes(machine: Machine, demo: Path) -> None:
    has_kprobes(machine)

    done = machine.run(demo)

    assert done.returncode == 0, done.stderr
    assert [line for line in done.stdout.splitlines() if line.startswith("$ ")] == [
        "$ ebpfgen new demo_project",
        "$ cd demo_project",
        "$ ebpfgen generate",
        "$ python -m demo_project --count 5",
    ]
    assert machine.calls("python") == ["-m demo_project --count 5"]
    assert machine.calls("install-system-packages") == []


def test_demo_takes_the_vm_where_there_are_no_kprobes(machine: Machine, demo: Path) -> None:
    done = machine.run(demo)

    assert done.returncode == 0, done.stderr
    assert "this machine's kernel has no kprobes: running it in a virtual machine" in done.stdout
    assert machine.calls("install-system-packages") == ["vm"]
    assert machine.calls("python") == []
    assert "python -m demo_project --count 5" in machine.log.read_text()


def test_demo_fetches_what_boots_the_vm_and_only_then(machine: Machine, demo: Path) -> None:
    root = demo.parent.parent
    (root / ".venv/bin/vng").unlink()

    done = machine.run(demo)

    assert done.returncode == 0, done.stderr
    group = f"{root}/pyproject.toml:vm"
    assert machine.calls("python") == [f"-m pip install --quiet --group {group}"]
    has_kprobes(machine)
    machine.run(demo)
    assert len([call for call in machine.calls("python") if "pip" in call]) == 1


def test_demo_takes_the_vm_for_those_who_are_not_root(machine: Machine, demo: Path) -> None:
    has_kprobes(machine)
    machine.fake("id", "echo 1000")

    done = machine.run(demo)

    assert "loading BPF needs root, and you are not: running it in a virtual machine" in done.stdout
    assert machine.calls("install-system-packages") == ["vm"]


def test_demo_leaves_no_folder_behind(machine: Machine, demo: Path) -> None:
    has_kprobes(machine)
    machine.fake("python", "exit 3")

    assert machine.run(demo).returncode == 3
    assert [path.name for path in machine.home.iterdir()] == ["repository"]


@pytest.mark.parametrize("words", [[], ["help"]])
def test_make_help_needs_nothing_but_make_and_awk(machine: Machine, words: list[str]) -> None:
    for name in ("make", "awk"):
        program = shutil.which(name)
        assert program is not None, name
        (machine.bin / name).symlink_to(program)
    make = machine.bin / "make"

    done = machine.run(make, "--no-print-directory", "-C", str(SCRIPTS.parent), *words)

    assert (done.returncode, done.stderr) == (0, "")
    assert "  make help            list the targets\n" in done.stdout
    assert len(done.stdout.splitlines()) >= 11


def test_make_demo_installs_nothing_that_only_tests_use(machine: Machine) -> None:
    make = shutil.which("make")
    assert make is not None
    (machine.bin / "make").symlink_to(make)
    new = f"VENV={machine.home}/venv"

    done = machine.run(machine.bin / "make", "-n", "-C", str(SCRIPTS.parent), "demo", new)

    assert (done.returncode, done.stderr) == (0, "")
    assert "pip install --quiet --editable ." in done.stdout
    assert "dev" not in done.stdout.replace("/dev/", "")
    assert "pyright" not in done.stdout
