"""What can't be loaded says why, and what to do: C beside the error it gets."""

import errno
import os
import pickle
import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from ebpfgen import runtime as rt
from ebpfgen.runtime import features, kernel, rlimit
from ebpfgen.runtime._libbpf import probes
from ebpfgen.runtime._libbpf.library import CallError
from ebpfgen.runtime.load_errors import load_error
from tests.building import REPOSITORY, map_definition, program_definition
from tests.runtime.conftest import need_kernel, need_own_mounts
from tests.runtime.snippets import open_c, refusal

PLACES_SINCE = (6, 9)  # of Linux: the verifier names the file and line of C

pytestmark = pytest.mark.usefixtures("bpf")


class TestVerifier:
    def test_it_is_quoted_with_the_line_of_c(self) -> None:
        error = refusal(
            map_definition("counts", "u64", type="HASH", entries=4)
            + """
SEC("tc") int careless(struct __sk_buff *skb)
{
	u32 zero = 0;
	u64 *value = bpf_map_lookup_elem(&counts, &zero);
	return *value;
}
""",
            errno=errno.EACCES,
        )
        place = "prog.c:18" if kernel.release() >= PLACES_SINCE else ""
        assert str(error) == (
            "can't load program careless of snippet: the verifier says: R0 invalid mem access "
            f"'map_value_or_null', at {place}{': ' if place else ''}return *value;"
        )
        assert (error.program, error.map) == ("careless", "")
        assert (error.source, error.place) == ("return *value;", place)
        assert "call bpf_map_lookup_elem" in error.verifier_log
        assert "careless" in error.log
        assert not isinstance(error, rt.NotSupportedError)

    def test_states_after_the_reason_are_left_out(self) -> None:
        error = refusal(
            """
SEC("tc") int endless(struct __sk_buff *skb)
{
	for (;;)
		bpf_get_prandom_u32();
}
""",
            errno=errno.EINVAL,
        )
        reason = r"says: infinite loop detected at insn \d+, at (prog.c:\d+: )?for \(;;\)$"
        assert re.search(reason, str(error))

    def test_all_of_its_reasons_are_quoted(self) -> None:
        error = refusal(
            """
SEC("xdp") int peek(struct xdp_md *ctx)
{
	return *(u8 *)(long) ctx->data;
}
""",
            errno=errno.EACCES,
        )
        assert "invalid access to packet, off=0 size=1" in str(error)
        assert "; R1 offset is outside of the packet, at " in str(error)

    def test_each_program_has_its_own_log(self) -> None:
        good = '\nSEC("tc") int good(void *ctx) { return bpf_get_prandom_u32(); }\n'
        bad = '\nSEC("tc") int bad(u64 *ctx) { return ctx[999]; }\n'
        error = refusal(good + bad, errno=errno.EACCES, log_level=2)
        assert error.program == "bad"
        assert "says: invalid bpf_context access off=7992 size=8, at " in str(error)
        assert "bpf_get_prandom_u32" in error.log
        assert "bpf_get_prandom_u32" not in error.verifier_log

    def test_a_license_is_asked_for(self) -> None:
        source = """
#include "common.h"
#include <bpf/bpf_helpers.h>
char __license[] SEC("license") = "Proprietary";
SEC("raw_tp/sys_enter") int task(void *ctx) { return bpf_get_current_task() != 0; }
"""
        error = refusal(source, errno=errno.EINVAL, preamble="")
        assert 'declare char LICENSE[] SEC("license") = "GPL"' in str(error)

    def test_a_helper_of_other_kinds_is_named(self) -> None:
        source = 'SEC("xdp") int other(void *ctx) { return bpf_skb_load_bytes(ctx, 0, 0, 0); }'
        error = refusal(source, errno=errno.EINVAL)
        assert "an xdp program can't call bpf_skb_load_bytes(), at " in str(error)


