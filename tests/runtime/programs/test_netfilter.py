"""Programs of netfilter see packets at its hooks."""

import socket
from typing import Any

import pytest

from ebpfgen import runtime as rt
from ebpfgen.runtime import kernel

from .conftest import Load, need_kernel, need_libbpf


@pytest.fixture
def objs(network: None, load: Load) -> Any:
    need_libbpf("1.3", "netfilter programs")
    need_kernel(kernel.too_old("netfilter programs", 6, 4))
    return load("netfilter")


def test_it_sees_packets_at_its_hook(objs: Any) -> None:
    hook = (rt.Family.IPV4, rt.NetfilterHook.LOCAL_OUT)
    with objs.Filtered.attach(*hook, priority=10) as link:
        datagram()
        assert objs.Counts.value[0] == 1
        info = link.info
        assert isinstance(info, rt.NetfilterLinkInfo)
        assert (info.family, info.hook, info.priority) == (2, 3, 10)
        with pytest.raises(rt.AttachError, match="this priority has a program already"):
            objs.Filtered.attach(*hook, priority=10)
    datagram()
    assert objs.Counts.value[0] == 1


def datagram() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.bind(("127.0.0.1", 0))
        made.sendto(b"x", made.getsockname())
