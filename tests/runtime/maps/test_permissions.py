"""Maps where not all is allowed, or to be seen."""

import os
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ebpfgen import runtime as rt
from tests.runtime.conftest import need_own_mounts

NOBODY = 65534


def as_nobody(use: Callable[[], None]) -> None:
    """Run *use* in a forked child without root's rights, and fail as it does."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        failure = ""
        try:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            use()
        except BaseException:  # noqa: BLE001 - the parent fails with it
            failure = traceback.format_exc()
        finally:
            os.write(writer, failure.encode() or b"done")
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as answers:
        assert answers.read() == "done"
    os.waitpid(child, 0)


@pytest.fixture
def open_folder(bpffs: Path) -> Iterator[Path]:
    """Give a BPF file system that everyone gets to."""
    bpffs.chmod(0o777)
    changed = [folder for folder in bpffs.parents if not folder.stat().st_mode & 0o001]
    for folder in changed:
        folder.chmod(folder.stat().st_mode | 0o011)
    yield bpffs
    for folder in changed:
        folder.chmod(folder.stat().st_mode & ~0o011)


def test_what_root_opened_can_still_be_used(objs: Any) -> None:
    objs.Numbers[1] = 10

    def use() -> None:
        objs.Numbers[2] = 20
        assert objs.Numbers.read() == {1: 10, 2: 20}
        assert objs.Numbers.info.max_entries == 100
        objs.List[0] = 5
        assert list(objs.List) == [5, 0, 0, 0, 0]
        assert not objs.List.frozen

    as_nobody(use)
    assert objs.Numbers[2] == 20


def test_what_root_alone_may_do_says_what_it_takes(
    tables: ModuleType, objs: Any, open_folder: Path
) -> None:
    objs.Numbers.pin(open_folder / "numbers")
    number = objs.Numbers.info.id

    def use() -> None:
        member = tables.TablesMaps.Numbers
        with pytest.raises(rt.MapError, match="create a map like numbers: this process lacks CAP_"):
            member.create(1)
        with pytest.raises(rt.MapError, match="this process lacks CAP_SYS_ADMIN"):
            member.open_id(number)
        with pytest.raises(rt.MapError, match="the file's permissions forbid it"):
            member.open(open_folder / "numbers")

    as_nobody(use)


def test_a_refused_write_still_says_why(objs: Any) -> None:
    objs.Numbers.freeze()

    def use() -> None:
        with pytest.raises(rt.MapError, match="write to map numbers"):
            objs.Numbers[1] = 1

    as_nobody(use)


NO_PROC = """
import sys
sys.path.insert(0, {folder!r})
import tables
from ebpfgen import runtime as rt
from tests.runtime.conftest import need_own_mounts
with tables.load_tables_objects() as objs:
    objs.Numbers[1] = 10
    print(objs.Numbers.read(), objs.Numbers.info.name)
    try:
        objs.Numbers.frozen
    except rt.MapError as error:
        print(error)
"""


def test_maps_work_without_proc(bpf: None, bindings: Path) -> None:
    need_own_mounts()
    script = 'mount --make-rprivate / && mount -t tmpfs tmpfs /proc && exec "$0" -c "$1"'
    code = NO_PROC.format(folder=str(bindings))
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script, sys.executable, code],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "{1: 10} numbers",
        "can't tell whether map numbers is frozen: /proc/self can't be read",
    ]
