"""Programs attached to something in the kernel.

::

    Attachment          attached until it is closed
    └── Link            one that the kernel knows as a BPF link: can be pinned, updated, asked
    Links               several, closed as one
"""

import errno
import os
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from typing import NamedTuple, Protocol, Self, TypeVar, overload

from ebpfgen.runtime import kernel, pinning
from ebpfgen.runtime._libbpf import links as _links
from ebpfgen.runtime._libbpf.library import CallError
from ebpfgen.runtime.descriptor import held_fd
from ebpfgen.runtime.errors import BpfError, NotSupportedError, StateError
from ebpfgen.runtime.lifetime import Once, Owner, close_when_dropped
from ebpfgen.runtime.link_info import LinkInfo, read_link_info

LinkT = TypeVar("LinkT", bound="Link")

# What is gone with the interface, cgroup or socket that it was attached to.
_GONE = (errno.ENODEV, errno.ENOENT, errno.EBADF)


class HasDescriptor(Protocol):
    """A program or map: something with a name and a file descriptor."""

    name: str

    @property
    def fd(self) -> int:
        """The file descriptor, which stays its owner's."""


class Attachment:
    """A program attached to ``target``; closing it, or leaving its ``with`` block, detaches it.

    It is closed with its objects, if it was not before. A forked child leaves its parent's alone:
    detaching there would stop the parent's program.
    """

    holds: Owner | None = None
    """The object that the program is of, which lives as long as this does."""

    def __init__(self, program: str, target: str, detach: Callable[[], None]) -> None:
        self.release = detach if isinstance(detach, Once) else Once(detach)
        self._closed = False
        self._process = os.getpid()
        # A signal handler may come here while the thread that it interrupts is in here.
        self._lock = threading.RLock()
        self._uses = 0
        self._finalizer: weakref.finalize[..., object] | None = None
        self.program = program
        self.target = target

    def __repr__(self) -> str:
        state = "closed" if self.closed else "open"
        return f"<{type(self).__name__} {self.program} on {self.target}, {state}>"

    @property
    def closed(self) -> bool:
        """Whether the program is detached."""
        return self._closed

    def close(self) -> None:
        """Detach the program. Closing twice does nothing.

        Raises BpfError if the kernel refuses; a target that is gone has nothing attached any more.
        """
        if os.getpid() != self._process:
            self._closed = True
            return
        with self._lock:
            if self._closed:
                return
            self._closed = True
            if self._finalizer:
                self._finalizer.detach()
            if not self._uses:
                self._detach()

    def _detach(self) -> None:
        try:
            self.release()
        except (CallError, OSError) as error:
            if error.errno not in _GONE:
                raise self._error(error, "detach") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _error(self, error: CallError | OSError, action: str, reason: str = "") -> BpfError:
        number = error.errno or errno.EIO
        name = kernel.errno_name(number)
        reason = reason or kernel.errno_text(number)
        message = f"can't {action} {self.program} on {self.target}: {reason} ({name})"
        if number in (errno.EOPNOTSUPP, errno.ENOSYS):
            return NotSupportedError(number, message)
        return BpfError(number, message)


