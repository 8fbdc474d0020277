"""clang is found, run, and its best-known errors are explained."""

import os
import re
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from ebpfgen.clang import Toolchain, compile_source, find_toolchain, strip_objects
from ebpfgen.elf import read_elf
from ebpfgen.errors import CompileError, SourceError, ToolError
from ebpfgen.target import find_target

from .building import HEADERS, KPROBE, OPENAT, PREAMBLE, script

INCLUDE = ("-I", str(HEADERS))
BPFEL = find_target("bpfel")


def build(
    folder: Path, source: str | Path, *flags: str, target: str = "bpfel", cc: str = "clang"
) -> bytes:
    """Compile a file, or text that becomes prog.c in *folder*."""
    path = source if isinstance(source, Path) else folder / "prog.c"
    if isinstance(source, str):
        path.write_text(source)
    toolchain = find_toolchain(cc)
    made = compile_source(path, find_target(target), flags, toolchain=toolchain, folder=folder)
    return strip_objects([made.object], toolchain.strip, folder=folder)[0]


def refused(folder: Path, source: str, *flags: str, target: str = "bpfel") -> CompileError:
    with pytest.raises(CompileError) as caught:
        build(folder, source, *flags, target=target)
    return caught.value


def test_clang_and_its_strip_are_found() -> None:
    toolchain = find_toolchain()
    assert toolchain.cc == ("clang",)
    assert Path(toolchain.strip).name.startswith("llvm-strip")


@pytest.mark.parametrize("cc", ["clang", "clang-14", "/opt/llvm/bin/clang"])
def test_a_missing_compiler_names_the_packages(cc: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ToolError) as caught:
        find_toolchain(cc)
    assert caught.value.tool == cc
    for advice in ("apt install clang llvm", "dnf install", "pacman -S", "apk add", "--cc"):
        assert advice in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("cc", "missing"), [("my-cc", "my-cc"), ("ccache clang", "ccache")])
def test_a_missing_program_that_is_not_clang_is_named(
    cc: str, missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ToolError, match=f"{missing} not found: .*--cc") as caught:
        find_toolchain(cc)
    assert caught.value.tool == missing


def test_a_missing_strip_names_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script(tmp_path / "clang", "exit 0")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        ToolError, match=r"llvm-strip not found: install it \(apt install llvm"
    ) as e:
        find_toolchain()
    assert e.value.tool == "llvm-strip"


def test_a_versioned_clang_has_the_strip_of_its_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("clang-16", "llvm-strip-16", "llvm-strip"):
        script(tmp_path / name, "exit 0")
    monkeypatch.setenv("PATH", str(tmp_path))
    toolchain = find_toolchain("clang-16")
    assert toolchain == Toolchain(("clang-16",), str(tmp_path / "llvm-strip-16"))


def test_a_versioned_clang_elsewhere_has_the_strip_of_its_version_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("llvm/clang-16", "llvm/llvm-strip-16", "llvm/llvm-strip", "path/llvm-strip-16"):
        script(tmp_path / name, "exit 0")
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    toolchain = find_toolchain(str(tmp_path / "llvm/clang-16"))
    assert toolchain.strip == str(tmp_path / "llvm/llvm-strip-16")


def test_a_clang_elsewhere_has_the_strip_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clang = script(tmp_path / "llvm/bin/clang", "exit 0")
    beside = script(tmp_path / "llvm/bin/llvm-strip", "exit 0")
    script(tmp_path / "path/llvm-strip", "exit 0")
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    assert find_toolchain(str(clang)).strip == str(beside)