class TestWhatTheKernelLacks:
    def test_a_member_of_a_struct(self) -> None:
        error = refusal(
            """
struct task_struct {
	int no_such_member;
} __attribute__((preserve_access_index));
SEC("raw_tp/sys_enter") int task(void *ctx)
{
	struct task_struct *task = (void *) bpf_get_current_task();
	int value;

	bpf_probe_read_kernel(&value, sizeof(value), &task->no_such_member);
	return value;
}
""",
            errno=errno.EINVAL,
        )
        assert isinstance(error, rt.UnsupportedObjectError)
        assert error.lacks == "struct task_struct.no_such_member"
        assert (
            "this kernel has no struct task_struct.no_such_member; ask bpf_core_field_exists() "
            "before it is used, at " in str(error)
        )

    def test_a_value_of_an_enum(self) -> None:
        error = refusal(
            """
#include <bpf/bpf_core_read.h>
enum hrtimer_restart { NO_SUCH_VALUE = 1 };
SEC("tc") int value(void *ctx)
{
	return bpf_core_enum_value(enum hrtimer_restart, NO_SUCH_VALUE);
}
""",
            errno=errno.EINVAL,
        )
        assert isinstance(error, rt.UnsupportedObjectError)
        assert "no enum hrtimer_restart::NO_SUCH_VALUE" in str(error)
        assert "; ask bpf_core_enum_value_exists()" in str(error)

    def test_a_helper_it_does_not_know(self) -> None:
        error = refusal(
            """
static long (*newest)(void) = (void *) 9999;
SEC("tc") int call(void *ctx) { return newest(); }
""",
            errno=errno.EINVAL,
        )
        assert isinstance(error, rt.NotSupportedError)
        assert "this kernel has no helper 9999, at " in str(error)

    def test_a_kernel_function(self) -> None:
        error = refusal(
            """
extern int bpf_no_such_kfunc(void) __ksym;
SEC("tc") int call(void *ctx) { return bpf_no_such_kfunc(); }
""",
            errno=errno.EINVAL,
        )
        assert isinstance(error, rt.UnsupportedObjectError)
        assert error.lacks == "bpf_no_such_kfunc"
        assert "this kernel has no bpf_no_such_kfunc for programs to use" in str(error)

    def test_an_option_of_its_configuration(self) -> None:
        error = refusal(
            """
extern int CONFIG_NO_SUCH_OPTION __kconfig;
SEC("tc") int option(void *ctx) { return CONFIG_NO_SUCH_OPTION; }
""",
            errno=errno.ESRCH,
        )
        assert isinstance(error, rt.UnsupportedObjectError)
        assert "has no CONFIG_NO_SUCH_OPTION: declare it __weak, or pass kconfig=" in str(error)

    def test_its_types(self, tmp_path: Path) -> None:
        done = run_without_btf('SEC("tp_btf/sys_enter") int typed(void *ctx) { return 0; }')
        assert (
            "UnsupportedObjectError: can't load snippet: this kernel does not say what its types "
            "are (/sys/kernel/btf/vmlinux): pass btf= " in done.stderr
        )
        assert "CONFIG_DEBUG_INFO_BTF" in done.stderr

    def test_a_type_of_program_it_was_built_without(self) -> None:
        if features.config("CONFIG_BPF_LIRC_MODE2") != "n":
            pytest.skip("this kernel has LIRC programs, the type that is most often left out")
        error = refusal(program_definition("remote", "lirc_mode2"), errno=errno.EINVAL)
        assert isinstance(error, rt.UnsupportedObjectError)
        assert error.lacks == "BPF_PROG_TYPE_LIRC_MODE2"
        assert str(error) == (
            "can't load program remote of snippet: this kernel has no BPF_PROG_TYPE_LIRC_MODE2: "
            "it was built without CONFIG_BPF_LIRC_MODE2"
        )

    def test_a_kind_of_program_libbpf_does_not_know(self) -> None:
        error = refusal(
            program_definition("odd", "no_such_kind/x"), errno=errno.EINVAL, closes=False
        )
        assert isinstance(error, rt.UnsupportedObjectError)
        assert "does not know SEC('no_such_kind/x'): correct it" in str(error)
        assert error.program == "odd"


class TestTargets:
    def test_a_function_with_a_name_that_is_close(self) -> None:
        error = refusal(program_definition("enter", "fentry/do_unlinkat2"), errno=errno.ESRCH)
        assert (
            "program enter of snippet: SEC('fentry/do_unlinkat2') names do_unlinkat2, which this "
            "kernel's types do not have; close: do_unlinkat" in str(error)
        )

    def test_a_hook_of_security_modules(self) -> None:
        error = refusal(program_definition("hook", "lsm/file_opened"), errno=errno.ESRCH)
        assert re.search(r"close: .*\bfile_open\b", str(error))

    def test_a_tracepoint(self, tracefs: None) -> None:
        error = refusal(program_definition("typed", "tp_btf/sched_swich"), errno=errno.ESRCH)
        assert re.search(r"close: .*\bsched_switch\b", str(error))