class Link(Attachment):
    """A program attached by a BPF link of the kernel.

    The kernel detaches it when the last descriptor of the link is closed, so at the end of the
    process at the latest, unless it is pinned.
    """

    def __init__(
        self, program: str, target: str, detach: Callable[[], None], descriptor: int | None
    ) -> None:
        super().__init__(program, target, detach)
        self._descriptor = descriptor
        self.pin_path: str | None = None

    @property
    def fd(self) -> int:
        """The link's file descriptor, which stays the link's.

        Raises StateError if the link is closed, NotSupportedError if it is libbpf's alone: those of
        USDT probes, of struct_ops without ``.link``, and of perf events before Linux 5.15.
        """
        if self.closed:
            raise StateError(errno.EBADF, f"the link of {self.program} on {self.target} is closed")
        if self._descriptor is None:
            raise NotSupportedError(
                errno.EOPNOTSUPP,
                f"{self.program} on {self.target} is no link of the kernel's own: it can be "
                "closed, and nothing else",
            )
        return self._descriptor

    @contextmanager
    def held_fd(self) -> Iterator[int]:
        """Give :attr:`fd`, which is not closed inside this ``with`` block.

        Another thread that closes the link waits; a signal handler that does so does not, and the
        link is closed at the end of the block. Raises what :attr:`fd` does.
        """
        if os.getpid() != self._process:  # where the lock may be held by a thread that is not here
            yield self.fd
            return
        # Closing the object waits for the same as closing the link.
        object_in_use = self.holds.lifetime.call() if self.holds else nullcontext()
        with object_in_use, self._lock:
            descriptor = self.fd
            try:
                self._uses += 1
                yield descriptor
            finally:
                self._uses -= 1
                if self._closed and not self._uses:
                    self._detach()

    @property
    def info(self) -> LinkInfo:
        """What the kernel says of the link, in a class for its kind."""
        try:
            with self.held_fd() as descriptor:
                return read_link_info(descriptor)
        except CallError as error:
            raise self._error(error, "ask about the link of") from error

    def pin(self, path: str | os.PathLike[str]) -> None:
        """Keep the program attached under a name in ``/sys/fs/bpf``, after the process too.

        Closing a pinned link leaves the program attached. Raises BpfError if *path* is taken or
        not in a BPF file system.
        """
        with self.held_fd() as descriptor:
            self.pin_path = pinning.pin(descriptor, path, f"the link of {self.program}")

    def unpin(self) -> None:
        """Remove the name that pin() gave; the program stays attached until the link is closed."""
        path, self.pin_path = self.pin_path, None
        if path is None:
            raise StateError(errno.ENOENT, f"the link of {self.program} is not pinned")
        pinning.unpin(path, f"the link of {self.program}")

    def update(self, program: HasDescriptor) -> None:
        """Put another program of the same kind in, with no moment without one.

        Raises NotSupportedError for links that the kernel can't update, such as those of probes.
        """
        try:
            with held_fd(program) as other, self.held_fd() as descriptor:
                _links.update(descriptor, other)
        except CallError as error:
            raise self._error(
                error, f"put {program.name} in the place of", _no_update(error)
            ) from error
        self.program = program.name

    def detach(self) -> None:
        """Detach the program at once, wherever else the link is open or pinned.

        Raises NotSupportedError for links that only close() detaches; those of cgroups, network
        namespaces, interfaces and struct_ops can be detached (Linux 5.9).
        """
        try:
            with self.held_fd() as descriptor:
                _links.detach(descriptor)
        except CallError as error:
            reason = "a link of this kind is detached by closing it"
            raise self._error(
                error, "detach", reason if error.errno == errno.EOPNOTSUPP else ""
            ) from error


class Links(Sequence[Attachment]):
    """Several attached programs, in the order in which they were attached."""

    def __init__(self, links: Iterable[Attachment]) -> None:
        self._links = tuple(links)

    def __repr__(self) -> str:
        return f"<Links {', '.join(map(repr, self._links)) or 'of nothing'}>"

    def __len__(self) -> int:
        return len(self._links)

    @overload
    def __getitem__(self, index: int) -> Attachment: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Attachment, ...]: ...

    def __getitem__(self, index: int | slice) -> Attachment | tuple[Attachment, ...]:
        return self._links[index]

    @property
    def closed(self) -> bool:
        """Whether all are detached."""
        return all(link.closed for link in self._links)

    def close(self) -> None:
        """Detach all, the last one first; one that can't be does not keep the others attached."""
        with ExitStack() as stack:
            for link in self._links:
                stack.callback(link.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def attach_all(attach: Iterable[Callable[[], Attachment | None]]) -> Links:
    """Call all of *attach* in turn; if one raises, close what the others made and raise that."""
    with ExitStack() as stack:
        links = []
        for attach_one in attach:
            link = attach_one()
            if link is not None:
                links.append(link)
                stack.callback(link.close)
        stack.pop_all()
    return Links(links)


def open_pinned_link(path: str | os.PathLike[str]) -> Link:
    """Open the link that is pinned at *path*; closing it leaves the program attached.

    Raises BpfError if there is none, or something else is pinned there.
    """
    place = os.fspath(path)
    descriptor = pinning.open_pinned(path, "link")
    release = Once(lambda: os.close(descriptor))
    try:
        info = read_link_info(descriptor)
    except CallError as error:
        release()
        raise BpfError(error.errno, f"can't open the link pinned at {place}: {error}") from error
    link = Link(f"program {info.program_id}", place, release, descriptor)
    link._finalizer = close_when_dropped(link, f"the link pinned at {place}", release)
    link.pin_path = place
    return link


class Attached(NamedTuple):
    """What libbpf made of an attached program: a ``struct bpf_link *``, and its descriptor.

    The descriptor is None where the link is libbpf's alone. *release* detaches it and frees it.
    """

    handle: int
    descriptor: int | None
    release: Once


def attached(handle: int) -> Attached:
    """Take over a ``struct bpf_link *`` that libbpf returned."""
    descriptor = _links.fd(handle)
    # libbpf says 0 of links that it makes of several perf events, and gives other files too.
    is_own = descriptor > 0 and pinning.kind_of(descriptor) in ("link", None)
    own = descriptor if is_own else None
    return Attached(handle, own, Once(lambda: _links.destroy(handle)))


def link_of_descriptor(program: str, target: str, descriptor: int) -> Link:
    """Wrap a descriptor of a link of the kernel. The Link takes ownership."""
    return Link(program, target, lambda: os.close(descriptor), descriptor)


def _no_update(error: CallError) -> str:
    if error.errno in (errno.EINVAL, errno.EOPNOTSUPP, errno.ENOSYS):
        return "the kernel does not update a link of this kind, or the programs differ in kind"
    return ""
