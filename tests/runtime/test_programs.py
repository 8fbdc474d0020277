"""Programs run where they are attached, for as long as they are."""

import errno
import importlib
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ebpfgen import runtime as rt
from ebpfgen.runtime import kernel

from .conftest import Load

CALLS = 5


def call_execve() -> None:
    for _ in range(CALLS):
        subprocess.run(["/bin/true"], check=True)


@pytest.mark.usefixtures("tracefs")
class TestTracepoint:
    @pytest.fixture
    def objs(self, load: Load) -> Any:
        return load("execve")

    def test_attaches_where_its_section_says(self, objs: Any) -> None:
        with objs.OnExecve.attach() as link:
            assert link.target == "syscalls/sys_enter_execve"
            call_execve()
        assert objs.Counts[0] >= CALLS

    def test_says_that_it_is_attached_already(self, objs: Any) -> None:
        attached_already = pytest.raises(
            rt.AttachError, match="it is attached there already: close"
        )
        with objs.OnExecve.attach(), attached_already:
            objs.OnExecve.attach()
        objs.OnExecve.attach()

    @pytest.mark.parametrize("event", ["syscalls/sys_enter_execve", "syscalls:sys_enter_execve"])
    def test_attaches_to_the_event_it_is_given(self, objs: Any, event: str) -> None:
        with objs.Anywhere.attach(event):
            call_execve()
        assert objs.Counts[1] >= CALLS

    def test_does_not_run_once_its_link_is_closed(self, objs: Any) -> None:
        link = objs.OnExecve.attach()
        link.close()
        link.close()
        assert link.closed
        before = objs.Counts[0]
        call_execve()
        assert objs.Counts[0] == before

    def test_stays_attached_without_a_reference_to_its_link(self, objs: Any) -> None:
        objs.OnExecve.attach()
        call_execve()
        assert objs.Counts[0] >= CALLS

    def test_is_left_alone_by_a_forked_child(self, objs: Any) -> None:
        with objs.OnExecve.attach() as link:
            child = os.fork()
            if child == 0:
                link.close()
                objs.close()
                os._exit(0)
            assert os.waitpid(child, 0)[1] == 0
            before = objs.Counts[0]
            call_execve()
            assert objs.Counts[0] >= before + CALLS

    def test_an_unknown_event_names_those_that_are_close(self, objs: Any) -> None:
        with pytest.raises(rt.AttachError, match="close: syscalls/sys_enter_execve") as raised:
            objs.Anywhere.attach("syscalls/sys_enter_excve")
        assert raised.value.errno == errno.ENOENT

    def test_a_section_that_names_no_event_needs_one(self, objs: Any) -> None:
        with pytest.raises(rt.AttachError, match=r"SEC\('tp'\) of anywhere names nothing"):
            objs.Anywhere.attach()


def test_another_kind_of_program_attaches_from_its_section(objs: Any) -> None:
    with objs.OnAnyCall.attach():
        os.getppid()
    owner = objs.Owners[os.getpid()]
    assert owner.pid == os.getpid()
    assert owner.comm


def test_a_section_without_a_place_can_not_be_attached(load: Load) -> None:
    objs = load("lwt")
    with pytest.raises(rt.NotSupportedError, match="no_place"):
        objs.NoPlace.attach()


def test_a_kernel_without_kprobes_says_what_to_use_instead(load: Load) -> None:
    objs = load("kprobe")
    if kernel.has_kprobes():
        pytest.skip("this kernel has kprobes; tests/vm attaches them")
    with pytest.raises(rt.NotSupportedError, match=r"CONFIG_KPROBES.*use a tracepoint"):
        objs.OnFunction.attach()


def test_a_program_that_is_switched_off_is_not_loaded(bpf: None, bindings: Path) -> None:
    with importlib.import_module("execve").load_execve() as specs:
        assert specs.OnExecve.autoload
        specs.OnExecve.autoload = False
        with specs.load() as objs:
            assert objs.Anywhere.fd >= 0
            with pytest.raises(rt.StateError, match="on_execve is not loaded"):
                _ = objs.OnExecve.fd
            with pytest.raises(rt.StateError, match="on_execve is not loaded"):
                objs.OnExecve.attach()
