"""A ``bpf_object`` and the resources to release before it."""

import contextlib
import errno
import mmap
import os
from collections.abc import Callable, Iterator
from typing import ClassVar, Generic, Never, NoReturn, Protocol, Self, TypeVar, Unpack, overload

from ebpfgen.runtime._libbpf import maps as _maps, objects as _objects, programs as _programs
from ebpfgen.runtime._libbpf.library import CallError
from ebpfgen.runtime.errors import BpfError, MapError, StateError, UnsupportedObjectError
from ebpfgen.runtime.lifetime import ClosableT, Once, Owner
from ebpfgen.runtime.link import Attachment
from ebpfgen.runtime.options import OpenOptions, open_object

T = TypeVar("T")

# BPF_MAP_TYPE_PERF_EVENT_ARRAY holds descriptors; _RINGBUF and _USER_RINGBUF have no elements.
_EVENT_MAP_SIZES = {4: 4, 27: 0, 31: 0}


class Handle(Owner):
    """A ``bpf_object`` with its links, buffers and mapped sections, closed in that order.

    Threads may share one: loading, attaching and closing wait for each other, and a call that is in
    flight when another thread closes the object ends before the object is freed. An object that
    nobody refers to any more is closed with a ResourceWarning.
    """

    def __init__(self, data: bytes, name: str, **options: Unpack[OpenOptions]) -> None:
        self.name = name
        self.loaded = False
        self._needed: list[Once] = []
        self.verifier_logs: dict[str, str] = {}
        self._log_level = options.get("log_level", 0)
        self._sections: dict[str, mmap.mmap] = {}
        self._pointer = open_object(data, name, **options)
        super().__init__(name, _freeing(self._pointer, data))

    def check_not_loaded(self) -> None:
        """Raise StateError if the object is closed or loaded."""
        self.check_open()
        if self.loaded:
            raise StateError(errno.EBUSY, f"{self.name} is loaded; change it before load()")

    @contextlib.contextmanager
    def held(self) -> Iterator[int]:
        """Give the ``struct bpf_object *``, which stays valid inside this ``with`` block.

        For calls of libbpf that follow its pointers: no other thread makes one meanwhile. Raises
        StateError if the object is closed.
        """
        with self.exclusive(), self.lifetime.call():
            yield self._pointer

    @contextlib.contextmanager
    def held_unloaded(self) -> Iterator[int]:
        """Give the ``struct bpf_object *`` as held() does, of an object that is not loaded.

        Raises StateError if it is closed or loaded.
        """
        with self.held() as pointer:
            self.check_not_loaded()
            yield pointer

    def descriptor_until_loaded(self, fd: int) -> int:
        """Duplicate a descriptor, which libbpf keeps the number of until the object is loaded."""
        own = os.dup(fd)
        release = Once(lambda: os.close(own))
        self._needed.append(release)
        self.lifetime.free_before(release)
        return own

    def find_program(self, name: str) -> int:
        """Return libbpf's handle of a program."""
        return self._find(_objects.find_program, "program", name)

    def find_map(self, name: str) -> int:
        """Return libbpf's handle of a map."""
        return self._find(_objects.find_map, "map", name)

    def section(self, name: str, offset: int, size: int) -> memoryview:
        """*size* bytes at *offset* of a data section, to read.

        Of a loaded object they are the kernel's, which the view keeps mapped: hold it no longer
        than a call. Before loading they are a copy of libbpf's.

        Raises MapError if the kernel does not let the section be mapped, StateError if the object
        is closed.
        """
        if not self.loaded:
            with self.held():
                if not self.loaded:
                    initial = _maps.initial_value(self.find_map(name))
                    return memoryview(bytes(memoryview(initial).cast("B")[offset : offset + size]))
        return self._mapped(name)[offset : offset + size]

    def write_section(self, name: str, offset: int, data: bytes) -> None:
        """Write *data* at *offset* of a data section: ``.rodata`` only before loading.

        Raises MapError if the kernel does not let the section be mapped, StateError if the object
        is closed.
        """
        if not self.loaded:
            with self.held():
                if not self.loaded:
                    initial = _maps.initial_value(self.find_map(name))
                    memoryview(initial).cast("B")[offset : offset + len(data)] = data
                    return
        self._mapped(name)[offset : offset + len(data)] = data

    def keep(self, resource: ClosableT) -> ClosableT:
        """Close *resource* before the object, as :meth:`Owner.keep` has it."""
        if isinstance(resource, Attachment):
            # Whoever holds the link alone holds the object.
            resource.holds = self
            self.lifetime.free_before(resource.release)
        return super().keep(resource)

    def has_attached(self, name: str) -> bool:
        """Return whether a program or map of this name is attached to something."""
        attached = (known for known in self._kept if isinstance(known, Attachment))
        return any(known.program == name and not known.closed for known in attached)

    def load(self) -> None:
        """Create the maps and load the programs; closes the object if the kernel refuses.

        It stays open if libbpf does not know a section: what is wrong can be changed then.
        """
        with self.held_unloaded() as pointer, contextlib.ExitStack() as undo:
            _check_sections(pointer, self.name)
            undo.callback(self.close)
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
            for release in self._needed:
                release()
            undo.pop_all()

    def _unmap(self) -> None:
        sections, self._sections = self._sections, {}
        for memory in sections.values():
            # If a thread is just reading or writing it, it goes when that lets go of it.
            with contextlib.suppress(BufferError):
                memory.close()

    def _mapped(self, name: str) -> memoryview:
        """The kernel's memory of a data section. Raises MapError, StateError."""
        self.check_open()
        memory = self._sections.get(name)
        if memory is None:
            with self.held():
                memory = self._sections.get(name) or self._map_section(name)
                self._sections[name] = memory
        try:
            return memoryview(memory)
        except ValueError:  # another thread closed it meanwhile
            self.check_open()
            raise

    def _map_section(self, name: str) -> mmap.mmap:
        bpf_map = self.find_map(name)
        size = _maps.facts(bpf_map)[2]
        access = mmap.ACCESS_READ if is_constant(name) else mmap.ACCESS_WRITE
        try:
            return mmap.mmap(_maps.fd(bpf_map), _whole_pages(size), access=access)
        except CallError as error:
            message = f"section {name} of {self.name} has no map: {error}"
            raise MapError(error.errno, message) from error
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
            # Of a ring buffer there must not be two, which would both move its position.
            with group._handle.exclusive():
                made = group._members.get(self.c_name)
                if made is None:
                    new = self._make(group._handle, self.c_name)
                    made = group._members.setdefault(self.c_name, new)
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


def _freeing(pointer: int, data: bytes) -> Callable[[], None]:
    """The function that frees a ``bpf_object``; libbpf reads *data* until then."""

    def free(_data: bytes = data) -> None:
        _objects.close_object(pointer)

    return free


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
