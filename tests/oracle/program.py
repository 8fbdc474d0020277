"""A C program of this machine, which says how its compiler lays types out and reads them."""

import json
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from tests.oracle.shapes import Array, CType, Group, Leaf, Member, Shape, Text, rest_of

Image = tuple[int, bytes]
"""The number of a type, and bytes to read as one."""

_PRELUDE = r"""
#include <stdio.h>
#include <string.h>
static _Alignas(4096) unsigned char buffer[1 << 16];
static const char *comma = "";
static void begin(void) { printf("["); comma = ""; }
static void end(void) { printf("]\n"); }
static void unsigned_number(unsigned __int128 value)
{
    char digits[48], *at = digits + sizeof(digits) - 1;
    *at = 0;
    do *--at = '0' + value % 10; while (value /= 10);
    printf("%s", at);
}
static void number(__int128 value, int is_unsigned)
{
    printf("%s", comma), comma = ",";
    if (!is_unsigned && value < 0) {
        printf("-");
        value = -(unsigned __int128)value;
    }
    unsigned_number(value);
}
static void hex(const unsigned char *from, long size)
{
    printf("%s\"", comma), comma = ",";
    for (long i = 0; i < size; i++) printf("%02x", from[i]);
    printf("\"");
}
static void changed_bits(long size)
{
    long first = -1, width = 0;
    for (long i = 0; i < size * 8; i++)
        if (buffer[i / 8] >> i % 8 & 1) {
            if (first < 0) first = i;
            width++;
        }
    number(first, 0), number(width, 0);
}
"""

_MAIN = r"""
int main(void)
{
    int type, byte; long n;
    while (scanf("%d %ld", &type, &n) == 2) {
        memset(buffer, 0, sizeof(buffer));
        for (long i = 0; i < n; i++) { if (scanf("%2x", &byte) != 1) return 1; buffer[i] = byte; }
        begin();
        if (n < 0) layouts[type](); else reads[type](n);
        end();
    }
    return 0;
}
"""


