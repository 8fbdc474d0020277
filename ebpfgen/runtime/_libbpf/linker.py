"""``struct bpf_linker``: several objects become one. What ebpfgen itself uses, not programs."""

from collections.abc import Sequence
from pathlib import Path

from ebpfgen.runtime._libbpf.library import (
    CHAR_P,
    INT,
    VOID_P,
    captured_log,
    check,
    declare,
    library,
    pointer,
    text,
)

declare(
    {
        "bpf_linker__new": (VOID_P, [CHAR_P, VOID_P]),
        "bpf_linker__add_file": (INT, [VOID_P, CHAR_P, VOID_P]),
        "bpf_linker__finalize": (INT, [VOID_P]),
        "bpf_linker__free": (None, [VOID_P]),
    }
)


def link_files(files: Sequence[Path], output: Path) -> None:
    """Link object files into one. Raises CallError with what libbpf said."""
    with captured_log() as log:
        linker = pointer(library().bpf_linker__new(text(output), None), log)
        try:
            for file in files:
                check(library().bpf_linker__add_file(linker, text(file), None), log)
            check(library().bpf_linker__finalize(linker), log)
        finally:
            library().bpf_linker__free(linker)
