"""The names of functions in an ELF file, for errors that name those that are close."""

import struct
from collections.abc import Iterator
from pathlib import Path

_SYMBOL_TABLES = (2, 11)  # SHT_SYMTAB, SHT_DYNSYM
_FUNCTION = 2  # STT_FUNC


def functions_of(path: str) -> list[str]:
    """Return the names of the functions that a program or library defines; none if it is no ELF."""
    try:
        data = Path(path).read_bytes()
        return sorted(set(_functions(data))) if data[:4] == b"\x7fELF" else []
    except (OSError, struct.error, IndexError, ValueError):
        return []


def _functions(data: bytes) -> Iterator[str]:
    wide = data[4] == 2
    order = "<" if data[5] == 1 else ">"
    # Elf64_Ehdr and Elf32_Ehdr: where the section headers begin, their size and number.
    (start,) = struct.unpack_from(order + ("Q" if wide else "I"), data, 40 if wide else 32)
    size, count = struct.unpack_from(order + "HH", data, 58 if wide else 46)
    header = struct.Struct(order + ("4xI16xQQI" if wide else "4xI8xIII"))
    sections = [header.unpack_from(data, start + size * i) for i in range(count)]
    # Elf64_Sym has info and section before the value, Elf32_Sym after it.
    symbol = struct.Struct(order + ("IBxH16x" if wide else "I8xBxH"))
    for kind, place, length, strings in sections:
        if kind in _SYMBOL_TABLES:
            texts = sections[strings][1]
            for name, info, section in symbol.iter_unpack(data[place : place + length]):
                if info & 15 == _FUNCTION and section:
                    begin = texts + name
                    yield data[begin : data.index(b"\0", begin)].decode(errors="replace")
