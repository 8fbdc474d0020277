"""What needs libbpf 1.3: test_newer_libbpf.py runs these tests in a process that has one."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ebpfgen import runtime as rt
from ebpfgen.runtime import kernel
from ebpfgen.runtime._libbpf.library import version

from .conftest import Load, eventually, ip, need
from .frames import FRAMES, send

INCOMING, INCOMING_TOO, OUTGOING, ENTERED, RETURNED, FILTERED, PRIMARY, PEER = range(8)
NETWORK = ("Incoming", "IncomingToo", "Outgoing")
USER = ("Entered", "Returned")
TIMES = 3


def only(*names: str) -> Any:
    """Switch off all programs but these."""

    def switch_off(specs: Any) -> None:
        for name in (*NETWORK, *USER, "Filtered", "Primary", "Peer"):
            getattr(specs, name).autoload = name in names

    return switch_off


def runs(objs: Any, *places: int) -> bool:
    """Wait until the programs of these places have seen at least our frames."""
    return eventually(lambda: all(objs.Counts.value[place] >= FRAMES for place in places))


def test_this_libbpf_is_newer() -> None:
    assert tuple(map(int, version().split("."))) >= (1, 3)


class TestTcx:
    @pytest.fixture
    def objs(self, veth: tuple[str, str], load: Load) -> Any:
        need(kernel.too_old("tcx", 6, 6))
        return load("newer", only(*NETWORK))

    def test_it_runs_as_its_section_says(self, objs: Any) -> None:
        with objs.Incoming.attach("right") as link, objs.Outgoing.attach("left") as out:
            assert (link.target, out.target) == ("right tcx ingress", "left tcx egress")
            send("left")
            assert runs(objs, INCOMING, OUTGOING)
            assert link.info.attach_type == rt.AttachType.TCX_INGRESS
            assert link.info.type is rt.LinkType.TCX

    @pytest.mark.parametrize("by", ["link", "program", "id"])
    @pytest.mark.parametrize("where", ["before", "after"])
    def test_it_runs_beside_another(self, objs: Any, where: str, by: str) -> None:
        link = objs.Incoming.attach("right")
        anchor = {"link": link, "program": objs.Incoming, "id": link.info.program_id}[by]
        objs.IncomingToo.attach("right", **{where: anchor})
        send("left")
        assert runs(objs, INCOMING, INCOMING_TOO)
        before = objs.Order.value[INCOMING_TOO] < objs.Order.value[INCOMING]
        assert before is (where == "before")

    def test_it_runs_first_or_last_of_all(self, objs: Any) -> None:
        objs.Incoming.attach("right")
        objs.IncomingToo.attach("right", first=True)
        send("left")
        assert runs(objs, INCOMING, INCOMING_TOO)
        assert objs.Order.value[INCOMING_TOO] < objs.Order.value[INCOMING]

    def test_another_that_is_not_there_is_an_error(self, objs: Any) -> None:
        with pytest.raises(rt.AttachError, match="the other program is not attached there"):
            objs.Incoming.attach("right", before=objs.IncomingToo)

    def test_the_program_in_a_link_is_replaced(self, objs: Any) -> None:
        with objs.Incoming.attach("right") as link:
            link.update(objs.IncomingToo)
            send("left")
            assert runs(objs, INCOMING_TOO)
            assert objs.Counts.value[INCOMING] == 0


class TestUprobeMulti:
    @pytest.fixture
    def objs(self, load: Load) -> Any:
        need(kernel.too_old("a uprobe of many", 6, 6))
        return load("newer", only(*USER))

    @staticmethod
    def run(victim: Path) -> None:
        subprocess.run([victim, str(TIMES)], check=True, capture_output=True)

    def test_it_runs_at_all_functions_that_fit(self, objs: Any, victim: Path) -> None:
        with objs.Entered.attach(victim, "work*") as link:
            self.run(victim)
            assert objs.Counts.value[ENTERED] == 2 * TIMES
            info = link.info
            assert isinstance(info, rt.ManyLinkInfo)
            assert (info.type, info.count) == (rt.LinkType.UPROBE_MULTI, 2)
        self.run(victim)
        assert objs.Counts.value[ENTERED] == 2 * TIMES, "ran after its link was closed"

    def test_it_runs_at_each_of_a_list_with_its_cookie(self, objs: Any, victim: Path) -> None:
        with objs.Entered.attach(victim, ["work", "work_again"], cookies=[1, 100]):
            self.run(victim)
        assert objs.CookieSum.value == 101 * TIMES

    def test_it_runs_at_their_return(self, objs: Any, victim: Path) -> None:
        with objs.Returned.attach(victim, ["work"]) as link:
            self.run(victim)
            assert link.info.flags == 1
        assert objs.Counts.value[RETURNED] == TIMES

    def test_it_runs_in_one_process_only(self, objs: Any, victim: Path) -> None:
        with objs.Entered.attach(victim, "work", pid=os.getpid()):
            self.run(victim)
        assert objs.Counts.value[ENTERED] == 0

    def test_a_missing_function_names_those_that_are_close(self, objs: Any, victim: Path) -> None:
        with pytest.raises(rt.AttachError, match=r"has no function work_agian.*close: work_again"):
            objs.Entered.attach(victim, ["work", "work_agian"])
        with pytest.raises(rt.AttachError, match="pass a pattern or the functions"):
            objs.Entered.attach(victim)


class TestNetfilter:
    @pytest.fixture
    def objs(self, network: None, load: Load) -> Any:
        need(kernel.too_old("netfilter programs", 6, 4))
        return load("newer", only("Filtered"))

    def test_it_sees_packets_at_its_hook(self, objs: Any) -> None:
        hook = (rt.Family.IPV4, rt.NetfilterHook.LOCAL_OUT)
        with objs.Filtered.attach(*hook, priority=10) as link:
            datagram()
            assert objs.Counts.value[FILTERED] == 1
            info = link.info
            assert isinstance(info, rt.NetfilterLinkInfo)
            assert (info.family, info.hook, info.priority) == (2, 3, 10)
            with pytest.raises(rt.AttachError, match="this priority has a program already"):
                objs.Filtered.attach(*hook, priority=10)
        datagram()
        assert objs.Counts.value[FILTERED] == 1


class TestNetkit:
    @pytest.fixture
    def objs(self, network: None, load: Load) -> Any:
        need(kernel.too_old("netkit", 6, 7))
        if kernel.lacks_option("CONFIG_NETKIT"):
            pytest.skip("this kernel is built without CONFIG_NETKIT; tests/vm has one with it")
        # An older ip(8) can't say more of it, so the kernel names the peer.
        ip("link", "add", "near", "type", "netkit")
        ip("link", "set", "nk0", "name", "far")
        for name in ("near", "far"):
            ip("link", "set", name, "up")
        return load("newer", only("Primary", "Peer"))

    def test_each_end_has_programs_attached_at_the_primary(self, objs: Any) -> None:
        with objs.Primary.attach("near") as link, objs.Peer.attach("near"):
            assert link.target == "near netkit primary"
            assert link.info.type is rt.LinkType.NETKIT
            send("near")
            send("far")
            assert runs(objs, PRIMARY, PEER)
        with pytest.raises(rt.AttachError, match="is the peer of a pair"):
            objs.Primary.attach("far")


@pytest.mark.usefixtures("network")
def test_what_is_no_netkit_interface_says_so(load: Load) -> None:
    need(kernel.too_old("netkit", 6, 7))
    objs = load("newer", only("Primary"))
    with pytest.raises(rt.AttachError, match=r"lo netkit primary: it is no netkit interface"):
        objs.Primary.attach("lo")


def test_a_raw_tracepoint_has_a_cookie(load: Load) -> None:
    need(kernel.too_old("a cookie of raw tracepoints", 6, 10))
    need("" if tuple(map(int, version().split("."))) >= (1, 4) else "libbpf 1.4 has these cookies")
    objs = load("probes")
    for program in (objs.OnAnyCall, objs.OnAnyCallTyped):
        program.attach(cookie=6).close()


def datagram() -> None:
    import socket

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.bind(("127.0.0.1", 0))
        made.sendto(b"x", made.getsockname())
