"""C names become Python names as bpf2go would spell them."""

import doctest
import keyword
from collections.abc import Callable

import pytest
from hypothesis import given, strategies as st

from ebpfgen import naming
from ebpfgen.errors import CollisionError, IdentifierError
from ebpfgen.naming import (
    Naming,
    camel_case,
    check_identifier,
    distinct_names,
    export_order,
    member_name,
    snake_case,
    unique_names,
)

CAMEL = {
    "kprobe_execve": "KprobeExecve",
    "kprobe_map": "KprobeMap",
    "kprobe_openat2": "KprobeOpenat2",
    "x": "X",
    "FOO_BAR": "FOO_BAR",
    "Foo_bar": "FooBar",
    "FooBar": "FooBar",
    "FOO_bar": "FOO_bar",
    "foo_BAR": "FooBAR",
    "foo__bar": "FooBar",
    "foo_": "Foo",
    "FOO_": "FOO_",
    "a_b_c": "A_bC",
    ".rodata": "Rodata",
    "_foo_bar_": "FooBar",
    "ipv6_test": "Ipv6Test",
    "FOO__BAR": "FOO__BAR",
    "__FOO__BAR": "FOO__BAR",
    "tcp_v4_connect": "TcpV4Connect",
    "map_1": "Map1",
    "_private": "Private",
    "__hidden_map": "HiddenMap",
    "_1x": "_1x",
    "1x": "_1x",
    "none": "None_",
    "true": "True_",
    "false": "False_",
    "none_": "None_",
    "lambda": "Lambda",
    "print": "Print",
    "bss.data": "Bssdata",
    "a-b c": "Abc",
    'x"\n#': "X",
    "größe": "Gre",
}


@pytest.mark.parametrize(("c_name", "name"), CAMEL.items())
def test_camel_case_is_the_rule_of_bpf2go(c_name: str, name: str) -> None:
    assert camel_case(c_name) == name


def test_the_examples_in_docstrings_are_true() -> None:
    results = doctest.testmod(naming)
    assert results.attempted
    assert not results.failed


SNAKE = {
    "kprobe_execve": "kprobe_execve",
    "FOO_BAR": "FOO_BAR",
    "a_b_c": "a_b_c",
    "_private": "private",
    "__private__": "private__",
    "_1x": "_1x",
    "none": "none",
    "None": "None_",
    "lambda": "lambda_",
    "class": "class_",
    "a.b": "ab",
}


@pytest.mark.parametrize(("c_name", "name"), SNAKE.items())
def test_snake_case_keeps_c_names(c_name: str, name: str) -> None:
    assert snake_case(c_name) == name


MEMBERS = {
    "pid": "pid",
    "Flags": "Flags",
    "from": "from_",
    "in": "in_",
    "None": "None_",
    "match": "match",
    "_pad": "_pad",
    "__pad": "_pad",
    "___pad": "_pad",
    "__init__": "_init__",
    "__slots__": "_slots__",
    "_": None,
    "__": None,
}


@pytest.mark.parametrize(("c_name", "name"), MEMBERS.items())
def test_members_keep_their_c_names(c_name: str, name: str | None) -> None:
    if name is None:
        with pytest.raises(IdentifierError):
            member_name(c_name)
    else:
        assert member_name(c_name) == name


@pytest.mark.parametrize("c_name", ["", "_", "___", "ä", '"', "."])
@pytest.mark.parametrize("spell", [camel_case, snake_case, member_name])
def test_a_name_of_which_nothing_is_left_is_an_error_that_has_it(
    spell: Callable[[str], str], c_name: str
) -> None:
    with pytest.raises(IdentifierError) as caught:
        spell(c_name)
    assert caught.value.name == c_name
    assert repr(c_name) in str(caught.value)


ODD_NAMES = st.one_of(
    st.text(max_size=20),
    st.text(alphabet="_aB1 .", max_size=8),
    st.sampled_from(keyword.kwlist),
)