class TestMaps:
    def test_one_that_is_too_large(self) -> None:
        huge = map_definition("huge", "u64", type="HASH", entries=1 << 31)
        error = refusal(huge, errno=errno.E2BIG)
        assert str(error) == (
            "can't load map huge of snippet: the kernel finds it too large: "
            "hash, key 4 and value 8 bytes, 2147483648 entries"
        )
        assert (error.map, error.program) == ("huge", "")

    def test_settings_that_are_refused_are_named(self) -> None:
        error = refusal(map_definition("none", "u64", type="HASH", entries=0), errno=errno.EINVAL)
        assert "refuses these settings: hash, key 4 and value 8 bytes, 0 entries; " in str(error)


NEEDS = [
    ("tc", program_definition("tc_program", "tc"), ["CAP_NET_ADMIN"]),
    ("tracepoint", program_definition("traced", "tp/sched/sched_switch"), ["CAP_PERFMON"]),
    ("devmap", map_definition("devices", "u32", type="DEVMAP"), ["CAP_NET_ADMIN"]),
    ("nothing", map_definition("plain", "u32"), []),
]


class TestPermission:
    @pytest.mark.parametrize(("kind", "source", "needs"), NEEDS, ids=[kind for kind, *_ in NEEDS])
    def test_what_is_missing_beside_cap_bpf_is_named(
        self, kind: str, source: str, needs: list[str]
    ) -> None:
        done = run_with_capabilities("+bpf", source)
        if not needs:
            assert done.stdout == "loaded\n", done.stderr
            return
        assert f"this process lacks {' and '.join(needs)}: run it as root" in done.stderr
        every = ",".join(f"+{need_.removeprefix('CAP_').lower()}" for need_ in needs)
        assert run_with_capabilities(f"+bpf,{every}", source).stdout == "loaded\n"

    def test_everything_is_missing(self) -> None:
        done = run_with_capabilities("-bpf", program_definition("tc_program", "tc"))
        assert "this process lacks CAP_BPF and CAP_NET_ADMIN: run it as root" in done.stderr

    def test_a_user_namespace_is_no_help(self) -> None:
        program = load_program(program_definition("traced", "tp/sched/sched_switch"))
        done = run(["unshare", "--user", "--map-root-user"], program)
        if "unshare failed" in done.stderr:
            need_kernel(done.stderr.strip())
        assert "in a user namespace, whose capabilities do not count here" in done.stderr

    def test_nothing_is_missing(self) -> None:
        hint = kernel.permission_hint("CAP_BPF", "CAP_PERFMON", "CAP_NET_ADMIN")
        assert hint.startswith("this process has the capabilities, so a security module")

    def test_the_verifier_is_stricter_without_perfmon(self) -> None:
        source = 'SEC("tc") int task(void *ctx) { return bpf_get_current_task() > 0; }'
        done = run_with_capabilities("+bpf,+net_admin", source)
        assert "a sched_cls program can't call bpf_get_current_task()" in done.stderr
        assert "lacks CAP_PERFMON" in done.stderr

    def test_the_ulimit_is_not_blamed(self) -> None:
        done = run_with_capabilities("+bpf", program_definition("tc_program", "tc"))
        assert "ulimit" not in done.stderr


class TestOpening:
    def test_without_debug_information(self) -> None:
        with pytest.raises(rt.LoadError, match=r"snippet has no BTF, .*: compile it with -g"):
            open_c(map_definition("counts", "u64"), "-g0")

    @pytest.mark.parametrize("data", [b"", b"\x7fELF", b"no object " * 100])
    def test_what_is_no_object(self, data: bytes) -> None:
        with pytest.raises(rt.LoadError, match="broken is not an object that this libbpf reads"):
            rt.CollectionSpec(data, "broken", rt.Collection)

    def test_a_definition_libbpf_does_not_know(self) -> None:
        source = """
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(no_such_attribute, 1);
} odd SEC(".maps");
"""
        with pytest.raises(rt.LoadError, match="map 'odd': unknown field 'no_such_attribute'"):
            open_c(source)


def test_an_error_with_all_its_parts_survives_pickling() -> None:
    error = refusal(program_definition("odd", "no_such_kind"), errno=errno.EINVAL, closes=False)
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is rt.UnsupportedObjectError
    assert (str(copy), copy.log, copy.program, copy.lacks) == (
        str(error),
        error.log,
        "odd",
        "no_such_kind",
    )


def load_program(source: str) -> str:
    """Python that loads C and says so."""
    return (
        "from tests.runtime.snippets import open_c\n"
        f"with open_c({source!r}).load():\n    print('loaded')\n"
    )


def run(prefix: list[str], program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*prefix, sys.executable, "-c", program],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )


def run_with_capabilities(kept: str, source: str) -> subprocess.CompletedProcess[str]:
    drop = [f"--bounding-set=-all,{kept}", "--inh-caps=-all", "--ambient-caps=-all"]
    return run(["setpriv", *drop], load_program(source))


