"""An object that nobody refers to any more is closed, with a ResourceWarning; nothing else is."""

import gc
import importlib
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ebpfgen import runtime as rt

from .maps.conftest import mount
from .test_lifetimes import descriptors, freed, held


@pytest.fixture(scope="module")
def leaks(bindings: Path, bpf: None) -> ModuleType:
    return importlib.import_module("leaks")


@pytest.fixture
def pin(bpf: None, tmp_path: Path) -> Iterator[Path]:
    """A path of a BPF file system of the test's own."""
    mount("bpf", tmp_path)
    yield tmp_path / "dropped"
    subprocess.run(["umount", str(tmp_path)], check=True)


def dropped(make: Callable[[], object]) -> list[str]:
    """The ResourceWarnings of a value that is dropped at once."""
    gc.collect()
    before = descriptors()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        make()
        gc.collect()
    assert descriptors() == before
    assert all(warning.category is ResourceWarning for warning in caught)
    return [str(warning.message) for warning in caught]


def test_a_loaded_object_is_closed_with_a_warning(leaks: ModuleType) -> None:
    (warning,) = dropped(leaks.load_leaks_objects)
    assert warning == "leaks was never closed: call close(), or use it in a with block"
    assert freed()


def test_the_warning_names_the_line_that_loaded_it(leaks: ModuleType) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for _ in range(2):
            leaks.load_leaks_objects()
            gc.collect()
    lines = Path(__file__).read_text().splitlines()
    assert [lines[warning.lineno - 1].strip() for warning in caught] == [
        "leaks.load_leaks_objects()",
        "leaks.load_leaks_objects()",
    ]
    assert {warning.filename for warning in caught} == {__file__}


def test_what_is_in_use_goes_with_it(leaks: ModuleType) -> None:
    def use() -> None:
        objs = leaks.load_leaks_objects()
        objs.LeakProgram.attach()
        objs.LeakMap[0] = 1
        objs.LeakCalls.value = 2

    assert len(dropped(use)) == 1
    assert freed()


def test_specs_that_are_not_loaded_are_closed_with_a_warning(leaks: ModuleType) -> None:
    assert len(dropped(leaks.load_leaks)) == 1


def test_what_was_closed_gets_no_warning(leaks: ModuleType) -> None:
    assert dropped(lambda: leaks.load_leaks_objects().close()) == []
    assert dropped(lambda: leaks.load_leaks().close()) == []


@pytest.mark.parametrize(
    "part",
    [
        lambda objs: objs.LeakMap,
        lambda objs: objs.LeakProgram,
        lambda objs: objs.LeakCalls,
        lambda objs: objs.LeakProgram.attach(),
    ],
    ids=["map", "program", "variable", "link"],
)
def test_a_part_keeps_the_object_open(leaks: ModuleType, part: Callable[[Any], Any]) -> None:
    def keep() -> None:
        kept = part(leaks.load_leaks_objects())
        gc.collect()
        assert held()
        assert repr(kept)

    assert len(dropped(keep)) == 1
    assert freed()


def test_a_link_that_is_kept_runs_its_program(leaks: ModuleType) -> None:
    link = leaks.load_leaks_objects().LeakProgram.attach()
    gc.collect()
    objs = link.holds
    assert not link.closed
    before = counted(objs)
    os.getppid()
    assert counted(objs) > before
    objs.close()
    assert link.closed


def counted(owner: Any) -> int:
    return int.from_bytes(owner.section(".bss", 0, 8), sys.byteorder)


def test_opened_and_pinned_ones_are_closed_with_a_warning(leaks: ModuleType, pin: Path) -> None:
    with leaks.load_leaks_objects() as objs:
        pinned: list[tuple[Any, Callable[[Path], Any]]] = [
            (objs.LeakMap, leaks.LeaksMaps.LeakMap.open),
            (objs.LeakProgram, rt.open_pinned_program),
            (objs.LeakProgram.attach(), rt.open_pinned_link),
        ]
        for one, open_again in pinned:
            one.pin(pin)
            (warning,) = dropped(partial(open_again, pin))
            assert str(pin) in warning
            assert dropped(partial(closed, open_again, pin)) == []
            pin.unlink()


def closed(open_again: Callable[[Path], Any], pin: Path) -> None:
    open_again(pin).close()


def test_a_forked_child_leaves_its_parents_alone(leaks: ModuleType) -> None:
    objs = leaks.load_leaks_objects()
    link = objs.LeakProgram.attach()
    child = os.fork()
    if child == 0:
        status = 99
        try:
            warnings.simplefilter("error")
            del objs, link
            gc.collect()
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    before = objs.LeakCalls.value
    os.getppid()
    assert objs.LeakCalls.value > before
    objs.close()
    assert freed()


@pytest.fixture
def folder(leaks: ModuleType) -> str:
    return str(Path(leaks.__file__ or "").parent)


def test_nothing_is_said_or_done_when_the_interpreter_exits(folder: str) -> None:
    code = """\
from leaks import load_leaks_objects
objs = load_leaks_objects()
link = objs.LeakProgram.attach()
print(objs.LeakMap[0] >= 0)
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([folder, *sys.path])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "True\n", "")
    assert freed()


def test_a_template_may_be_closed_before_it_is_needed(bindings: Path, bpf: None) -> None:
    untold = importlib.import_module("untold_maps")
    template = rt.array("template", value=rt.le.u64)
    with untold.load_untold_maps() as specs:
        made = template.create(3)
        specs.Untold.set_inner(made)
        made.close()
        others = [os.dup(0) for _ in range(4)]  # which would get its number
        with specs.load() as objs:
            assert objs.Untold.type == rt.MapType.ARRAY_OF_MAPS
        for other in others:
            os.close(other)
