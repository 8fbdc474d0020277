"""Why an object could not be opened or loaded, in one line that says what to do.

libbpf tells what failed in its log only, in words that have been the same since 1.0; why, is asked
of the kernel and of this process.
"""

import errno
import re
from collections.abc import Iterable
from dataclasses import dataclass

from ebpfgen.runtime import features, kernel, rlimit, verifier
from ebpfgen.runtime._libbpf import (
    maps as _maps,
    objects as _objects,
    probes as _probes,
    programs as _programs,
)
from ebpfgen.runtime._libbpf.library import CallError, describe
from ebpfgen.runtime.errors import LoadError, UnsupportedObjectError

_NO_PERMISSION = (errno.EPERM, errno.EACCES)
_KERNEL_BTF = "CONFIG_DEBUG_INFO_BTF"
_OTHER_BYTE_ORDER = 4003  # LIBBPF_ERRNO__ENDIAN
_POISON = 0xBAD2310  # what libbpf makes of a CO-RE relocation that failed: a call of this helper

_REFUSED_PROGRAM = re.compile(r"prog '([^']+)': failed to load")
_REFUSED_MAP = re.compile(r"map '([^']+)': failed to create")
_NO_TARGET = re.compile(r"failed to find kernel BTF type ID of '([^']+)'")
_NO_BTF = re.compile(r"failed to find valid kernel BTF|rror loading vmlinux BTF|BTF is missing at")
_BAD_BTF_FILE = "failed to parse target BTF"
_NO_KSYM = re.compile(r"extern \((?:func|var) ksym\) '([^']+)': not found")
_NO_KCONFIG = re.compile(r"extern '([^']+)' \(strong\): not resolved")
_NO_CONFIGURATION = "failed to open system Kconfig"

_NOT_BPF_FILESYSTEM = re.compile(r"specified path (.+) is not on BPF FS")
_OTHER_MAP_PINNED = re.compile(r"couldn't reuse pinned map at '(.+)': parameter mismatch")
_NOT_PINNED = re.compile(r"(?:failed to auto-pin at|couldn't retrieve pinned map) '(.+)'")

_NO_RELOCATION = re.compile(r"failed to resolve CO-RE relocation <(\w+)> \[\d+\] (.+?)(?: \(|$)")
_NO_HELPER = re.compile(r"invalid func \w+#(\d+)")
_NOT_FOR_TYPE = re.compile(r"(?:unknown func|program of this type cannot use helper) (\w+)#")
_NO_GPL = re.compile(r"GPL.restricted|GPL.compatible")

# Said whatever it was.
_SAYS_NOTHING = re.compile(
    r"failed to load object|failed to load: -\d+|failed to prepare load attributes"
    r"|BPF program load failed|Retrying without BTF"
    r"|error parsing in-memory Kconfig"
)


@dataclass(frozen=True, slots=True)
class _Failure:
    """What failed, of which object. ``program`` and ``map`` are empty if it was neither."""

    name: str
    pointer: int
    errno: int
    log: str
    program: str = ""
    map: str = ""
    verifier_log: str = ""

    @property
    def reason(self) -> str:
        return describe(self.errno)

    @property
    def refusal(self) -> verifier.Refusal:
        return verifier.refusal(self.verifier_log)

    def error(self, reason: str, *, lacks: str = "") -> LoadError:
        """Return the exception; *lacks* names what this kernel or this libbpf has not got."""
        subject = self.name
        if self.program or self.map:
            kind = "program" if self.program else "map"
            subject = f"{kind} {self.program or self.map} of {self.name}"
        error = (UnsupportedObjectError if lacks else LoadError)(
            self.errno,
            f"can't load {subject}: {reason}",
            self.verifier_log,
            self.log,
            program=self.program,
            map=self.map,
            source=self.refusal.source,
            place=self.refusal.place,
        )
        if isinstance(error, UnsupportedObjectError):
            error.lacks = lacks
        return error

    def lacking(self, feature: features.Feature) -> LoadError:
        """Return the exception for a feature this kernel has not got."""
        return self.error(_missing(feature.name, feature), lacks=feature.name)


def open_error(name: str, error: CallError) -> LoadError:
    """Return the exception for an object that libbpf can't read."""
    last = _last_line(error.log)
    reason = f"is not an object that this libbpf reads: {last or error}"
    if "BTF is required" in error.log:
        reason = "has no BTF, which its maps are defined in: compile it with -g"
    elif error.errno == _OTHER_BYTE_ORDER:
        reason = f"is for machines of the other byte order, and this is {kernel.machine()}"
    return LoadError(error.errno, f"{name} {reason}", log=error.log)


