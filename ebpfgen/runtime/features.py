"""Which Linux brought what BPF offers, and what else of the kernel and the process it takes.

Numbers and names are those of ``include/uapi/linux/bpf.h``. Versions are of the first release that
has the feature. Options of the kernel's configuration are those around the type in
``include/linux/bpf_types.h``, capabilities those that ``kernel/bpf/syscall.c`` asks for beside
``CAP_BPF``. Distributions carry features back, so what a version lacks may be there all the same.
"""

import os
import re
from bisect import bisect_left
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ebpfgen.runtime import kernel

Version = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Feature:
    """Something that kernels have since a version. ``name`` is the kernel's own."""

    name: str
    since: Version
    configs: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()


# By number from 1: name, version, CONFIG_ options, capabilities.
_MAP_TYPES = """
hash 3.19
array 3.19
prog_array 4.2
perf_event_array 4.3 PERF_EVENTS
percpu_hash 4.6
percpu_array 4.6
stack_trace 4.6 PERF_EVENTS
cgroup_array 4.8 CGROUPS
lru_hash 4.10
lru_percpu_hash 4.10
lpm_trie 4.11
array_of_maps 4.12
hash_of_maps 4.12
devmap 4.14 NET NET_ADMIN
sockmap 4.14 NET NET_ADMIN
cpumap 4.15 NET
xskmap 4.18 XDP_SOCKETS NET_ADMIN
sockhash 4.18 NET NET_ADMIN
cgroup_storage 4.19 CGROUP_BPF
reuseport_sockarray 4.19 INET
percpu_cgroup_storage 4.20 CGROUP_BPF
queue 4.20
stack 4.20
sk_storage 5.2 NET
devmap_hash 5.4 NET NET_ADMIN
struct_ops 5.6 BPF_JIT,DEBUG_INFO_BTF
ringbuf 5.8
inode_storage 5.10 BPF_LSM
task_storage 5.11
bloom_filter 5.16
user_ringbuf 6.1
cgrp_storage 6.2 CGROUPS
arena 6.9 BPF_JIT
"""

_PROGRAM_TYPES = """
socket_filter 3.19 NET
kprobe 4.1 BPF_EVENTS PERFMON
sched_cls 4.1 NET NET_ADMIN
sched_act 4.1 NET NET_ADMIN
tracepoint 4.7 BPF_EVENTS PERFMON
xdp 4.8 NET NET_ADMIN
perf_event 4.9 BPF_EVENTS PERFMON
cgroup_skb 4.10 NET
cgroup_sock 4.10 NET NET_ADMIN
lwt_in 4.10 NET NET_ADMIN
lwt_out 4.10 NET NET_ADMIN
lwt_xmit 4.10 NET NET_ADMIN
sock_ops 4.13 NET NET_ADMIN
sk_skb 4.14 NET NET_ADMIN
cgroup_device 4.15 CGROUP_BPF NET_ADMIN
sk_msg 4.17 NET NET_ADMIN
raw_tracepoint 4.17 BPF_EVENTS PERFMON
cgroup_sock_addr 4.17 NET NET_ADMIN
lwt_seg6local 4.18 NET NET_ADMIN
lirc_mode2 4.18 BPF_LIRC_MODE2
sk_reuseport 4.19 INET
flow_dissector 4.20 NET NET_ADMIN
cgroup_sysctl 5.2 CGROUP_BPF NET_ADMIN
raw_tracepoint_writable 5.2 BPF_EVENTS PERFMON
cgroup_sockopt 5.3 CGROUP_BPF NET_ADMIN
tracing 5.5 BPF_EVENTS,DEBUG_INFO_BTF PERFMON
struct_ops 5.6 BPF_JIT,DEBUG_INFO_BTF PERFMON
ext 5.6 BPF_JIT,DEBUG_INFO_BTF NET_ADMIN,PERFMON
lsm 5.7 BPF_LSM,DEBUG_INFO_BTF PERFMON
sk_lookup 5.9 NET,INET
syscall 5.14
netfilter 6.4 NETFILTER_BPF_LINK NET_ADMIN
"""

