"""What generated modules and the programs around them use, as ``rt``.

Nothing here imports the generator or its dependencies: this folder, the standard library and
``libbpf.so.1`` are all that a program needs in production.
"""

from ebpfgen.runtime.codec import (
    Buffer,
    Codec,
    WriteableBuffer,
    array_of,
    be,
    chars,
    exactly,
    fit,
    le,
    raw,
    until_nul,
)
from ebpfgen.runtime.collection import Collection, CollectionSpec, Group, read_object
from ebpfgen.runtime.errors import (
    AttachError,
    BpfError,
    LibraryError,
    LoadError,
    MapError,
    NotSupportedError,
    NoVariantError,
    StateError,
)
from ebpfgen.runtime.exit import one_line_errors
from ebpfgen.runtime.link import Link
from ebpfgen.runtime.maps import (
    ArrayMap,
    HashMap,
    Map,
    MapSpec,
    array,
    hash_map,
    map_spec,
    untyped_map,
)
from ebpfgen.runtime.programs import (
    Kprobe,
    Kretprobe,
    Program,
    ProgramSpec,
    Tracepoint,
    kprobe,
    kretprobe,
    program,
    program_spec,
    tracepoint,
)
from ebpfgen.runtime.rlimit import remove_memlock
from ebpfgen.runtime.variant import Variant, import_variant

__all__ = [
    "ArrayMap",
    "AttachError",
    "BpfError",
    "Buffer",
    "Codec",
    "Collection",
    "CollectionSpec",
    "Group",
    "HashMap",
    "Kprobe",
    "Kretprobe",
    "LibraryError",
    "Link",
    "LoadError",
    "Map",
    "MapError",
    "MapSpec",
    "NoVariantError",
    "NotSupportedError",
    "Program",
    "ProgramSpec",
    "StateError",
    "Tracepoint",
    "Variant",
    "WriteableBuffer",
    "array",
    "array_of",
    "be",
    "chars",
    "exactly",
    "fit",
    "hash_map",
    "import_variant",
    "kprobe",
    "kretprobe",
    "le",
    "map_spec",
    "one_line_errors",
    "program",
    "program_spec",
    "raw",
    "read_object",
    "remove_memlock",
    "tracepoint",
    "until_nul",
    "untyped_map",
]
