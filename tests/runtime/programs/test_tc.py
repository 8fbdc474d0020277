"""Programs at traffic control: filters of clsact, and links (tcx) where the kernel has them."""

import ctypes
import errno
import os
import struct
import subprocess
from shutil import which
from typing import Any

import pytest

from ebpfgen import runtime as rt
from ebpfgen.runtime import kernel
from ebpfgen.runtime._libbpf.library import version

from .conftest import Load, need, need_kernel
from .frames import FRAMES, counted, send

INCOMING, OUTGOING = 2, 3
CAP_NET_ADMIN = 12
INGRESS, EGRESS = rt.Direction.INGRESS, rt.Direction.EGRESS


@pytest.fixture
def objs(veth: tuple[str, str], load: Load) -> Any:
    return load("tc")


def test_filters_see_what_comes_in_and_what_goes_out(objs: Any) -> None:
    with objs.Incoming.attach("right", INGRESS) as added, objs.Outgoing.attach("left", EGRESS):
        assert added.target == "right ingress"
        send("left")
        assert counted(lambda: int(objs.Counts.value[INCOMING]))
        assert counted(lambda: int(objs.Counts.value[OUTGOING]))
    send("left")
    assert objs.Counts.value[OUTGOING] == FRAMES, "ran after it was closed"


def test_the_kernel_gives_handle_and_priority(objs: Any) -> None:
    need("" if which("tc") else "tc is missing: apt install iproute2")
    with objs.Incoming.attach("right", INGRESS) as added:
        assert added.handle > 0
        assert added.priority > 0
        assert f"pref {added.priority}" in shown()
        assert "direct-action" in shown()
    assert "incoming" not in shown()


def test_the_lower_priority_runs_first(objs: Any) -> None:
    objs.Incoming.attach("right", INGRESS, priority=2)
    objs.Outgoing.attach("right", INGRESS, priority=1)
    send("left")
    assert counted(lambda: int(objs.Counts.value[INCOMING]))
    assert objs.Order.value[OUTGOING] < objs.Order.value[INCOMING]


def test_a_filter_that_is_there_is_replaced_when_asked_for(objs: Any) -> None:
    place = {"handle": 1, "priority": 1}
    objs.Incoming.attach("right", INGRESS, **place)
    with pytest.raises(rt.AttachError, match=r"right ingress: a filter with this handle.*EEXIST"):
        objs.Outgoing.attach("right", INGRESS, **place)
    objs.Outgoing.attach("right", INGRESS, **place, replace=True)
    send("left")
    assert counted(lambda: int(objs.Counts.value[OUTGOING]))
    assert objs.Counts.value[INCOMING] == 0


def test_a_missing_interface_names_those_that_are_close(objs: Any) -> None:
    with pytest.raises(rt.AttachError, match="close: right") as raised:
        objs.Incoming.attach("righd", INGRESS)
    assert raised.value.errno == errno.ENODEV


def test_closing_after_the_interface_is_gone_is_fine(objs: Any) -> None:
    added = objs.Incoming.attach("right", INGRESS)
    subprocess.run(["ip", "link", "delete", "left"], check=True)
    added.close()


def test_it_has_no_link_that_could_be_pinned(objs: Any) -> None:
    assert not isinstance(objs.Incoming.attach("right", INGRESS), rt.Link)


def test_tcx_is_a_link_without_a_queueing_discipline(objs: Any) -> None:
    need_kernel(kernel.too_old("tcx", 6, 6))
    objs.Incoming.attach_tcx("right", INGRESS)
    with objs.Outgoing.attach_tcx("right", INGRESS, first=True) as link:
        assert link.target == "right tcx ingress"
        info = link.info
        assert isinstance(info, rt.InterfaceLinkInfo)
        assert info.attach_type == rt.AttachType.TCX_INGRESS
        send("left")
        assert counted(lambda: int(objs.Counts.value[INCOMING]))
        assert objs.Order.value[OUTGOING] < objs.Order.value[INCOMING]


def test_an_old_libbpf_is_named_for_a_place_beside_another(objs: Any) -> None:
    if tuple(map(int, version().split("."))) >= (1, 3):
        pytest.skip(f"libbpf {version()} can do this; test_tcx.py does it")
    need_kernel(kernel.too_old("tcx", 6, 6))
    link = objs.Incoming.attach_tcx("right", INGRESS)
    with pytest.raises(rt.NotSupportedError, match=r"libbpf 1\.\d lacks .*install libbpf 1\.3"):
        objs.Outgoing.attach_tcx("right", INGRESS, before=link)


def test_a_missing_capability_is_named(objs: Any) -> None:
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        drop(CAP_NET_ADMIN)
        try:
            objs.Incoming.attach("right", INGRESS)
        except rt.AttachError as error:
            os.write(write, str(error).encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(write)
    with os.fdopen(read) as said:
        assert said.read() == (
            "can't attach incoming to interface right ingress: this process lacks CAP_NET_ADMIN: "
            "run it as root (sudo) (EPERM)"
        )


def drop(capability: int) -> None:
    """Take a capability from this process: capget(2), capset(2)."""
    header = struct.pack("=Ii", 0x20080522, 0)
    data = ctypes.create_string_buffer(24)
    libc = ctypes.CDLL(None)
    assert libc.capget(header, data) == 0
    words = list(struct.unpack("=6I", data))
    words[0] &= ~(1 << capability)  # of those in effect, the lower 32
    assert libc.capset(header, struct.pack("=6I", *words)) == 0


def test_two_places_at_once_are_refused(objs: Any) -> None:
    with pytest.raises(ValueError, match="one of before, after and first"):
        objs.Outgoing.attach_tcx("right", INGRESS, before=objs.Incoming, first=True)


def shown() -> str:
    """Return what tc(8) says of the filters on what comes in."""
    command = ["tc", "filter", "show", "dev", "right", "ingress"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
