"""Objects as a whole: before they are loaded, and loaded.

Generated classes name their programs and maps as :class:`Member` of a :class:`Group`; a
:class:`CollectionSpec` and a :class:`Collection` are the groups that have a libbpf object behind
them.
"""

import ctypes
import errno
import mmap
import os
import re
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Generic, Protocol, Self, TypeVar, overload

from ebpfgen.runtime import kernel, sections
from ebpfgen.runtime._libbpf import maps as _maps
from ebpfgen.runtime._libbpf import objects as _objects
from ebpfgen.runtime._libbpf import programs as _programs
from ebpfgen.runtime._libbpf.library import CallError
from ebpfgen.runtime.errors import BpfError, LoadError, NotSupportedError, StateError
from ebpfgen.runtime.link import Attachment, Links, attach_all

T = TypeVar("T")
AttachableT = TypeVar("AttachableT", bound="Attachable")
AttachmentT = TypeVar("AttachmentT", bound=Attachment)
ObjectsT = TypeVar("ObjectsT", bound="Collection")

# BPF_MAP_TYPE_PERF_EVENT_ARRAY holds descriptors; _RINGBUF and _USER_RINGBUF have no elements.
_EVENT_MAP_SIZES = {4: 4, 27: 0, 31: 0}

_VERIFIER_LOG = re.compile(r"-- BEGIN PROG LOAD LOG --\n(.*?)-- END PROG LOAD LOG --", re.DOTALL)
_REFUSED_PROGRAM = re.compile(r"prog '([^']+)': failed to load")
_VERIFIER_STATISTICS = re.compile(
    r"processed \d+ insns|verification time|stack depth|peak_states|max_states"
)


class Handle:
    """A libbpf object with what belongs to it: who may use it, and in which order it goes."""

    def __init__(self, data: bytes, name: str) -> None:
        self.name = name
        self._data = data
        self._links: list[Attachment] = []
        self._owner = os.getpid()
        self.loaded = False
        self._sections: dict[str, mmap.mmap | ctypes.Array[ctypes.c_char]] = {}
        self._pointer: int | None = None
        try:
            self._pointer = _objects.open_object(data, name)
        except CallError as error:
            raise LoadError(error.errno, _open_message(name, error), log=error.log) from error

    @property
    def closed(self) -> bool:
        """Whether the object is gone."""
        return self._pointer is None

    def check_open(self) -> int:
        """Return libbpf's handle. Raises StateError if the object is closed."""
        if self._pointer is None:
            raise StateError(errno.EBADF, f"{self.name} is closed")
        return self._pointer

    def check_not_loaded(self) -> int:
        """Return libbpf's handle. Raises StateError if the object is closed or loaded."""
        if self.loaded:
            raise StateError(errno.EBUSY, f"{self.name} is loaded; change it before load()")
        return self.check_open()

    def find_program(self, name: str) -> int:
        """Return libbpf's handle of a program."""
        return self._find(_objects.find_program, "program", name)

    def find_map(self, name: str) -> int:
        """Return libbpf's handle of a map."""
        return self._find(_objects.find_map, "map", name)

    def section(self, name: str) -> "mmap.mmap | ctypes.Array[ctypes.c_char]":
        """Return the memory of a data section: libbpf's before loading, then the kernel's.

        That of ``.rodata`` and ``.kconfig`` can only be written before loading.
        """
        self.check_open()
        if name not in self._sections:
            bpf_map = self.find_map(name)
            if not self.loaded:
                self._sections[name] = _maps.initial_value(bpf_map)
            else:
                size = _maps.facts(bpf_map)[2]
                access = mmap.ACCESS_READ if is_constant(name) else mmap.ACCESS_WRITE
                fd = _maps.fd(bpf_map)
                self._sections[name] = mmap.mmap(fd, _whole_pages(size), access=access)
        return self._sections[name]

    def keep(self, link: AttachmentT) -> AttachmentT:
        """Close *link* before the object, unless someone has done so."""
        self._links = [known for known in self._links if not known.closed]
        self._links.append(link)
        return link

    def has_attached(self, name: str) -> bool:
        """Return whether a program or map of this name is attached to something."""
        return any(link.program == name and not link.closed for link in self._links)

    def load(self) -> None:
        """Create the maps and load the programs; closes the object if the kernel refuses.

        It stays open if libbpf does not know a section: what is wrong can be changed then.
        """
        pointer = self.check_not_loaded()
        _check_sections(pointer, self.name)
        # What follows is the kernel's memory, no longer libbpf's.
        self._sections.clear()
        try:
            _set_event_map_sizes(pointer)
            _objects.load_object(pointer)
        except CallError as error:
            self.close()
            raise _load_error(self.name, error) from error
        self.loaded = True

    def close(self) -> None:
        """Detach every link, then free the object; in a forked child, only forget them."""
        pointer, self._pointer = self._pointer, None
        links, self._links = self._links, []
        sections, self._sections = self._sections, {}
        if pointer is None or os.getpid() != self._owner:
            return
        for memory in sections.values():
            if isinstance(memory, mmap.mmap):
                memory.close()
        with ExitStack() as stack:
            # Last; a program that can't be detached keeps neither the others nor the object.
            stack.callback(_objects.close_object, pointer)
            for link in links:
                stack.callback(link.close)

    def _find(self, find: Callable[[int, str], int], what: str, name: str) -> int:
        try:
            return find(self.check_open(), name)
        except CallError as error:
            raise BpfError(
                error.errno, f"{self.name} has no {what} {name}: run ebpfgen generate again"
            ) from error