def load_error(name: str, pointer: int, error: CallError) -> LoadError:
    """Return the exception for an object, by libbpf's handle of it, that could not be loaded."""
    program = _found(_REFUSED_PROGRAM, error.log)
    failure = _Failure(
        name,
        pointer,
        error.errno,
        error.log,
        program=program,
        map="" if program else _found(_REFUSED_MAP, error.log),
        verifier_log=verifier.logs(error.log).get(program, ""),
    )
    for answer in (_of_verifier, _of_btf, _of_extern, _of_pin, _of_map, _of_program, _of_process):
        if found := answer(failure):
            return found
    last = _last_line(error.log)
    return failure.error(f"{error}; libbpf says: {last}" if last else str(error))


def _of_verifier(failure: _Failure) -> LoadError | None:
    refusal = failure.refusal
    if not refusal.reason:
        return None
    if missing := _NO_RELOCATION.search(refusal.reason):
        what = "enum_value" if "enumval" in missing[1] else "field"
        told = f"this kernel has no {missing[2]}; ask bpf_core_{what}_exists() before it is used"
        return failure.error(f"{told}{_at(refusal)}", lacks=missing[2])
    if unknown := _NO_HELPER.search(refusal.reason):
        return _unknown_helper(failure, int(unknown[1]))
    told = f"the verifier says: {refusal}"
    if wrong := _NOT_FOR_TYPE.search(refusal.reason):
        kind = _program_kind(failure)
        told = f"{_article(kind)} program can't call {wrong[1]}(){_at(refusal)}"
    elif _NO_GPL.search(refusal.reason):
        told += '; declare char LICENSE[] SEC("license") = "GPL"'
    if kernel.missing_capabilities("CAP_PERFMON"):
        told += "; it allows less to this process, which lacks CAP_PERFMON"
    return failure.error(told)


def _unknown_helper(failure: _Failure, number: int) -> LoadError:
    helper = features.helper(number)
    at = _at(failure.refusal)
    if number == _POISON:
        return failure.error(f"a CO-RE relocation fits nothing in this kernel{at}", lacks="BTF")
    if helper is None:
        return failure.error(f"this kernel has no helper {number}{at}", lacks=f"helper {number}")
    return failure.error(_missing(f"{helper.name}()", helper) + at, lacks=helper.name)


def _of_btf(failure: _Failure) -> LoadError | None:
    if _BAD_BTF_FILE in failure.log:
        return failure.error("the file that btf= names holds no types of a kernel")
    if not _NO_BTF.search(failure.log):
        return None
    return failure.error(
        f"this kernel does not say what its types are ({kernel.BTF}): pass btf= with a file of "
        f"them if CO-RE alone needs them, or run a kernel with {_KERNEL_BTF}",
        lacks=_KERNEL_BTF,
    )


def _of_extern(failure: _Failure) -> LoadError | None:
    if name := _found(_NO_KSYM, failure.log):
        close = _close(kernel.similar_functions(name), name)
        return failure.error(f"this kernel has no {name} for programs to use{close}", lacks=name)
    if name := _found(_NO_KCONFIG, failure.log):
        told = f"this kernel's configuration has no {name}: declare it __weak, or pass kconfig="
        return failure.error(told, lacks=name)
    if _NO_CONFIGURATION in failure.log:
        return failure.error("this kernel does not say how it was configured: pass kconfig=")
    return None


def _of_pin(failure: _Failure) -> LoadError | None:
    if path := _found(_NOT_BPF_FILESYSTEM, failure.log):
        return failure.error(
            f"it is to be pinned at {path}, which is not on a BPF filesystem: mount -t bpf bpf "
            "/sys/fs/bpf, or pass pin_root= with a folder of one"
        )
    if path := _found(_OTHER_MAP_PINNED, failure.log):
        return failure.error(
            f"a map of another type or size is pinned at {path}: remove that file if nothing uses "
            "it, or pass another pin_root="
        )
    if path := _found(_NOT_PINNED, failure.log):
        return failure.error(f"can't pin it at {path}, or use what is there: {failure.reason}")
    return None


