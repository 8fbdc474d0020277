"""Runs loaded programs at once, by BPF_PROG_TEST_RUN."""

import ctypes
import os
import struct
from types import ModuleType
from typing import Any

_LIBBPF = ctypes.CDLL("libbpf.so.1", use_errno=True)
_ON_CPU = 1  # BPF_F_TEST_RUN_ON_CPU


class _Options(ctypes.Structure):
    """``struct bpf_test_run_opts``."""

    _fields_ = (
        ("sz", ctypes.c_size_t),
        ("data_in", ctypes.c_void_p),
        ("data_out", ctypes.c_void_p),
        ("data_size_in", ctypes.c_uint32),
        ("data_size_out", ctypes.c_uint32),
        ("ctx_in", ctypes.c_char_p),
        ("ctx_out", ctypes.c_void_p),
        ("ctx_size_in", ctypes.c_uint32),
        ("ctx_size_out", ctypes.c_uint32),
        ("retval", ctypes.c_uint32),
        ("repeat", ctypes.c_int),
        ("duration", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
        ("cpu", ctypes.c_uint32),
        ("batch_size", ctypes.c_uint32),
    )


def run(program: Any, context: bytes, *, cpu: int | None = None) -> int:
    """What the program returns when it is run with *context*, on one CPU if that matters."""
    options = _Options(sz=ctypes.sizeof(_Options), ctx_in=context, ctx_size_in=len(context))
    if cpu is not None:
        options.flags, options.cpu = _ON_CPU, cpu
    result: int = _LIBBPF.bpf_prog_test_run_opts(program.fd, ctypes.byref(options))
    if result < 0:
        raise OSError(-result, f"{program.name}: {os.strerror(-result)}")
    return int(options.retval)


class Producer:
    """Has the programs of buffers.c write."""

    def __init__(self, objs: Any, buffers: ModuleType) -> None:
        self._objs = objs
        self._order = buffers.BuffersOrder

    def events(self, count: int, *, first: int = 0, discard_every: int = 0, flags: int = 0) -> None:
        """Write events with the numbers from *first* on."""
        order = self._order(first, count, 0, discard_every, flags)
        run(self._objs.WriteEvents, order.pack())

    def numbers(self, count: int, *, first: int = 0) -> None:
        """Write bare numbers."""
        run(self._objs.WriteNumbers, self._order(first, count, 0, 0, 0).pack())

    def sized(self, size: int, *, number: int = 0) -> None:
        """Write a record of *size* bytes to each of events, notes and anything."""
        assert run(self._objs.WriteSized, self._order(number, 1, size, 0, 0).pack()) == 0

    def held(self, *, number: int = 0) -> None:
        """Write an event, but keep it reserved until the variable hold is zero."""
        assert run(self._objs.HoldOne, self._order(number, 1, 0, 0, 0).pack()) == 0

    def samples(self, count: int, *, first: int = 0, cpu: int = 0) -> None:
        """Write samples on a CPU."""
        run(self._objs.WriteSamples, struct.pack("3Q", first, count, 0), cpu=cpu)

    def sized_sample(self, size: int, *, number: int = 0, cpu: int = 0) -> int:
        """Write a sample of *size* bytes; what bpf_perf_event_output said."""
        context = struct.pack("3Q", number, 1, size)
        return ctypes.c_int32(run(self._objs.WriteSamples, context, cpu=cpu)).value