class Group:
    """Programs or maps of an object, one attribute each."""

    _handle: Handle
    _members: dict[str, object]


class Member(Generic[T]):
    """A program or map of a group, by its C name; made when it is first used."""

    def __init__(self, c_name: str, make: Callable[[Handle, str], T]) -> None:
        self.c_name = c_name
        self._make = make

    @overload
    def __get__(self, group: None, owner: type) -> Self: ...

    @overload
    def __get__(self, group: Group, owner: type) -> T: ...

    def __get__(self, group: Group | None, owner: type) -> Self | T:
        if group is None:
            return self
        made = group._members.get(self.c_name)
        if made is None:
            made = group._members[self.c_name] = self._make(group._handle, self.c_name)
        return made  # type: ignore[return-value]  # what _make made for this name


class Attachable(Protocol):
    """A program, or a struct_ops map."""

    def auto_attach(self) -> Attachment | None:
        """Attach it to what ``SEC()`` names; None if that is nothing."""


class AttachableMember(Member[AttachableT]):
    """A program or struct_ops map of a group: what attach() of a collection attaches."""


class Collection(Group):
    """An object loaded into the kernel.

    ``close()``, or leaving the ``with`` block, detaches its programs and unloads it.
    """

    def __init__(self, handle: Handle) -> None:
        self._handle = handle
        self._members = {}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._handle.name}{', closed' if self.closed else ''}>"

    @property
    def closed(self) -> bool:
        """Whether the object is unloaded."""
        return self._handle.closed

    def attach(self) -> Links:
        """Attach every program to what its ``SEC()`` names, and register every struct_ops map.

        Left out, as bpftool's skeletons do, are programs that are switched off (``autoload``,
        ``autoattach``) or attached already, and those whose ``SEC()`` does not say to what: without
        a target, or of a kind that is attached to an interface, cgroup, socket, map or event.

        Raises AttachError naming the program if one can't be; those before it are detached then.
        """
        self._handle.check_open()
        members = (
            getattr(self, name)
            for group in reversed(type(self).__mro__)
            for name, member in vars(group).items()
            if isinstance(member, AttachableMember)
        )
        return attach_all(attachable.auto_attach for attachable in members)

    def close(self) -> None:
        """Detach the programs that are attached and unload the object. Twice does nothing."""
        self._handle.close()

    def __enter__(self) -> Self:
        self._handle.check_open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class CollectionSpec(Group, Generic[ObjectsT]):
    """An object that is parsed and not yet loaded; its programs and maps can be changed."""

    def __init__(self, data: bytes, name: str, objects: type[ObjectsT]) -> None:
        self._objects = objects
        self._handle = Handle(data, name)
        self._members = {}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._handle.name}{', closed' if self.closed else ''}>"

    @property
    def closed(self) -> bool:
        """Whether this object is gone: closed, or refused by the kernel."""
        return self._handle.closed

    def load(self) -> ObjectsT:
        """Create the maps and load the programs.

        Raises LoadError, with the verifier's log on it, if the kernel refuses; the specs are
        closed then. Raises StateError if they were loaded or closed before.
        """
        self._handle.load()
        return self._objects(self._handle)

    def close(self) -> None:
        """Free the object, if load() has not made it that of a collection."""
        if not self._handle.loaded:
            self._handle.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def read_object(module: str, name: str) -> bytes:
    """Return the object file *name* that lies beside the imported *module*, in a zip file too.

    Raises BpfError if it is not there.
    """
    found = sys.modules[module]
    path = Path(found.__file__ or "").with_name(name)
    from_zip = getattr(found.__spec__ and found.__spec__.loader, "get_data", None)
    try:
        return bytes(from_zip(str(path))) if from_zip else path.read_bytes()
    except OSError as error:
        raise BpfError(
            error.errno or errno.ENOENT,
            f"{path} can't be read: run ebpfgen generate, and install the .o files with the .py",
        ) from error


