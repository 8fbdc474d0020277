"""The tables of what came with which kernel agree with headers and with the running kernel."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ebpfgen.runtime import features
from ebpfgen.runtime._libbpf import probes
from tests.building import REPOSITORY
from tests.runtime.conftest import need_kernel

HEADER = Path("/usr/include/linux/bpf.h")
MAP_TYPES = [feature for number in range(1, 99) if (feature := features.map_type(number))]
PROGRAM_TYPES = [feature for number in range(1, 99) if (feature := features.program_type(number))]
HELPERS = [feature for number in range(1, 999) if (feature := features.helper(number))]


def enumerators(prefix: str) -> list[str]:
    """Names of an enum of the installed header, in its order."""
    names = re.findall(rf"^\t({prefix}\w+)(?: =.*)?,", HEADER.read_text(), re.MULTILINE)
    return [name for name in names if not name.endswith(("UNSPEC", "_DEPRECATED"))]


def test_types_have_the_numbers_of_the_header() -> None:
    for prefix, table in (("BPF_MAP_TYPE_", MAP_TYPES), ("BPF_PROG_TYPE_", PROGRAM_TYPES)):
        known = enumerators(prefix)
        assert len(known) > 30
        assert [feature.name for feature in table][: len(known)] == known


def test_helpers_have_the_numbers_of_the_header() -> None:
    known = re.findall(r"^\tFN\((\w+)(?:, \d+,)?", HEADER.read_text(), re.MULTILINE)
    names = [f"bpf_{name}" for name in known if name != "unspec"]
    assert len(names) > 200
    assert [feature.name for feature in HELPERS][: len(names)] == names


@pytest.mark.parametrize(
    "table", [MAP_TYPES, PROGRAM_TYPES, HELPERS], ids=["maps", "programs", "helpers"]
)
def test_versions_rise_with_the_numbers(table: list[features.Feature]) -> None:
    versions = [feature.since for feature in table]
    assert versions == sorted(versions)


@pytest.mark.parametrize(
    ("feature", "since"),
    [
        (features.map_type(1), (3, 19)),
        (features.map_type(27), (5, 8)),
        (features.map_type(33), (6, 9)),
        (features.program_type(6), (4, 8)),
        (features.program_type(29), (5, 7)),
        (features.helper(3), (3, 19)),
        (features.helper(4), (4, 1)),
        (features.helper(130), (5, 8)),
        (features.helper(136), (5, 9)),
        (features.helper(211), (6, 2)),
    ],
    ids=str,
)
def test_features_have_their_version(
    feature: features.Feature | None, since: features.Version
) -> None:
    assert feature is not None
    assert feature.since == since


def test_what_is_newer_than_the_tables_is_not_known() -> None:
    assert features.map_type(0) is features.map_type(99) is None
    assert features.program_type(0) is features.program_type(99) is None
    assert features.helper(0) is features.helper(9999) is None


@pytest.mark.usefixtures("bpf")
class TestThisKernel:
    def test_it_has_the_maps_of_its_version_and_options(self) -> None:
        for number, feature in enumerate(MAP_TYPES, 1):
            if features.why_lacking(feature):
                continue
            assert probes.has_map_type(number) is not False, feature

    def test_it_lacks_the_programs_it_was_built_without(self) -> None:
        lacking = [f for f in PROGRAM_TYPES if "n" in map(features.config, f.configs)]
        for feature in lacking:
            assert not probes.has_program_type(PROGRAM_TYPES.index(feature) + 1), feature
            assert "built without CONFIG_" in features.why_lacking(feature)

    @pytest.mark.parametrize("held", [(), ("NET_ADMIN",), ("PERFMON",), ("NET_ADMIN", "PERFMON")])
    def test_programs_take_the_capabilities_of_the_table(self, held: tuple[str, ...]) -> None:
        everywhere = loadable(("BPF", "NET_ADMIN", "PERFMON"))
        need_kernel("" if len(everywhere) > 20 else "this kernel has few kinds of programs")
        allowed = {f"CAP_{name}" for name in held}
        wanted = {n for n in everywhere if allowed >= {*PROGRAM_TYPES[n - 1].capabilities}}
        assert loadable(("BPF", *held)) == wanted


def loadable(held: tuple[str, ...]) -> set[int]:
    """The types of programs that a process with these capabilities can load."""
    code = (
        "from ebpfgen.runtime._libbpf import probes\n"
        f"print(*(n for n in range(1, {len(PROGRAM_TYPES) + 1}) if probes.has_program_type(n)))"
    )
    keep = ",".join(f"+{name.lower()}" for name in held)
    drop = ("setpriv", f"--bounding-set=-all,{keep}", "--inh-caps=-all", "--ambient-caps=-all")
    done = subprocess.run(
        [*drop, sys.executable, "-c", code],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    return {int(number) for number in done.stdout.split()}


class TestWhyLacking:
    FEATURE = features.Feature("BPF_MAP_TYPE_XSKMAP", (4, 18), ("CONFIG_XDP_SOCKETS",))

    @pytest.fixture
    def options(self, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
        """Give the options the kernel was built with, for the test to set."""
        options: dict[str, str] = {}
        monkeypatch.setattr(features, "_configuration", lambda: options)
        name = os.uname_result(("Linux", "host", "5.4.0-1-amd64", "#1", "x86_64"))
        monkeypatch.setattr(os, "uname", lambda: name)
        return options

    def test_a_kernel_that_is_too_old(self, options: dict[str, str]) -> None:
        found = features.why_lacking(features.Feature("bpf_ringbuf_output", (5, 8)))
        assert found == "that came with Linux 5.8, and this is 5.4.0-1-amd64"

    def test_an_option_that_is_off(self, options: dict[str, str]) -> None:
        options["CONFIG_NET"] = "y"
        assert features.why_lacking(self.FEATURE) == "it was built without CONFIG_XDP_SOCKETS"

    def test_options_that_the_kernel_does_not_tell(self, options: dict[str, str]) -> None:
        told = features.why_lacking(self.FEATURE)
        assert told == "it takes one built with CONFIG_XDP_SOCKETS"

    def test_nothing(self, options: dict[str, str]) -> None:
        options["CONFIG_XDP_SOCKETS"] = "y"
        assert features.why_lacking(self.FEATURE) == ""
