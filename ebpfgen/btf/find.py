"""Finds the type that a person names."""

import difflib
from collections.abc import Iterable

from ebpfgen.btf import types as t
from ebpfgen.btf.layout import c_name, strip
from ebpfgen.btf.reader import Btf
from ebpfgen.errors import SelectionError

_TAGS = {"struct": t.Struct, "union": t.Union, "enum": t.Enum, "typedef": t.Typedef}


def find_type(btf: Btf, wanted: str) -> int:
    """Return the id of the struct, union or enum that *wanted* names.

    That is a tag or a typedef, alone (``event``) or with its kind (``struct event``).

    Raises SelectionError if there is none, naming those that are close, or more than one.
    """
    tag, _, name = wanted.strip().rpartition(" ")
    if tag and tag not in _TAGS:
        raise SelectionError(
            f"--type {wanted!r}: say struct, union, enum or typedef before the name"
        )
    kinds = [_TAGS[tag]] if tag else list(_TAGS.values())
    # By what they stand for; of two names for that, the tag comes first.
    found: dict[int, tuple[int, str]] = {}
    for type_id, label in _named(btf, kinds, name):
        found.setdefault(strip(btf, type_id)[0], (type_id, label))
    compound = {
        own_id: named
        for own_id, named in found.items()
        if isinstance(btf[own_id], t.Struct | t.Union | t.Enum)
    }
    if len(compound) > 1:
        labels = sorted(label for _, label in compound.values())
        raise SelectionError(
            f"--type {wanted!r} stands for {' and '.join(labels)}: pass --type {labels[0]!r}"
        )
    if compound:
        return next(iter(compound.values()))[0]
    if found:
        number = c_name(btf, next(iter(found)))
        raise SelectionError(f"--type {wanted!r} is {number}, for which Python needs no class")
    close = difflib.get_close_matches(name, _all_names(btf), n=1)
    hint = f"did you mean {close[0]}?" if close else "the C code must use it to have it in the BTF"
    raise SelectionError(f"--type {wanted!r}: no such type in the object ({hint})")


def _named(btf: Btf, kinds: Iterable[type[t.Type]], name: str) -> Iterable[tuple[int, str]]:
    for tag, kind in _TAGS.items():
        if kind in kinds:
            for type_id, found in btf.of(kind):
                if found.name == name:
                    yield type_id, f"{tag} {name}"


def _all_names(btf: Btf) -> list[str]:
    return [found.name for kind in _TAGS.values() for _, found in btf.of(kind) if found.name]
