"""One link is at many functions of user space."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ebpfgen import runtime as rt
from ebpfgen.runtime import kernel

from .conftest import Load, need_kernel, need_libbpf

ENTERED, RETURNED = range(2)
TIMES = 3


@pytest.fixture
def objs(load: Load) -> Any:
    need_libbpf("1.3", "uprobe.multi")
    need_kernel(kernel.too_old("a uprobe of many", 6, 6))
    return load("uprobe_multi")


def run(victim: Path) -> None:
    subprocess.run([victim, str(TIMES)], check=True, capture_output=True)


def test_it_runs_at_all_functions_that_fit(objs: Any, victim: Path) -> None:
    with objs.Entered.attach(victim, "work*") as link:
        run(victim)
        assert objs.Counts.value[ENTERED] == 2 * TIMES
        info = link.info
        assert isinstance(info, rt.ManyLinkInfo)
        assert (info.type, info.count) == (rt.LinkType.UPROBE_MULTI, 2)
    run(victim)
    assert objs.Counts.value[ENTERED] == 2 * TIMES, "ran after its link was closed"


def test_it_runs_at_each_of_a_list_with_its_cookie(objs: Any, victim: Path) -> None:
    with objs.Entered.attach(victim, ["work", "work_again"], cookies=[1, 100]):
        run(victim)
    assert objs.CookieSum.value == 101 * TIMES


def test_it_runs_at_their_return(objs: Any, victim: Path) -> None:
    with objs.Returned.attach(victim, ["work"]) as link:
        run(victim)
        assert link.info.flags == 1
    assert objs.Counts.value[RETURNED] == TIMES


def test_it_runs_in_one_process_only(objs: Any, victim: Path) -> None:
    with objs.Entered.attach(victim, "work", pid=os.getpid()):
        run(victim)
    assert objs.Counts.value[ENTERED] == 0


def test_a_missing_function_names_those_that_are_close(objs: Any, victim: Path) -> None:
    with pytest.raises(rt.AttachError, match=r"has no function work_agian.*close: work_again"):
        objs.Entered.attach(victim, ["work", "work_agian"])
    with pytest.raises(rt.AttachError, match="pass a pattern or the functions"):
        objs.Entered.attach(victim)
