"""What the kernel says of a link: ``struct bpf_link_info`` of include/uapi/linux/bpf.h."""

import ctypes
import struct
from enum import IntEnum
from types import SimpleNamespace

from ebpfgen.runtime._libbpf import links as _links
from ebpfgen.runtime.program_types import AttachType, named

_SIZE = 88
_TEXT = 4096
_UNION = 16  # where what differs by type begins


class LinkType(IntEnum):
    """``enum bpf_link_type``."""

    UNSPEC = 0
    RAW_TRACEPOINT = 1
    TRACING = 2
    CGROUP = 3
    ITER = 4
    NETNS = 5
    XDP = 6
    PERF_EVENT = 7
    KPROBE_MULTI = 8
    STRUCT_OPS = 9
    NETFILTER = 10
    TCX = 11
    UPROBE_MULTI = 12
    NETKIT = 13
    SOCKMAP = 14


class LinkInfo(SimpleNamespace):
    """A link, as the kernel knows it.

    ``type`` is a :class:`LinkType`, or a number that came later. ``program_id`` is 0 where the
    program is gone. Kinds that have more to say have a class of their own.
    """

    type: LinkType | int
    id: int
    program_id: int


class RawTracepointLinkInfo(LinkInfo):
    """A raw tracepoint; the kernel tells the cookie since 6.18, 0 before."""

    name: str
    cookie: int


class TracingLinkInfo(LinkInfo):
    """What is attached to a function: ids of the object with its BTF, and of its type there."""

    attach_type: int
    target_object_id: int
    target_btf_id: int
    cookie: int


class CgroupLinkInfo(LinkInfo):
    """A cgroup, by its inode number."""

    cgroup_id: int
    attach_type: int


class IteratorLinkInfo(LinkInfo):
    """What is iterated over, such as ``task``; ``map_id`` is 0 for all but iterators of a map."""

    name: str
    map_id: int


class NetnsLinkInfo(LinkInfo):
    """A network namespace, by its inode number."""

    netns: int
    attach_type: int


class InterfaceLinkInfo(LinkInfo):
    """XDP, tcx and netkit: the index of the interface, 0 once it is gone."""

    interface: int
    attach_type: int = AttachType.XDP


class MapLinkInfo(LinkInfo):
    """struct_ops and sockmaps: the id of the map."""

    map_id: int
    attach_type: int = AttachType.STRUCT_OPS


class NetfilterLinkInfo(LinkInfo):
    """A hook of netfilter."""

    family: int
    hook: int
    priority: int
    flags: int


class ManyLinkInfo(LinkInfo):
    """Many kprobes or uprobes: how many, and the kernel's flags (1: at their return)."""

    count: int
    flags: int


class PerfEventLinkInfo(LinkInfo):
    """A probe or another perf event; the kernel tells more than the type since 6.6.

    ``event`` is ``enum bpf_perf_event_type``: 1 uprobe, 2 uretprobe, 3 kprobe, 4 kretprobe,
    5 tracepoint, 6 other. ``name`` is that of the file, function or tracepoint, ``offset`` in bytes
    from its start.
    """

    event: int
    name: str
    offset: int


def read_link_info(descriptor: int) -> LinkInfo:
    """Ask the kernel about the link of a descriptor. Raises CallError."""
    buffer = (ctypes.c_char * _SIZE)()
    _links.read_info(descriptor, buffer)
    number, identity, program = struct.unpack_from("=III", buffer)
    kind, layout, names = _LAYOUTS.get(number, (LinkInfo, "", ()))
    values = dict(zip(names, struct.unpack_from(f"={layout}", buffer, _UNION), strict=True))
    return kind(
        type=named(LinkType, number),
        id=identity,
        program_id=program,
        **values,
        **_text_of(number, values.get("event", 0), descriptor),
    )


def _text_of(number: int, event: int, descriptor: int) -> dict[str, str]:
    """Return the name that some kinds have; the kernel reads its address and size in the union."""
    if number == LinkType.PERF_EVENT:
        return {"name": _text(descriptor, _UNION + 8) if event in _NAMED_EVENTS else ""}
    if number in (LinkType.RAW_TRACEPOINT, LinkType.ITER):
        return {"name": _text(descriptor, _UNION)}
    return {}


def _text(descriptor: int, place: int) -> str:
    text = ctypes.create_string_buffer(_TEXT)
    buffer = (ctypes.c_char * _SIZE)()
    struct.pack_into("=QI", buffer, place, ctypes.addressof(text), _TEXT)
    _links.read_info(descriptor, buffer)
    return text.value.decode(errors="replace")


_NAMED_EVENTS = range(1, 6)
_INTERFACE = ("II", ("interface", "attach_type"))
_MAP = ("II", ("map_id", "attach_type"))

_LAYOUTS: dict[int, tuple[type[LinkInfo], str, tuple[str, ...]]] = {
    LinkType.RAW_TRACEPOINT: (RawTracepointLinkInfo, "16xQ", ("cookie",)),
    LinkType.TRACING: (
        TracingLinkInfo,
        "III4xQ",
        ("attach_type", "target_object_id", "target_btf_id", "cookie"),
    ),
    LinkType.CGROUP: (CgroupLinkInfo, "QI", ("cgroup_id", "attach_type")),
    LinkType.ITER: (IteratorLinkInfo, "12xI", ("map_id",)),
    LinkType.NETNS: (NetnsLinkInfo, "II", ("netns", "attach_type")),
    LinkType.XDP: (InterfaceLinkInfo, "I", ("interface",)),
    LinkType.PERF_EVENT: (PerfEventLinkInfo, "I16xI", ("event", "offset")),
    LinkType.KPROBE_MULTI: (ManyLinkInfo, "8xII", ("count", "flags")),
    LinkType.STRUCT_OPS: (MapLinkInfo, "I", ("map_id",)),
    LinkType.NETFILTER: (NetfilterLinkInfo, "IIiI", ("family", "hook", "priority", "flags")),
    LinkType.TCX: (InterfaceLinkInfo, *_INTERFACE),
    LinkType.UPROBE_MULTI: (ManyLinkInfo, "36xII", ("count", "flags")),
    LinkType.NETKIT: (InterfaceLinkInfo, *_INTERFACE),
    LinkType.SOCKMAP: (MapLinkInfo, *_MAP),
}
