"""The targets and how they are named."""

import platform
import sys

import pytest

from ebpfgen.errors import TargetError
from ebpfgen.target import DEFAULT_TARGETS, SUFFIXES, TARGETS, find_target, find_targets

# Name, byte order, suffix of the files, the architecture's define.
TABLE = [
    ("bpfel", "little", "bpfel", None),
    ("bpfeb", "big", "bpfeb", None),
    ("386", "little", "bpfel_x86", "x86"),
    ("amd64", "little", "bpfel_x86", "x86"),
    ("arm", "little", "bpfel_arm", "arm"),
    ("arm64", "little", "bpfel_arm64", "arm64"),
    ("loong64", "little", "bpfel_loongarch", "loongarch"),
    ("mips", "big", "bpfeb_mips", "mips"),
    ("ppc64", "big", "bpfeb_powerpc", "powerpc"),
    ("ppc64le", "little", "bpfel_powerpc", "powerpc"),
    ("riscv64", "little", "bpfel_riscv", "riscv"),
    ("s390x", "big", "bpfeb_s390", "s390"),
]


@pytest.mark.parametrize(("name", "byte_order", "suffix", "arch"), TABLE)
def test_a_target_has_a_byte_order_a_suffix_and_a_define(
    name: str, byte_order: str, suffix: str, arch: str | None
) -> None:
    target = find_target(name)
    assert target.name == name
    assert target.byte_order == byte_order
    assert target.clang == suffix.partition("_")[0]
    assert target.suffix == suffix
    assert target.defines == ((f"-D__TARGET_ARCH_{arch}",) if arch else ())
    assert bool(target.machines) == bool(arch)


def test_these_are_all_targets_and_suffixes() -> None:
    assert list(TARGETS) == [name for name, *_ in TABLE]
    assert set(SUFFIXES) == {suffix for _, _, suffix, _ in TABLE}


def test_the_default_is_one_target_of_each_byte_order() -> None:
    orders = [target.byte_order for target in find_targets(DEFAULT_TARGETS)]
    assert orders == ["little", "big"]


@pytest.mark.parametrize(("byte_order", "name"), [("little", "bpfel"), ("big", "bpfeb")])
def test_bpf_is_the_byte_order_of_this_machine(
    byte_order: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "byteorder", byte_order)
    assert find_target("bpf") is TARGETS[name]


@pytest.mark.parametrize(
    ("machine", "name"),
    [
        ("x86_64", "amd64"),
        ("i686", "amd64"),
        ("aarch64", "arm64"),
        ("armv7l", "arm"),
        ("loongarch64", "loong64"),
        ("mips64", "mips"),
        ("ppc64", "ppc64"),
        ("ppc64le", "ppc64le"),
        ("riscv64", "riscv64"),
        ("s390x", "s390x"),
    ],
)
def test_native_is_the_architecture_of_this_machine(
    machine: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: machine)
    assert find_target("native") is TARGETS[name]


def test_native_on_an_unknown_machine_names_it_and_the_way_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "vax")
    with pytest.raises(TargetError, match=r"\(vax\) has no target of its own; use bpf, or") as e:
        find_target("native")
    assert e.value.target == "native"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("x86_64", "did you mean amd64?"),
        ("x86", "did you mean amd64?"),
        ("aarch64", "did you mean arm64?"),
        ("i386", "did you mean amd64?"),
        ("amd46", "did you mean amd64?"),
        ("AMD64", None),
        ("", None),
        ("qqq", None),
    ],
)
def test_an_unknown_target_lists_all_and_suggests_the_likely(name: str, hint: str | None) -> None:
    with pytest.raises(TargetError) as caught:
        find_target(name)
    message = str(caught.value)
    assert caught.value.target == name
    assert message.startswith(f"unknown target {name!r}")
    assert message.endswith("targets: bpf, native, " + ", ".join(TARGETS))
    assert ("did you mean" in message) == bool(hint)
    assert hint is None or hint in message


@pytest.mark.parametrize(
    ("names", "suffixes"),
    [
        (["bpfel,bpfeb"], ["bpfel", "bpfeb"]),
        (["bpfeb", "bpfel"], ["bpfeb", "bpfel"]),
        (["amd64, arm64", "s390x"], ["bpfel_x86", "bpfel_arm64", "bpfeb_s390"]),
        (["amd64", "amd64,bpfel"], ["bpfel_x86", "bpfel"]),
        (["ppc64,ppc64le"], ["bpfeb_powerpc", "bpfel_powerpc"]),
    ],
)
def test_targets_are_comma_lists_and_repeated(names: list[str], suffixes: list[str]) -> None:
    assert [target.suffix for target in find_targets(names)] == suffixes


@pytest.mark.parametrize(("names", "first"), [(["386", "amd64"], "386"), (["amd64,386"], "amd64")])
def test_two_names_of_one_object_give_the_first(names: list[str], first: str) -> None:
    assert [target.name for target in find_targets(names)] == [first]


@pytest.mark.parametrize("names", [["amd64,"], [",amd64"], ["amd64,,arm64"], [""]])
def test_an_empty_name_in_a_list_is_an_error(names: list[str]) -> None:
    with pytest.raises(TargetError, match="unknown target ''"):
        find_targets(names)


def test_variants_of_one_byte_order_fit_different_machines() -> None:
    by_suffix = {target.suffix: target for target in TARGETS.values() if target.machines}
    for byte_order in ("little", "big"):
        machines = [
            machine
            for target in by_suffix.values()
            if target.byte_order == byte_order
            for machine in target.machines
        ]
        assert len(machines) == len(set(machines))