def is_constant(section: str) -> bool:
    """Return whether the programs, and the kernel, take a data section for constant."""
    return section == ".kconfig" or section.split(".")[1] == "rodata"


def _whole_pages(size: int) -> int:
    return -(-size // mmap.PAGESIZE) * mmap.PAGESIZE


def _check_sections(pointer: int, name: str) -> None:
    """Raise NotSupportedError for a program to load that libbpf can't tell the kind of."""
    for program in _objects.programs(pointer):
        if _programs.autoload(program) and not _programs.program_type(program):
            raise NotSupportedError(
                errno.ENOTSUP,
                f"can't load program {_programs.name(program)} of {name}: "
                f"{sections.unknown(_programs.section(program))}",
            )


def _set_event_map_sizes(pointer: int) -> None:
    """Give event maps the sizes the kernel wants: ``__type(value, …)`` there is for ebpfgen."""
    for bpf_map in _objects.maps(pointer):
        sizes = _EVENT_MAP_SIZES.get(_maps.facts(bpf_map)[0])
        if sizes is not None:
            _maps.set_sizes(bpf_map, key=sizes, value=sizes)


def _open_message(name: str, error: CallError) -> str:
    last = _last_line(error.log)
    return f"{name} is not an object that this libbpf reads: {last or error}"


def _load_error(name: str, error: CallError) -> BpfError:
    verifier = "".join(_VERIFIER_LOG.findall(error.log))
    refused = _REFUSED_PROGRAM.search(error.log)
    subject = f"program {refused[1]} of {name}" if refused else name
    reason = os.strerror(error.errno)
    lines = [line for line in verifier.splitlines() if not _VERIFIER_STATISTICS.search(line)]
    if lines:
        reason = f"the verifier says: {lines[-1]}"
    elif error.errno in (errno.EPERM, errno.EACCES):
        reason = kernel.permission_hint()
    elif error.errno == errno.ENOSYS:
        return NotSupportedError(error.errno, f"can't load {subject}: this kernel has no BPF")
    elif last := _last_line(error.log):
        reason = f"{reason}; libbpf says: {last}"
    return LoadError(error.errno, f"can't load {subject}: {reason}", verifier, error.log)


def _last_line(log: str) -> str:
    lines = [line.removeprefix("libbpf: ") for line in log.splitlines() if line.strip()]
    return lines[-1] if lines else ""
