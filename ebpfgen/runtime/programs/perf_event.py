"""Programs that run each time a perf event fires, such as a clock that samples each CPU."""

import errno
import os
from collections.abc import Callable, Iterable

from ebpfgen.runtime import kernel, perf_events
from ebpfgen.runtime._libbpf import attach as _attach
from ebpfgen.runtime._libbpf.library import CallError
from ebpfgen.runtime.handle import AttachableMember, Member
from ebpfgen.runtime.link import Link, Links, attach_all
from ebpfgen.runtime.perf_events import PerfType, SoftwareEvent
from ebpfgen.runtime.programs.base import Program


class PerfEvent(Program):
    """A program that runs when a perf event fires."""

    def attach(self, event: int, *, cookie: int = 0) -> Link:
        """Attach to a perf event, by a descriptor, which stays the caller's.

        ``rt.open_perf_event()`` opens one. *cookie* is what ``bpf_get_attach_cookie()`` returns
        (Linux 5.15). Closing the link stops the event.

        Raises AttachError if it is no perf event, or has a program already.
        """
        self._check_loaded()
        target = f"perf event {event}"
        own = -1
        try:
            own = os.dup(event)
            handle = self._while_open(_attach.attach_perf_event, own, cookie=cookie)
        except (CallError, OSError) as error:
            if own >= 0:
                os.close(own)
            reason = "it is no perf event" if error.errno in (errno.EBADF, errno.EINVAL) else ""
            raise self._error(error, target, reason) from error
        return self._link(handle, target)

    def attach_sampling(
        self,
        *,
        frequency: int,
        cpus: Iterable[int] | None = None,
        pid: int | None = None,
        cookie: int = 0,
    ) -> Links:
        """Run the program *frequency* times a second on each CPU, whatever runs there.

        *cpus* are those to sample, by default all that are online; *pid* is the only process to
        sample. The clock is the kernel's, so that it works in virtual machines too.

        Raises AttachError, with nothing attached, if one can't be: without CAP_PERFMON
        ``kernel.perf_event_paranoid`` decides.
        """
        self._check_loaded()
        wanted = perf_events.online_cpus() if cpus is None else cpus

        def sampler(cpu: int) -> Callable[[], Link]:
            return lambda: self._sample(cpu, -1 if pid is None else pid, frequency, cookie)

        return attach_all(sampler(cpu) for cpu in wanted)

    def _sample(self, cpu: int, pid: int, frequency: int, cookie: int) -> Link:
        target = f"the clock of CPU {cpu}"
        try:
            event = perf_events.open_perf_event(
                PerfType.SOFTWARE, SoftwareEvent.CPU_CLOCK, cpu=cpu, pid=pid, frequency=frequency
            )
        except OSError as error:
            raise self._error(error, target, _why_no_clock(error, cpu, pid, frequency)) from error
        try:
            handle = self._while_open(_attach.attach_perf_event, event, cookie=cookie)
        except CallError as error:
            os.close(event)
            raise self._error(error, target, kernel.too_old("a cookie", 5, 15)) from error
        return self._link(handle, target)


def _why_no_clock(error: OSError, cpu: int, pid: int, frequency: int) -> str:
    if error.errno == errno.ESRCH:
        return f"there is no process {pid}"
    if cpu not in perf_events.online_cpus():
        return "there is no such CPU online"
    if error.errno == errno.EINVAL:
        return f"{frequency} is more than /proc/sys/kernel/perf_event_max_sample_rate"
    if perf_events.paranoia() is None:
        return "this kernel is built without CONFIG_PERF_EVENTS"
    return ""


def perf_event(name: str) -> Member[PerfEvent]:
    """Declare a program of a perf event."""
    return AttachableMember(name, PerfEvent)