# By number from 1, as ___BPF_FUNC_MAPPER lists them; since 6.2 there are kfuncs instead.
_HELPERS = """
map_lookup_elem map_update_elem map_delete_elem probe_read ktime_get_ns trace_printk get_prandom_u32
get_smp_processor_id skb_store_bytes l3_csum_replace l4_csum_replace tail_call clone_redirect
get_current_pid_tgid get_current_uid_gid get_current_comm get_cgroup_classid skb_vlan_push
skb_vlan_pop skb_get_tunnel_key skb_set_tunnel_key perf_event_read redirect get_route_realm
perf_event_output skb_load_bytes get_stackid csum_diff skb_get_tunnel_opt skb_set_tunnel_opt
skb_change_proto skb_change_type skb_under_cgroup get_hash_recalc get_current_task probe_write_user
current_task_under_cgroup skb_change_tail skb_pull_data csum_update set_hash_invalid
get_numa_node_id skb_change_head xdp_adjust_head probe_read_str get_socket_cookie get_socket_uid
set_hash setsockopt skb_adjust_room redirect_map sk_redirect_map sock_map_update xdp_adjust_meta
perf_event_read_value perf_prog_read_value getsockopt override_return sock_ops_cb_flags_set
msg_redirect_map msg_apply_bytes msg_cork_bytes msg_pull_data bind xdp_adjust_tail
skb_get_xfrm_state get_stack skb_load_bytes_relative fib_lookup sock_hash_update msg_redirect_hash
sk_redirect_hash lwt_push_encap lwt_seg6_store_bytes lwt_seg6_adjust_srh lwt_seg6_action rc_repeat
rc_keydown skb_cgroup_id get_current_cgroup_id get_local_storage sk_select_reuseport
skb_ancestor_cgroup_id sk_lookup_tcp sk_lookup_udp sk_release map_push_elem map_pop_elem
map_peek_elem msg_push_data msg_pop_data rc_pointer_rel spin_lock spin_unlock sk_fullsock tcp_sock
skb_ecn_set_ce get_listener_sock skc_lookup_tcp tcp_check_syncookie sysctl_get_name
sysctl_get_current_value sysctl_get_new_value sysctl_set_new_value strtol strtoul sk_storage_get
sk_storage_delete send_signal tcp_gen_syncookie skb_output probe_read_user probe_read_kernel
probe_read_user_str probe_read_kernel_str tcp_send_ack send_signal_thread jiffies64
read_branch_records get_ns_current_pid_tgid xdp_output get_netns_cookie
get_current_ancestor_cgroup_id sk_assign ktime_get_boot_ns seq_printf seq_write sk_cgroup_id
sk_ancestor_cgroup_id ringbuf_output ringbuf_reserve ringbuf_submit ringbuf_discard ringbuf_query
csum_level skc_to_tcp6_sock skc_to_tcp_sock skc_to_tcp_timewait_sock skc_to_tcp_request_sock
skc_to_udp6_sock get_task_stack load_hdr_opt store_hdr_opt reserve_hdr_opt inode_storage_get
inode_storage_delete d_path copy_from_user snprintf_btf seq_printf_btf skb_cgroup_classid
redirect_neigh per_cpu_ptr this_cpu_ptr redirect_peer task_storage_get task_storage_delete
get_current_task_btf bprm_opts_set ktime_get_coarse_ns ima_inode_hash sock_from_file check_mtu
for_each_map_elem snprintf sys_bpf btf_find_by_name_kind sys_close timer_init timer_set_callback
timer_start timer_cancel get_func_ip get_attach_cookie task_pt_regs get_branch_snapshot
trace_vprintk skc_to_unix_sock kallsyms_lookup_name find_vma loop strncmp get_func_arg get_func_ret
get_func_arg_cnt get_retval set_retval xdp_get_buff_len xdp_load_bytes xdp_store_bytes
copy_from_user_task skb_set_tstamp ima_file_hash kptr_xchg map_lookup_percpu_elem skc_to_mptcp_sock
dynptr_from_mem ringbuf_reserve_dynptr ringbuf_submit_dynptr ringbuf_discard_dynptr dynptr_read
dynptr_write dynptr_data tcp_raw_gen_syncookie_ipv4 tcp_raw_gen_syncookie_ipv6
tcp_raw_check_syncookie_ipv4 tcp_raw_check_syncookie_ipv6 ktime_get_tai_ns user_ringbuf_drain
cgrp_storage_get cgrp_storage_delete
"""

