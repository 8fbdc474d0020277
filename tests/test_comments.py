"""A comment directly above what it describes is found; no text is too strange to be read."""

import random
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from ebpfgen.comments import Comments, TextComments, read_comments


def everything(*texts: str) -> dict[str, str]:
    """Return all that was found, by what it is of: ``struct event.pid``, ``enum state:BUSY``."""
    found: dict[str, str] = {}
    comments = Comments(texts)
    for text in texts:
        types, members, enumerators, names = read_comments(text)
        found |= {f"type {name}": comments.of_type(name) for name in types}
        found |= {f"{of}.{name}": comments.of_member(of, name) for of, name in members}
        found |= {f"{of}:{name}": comments.of_enumerator(of, name) for of, name in enumerators}
        found |= {name: comments.of_name(name) for name in names}
    return found


Table = list[tuple[str, dict[str, str]]]

PLACES: Table = [
    # Types
    ("// D\nstruct event { int pid; };", {"type struct event": "D"}),
    ("/** D */\nunion u { int pid; };", {"type union u": "D"}),
    ("// D\nenum state { BUSY };", {"type enum state": "D"}),
    ("// D\nstruct event\n{\n\tint pid;\n};", {"type struct event": "D"}),
    ("// D\nstruct __attribute__((packed)) event { int a; };", {"type struct event": "D"}),
    ("// D\nstruct event { int a; } __attribute__((packed));", {"type struct event": "D"}),
    ("// D\nstruct __aligned(8) event { int a; } __packed;", {"type struct event": "D"}),
    ("// D\nenum state : unsigned char { BUSY };", {"type enum state": "D"}),
    ("// D\nstruct event;", {}),
    # Typedefs
    ("// D\ntypedef unsigned long long u64;", {"type u64": "D"}),
    ("// D\ntypedef struct { int a; } event_t;", {"type event_t": "D"}),
    (
        "// D\ntypedef struct event { int a; } event_t;",
        {"type struct event": "D", "type event_t": "D"},
    ),
    ("// D\ntypedef struct event event_t;", {"type event_t": "D"}),
    ("// D\ntypedef int (*callback_t)(void *, int);", {"type callback_t": "D"}),
    ("// D\ntypedef int callback_t(void *, int);", {"type callback_t": "D"}),
    ("// D\ntypedef u8 mac_t[6];", {"type mac_t": "D"}),
    # Members
    ("struct event {\n// D\nint pid;\n};", {"struct event.pid": "D"}),
    ("struct event {\n/** D */\nunsigned long pid : 3;\n};", {"struct event.pid": "D"}),
    (
        "struct event {\n// D\nstruct other *next, *prev;\n};",
        dict.fromkeys(("struct event.next", "struct event.prev"), "D"),
    ),
    ("struct event {\n// D\nint a,\n// E\nb;\n};", {"struct event.a": "D", "struct event.b": "E"}),
    ("struct event {\n// D\nchar name[16][2];\n};", {"struct event.name": "D"}),
    ("struct event {\n// D\nint (*call)(int a, int b);\n};", {"struct event.call": "D"}),
    ("struct event {\n// D\nint (*calls[2])(int);\n};", {"struct event.calls": "D"}),
    ("struct event {\n// D\n__u32 a __attribute__((aligned(8)));\n};", {"struct event.a": "D"}),
    ("struct event {\n// D\nstruct task __kptr *task;\n};", {"struct event.task": "D"}),
    ("struct event {\n// D\n__u32 __pad;\n};", {"struct event.__pad": "D"}),
    ("struct event {\n// D\ntypeof(1) a;\n};", {"struct event.a": "D"}),
    ("struct event {\n// D\nenum state state : 2;\n};", {"struct event.state": "D"}),
    ("struct event {\n// D\nint : 3;\n};", {}),
    ("struct event {\n// D\n__uint(max_entries, 8);\n};", {"struct event.max_entries": "D"}),
    ("typedef struct {\n// D\nint a;\n} event_t;", {"event_t.a": "D"}),
    ("typedef struct event {\n// D\nint a;\n} event_t;", {"struct event.a": "D"}),
    # Members of members
    (
        "struct outer {\n// D\nstruct inner {\n// E\nint a;\n} in;\n};",
        {"type struct inner": "D", "struct outer.in": "D", "struct inner.a": "E"},
    ),
    (
        "struct outer {\nunion {\n// D\nint a;\nstruct {\n// E\nint b;\n};\n};\n};",
        {"struct outer.a": "D", "struct outer.b": "E"},
    ),
    (
        "struct outer {\n// D\nstruct {\n// E\nint a;\nstruct {\n// F\nint b;\n} c;\n} in;\n};",
        {"struct outer.in": "D", "struct outer.in.a": "E", "struct outer.in.c.b": "F"},
    ),
    ("struct {\n// D\nint a;\n} config;", {"config.a": "D"}),
    ("struct {\n// D\nint a;\n};", {}),
    ("struct {\nstruct inner {\n// D\nint a;\n} *p;\n};", {"struct inner.a": "D"}),
    # Enumerators
    (
        "enum state {\n// D\nIDLE,\n// E\nBUSY = 1 << 2,\n};",
        {"enum state:IDLE": "D", "enum state:BUSY": "E"},
    ),
    ("enum {\n// D\nIDLE };", {"enum:IDLE": "D"}),
    ("typedef enum {\n// D\nIDLE } state_t;", {"state_t:IDLE": "D"}),
    ("struct event {\nenum {\n// D\nIDLE } state;\n};", {"enum:IDLE": "D"}),
    ("enum state { A = F(1,\n// D\n2), B };", {}),
    # Maps
    (
        '// D\nstruct {\n__uint(type, BPF_MAP_TYPE_HASH);\n__type(key, u32);\n} m SEC(".maps");',
        {"m": "D"},
    ),
    ('struct {\n// D\n__type(value, struct event);\n} m SEC(".maps");', {"m.value": "D"}),
    (
        '// D\nstruct inner {\n__uint(type, 1);\n} m SEC(".maps"), n SEC(".maps");',
        {"type struct inner": "D", "m": "D", "n": "D"},
    ),
    ('// D\nstruct event m __attribute__((section(".maps"), used));', {"m": "D"}),
    (
        '// D\nstruct {\n__array(values, struct inner);\n} m SEC(".maps") = {\n.values = {},\n};',
        {"m": "D"},
    ),
    # Programs, and other functions
    ('// D\nSEC("kprobe/sys_execve")\nint prog(struct pt_regs *ctx)\n{\n}', {"prog": "D"}),
    ('SEC("xdp")\n// D\nint prog(struct xdp_md *ctx) {\n}', {"prog": "D"}),
    ('// D\nSEC("xdp") int prog(struct xdp_md *ctx) { return 1; }', {"prog": "D"}),
    ('// D\nSEC("kprobe/x")\nint BPF_KPROBE(prog, int dfd)\n{\n}', {"prog": "D"}),
    ('// D\nSEC("kretprobe/x")\nint BPF_KRETPROBE(prog)\n{\n}', {"prog": "D"}),
    ('// D\nSEC("lsm/x")\nint BPF_PROG(prog, struct file *f, int ret)\n{\n}', {"prog": "D"}),
    ('// D\nSEC("fentry/x")\n__attribute__((noinline)) int prog(void *ctx)\n{\n}', {"prog": "D"}),
    ("// D\nstatic __always_inline struct event *helper(struct event *e)\n{\n}", {"helper": "D"}),
    ("// D\nstatic int helper(int a) __attribute__((unused));", {}),
    ("int f(void)\n{\n// D\nint local;\nstruct local { int a; };\n}\n// E\nint g;", {"g": "E"}),
    ("int FUNC(int a)\n{\n}\n// D\nint FUNCTION(void)\n{\n}", {"FUNCTION": "D"}),
    # Variables
    ("// D\nint count;", {"count": "D"}),
    ("// D\nconst volatile int target_pid = 0;", {"target_pid": "D"}),
    ('// D\nchar _license[] SEC("license") = "GPL";', {"_license": "D"}),
    ('// D\nint x SEC(".data.custom") __weak = 1;', {"x": "D"}),
    ("// D\nextern unsigned int CONFIG_HZ __kconfig;", {"CONFIG_HZ": "D"}),
    ("// D\nstruct event e = { .pid = 1, .comm = {}, };", {"e": "D"}),
    ("// D\nint a = (1, 2), b[2] = {1, 2}, *c;", {"a": "D", "b": "D", "c": "D"}),
    ("// D\nstatic __u64 hidden;", {"hidden": "D"}),
    ('extern "C" {\n// D\nint count;\n}\n', {"count": "D"}),
]


