"""What fuzzing begins with: real objects, whole and their .BTF alone."""

from collections.abc import Iterator

from ebpfgen.elf import read_elf
from tests.building import REPOSITORY, compile_c

GOLDEN = REPOSITORY / "tests/golden"
EXAMPLES = REPOSITORY / "examples"


def objects() -> Iterator[bytes]:
    """Yield the committed objects, and those of all golden sources for x86 and a bpfeb machine."""
    for path in sorted(EXAMPLES.glob("*/*.o")):
        yield path.read_bytes()
    for path in sorted(GOLDEN.glob("*/prog.c")):
        for target in ("amd64", "s390x"):
            yield compile_c(path.read_text(), target)


def sections(name: str) -> Iterator[bytes]:
    """Yield one section of each object; the whole objects if the name is empty."""
    for data in objects():
        section = read_elf(data).section(name)
        if not name:
            yield data
        elif section:
            yield section.data
