"""Bitfields: which bytes they share, and how to take one out of them.

BTF counts the bits of a member from the start of the struct: from the least significant bit of the
first byte on a little-endian machine, from the most significant one on a big-endian machine, as
libbpf's ``btf_dump_get_bitfield_value`` reads them.
"""

from collections.abc import Sequence
from typing import NamedTuple

from ebpfgen.btf import types as t
from ebpfgen.values import UNSIGNED, Value


class Bits(NamedTuple):
    """A bitfield within a unit: its width, and how far it is above the unit's lowest bit."""

    member: t.Member
    shift: int
    width: int

    def read(self, whole: str, value: Value, *, signed: bool) -> str:
        """Return the expression of the bitfield, of that of its unit.

        *value* is how its type is read where it is not a bitfield.
        """
        found = f"{whole} >> {self.shift}" if self.shift else whole
        found = f"{found} & 0x{(1 << self.width) - 1:X}"
        if signed:
            half = f"0x{1 << (self.width - 1):X}"
            found = f"({found} ^ {half}) - {half}"
        if value.annotation == "bool":
            return f"bool({found})"
        return f"rt.named({value.enum}, {found})" if value.enum else found

    def write(self, field: str, label: str, *, signed: bool) -> str:
        """Return the expression of the bitfield's part of its unit; *label* is for errors."""
        check = "signed_bits" if signed else "bits"
        checked = f'rt.{check}({field}, {self.width}, "{label}")'
        return f"{checked} << {self.shift}" if self.shift else checked


class Unit(NamedTuple):
    """Bytes that bitfields share, and that are read as one unsigned integer.

    ``layout`` is its part of a format; where that is bytes, ``is_bytes`` says so.
    """

    offset: int
    size: int
    bits: tuple[Bits, ...]

    @property
    def is_bytes(self) -> bool:
        """Whether no single letter of a format reads that many bytes."""
        return self.size not in UNSIGNED

    def read(self, index: int, order: str) -> str:
        """Return the expression of the unit, whose value is *index* in ``v``."""
        return f"int.from_bytes(v[{index}], {_word(order)})" if self.is_bytes else f"v[{index}]"

    def write(self, parts: list[str], order: str) -> str:
        """Return the expression of the unit's value, of those of its bitfields."""
        whole = " | ".join(parts)
        return f"({whole}).to_bytes({self.size}, {_word(order)})" if self.is_bytes else whole

    @property
    def layout(self) -> str:
        """The unit's part of a format of :mod:`struct`."""
        return UNSIGNED.get(self.size, f"{self.size}s")


def units(members: Sequence[t.Member], order: str) -> list[Unit]:
    """Gather *members*, all of them bitfields in the order of their bits, into units.

    Two bitfields are in one unit if they share a byte. *order* is ``<`` or ``>``.
    """
    runs: list[list[t.Member]] = []
    end = -1
    for member in members:
        if member.offset // 8 < end and runs:
            runs[-1].append(member)
        else:
            runs.append([member])
        end = max(end, -(-(member.offset + member.bitfield_size) // 8))
    return [_unit(run, order) for run in runs]


def _unit(run: list[t.Member], order: str) -> Unit:
    start = run[0].offset // 8
    end = max(-(-(member.offset + member.bitfield_size) // 8) for member in run)
    bits = []
    for member in run:
        above = member.offset - start * 8
        if order == ">":
            above = (end - start) * 8 - above - member.bitfield_size
        bits.append(Bits(member, above, member.bitfield_size))
    return Unit(start, end - start, tuple(bits))


def _word(order: str) -> str:
    return '"little"' if order == "<" else '"big"'