@pytest.mark.parametrize("spell", [camel_case, snake_case, member_name])
@given(c_name=ODD_NAMES)
def test_every_name_is_an_identifier_or_an_error(spell: Callable[[str], str], c_name: str) -> None:
    try:
        name = spell(c_name)
    except IdentifierError:
        return
    assert name.isidentifier()
    assert name.isascii()
    assert not keyword.iskeyword(name)
    assert not name.startswith("__"), "Python would read it as another name inside a class"


def test_the_naming_option_chooses_the_spelling() -> None:
    assert Naming("camel").spell("kprobe_map") == "KprobeMap"
    assert Naming("snake").spell("kprobe_map") == "kprobe_map"


def test_unique_names_keep_their_order() -> None:
    names = unique_names(["zoo_map", "any_prog", "m"], camel_case, what="program or map")
    assert list(names.items()) == [("zoo_map", "ZooMap"), ("any_prog", "AnyProg"), ("m", "M")]


def test_two_names_that_meet_name_both_and_the_way_out() -> None:
    with pytest.raises(CollisionError) as caught:
        unique_names(["foo_bar", "other", "fooBar"], camel_case, what="program or map")
    error = caught.value
    assert (error.first, error.second, error.name) == ("foo_bar", "fooBar", "FooBar")
    assert str(error) == (
        "program or map 'foo_bar' and 'fooBar' both become 'FooBar' in Python: rename one of them "
        "in the C source, or pass --naming snake to keep the C names"
    )


def test_names_that_meet_even_in_snake_case_are_not_sent_there() -> None:
    with pytest.raises(CollisionError) as caught:
        unique_names(["_x", "x"], snake_case, what="program or map")
    assert str(caught.value).endswith("rename one of them in the C source")


def test_members_that_meet_are_not_sent_to_an_option_that_does_not_touch_them() -> None:
    with pytest.raises(CollisionError) as caught:
        unique_names(["_x", "__x"], member_name, what="members of struct s")
    assert "--naming" not in str(caught.value)


def test_a_reserved_name_gets_an_underscore() -> None:
    reserved = frozenset({"load"})
    names = unique_names(["load", "store"], snake_case, what="program or map", reserved=reserved)
    assert names == {"load": "load_", "store": "store"}


def test_a_reserved_name_may_not_meet_another() -> None:
    reserved = frozenset({"load"})
    with pytest.raises(CollisionError) as caught:
        unique_names(["load_", "load"], snake_case, what="program or map", reserved=reserved)
    assert (caught.value.first, caught.value.second) == ("load_", "load")


@pytest.mark.parametrize("name", ["bpf", "Bpf_2", "_x", "match"])
def test_what_python_can_use_as_a_name_passes(name: str) -> None:
    assert check_identifier(name, "ident") == name


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "is not a Python identifier"),
        ("1x", "is not a Python identifier"),
        ("a-b", "is not a Python identifier"),
        ("a b", "is not a Python identifier"),
        ("a/b", "is not a Python identifier"),
        ("é", "is not a Python identifier"),
        ("x\n", "is not a Python identifier"),
        ("class", "is a Python keyword"),
        ("None", "is a Python keyword"),
    ],
)
def test_what_python_cannot_use_as_a_name_is_refused(name: str, why: str) -> None:
    with pytest.raises(IdentifierError, match=why) as caught:
        check_identifier(name, "ident")
    assert caught.value.name == name
    assert str(caught.value).startswith(f"ident {name!r}")


def test_exports_are_constants_then_classes_then_functions() -> None:
    in_order = ["MAX_SIZE", "BpfEvent", "BpfEvent2", "BpfEvent10", "BpfMaps", "BpfMapSpecs"]
    in_order += ["load_bpf", "load_bpf_objects"]
    assert sorted(sorted(in_order), key=export_order) == in_order


def test_names_that_meet_often_are_told_apart_by_numbers() -> None:
    names = distinct_names(["a", "a_", "a", "a", "a", "a"], member_name, reserved=frozenset())
    assert names == ["a", "a_", "a__", "a_3", "a_4", "a_5"]
    many = distinct_names(["a"] * 60_000, member_name, reserved=frozenset())
    assert len(set(many)) == len(many)
    assert max(map(len, many)) < 10
