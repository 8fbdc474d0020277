"""Arrays of ``_Atomic`` elements, whose types clang before 20 writes wrongly into BTF.

It has no BTF type for ``_Atomic``. A variable or member becomes ``void``, but the element of an
array becomes whatever LLVM's variable for it happens to hold (``visitArrayType`` in
``BTFDebug.cpp``), often the type of another array.
"""

import dataclasses
from collections.abc import Iterable, Iterator

from ebpfgen.btf import types as t
from ebpfgen.btf.layout import strip
from ebpfgen.btf.reader import Btf
from ebpfgen.elf import Elf
from ebpfgen.errors import ObjectError

# The abbreviations that clang writes begin with that of a compile unit; compressed ones do not.
_COMPILE_UNIT, _ATOMIC_TYPE = b"\x01\x11", b"\x47"

# Array dimensions and modifiers are few in C.
_MAX_DEPTH = 32


def forget_wrong_elements(btf: Btf, objects: Iterable[tuple[Elf, bytes]]) -> None:
    """Make ``void`` of the elements that have other types in the DWARF of *objects*.

    Each is there as it was read, and its bytes. Their DWARF is not read if it has no atomic types.
    """
    for elf, data in objects:
        if not _may_have_atomics(elf):
            continue
        from ebpfgen.dwarf import read_atomic_arrays  # few objects need it

        try:
            found = read_atomic_arrays(data)
        except ObjectError:
            continue  # DWARF that can't be read is worth as much as none
        for _, variable in btf.of(t.Var):
            if (element := found.variables.get(variable.name)) is not None:
                _check_element(btf, variable.type_id, element)
        for name, member in _members(btf):
            if (element := found.members.get((name, member.name))) is not None:
                _check_element(btf, member.type_id, element)


def _may_have_atomics(elf: Elf) -> bool:
    """Whether the DWARF of an object may have an atomic type, by its abbreviations."""
    section = elf.section(".debug_abbrev")
    if section is None:
        return False
    abbreviations = section.data
    return not abbreviations.startswith(_COMPILE_UNIT) or _ATOMIC_TYPE in abbreviations


def _members(btf: Btf) -> Iterator[tuple[str, t.Member]]:
    """Yield each member with the name of its struct or union."""
    for _, struct in btf.of(t.Struct):
        yield from ((struct.name, member) for member in struct.members)
    for _, union in btf.of(t.Union):
        yield from ((union.name, member) for member in union.members)


def _check_element(btf: Btf, type_id: int, element: str) -> None:
    """Make ``void`` of the elements of an array, or of one pointed to, if they are called else."""
    own_id, _ = strip(btf, type_id)
    pointer = btf[own_id]
    if isinstance(pointer, t.Ptr):
        own_id, _ = strip(btf, pointer.type_id)
    array = btf[own_id]
    if isinstance(array, t.Array) and _element_name(btf, array) != element:
        btf.replace(own_id, dataclasses.replace(array, type_id=0))


def _element_name(btf: Btf, array: t.Array) -> str:
    """Return the name of what an array of any dimensions is made of; ``*`` is that of pointers."""
    found: t.Type = array
    for _ in range(_MAX_DEPTH):
        if not isinstance(found, t.Array | t.Modifier):
            break
        found = btf[found.type_id]
    return "*" if isinstance(found, t.Ptr) else getattr(found, "name", "")