def _of_map(failure: _Failure) -> LoadError | None:
    pointers = {_objects.map_name(p): p for p in _objects.maps(failure.pointer)}
    if failure.map not in pointers:  # nor are data sections, whose names libbpf cuts
        return None
    number, key, value, entries = _maps.facts(pointers[failure.map])
    feature = features.map_type(number)
    if failure.errno in _NO_PERMISSION:
        return failure.error(_no_permission(feature.capabilities if feature else ()))
    settings = f"{_kind(feature, number)}, key {key} and value {value} bytes, {entries} entries"
    if failure.errno in (errno.E2BIG, errno.ENOMEM):
        told = f"the kernel finds it too large: {settings}"
        return failure.error("; ".join(filter(None, (told, rlimit.memlock_hint()))))
    if feature and _lacks(feature, _probes.has_map_type(number)):
        return failure.lacking(feature)
    if failure.errno == errno.EINVAL:
        zero = "; max_entries is 0" if not entries else ""
        return failure.error(f"the kernel refuses these settings: {settings}{zero}")
    return None


def _of_program(failure: _Failure) -> LoadError | None:
    if not failure.program:
        return None
    number = _program_type(failure)
    feature = features.program_type(number)
    if target := _found(_NO_TARGET, failure.log):
        return _no_target(failure, target)
    if failure.errno in _NO_PERMISSION:
        return failure.error(_no_permission(feature.capabilities if feature else ()))
    if feature and _lacks(feature, _probes.has_program_type(number)):
        return failure.lacking(feature)
    return None


def _no_target(failure: _Failure, target: str) -> LoadError:
    section = _programs.section(_objects.find_program(failure.pointer, failure.program))
    kind = section.lstrip("?").split("/")[0].split(".")[0].split("+")[0]
    # Prefixes of the functions that stand for them: include/linux/bpf_lsm.h, bpf.h.
    prefix = {"lsm": "bpf_lsm_", "lsm_cgroup": "bpf_lsm_", "iter": "bpf_iter_"}.get(kind, "")
    if kind == "tp_btf":
        names = kernel.similar_tracepoints(target)
    else:
        names = kernel.similar_functions(target, prefix=prefix)
    told = f"SEC({section!r}) names {target}, which this kernel's types do not have"
    if target in names:
        return failure.error(f"{told}: it was inlined, or is of a module without BTF")
    return failure.error(told + _close(names, target))


def _of_process(failure: _Failure) -> LoadError | None:
    if failure.errno == errno.ENOSYS or features.config("CONFIG_BPF_SYSCALL") == "n":
        return failure.error("this kernel has no BPF", lacks="CONFIG_BPF_SYSCALL")
    if failure.errno in _NO_PERMISSION:
        types = [_objects.program_type(p) for p in _objects.programs(failure.pointer)]
        known = [feature for number in types if (feature := features.program_type(number))]
        return failure.error(_no_permission(c for feature in known for c in feature.capabilities))
    return None


def _no_permission(capabilities: Iterable[str]) -> str:
    """Say why BPF that takes these capabilities beside CAP_BPF is not allowed."""
    needed = dict.fromkeys(("CAP_BPF", *capabilities))
    if not kernel.missing_capabilities(*needed) and (hint := rlimit.memlock_hint()):
        return hint
    return kernel.permission_hint(*needed)


def _program_type(failure: _Failure) -> int:
    return _objects.program_type(_objects.find_program(failure.pointer, failure.program))


def _program_kind(failure: _Failure) -> str:
    number = _program_type(failure)
    return _kind(features.program_type(number), number)


def _kind(feature: features.Feature | None, number: int) -> str:
    """Return ``ringbuf`` of BPF_MAP_TYPE_RINGBUF."""
    return feature.name.split("_TYPE_")[1].lower() if feature else f"type {number}"


def _lacks(feature: features.Feature, probed: bool | None) -> bool:
    """Return whether the kernel lacks a type that libbpf found to be there, or not, or neither."""
    if probed is None:  # it is newer than libbpf
        return kernel.release() < feature.since
    # With all it takes in the kernel, the probe failed for the reason that the object did.
    return not probed and bool(features.why_lacking(feature))


def _missing(name: str, feature: features.Feature) -> str:
    why = features.why_lacking(feature)
    return f"this kernel has no {name}{': ' if why else ''}{why}"


def _article(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeioux' else 'a'} {noun}"


def _at(refusal: verifier.Refusal) -> str:
    return f", at {refusal.where}" if refusal.where else ""


def _close(names: Iterable[str], wanted: str) -> str:
    others = [name for name in names if name != wanted]
    return f"; close: {', '.join(others)}" if others else ""


def _found(pattern: re.Pattern[str], log: str) -> str:
    match = pattern.search(log)
    return match[1] if match else ""


def _last_line(log: str) -> str:
    """Return the last thing libbpf said that tells something."""
    lines = [line.removeprefix("libbpf: ").strip() for line in log.splitlines()]
    telling = [line for line in lines if line and not _SAYS_NOTHING.search(line)]
    return telling[-1] if telling else ""
