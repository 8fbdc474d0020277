"""Perf events run programs: clocks on each CPU, and counters that the caller opens."""

import errno
import os
from typing import Any

import pytest

from ebpfgen import runtime as rt
from ebpfgen.runtime.perf_events import online_cpus

from .conftest import Load, eventually


def switch(times: int) -> None:
    """Give up the CPU so often that the kernel counts it."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        for _ in range(times):
            os.read(read, 1)
        os._exit(0)
    for _ in range(times):
        os.write(write, b"x")
        os.sched_yield()
    os.waitpid(child, 0)
    os.close(read)
    os.close(write)


def test_the_clock_samples_every_cpu(load: Load) -> None:
    objs = load("perf_event")
    with objs.OnEvent.attach_sampling(frequency=999, cookie=3) as links:
        assert [link.target for link in links] == [
            f"the clock of CPU {cpu}" for cpu in online_cpus()
        ]
        assert eventually(lambda: all(objs.Counts.value[cpu] >= 5 for cpu in online_cpus()))
        assert objs.Cookie.value == 3
    assert links.closed
    before = objs.Counts.value
    os.sched_yield()
    assert objs.Counts.value == before, "sampled after its links were closed"


def test_a_cpu_that_is_not_there_leaves_nothing_attached(load: Load) -> None:
    objs = load("perf_event")
    with pytest.raises(rt.AttachError, match="the clock of CPU 4000: there is no such CPU"):
        objs.OnEvent.attach_sampling(frequency=99, cpus=[0, 4000])
    before = objs.Counts.value[0]
    for _ in range(200_000):
        pass
    assert objs.Counts.value[0] == before


def test_a_frequency_above_the_kernels_limit_is_named(load: Load) -> None:
    with pytest.raises(rt.AttachError, match=r"99999999 is more than .*max_sample_rate"):
        load("perf_event").OnEvent.attach_sampling(frequency=99_999_999)


def test_an_event_of_the_caller_stays_his(load: Load) -> None:
    def only_this(specs: Any) -> None:
        specs.OnlyPid.value = os.getpid()

    objs = load("perf_event", only_this)
    event = rt.open_perf_event(
        rt.PerfType.SOFTWARE, rt.SoftwareEvent.CONTEXT_SWITCHES, cpu=-1, pid=os.getpid(), period=1
    )
    with objs.OnEvent.attach(event) as link:
        switch(20)
        assert eventually(lambda: sum(objs.Counts.value))
        info = link.info
        assert info.type is rt.LinkType.PERF_EVENT
    os.close(event)  # raises if the link closed it
    counted = sum(objs.Counts.value)
    switch(20)
    assert sum(objs.Counts.value) == counted, "ran after its link was closed"


def test_what_is_no_perf_event_says_so(load: Load) -> None:
    objs = load("perf_event")
    read, write = os.pipe()
    with pytest.raises(rt.AttachError, match=f"perf event {read}: it is no perf event") as raised:
        objs.OnEvent.attach(read)
    assert raised.value.errno in (errno.EINVAL, errno.EBADF)
    os.close(read)
    os.close(write)
    with pytest.raises(rt.AttachError, match="EBADF"):
        objs.OnEvent.attach(read)
