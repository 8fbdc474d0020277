"""C types made by Hypothesis: nested, packed, aligned, with bitfields, unions and arrays."""

from hypothesis import strategies as st

PRELUDE = """
enum shade { DARK = 1, LIGHT = 6 };
enum sign { MINUS = -3, PLUS = 2 };
enum top { TOP = 4294967295 };
enum far { FAR = -100000 };
enum vast { VAST = -1, VASTEST = 1ll << 40 };
enum __attribute__((packed)) tiny { TINY = 3 };
typedef struct { char c; int i : 5; } known_t;
"""
"""What the made types use. Itself a type: the last that it declares."""

INTEGERS = {
    "char": 8,
    "signed char": 8,
    "unsigned char": 8,
    "short": 16,
    "unsigned short": 16,
    "int": 32,
    "unsigned": 32,
    "long": 64,
    "unsigned long": 64,
    "long long": 64,
    "__int128": 128,
    "unsigned __int128": 128,
}
_WIDTHS = {name: min(size, 127) for name, size in INTEGERS.items()}
_WIDTHS |= {"_Bool": 1, "enum shade": 32, "enum sign": 32, "enum top": 32, "enum far": 32}
_WIDTHS |= {"enum vast": 64}

_SCALARS = [
    *INTEGERS,
    "_Bool",
    "float",
    "double",
    "enum shade",
    "enum sign",
    "enum top",
    "enum far",
    "enum vast",
    "enum tiny",
    "known_t",
    "void *",
    "const char *",
    "struct unknown *",
]
_DEPTH = 3


@st.composite
def _bitfield(draw: st.DrawFn, name: str) -> str:
    base = draw(st.sampled_from(list(_WIDTHS)))
    if draw(st.integers(0, 7)) == 0:
        return f"{base} : {draw(st.integers(0, min(_WIDTHS[base], 9)))};"
    return f"{base} {name} : {draw(st.integers(1, _WIDTHS[base]))};"


@st.composite
def _plain(draw: st.DrawFn, name: str) -> str:
    base = draw(st.sampled_from(_SCALARS))
    counts = draw(st.lists(st.integers(1, 4), max_size=2))
    aligned = draw(st.sampled_from(["", "", "", "", " __attribute__((aligned({})))"]))
    dimensions = "".join(f"[{count}]" for count in counts)
    return f"{base} {name}{dimensions}{aligned.format(2 ** draw(st.integers(0, 5)))};"


@st.composite
def _body(draw: st.DrawFn, prefix: str, depth: int) -> str:
    """Draw members, their names beginning with *prefix*."""
    members = []
    for number in range(draw(st.integers(0 if depth < _DEPTH else 1, 7))):
        name = f"{prefix}{'abcdefgh'[number]}"
        kind = draw(st.sampled_from(["plain", "plain", "bits", "bits", "bits", "record"]))
        if kind == "record" and depth:
            inner = draw(_record("", name, depth - 1))
            count = draw(st.sampled_from(["", "", "[2]", "[3]", "[2][2]"]))
            is_anonymous = draw(st.booleans())
            members.append(f"{inner};" if is_anonymous else f"{inner} {name}{count};")
        else:
            members.append(draw(_bitfield(name) if kind == "bits" else _plain(name)))
    return " ".join(members)


@st.composite
def _record(draw: st.DrawFn, tag: str, prefix: str, depth: int) -> str:
    keyword = draw(st.sampled_from(["struct", "struct", "struct", "union"]))
    attribute = draw(st.sampled_from(["", "", "", "packed", "aligned(4)", "packed, aligned(2)"]))
    spelled = f" __attribute__(({attribute}))" if attribute else ""
    body = draw(_body(prefix, depth))
    if tag and keyword == "struct" and draw(st.integers(0, 5)) == 0:
        # C has no flexible array where no other member has a name.
        body += f" {draw(_plain('before'))} {draw(st.sampled_from(list(INTEGERS)))} rest[];"
    return f"{keyword}{spelled}{f' {tag}' if tag else ''} {{ {body} }}"


@st.composite
def types(draw: st.DrawFn) -> list[str]:
    """Draw the texts of some types."""
    count = draw(st.integers(15, 25))
    return [f"{draw(_record(f'made_{i}', 'm', _DEPTH))};" for i in range(count)]