@pytest.mark.parametrize(("text", "expected"), PLACES)
def test_a_comment_documents_what_begins_below_it(text: str, expected: dict[str, str]) -> None:
    assert everything(text) == expected


NOT_ABOVE: Table = [
    ("// D\n\nint a;", {}),
    ("/** D */\n\nint a;", {}),
    ("int a; // D", {}),
    ("int a; // D\nint b;", {}),
    ("int a; /** D */\nint b;", {}),
    ("int a; // D\n       // goes on\nint b;", {}),
    ("int a; // D\n// E\nint b;", {"b": "E"}),
    ("struct s {\nint a; // D\nint b; // E\n};", {}),
    ("// D\n#define A 1\nint a;", {}),
    ("#define A 1 // D\nint a;", {}),
    ("#define A \\\n// D\nint a;", {}),
    ("// D\n#include <x.h>\nint a;", {}),
    ("// D\n/* E */\nint a;", {}),
    ("/** D */\n// E\nint a;", {"a": "E"}),
    ("// D\n/** E */\nint a;", {"a": "E"}),
    ("// C\n\n// D\nint a;", {"a": "D"}),
    ("/** D */ int a;", {"a": "D"}),
    ("/** D\n */ int a;", {"a": "D"}),
    ("/* D */\nint a;", {}),
    ("/*** D ***/\nint a;", {}),
    ("/**/\nint a;", {}),
    ("/** */\nint a;", {}),
    ("//\nint a;", {}),
    ("///< D\nint a;", {}),
    ("/**< D */\nint a;", {}),
    ("/// D\nint a;", {"a": "D"}),
    ("//! D\nint a;", {"a": "D"}),
    ('char a[] = "// D\\\n";\nint b;', {}),
    ('char a[] = "\n;\n/** D */\nint b;', {"b": "D"}),
    ("char a = '\"';\n// D\nint b;", {"b": "D"}),
    ('char a[] = "\\"/*";\n// D\nint b;', {"b": "D"}),
    ("// D\r\nint a;\r\n", {"a": "D"}),
    ("// D\rint a;\r", {"a": "D"}),
    ("// C \\\n   D\nint a;", {"a": "C \\\n  D"}),
]


