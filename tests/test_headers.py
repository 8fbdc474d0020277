"""The C headers in ``headers/`` compile for every target, and say what the kernel says.

Everything here runs the real clang on real programs. ``-I headers`` is the only include path
unless a test is about another one.
"""

import functools
import re
import shutil
import struct
import subprocess
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

HEADERS = Path(__file__).resolve().parent.parent / "headers"
LIBBPF = ["bpf_core_read.h", "bpf_endian.h", "bpf_helpers.h", "bpf_tracing.h", "usdt.bpf.h"]


@dataclass(frozen=True)
class Target:
    """A byte order, an architecture ("" for none) and what PT_REGS_PARM2 reads there.

    ``parm2`` is a CO-RE access: the struct that the loader looks for in the kernel's BTF, and the
    path to the member in ours, as indices (``0:13`` is member 13, ``0:0:5`` is ``regs[5]``).
    """

    arch: str
    endian: str
    parm2: tuple[str, str] = ("", "")

    def __str__(self) -> str:
        return f"{self.endian}-{self.arch or 'generic'}"


TARGETS = [
    Target("x86", "bpfel", ("pt_regs", "0:13")),
    Target("arm", "bpfel", ("pt_regs", "0:0:1")),
    Target("arm64", "bpfel", ("user_pt_regs", "0:0:1")),
    Target("loongarch", "bpfel", ("user_pt_regs", "0:0:5")),
    Target("riscv", "bpfel", ("user_regs_struct", "0:11")),
    Target("powerpc", "bpfel", ("pt_regs", "0:0:1:0:4")),
    Target("mips", "bpfeb", ("pt_regs", "0:0:5")),
    Target("powerpc", "bpfeb", ("pt_regs", "0:0:1:0:4")),
    Target("s390", "bpfeb", ("user_pt_regs", "0:2:3")),
]
GENERIC = [Target("", "bpfel"), Target("", "bpfeb")]
ARCHES = {target.arch: target for target in TARGETS}

KPROBE = """
char __license[] SEC("license") = "Dual MIT/GPL";

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __type(key, u32);
    __type(value, u64);
    __uint(max_entries, 1);
} kprobe_map SEC(".maps");

SEC("kprobe/sys_execve")
int kprobe_execve(struct pt_regs *ctx) {
    u32 key = 0;
    u64 *count = bpf_map_lookup_elem(&kprobe_map, &key);
    if (count)
        __sync_fetch_and_add(count, 1);
    return 0;
}
"""

OPENAT = """
char __license[] SEC("license") = "Dual MIT/GPL";

SEC("kprobe/do_sys_openat2")
int kprobe_openat2(struct pt_regs *ctx) {
    u32 pid = bpf_get_current_pid_tgid() >> 32;
    char filename[20];
    const char *fp = (char *)PT_REGS_PARM2(ctx);
    long err = bpf_probe_read_user_str(filename, sizeof(filename), fp);
    bpf_printk("pid:%d,filename:%s,err:%ld", pid, filename, err);
    return 0;
}
"""

KPROBE_INCLUDES = {
    "common first": ['"common.h"', "<bpf/bpf_helpers.h>"],
    "common last": ["<bpf/bpf_helpers.h>", '"common.h"'],
    "no common": ["<bpf/bpf_helpers.h>"],
    "quoted": ['"common.h"', '"bpf_helpers.h"'],
    "quoted, no common": ['"bpf_helpers.h"'],
    "everything": ['"bpf_endian.h"', '"bpf_core_read.h"', "<bpf/bpf_helpers.h>"],
}
OPENAT_INCLUDES = {
    "common first": ['"common.h"', "<bpf/bpf_helpers.h>", "<bpf/bpf_tracing.h>"],
    "common first, one quoted": ['"common.h"', "<bpf/bpf_helpers.h>", '"bpf_tracing.h"'],
    "common last": ["<bpf/bpf_helpers.h>", "<bpf/bpf_tracing.h>", '"common.h"'],
    "common between": ['"bpf_helpers.h"', '"common.h"', '"bpf_tracing.h"'],
    "no common": ["<bpf/bpf_helpers.h>", "<bpf/bpf_tracing.h>"],
    "tracing first": ['"bpf_tracing.h"', '"bpf_helpers.h"'],
    "tracing only": ["<bpf/bpf_tracing.h>"],
}


