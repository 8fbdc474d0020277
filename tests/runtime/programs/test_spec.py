"""What can be changed about a program before it is loaded, and what a libbpf does not know."""

import importlib
from pathlib import Path
from types import ModuleType

import pytest

from ebpfgen import runtime as rt
from ebpfgen.runtime._libbpf.library import version

OLD = tuple(map(int, version().split("."))) < (1, 3)


@pytest.fixture
def xdp(program_bindings: Path) -> ModuleType:
    return importlib.import_module("xdp")


@pytest.fixture
def xdp_devmap(program_bindings: Path) -> ModuleType:
    return importlib.import_module("xdp_devmap")


@pytest.fixture
def tc(program_bindings: Path) -> ModuleType:
    return importlib.import_module("tc")


def test_it_says_what_it_is(xdp: ModuleType, xdp_devmap: ModuleType, tc: ModuleType) -> None:
    with xdp.load_xdp() as specs:
        assert specs.DropFirst.type is rt.ProgramType.XDP
        assert specs.DropFirst.attach_type is rt.AttachType.XDP
    with tc.load_tc() as specs:
        assert specs.Incoming.type is rt.ProgramType.SCHED_CLS
    with xdp_devmap.load_xdp_devmap() as specs:
        assert repr(specs.Redirected) == "<ProgramSpec redirected, SEC('xdp/devmap')>"
        assert specs.Redirected.attach_type is rt.AttachType.XDP_DEVMAP


def test_its_attach_type_can_be_changed(bpf: None, xdp_devmap: ModuleType) -> None:
    with xdp_devmap.load_xdp_devmap() as specs:
        specs.Redirected.attach_type = rt.AttachType.XDP
        with specs.load() as objs:
            assert objs.Redirected.attach_type is rt.AttachType.XDP
            with pytest.raises(rt.StateError, match="xdp_devmap is loaded; change it before"):
                specs.Redirected.attach_type = rt.AttachType.XDP


def test_its_type_can_be_changed(bpf: None, tc: ModuleType) -> None:
    with tc.load_tc() as specs:
        specs.Incoming.type = rt.ProgramType.SCHED_ACT
        with specs.load() as objs:
            assert objs.Incoming.info.type == rt.ProgramType.SCHED_ACT


def test_flags_go_to_the_verifier(bpf: None, tc: ModuleType) -> None:
    with tc.load_tc() as specs:
        assert specs.Incoming.flags == 0
        specs.Incoming.flags |= rt.ProgramFlag.SLEEPABLE
        with pytest.raises(rt.LoadError, match="program incoming of tc"):
            specs.load()


def test_the_verifiers_log_can_be_asked_for(bpf: None, tc: ModuleType) -> None:
    with tc.load_tc() as specs:
        assert specs.Incoming.log_level == 0
        specs.Incoming.log_level = 4
        assert specs.Incoming.log_level == 4
        specs.load().close()


def test_a_target_that_is_not_there_names_those_that_are_close(bpf: None, tc: ModuleType) -> None:
    with tc.load_tc() as specs:
        specs.Incoming.type = rt.ProgramType.TRACING
        specs.Incoming.attach_type = rt.AttachType.TRACE_FENTRY
        with pytest.raises(rt.AttachError, match=r"no such function; close: .*do_sys_openat2"):
            specs.Incoming.set_attach_target("do_sys_openat3")
        specs.Incoming.set_attach_target("do_sys_openat2")


def test_an_interface_to_offload_to_has_to_be_there(xdp: ModuleType) -> None:
    with (
        xdp.load_xdp() as specs,
        pytest.raises(rt.BpfError, match="there is no such interface"),
    ):
        specs.DropFirst.offload_to("no-such-card")


@pytest.mark.skipif(not OLD, reason=f"libbpf {version()} knows all sections of tcx.c")
class TestSectionsOfANewerLibbpf:
    def test_loading_says_which_libbpf_knows_them(self, bpf: None, program_bindings: Path) -> None:
        tcx = importlib.import_module("tcx")
        with tcx.load_tcx() as specs:
            with pytest.raises(rt.NotSupportedError) as raised:
                specs.load()
            assert str(raised.value) == (
                f"can't load program incoming of tcx: libbpf {version()} does not know "
                "SEC('tcx/ingress'), which came with 1.3: install that or newer, or name one in "
                "$EBPFGEN_LIBBPF; or switch the program off (autoload = False)"
            )
            assert not specs.closed
            for name in ("Incoming", "IncomingToo", "Outgoing"):
                getattr(specs, name).autoload = False
            specs.load().close()

    def test_a_type_that_is_set_does_for_a_section(self, bpf: None, program_bindings: Path) -> None:
        tcx = importlib.import_module("tcx")
        with tcx.load_tcx() as specs:
            assert specs.Incoming.type is rt.ProgramType.UNSPEC
            for spec in (specs.Incoming, specs.IncomingToo, specs.Outgoing):
                spec.type = rt.ProgramType.SCHED_CLS
            specs.load().close()
