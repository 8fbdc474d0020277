"""Links: programs attached to something in the kernel."""

import os
from typing import Self

from ebpfgen.runtime._libbpf import links as _links


class Link:
    """A program attached to ``target``; closing it, or leaving its ``with`` block, detaches it.

    A forked child leaves its parent's links alone: destroying one there would stop the parent's
    program.
    """

    def __init__(self, handle: int, program: str, target: str) -> None:
        self._handle: int | None = handle
        self._owner = os.getpid()
        self.program = program
        self.target = target

    def __repr__(self) -> str:
        state = "closed" if self.closed else "open"
        return f"<Link {self.program} on {self.target}, {state}>"

    @property
    def closed(self) -> bool:
        """Whether the program is detached."""
        return self._handle is None

    def close(self) -> None:
        """Detach the program. Closing twice does nothing."""
        handle, self._handle = self._handle, None
        if handle is not None and os.getpid() == self._owner:
            _links.destroy(handle)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