def includes(names: list[str]) -> str:
    return "".join(f"#include {name}\n" for name in names)


def clang(source: str, target: Target, *flags: str) -> subprocess.CompletedProcess[bytes]:
    """Run clang on ``source``, from standard input to standard output."""
    program = shutil.which("clang")
    if program is None:
        pytest.skip("clang is not on PATH")
    arch = [f"-D__TARGET_ARCH_{target.arch}"] if target.arch else []
    options = ["-mcpu=v1", "-O2", "-g", "-Wall", "-Werror", *arch, *flags]
    command = [program, "-target", target.endian, *options, "-x", "c", "-", "-o", "-"]
    return subprocess.run(command, input=source.encode(), capture_output=True, check=False)


def build(source: str, target: Target, *flags: str, headers: Path = HEADERS) -> bytes:
    """Compile ``source``, which must neither fail nor warn, and give the object file."""
    result = clang(source, target, "-I", str(headers), *flags, "-c")
    assert result.returncode == 0, result.stderr.decode()
    assert not result.stderr, result.stderr.decode()
    return result.stdout


def failure(source: str, target: Target, *flags: str) -> list[str]:
    """Compile ``source``, which must fail, and give the texts of clang's errors."""
    result = clang(source, target, "-I", str(HEADERS), *flags, "-c")
    assert result.returncode != 0, "compiled, but should not have"
    return re.findall(r"error: (.*)", result.stderr.decode())


def preprocess(source: str, target: Target, *flags: str) -> str:
    result = clang(source, target, "-I", str(HEADERS), *flags, "-E", "-P")
    assert result.returncode == 0, result.stderr.decode()
    return result.stdout.decode()


@functools.cache
def installed_libbpf() -> Path:
    """The folder of the installed libbpf's headers."""
    result = clang("#include <bpf/bpf_helpers.h>", GENERIC[0], "-M")
    found = re.search(r"(\S+)/bpf_helpers\.h", result.stdout.decode())
    if result.returncode != 0 or found is None:
        pytest.skip("libbpf's headers are not installed")
    return Path(found[1])


@pytest.fixture(scope="session")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``headers/`` as a project has it: with the installed libbpf's headers copied into it."""
    headers = tmp_path_factory.mktemp("project") / "headers"
    shutil.copytree(HEADERS, headers)
    (headers / "bpf/libbpf").mkdir()
    for name in (*LIBBPF, "bpf_helper_defs.h"):
        shutil.copy(installed_libbpf() / name, headers / "bpf/libbpf")
    return headers


@pytest.fixture(params=["installed", "copied", "copied, -nostdinc"])
def setting(request: pytest.FixtureRequest, copied: Path) -> tuple[Path, list[str]]:
    """Where libbpf's headers come from: our folder to use and the flags to add.

    With -nostdinc nothing of the system is on the include path, not even the compiler's headers.
    """
    if request.param == "installed":
        return HEADERS, []
    return copied, ["-nostdinc"] if "-nostdinc" in request.param else []


def section(image: bytes, name: str) -> bytes:
    found = ELFFile(BytesIO(image)).get_section_by_name(name)
    return b"" if found is None else bytes(found.data())


def btf_type_names(btf: bytes, order: str, strings: int) -> Iterator[str]:
    """The name of each type, from id 1 on; Documentation/bpf/btf.rst for the record sizes."""
    _, start, length = struct.unpack_from(order + "III", btf, 4)
    at, end = 8 * 3 + start, 8 * 3 + start + length
    while at < end:
        name, info, _ = struct.unpack_from(order + "III", btf, at)
        kind, count = info >> 24 & 0x1F, info & 0xFFFF
        per_kind = {1: 4, 3: 12, 14: 4, 17: 4}  # INT, ARRAY, VAR, DECL_TAG
        per_member = {4: 12, 5: 12, 6: 8, 13: 8, 15: 12, 19: 12}  # those with a list after them
        at += 12 + per_kind.get(kind, 0) + count * per_member.get(kind, 0)
        yield btf[strings + name :].partition(b"\0")[0].decode()