def run_without_btf(source: str) -> subprocess.CompletedProcess[str]:
    """Load C where the kernel does not show its types."""
    need_own_mounts()
    hide = 'mount -t tmpfs tmpfs /sys/kernel/btf && exec "$@"'
    return run(["unshare", "--mount", "sh", "-c", hide, "sh"], load_program(source))


class TestOtherKernels:
    """What libbpf said of objects on kernels that do not run these tests."""

    @pytest.fixture(autouse=True)
    def old(self, monkeypatch: pytest.MonkeyPatch) -> None:
        name = os.uname_result(("Linux", "host", "5.10.0-32-amd64", "#1", "x86_64"))
        monkeypatch.setattr(os, "uname", lambda: name)

    def error(self, source: str, number: int, log: str) -> rt.LoadError:
        """Return the error for an object that was refused with this log."""
        with open_c(source) as specs, specs._handle.held() as pointer:
            return load_error("snippet", pointer, CallError(number, log))

    def test_a_helper_that_came_later(self) -> None:
        error = self.error(
            program_definition("tai", "tc"),
            errno.EINVAL,
            """\
libbpf: prog 'tai': BPF program load failed: Invalid argument
libbpf: prog 'tai': -- BEGIN PROG LOAD LOG --
arg#0 type is not a struct
Unrecognized arg#0 type PTR
; return bpf_ktime_get_tai_ns();
0: (85) call unknown#208
invalid func unknown#208
processed 1 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0
-- END PROG LOAD LOG --
libbpf: prog 'tai': failed to load: -22
libbpf: failed to load object 'snippet'
""",
        )
        assert isinstance(error, rt.UnsupportedObjectError)
        assert error.lacks == "bpf_ktime_get_tai_ns"
        assert str(error) == (
            "can't load program tai of snippet: this kernel has no bpf_ktime_get_tai_ns(): that "
            "came with Linux 6.1, and this is 5.10.0-32-amd64, at return bpf_ktime_get_tai_ns();"
        )

    def test_a_helper_of_other_kinds(self) -> None:
        error = self.error(
            program_definition("other", "xdp"),
            errno.EINVAL,
            """\
libbpf: prog 'other': -- BEGIN PROG LOAD LOG --
3: (85) call bpf_skb_load_bytes#26
unknown func bpf_skb_load_bytes#26
-- END PROG LOAD LOG --
libbpf: prog 'other': failed to load: -22
""",
        )
        assert str(error).endswith("an xdp program can't call bpf_skb_load_bytes()")

    def test_a_relocation_that_libbpf_does_not_explain(self) -> None:
        error = self.error(
            program_definition("moved", "tc"),
            errno.EINVAL,
            """\
libbpf: prog 'moved': -- BEGIN PROG LOAD LOG --
0: (85) call unknown#195896080
invalid func unknown#195896080
-- END PROG LOAD LOG --
libbpf: prog 'moved': failed to load: -22
""",
        )
        assert str(error).endswith("a CO-RE relocation fits nothing in this kernel")

    def test_a_map_that_is_newer_than_libbpf(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(probes, "has_map_type", lambda _: None)
        error = self.error(
            'struct { __uint(type, 33); __uint(max_entries, 4); } arena SEC(".maps");',
            errno.EINVAL,
            "libbpf: map 'arena': failed to create: Invalid argument(-22)\n",
        )
        assert isinstance(error, rt.UnsupportedObjectError)
        assert "BPF_MAP_TYPE_ARENA: that came with Linux 6.9, and this is 5.10.0" in str(error)

    def test_memory_that_may_not_be_locked(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(resource, "getrlimit", lambda _: (64 << 10, 64 << 10))
        source = map_definition("large", "u64", entries=1 << 18)
        log = """\
libbpf: map 'large': failed to create: Operation not permitted(-1)
libbpf: permission error while running as root; try raising 'ulimit -l'? current value: 64.0 KiB
"""
        error = self.error(source, errno.EPERM, log)
        assert "this process may lock 64 KiB of memory, which Linux 5.10.0" in str(error)
        assert str(error).endswith("call rt.remove_memlock() first")
        monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY,) * 2)
        assert "memlock" not in str(self.error(source, errno.EPERM, log))


def test_memory_is_not_limited_on_kernels_that_charge_it_to_the_cgroup(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (64 << 10, 64 << 10))
    monkeypatch.setattr(kernel, "release", lambda: (5, 11))
    assert rlimit.memlock_hint() == ""
