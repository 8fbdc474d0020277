"""The public names of the runtime, for type checkers; ``__init__.py`` says where they are."""

from ebpfgen.runtime.codec import (
    Buffer as Buffer,
    Codec as Codec,
    WriteableBuffer as WriteableBuffer,
    array_of as array_of,
    be as be,
    bits as bits,
    chars as chars,
    enum as enum,
    exactly as exactly,
    fit as fit,
    le as le,
    named as named,
    packed as packed,
    raw as raw,
    signed_bits as signed_bits,
    until_nul as until_nul,
)
from ebpfgen.runtime.collection import (
    Collection as Collection,
    CollectionSpec as CollectionSpec,
    read_object as read_object,
)
from ebpfgen.runtime.dtypes import NDArray as NDArray
from ebpfgen.runtime.errors import (
    AttachError as AttachError,
    BpfError as BpfError,
    LibraryError as LibraryError,
    LoadError as LoadError,
    MapError as MapError,
    NotSupportedError as NotSupportedError,
    NoVariantError as NoVariantError,
    StateError as StateError,
    UnsupportedObjectError as UnsupportedObjectError,
)
from ebpfgen.runtime.eventpoll import EventPoll as EventPoll
from ebpfgen.runtime.events import EventBuffer as EventBuffer
from ebpfgen.runtime.exit import one_line_errors as one_line_errors
from ebpfgen.runtime.handle import Group as Group
from ebpfgen.runtime.link import (
    Attachment as Attachment,
    Link as Link,
    Links as Links,
    open_pinned_link as open_pinned_link,
)
from ebpfgen.runtime.link_info import (
    CgroupLinkInfo as CgroupLinkInfo,
    InterfaceLinkInfo as InterfaceLinkInfo,
    IteratorLinkInfo as IteratorLinkInfo,
    LinkInfo as LinkInfo,
    LinkType as LinkType,
    ManyLinkInfo as ManyLinkInfo,
    MapLinkInfo as MapLinkInfo,
    NetfilterLinkInfo as NetfilterLinkInfo,
    NetnsLinkInfo as NetnsLinkInfo,
    PerfEventLinkInfo as PerfEventLinkInfo,
    RawTracepointLinkInfo as RawTracepointLinkInfo,
    TracingLinkInfo as TracingLinkInfo,
)
from ebpfgen.runtime.loaded_program import (
    LoadedProgram as LoadedProgram,
    PinnedProgram as PinnedProgram,
    open_pinned_program as open_pinned_program,
)
from ebpfgen.runtime.maps.arena import Arena as Arena, arena as arena
from ebpfgen.runtime.maps.array import ArrayMap as ArrayMap, array as array
from ebpfgen.runtime.maps.base import Map as Map
from ebpfgen.runtime.maps.constants import (
    BPF_ANY as BPF_ANY,
    BPF_EXIST as BPF_EXIST,
    BPF_F_LOCK as BPF_F_LOCK,
    BPF_NOEXIST as BPF_NOEXIST,
    MapFlag as MapFlag,
    MapType as MapType,
    UpdateFlag as UpdateFlag,
)
from ebpfgen.runtime.maps.handles import (
    CgroupArray as CgroupArray,
    ProgArray as ProgArray,
    ReuseportSockArray as ReuseportSockArray,
    SockHash as SockHash,
    SockMap as SockMap,
    XskMap as XskMap,
    cgroup_array as cgroup_array,
    prog_array as prog_array,
    reuseport_sockarray as reuseport_sockarray,
    sockhash as sockhash,
    sockmap as sockmap,
    xskmap as xskmap,
)
from ebpfgen.runtime.maps.hash import (
    HashMap as HashMap,
    IndexMap as IndexMap,
    cgroup_storage as cgroup_storage,
    cpumap as cpumap,
    devmap as devmap,
    devmap_hash as devmap_hash,
    hash_map as hash_map,
    lru_hash as lru_hash,
)
from ebpfgen.runtime.maps.info import MapInfo as MapInfo, possible_cpus as possible_cpus
from ebpfgen.runtime.maps.lpm import LpmTrieMap as LpmTrieMap, lpm_trie as lpm_trie
from ebpfgen.runtime.maps.member import MapMember as MapMember, untyped_map as untyped_map
from ebpfgen.runtime.maps.nested import (
    ArrayOfMaps as ArrayOfMaps,
    HashOfMaps as HashOfMaps,
    OuterMember as OuterMember,
    array_of_maps as array_of_maps,
    hash_of_maps as hash_of_maps,
)
from ebpfgen.runtime.maps.percpu import (
    PerCpuArrayMap as PerCpuArrayMap,
    PerCpuHashMap as PerCpuHashMap,
    lru_percpu_hash as lru_percpu_hash,
    percpu_array as percpu_array,
    percpu_cgroup_storage as percpu_cgroup_storage,
    percpu_hash as percpu_hash,
)
from ebpfgen.runtime.maps.queue import (
    BloomFilter as BloomFilter,
    QueueMap as QueueMap,
    bloom_filter as bloom_filter,
    queue as queue,
    stack as stack,
)
from ebpfgen.runtime.maps.spec import (
    InnerMapSpec as InnerMapSpec,
    MapSpec as MapSpec,
    map_spec as map_spec,
)
from ebpfgen.runtime.maps.stacktrace import (
    StackTraceMap as StackTraceMap,
    stack_trace as stack_trace,
)
from ebpfgen.runtime.maps.storage import (
    CgroupStorage as CgroupStorage,
    InodeStorage as InodeStorage,
    SkStorage as SkStorage,
    TaskStorage as TaskStorage,
    cgrp_storage as cgrp_storage,
    inode_storage as inode_storage,
    sk_storage as sk_storage,
    task_storage as task_storage,
)
from ebpfgen.runtime.maps.structops import (
    StructOpsMap as StructOpsMap,
    StructOpsState as StructOpsState,
)
from ebpfgen.runtime.options import OpenOptions as OpenOptions
from ebpfgen.runtime.perf import PerfBuffer as PerfBuffer, perf_buffer as perf_buffer
from ebpfgen.runtime.perf_events import (
    PerfType as PerfType,
    SoftwareEvent as SoftwareEvent,
    open_perf_event as open_perf_event,
)
from ebpfgen.runtime.program_info import ProgramInfo as ProgramInfo, enable_stats as enable_stats
from ebpfgen.runtime.program_types import (
    AttachType as AttachType,
    ProgramFlag as ProgramFlag,
    ProgramType as ProgramType,
)
from ebpfgen.runtime.programs.base import Program as Program
from ebpfgen.runtime.programs.cgroup import (
    Cgroup as Cgroup,
    CgroupSharing as CgroupSharing,
    CgroupSkb as CgroupSkb,
    LsmCgroup as LsmCgroup,
    SockOps as SockOps,
    cgroup as cgroup,
    cgroup_skb as cgroup_skb,
    lsm_cgroup as lsm_cgroup,
    sock_ops as sock_ops,
)
from ebpfgen.runtime.programs.generic import OtherProgram as OtherProgram, program as program
from ebpfgen.runtime.programs.iterator import (
    Iterator as Iterator,
    IteratorLink as IteratorLink,
    iterator as iterator,
)
from ebpfgen.runtime.programs.kprobe import (
    Kprobe as Kprobe,
    Kretprobe as Kretprobe,
    Kretsyscall as Kretsyscall,
    Ksyscall as Ksyscall,
    kprobe as kprobe,
    kretprobe as kretprobe,
    kretsyscall as kretsyscall,
    ksyscall as ksyscall,
)
from ebpfgen.runtime.programs.kprobe_multi import (
    KprobeMulti as KprobeMulti,
    KprobeSession as KprobeSession,
    KretprobeMulti as KretprobeMulti,
    kprobe_multi as kprobe_multi,
    kprobe_session as kprobe_session,
    kretprobe_multi as kretprobe_multi,
)
from ebpfgen.runtime.programs.netfilter import (
    Family as Family,
    Netfilter as Netfilter,
    NetfilterHook as NetfilterHook,
    netfilter as netfilter,
)
from ebpfgen.runtime.programs.netns import (
    FlowDissector as FlowDissector,
    SkLookup as SkLookup,
    flow_dissector as flow_dissector,
    sk_lookup as sk_lookup,
)
from ebpfgen.runtime.programs.perf_event import PerfEvent as PerfEvent, perf_event as perf_event
from ebpfgen.runtime.programs.socket import (
    SkReuseport as SkReuseport,
    SocketFilter as SocketFilter,
    sk_reuseport as sk_reuseport,
    socket_filter as socket_filter,
)
from ebpfgen.runtime.programs.sockmap import (
    SkMsg as SkMsg,
    SkSkb as SkSkb,
    sk_msg as sk_msg,
    sk_skb as sk_skb,
)
from ebpfgen.runtime.programs.spec import ProgramSpec as ProgramSpec, program_spec as program_spec
from ebpfgen.runtime.programs.struct_ops import (
    StructOps as StructOps,
    StructOpsLink as StructOpsLink,
    struct_ops as struct_ops,
)
from ebpfgen.runtime.programs.tc import (
    Direction as Direction,
    Netkit as Netkit,
    Tc as Tc,
    TcFilter as TcFilter,
    Tcx as Tcx,
    netkit as netkit,
    tc as tc,
    tcx as tcx,
)
from ebpfgen.runtime.programs.tracepoint import (
    RawTracepoint as RawTracepoint,
    Tracepoint as Tracepoint,
    raw_tracepoint as raw_tracepoint,
    tracepoint as tracepoint,
)
from ebpfgen.runtime.programs.tracing import (
    Fentry as Fentry,
    Fexit as Fexit,
    FmodRet as FmodRet,
    Freplace as Freplace,
    Lsm as Lsm,
    TpBtf as TpBtf,
    Tracing as Tracing,
    fentry as fentry,
    fexit as fexit,
    fmod_ret as fmod_ret,
    freplace as freplace,
    lsm as lsm,
    tp_btf as tp_btf,
)
from ebpfgen.runtime.programs.uprobe import (
    Uprobe as Uprobe,
    Uretprobe as Uretprobe,
    uprobe as uprobe,
    uretprobe as uretprobe,
)
from ebpfgen.runtime.programs.uprobe_multi import (
    UprobeMulti as UprobeMulti,
    UprobeSession as UprobeSession,
    UretprobeMulti as UretprobeMulti,
    uprobe_multi as uprobe_multi,
    uprobe_session as uprobe_session,
    uretprobe_multi as uretprobe_multi,
)
from ebpfgen.runtime.programs.usdt import Usdt as Usdt, usdt as usdt
from ebpfgen.runtime.programs.xdp import Xdp as Xdp, XdpMode as XdpMode, xdp as xdp
from ebpfgen.runtime.records import (
    DType as DType,
    FlexibleRecord as FlexibleRecord,
    Overlay as Overlay,
    Record as Record,
    Records as Records,
    Rows as Rows,
    Values as Values,
    at as at,
    bits_at as bits_at,
    dtype as dtype,
    namer as namer,
    rest_bytes as rest_bytes,
    rest_of as rest_of,
    rest_text as rest_text,
    tail_of as tail_of,
)
from ebpfgen.runtime.ringbuf import RingBuffer as RingBuffer, ring_buffer as ring_buffer
from ebpfgen.runtime.rlimit import remove_memlock as remove_memlock
from ebpfgen.runtime.testrun import Context as Context, RunResult as RunResult
from ebpfgen.runtime.user_ringbuf import (
    UserRingBuffer as UserRingBuffer,
    user_ring_buffer as user_ring_buffer,
)
from ebpfgen.runtime.variables import (
    ArrayVariable as ArrayVariable,
    Fields as Fields,
    StructVariable as StructVariable,
    Variable as Variable,
    array_variable as array_variable,
    array_variable_spec as array_variable_spec,
    struct_variable as struct_variable,
    struct_variable_spec as struct_variable_spec,
    variable as variable,
    variable_spec as variable_spec,
)
from ebpfgen.runtime.variant import Variant as Variant, import_variant as import_variant
