"""C names become Python names as bpf2go would spell them."""

import doctest
import keyword
from collections.abc import Callable

import pytest
from hypothesis import given, strategies as st

from ebpfgen import naming
from ebpfgen.errors import IdentifierError
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
    names, warnings = unique_names(["zoo_map", "any_prog", "m"], camel_case, what="program or map")
    assert list(names.items()) == [("zoo_map", "ZooMap"), ("any_prog", "AnyProg"), ("m", "M")]
    assert warnings == ()


def test_of_two_names_that_meet_the_one_that_changes_less_keeps_it() -> None:
    c_names = ["__account_start", "account_start"]
    for order in (c_names, c_names[::-1]):
        names, warnings = unique_names(order, camel_case, what="program or map")
        assert names == {"account_start": "AccountStart", "__account_start": "AccountStart_2"}
        assert warnings == (
            "program or map '__account_start' is called 'AccountStart_2', because 'account_start' "
            "is called 'AccountStart': rename one of them in the C source",
        )


def test_a_warning_names_the_option_that_keeps_names_apart() -> None:
    _, (warning,) = unique_names(["foo_bar", "fooBar"], camel_case, what="program or map")
    assert warning == (
        "program or map 'foo_bar' is called 'FooBar_2', because 'fooBar' is called 'FooBar': "
        "rename one of them in the C source, or pass --naming snake to keep the C names"
    )


@pytest.mark.parametrize(
    ("spell", "c_names", "keeps"),
    [
        (camel_case, ["foo_bar", "fooBar", "FooBar"], "FooBar"),
        (camel_case, ["foo_bar", "fooBar", "foo__bar"], "fooBar"),
        (camel_case, ["_foo", "foo_"], "_foo"),
        (snake_case, ["__x", "_x", "x"], "x"),
        (snake_case, ["lambda", "lambda_"], "lambda_"),
        (member_name, ["__x", "_x"], "_x"),
    ],
)
def test_the_others_get_numbers_in_the_order_of_c(
    spell: Callable[[str], str], c_names: list[str], keeps: str
) -> None:
    names, warnings = unique_names(c_names, spell, what="program or map")
    name = spell(keeps)
    others = [c_name for c_name in c_names if c_name != keeps]
    assert names == {keeps: name} | {c: f"{name}_{n}" for n, c in enumerate(others, 2)}
    assert len(warnings) == len(others)


def test_a_number_that_is_another_names_is_left_out() -> None:
    names, _ = unique_names(["F", "f", "F_2"], camel_case, what="program or map")
    assert names == {"F": "F", "F_2": "F_2", "f": "F_3"}


def test_names_that_meet_even_in_snake_case_are_not_sent_there() -> None:
    for spell in (camel_case, snake_case):
        _, (warning,) = unique_names(["_x", "x"], spell, what="program or map")
        assert warning.endswith("rename one of them in the C source")


def test_constants_that_meet_are_not_sent_to_an_option_that_does_not_touch_them() -> None:
    _, (warning,) = unique_names(["_x", "__x"], member_name, what="constant")
    assert warning == (
        "constant '__x' is called '_x_2', because '_x' is called '_x': rename one of them in the C "
        "source"
    )


def test_a_reserved_name_gets_an_underscore() -> None:
    reserved = frozenset({"load"})
    names, _ = unique_names(["load", "store"], snake_case, what="program", reserved=reserved)
    assert names == {"load": "load_", "store": "store"}


def test_a_reserved_name_may_meet_another() -> None:
    reserved = frozenset({"load", "load__2"})
    names, _ = unique_names(["load", "load_"], snake_case, what="program", reserved=reserved)
    assert names == {"load": "load__3", "load_": "load_"}


@given(c_names=st.lists(st.text(alphabet="_aAbB12", min_size=1, max_size=6)))
@pytest.mark.parametrize("spell", [camel_case, snake_case])
def test_any_names_become_as_many_identifiers(
    spell: Callable[[str], str], c_names: list[str]
) -> None:
    usable = [c_name for c_name in c_names if c_name.strip("_")]
    names, _ = unique_names(usable, spell, what="program", reserved=frozenset({"a", "A"}))
    assert names.keys() == set(usable)
    assert len(set(names.values())) == len(names)
    assert all(name.isidentifier() for name in names.values())
    again, _ = unique_names(usable, spell, what="program", reserved=frozenset({"a", "A"}))
    assert again == names


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