@pytest.mark.parametrize(("text", "expected"), NOT_ABOVE)
def test_only_a_doc_comment_and_only_directly_above(text: str, expected: dict[str, str]) -> None:
    assert everything(text) == expected


CLEANED = [
    ("/** D */", "D"),
    ("/** D **/", "D"),
    ("/**D*/", "D"),
    ("/**\n * One\n * two.\n */", "One\ntwo."),
    ("/** One\n *  two.\n */", "One\ntwo."),
    ("/**\n * One:\n *   - two\n *\n * three\n */", "One:\n  - two\n\nthree"),
    ("\t/**\n\t * One\n\t *\ttwo.\n\t */", "One\n     two."),
    ("/**\n   One\n     two\n*/", "One\n  two"),
    ("/** One\n  * two\n  not a list\n*/", "One\n* two\nnot a list"),
    ("/**\n\n * One\n\n */", "One"),
    ("// One\n// two", "One\ntwo"),
    ("//One\n//  two", "One\n  two"),
    ("// One   \n//\n//   two\t", "One\n\n  two"),
    ("    // One\n  // two", "One\ntwo"),
    ("// =====\n// One\n// =====", "One"),
    ("// One\n// ---\n// two", "One\n---\ntwo"),
    ("// ----------", ""),
    ("//////////", ""),
    ("/** ******** */", ""),
    ("// SPDX-License-Identifier: GPL-2.0", ""),
    ("// SPDX-License-Identifier: GPL-2.0\n// One", "One"),
    ("// Copyright (c) 2020 Somebody", ""),
    ("/**\n * Copyright 2020 Somebody\n * Licensed under the Apache License\n */", ""),
    ("/**\n * This program is free software; you can redistribute it\n */", ""),
    ("// clang-format off\n// One", "One"),
    ('// Who holds the copyright, and """ or \\n', 'Who holds the copyright, and """ or \\n'),
    ("// Größe\u00a0in\x0cBytes \U0001f41d", "Größe in Bytes \U0001f41d"),
    ("// \u202eevil\x00\ud800", " evil".strip()),
]


