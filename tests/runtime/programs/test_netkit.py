"""Programs of a pair of netkit interfaces, one for each end."""

from typing import Any

import pytest

from ebpfgen import runtime as rt
from ebpfgen.runtime import kernel

from .conftest import Load, ip, need_kernel, need_libbpf
from .frames import all_ran, send

PRIMARY, PEER = range(2)


def need_netkit() -> None:
    need_libbpf("1.3", "netkit")
    need_kernel(kernel.too_old("netkit", 6, 7))


@pytest.fixture
def objs(network: None, load: Load) -> Any:
    need_netkit()
    if kernel.lacks_option("CONFIG_NETKIT"):
        need_kernel("this kernel is built without CONFIG_NETKIT")
    # An older ip(8) can't say more of it, so the kernel names the peer.
    ip("link", "add", "near", "type", "netkit")
    ip("link", "set", "nk0", "name", "far")
    for name in ("near", "far"):
        ip("link", "set", name, "up")
    return load("netkit")


def test_each_end_has_programs_attached_at_the_primary(objs: Any) -> None:
    with objs.Primary.attach("near") as link, objs.Peer.attach("near"):
        assert link.target == "near netkit primary"
        assert link.info.type is rt.LinkType.NETKIT
        send("near")
        send("far")
        assert all_ran(objs, PRIMARY, PEER)
    with pytest.raises(rt.AttachError, match="is the peer of a pair"):
        objs.Primary.attach("far")


@pytest.mark.usefixtures("network")
def test_what_is_no_netkit_interface_says_so(load: Load) -> None:
    need_netkit()
    objs = load("netkit")
    with pytest.raises(rt.AttachError, match=r"lo netkit primary: it is no netkit interface"):
        objs.Primary.attach("lo")
