"""Storage that lives and dies with a socket, task, inode or cgroup."""

import errno
import os
from contextlib import AbstractContextManager
from typing import Generic, TypeVar, cast

from ebpfgen.runtime._libbpf.library import CallError
from ebpfgen.runtime.codec import Codec
from ebpfgen.runtime.descriptor import File, HasFileno, held_fd, opened_file
from ebpfgen.runtime.maps.constants import INDEX, MapType, UpdateFlag
from ebpfgen.runtime.maps.member import MapMember, valued
from ebpfgen.runtime.maps.typed import TypedMap

H = TypeVar("H")
V = TypeVar("V")
D = TypeVar("D")


class LocalStorage(TypedMap[V], Generic[H, V]):
    """A value for each of the kernel's objects, which are named by a descriptor.

    The kernel does not tell which objects have one: there is no iterating.
    """

    def __getitem__(self, owner: H) -> V:
        with self._descriptor(owner) as number:
            try:
                return self._read(INDEX.pack(number))
            except CallError as error:
                raise self._owner_error(error, owner, "read from") from error

    def __setitem__(self, owner: H, value: V) -> None:
        self.put(owner, value)

    def put(self, owner: H, value: V, *, flags: UpdateFlag = UpdateFlag.ANY) -> None:
        """Set the value of *owner*.

        With ``BPF_NOEXIST`` only if it has none, else MapError (EEXIST); with ``BPF_EXIST`` only if
        it has one, else KeyError; with ``BPF_F_LOCK`` while holding the value's ``bpf_spin_lock``.
        """
        with self._descriptor(owner) as number:
            try:
                self._write(INDEX.pack(number), value, flags)
            except CallError as error:
                raise self._owner_error(error, owner, "write to") from error

    def __delitem__(self, owner: H) -> None:
        with self._descriptor(owner) as number:
            try:
                self._elements.delete(INDEX.pack(number))
            except CallError as error:
                raise self._owner_error(error, owner, "delete from") from error

    def __contains__(self, owner: H) -> bool:
        try:
            self[owner]
        except KeyError:
            return False
        return True

    def get(self, owner: H, default: D | None = None) -> V | D | None:
        """Return the value of *owner*, *default* if it has none."""
        try:
            return self[owner]
        except KeyError:
            return default

    def pop(self, owner: H) -> V:
        """Delete the value of *owner* and return it."""
        value = self[owner]
        del self[owner]
        return value

    # Without it, Python would try the indices 0, 1, …: descriptors.
    __iter__ = None

    def _descriptor(self, owner: H) -> AbstractContextManager[int]:
        return held_fd(cast("HasFileno", owner))

    def _owner_error(self, error: CallError, owner: H, action: str) -> Exception:
        if error.errno == errno.ENOENT:
            return KeyError(owner)
        return self._error(error, action)


class SkStorage(LocalStorage[HasFileno | int, V]):
    """A value for each socket."""


class TaskStorage(LocalStorage[HasFileno | int, V]):
    """A value for each task: one is named by a pidfd, as ``os.pidfd_open(pid)`` returns."""


class InodeStorage(LocalStorage[File, V]):
    """A value for each inode: one is named by a path, an open file or a descriptor."""

    def _descriptor(self, owner: File) -> AbstractContextManager[int]:
        return opened_file(owner, os.O_PATH)


class CgroupStorage(LocalStorage[File, V]):
    """A value for each cgroup: one is named by its folder's path or descriptor."""

    def _descriptor(self, owner: File) -> AbstractContextManager[int]:
        return opened_file(owner)


def sk_storage(name: str, *, value: Codec[V]) -> MapMember[SkStorage[V]]:
    """Declare a storage of sockets."""
    return valued(name, MapType.SK_STORAGE, SkStorage[V], value, INDEX.SIZE)


def task_storage(name: str, *, value: Codec[V]) -> MapMember[TaskStorage[V]]:
    """Declare a storage of tasks."""
    return valued(name, MapType.TASK_STORAGE, TaskStorage[V], value, INDEX.SIZE)


def inode_storage(name: str, *, value: Codec[V]) -> MapMember[InodeStorage[V]]:
    """Declare a storage of inodes."""
    return valued(name, MapType.INODE_STORAGE, InodeStorage[V], value, INDEX.SIZE)


def cgrp_storage(name: str, *, value: Codec[V]) -> MapMember[CgroupStorage[V]]:
    """Declare a storage of cgroups, the newer one."""
    return valued(name, MapType.CGRP_STORAGE, CgroupStorage[V], value, INDEX.SIZE)