def relocations(image: bytes) -> list[tuple[str, str]]:
    """The CO-RE relocations in .BTF.ext, each as struct name and access string."""
    order = "<" if ELFFile(BytesIO(image)).little_endian else ">"
    btf, ext = section(image, ".BTF"), section(image, ".BTF.ext")
    _, header, _, _, str_off = struct.unpack_from(order + "IIIII", btf, 0)
    strings = header + str_off
    names = ["void", *btf_type_names(btf, order, strings)]
    (ext_header,) = struct.unpack_from(order + "I", ext, 4)
    offset, length = struct.unpack_from(order + "II", ext, 24)
    found = []
    at = ext_header + offset
    end = at + length
    at += 4  # the size of a record, which is 16
    while at < end:
        _, count = struct.unpack_from(order + "II", ext, at)
        at += 8
        for _ in range(count):
            _, type_id, access, _ = struct.unpack_from(order + "IIII", ext, at)
            path = btf[strings + access :].partition(b"\0")[0].decode()
            found.append((names[type_id], path))
            at += 16
    return found


@pytest.mark.parametrize("order", KPROBE_INCLUDES)
@pytest.mark.parametrize("target", TARGETS + GENERIC, ids=str)
def test_kprobe_compiles(target: Target, order: str, setting: tuple[Path, list[str]]) -> None:
    headers, flags = setting
    image = build(includes(KPROBE_INCLUDES[order]) + KPROBE, target, *flags, headers=headers)
    assert section(image, "kprobe/sys_execve")
    assert relocations(image) == []  # it hands its context on and reads none of it


@pytest.mark.parametrize("order", OPENAT_INCLUDES)
@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_reading_an_argument_is_one_core_relocation(
    target: Target, order: str, setting: tuple[Path, list[str]]
) -> None:
    headers, flags = setting
    image = build(includes(OPENAT_INCLUDES[order]) + OPENAT, target, *flags, headers=headers)
    assert relocations(image) == [target.parm2]


def table(text: str) -> dict[str, dict[str, str]]:
    """Lines of ``row key=value key=value ...``; a line without a row name continues the last."""
    rows: dict[str, dict[str, str]] = {}
    for line in text.strip().splitlines():
        name, *entries = line.split(" ")
        row = rows.setdefault(name or list(rows)[-1], {})
        row.update((key, value) for key, value in (entry.split("=") for entry in entries if entry))
    return rows


