"""Functions and static probes of user space are seen, in the processes that are meant."""

import errno
import platform
import subprocess
from pathlib import Path

import pytest

from ebpfgen import runtime as rt

from .conftest import Load, need_kernel

ENTRY, RETURN, STATIC = 0, 1, 2
TIMES = 3


def run(victim: Path) -> None:
    subprocess.run([victim, str(TIMES)], check=True, capture_output=True)


def test_a_function_is_seen_with_its_argument_and_the_cookie(load: Load, victim: Path) -> None:
    objs = load("uprobe")
    with objs.Entered.attach(victim, "work", cookie=77) as link:
        assert link.target == f"{victim}:work"
        run(victim)
        assert objs.Counts.value[ENTRY] == TIMES
        assert objs.Seen.value[ENTRY] == 20 + TIMES - 1
        assert objs.Cookies.value[ENTRY] == 77
    run(victim)
    assert objs.Counts.value[ENTRY] == TIMES, "ran after its link was closed"


def test_a_return_is_seen_with_the_result(load: Load, victim: Path) -> None:
    objs = load("uprobe")
    objs.Returned.attach(victim, "work")
    run(victim)
    assert objs.Counts.value[RETURN] == TIMES
    assert objs.Seen.value[RETURN] == (20 + TIMES - 1) * 2


def test_an_offset_in_the_file_does_for_a_function(load: Load, victim: Path) -> None:
    lines = subprocess.run(["llvm-nm", victim], capture_output=True, text=True, check=True).stdout
    address = next(
        int(line.split()[0], 16) for line in lines.splitlines() if line.endswith(" work")
    )
    headers = subprocess.run(
        ["llvm-readelf", "-lW", victim], capture_output=True, text=True, check=True
    ).stdout
    code = next(line.split() for line in headers.splitlines() if " R E " in line)
    offset = address - int(code[2], 16) + int(code[1], 16)
    objs = load("uprobe")
    with objs.Entered.attach(victim, offset=offset) as link:
        assert link.target == f"{victim}:{offset:#x}"
        run(victim)
    assert objs.Counts.value[ENTRY] == TIMES


def test_another_process_is_not_seen_when_one_is_named(load: Load, victim: Path) -> None:
    objs = load("uprobe")
    with subprocess.Popen(["sleep", "60"]) as other:
        objs.Entered.attach(victim, "work", pid=other.pid)
        run(victim)
        other.kill()
    assert objs.Counts.value[ENTRY] == 0


def test_programs_and_libraries_are_found_by_their_names(
    load: Load, victim: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(victim.parent), prepend=":")
    objs = load("uprobe")
    with objs.Entered.attach("victim", "work") as link:
        assert link.target == f"{victim}:work"
    with objs.Entered.attach("libc.so.6", "getpid") as link:
        assert link.target.endswith("/libc.so.6:getpid")


@pytest.mark.skipif(platform.machine() not in ("x86_64", "aarch64"), reason="victim.c has no probe")
def test_a_static_probe_is_seen_with_its_argument_and_the_cookie(load: Load, victim: Path) -> None:
    objs = load("usdt")
    with objs.Probed.attach(victim, "victim", "worked", cookie=5) as link:
        assert link.target == f"{victim}:victim:worked"
        run(victim)
        with pytest.raises(rt.NotSupportedError, match="is no link of the kernel's own"):
            _ = link.fd
    assert objs.Counts.value[STATIC] == TIMES
    assert objs.Seen.value[STATIC] == 20 + TIMES - 1
    assert objs.Cookies.value[STATIC] == 5


def test_a_static_probe_that_is_not_there_says_so(load: Load, victim: Path) -> None:
    objs = load("usdt")
    with pytest.raises(
        rt.AttachError, match=r"victim:rested: the file has no such probe"
    ) as raised:
        objs.Probed.attach(victim, "victim", "rested")
    assert raised.value.errno == errno.ENOENT
    with pytest.raises(rt.AttachError, match="SEC\\('usdt'\\) of probed names nothing"):
        objs.Probed.attach()


def test_a_missing_function_names_those_that_are_close(load: Load, victim: Path) -> None:
    objs = load("uprobe")
    with pytest.raises(rt.AttachError, match=r"has no function work_agian.*close: work_again") as e:
        objs.Entered.attach(victim, "work_agian")
    assert e.value.errno in (errno.ENOENT, errno.ESRCH)
    assert "\n" not in str(e.value)


def test_a_missing_file_says_where_it_was_looked_for(load: Load, tmp_path: Path) -> None:
    objs = load("uprobe")
    with pytest.raises(rt.AttachError, match=r"no-such-program-anywhere: .*neither in \$PATH"):
        objs.Nowhere.attach()
    with pytest.raises(rt.AttachError, match=r"there is no such file$"):
        objs.Entered.attach(tmp_path / "gone", "work")


def test_a_process_that_has_ended_is_named(load: Load, victim: Path) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    with pytest.raises(rt.AttachError, match=f"there is no process {ended.pid}"):
        load("uprobe").Entered.attach(victim, "work", pid=ended.pid)


def test_neither_function_nor_offset_is_refused(load: Load, victim: Path) -> None:
    with pytest.raises(rt.AttachError, match="pass a function, or an offset"):
        load("uprobe").Entered.attach(victim)


def test_the_kernel_tells_file_and_offset(load: Load, victim: Path) -> None:
    objs = load("uprobe")
    with objs.Returned.attach(victim, "work") as link:
        info = link.info
        assert info.type is rt.LinkType.PERF_EVENT
        assert isinstance(info, rt.PerfEventLinkInfo)
        need_kernel("" if info.event else "the kernel tells more of perf events since 6.6")
        assert (info.event, info.name) == (2, str(victim))
        assert info.offset > 0
