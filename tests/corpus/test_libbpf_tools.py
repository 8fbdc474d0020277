"""The BPF objects inside the programs of libbpf-tools: other people's C, compilers and flags."""

import sys
from pathlib import Path
from types import ModuleType

import pytest

from ebpfgen.binding import bind
from ebpfgen.emit import render_module
from ebpfgen.objectfile import read_object
from ebpfgen.target import TARGETS
from tests.corpus import sources

TOOLS = sources.tools()

pytestmark = pytest.mark.skipif(not TOOLS, reason=sources.missing(sources.TOOLS_PACKAGE))


@pytest.mark.parametrize("path", TOOLS, ids=lambda path: path.name)
def test_binds_the_objects_as_found_in_a_tool(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = list(sources.images(path.read_bytes()))
    assert found
    for image in found:
        object_file = read_object(image, path.name)
        assert object_file.programs
        module = bind(
            object_file,
            ident="bpf",
            source=f"{path.name}.bpf.c",
            object_name="bpf_bpfel.o",
            target=TARGETS["bpfel"],
        )
        made = ModuleType("bpf_bpfel")
        monkeypatch.setitem(sys.modules, made.__name__, made)  # where dataclass looks
        exec(compile(render_module(module), "bpf_bpfel.py", "exec"), vars(made))
        assert set(module.exports) <= vars(made).keys()


def test_finds_only_images_for_bpf() -> None:
    (image,) = sources.images(b"x" + TOOLS[0].read_bytes())
    assert image.startswith(b"\x7fELF")
    assert not list(sources.images(b"\x7fELF\2\1\1" + bytes(11) + b"\x3e\0" + bytes(60)))