# What each architecture's kernel has in arch/*/include/asm/ptrace.h (64-bit kernels; `long` has 64
# bits in BPF). For arm, and for mips32 kernels, registers of 4 bytes are what the loader's CO-RE
# relocation makes of it, so the figures for arm are only those of a program's own BTF.
OFFSETS = table("""
x86 r15=0 r12=24 bp=32 bx=40 r11=48 r10=56 r9=64 r8=72 ax=80 cx=88 dx=96 si=104 di=112
    orig_ax=120 ip=128 cs=136 flags=144 sp=152 ss=160
arm uregs[0]=0 uregs[15]=120 uregs[17]=136
arm64 regs[0]=0 regs[30]=240 sp=248 pc=256 pstate=264 orig_x0=272
loongarch regs[4]=32 orig_a0=256 csr_era=264 csr_badvaddr=272 csr_crmd=280 csr_prmd=288
    csr_euen=296 csr_ecfg=304 csr_estat=312
mips regs[4]=32 cp0_status=256 hi=264 lo=272 cp0_badvaddr=280 cp0_cause=288 cp0_epc=296
powerpc gpr[1]=8 gpr[3]=24 nip=256 msr=264 orig_gpr3=272 ctr=280 link=288 xer=296 ccr=304
    softe=312 trap=320 dar=328 dsisr=336 result=344 user_regs.link=288
riscv epc=0 ra=8 sp=16 gp=24 tp=32 t0=40 t2=56 s0=64 s1=72 a0=80 a7=136 s2=144 s11=216 t3=224
    t6=248 status=256 badaddr=264 cause=272 orig_a0=280
s390 args=0 psw.mask=8 psw.addr=16 gprs[0]=24 gprs[15]=144 orig_gpr2=152
""")
# What of them user space is shown and libbpf casts to, and its size; arch/*/include/uapi/asm.
USER_REGS = {
    "arm64": ("struct user_pt_regs", 272),
    "loongarch": ("struct user_pt_regs", 360),
    "powerpc": ("struct user_pt_regs", 352),
    "riscv": ("struct user_regs_struct", 256),
    "s390": ("user_pt_regs", 152),
}


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_registers_are_where_the_kernel_has_them(target: Target) -> None:
    offset = "__builtin_offsetof(struct pt_regs, {})".format
    figures = {offset(member): at for member, at in OFFSETS[target.arch].items()}
    name, size = USER_REGS.get(target.arch, ("struct pt_regs", None))
    figures |= {f"sizeof({name})": str(size)} if size else {}
    # A perf event's context begins with these registers, so what follows them shows their type.
    figures["__builtin_offsetof(struct bpf_perf_event_data, sample_period)"] = f"sizeof({name})"
    checks = [f'_Static_assert({what} == {at}, "");' for what, at in figures.items()]
    build("\n".join(['#include "common.h"', *checks]), target)


# Each PT_REGS_ macro, the register it means, by the architecture's calling convention, and our
# path to it. Those of x86 are libbpf's; the others are what our bpf_tracing.h adds or corrects.
REGISTERS = table("""
x86 PARM1=0:14 PARM5=0:9 RET=0:19 RC=0:10 SP=0:19
arm PARM1=0:0:0 PARM4=0:0:3 PARM4_SYSCALL=0:0:3 PARM5_SYSCALL=0:0:4 RET=0:0:14 RC=0:0:0
    SP=0:0:13 IP=0:0:15
loongarch PARM1=0:0:4 PARM2=0:0:5 PARM3=0:0:6 PARM4=0:0:7 PARM5=0:0:8
    RET=0:0:1 FP=0:0:22 RC=0:0:4 SP=0:0:3 IP=0:2
powerpc RET=0:0:1:5 SP=0:0:1:0:1 IP=0:0:1:1 RC=0:0:1:0:3
s390 RET=0:2:14 SP=0:2:15 FP=0:2:11 IP=0:1:1
""")


def macro(name: str, form: str) -> str:
    """PARM1 and _CORE make PARM1_CORE, PARM1_SYSCALL and _CORE make PARM1_CORE_SYSCALL."""
    register, underscore, call = name.partition("_")
    return f"{register}{form}{underscore}{call}"


@pytest.mark.parametrize("form", ["", "_CORE"])
@pytest.mark.parametrize("arch", REGISTERS)
def test_pt_regs_macros_read_their_registers(arch: str, form: str) -> None:
    for name, path in REGISTERS[arch].items():
        source = (
            "#include <bpf/bpf_tracing.h>\n"
            'SEC("kprobe/x") unsigned long f(struct pt_regs *ctx)'
            f" {{ return PT_REGS_{macro(name, form)}(ctx); }}"
        )
        assert [found[1] for found in relocations(build(source, ARCHES[arch]))] == [path], name


