"""How a generated module declares a map of each ``BPF_MAP_TYPE_*``."""

from typing import NamedTuple


class MapKind(NamedTuple):
    """How maps of a type are declared: by *factory*, with codecs of key and value if it takes them.

    One that *has_inner* also takes the declaration of the maps it holds.
    """

    factory: str
    has_key: bool = False
    has_value: bool = False
    has_inner: bool = False


UNTYPED = MapKind("untyped_map")
"""For types that are newer than this list, and maps that lack the types their kind needs."""


def _keyed(factory: str) -> MapKind:
    return MapKind(factory, has_key=True, has_value=True)


def _valued(factory: str) -> MapKind:
    return MapKind(factory, has_value=True)


# By the numbers of include/uapi/linux/bpf.h. Maps of events (4, 27 and 31) are not in it.
_KINDS = {
    1: _keyed("hash_map"),
    2: _valued("array"),
    3: MapKind("prog_array"),
    5: _keyed("percpu_hash"),
    6: _valued("percpu_array"),
    7: MapKind("stack_trace"),
    8: MapKind("cgroup_array"),
    9: _keyed("lru_hash"),
    10: _keyed("lru_percpu_hash"),
    11: _keyed("lpm_trie"),
    12: MapKind("array_of_maps", has_inner=True),
    13: MapKind("hash_of_maps", has_key=True, has_inner=True),
    14: _valued("devmap"),
    15: MapKind("sockmap"),
    16: _valued("cpumap"),
    17: MapKind("xskmap"),
    18: MapKind("sockhash", has_key=True),
    19: _keyed("cgroup_storage"),
    20: MapKind("reuseport_sockarray"),
    21: _keyed("percpu_cgroup_storage"),
    22: _valued("queue"),
    23: _valued("stack"),
    24: _valued("sk_storage"),
    25: _keyed("devmap_hash"),
    26: MapKind("struct_ops"),
    28: _valued("inode_storage"),
    29: _valued("task_storage"),
    30: _valued("bloom_filter"),
    32: _valued("cgrp_storage"),
    33: MapKind("arena"),
}


def kind_of(map_type: int, *, has_key: bool, has_value: bool) -> MapKind:
    """Return how a map is declared, given what its definition has."""
    kind = _KINDS.get(map_type, UNTYPED)
    lacks = (kind.has_key and not has_key) or (kind.has_value and not has_value)
    return UNTYPED if lacks else kind
