"""The one folder that touches libbpf, a module for each of its kinds of object.

Handles are addresses (``int``) of libbpf's own structures. Every function raises
:class:`~ebpfgen.runtime._libbpf.library.CallError`; what it means for a program, its callers know.
"""
