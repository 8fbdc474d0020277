"""``struct bpf_link``, and the kernel's links by descriptor."""

import ctypes

from ebpfgen.runtime._libbpf.library import (
    INT,
    SIZE_T,
    UINT,
    VOID_P,
    Struct,
    captured_log,
    check,
    declare,
    fitting,
    library,
    newer,
)

declare(
    {
        "bpf_link__destroy": (INT, [VOID_P]),
        "bpf_link__fd": (INT, [VOID_P]),
        "bpf_link_create": (INT, [INT, INT, INT, VOID_P]),
        "bpf_link_detach": (INT, [INT]),
        "bpf_link_update": (INT, [INT, INT, VOID_P]),
        "bpf_iter_create": (INT, [INT]),
        "bpf_obj_get_info_by_fd": (INT, [INT, VOID_P, VOID_P]),
        "bpf_prog_attach": (INT, [INT, INT, INT, UINT]),
        "bpf_prog_detach2": (INT, [INT, INT, INT]),
    }
)
declare({"bpf_link__update_map": (INT, [VOID_P, VOID_P])}, since="1.2")

# Only to ask whether bpf_link_create() takes the place among others: it came with this function.
declare({"bpf_program__attach_tcx": (VOID_P, [VOID_P, INT, VOID_P])}, since="1.3")


class _CreateOptions(Struct):
    """``struct bpf_link_create_opts``, with that of its union which tcx and netkit use."""

    _fields_ = (
        ("sz", SIZE_T),
        ("flags", UINT),
        ("iter_info", VOID_P),
        ("iter_info_len", UINT),
        ("target_btf_id", UINT),
        ("relative_fd", UINT),
        ("relative_id", UINT),
        ("expected_revision", ctypes.c_uint64),
    )


def destroy(link: int) -> None:
    """Detach a link, unless it is pinned, and free it."""
    check(library().bpf_link__destroy(link))


def fd(link: int) -> int:
    """Return the descriptor of a link."""
    return check(library().bpf_link__fd(link))


def create(program: int, target: int, attach_type: int, *, flags: int = 0) -> int:
    """Link a program, by its descriptor, to a target; returns the descriptor of the link.

    The target is a descriptor or an interface's index, as the attach type has it.
    """
    return _create(program, target, attach_type, _CreateOptions(flags=flags))


def create_relative(
    program: int,
    target: int,
    attach_type: int,
    *,
    flags: int,
    relative_fd: int = 0,
    relative_id: int = 0,
    expected_revision: int = 0,
) -> int:
    """Link a program to an interface, at its place among others; needs libbpf 1.3 or newer."""
    newer("bpf_program__attach_tcx")
    options = _CreateOptions(
        flags=flags,
        relative_fd=relative_fd,
        relative_id=relative_id,
        expected_revision=expected_revision,
    )
    return _create(program, target, attach_type, options)


def _create(program: int, target: int, attach_type: int, options: _CreateOptions) -> int:
    options.sz = ctypes.sizeof(options)
    with captured_log() as log:
        target = fitting(target, INT, "target")
        call = library().bpf_link_create
        return check(call(program, target, attach_type, ctypes.byref(options)), log)


def detach(link: int) -> None:
    """Detach what a link attaches, and leave the link without it."""
    check(library().bpf_link_detach(link))


def update(link: int, program: int) -> None:
    """Put another program, by its descriptor, into a link."""
    check(library().bpf_link_update(link, program, None))


def update_map(link: int, bpf_map: int) -> None:
    """Put another struct_ops map into a link; both are handles."""
    call = newer("bpf_link__update_map")
    with captured_log() as log:
        check(call(link, bpf_map), log)


def create_iterator(link: int) -> int:
    """Return a descriptor that reads once what the iterator of a link writes."""
    return check(library().bpf_iter_create(link))


def read_info(descriptor: int, info: "ctypes.Array[ctypes.c_char]") -> int:
    """Have the kernel write what it knows of an object into *info*; returns how many bytes."""
    size = UINT(len(info))
    check(library().bpf_obj_get_info_by_fd(descriptor, info, ctypes.byref(size)))
    return size.value


def attach_program(program: int, target: int, attach_type: int, flags: int) -> None:
    """Attach a program without a link: it stays until it is detached. All are descriptors."""
    flags, target = fitting(flags, UINT, "flags"), fitting(target, INT, "target")
    check(library().bpf_prog_attach(program, target, attach_type, flags))


def detach_program(program: int, target: int, attach_type: int) -> None:
    """Detach a program that was attached without a link."""
    check(library().bpf_prog_detach2(program, target, attach_type))