def all_macros(arch: str) -> str:
    """A program that uses whatever libbpf's bpf_tracing.h offers for kprobes."""
    names = [f"PARM{n}" for n in range(1, 6)] + ["RET", "FP", "RC", "SP", "IP"]
    last = ", void *e", " + (long)e"
    if arch == "powerpc":
        names.remove("FP")  # libbpf: __unsupported__, since the ABI has no frame pointer
    if arch == "arm":
        names.remove("PARM5")  # it is on the stack
        last = "", ""
    uses = [f"PT_REGS_{name}{form}(ctx)" for name in names for form in ("", "_CORE")]
    uses += [
        f"PT_REGS_PARM{n}{form}(regs)"
        for n in range(1, 6)
        for form in ("_SYSCALL", "_CORE_SYSCALL")
    ]
    return f"""
#include "common.h"
#include <bpf/bpf_tracing.h>
SEC("kprobe/a") unsigned long plain(struct pt_regs *ctx) {{
    struct pt_regs *regs = PT_REGS_SYSCALL_REGS(ctx);
    unsigned long ip;
    BPF_KPROBE_READ_RET_IP(ip, ctx);
    return ip + {" + ".join(uses)};
}}
SEC("kprobe/b") int BPF_KPROBE(entry, int a, const char *b, long c, u8 d{last[0]}) {{
    return a + c + d + (long)b{last[1]};
}}
SEC("kretprobe/b") int BPF_KRETPROBE(leave, long result) {{ return result > 0; }}
SEC("ksyscall/c") int BPF_KSYSCALL(call, int a, const char *b, long c, u8 d, void *e) {{
    return a + c + d + (long)b + (long)e;
}}
SEC("fentry/d") int BPF_PROG(trampoline, int a, void *b) {{ return a && b; }}
SEC("perf_event") int perf(struct bpf_perf_event_data *ctx) {{ return PT_REGS_IP(&ctx->regs) > 0; }}
"""


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_every_tracing_macro_compiles(target: Target, setting: tuple[Path, list[str]]) -> None:
    headers, flags = setting
    found = relocations(build(all_macros(target.arch), target, *flags, headers=headers))
    assert len(found) > 40


@pytest.mark.parametrize("use", ["PT_REGS_PARM5(ctx)", "PT_REGS_PARM5_CORE(ctx)"])
def test_an_argument_on_arms_stack_is_not_read_from_a_register(use: str) -> None:
    source = (
        '#include "common.h"\n#include <bpf/bpf_tracing.h>\n'
        f'SEC("kprobe/x") unsigned long f(struct pt_regs *ctx) {{ return {use}; }}'
    )
    (error, *_) = failure(source, ARCHES["arm"])
    assert error == "no member named '__unsupported__' in 'struct pt_regs'"


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_usdt_compiles_without_the_kernels_errno(
    target: Target, setting: tuple[Path, list[str]]
) -> None:
    headers, flags = setting
    source = (
        '#include <bpf/usdt.bpf.h>\nSEC("usdt") int BPF_USDT(probe, int a) { return a == -ENOENT; }'
    )
    assert section(build(source, target, *flags, headers=headers), "usdt")


def test_endian_helpers_swap_on_little_endian_only() -> None:
    source = '#include "bpf_endian.h"\n_Static_assert(bpf_htons(0x0102) == {}, "");'
    build(source.format("0x0201"), GENERIC[0])
    build(source.format("0x0102"), GENERIC[1])


@pytest.mark.parametrize("target", GENERIC, ids=str)
def test_without_an_architecture_registers_are_libbpfs_error(target: Target) -> None:
    source = includes(OPENAT_INCLUDES["common first"]) + OPENAT
    assert failure(source, target) == ["Must specify a BPF target arch via __TARGET_ARCH_xxx"]


@pytest.mark.parametrize("name", LIBBPF)
def test_without_libbpf_the_error_says_what_to_install(name: str) -> None:
    errors = failure(f"#include <bpf/{name}>\n" + KPROBE, GENERIC[0], "-nostdinc")
    packages = "libbpf-dev (Debian, Ubuntu, Alpine), libbpf-devel (Fedora) or libbpf (Arch)"
    assert errors[0] == f'"libbpf\'s BPF headers were not found: install {packages}"'
    # The second stops the compiler, before a page of errors about SEC() and __uint().
    assert [re.sub(r"'.*'", "NAME", error) for error in errors[1:]] == ["NAME file not found"]


