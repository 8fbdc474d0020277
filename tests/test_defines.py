"""``#define`` constants have the values that clang gives them, on every target."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings, strategies as st

from ebpfgen.clang import Toolchain, find_toolchain
from ebpfgen.defines import read_defines
from ebpfgen.errors import CompileError, SourceError, ToolError
from ebpfgen.target import TARGETS

HEADERS = Path(__file__).resolve().parent.parent / "headers"

# What the macros below refer to.
PRELUDE = """
typedef unsigned char u8;
enum state { IDLE = -7, BUSY = 1 };
enum { WIDE = 0x123456789 };
struct event { int pid; char comm[16]; };
extern int variable;
static const int constant = 4;
#define ADD(a, b) ((a) + (b))
"""

CONSTANTS = {
    "1": 1,
    "0x10": 16,
    "010": 8,
    "0b101": 5,
    "-1": -1,
    "(-1)": -1,
    "18446744073709551615ULL": 2**64 - 1,
    "(~0ULL)": 2**64 - 1,
    "(~0)": -1,
    "-1ULL": 2**64 - 1,
    "-1U": 2**32 - 1,
    "(-0x7fffffffffffffffLL - 1)": -(2**63),
    "0x80000000": 2**31,
    "(1 << 4 | 1)": 17,
    "1 + 2": 3,
    "ADD(2, 3)": 5,
    "(7 / 2)": 3,
    "(-7 % 3)": -1,
    "(1 ? 2 : 3)": 2,
    "!0": 1,
    "(1 < 2)": 1,
    "'x'": 120,
    "'\\xff'": -1,
    "'\"'": 34,
    "';'": 59,
    "((u8)300)": 44,
    "((signed char)200)": -56,
    "((_Bool)5)": 1,
    "((int)1.5)": 1,
    "sizeof(int)": 4,
    "sizeof(struct event)": 20,
    "(sizeof((int[]){1, 2, 3}) / sizeof(int))": 3,
    'sizeof("abc")': 4,
    "sizeof(struct { long a; long b; })": 16,
    "__builtin_offsetof(struct event, comm)": 4,
    "_Alignof(long)": 8,
    "IDLE": -7,
    "BUSY": 1,
    "WIDE": 0x123456789,
    "((enum state)-7)": -7,
    "((unsigned __int128)1 << 64)": 2**64,
    "(-((__int128)1 << 100))": -(2**100),
    "/* a comment */ 3": 3,
}

NOT_CONSTANT = [
    "",
    "/* nothing */",
    '"text"',
    "1.5",
    "(1.0 < 2.0)",
    "variable",
    "constant",
    "(&variable)",
    "((void *)0)",
    "int",
    "struct event",
    "unknown",
    "unknown(1)",
    "ADD",
    "1, 2",
    "({ 5; })",
    "(1 / 0)",
    "do { } while (0)",
    "if (1)",
    "return 1",
    "__attribute__((packed))",
    "static inline",
    "extern int injected; 1",
    "{ 1 }",
    "(1 +",
    "1)",
    "({",
    "}",
    "<%",
    "1); extern int injected2; (1",
    "1}; enum { INJECTED = 2",
    "#",
    "ADD(",
    "ADD(1",
    "ADD(1)",
    "unknown\\x",
    '_Pragma("GCC error \\"no\\"") 1',
]


PIECES = [*"(){}[];,+-*\"'\\#", "1", "x", "int", "do", "struct", "0x", "F", "F("]


def defines(
    tmp_path: Path,
    text: str,
    prefixes: Sequence[str] = ("MY_",),
    *,
    target: str = "bpfel",
    cflags: Sequence[str] = (),
    observe: list[Sequence[str]] | None = None,
) -> dict[str, int]:
    source = tmp_path / "prog.c"
    source.write_text(text)
    return read_defines(
        source,
        TARGETS[target],
        cflags,
        prefixes,
        toolchain=find_toolchain(),
        folder=tmp_path,
        observe=observe.append if observe is not None else None,
    )


def numbered(bodies: Sequence[str]) -> str:
    return "".join(f"#define MY_{i} {body}\n" for i, body in enumerate(bodies))


@pytest.mark.parametrize("target", ["bpfel", "bpfeb", "amd64", "s390x"])
def test_integer_constants_have_the_value_and_sign_they_have_in_c(
    tmp_path: Path, target: str
) -> None:
    found = defines(tmp_path, PRELUDE + numbered(list(CONSTANTS)), target=target)
    assert {body: found.get(f"MY_{i}") for i, body in enumerate(CONSTANTS)} == CONSTANTS


@pytest.mark.parametrize("body", NOT_CONSTANT)
def test_what_is_no_integer_constant_is_left_out_and_harms_no_other(
    tmp_path: Path, body: str
) -> None:
    text = f"{PRELUDE}#define MY_A 1\n#define MY_B {body}\n#define MY_C 3\n"
    assert defines(tmp_path, text) == {"MY_A": 1, "MY_C": 3}


def test_many_that_are_no_constants_harm_no_other(tmp_path: Path) -> None:
    bodies = [text for body in NOT_CONSTANT for text in (body, "7")]
    found = defines(tmp_path, PRELUDE + numbered(bodies))
    assert found == {f"MY_{i}": 7 for i, body in enumerate(bodies) if body == "7"}


@pytest.mark.parametrize(
    ("text", "prefixes", "expected"),
    [
        ("#define MY_B 2\n#define MY_A 1\n#define YOUR_A 3", ["MY_"], {"MY_A": 1, "MY_B": 2}),
        ("#define MAX 2", ["MAX"], {"MAX": 2}),
        ("#define A1 1\n#define B1 2\n#define C1 3", ["C", "A"], {"A1": 1, "C1": 3}),
        ("#define MY_A 1", ["MY_", "MY_A"], {"MY_A": 1}),
        ("#define MY_A 1", ["my_"], {}),
        ("#define MY_A 1", [], {}),
        ("int x;", ["MY_"], {}),
        ("#define MY_A 1\n#undef MY_A", ["MY_"], {}),
        ("#define MY_A 1\n#undef MY_A\n#define MY_A 2", ["MY_"], {"MY_A": 2}),
        ("#define MY_A 1\n#undef MY_A\n#define MY_A() 2", ["MY_"], {}),
        ("#define MY_F(x) 1\n#define MY_G() 2", ["MY_"], {}),
        ("#define MY_A (1)", ["MY_"], {"MY_A": 1}),
        ("#if 0\n#define MY_A 1\n#endif", ["MY_"], {}),
        ("#define MY_A \\\n  1 + \\\n  2", ["MY_"], {"MY_A": 3}),
        ("enum { MY_A = 3 };\n#define MY_A MY_A", ["MY_"], {"MY_A": 3}),
        ("#define MY_A MY_B\n#define MY_B 4", ["MY_A"], {"MY_A": 4}),
        ("#define OPEN (\n#define MY_A OPEN 1 )", ["MY_"], {"MY_A": 1}),
        ("#define MY_A F\n#define F(x) 1", ["MY_"], {}),
        ("int f(void) { return 0; }\n#define MY_A sizeof(f())", ["MY_"], {"MY_A": 4}),
    ],
)
def test_the_object_like_macros_in_force_at_the_end_of_the_source(
    tmp_path: Path, text: str, prefixes: list[str], expected: dict[str, int]
) -> None:
    found = defines(tmp_path, text + "\n", prefixes)
    assert found == expected
    assert list(found) == sorted(found)


def test_those_of_headers_count(tmp_path: Path) -> None:
    (tmp_path / "limits").mkdir()
    (tmp_path / "limits" / "limits.h").write_text('#include "more.h"\n#define MY_A 1\n')
    (tmp_path / "limits" / "more.h").write_text("#define MY_B 2\n")
    text = '#include "limits.h"\n'
    assert defines(tmp_path, text, cflags=["-Ilimits"]) == {"MY_A": 1, "MY_B": 2}


def test_those_of_the_command_line_count(tmp_path: Path) -> None:
    text = "#ifndef MY_A\n#define MY_A 1\n#endif\n"
    assert defines(tmp_path, text, cflags=["-DMY_A=5"]) == {"MY_A": 5}


def test_those_of_the_compiler_do_not_count(tmp_path: Path) -> None:
    assert defines(tmp_path, "#define __bpfmine__ 2\n", ["__bpf", "__INT_"]) == {"__bpfmine__": 2}


def test_a_value_may_depend_on_the_target(tmp_path: Path) -> None:
    text = """
    #ifdef __TARGET_ARCH_x86
    #define MY_ARCH 1
    #endif
    #if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    #define MY_BIG 1
    #endif
    """
    assert defines(tmp_path, text, target="amd64") == {"MY_ARCH": 1}
    assert defines(tmp_path, text, target="bpfeb") == {"MY_BIG": 1}


@pytest.mark.parametrize(
    "cflags",
    [
        ["-Wall", "-Wextra", "-Weverything", "-Werror", "-pedantic-errors"],
        ["-std=c89"],
        ["-std=gnu2x"],
        ["-fdiagnostics-format=msvc", "-fcolor-diagnostics", "-fdiagnostics-absolute-paths"],
        ["-ferror-limit=1"],
        ["-fvisibility=hidden", "-fdata-sections", "-O0", "-mcpu=v3"],
    ],
)
def test_the_flags_of_the_project_do_not_change_what_is_found(
    tmp_path: Path, cflags: list[str]
) -> None:
    text = "#define MY_A -1\n#define MY_B 1.5\n#define MY_C unknown\n#define MY_D 4\n"
    assert defines(tmp_path, text, cflags=cflags) == {"MY_A": -1, "MY_D": 4}


def test_a_source_elsewhere_finds_its_own_headers(tmp_path: Path) -> None:
    home, folder = tmp_path / "a b" / "src", tmp_path / "project"
    home.mkdir(parents=True)
    folder.mkdir()
    (home / "own.h").write_text("#define MY_A 1\n")
    (home / "prog.c").write_text('#include "own.h"\n')
    found = read_defines(
        home / "prog.c",
        TARGETS["bpfel"],
        [],
        ["MY_"],
        toolchain=find_toolchain(),
        folder=folder,
    )
    assert found == {"MY_A": 1}


def test_a_real_program_and_the_constants_of_the_bpf_interface(tmp_path: Path) -> None:
    text = """
    #include "common.h"
    #include <bpf/bpf_helpers.h>
    #define MY_SIZE (sizeof(struct pt_regs *) * 2)
    SEC("kprobe/sys_execve")
    int kprobe_execve(struct pt_regs *ctx) { return MY_SIZE; }
    """
    found = defines(tmp_path, text, cflags=[f"-I{HEADERS}"])
    assert found == {"MY_SIZE": 16}


def test_clang_is_run_three_times_where_it_takes_all_at_once(tmp_path: Path) -> None:
    commands: list[Sequence[str]] = []
    text = '#define MY_A 1\n#define MY_B "text"\n#define MY_C\n'
    assert defines(tmp_path, text, observe=commands) == {"MY_A": 1}
    assert len(commands) == 3


def test_nothing_is_left_in_the_project(tmp_path: Path) -> None:
    defines(tmp_path, "#define MY_A 1\n")
    assert [path.name for path in tmp_path.iterdir()] == ["prog.c"]


@pytest.mark.parametrize("text", ["#define MY_A 1\nint x = ;\n", "#define MY_A 1\n#error no\n"])
def test_a_source_that_does_not_compile_is_a_compile_error(tmp_path: Path, text: str) -> None:
    with pytest.raises(CompileError, match=r"^prog\.c does not compile for target bpfel$") as info:
        defines(tmp_path, text)
    assert "prog.c:2:" in info.value.diagnostics
    assert info.value.targets == ("bpfel",)


def test_the_hints_of_compile_errors_are_given(tmp_path: Path) -> None:
    with pytest.raises(CompileError, match=r"name the folder of common\.h"):
        defines(tmp_path, '#include "common.h"\n')


def test_a_missing_source_is_a_source_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"no C source 'gone\.c': check the path"):
        read_defines(
            tmp_path / "gone.c",
            TARGETS["bpfel"],
            [],
            ["MY_"],
            toolchain=find_toolchain(),
            folder=tmp_path,
        )


def test_a_compiler_that_can_not_be_run_is_a_tool_error(tmp_path: Path) -> None:
    (tmp_path / "prog.c").write_text("")
    with pytest.raises(ToolError, match="can't be run"):
        read_defines(
            tmp_path / "prog.c",
            TARGETS["bpfel"],
            [],
            ["MY_"],
            toolchain=Toolchain((str(tmp_path / "clang"),), "llvm-strip"),
            folder=tmp_path,
        )


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    bodies=st.lists(
        st.lists(
            st.sampled_from(
                [*"(){}[];,+-*\"'\\#", "1", "x", "int", "do", "struct", "0x", "F", "F("]
            ),
            max_size=6,
        ).map(" ".join),
        max_size=8,
    )
)
@example(bodies=["({ struct", "1", "} )"])
@example(bodies=["1 \\ \\"])
def test_no_text_of_a_macro_disturbs_those_around_it(tmp_path: Path, bodies: list[str]) -> None:
    # A backslash at the end of a line, spaces after it or not, makes one of two lines.
    ended = [body.rstrip("\\ ") for body in bodies]
    lines = ["#define F(x) x\n"]
    lines += [f"#define MY_{i} {body}\n#define YOUR_{i} {i}\n" for i, body in enumerate(ended)]
    found = defines(tmp_path, "".join(lines), ["YOUR_", "MY_"])
    yours = {name: value for name, value in found.items() if name.startswith("YOUR_")}
    assert yours == {f"YOUR_{i}": i for i in range(len(bodies))}
