"""The shape of C types, from clang's own syntax tree of the C text: no BTF, nothing of ebpfgen.

Only what C calls things comes from here. Every number (sizes, offsets, widths, signs) is filled in
by a program that the compiler makes, see :mod:`tests.oracle.program`.
"""

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_QUALIFIERS = re.compile(r"\b(const|volatile|restrict)\b")
_DIMENSION = re.compile(r"\[(\d*)\]")
_PLACE = re.compile(r":(\d+):(\d+)\)$")


@dataclass(slots=True)
class Leaf:
    """A number. ``kind`` is int, bool, float or pointer."""

    kind: str
    size: int = 0
    signed: bool = False


@dataclass(slots=True)
class Text:
    """``char[count]``, or ``unsigned char[count]`` if ``raw``; count None is flexible."""

    count: int | None
    raw: bool


@dataclass(slots=True)
class Array:
    """Elements ``stride`` bytes apart; count None is flexible."""

    count: int | None
    element: "Shape"
    stride: int = 0


@dataclass(slots=True)
class Member:
    """A member; ``offset`` is from the nearest record with a name.

    Offset and size are in bits for a bitfield, else in bytes.
    """

    name: str
    shape: "Shape"
    is_bitfield: bool = False
    offset: int = 0
    size: int = 0


@dataclass(slots=True)
class Group:
    """A struct or a union."""

    is_union: bool
    members: list[Member] = field(default_factory=list)


Shape = Leaf | Text | Array | Group
Node = dict[str, Any]


@dataclass(slots=True)
class CType:
    """A type under test: how C spells it, the C text that declares it, and its shape."""

    spelling: str
    text: str
    shape: Shape
    size: int = 0


def flattened(group: Group) -> Iterator[Member]:
    """Yield the members with those of anonymous structs and unions among them."""
    for member in group.members:
        if not member.name and isinstance(member.shape, Group):
            yield from flattened(member.shape)
        else:
            yield member


def rest_of(shape: Shape) -> Member | None:
    """Return the member that a struct ends with if it is a flexible array."""
    if isinstance(shape, Group) and not shape.is_union and shape.members:
        last = shape.members[-1]
        if not last.name:
            return rest_of(last.shape)
        if isinstance(last.shape, Text | Array) and not last.shape.count:
            return last
    return None


def shapes_of(snippets: list[str], folder: Path) -> list[CType]:
    """Return the type that each of *snippets* declares last."""
    source = folder / "shapes.c"
    source.write_text("\n".join(snippets) + "\n")
    command = ["clang", "-fsyntax-only", "-w", "-Xclang", "-ast-dump=json", source.name]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    tree = _Tree(json.loads(done.stdout), source.read_text())
    ends, types = 0, []
    for text in snippets:
        start, ends = ends, ends + len(text) + 1
        spelling, shape = tree.last_type(start, ends)
        types.append(CType(spelling, text, shape))
    return types


class _Tree:
    """clang's syntax tree, looked into by name and by place in the text."""

    def __init__(self, tree: Node, text: str) -> None:
        self._lines = [0]
        for line in text.splitlines(keepends=True):
            self._lines.append(self._lines[-1] + len(line))
        self._top = [node for node in tree["inner"] if "offset" in node.get("loc", {})]
        self._records: dict[str, Node] = {}
        self._typedefs = {n["name"]: n for n in self._top if n["kind"] == "TypedefDecl"}
        self._note(self._top)

    def _note(self, nodes: list[Node]) -> None:
        for node in nodes:
            if node["kind"] == "RecordDecl" and node.get("completeDefinition"):
                name = node.get("name")
                key = f"{node['tagUsed']} {name}" if name else str(node["loc"]["offset"])
                self._records[key] = self._records[node["id"]] = node
            self._note([inner for inner in node.get("inner", []) if inner.get("kind")])

    def last_type(self, start: int, end: int) -> tuple[str, Shape]:
        """Return the last type declared in that part of the text."""
        nodes = [n for n in self._top if start <= n["loc"]["offset"] < end and n.get("name")]
        node = nodes[-1]
        tag = "enum " if node["kind"] == "EnumDecl" else ""
        tag = f"{node['tagUsed']} " if node["kind"] == "RecordDecl" else tag
        return tag + node["name"], self._shape(tag + node["name"])

    def _shape(self, spelling: str) -> Shape:
        spelling = " ".join(_QUALIFIERS.sub("", spelling).split())
        if "(*" in spelling:
            inside = spelling.partition("(*")[2]
            return _arrays(_DIMENSION.findall(inside.partition(")")[0]), Leaf("pointer"))
        base = _DIMENSION.sub("", spelling).strip()
        if "(" in spelling and not _PLACE.search(base):
            return Leaf("pointer")
        return _arrays(_DIMENSION.findall(spelling), self._base(base), base=self._plain(base))

    def _base(self, base: str) -> Shape:
        if base.endswith("*"):
            return Leaf("pointer")
        if base.startswith("enum "):
            return Leaf("int")
        if base.startswith(("struct ", "union ")):
            return self._group(self._record(base))
        if base in self._typedefs:
            node = self._typedefs[base]
            if record := self._records.get(_owned(node)):
                return self._group(record)
            return self._shape(node["type"]["qualType"])
        return Leaf({"_Bool": "bool", "float": "float", "double": "float"}.get(base, "int"))

    def _plain(self, base: str) -> str:
        """Return what a chain of typedefs of a number ends at."""
        while base in self._typedefs:
            base = _QUALIFIERS.sub("", self._typedefs[base]["type"]["qualType"]).strip()
        return base

    def _record(self, spelling: str) -> Node:
        if place := _PLACE.search(spelling):
            return self._records[str(self._lines[int(place[1]) - 1] + int(place[2]) - 1)]
        if spelling in self._records:
            return self._records[spelling]
        return self._records[_owned(self._typedefs[spelling.rpartition(" ")[2]])]

    def _group(self, node: Node) -> Group:
        group = Group(node["tagUsed"] == "union")
        for inner in node.get("inner", []):
            if inner["kind"] != "FieldDecl":
                continue
            name, is_bitfield = inner.get("name", ""), inner.get("isBitfield", False)
            if name or not is_bitfield:
                shape = self._shape(inner["type"]["qualType"])
                group.members.append(Member(name, shape, is_bitfield))
        return group


def _owned(typedef: Node) -> str:
    """Return the id of the record that a typedef declares as it names it, if it does."""
    inner: list[Node] = typedef.get("inner", [])
    return str(inner[0].get("ownedTagDecl", {}).get("id", "")) if inner else ""


def _arrays(dimensions: list[str], shape: Shape, *, base: str = "") -> Shape:
    for number, dimension in enumerate(reversed(dimensions)):
        count = int(dimension) if dimension else None
        if number == 0 and base in ("char", "unsigned char"):
            shape = Text(count, raw=base != "char")
        else:
            shape = Array(count, shape)
    return shape
