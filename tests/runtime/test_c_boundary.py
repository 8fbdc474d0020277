"""What crosses into C arrives whole: no string ends at its first NUL, no number is cut."""

import importlib
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ebpfgen import runtime as rt
from ebpfgen.runtime import _libbpf

from ..building import PREAMBLE, compile_c, program_definition
from .maps.conftest import mount

HUGE = 1 << 70


@pytest.fixture(scope="module")
def leaks(bindings: Path, bpf: None) -> ModuleType:
    return importlib.import_module("leaks")


@pytest.fixture
def objs(leaks: ModuleType) -> Iterator[Any]:
    with leaks.load_leaks_objects() as loaded:
        yield loaded


@pytest.fixture
def bpffs(bpf: None, tmp_path: Path) -> Iterator[Path]:
    mount("bpf", tmp_path)
    yield tmp_path
    subprocess.run(["umount", str(tmp_path)], check=True)


PATHS: dict[str, Callable[[ModuleType, Any, str], object]] = {
    "map": lambda m, o, path: o.LeakMap.pin(path),
    "program": lambda m, o, path: o.LeakProgram.pin(path),
    "link": lambda m, o, path: o.LeakProgram.attach().pin(path),
    "open map": lambda m, o, path: m.LeaksMaps.LeakMap.open(path),
    "open program": lambda m, o, path: rt.open_pinned_program(path),
    "open link": lambda m, o, path: rt.open_pinned_link(path),
    "unpin program": lambda m, o, path: o.LeakProgram.unpin(path),
    "pin_path": lambda m, o, path: setattr(m.load_leaks().LeakMap, "pin_path", path),
    "reuse": lambda m, o, path: m.load_leaks().LeakMap.reuse(path),
    "pin_root": lambda m, o, path: m.load_leaks(pin_root=path),
    "btf": lambda m, o, path: m.load_leaks(btf=path),
    "kconfig": lambda m, o, path: m.load_leaks(kconfig=f"CONFIG_A=y{path}"),
    "kconfig value": lambda m, o, path: m.load_leaks(kconfig={"CONFIG_A": path}),
    "tracepoint": lambda m, o, path: o.LeakProgram.attach(path),
    "name": lambda m, o, path: m.LeaksMaps.LeakMap.create(1, name=path[-6:]),
}


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("use", PATHS.values(), ids=PATHS)
def test_a_string_with_a_nul_is_refused_and_nothing_is_there(
    leaks: ModuleType, objs: Any, bpffs: Path, use: Callable[[ModuleType, Any, str], object]
) -> None:
    objs.LeakMap.pin(bpffs / "there")
    with pytest.raises(ValueError, match=r"NUL byte|null byte|embedded null") as raised:
        use(leaks, objs, f"{bpffs}/there\0more")
    assert "\n" not in str(raised.value)
    with pytest.raises(ValueError, match=r"NUL byte|null byte|embedded null"):
        use(leaks, objs, f"{bpffs}/other\0more")
    kernels_own = {"maps.debug", "progs.debug"}
    assert {path.name for path in bpffs.iterdir()} - kernels_own == {"there"}


PROBES = (
    program_definition("entered", "uprobe")
    + program_definition("called", "kprobe")
    + program_definition("pointed", "tracepoint")
    + program_definition("clock", "perf_event")
    + program_definition("packet", "xdp")
    + program_definition("filter", "tc")
)


class Probes(rt.Collection):
    Entered = rt.uprobe("entered")
    Called = rt.kprobe("called")
    Pointed = rt.tracepoint("pointed")
    Clock = rt.perf_event("clock")
    Packet = rt.xdp("packet")
    Filter = rt.tc("filter")


@pytest.fixture
def probes(bpf: None) -> Iterator[Probes]:
    with rt.CollectionSpec(compile_c(PREAMBLE + PROBES), "probes", Probes).load() as loaded:
        yield loaded