def test_a_libbpf_that_knows_loongarch_is_left_alone(copied: Path, tmp_path: Path) -> None:
    headers = tmp_path / "headers"
    shutil.copytree(copied, headers)
    newer = "#define bpf_target_defined\n#define PT_REGS_PARM1(x) 42\n"
    (headers / "bpf/libbpf/bpf_tracing.h").write_text(newer)
    source = '#include <bpf/bpf_tracing.h>\n_Static_assert(PT_REGS_PARM1(0) == 42, "");'
    build(source, ARCHES["loongarch"], headers=headers)


def test_two_copies_of_our_headers_on_the_path(tmp_path: Path) -> None:
    shutil.copytree(HEADERS, tmp_path / "headers")
    source = includes(OPENAT_INCLUDES["no common"]) + OPENAT
    build(source, ARCHES["x86"], "-I", str(tmp_path / "headers"))


VMLINUX_H = """
#ifndef __VMLINUX_H__
#define __VMLINUX_H__
typedef unsigned char __u8;
typedef unsigned short __u16, __be16;
typedef unsigned int __u32, __be32, __wsum, u32;
typedef signed char __s8;
typedef short __s16;
typedef int __s32;
typedef unsigned long long __u64;
typedef long long __s64;
struct pt_regs { long first, di, si, sp; } __attribute__((preserve_access_index));
#endif
"""


def test_after_a_vmlinux_h_nothing_is_added_to_it(tmp_path: Path) -> None:
    (tmp_path / "vmlinux.h").write_text(VMLINUX_H)
    vmlinux, folder = '#include "vmlinux.h"\n', ("-I", str(tmp_path))
    for flags in (folder, (*folder, "-dM")):
        both = preprocess(vmlinux + '#include "common.h"\n', ARCHES["x86"], *flags)
        assert both == preprocess(vmlinux, ARCHES["x86"], *flags)
    source = vmlinux + includes(OPENAT_INCLUDES["common last"]) + OPENAT
    assert relocations(build(source, ARCHES["x86"], *folder)) == [("pt_regs", "0:2")]


# Registers under the names that the kernel's uapi header has for x86.
ASM_PTRACE_H = """
#define _ASM_X86_PTRACE_H
struct pt_regs { unsigned long rdi, rsi, rdx, rcx, r8, rax, rsp, rbp, rip; };
"""


def test_after_a_uapi_ptrace_h_its_register_names_stand() -> None:
    build(ASM_PTRACE_H + includes(OPENAT_INCLUDES["common first"]) + OPENAT, ARCHES["x86"])


def test_after_a_uapi_types_h_its_types_stand() -> None:
    # As on mips64 and powerpc64, whose __u64 is a `long`; include/uapi/asm-generic/int-l64.h.
    theirs = VMLINUX_H.replace("__VMLINUX_H__", "_LINUX_TYPES_H").replace("long long", "long")
    theirs = re.sub(", u32|^struct.*", "", theirs, flags=re.MULTILINE)
    build(theirs + includes(KPROBE_INCLUDES["common first"]) + KPROBE, GENERIC[0])


@functools.cache
def uapi() -> tuple[str, ...]:
    """Flags to reach the installed uapi headers, which Debian keeps in two folders."""
    triplet = sysconfig.get_config_var("MULTIARCH")
    flags = ("-idirafter", f"/usr/include/{triplet}") if triplet else ()
    if clang("#include <linux/bpf.h>", GENERIC[0], *flags, "-E").returncode != 0:
        pytest.skip("the kernel's uapi headers are not installed")
    return flags


@pytest.mark.parametrize(
    "first", ["linux/types.h", "linux/bpf.h", "linux/pkt_cls.h", "stdbool.h", "stdint.h"]
)
def test_common_h_adds_to_headers_that_came_before_it(first: str) -> None:
    source = f"#include <{first}>\n" + includes(KPROBE_INCLUDES["common first"]) + KPROBE
    source += "int verdict = TC_ACT_SHOT; bool yes = true;"
    # Freestanding, stdint.h is the compiler's own: a C library's is for another machine than BPF.
    build(source, GENERIC[0], *uapi(), "-ffreestanding")