@pytest.mark.parametrize(("comment", "expected"), CLEANED)
def test_the_text_is_what_a_reader_sees_without_the_markers(comment: str, expected: str) -> None:
    assert Comments([f"{comment}\nint a;\n"]).of_name("a") == expected


CONDITIONS: Table = [
    ("#ifdef X\n// D\nint a;\n#else\n// E\nint b;\n#endif", {"a": "D", "b": "E"}),
    ("#if 0\n// D\nint a;\n#else\n// E\nint b;\n#endif", {"b": "E"}),
    ("#if 0\nint don't {\n#endif\n// D\nint a;", {"a": "D"}),
    ("#if 0\n#if 1\n{\n#endif\n{\n#endif\n// D\nint a;", {"a": "D"}),
    (
        "#ifdef X\nint f(int a) {\n#else\nint f(void) {\n#endif\n}\n// D\nint a;",
        {"a": "D"},
    ),
    (
        "struct s {\n#if A\n// D\nint a;\n#elif B\n// E\nint b;\n#endif\n// F\nint c;\n};",
        {"struct s.a": "D", "struct s.b": "E", "struct s.c": "F"},
    ),
    (
        '#ifdef __cplusplus\nextern "C" {\n#endif\n// D\nint a;\n#ifdef __cplusplus\n}\n#endif',
        {"a": "D"},
    ),
    ("#endif\n#else\n// D\nint a;\n#if", {"a": "D"}),
    ("  #  if 0\nint {\n  #  endif\n// D\nint a;", {"a": "D"}),
    ("#error don't /* stop\n// D\nint a;", {"a": "D"}),
    ("#define A /* goes\non */ {\n// D\nint a;", {"a": "D"}),
]


@pytest.mark.parametrize(("text", "expected"), CONDITIONS)
def test_all_branches_are_read_that_leave_the_brackets_whole(
    text: str, expected: dict[str, str]
) -> None:
    assert everything(text) == expected


MALFORMED: Table = [
    ("}\n// D\nint a;", {"a": "D"}),
    (")]\n// D\nint a;", {"a": "D"}),
    ("int f(\n;\n// D\nint a;", {"a": "D"}),
    ("int f() { ( }\n// D\nint a;", {"a": "D"}),
    ("int f() { ] ) }\n// D\nint a;", {"a": "D"}),
    ("struct s {\n// D\nint a;", {}),
    ("// D\nint a", {"a": "D"}),
    ("/** D", {}),
    ("int a; /** D\nint b;", {}),
    ("// D\n;", {}),
    ("// D\n;\nint a;", {}),
]


@pytest.mark.parametrize(("text", "expected"), MALFORMED)
def test_what_is_broken_costs_no_more_than_itself(text: str, expected: dict[str, str]) -> None:
    found = everything(text)
    assert {name: found.get(name) for name in expected} == expected


def test_of_two_comments_on_one_thing_the_first_is_taken() -> None:
    source = "struct event {\n// first\nint pid;\n};\n// a\nint x;"
    header = "// of the header\nstruct event {\n// second\nint pid;\n// other\nint tid;\n};"
    assert everything(source, header) == {
        "type struct event": "of the header",
        "struct event.pid": "first",
        "struct event.tid": "other",
        "x": "a",
    }


def test_each_kind_has_its_own_question() -> None:
    comments = Comments(
        [
            "// T\nstruct x {\n// M\nint x;\n};\n"
            "// E\nenum x {\n// V\nx };\n"
            "// N\nint x;\n// Y\ntypedef int x;"
        ]
    )
    assert comments.of_type("struct x") == "T"
    assert comments.of_type("enum x") == "E"
    assert comments.of_type("x") == "Y"
    assert comments.of_member("struct x", "x") == "M"
    assert comments.of_enumerator("enum x", "x") == "V"
    assert comments.of_name("x") == "N"


