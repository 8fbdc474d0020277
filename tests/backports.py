"""What scripts/install-system-packages unpacks of Debian's backports: a newer libbpf and kernel."""

import os
from pathlib import Path
from pwd import getpwnam

HOW = "scripts/install-system-packages backports unpacks it on Debian 12"


def _folder() -> Path:
    caller = os.environ.get("SUDO_USER", "root") if os.geteuid() == 0 else "root"
    home = Path(getpwnam(caller).pw_dir) if caller != "root" else Path.home()
    cache = os.environ.get("XDG_CACHE_HOME")
    return Path(cache) if cache else home / ".cache"


def newer_libbpf() -> Path | None:
    """Return a libbpf.so.1 that is newer than the system's, None where there is none."""
    found = _folder() / "ebpfgen/backports/libbpf.so.1"
    return found if found.exists() else None


def newer_kernel() -> Path | None:
    """Return a kernel image that is newer than the one the VM boots by default."""
    boot = _folder() / "ebpfgen/backports/kernel/boot"
    return next(iter(sorted(boot.glob("vmlinuz-*"))), None)
