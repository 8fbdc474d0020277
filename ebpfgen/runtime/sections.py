"""Sections of programs that came with a version of libbpf."""

from ebpfgen.runtime._libbpf.library import version

_SINCE = {
    "netfilter": "1.3",
    "netkit/": "1.3",
    "tc/": "1.3",
    "tcx/": "1.3",
    "uprobe.multi": "1.3",
    "uretprobe.multi": "1.3",
    "kprobe.session": "1.5",
    "uprobe.session": "1.6",
}


def unknown(section: str) -> str:
    """Say what to do about a ``SEC()`` that this libbpf does not know."""
    reason = f"libbpf {version()} does not know SEC({section!r})"
    for beginning, since in _SINCE.items():
        if section.startswith(beginning):
            return (
                f"{reason}, which came with {since}: install that or newer, or name one in "
                "$EBPFGEN_LIBBPF; or switch the program off (autoload = False)"
            )
    return (
        f"{reason}: correct it, set the spec's type and attach_type, or switch the program off "
        "(autoload = False)"
    )