def evaluate(prologue: str, expressions: list[str], *flags: str) -> dict[str, int]:
    """What the compiler makes of constant C expressions, as 64-bit numbers."""
    values = ", ".join(f"(unsigned long long)({expression})" for expression in expressions)
    image = build(f"{prologue}\nunsigned long long v[] = {{ {values} }};", GENERIC[0], *flags)
    found = struct.unpack(f"<{len(expressions)}Q", section(image, ".data"))
    return dict(zip(expressions, found, strict=True))


def test_constants_and_contexts_are_those_of_the_kernel() -> None:
    ours = (HEADERS / "ebpfgen/bpf.h").read_text()
    theirs = preprocess("#include <linux/bpf.h>\n", GENERIC[0], *uapi())
    names = re.findall(r"^\t((?:BPF|XDP)_\w+) = ", ours, re.MULTILINE)
    names = [name for name in names if re.search(rf"\b{name}\b", theirs)]
    names += re.findall(r"^#define (TC_ACT_\w+) ", ours, re.MULTILINE)
    assert len(names) > 80, "the installed header should know most of them"
    for struct_name in ("xdp_md", "__sk_buff"):
        (body,) = re.findall(
            rf"^struct {struct_name} {{\n(.*?)^}};", ours, re.DOTALL | re.MULTILINE
        )
        members = re.findall(r"(\w+)(?:\[\d\]|\))?;", body.replace(": 24;", ""))
        names += [f"__builtin_offsetof(struct {struct_name}, {member})" for member in members]
        names.append(f"sizeof(struct {struct_name})")
    names += [f"sizeof(struct bpf_{name})" for name in ("spin_lock", "timer", "dynptr")]
    reference = includes(["<linux/bpf.h>", "<linux/pkt_cls.h>"])
    assert evaluate('#include "common.h"', names) == evaluate(reference, names, *uapi())


def test_what_is_newer_than_most_installed_kernel_headers() -> None:
    newer = {
        "BPF_MAP_TYPE_USER_RINGBUF": 31,
        "BPF_MAP_TYPE_CGRP_STORAGE": 32,
        "BPF_MAP_TYPE_ARENA": 33,
        "BPF_MAP_TYPE_INSN_ARRAY": 34,
        "BPF_MAP_TYPE_RHASH": 35,
        "BPF_F_CPU": 8,
        "BPF_F_ALL_CPUS": 16,
        "BPF_RB_OVERWRITE_POS": 4,
    }
    flags = "LINK PATH_FD VTYPE_BTF_OBJ_FD TOKEN_FD SEGV_ON_FAULT NO_USER_CONV RB_OVERWRITE"
    newer |= {f"BPF_F_{name}": 1 << bit for bit, name in enumerate(flags.split(), start=13)}
    assert evaluate('#include "common.h"', list(newer)) == newer


def test_types_have_their_widths_and_signs() -> None:
    sizes = {f"sizeof({p}{n})": n // 8 for p in ("u", "s", "__u", "__s") for n in (8, 16, 32, 64)}
    sizes |= {f"sizeof(__{p}{n})": n // 8 for p in ("le", "be") for n in (16, 32, 64)}
    sizes |= {f"sizeof({p}int{n}_t)": n // 8 for p in ("", "u") for n in (8, 16, 32, 64)}
    sizes |= {"sizeof(bool)": 1, "true": 1, "false": 0, "sizeof(__wsum)": 4, "sizeof(pid_t)": 4}
    sizes |= {"sizeof(size_t)": 8, "sizeof(ssize_t)": 8, "sizeof(loff_t)": 8, "(u8)-1": 255}
    sizes |= {"(s8)-1 < 0": 1, "(s64)-1 < 0": 1, "(size_t)-1 > 0": 1, "(pid_t)-1 < 0": 1}
    assert evaluate('#include "common.h"', list(sizes)) == sizes