LIBC = "libc.so.6"
NUMBERS: dict[str, Callable[[Probes], object]] = {
    "uprobe offset": lambda o: o.Entered.attach(LIBC, "malloc", offset=HUGE),
    "negative uprobe offset": lambda o: o.Entered.attach(LIBC, "malloc", offset=-1),
    "uprobe pid": lambda o: o.Entered.attach(LIBC, "malloc", pid=HUGE),
    "uprobe cookie": lambda o: o.Entered.attach(LIBC, "malloc", cookie=HUGE),
    "kprobe offset": lambda o: o.Called.attach("do_exit", offset=HUGE),
    "kprobe cookie": lambda o: o.Called.attach("do_exit", cookie=-1),
    "tracepoint cookie": lambda o: o.Pointed.attach("sched/sched_switch", cookie=HUGE),
    "frequency": lambda o: o.Clock.attach_sampling(frequency=-1),
    "huge frequency": lambda o: o.Clock.attach_sampling(frequency=HUGE),
    "cpu": lambda o: o.Clock.attach_sampling(frequency=1, cpus=[HUGE]),
    "sampled pid": lambda o: o.Clock.attach_sampling(frequency=1, pid=HUGE),
    "tc handle": lambda o: o.Filter.attach("lo", rt.Direction.INGRESS, handle=HUGE),
    "tc priority": lambda o: o.Filter.attach("lo", rt.Direction.INGRESS, priority=-1),
    "no repeat": lambda o: o.Packet.test_run(bytes(14), repeat=0),
    "negative repeat": lambda o: o.Packet.test_run(bytes(14), repeat=-1),
    "huge repeat": lambda o: o.Packet.test_run(bytes(14), repeat=HUGE),
    "repeat of 33 bits": lambda o: o.Packet.test_run(bytes(14), repeat=(1 << 32) + 1),
    "run flags": lambda o: o.Packet.test_run(bytes(14), flags=-1),
    "run cpu": lambda o: o.Packet.test_run(bytes(14), cpu=-1),
    "batch size": lambda o: o.Packet.test_run(bytes(14), batch_size=HUGE),
}


@pytest.mark.parametrize("use", NUMBERS.values(), ids=NUMBERS)
def test_a_number_that_does_not_fit_is_refused(
    probes: Probes, use: Callable[[Probes], object]
) -> None:
    with pytest.raises(ValueError, match=r"can't|no perf event") as raised:
        use(probes)
    assert "\n" not in str(raised.value)


def test_numbers_of_maps_that_do_not_fit_are_refused(leaks: ModuleType, objs: Any) -> None:
    member = leaks.LeaksMaps.LeakMap
    with leaks.load_leaks() as specs:
        uses: list[Callable[[], object]] = [
            lambda: member.create(HUGE),
            lambda: member.create(-1),
            lambda: member.create(1, flags=rt.MapFlag(1 << 40)),
            lambda: member.open_id(-1),
            lambda: member.open_id((1 << 32) + 1),
            lambda: objs.LeakMap.put(0, 1, flags=-1),
            lambda: objs.LeakMap.put(0, 1, flags=HUGE),
            lambda: objs.LeakMap.lookup(0, flags=HUGE),
            lambda: objs.LeakMap.update_many({0: 1}, flags=HUGE),
            lambda: setattr(specs.LeakMap, "max_entries", HUGE),
            lambda: setattr(specs.LeakProgram, "flags", HUGE),
            lambda: setattr(specs.LeakProgram, "log_level", -1),
            lambda: setattr(specs.LeakProgram, "type", HUGE),
            lambda: setattr(specs.LeakProgram, "attach_type", HUGE),
            lambda: leaks.load_leaks(log_level=-1),
        ]
        for use in uses:
            with pytest.raises(ValueError, match="can't be"):
                use()


def test_strings_are_made_for_c_in_one_place() -> None:
    folder = Path(_libbpf.__file__ or "").parent
    for path in folder.glob("*.py"):
        if path.name != "library.py":
            assert not re.search(r"\.encode\(|fsencode|ctypes\.Structure\)", path.read_text()) or (
                # What the kernel writes, and nobody fills in.
                path.name in ("descriptors.py", "loaded.py")
            ), path.name


def test_a_program_of_one_process_takes_its_id_as_it_is(probes: Probes) -> None:
    with probes.Entered.attach(LIBC, "malloc", pid=os.getpid()) as link:
        assert f"process {os.getpid()}" in link.target