def test_a_wrapper_gets_the_compiler_as_its_argument(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "log"
    script(tmp_path / "bin/ccache", f'echo "$1" > {log}\nexec "$@"')
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    data = build(tmp_path, KPROBE, *INCLUDE, cc="ccache clang")
    assert log.read_text() == "clang\n"
    assert data == build(tmp_path, KPROBE, *INCLUDE)


@pytest.mark.parametrize("flags", ["-Wall", "-D X=1", "-isystem /usr/include", "-I headers"])
def test_a_compiler_may_have_flags(flags: str) -> None:
    assert find_toolchain(f"clang {flags}").cc == ("clang", *flags.split())


@pytest.mark.parametrize(("cc", "message"), [("clang 'x", "can't be split"), ("", "is empty")])
def test_a_compiler_that_is_no_command_is_an_error(cc: str, message: str) -> None:
    with pytest.raises(ToolError, match=message):
        find_toolchain(cc)


def test_a_compiler_that_is_no_program_is_an_error(tmp_path: Path) -> None:
    broken = tmp_path / "clang"
    broken.write_bytes(b"\x7fELF")
    broken.chmod(0o755)
    with pytest.raises(ToolError, match="can't be run: ") as caught:
        build(tmp_path, KPROBE, cc=str(broken))
    assert caught.value.tool == str(broken)


def test_a_compiler_that_dies_is_an_error_that_names_the_signal(tmp_path: Path) -> None:
    killed = script(tmp_path / "clang", "kill -9 $$")
    with pytest.raises(CompileError, match=r"\(clang was killed by signal 9\) for target bpfel"):
        build(tmp_path, KPROBE, cc=str(killed))


def test_a_strip_that_fails_is_an_error_with_its_first_line(tmp_path: Path) -> None:
    strip = script(tmp_path / "llvm-strip", "echo broken >&2; echo more >&2; exit 1")
    with pytest.raises(ToolError) as caught:
        strip_objects([b"", b""], str(strip), folder=tmp_path)
    assert str(caught.value) == f"{strip} failed: broken"


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("missing.c", "no C source 'missing.c': check the path"),
        (".", "C source '.' can't be read: it is not a regular file"),
    ],
)
def test_a_source_that_is_no_file_is_an_error_that_names_it(
    tmp_path: Path, name: str, wrong: str
) -> None:
    with pytest.raises(SourceError, match=re.escape(wrong)):
        build(tmp_path, tmp_path / name)


def test_a_c_error_has_clangs_text_whole_and_a_line_below_it(tmp_path: Path) -> None:
    error = refused(tmp_path, "int a = b;\nint c = d;\n")
    assert "prog.c:1:9: error: use of undeclared identifier 'b'" in error.diagnostics
    assert "prog.c:2:9: error: use of undeclared identifier 'd'" in error.diagnostics
    assert error.targets == ("bpfel",)
    assert str(error) == "prog.c does not compile for target bpfel"


def test_warnings_are_handed_on(tmp_path: Path) -> None:
    (tmp_path / "prog.c").write_text("#warning careful\n")
    done = compile_source(
        tmp_path / "prog.c", BPFEL, (), toolchain=find_toolchain(), folder=tmp_path
    )
    assert "warning: careful" in done.diagnostics


HINTS = {
    "common.h": ('#include "common.h"', "name the folder of common.h: -- -I headers"),
    "vmlinux.h": ('#include "vmlinux.h"', "bpftool btf dump file /sys/kernel/btf/vmlinux"),
    "libbpf": ("#include <bpf/bpf_helpers.h>", "libbpf-dev on Debian"),
    "libbpf, as older guides": ('#include "bpf_tracing.h"', "or name their folder: -- -I headers"),
    "asm": ("#include <asm/no_such.h>", 'include "common.h" or "vmlinux.h"'),
}


@pytest.mark.parametrize(("source", "hint"), HINTS.values(), ids=HINTS)
def test_a_missing_header_is_explained(tmp_path: Path, source: str, hint: str) -> None:
    error = refused(tmp_path, source, "-nostdinc")
    assert str(error).startswith("prog.c does not compile for target bpfel: ")
    assert hint in str(error)
    assert "\n" not in str(error)


