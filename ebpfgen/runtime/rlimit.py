"""The limit on locked memory, which older kernels charge BPF to."""

import os
import resource

from ebpfgen.runtime import kernel
from ebpfgen.runtime.errors import BpfError

_CHARGED_TO_CGROUP = (5, 11)


def remove_memlock() -> None:
    """Let this process lock as much memory as its programs and maps need.

    Since Linux 5.11 their memory is charged to the cgroup instead, and there is nothing to do.

    Raises BpfError on an older kernel if the process may not raise its own limit.
    """
    if kernel.release() >= _CHARGED_TO_CGROUP:
        return
    unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    try:
        resource.setrlimit(resource.RLIMIT_MEMLOCK, unlimited)
    except (OSError, ValueError) as error:
        raise BpfError(
            getattr(error, "errno", None) or 1,
            f"can't raise the limit on locked memory, which Linux {os.uname().release} charges "
            "maps to: run as root, or with CAP_SYS_RESOURCE, or set LimitMEMLOCK=infinity",
        ) from error


def memlock_hint() -> str:
    """Say that the limit on locked memory may be why; empty where it does not count or is off."""
    limit = resource.getrlimit(resource.RLIMIT_MEMLOCK)[0]
    if kernel.release() >= _CHARGED_TO_CGROUP or limit == resource.RLIM_INFINITY:
        return ""
    return (
        f"this process may lock {limit >> 10} KiB of memory, which Linux {os.uname().release} "
        "charges maps and programs to: call rt.remove_memlock() first"
    )
