"""Objects as a whole: before they are loaded, and loaded.

Generated classes name their programs and maps as :class:`Member` of a :class:`Group`; a
:class:`CollectionSpec` and a :class:`Collection` are the groups that have a libbpf object behind
them.
"""

import errno
import sys
from pathlib import Path
from typing import Generic, Self, TypeVar, Unpack

from ebpfgen.runtime.errors import BpfError
from ebpfgen.runtime.handle import Group, Handle, Member
from ebpfgen.runtime.link import Links, attach_all
from ebpfgen.runtime.options import OpenOptions

ObjectsT = TypeVar("ObjectsT", bound="Collection")


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
            if isinstance(member, Member) and member.attachable
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

    def __init__(
        self, data: bytes, name: str, objects: type[ObjectsT], **options: Unpack[OpenOptions]
    ) -> None:
        self._objects = objects
        self._handle = Handle(data, name, **options)
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