class Program:
    """The compiled program; making one fills the numbers of all shapes in."""

    def __init__(self, types: Sequence[CType], folder: Path) -> None:
        source, self._binary = folder / "oracle.c", folder / "oracle"
        source.write_text(_source(types))
        # Members that are const would refuse the ones that show where their bits are.
        flags = ["-w", "-O0", "-fno-strict-aliasing", "-fwrapv", "-Dconst="]
        command = ["clang", *flags, "-o", str(self._binary), str(source)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        lines = self._run(f"{number} -1" for number in range(len(types)))
        for ctype, facts in zip(types, lines, strict=True):
            numbers = (int(fact) for fact in facts)
            ctype.size = next(numbers)
            _fill(ctype.shape, numbers, 0)
            assert next(numbers, None) is None

    def read(self, images: Iterable[Image]) -> list[list[int | str]]:
        """Return what C reads in each image: numbers, and strings of hex digits for bytes."""
        return self._run(f"{number} {len(data)} {data.hex()}" for number, data in images)

    def _run(self, lines: Iterable[str]) -> list[list[int | str]]:
        text = "\n".join(lines)
        done = subprocess.run(
            [str(self._binary)], input=text, capture_output=True, text=True, check=True
        )
        return [json.loads(line) for line in done.stdout.splitlines()]


def _source(types: Sequence[CType]) -> str:
    parts = [*(ctype.text for ctype in types), _PRELUDE]
    for number, ctype in enumerate(types):
        head = f"{ctype.spelling} *p = (void *)buffer;"
        layout = "\n".join(_layout(ctype.shape, "(*p)", ctype.spelling))
        rest = rest_of(ctype.shape)
        read = "\n".join(_read(ctype.shape, "(*p)", rest, 0))
        parts += [
            f"static void layout_{number}(void) {{ {head}",
            f"number(sizeof({ctype.spelling}), 0);\n{layout} }}",
            f"static void read_{number}(long n) {{ {head}\n{read} }}",
        ]
    for what, arguments in (("layout", "void"), ("read", "long")):
        names = ", ".join(f"{what}_{number}" for number in range(len(types)))
        parts.append(f"static void (*{what}s[])({arguments}) = {{ {names} }};")
    return "\n".join([*parts, _MAIN])


def _layout(shape: Shape, expr: str, spelling: str) -> Iterator[str]:
    """Yield the C that prints the facts of *shape*, in the order in which _fill takes them."""
    match shape:
        case Leaf(kind="int"):
            yield f"{expr} = -1; number(sizeof({expr}), 0), number({expr} < 0, 0);"
        case Leaf():
            yield f"number(sizeof({expr}), 0);"
        case Array(element=element):
            yield f"number(sizeof({expr}[0]), 0);"
            yield from _layout(element, f"{expr}[0]", spelling)
        case Group(members=members):
            for member in members:
                inner = f"{expr}.{member.name}" if member.name else expr
                if member.is_bitfield:
                    yield f"memset(buffer, 0, sizeof(buffer)); {inner} = -1;"
                    yield f"changed_bits(sizeof({spelling})); number({inner} < 0, 0);"
                    continue
                if member.name:
                    size = "0" if _is_open(member.shape) else f"sizeof({inner})"
                    yield f"number((char *)&{inner} - (char *)p, 0), number({size}, 0);"
                yield from _layout(member.shape, inner, spelling)


def _fill(shape: Shape, facts: Iterator[int], base: int) -> None:
    """Take the facts of *shape*, which lies *base* bytes into the type."""
    match shape:
        case Leaf(kind=kind):
            shape.size = next(facts)
            shape.signed = kind == "int" and bool(next(facts))
        case Array():
            shape.stride = next(facts)
            _fill(shape.element, facts, base)
        case Group(members=members):
            for member in members:
                if member.is_bitfield:
                    member.offset, member.size = next(facts) - base * 8, next(facts)
                    assert isinstance(member.shape, Leaf)
                    member.shape.signed = bool(next(facts))
                elif member.name:
                    place = next(facts)
                    member.offset, member.size = place - base, next(facts)
                    _fill(member.shape, facts, place)
                else:
                    _fill(member.shape, facts, base)


def _read(shape: Shape, expr: str, rest: Member | None, depth: int) -> Iterator[str]:
    """Yield the C that prints all values of *shape*, in the order of images.leaves."""
    match shape:
        case Leaf(kind="bool"):
            yield f"number(*(unsigned char *)&{expr} != 0, 0);"
        case Leaf(kind="float"):
            yield f"hex((unsigned char *)&{expr}, sizeof({expr}));"
        case Leaf(kind="pointer"):
            yield f"number((unsigned long){expr}, 0);"
        case Leaf():
            yield f"number({expr}, (__typeof__({expr}))-1 > 0);"
        case Text(count=count):
            size = str(count or 0) if not _is(rest, shape) else f"n - {_place(expr)}"
            yield f"hex((unsigned char *){expr}, {size});"
        case Array(count=count, element=element):
            size = str(count or 0)
            if _is(rest, shape):
                size = f"(n - {_place(expr)}) / (long)sizeof({expr}[0])"
            i = f"i{depth}"
            yield f"for (long {i} = 0; {i} < {size}; {i}++) {{"
            yield from _read(element, f"{expr}[{i}]", rest, depth + 1)
            yield "}"
        case Group(members=members):
            for member in members:
                inner = f"{expr}.{member.name}" if member.name else expr
                if member.is_bitfield:
                    yield f"number({inner}, 0);"
                else:
                    yield from _read(member.shape, inner, rest, depth)


def _is(rest: Member | None, shape: Shape) -> bool:
    return rest is not None and rest.shape is shape


def _is_open(shape: Shape) -> bool:
    return isinstance(shape, Array | Text) and shape.count is None


def _place(expr: str) -> str:
    return f"((char *){expr} - (char *)p)"
