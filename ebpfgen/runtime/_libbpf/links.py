"""``struct bpf_link``."""

from ebpfgen.runtime._libbpf.library import INT, VOID_P, check, declare, library

declare(
    {
        "bpf_link__destroy": (INT, [VOID_P]),
    }
)


def destroy(link: int) -> None:
    """Detach a link, unless it is pinned, and free it."""
    check(library().bpf_link__destroy(link))
