"""Where /proc or /sys is not mounted, programs run all the same, and errors stay errors."""

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from ebpfgen.runtime import kernel

from .conftest import need_own_mounts

USE = """
import sys
sys.path[:0] = {path!r}
from ebpfgen import runtime as rt
from leaks import load_leaks_objects

def refused(use):
    try:
        use()
    except rt.BpfError as error:
        assert "\\n" not in str(error)
        return str(error)
    raise AssertionError("it was not refused")

with load_leaks_objects() as objs:
    link = objs.LeakProgram.attach()
    assert link.info.type is rt.LinkType.RAW_TRACEPOINT, link.info
    assert objs.LeakMap[0] > 0
    assert objs.LeakMap.info.max_entries == 1
    objs.LeakCalls.value = 0
    print(refused(lambda: objs.LeakProgram.attach("no_such_tracepoint")))
    print(refused(lambda: objs.LeakMap.frozen))
    link.pin("/mnt/link")
    objs.LeakProgram.pin("/mnt/program")
    print(refused(lambda: rt.open_pinned_link("/mnt/link")))
    print(refused(lambda: rt.open_pinned_program("/mnt/program")))
    objs.LeakMap.pin("/mnt/map")
    with type(objs).LeakMap.open("/mnt/map") as again:
        assert again[0] > 0
"""


@pytest.fixture(scope="module")
def leaks(bindings: Path, bpf: None) -> ModuleType:
    import importlib

    return importlib.import_module("leaks")


def hidden(folder: str, leaks: ModuleType) -> subprocess.CompletedProcess[str]:
    """Use an object in a mount namespace in which *folder* is empty."""
    path = [str(Path(leaks.__file__ or "").parent), *sys.path]
    need_own_mounts()
    prepare = f'mount -t bpf bpf /mnt && mount -t tmpfs tmpfs {folder} && exec "$@"'
    command = ["unshare", "--mount", "sh", "-c", prepare, "sh"]
    return subprocess.run(
        [*command, sys.executable, "-W", "error", "-c", USE.format(path=path)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_proc(leaks: ModuleType) -> None:
    done = hidden("/proc", leaks)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    lines = done.stdout.splitlines()
    assert "no such tracepoint" in lines[0]
    assert "can't tell whether map leak_map is frozen" in lines[1]
    assert "can't open the link pinned at /mnt/link: /proc, which tells what it is" in lines[2]
    assert "can't open the program pinned at /mnt/program: /proc, which tells" in lines[3]


def test_the_capabilities_of_a_process_are_known_without_proc() -> None:
    code = "from ebpfgen.runtime import kernel; print(*kernel.missing_capabilities({}))"
    names = ("CAP_BPF", "CAP_NET_ADMIN")
    drop = ["setpriv", "--bounding-set=-net_admin", "--inh-caps=-all"]
    done = subprocess.run(
        [*drop, sys.executable, "-c", code.format(", ".join(map(repr, names)))],
        capture_output=True,
        text=True,
        check=True,
    )
    assert kernel.missing_capabilities(*names) == []
    assert done.stdout.split() == ["CAP_NET_ADMIN"]
