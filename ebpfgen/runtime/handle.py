"""What the parts of an object share: libbpf's handle of it, and what must go before it does."""

import contextlib
import errno
import mmap
import os
import threading
from collections.abc import Callable, Iterator
from typing import ClassVar, Generic, Never, NoReturn, Protocol, Self, TypeVar, Unpack, overload

from ebpfgen.runtime._libbpf import maps as _maps, objects as _objects, programs as _programs
from ebpfgen.runtime._libbpf.library import CallError
from ebpfgen.runtime.errors import BpfError, MapError, StateError, UnsupportedObjectError
from ebpfgen.runtime.link import Attachment
from ebpfgen.runtime.options import OpenOptions, open_object

T = TypeVar("T")

# BPF_MAP_TYPE_PERF_EVENT_ARRAY holds descriptors; _RINGBUF and _USER_RINGBUF have no elements.
_EVENT_MAP_SIZES = {4: 4, 27: 0, 31: 0}


class Closable(Protocol):
    """A link, a buffer: whatever must be closed before the object it comes from."""

    @property
    def closed(self) -> bool:
        """Whether it is closed."""

    def close(self) -> None:
        """Close it; twice does nothing."""


ClosableT = TypeVar("ClosableT", bound=Closable)


class Handle:
    """A libbpf object with what belongs to it: who may use it, and in which order it goes.

    Threads may share one: loading and closing wait for each other.
    """

    def __init__(self, data: bytes, name: str, **options: Unpack[OpenOptions]) -> None:
        self.name = name
        self.loaded = False
        self.verifier_logs: dict[str, str] = {}
        self._data = data
        self._log_level = options.get("log_level", 0)
        self._kept: list[Closable] = []
        self._owner = os.getpid()
        self._lock = threading.RLock()
        self._sections: dict[str, mmap.mmap | memoryview] = {}
        self._pointer: int | None = None
        self._pointer = open_object(data, name, **options)

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
        pointer = self.check_open()
        if self.loaded:
            raise StateError(errno.EBUSY, f"{self.name} is loaded; change it before load()")
        return pointer

    @contextlib.contextmanager
    def held(self) -> Iterator[int]:
        """Give libbpf's handle, which no other thread frees inside this ``with`` block.

        For calls of libbpf that follow its pointers. Raises StateError if the object is closed.
        """
        with self._lock:
            yield self.check_open()

    def find_program(self, name: str) -> int:
        """Return libbpf's handle of a program."""
        return self._find(_objects.find_program, "program", name)

    def find_map(self, name: str) -> int:
        """Return libbpf's handle of a map."""
        return self._find(_objects.find_map, "map", name)

    def section(self, name: str) -> memoryview:
        """Return the memory of a data section: libbpf's before loading, then the kernel's.

        That of ``.rodata`` and ``.kconfig`` can only be written before loading. Who holds the view
        keeps the kernel's memory, so hold it no longer than a call.

        Raises MapError if the kernel does not let the section be mapped, StateError if the object
        is closed.
        """
        memory = self._sections.get(name)
        if memory is None:
            with self.held():
                memory = self._sections[name] = self._memory(name)
        try:
            return memoryview(memory)
        except ValueError:  # another thread closed it meanwhile
            self.check_open()
            raise

    def keep(self, resource: ClosableT) -> ClosableT:
        """Close *resource* before the object, unless someone has done so.

        If the object was closed meanwhile, closes it at once and raises StateError.
        """
        with self._lock:
            if self._pointer is None:
                resource.close()
            self.check_open()
            self._kept = [known for known in self._kept if not known.closed]
            self._kept.append(resource)
        return resource

    def has_attached(self, name: str) -> bool:
        """Return whether a program or map of this name is attached to something."""
        attached = (known for known in self._kept if isinstance(known, Attachment))
        return any(known.program == name and not known.closed for known in attached)

    def load(self) -> None:
        """Create the maps and load the programs; closes the object if the kernel refuses.

        It stays open if libbpf does not know a section: what is wrong can be changed then.
        """
        with self._lock, contextlib.ExitStack() as undo:
            pointer = self.check_not_loaded()
            _check_sections(pointer, self.name)
            undo.callback(self.close)
            # What follows is the kernel's memory, no longer libbpf's.
            self._sections.clear()
            try:
                _set_event_map_sizes(pointer)
                log = _objects.load_object(pointer, verifier=self._log_level > 0)
            except CallError as error:
                from ebpfgen.runtime.load_errors import load_error

                raise load_error(self.name, pointer, error) from error
            if self._log_level:
                from ebpfgen.runtime.verifier import logs

                self.verifier_logs = logs(log)
            self.loaded = True
            undo.pop_all()

    def close(self) -> None:
        """Close the sections, then what was kept, the last first, then the object.

        All of it, even if something fails on the way; the first error is raised at the end. In a
        forked child nothing is done: links and maps are its parent's.
        """
        if os.getpid() != self._owner:
            # Without the lock, which a thread of the parent may have held.
            self._pointer, self._kept, self._sections = None, [], {}
            return
        with self._lock:
            pointer, self._pointer = self._pointer, None
            kept, self._kept = self._kept, []
            sections, self._sections = self._sections, {}
            if pointer is None:
                return
            for memory in sections.values():
                _close_memory(memory)
            try:
                _close_all(kept)
            finally:
                _objects.close_object(pointer)

    def _memory(self, name: str) -> mmap.mmap | memoryview:
        bpf_map = self.find_map(name)
        if not self.loaded:
            return memoryview(_maps.initial_value(bpf_map)).cast("B")
        size = _maps.facts(bpf_map)[2]
        access = mmap.ACCESS_READ if is_constant(name) else mmap.ACCESS_WRITE
        try:
            return mmap.mmap(_maps.fd(bpf_map), _whole_pages(size), access=access)
        except OSError as error:
            raise MapError(
                error.errno or errno.EINVAL,
                f"can't map section {name} of {self.name}: {error.strerror}; "
                "it takes Linux 5.5 or newer",
            ) from error

    def _find(self, find: Callable[[int, str], int], what: str, name: str) -> int:
        with self.held() as pointer:
            try:
                return find(pointer, name)
            except CallError as error:
                raise BpfError(
                    error.errno, f"{self.name} has no {what} {name}: run ebpfgen generate again"
                ) from error