# Version, and the highest number of a helper that it has.
_LAST_HELPER = """
3.19 3 4.1 11 4.2 16 4.3 22 4.4 25 4.5 26 4.6 30 4.8 36 4.9 41 4.10 44 4.11 45 4.12 47 4.13 50
4.14 53 4.15 57 4.16 59 4.17 64 4.18 80 4.19 83 4.20 90 5.0 92 5.1 98 5.2 108 5.3 109 5.4 110
5.5 115 5.6 118 5.7 124 5.8 135 5.9 141 5.10 155 5.11 162 5.12 163 5.13 165 5.14 168 5.15 175
5.16 179 5.17 185 5.18 193 5.19 203 6.0 207 6.1 209 6.2 211
"""


def map_type(number: int) -> Feature | None:
    """Return what is known of a ``BPF_MAP_TYPE_*``; None for one that is newer than this table."""
    return _numbered(_MAP_TYPES, "BPF_MAP_TYPE_").get(number)


def program_type(number: int) -> Feature | None:
    """Return what is known of a ``BPF_PROG_TYPE_*``; None for one newer than this table."""
    return _numbered(_PROGRAM_TYPES, "BPF_PROG_TYPE_").get(number)


def helper(number: int) -> Feature | None:
    """Return what is known of a helper function by its ``BPF_FUNC_*`` number, None if nothing."""
    names = _HELPERS.split()
    if not 0 < number <= len(names):
        return None
    fields = _LAST_HELPER.split()
    last = [int(count) for count in fields[1::2]]
    since = fields[::2][bisect_left(last, number)]
    return Feature(f"bpf_{names[number - 1]}", _version(since))


def why_lacking(feature: Feature) -> str:
    """Say why this kernel has not got a feature; empty if by its version and options it has."""
    if kernel.release() < feature.since:
        major, minor = feature.since
        return f"that came with Linux {major}.{minor}, and this is {os.uname().release}"
    states = {option: config(option) for option in feature.configs}
    off = [option for option, state in states.items() if state == "n"]
    if off:
        return f"it was built without {kernel.listed(off)}"
    unknown = [option for option, state in states.items() if state is None]
    return f"it takes one built with {kernel.listed(unknown)}" if unknown else ""


def config(option: str) -> str | None:
    """Return what the kernel was built with: ``y``, ``m``, ``n`` or a value; None if it won't say.

    *option* begins with ``CONFIG_``.
    """
    known = _configuration()
    return known.get(option, "n") if known else None


@cache
def _numbered(table: str, prefix: str) -> dict[int, Feature]:
    lines = (line.split() for line in table.split("\n")[1:-1])
    return {
        number: Feature(
            prefix + name.upper(),
            _version(since),
            tuple(f"CONFIG_{option}" for option in needs[0].split(",")) if needs else (),
            tuple(f"CAP_{capability}" for capability in needs[1].split(",")) if needs[1:] else (),
        )
        for number, (name, since, *needs) in enumerate(lines, 1)
    }


def _version(text: str) -> Version:
    major, minor = text.split(".")
    return int(major), int(minor)


@cache
def _configuration() -> dict[str, str]:
    release_ = os.uname().release
    places = (
        Path("/proc/config.gz"),
        Path(f"/boot/config-{release_}"),
        Path(f"/lib/modules/{release_}/config"),
    )
    for place in places:
        try:
            data = place.read_bytes()
        except OSError:
            continue
        if place.suffix == ".gz":
            import gzip

            data = gzip.decompress(data)
        return dict(re.findall(r"^(CONFIG_\w+)=(.*)$", data.decode(), re.MULTILINE))
    return {}