def test_headers_without_libbpf_say_what_to_install(tmp_path: Path) -> None:
    error = refused(tmp_path, PREAMBLE, *INCLUDE, "-nostdinc")
    assert "install libbpf's headers (libbpf-dev on Debian" in str(error)


@pytest.mark.parametrize("target", ["bpfel", "bpfeb"])
def test_registers_under_a_generic_target_say_to_pass_a_target(tmp_path: Path, target: str) -> None:
    error = refused(tmp_path, OPENAT.read_text(), *INCLUDE, target=target)
    assert "Must specify a BPF target arch" in error.diagnostics
    assert f"for target {target}: " in str(error)
    assert "pass --target amd64" in str(error)


@pytest.mark.parametrize("target", ["amd64", "386", "arm64", "s390x"])
def test_registers_compile_for_an_architecture(tmp_path: Path, target: str) -> None:
    data = build(tmp_path, OPENAT, *INCLUDE, target=target)
    assert read_elf(data).section("kprobe/do_sys_openat2")


def test_command_lines_are_observed_before_they_run(tmp_path: Path) -> None:
    (tmp_path / "prog.c").write_text("int x;")
    seen: list[Sequence[str]] = []
    toolchain = find_toolchain()
    made = compile_source(
        tmp_path / "prog.c",
        find_target("arm64"),
        ("-DX=1",),
        toolchain=toolchain,
        folder=tmp_path,
        observe=seen.append,
    )
    objects = [made.object, made.object]
    strip_objects(objects, toolchain.strip, folder=tmp_path, observe=seen.append)
    compiler, strip = seen
    assert compiler[:6] == ["clang", "-target", "bpfel", "-O2", "-g", "-mcpu=v1"]
    assert compiler[6:8] == ["-D__TARGET_ARCH_arm64", "-DX=1"]
    assert compiler[-4:-1] == ["-c", "prog.c", "-o"]
    assert strip[:2] == [toolchain.strip, "-g"]
    assert [Path(name).name for name in strip[2:]] == ["0.o", "1.o"]


def test_a_failing_command_line_is_observed_too(tmp_path: Path) -> None:
    (tmp_path / "prog.c").write_text("#error no")
    seen: list[Sequence[str]] = []
    with pytest.raises(CompileError):
        compile_source(
            tmp_path / "prog.c",
            BPFEL,
            (),
            toolchain=find_toolchain(),
            folder=tmp_path,
            observe=seen.append,
        )
    assert [command[0] for command in seen] == ["clang"]


def test_the_users_flags_override_the_defaults(tmp_path: Path) -> None:
    not_optimised = "#ifdef __OPTIMIZE__\n#error optimised\n#endif\n"
    refused(tmp_path, not_optimised)
    assert build(tmp_path, not_optimised, "-O0")
    short_jumps = 'SEC("xdp") int f(int *x) { return *x < 7 ? 3 : *x; }'
    default = build(tmp_path, PREAMBLE + short_jumps, *INCLUDE)
    assert build(tmp_path, PREAMBLE + short_jumps, *INCLUDE, "-mcpu=v1") == default
    assert build(tmp_path, PREAMBLE + short_jumps, *INCLUDE, "-mcpu=v3") != default
    assert read_elf(build(tmp_path, "int x;", "-g0")).section(".BTF") is None


def test_the_architectures_define_can_be_seen_in_c(tmp_path: Path) -> None:
    source = "#ifndef __TARGET_ARCH_riscv\n#error not riscv\n#endif\n"
    assert build(tmp_path, source, target="riscv64")
    refused(tmp_path, source)


# What must not be found in an object: a path of the machine, and who compiled it.
COMPILER = re.compile(rb"clang|LLVM|Debian|ident")
ABSOLUTE = re.compile(rb"\0/\w+/[^\0]*")