class Group:
    """Programs or maps of an object, one attribute each."""

    _handle: Handle
    _members: dict[str, object]


class Member(Generic[T]):
    """A program or map of a group, by its C name; made when it is first used.

    ``attachable`` ones have a method ``auto_attach()``, for attach() of a collection.
    """

    attachable: ClassVar[bool] = False

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

    def __set__(self, group: Group, value: Never) -> NoReturn:
        raise AttributeError(
            f"{self.c_name} can't be replaced: of a variable set .value, of a map its elements"
        )


class Attachable(Protocol):
    """A program, or a struct_ops map."""

    def auto_attach(self) -> Attachment | None:
        """Attach it to what ``SEC()`` names; None if that is nothing."""


AttachableT = TypeVar("AttachableT", bound=Attachable)


class AttachableMember(Member[AttachableT]):
    """A program of a group: what attach() of a collection attaches."""

    attachable: ClassVar[bool] = True


def is_constant(section: str) -> bool:
    """Return whether the programs, and the kernel, take a data section for constant."""
    return section == ".kconfig" or section.split(".")[1] == "rodata"


def _close_memory(memory: mmap.mmap | memoryview) -> None:
    if isinstance(memory, mmap.mmap):
        # If a thread is just reading or writing it, it goes when that lets go of it.
        with contextlib.suppress(BufferError):
            memory.close()


def _close_all(kept: list[Closable]) -> None:
    """Close what was kept, the last first; raises the first error once all is done."""
    failed: BpfError | CallError | None = None
    for resource in reversed(kept):
        try:
            resource.close()
        except (BpfError, CallError) as error:
            failed = failed or error
    if failed:
        raise failed


def _whole_pages(size: int) -> int:
    return -(-size // mmap.PAGESIZE) * mmap.PAGESIZE


def _set_event_map_sizes(pointer: int) -> None:
    """Give event maps the sizes the kernel wants: ``__type(value, …)`` there is for ebpfgen."""
    for bpf_map in _objects.maps(pointer):
        sizes = _EVENT_MAP_SIZES.get(_maps.facts(bpf_map)[0])
        if sizes is not None:
            _maps.set_sizes(bpf_map, key=sizes, value=sizes)


def _check_sections(pointer: int, name: str) -> None:
    """Raise UnsupportedObjectError for a program that libbpf can't tell the kind of."""
    for program in _objects.programs(pointer):
        if _programs.autoload(program) and not _objects.program_type(program):
            from ebpfgen.runtime import sections

            called, section = _objects.program_name(program), _programs.section(program)
            reason = sections.unknown(section)
            message = f"can't load program {called} of {name}: {reason}"
            error = UnsupportedObjectError(errno.EINVAL, message, program=called)
            error.lacks = section
            raise error
