"""The guest is what the other checks count on."""

import os
import platform
from pathlib import Path


def check_the_kernel_is_6_1_or_later() -> None:
    major, minor = platform.release().split(".")[:2]
    assert (int(major), int(minor)) >= (6, 1), platform.release()


def check_root_runs_the_checks() -> None:
    assert os.geteuid() == 0


def check_there_are_two_cpus() -> None:
    assert os.cpu_count() == 2


def check_kprobes_are_there() -> None:
    assert Path("/sys/bus/event_source/devices/kprobe/type").read_text().strip().isdigit()


def check_the_kernel_has_btf() -> None:
    assert Path("/sys/kernel/btf/vmlinux").read_bytes()[:2] == b"\x9f\xeb"


def check_tracefs_is_mounted() -> None:
    assert Path("/sys/kernel/tracing/kprobe_events").exists()
    assert "sys_enter_execve" in Path("/sys/kernel/tracing/available_events").read_text()


def check_the_host_sees_what_is_written() -> None:
    Path(os.environ["EBPFGEN_VM_SCRATCH"], "written-by-guest").write_text(platform.release())
