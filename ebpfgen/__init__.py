"""eBPF for Python: BPF C in, typed Python modules out.

Importing this package imports nothing else, so that a program in production pays only for
:mod:`ebpfgen.runtime`, which is all that generated modules use.
"""

__version__ = "0.1.0"
