"""What must hold of any bytes: a target is a function of bytes that raises if it does not."""

from collections.abc import Callable

from ebpfgen.binding import bind
from ebpfgen.btf import types as t
from ebpfgen.btf.layout import c_name, known_size_of, size_of, strip
from ebpfgen.btf.reader import Btf
from ebpfgen.elf import read_elf
from ebpfgen.emit import render_module
from ebpfgen.errors import EbpfgenError, ObjectError
from ebpfgen.model import Module, ObjectFile
from ebpfgen.objectfile import read_object
from ebpfgen.records import TypeBinder
from ebpfgen.target import TARGETS
from tests.building import import_text

Target = Callable[[bytes], None]

# What is wrong with a well-formed object has no place.
_UNWANTED = ("has no BTF: compile with -g", "which libbpf 1.0 dropped", "is static, which libbpf")


def check_place(error: ObjectError) -> None:
    """Raise AssertionError unless an error says where the fault is."""
    if error.offset is None and not any(text in str(error) for text in _UNWANTED):
        raise AssertionError(f"no offset: {error}") from error


def read_btf(data: bytes) -> None:
    """Decode every type of a .BTF section, and measure and name it."""
    try:
        btf = Btf(data)
    except ObjectError as error:
        check_place(error)
        return
    reads = (Btf.__getitem__, strip, size_of, known_size_of, c_name)
    for type_id in range(len(btf)):
        for read in reads:
            try:
                read(btf, type_id)
            except ObjectError as error:
                check_place(error)


def read_elf_file(data: bytes) -> None:
    """Read the sections and symbols of a file."""
    try:
        elf = read_elf(data)
    except ObjectError as error:
        check_place(error)
        return
    for section in elf.sections:
        if section.contents:
            assert section.size == len(section.data)


def bind_types(data: bytes) -> None:
    """Make classes of all types of a .BTF section, one by one, and import them."""
    try:
        btf = Btf(data)
        module = _module(ObjectFile(btf.byte_order, (), (), btf))
    except ObjectError as error:
        check_place(error)
        return
    binder = TypeBinder(btf, module.prefix, reserved=frozenset(module.exports))
    for type_id in range(len(btf)):
        try:
            if isinstance(btf[type_id], t.Struct | t.Union | t.Enum | t.Typedef):
                binder.add(type_id)
        except ObjectError as error:
            check_place(error)
        except EbpfgenError:
            pass  # a name that Python can't have
    import_text(render_module(module._replace(types=binder.types)))


def bind_object(data: bytes) -> None:
    """Make the module of an object file, and import it."""
    try:
        module = _module(read_object(data, "prog.c"))
    except ObjectError as error:
        check_place(error)
        return
    except EbpfgenError:
        return
    import_text(render_module(module))


def _module(object_file: ObjectFile) -> Module:
    return bind(
        object_file,
        ident="bpf",
        source="prog.c",
        object_name="prog.o",
        target=TARGETS["bpfel" if object_file.byte_order == "little" else "bpfeb"],
    )


TARGETS_BY_NAME: dict[str, tuple[Target, str]] = {
    "btf": (read_btf, ".BTF"),
    "elf": (read_elf_file, ""),
    "types": (bind_types, ".BTF"),
    "object": (bind_object, ""),
}
"""Each target with the section that it takes; an empty name is the whole file."""
