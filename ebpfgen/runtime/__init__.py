"""What generated modules and the programs around them use, as ``rt``.

Nothing here imports the generator or its dependencies: this folder, the standard library and
``libbpf.so.1`` are all that a program needs in production.

A module is imported when one of its names is used: who counts calls in a hash map does not wait for
all other maps, programs and buffers. Type checkers read ``__init__.pyi``.
"""

import importlib as _importlib

_NAMES = {
    "codec": (
        "Buffer Codec WriteableBuffer array_of be bits chars enum exactly fit le named packed "
        "raw signed_bits until_nul"
    ),
    "collection": "Collection CollectionSpec read_object",
    "dtypes": "NDArray",
    "errors": (
        "AttachError BpfError LibraryError LoadError MapError NoVariantError "
        "NotSupportedError StateError UnsupportedObjectError"
    ),
    "eventpoll": "EventPoll",
    "events": "EventBuffer",
    "exit": "one_line_errors",
    "handle": "Group",
    "link": "Attachment Link Links open_pinned_link",
    "link_info": (
        "CgroupLinkInfo InterfaceLinkInfo IteratorLinkInfo LinkInfo LinkType ManyLinkInfo "
        "MapLinkInfo NetfilterLinkInfo NetnsLinkInfo PerfEventLinkInfo RawTracepointLinkInfo "
        "TracingLinkInfo"
    ),
    "loaded_program": "LoadedProgram PinnedProgram open_pinned_program",
    "maps.arena": "Arena arena",
    "maps.array": "ArrayMap array",
    "maps.base": "Map",
    "maps.constants": "BPF_ANY BPF_EXIST BPF_F_LOCK BPF_NOEXIST MapFlag MapType UpdateFlag",
    "maps.handles": (
        "CgroupArray ProgArray ReuseportSockArray SockHash SockMap XskMap cgroup_array "
        "prog_array reuseport_sockarray sockhash sockmap xskmap"
    ),
    "maps.hash": "HashMap IndexMap cgroup_storage cpumap devmap devmap_hash hash_map lru_hash",
    "maps.lpm": "LpmTrieMap lpm_trie",
    "maps.member": "MapMember untyped_map",
    "maps.nested": "ArrayOfMaps HashOfMaps OuterMember array_of_maps hash_of_maps",
    "maps.info": "MapInfo possible_cpus",
    "maps.percpu": (
        "PerCpuArrayMap PerCpuHashMap lru_percpu_hash percpu_array percpu_cgroup_storage "
        "percpu_hash"
    ),
    "maps.queue": "BloomFilter QueueMap bloom_filter queue stack",
    "maps.spec": "InnerMapSpec MapSpec map_spec",
    "maps.stacktrace": "StackTraceMap stack_trace",
    "maps.storage": (
        "CgroupStorage InodeStorage SkStorage TaskStorage cgrp_storage inode_storage "
        "sk_storage task_storage"
    ),
    "maps.structops": "StructOpsMap StructOpsState",
    "options": "OpenOptions",
    "perf": "PerfBuffer perf_buffer",
    "perf_events": "PerfType SoftwareEvent open_perf_event",
    "program_info": "ProgramInfo enable_stats",
    "program_types": "AttachType ProgramFlag ProgramType",
    "programs.base": "Program",
    "programs.cgroup": (
        "Cgroup CgroupSharing CgroupSkb LsmCgroup SockOps cgroup cgroup_skb lsm_cgroup sock_ops"
    ),
    "programs.generic": "OtherProgram program",
    "programs.iterator": "Iterator IteratorLink iterator",
    "programs.kprobe": (
        "Kprobe Kretprobe Kretsyscall Ksyscall kprobe kretprobe kretsyscall ksyscall"
    ),
    "programs.kprobe_multi": (
        "KprobeMulti KprobeSession KretprobeMulti kprobe_multi kprobe_session kretprobe_multi"
    ),
    "programs.netfilter": "Family Netfilter NetfilterHook netfilter",
    "programs.netns": "FlowDissector SkLookup flow_dissector sk_lookup",
    "programs.perf_event": "PerfEvent perf_event",
    "programs.socket": "SkReuseport SocketFilter sk_reuseport socket_filter",
    "programs.sockmap": "SkMsg SkSkb sk_msg sk_skb",
    "programs.spec": "ProgramSpec program_spec",
    "programs.struct_ops": "StructOps StructOpsLink struct_ops",
    "programs.tc": "Direction Netkit Tc TcFilter Tcx netkit tc tcx",
    "programs.tracepoint": "RawTracepoint Tracepoint raw_tracepoint tracepoint",
    "programs.tracing": (
        "Fentry Fexit FmodRet Freplace Lsm TpBtf Tracing fentry fexit fmod_ret freplace lsm tp_btf"
    ),
    "programs.uprobe": "Uprobe Uretprobe uprobe uretprobe",
    "programs.uprobe_multi": (
        "UprobeMulti UprobeSession UretprobeMulti uprobe_multi uprobe_session uretprobe_multi"
    ),
    "programs.usdt": "Usdt usdt",
    "programs.xdp": "Xdp XdpMode xdp",
    "records": (
        "DType FlexibleRecord Overlay Record Records Rows Values at bits_at dtype namer "
        "rest_bytes rest_of rest_text tail_of"
    ),
    "ringbuf": "RingBuffer ring_buffer",
    "rlimit": "remove_memlock",
    "testrun": "Context RunResult",
    "user_ringbuf": "UserRingBuffer user_ring_buffer",
    "variables": (
        "ArrayVariable Fields StructVariable Variable array_variable array_variable_spec "
        "struct_variable struct_variable_spec variable variable_spec"
    ),
    "variant": "Variant import_variant",
}
"""Every public name, by the module that defines it."""

_MODULES = {name: module for module, names in _NAMES.items() for name in names.split()}

__all__ = sorted(_MODULES)  # noqa: PLE0605 - __init__.pyi has them one by one


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(_importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES})
