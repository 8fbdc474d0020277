"""Data sections: initial values before loading, the programs' memory after, of any size."""

import gc
import importlib
import mmap
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ebpfgen import runtime as rt


@pytest.fixture(scope="module")
def sections(bindings: Path, bpf: None) -> ModuleType:
    return importlib.import_module("sections")


@pytest.fixture
def specs(sections: ModuleType) -> Iterator[Any]:
    with sections.load_sections() as found:
        yield found


@pytest.fixture
def objs(specs: Any) -> Iterator[Any]:
    with specs.load() as loaded:
        yield loaded


def run(objs: Any) -> int:
    return int(objs.Sum.test_run(ctx=bytes(8)).return_value)


def test_a_section_may_be_longer_than_a_page(objs: Any) -> None:
    assert objs.Large.size > 2 * mmap.PAGESIZE
    assert objs.Large.value == (11, *[0] * 1498, 13)
    run(objs)
    assert objs.Large.value[0] == 12
    assert objs.Zero.value[1999] == 13 + 7 + 6 + 3 - 1
    objs.Zero.value = (*range(1998), 21, 0)
    assert run(objs) == 21
    assert objs.Zero.value[:3] == (0, 1, 2)


def test_a_section_of_a_name_of_its_own_is_live(objs: Any) -> None:
    assert objs.Custom.value == b"begin"
    assert objs.Tiny.value == 3
    objs.Tiny.value = 103
    run(objs)
    assert objs.Zero.value[1999] == 13 + 7 + 6 + 103 - 1
    assert objs.Custom.value == b"begin"
    objs.Custom.value = b"x" * 5000
    run(objs)
    assert objs.Custom.value == b"x" * 4999 + b"z"


def test_constants_may_be_arrays_and_structs(specs: Any, sections: ModuleType) -> None:
    limits = sections.SectionsLimits
    assert specs.Limits.value == (limits(1, 2, b"ms"), limits(3, 4, b"us"), limits(5, 6, b"ns"))
    assert specs.Sign.value == -1
    specs.Limits.value = (limits(0, 0, b""), limits(0, 0, b""), limits(5, 1000, b"ks"))
    specs.Steps.value = (*range(599), 2000)
    specs.Sign.value = 5
    with specs.load() as objs:
        run(objs)
        assert objs.Zero.value[1999] == 13 + 2000 + 1000 + 3 + 5
        assert objs.Limits.value[2] == limits(5, 1000, b"ks")
        assert objs.Steps.value[:3] == (0, 1, 2)


def test_initial_values_may_be_arrays_and_structs(specs: Any, sections: ModuleType) -> None:
    specs.Large.value = (5, *[0] * 1498, 1)
    specs.Last.value = sections.SectionsLimits(1, 2, b"new")
    specs.First.value = 77
    specs.Tiny.value = 255
    specs.Custom.value = b"other"
    specs.Zero.value = (*[0] * 1998, 9, 0)
    with specs.load() as objs:
        assert run(objs) == 9
        assert objs.Last.value == sections.SectionsLimits(77, 2, b"new")
        assert objs.Large.value[0] == 6
        assert objs.Zero.value[1999] == 1 + 7 + 6 + 255 - 1
        assert objs.Custom.value == b"other"


@pytest.mark.parametrize("name", ["Limits", "Steps", "Sign"])
def test_the_memory_of_constants_can_not_be_written(objs: Any, name: str) -> None:
    variable = getattr(objs, name)
    with pytest.raises(rt.StateError, match=f"{variable.name} is constant"):
        variable.value = variable.value
    with objs._handle.section(variable.section, 0, 1) as memory:
        assert memory.readonly


def test_closing_waits_for_no_one_who_holds_the_memory(sections: ModuleType) -> None:
    objs = sections.load_sections_objects()
    objs.Tiny.value = 42
    view = objs._handle.section(".data.tiny", 0, 4)
    objs.close()
    assert objs.closed
    assert view[0] == 42
    with pytest.raises(rt.StateError, match="sections is closed"):
        _ = objs.Tiny.value


def test_the_last_who_holds_the_memory_frees_it(sections: ModuleType) -> None:
    def mapped() -> int:
        return Path("/proc/self/maps").read_text().count("bpf-map")

    gc.collect()
    before = mapped()
    objs = sections.load_sections_objects()
    libbpfs = mapped()  # since 1.5 it has mappings of its own, until the object is closed
    view = objs._handle.section(".data.tiny", 0, 4)
    assert mapped() == libbpfs + 1
    objs.close()
    assert mapped() == before + 1
    view.release()
    del view
    assert mapped() == before


def use_until_it_fails(
    variable: Any, started: threading.Barrier, failures: list[BaseException]
) -> None:
    started.wait()
    try:
        while True:
            variable.value = variable.value
    except BaseException as error:  # noqa: BLE001 - what it is, is what is tested
        failures.append(error)


@pytest.fixture
def busy_switching() -> Iterator[None]:
    """Have the threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def test_reading_while_another_thread_closes_ends_with_a_state_error(
    sections: ModuleType, busy_switching: None
) -> None:
    for _ in range(50):
        objs = sections.load_sections_objects()
        failures: list[BaseException] = []
        started = threading.Barrier(3)
        arguments = (objs.Tiny, started, failures)
        threads = [threading.Thread(target=use_until_it_fails, args=arguments) for _ in range(2)]
        for thread in threads:
            thread.start()
        started.wait()
        time.sleep(0.001)  # let them get into their stride
        objs.close()
        for thread in threads:
            thread.join()
        assert [type(error) for error in failures] == [rt.StateError, rt.StateError], failures
