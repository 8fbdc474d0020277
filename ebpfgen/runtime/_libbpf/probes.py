"""What the running kernel supports, found out by trying: ``libbpf_probe_*()``."""

from ebpfgen.runtime._libbpf.library import INT, UINT, VOID_P, declare, library

declare(
    {
        "libbpf_probe_bpf_map_type": (INT, [UINT, VOID_P]),
        "libbpf_probe_bpf_prog_type": (INT, [UINT, VOID_P]),
    }
)


def has_map_type(number: int) -> bool | None:
    """Return whether maps of this type can be created; None where that can't be found out."""
    return _answer(library().libbpf_probe_bpf_map_type(number, None))


def has_program_type(number: int) -> bool | None:
    """Return whether programs of this type can be loaded; None where that can't be found out."""
    return _answer(library().libbpf_probe_bpf_prog_type(number, None))


def _answer(result: int) -> bool | None:
    return None if result < 0 else bool(result)
