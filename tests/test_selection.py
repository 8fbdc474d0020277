"""Types are found by the names people use, and what a name stands for is never guessed."""

import pytest

from ebpfgen.btf.find import find_type
from ebpfgen.btf.layout import strip
from ebpfgen.errors import SelectionError

from .btf_builder import BtfBuilder


@pytest.fixture
def builder() -> BtfBuilder:
    b = BtfBuilder()
    u32 = b.integer("unsigned int", 4)
    event = b.struct("event", 4, [("pid", u32, 0)])
    b.typedef("event_t", event)
    b.enum("event", 4, [("NONE", 0)])
    b.typedef("lone", b.struct("", 4, [("a", u32, 0)]))
    tagged = b.struct("same", 4, [("a", u32, 0)])
    b.typedef("same", tagged)
    b.typedef("u32", u32)
    return b


def label(b: BtfBuilder, wanted: str) -> str:
    btf = b.btf()
    own_id, typedef = strip(btf, find_type(btf, wanted))
    found = btf[own_id]
    return f"{type(found).__name__} {getattr(found, 'name', '') or typedef}"


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("struct event", "Struct event"),
        ("enum event", "Enum event"),
        ("event_t", "Struct event"),
        ("typedef event_t", "Struct event"),
        ("lone", "Struct lone"),
        ("same", "Struct same"),
        ("  struct event ", "Struct event"),
    ],
)
def test_a_name_stands_for_a_type(builder: BtfBuilder, wanted: str, found: str) -> None:
    assert label(builder, wanted) == found


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("event", "stands for enum event and struct event: pass --type 'enum event'"),
        ("evnt_t", "no such type in the object (did you mean event_t?)"),
        ("zzz", "no such type in the object (the C code must use it"),
        ("union event", "no such type"),
        ("u32", "is unsigned int, for which Python needs no class"),
        ("class event", "say struct, union, enum or typedef before the name"),
    ],
)
def test_any_other_name_is_one_line_that_says_what_to_do(
    builder: BtfBuilder, wanted: str, message: str
) -> None:
    with pytest.raises(SelectionError) as caught:
        find_type(builder.btf(), wanted)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
