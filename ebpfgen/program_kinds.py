"""Which class of the runtime a program is, by its ``SEC()``.

What sections there are is what libbpf's ``section_defs`` says (``libbpf.c``, up to version 1.6). A
section fits an entry as in its ``sec_def_matches``: as it stands, or, for the kinds that name their
target in it, up to the first slash.
"""

_CGROUP_SOCKET_ADDRESS = [
    f"cgroup/{call}{family}"
    for call in ("connect", "sendmsg", "recvmsg", "getpeername", "getsockname")
    for family in ("4", "6", "_unix")
]

EXACT = {
    "action": "program",
    "cgroup/bind4": "cgroup",
    "cgroup/bind6": "cgroup",
    "cgroup/dev": "cgroup",
    "cgroup/getsockopt": "cgroup",
    "cgroup/post_bind4": "cgroup",
    "cgroup/post_bind6": "cgroup",
    "cgroup/setsockopt": "cgroup",
    "cgroup/skb": "cgroup_skb",
    "cgroup/sock": "cgroup",
    "cgroup/sock_create": "cgroup",
    "cgroup/sock_release": "cgroup",
    "cgroup/sysctl": "cgroup",
    "cgroup_skb/egress": "cgroup",
    "cgroup_skb/ingress": "cgroup",
    "classifier": "tc",
    "flow_dissector": "flow_dissector",
    "lirc_mode2": "program",
    "lwt_in": "program",
    "lwt_out": "program",
    "lwt_seg6local": "program",
    "lwt_xmit": "program",
    "netfilter": "netfilter",
    "netkit/peer": "netkit",
    "netkit/primary": "netkit",
    "perf_event": "perf_event",
    "sk_lookup": "sk_lookup",
    "sk_msg": "sk_msg",
    "sk_reuseport": "sk_reuseport",
    "sk_reuseport/migrate": "sk_reuseport",
    "sk_skb": "sk_skb",
    "sk_skb/stream_parser": "sk_skb",
    "sk_skb/stream_verdict": "sk_skb",
    "sk_skb/verdict": "sk_skb",
    "socket": "socket_filter",
    "sockops": "sock_ops",
    "syscall": "program",
    "tc": "tc",
    "tc/egress": "tcx",
    "tc/ingress": "tcx",
    "tcx/egress": "tcx",
    "tcx/ingress": "tcx",
    "xdp": "xdp",
    "xdp.frags": "xdp",
    "xdp.frags/cpumap": "program",
    "xdp.frags/devmap": "program",
    "xdp/cpumap": "program",
    "xdp/devmap": "program",
    **dict.fromkeys(_CGROUP_SOCKET_ADDRESS, "cgroup"),
}
"""Sections that stand for themselves, and the runtime's function for each."""

WITH_TARGET = {
    "fentry": "fentry",
    "fentry.s": "fentry",
    "fexit": "fexit",
    "fexit.s": "fexit",
    "fmod_ret": "fmod_ret",
    "fmod_ret.s": "fmod_ret",
    "freplace": "freplace",
    "iter": "iterator",
    "iter.s": "iterator",
    "kprobe": "kprobe",
    "kprobe.multi": "kprobe_multi",
    "kprobe.session": "kprobe_session",
    "kretprobe": "kretprobe",
    "kretprobe.multi": "kretprobe_multi",
    "kretsyscall": "kretsyscall",
    "ksyscall": "ksyscall",
    "lsm": "lsm",
    "lsm.s": "lsm",
    "lsm_cgroup": "lsm_cgroup",
    "raw_tp": "raw_tracepoint",
    "raw_tp.w": "raw_tracepoint",
    "raw_tracepoint": "raw_tracepoint",
    "raw_tracepoint.w": "raw_tracepoint",
    "struct_ops": "program",
    "struct_ops.s": "program",
    "tp": "tracepoint",
    "tp_btf": "tp_btf",
    "tracepoint": "tracepoint",
    "uprobe": "uprobe",
    "uprobe.multi": "uprobe_multi",
    "uprobe.multi.s": "uprobe_multi",
    "uprobe.s": "uprobe",
    "uprobe.session": "uprobe_session",
    "uprobe.session.s": "uprobe_session",
    "uretprobe": "uretprobe",
    "uretprobe.multi": "uretprobe_multi",
    "uretprobe.multi.s": "uretprobe_multi",
    "uretprobe.s": "uretprobe",
    "usdt": "usdt",
    "usdt.s": "usdt",
}
"""Sections that may go on with a slash and a target."""

_OTHER = "program"


def factory_of(section: str) -> str:
    """Return the runtime's function that declares a program of this section.

    A question mark in front only says that libbpf shall not load the program by itself.
    """
    name = section.removeprefix("?")
    if name in EXACT:
        return EXACT[name]
    return WITH_TARGET.get(name.partition("/")[0], _OTHER)
