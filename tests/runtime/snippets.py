"""Objects made of C that stands in a test."""

from typing import Any

import pytest

from ebpfgen import runtime as rt
from tests.building import PREAMBLE, compile_c

Specs = rt.CollectionSpec[rt.Collection]


def open_c(source: str, *flags: str, preamble: str = PREAMBLE, **options: Any) -> Specs:
    """Open what clang makes of C, by the name ``snippet``."""
    data = compile_c(preamble + source, "bpfel", *flags)
    return rt.CollectionSpec(data, "snippet", rt.Collection, **options)


def refusal(source: str, *, errno: int, closes: bool = True, **options: Any) -> rt.LoadError:
    """Return the error for C that the kernel, or libbpf, does not load; it is one line.

    Unless it *closes* the specs, they can be changed and loaded again.
    """
    specs = open_c(source, **options)
    with pytest.raises(rt.LoadError) as raised:
        specs.load().close()
    assert raised.value.errno == errno
    assert "\n" not in str(raised.value)
    assert specs.closed == closes
    specs.close()
    return raised.value