CALLS_HEADER = (
    PREAMBLE
    + """
#include "shared.h"
SEC("xdp") int f(int *x) { return twice(*x) + __builtin_memcmp(x, x + 1, 2); }
"""
)
SHARED = "static inline int twice(int x)\n{\n\treturn x * 2; // twice\n}\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with a source that uses a function of a header elsewhere, and that header."""
    (tmp_path / "proj/src").mkdir(parents=True)
    (tmp_path / "proj/src/prog.c").write_text(CALLS_HEADER)
    for folder in ("proj/include", "elsewhere/include"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "shared.h").write_text(SHARED)
    return tmp_path


LAYOUTS = {
    "all relative": ("proj", "src/prog.c", "include"),
    "absolute include, inside": ("proj", "src/prog.c", "/proj/include"),
    "absolute include, outside": ("proj", "src/prog.c", "/elsewhere/include"),
    "relative include, outside": ("proj", "src/prog.c", "../elsewhere/include"),
    "source outside": ("elsewhere", "../proj/src/prog.c", "include"),
    "both outside": ("elsewhere", "../proj/src/prog.c", "/proj/include"),
}


@pytest.mark.parametrize("flag", ["-I", "-isystem", "-iquote"])
@pytest.mark.parametrize(("folder", "source", "include"), LAYOUTS.values(), ids=LAYOUTS)
def test_an_object_has_btf_and_no_dwarf_no_compiler_and_no_absolute_path(
    project: Path, folder: str, source: str, include: str, flag: str
) -> None:
    if include.startswith("/"):
        include = f"{project}{include}"
    base = project / folder
    for flags in ([flag, include], [flag + include]):
        data = build(base, (base / source).resolve(), *INCLUDE, *flags)
        sections = [section.name for section in read_elf(data).sections]
        assert ".BTF" in sections
        assert ".BTF.ext" in sections
        assert [name for name in sections if "debug" in name or name == ".comment"] == []
        assert b"return x * 2; // twice" in data, "the header's line information is what is tested"
        assert COMPILER.findall(data) == []
        assert ABSOLUTE.findall(data) == []
        assert bytes(project) not in data
        assert bytes(HEADERS) not in data


def test_a_system_header_leaves_no_absolute_path(tmp_path: Path) -> None:
    source = """
    #include <bpf/usdt.bpf.h>
    SEC("usdt") int f(struct pt_regs *ctx) { return bpf_usdt_arg_cnt(ctx); }
    """
    data = build(tmp_path, source, *INCLUDE, target="amd64")
    assert b"usdt.bpf.h" in data, "the header's line information is what is tested"
    assert ABSOLUTE.findall(data) == []
    assert b"/usr/" not in data


@pytest.mark.parametrize("debug", [(), ("-gdwarf-4",)], ids=["", "-gdwarf-4"])
def test_a_source_that_shares_only_the_root_leaves_no_absolute_path(
    project: Path, debug: Sequence[str]
) -> None:
    places = (place for place in ("/dev/shm", "/var/tmp") if os.access(place, os.W_OK))
    with tempfile.TemporaryDirectory(dir=next(places)) as other:
        source = project / "proj/src/prog.c"
        assert os.path.commonpath([other, project]) == "/"
        include = str(project / "proj/include")
        data = build(Path(other), source, *INCLUDE, "-I", include, *debug)
    assert (b"return x * 2; // twice" in data) is (not debug)
    assert (b"return twice(*x)" in data) is (not debug)
    assert ABSOLUTE.findall(data) == []
    assert bytes(project) not in data


@pytest.mark.parametrize("name", ["a longer path/to this", "with=equals", "proj/src/include"])
@pytest.mark.parametrize("include", ["include", "{}/include", "{}/../elsewhere/include"])
def test_an_object_is_the_same_in_every_folder(
    project: Path, tmp_path: Path, name: str, include: str
) -> None:
    here, there = project / "proj", tmp_path / "other" / name
    shutil.copytree(here, there)
    shutil.copytree(project / "elsewhere", there.with_name("elsewhere"))
    first, second = (
        build(folder, folder / "src/prog.c", *INCLUDE, "-I", include.format(folder))
        for folder in (here, there)
    )
    assert first == second
