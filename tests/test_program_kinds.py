"""Every section that libbpf knows has a class of the runtime, and no other section does."""

import ctypes
import inspect

import pytest

from ebpfgen import runtime as rt
from ebpfgen.program_kinds import EXACT, WITH_TARGET, factory_of
from ebpfgen.runtime._libbpf.library import library

SECTIONS = {
    "kprobe/sys_execve": "kprobe",
    "kprobe": "kprobe",
    "?kprobe/sys_execve": "kprobe",
    "kretprobe/sys_execve": "kretprobe",
    "kprobe.multi/tcp_*": "kprobe_multi",
    "kprobe.multi": "kprobe_multi",
    "uprobe.s//bin/bash:readline": "uprobe",
    "usdt/libc.so.6:libc:setjmp": "usdt",
    "tp/syscalls/sys_enter_execve": "tracepoint",
    "?tp/a/b": "tracepoint",
    "raw_tp.w/bpf_test": "raw_tracepoint",
    "tp_btf/sched_switch": "tp_btf",
    "fentry.s/do_unlinkat": "fentry",
    "lsm/file_open": "lsm",
    "lsm_cgroup/socket_post_create": "lsm_cgroup",
    "iter.s/task": "iterator",
    "xdp": "xdp",
    "xdp.frags": "xdp",
    "xdp/devmap": "program",
    "tc": "tc",
    "tcx/ingress": "tcx",
    "cgroup/skb": "cgroup_skb",
    "cgroup_skb/ingress": "cgroup",
    "cgroup/connect_unix": "cgroup",
    "struct_ops.s/init": "program",
    "syscall": "program",
}

UNKNOWN = ["kprobes/x", "kprobe.multis", "xdp/eth0", "xdp_drop", "tcx", "maps", "cgroup/", "?"]

# Beginnings of the sections that came after libbpf 1.1.
NEWER = (
    *("netfilter", "netkit/", "sk_skb/verdict", "struct_ops.s", "tc/", "tcx/", "usdt.s"),
    *("uprobe.multi", "uretprobe.multi", "kprobe.session", "uprobe.session"),
    *(f"cgroup/{call}_unix" for call in ("connect", "sendmsg", "recvmsg")),
    *(f"cgroup/{call}_unix" for call in ("getpeername", "getsockname")),
)


@pytest.mark.parametrize(("section", "factory"), SECTIONS.items())
def test_a_section_has_the_class_of_its_kind(section: str, factory: str) -> None:
    assert factory_of(section) == factory


@pytest.mark.parametrize("section", UNKNOWN)
def test_a_section_that_libbpf_does_not_know_has_no_class_of_its_own(section: str) -> None:
    assert factory_of(section) == "program"
    assert not known_to_libbpf(section)


@pytest.mark.parametrize("section", [*EXACT, *WITH_TARGET, *(f"{s}/x" for s in WITH_TARGET)])
def test_every_section_of_the_table_is_one_of_libbpf(section: str) -> None:
    assert known_to_libbpf(section) or section.startswith(NEWER)


@pytest.mark.parametrize("factory", sorted({*EXACT.values(), *WITH_TARGET.values()}))
def test_every_class_says_how_it_is_attached(factory: str) -> None:
    member = getattr(rt, factory)("name")
    kind = member._make
    assert issubclass(kind, rt.Program)
    assert inspect.getdoc(kind)
    assert (inspect.getdoc(kind.attach) or "").count("\n") >= 2, "says what it takes and raises"


def known_to_libbpf(section: str) -> bool:
    number, attach_type = ctypes.c_int(), ctypes.c_int()
    find = library().libbpf_prog_type_by_name
    found: int = find(section.encode(), ctypes.byref(number), ctypes.byref(attach_type))
    return found == 0