def test_what_has_no_comment_has_an_empty_one() -> None:
    comments = Comments(["// D\nint b;"])
    assert comments.of_type("struct event") == ""
    assert comments.of_member("struct event", "pid") == ""
    assert comments.of_enumerator("enum state", "BUSY") == ""
    assert comments.of_name("a") == ""


def check(comments: TextComments) -> None:
    """Every comment is lines of printable text, none of them with a trailing space."""
    tables: list[Mapping[str, str] | Mapping[tuple[str, str], str]] = [
        comments.types,
        comments.members,
        comments.enumerators,
        comments.names,
    ]
    for doc in (doc for table in tables for doc in table.values()):
        assert doc
        assert doc == doc.strip("\n")
        for line in doc.split("\n"):
            assert line == line.rstrip()
            assert line.isprintable()


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    for commented in (text, f"// {text}\nint a;", f"/** {text} */ int a; /**"):
        check(read_comments(commented))


PIECES = [
    *"(){}[];,*=:#'\"\\\n/ \t",
    *("// D\n", "/** D */\n", "/**", "*/", "//", "struct ", "union ", "enum ", "typedef ", "int "),
    *("name", "a ", "other ", '"text"', "'c'", '"C"', 'SEC(".maps")', "BPF_PROG(", "__uint(type"),
    *("__attribute__((packed))", "extern ", "#if 0\n", "#if A\n", "#else\n", "#endif\n", "typeof("),
]


@settings(max_examples=500)
@given(st.lists(st.sampled_from(PIECES), max_size=40))
def test_any_pieces_of_c_can_be_read(pieces: list[str]) -> None:
    text = "// D\n" + "".join(pieces)
    check(read_comments(text))
    assert [name for name, doc in everything(text).items() if not doc] == [], "and found by name"


@settings(max_examples=200)
@given(st.lists(st.sampled_from(PIECES), max_size=40))
def test_a_declaration_is_found_behind_any_whole_one(pieces: list[str]) -> None:
    braces = "".join(pieces).translate(str.maketrans("", "", "(){}[]#'\"\\/="))
    text = f"struct s {{ {braces} }};\n// found\nint last_one;"
    assert Comments([text]).of_name("last_one") == "found"


@pytest.mark.parametrize("piece", [piece for piece in PIECES if piece != "name"])
@pytest.mark.parametrize("start", ["// D\n", "/** ", "struct s {", "#define "])
def test_a_long_text_is_read_once(start: str, piece: str) -> None:
    """What took time by the square of its length would not end here."""
    check(read_comments(start + piece * (50_000 // len(piece)) + "\n// D\nint a;"))


SYSTEM_HEADERS = [
    "/usr/include/linux/bpf.h",
    "/usr/include/linux/btf.h",
    "/usr/include/linux/io_uring.h",
    "/usr/include/linux/kvm.h",
    "/usr/include/linux/perf_event.h",
    "/usr/include/linux/pkt_cls.h",
    "/usr/include/bpf/bpf_helper_defs.h",
    "/usr/include/bpf/libbpf.h",
]


def header(name: str) -> str:
    path = Path(name)
    if not path.is_file():
        pytest.skip(f"this machine has no {name}")
    return path.read_text(encoding="utf-8", errors="replace")


@pytest.mark.parametrize("name", SYSTEM_HEADERS)
def test_a_header_of_the_system_is_read_and_so_is_what_follows_it(name: str) -> None:
    text = header(name) + "\n// found\nint last_one;\n"
    check(read_comments(text))
    assert Comments([text]).of_name("last_one") == "found"


@pytest.mark.parametrize("name", SYSTEM_HEADERS)
@pytest.mark.parametrize("seed", range(3))
def test_a_header_with_faults_is_read(name: str, seed: int) -> None:
    chance = random.Random(seed)
    text = list(header(name))
    for _ in range(200):
        place = chance.randrange(len(text))
        length = chance.choice((0, 1, 1, 10))
        text[place : place + length] = chance.choice(PIECES)
    check(read_comments("".join(text)))
