"""Programs at traffic control that are links (tcx) run in the order that is asked for."""

from typing import Any

import pytest

from ebpfgen import runtime as rt
from ebpfgen.runtime import kernel

from .conftest import Load, need_kernel, need_libbpf
from .frames import all_ran, send

INCOMING, INCOMING_TOO, OUTGOING = range(3)


@pytest.fixture
def objs(veth: tuple[str, str], load: Load) -> Any:
    need_libbpf("1.3", "tcx")
    need_kernel(kernel.too_old("tcx", 6, 6))
    return load("tcx")


def test_it_runs_as_its_section_says(objs: Any) -> None:
    with objs.Incoming.attach("right") as link, objs.Outgoing.attach("left") as out:
        assert (link.target, out.target) == ("right tcx ingress", "left tcx egress")
        send("left")
        assert all_ran(objs, INCOMING, OUTGOING)
        assert link.info.attach_type == rt.AttachType.TCX_INGRESS
        assert link.info.type is rt.LinkType.TCX


@pytest.mark.parametrize("by", ["link", "program", "id"])
@pytest.mark.parametrize("where", ["before", "after"])
def test_it_runs_beside_another(objs: Any, where: str, by: str) -> None:
    link = objs.Incoming.attach("right")
    anchor = {"link": link, "program": objs.Incoming, "id": link.info.program_id}[by]
    objs.IncomingToo.attach("right", **{where: anchor})
    send("left")
    assert all_ran(objs, INCOMING, INCOMING_TOO)
    before = objs.Order.value[INCOMING_TOO] < objs.Order.value[INCOMING]
    assert before is (where == "before")


def test_it_runs_first_or_last_of_all(objs: Any) -> None:
    objs.Incoming.attach("right")
    objs.IncomingToo.attach("right", first=True)
    send("left")
    assert all_ran(objs, INCOMING, INCOMING_TOO)
    assert objs.Order.value[INCOMING_TOO] < objs.Order.value[INCOMING]


def test_another_that_is_not_there_is_an_error(objs: Any) -> None:
    with pytest.raises(rt.AttachError, match="the other program is not attached there"):
        objs.Incoming.attach("right", before=objs.IncomingToo)


def test_the_program_in_a_link_is_replaced(objs: Any) -> None:
    with objs.Incoming.attach("right") as link:
        link.update(objs.IncomingToo)
        send("left")
        assert all_ran(objs, INCOMING_TOO)
        assert objs.Counts.value[INCOMING] == 0
