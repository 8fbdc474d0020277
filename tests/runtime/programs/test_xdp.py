"""XDP programs see frames before the stack does, by link or without, in each mode there is."""

import errno
import subprocess
from typing import Any

import pytest

from ebpfgen import runtime as rt

from .conftest import Load
from .frames import FRAMES, counted, received, send

FIRST, SECOND = 0, 1


@pytest.fixture
def objs(veth: tuple[str, str], load: Load) -> Any:
    return load("xdp")


def test_it_drops_frames_for_as_long_as_its_link_is_open(objs: Any) -> None:
    with objs.DropFirst.attach("right") as link:
        assert link.target == "right"
        assert received("right", lambda: send("left")) == 0
        assert counted(lambda: int(objs.Counts.value[FIRST]))
    assert received("right", lambda: send("left")) == FRAMES
    assert objs.Counts.value[FIRST] == FRAMES


@pytest.mark.parametrize("mode", [rt.XdpMode.GENERIC, rt.XdpMode.NATIVE])
def test_it_runs_in_the_mode_that_is_asked_for(objs: Any, mode: rt.XdpMode) -> None:
    with objs.DropFirst.attach("right", mode=mode):
        assert ("xdpgeneric" in shown("right")) is (mode is rt.XdpMode.GENERIC)
        send("left")
        assert counted(lambda: int(objs.Counts.value[FIRST]))
    assert "xdp" not in shown("right")


def test_an_interface_can_be_named_by_its_index(objs: Any) -> None:
    import socket

    with objs.DropFirst.attach(socket.if_nametoindex("right")) as link:
        assert link.target == "right"
        info = link.info
        assert isinstance(info, rt.InterfaceLinkInfo)
        assert (info.type, info.interface) == (rt.LinkType.XDP, socket.if_nametoindex("right"))


def test_another_program_takes_its_place_in_the_link(objs: Any) -> None:
    with objs.DropFirst.attach("right") as link:
        link.update(objs.DropSecond)
        assert link.program == "drop_second"
        send("left")
        assert counted(lambda: int(objs.Counts.value[SECOND]))
    assert objs.Counts.value[FIRST] == 0


def test_a_link_can_be_detached_and_closed_afterwards(objs: Any) -> None:
    with objs.DropFirst.attach("right") as link:
        link.detach()
        assert "xdp" not in shown("right")
        assert link.info.interface == 0


def test_without_a_link_it_stays_until_it_is_closed(objs: Any) -> None:
    attached = objs.DropFirst.attach_without_link("right")
    assert "xdp" in shown("right")
    with pytest.raises(rt.AttachError, match="has an XDP program already"):
        objs.DropSecond.attach_without_link("right")
    attached.close()
    attached.close()
    assert "xdp" not in shown("right")


def test_a_replaced_program_does_not_detach_its_successor(objs: Any) -> None:
    first = objs.DropFirst.attach_without_link("right")
    with objs.DropSecond.attach_without_link("right", replace=True):
        with pytest.raises(rt.BpfError, match="can't detach drop_first on right"):
            first.close()
        send("left")
        assert counted(lambda: int(objs.Counts.value[SECOND]))


def test_closing_after_the_interface_is_gone_is_fine(objs: Any) -> None:
    link = objs.DropFirst.attach("right")
    attached = objs.DropSecond.attach_without_link("left")
    subprocess.run(["ip", "link", "delete", "left"], check=True)
    attached.close()
    link.close()


def test_its_errors_say_what_is_there(objs: Any) -> None:
    with pytest.raises(rt.AttachError, match=r"interface rigth: .*; close: right") as raised:
        objs.DropFirst.attach("rigth")
    assert raised.value.errno == errno.ENODEV
    with pytest.raises(rt.AttachError, match=r"interface 4711: .*there are lo \(1\), "):
        objs.DropFirst.attach(4711)
    with (
        objs.DropFirst.attach("right"),
        pytest.raises(
            rt.AttachError, match=r"drop_second to interface right: it has an XDP.*EBUSY"
        ),
    ):
        objs.DropSecond.attach("right")
    with pytest.raises(rt.AttachError, match="its card takes no programs, or this was not loaded"):
        objs.DropFirst.attach("right", mode=rt.XdpMode.HARDWARE)


def test_a_program_of_a_maps_entry_says_where_it_goes(load: Load) -> None:
    objs = load("xdp_devmap")
    with pytest.raises(rt.NotSupportedError, match="put its fd into the value of a devmap"):
        objs.Redirected.attach()


def shown(interface: str) -> str:
    """Return what ip(8) says of an interface."""
    command = ["ip", "link", "show", "dev", interface]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
