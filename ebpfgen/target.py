"""The targets that BPF C can be compiled for.

A BPF object has a byte order and, where the source reads CPU registers (``PT_REGS_PARM1``), a CPU
architecture. A generic target (``bpfel``, ``bpfeb``) knows the first only.
"""

import sys
from collections.abc import Iterable
from typing import Literal, NamedTuple

from ebpfgen.errors import TargetError

ByteOrder = Literal["little", "big"]


class Target(NamedTuple):
    """One kind of object file.

    ``clang`` is what follows ``-target``; ``arch`` is the x of ``__TARGET_ARCH_x`` (the kernel's
    own name for the architecture, that of its ``arch/`` folder), empty for a generic target;
    ``machines`` are the values of ``uname -m`` that a variant for it fits, empty for all of that
    byte order.
    """

    name: str
    clang: Literal["bpfel", "bpfeb"]
    arch: str = ""
    machines: tuple[str, ...] = ()

    @property
    def byte_order(self) -> ByteOrder:
        """The byte order of the object and of the data its programs produce."""
        return "little" if self.clang == "bpfel" else "big"

    @property
    def suffix(self) -> str:
        """What tells the files of this target apart: ``bpfel``, or ``bpfel_x86``."""
        return f"{self.clang}_{self.arch}" if self.arch else self.clang

    @property
    def defines(self) -> tuple[str, ...]:
        """The preprocessor flags that libbpf's ``bpf_tracing.h`` expects."""
        return (f"-D__TARGET_ARCH_{self.arch}",) if self.arch else ()


_X86 = ("x86_64", "i386", "i486", "i586", "i686")

TARGETS: dict[str, Target] = {
    target.name: target
    for target in (
        Target("bpfel", "bpfel"),
        Target("bpfeb", "bpfeb"),
        Target("386", "bpfel", "x86", _X86),
        Target("amd64", "bpfel", "x86", _X86),
        Target("arm", "bpfel", "arm", ("armv6l", "armv7l", "armv8l")),
        Target("arm64", "bpfel", "arm64", ("aarch64",)),
        Target("loong64", "bpfel", "loongarch", ("loongarch64",)),
        Target("mips", "bpfeb", "mips", ("mips", "mips64")),
        Target("ppc64", "bpfeb", "powerpc", ("ppc64",)),
        Target("ppc64le", "bpfel", "powerpc", ("ppc64le",)),
        Target("riscv64", "bpfel", "riscv", ("riscv64",)),
        Target("s390x", "bpfeb", "s390", ("s390x",)),
    )
}

DEFAULT_TARGETS = ("bpfel", "bpfeb")

SUFFIXES = tuple(sorted({target.suffix for target in TARGETS.values()}))
"""Every suffix an output file may have, to find the variants of earlier runs."""

_HERE = ("bpf", "native")
_KNOWN = (*_HERE, *TARGETS)


def find_target(name: str) -> Target:
    """Return the target called *name*.

    ``bpf`` is the generic target of this machine's byte order and ``native`` this machine's
    architecture, as they are for bpf2go.

    Raises TargetError with the list of targets.
    """
    if name == "bpf":
        return TARGETS["bpfel" if sys.byteorder == "little" else "bpfeb"]
    if name == "native":
        import platform  # few ask for it, and for the other; all pay for an import

        return _native_target(platform.machine())
    if name in TARGETS:
        return TARGETS[name]
    hint = ""
    if same := _target_of_machine(name):
        hint = f" (did you mean {same.name}?)"
    else:
        import difflib

        if close := difflib.get_close_matches(name, _KNOWN, n=1):
            hint = f" (did you mean {close[0]}?)"
    raise TargetError(f"unknown target {name!r}{hint}; targets: {', '.join(_KNOWN)}", target=name)


def find_targets(names: Iterable[str]) -> tuple[Target, ...]:
    """Return the targets of *names*, each of which may be a comma-separated list.

    Two names for one kind of object (``386`` and ``amd64`` are both x86 to the kernel's headers)
    give one target: the first. Raises TargetError for an unknown or an empty name.
    """
    found: dict[str, Target] = {}
    for name in (part.strip() for names_ in names for part in names_.split(",")):
        target = find_target(name)
        found.setdefault(target.suffix, target)
    return tuple(found.values())


def _native_target(machine: str) -> Target:
    if target := _target_of_machine(machine):
        return target
    raise TargetError(
        f"target 'native': this machine ({machine}) has no target of its own; "
        f"use bpf, or one of: {', '.join(TARGETS)}",
        target="native",
    )


def _target_of_machine(machine: str) -> Target | None:
    """Return the target whose own name for itself *machine* is, amd64 rather than 386.

    ``x86`` is what the kernel's headers, and so the files for amd64, call that one.
    """
    if machine in ("x86", "x64"):
        return TARGETS["amd64"]
    fits = (target for target in TARGETS.values() if machine in target.machines)
    return next((target for target in fits if target.name != "386"), None)
