"""How a facade chooses among the variants that were generated."""

import importlib
import os
import sys
from types import ModuleType
from typing import NamedTuple

from ebpfgen.runtime import kernel
from ebpfgen.runtime.errors import NoVariantError


class Variant(NamedTuple):
    """A generated module and what it fits: a byte order, and the machines of ``uname -m``.

    No machines means every one of that byte order.
    """

    module: str
    byte_order: str
    machines: tuple[str, ...] = ()


def import_variant(facade: str, package: str | None, variants: tuple[Variant, ...]) -> ModuleType:
    """Import the first of *variants* that fits this machine.

    *package* is that of the facade: empty where it lies in a plain folder, which is then where its
    variants are found. Raises NoVariantError naming the machine and what there is.
    """
    machine = os.uname().machine
    for variant in variants:
        fits_machine = not variant.machines or machine in variant.machines
        if variant.byte_order == sys.byteorder and fits_machine:
            name = f"{package}.{variant.module}" if package else variant.module
            return importlib.import_module(name)
    present = ", ".join(
        f"{variant.module} ({variant.machines[0] if variant.machines else variant.byte_order})"
        for variant in variants
    )
    raise NoVariantError(
        f"{facade}: no variant fits this machine ({kernel.machine()}); there is {present}; "
        "generate one with ebpfgen generate --target native",
        name=facade,
    )
