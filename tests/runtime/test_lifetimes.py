"""What a collection holds goes with it, in order and once, whatever happens meanwhile."""

import ctypes
import gc
import importlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ebpfgen import runtime as rt
from ebpfgen.runtime._libbpf import attach as _attach
from ebpfgen.runtime._libbpf.library import library
from tests.runtime.snippets import Specs, open_c

ROUNDS = 1000
ATTACHED = 10  # in one of so many, for the kernel takes its time to attach
MOST_GROWTH = 4 << 20  # bytes, in all rounds: a leak of a page in each would be as much
PATIENCE = 10.0  # seconds in which the kernel frees what it frees later


# The verifier goes through every round of the loop.
# Without the volatile, clang 19 stores once after the loop, from a register that may have no value.
TAKES_ITS_TIME = """
SEC("tc") int slow(struct __sk_buff *skb)
{
	for (int i = 0; i < 50000; i++)
		*(volatile u32 *)&skb->mark = i;
	return 0;
}
"""


@pytest.fixture(scope="module")
def leaks(bindings: Path, bpf: None) -> ModuleType:
    return importlib.import_module("leaks")


@pytest.fixture
def objs(leaks: ModuleType) -> Iterator[Any]:
    with leaks.load_leaks_objects() as loaded:
        yield loaded


def descriptors() -> set[Path]:
    return {*Path("/proc/self/fd").iterdir()}


def resident() -> int:
    """Bytes of memory that this process has."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE")


def in_kernel(kind: str, name: bytes) -> list[int]:
    """The ids of the kernel's ``map``s or ``prog``s with names that begin so."""
    lib = library()
    # Where the name is: struct bpf_map_info and bpf_prog_info of linux/bpf.h.
    offset, size = {"map": (24, 64), "prog": (64, 80)}[kind]
    found, number = [], ctypes.c_uint32()
    while not getattr(lib, f"bpf_{kind}_get_next_id")(number, ctypes.byref(number)):
        fd = getattr(lib, f"bpf_{kind}_get_fd_by_id")(number)
        if fd < 0:  # it went meanwhile
            continue
        info, length = (ctypes.c_char * size)(), ctypes.c_uint32(size)
        assert not lib.bpf_obj_get_info_by_fd(fd, info, ctypes.byref(length))
        os.close(fd)
        if info.raw[offset:].startswith(name):
            found.append(number.value)
    return found


def mapped() -> int:
    """How many maps this process has in its memory."""
    return Path("/proc/self/maps").read_text().count("bpf-map")


def held() -> list[int]:
    return [*in_kernel("map", b"leak"), *in_kernel("prog", b"leak_program")]


def freed() -> bool:
    """Whether the kernel has let go of everything of leaks.c, which it does a little later."""
    deadline = time.monotonic() + PATIENCE
    while held() and time.monotonic() < deadline:
        time.sleep(0.01)
    return not held()


def load(specs: Specs, started: threading.Barrier, outcome: list[str]) -> None:
    """Load in a thread, and note how it went."""
    started.wait()
    try:
        specs.load()
        outcome.append("loaded")
    except rt.StateError:
        outcome.append("too late")


class Kept:
    """Something that goes before the object does."""

    def __init__(self, on_close: Callable[[], None] = lambda: None) -> None:
        self.closed = False
        self._on_close = on_close

    def close(self) -> None:
        self.closed = True
        self._on_close()


class TestLeaks:
    def test_a_thousand_rounds_leave_nothing_behind(self, leaks: ModuleType) -> None:
        def round_trip(number: int) -> None:
            with leaks.load_leaks() as specs:
                specs.LeakCalls.value = 7
                with specs.load() as objs:
                    if number % ATTACHED == 0:
                        objs.LeakProgram.attach()
                    objs.LeakMap[0] = objs.LeakCalls.value
                    assert objs.LeakProgram.info.name == "leak_program"

        assert freed()
        for number in range(100):
            round_trip(number)
        gc.collect()
        before, memory = descriptors(), resident()
        for number in range(ROUNDS):
            round_trip(number)
        gc.collect()
        assert descriptors() == before
        assert resident() < memory + MOST_GROWTH
        assert freed(), held()

    def test_what_is_refused_leaves_nothing_behind(self, refused: ModuleType) -> None:
        def refuse() -> None:
            with pytest.raises(rt.LoadError):
                refused.load_refused_objects()

        refuse()
        before = descriptors()
        for _ in range(20):
            refuse()
        assert descriptors() == before

    def test_specs_that_are_not_loaded_leave_nothing_behind(self, leaks: ModuleType) -> None:
        before = descriptors()
        for _ in range(20):
            with leaks.load_leaks() as specs:
                specs.LeakCalls.value = 1
        assert descriptors() == before
        assert freed()

    def test_an_exception_closes_on_its_way_out(self, leaks: ModuleType) -> None:
        before = descriptors()
        objs = leaks.load_leaks_objects()
        link = objs.LeakProgram.attach()
        with pytest.raises(KeyboardInterrupt), objs:
            raise KeyboardInterrupt
        assert objs.closed
        assert link.closed
        assert descriptors() == before
        assert freed()


def test_data_sections_are_named_after_the_object(objs: Any) -> None:
    """And not after the address it was opened at, which is another each time."""
    assert objs.LeakCalls.value >= 0
    assert len(in_kernel("map", b"leaks.bss")) == 1


class TestOrder:
    def test_memory_goes_before_links_and_links_before_the_object(self, objs: Any) -> None:
        seen: list[tuple[str, int, bool]] = []
        libbpfs = mapped()  # since 1.5 it has a mapping of its own, until the object is closed

        def see(name: str) -> None:
            seen.append((name, mapped() - libbpfs, bool(held())))

        assert objs.LeakCalls.value >= 0
        assert mapped() == libbpfs + 1
        objs._handle.keep(Kept(lambda: see("first")))
        objs._handle.keep(Kept(lambda: see("second")))
        objs.close()
        assert seen == [("second", 0, True), ("first", 0, True)]
        assert freed()

    def test_an_error_on_the_way_is_raised_when_all_is_closed(self, objs: Any) -> None:
        def fail() -> None:
            raise rt.BpfError(5, "it does not close")

        link = objs.LeakProgram.attach()
        failing = objs._handle.keep(Kept(fail))
        with pytest.raises(rt.BpfError, match="it does not close"):
            objs.close()
        assert failing.closed
        assert link.closed
        assert freed()
        objs.close()

    def test_what_is_closed_already_is_not_closed_again(self, objs: Any) -> None:
        link = objs.LeakProgram.attach()
        link.close()
        link.close()
        objs.close()
        objs.close()
        assert freed()


class TestAfterClosing:
    def test_every_use_says_that_it_is_closed(self, objs: Any) -> None:
        program, bpf_map, variable = objs.LeakProgram, objs.LeakMap, objs.LeakCalls
        objs.close()
        uses: list[Callable[[], object]] = [
            objs.__enter__,
            lambda: bpf_map.fd,
            lambda: bpf_map[0],
            lambda: bpf_map[:],
            lambda: bpf_map.__setitem__(0, 1),
            lambda: program.fd,
            lambda: program.info,
            lambda: program.verifier_log,
            lambda: program.pin("/sys/fs/bpf/leak_program"),
            lambda: program.unpin("/sys/fs/bpf/leak_program"),
            program.test_run,
            program.attach,
            lambda: variable.value,
            lambda: setattr(variable, "value", 1),
        ]
        for use in uses:
            with pytest.raises(rt.StateError, match="leaks is closed"):
                use()
        assert objs.closed
        assert repr(objs).endswith("leaks, closed>")

    def test_what_was_never_used_says_so_too(self, leaks: ModuleType) -> None:
        objs = leaks.load_leaks_objects()
        objs.close()
        with pytest.raises(rt.StateError, match="leaks is closed"):
            _ = objs.LeakProgram
        with pytest.raises(rt.StateError, match="leaks is closed"):
            _ = objs.LeakMap
        with pytest.raises(rt.StateError, match="leaks is closed"):
            _ = objs.LeakCalls.value

    @pytest.mark.parametrize("load", [False, True], ids=["closed", "loaded"])
    def test_specs_say_that_they_can_not_be_changed(self, leaks: ModuleType, load: bool) -> None:
        specs = leaks.load_leaks()
        program, bpf_map = specs.LeakProgram, specs.LeakMap
        objs = specs.load() if load else specs
        if not load:
            specs.close()
        uses: list[Callable[[], object]] = [
            specs.load,
            lambda: program.autoload,
            lambda: setattr(program, "autoload", False),
            lambda: bpf_map.max_entries,
            lambda: setattr(bpf_map, "max_entries", 2),
        ]
        for use in uses:
            with pytest.raises(rt.StateError, match="is loaded" if load else "is closed"):
                use()
        objs.close()

    def test_a_link_that_comes_too_late_is_closed(self, objs: Any) -> None:
        handle, late = objs._handle, Kept()
        objs.close()
        with pytest.raises(rt.StateError, match="leaks is closed"):
            handle.keep(late)
        assert late.closed


class TestThreads:
    def test_threads_load_and_close_at_once(self, leaks: ModuleType) -> None:
        failures: list[BaseException] = []

        def rounds() -> None:
            try:
                for _ in range(10):
                    with leaks.load_leaks_objects() as objs:
                        objs.LeakProgram.attach()
                        objs.LeakMap[0] = 1
            except BaseException as error:  # noqa: BLE001 - a thread's error would be lost
                failures.append(error)

        threads = [threading.Thread(target=rounds) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert freed()

    def test_what_one_thread_loads_another_closes(self, leaks: ModuleType) -> None:
        loaded: list[Any] = []
        thread = threading.Thread(target=lambda: loaded.append(leaks.load_leaks_objects()))
        thread.start()
        thread.join()
        objs = loaded[0]
        link = objs.LeakProgram.attach()
        thread = threading.Thread(target=objs.close)
        thread.start()
        thread.join()
        assert objs.closed
        assert link.closed
        assert freed()

    def test_closing_waits_for_loading(self) -> None:
        open_c(TAKES_ITS_TIME).load().close()
        before = descriptors()
        for _ in range(3):
            specs = open_c(TAKES_ITS_TIME)
            outcome: list[str] = []
            started = threading.Barrier(2)
            thread = threading.Thread(target=load, args=(specs, started, outcome))
            thread.start()
            started.wait()
            time.sleep(0.01)  # most often the load is under way then
            specs._handle.close()
            thread.join()
            assert outcome in (["loaded"], ["too late"])
            assert specs.closed
            assert descriptors() == before

    def test_closing_waits_for_attaching(
        self, leaks: ModuleType, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        objs = leaks.load_leaks_objects()
        program, closer = objs.LeakProgram, threading.Thread(target=objs.close)
        attach = _attach.attach_raw_tracepoint
        while_attaching: list[bool] = []

        def slowly(*arguments: Any, **options: Any) -> Any:
            closer.start()
            closer.join(0.2)
            while_attaching.append(objs.closed)
            return attach(*arguments, **options)

        monkeypatch.setattr(_attach, "attach_raw_tracepoint", slowly)
        try:
            link = program.attach()
        except rt.StateError:
            link = None
        closer.join()
        assert while_attaching == [False]
        assert objs.closed
        assert link is None or link.closed
        assert freed()

    def test_threads_that_close_at_once_close_it_once(self, leaks: ModuleType) -> None:
        for _ in range(20):
            objs = leaks.load_leaks_objects()
            objs.LeakProgram.attach()
            threads = [threading.Thread(target=objs.close) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert freed()


class TestFork:
    def in_child(self, act: Callable[[], None]) -> int:
        """Call *act* in a forked child; returns its exit status, 99 for an exception."""
        child = os.fork()
        if child == 0:
            status = 99
            try:
                act()
                status = 0
            finally:
                os._exit(status)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    def test_a_child_that_closes_leaves_its_parents_alone(self, objs: Any) -> None:
        link = objs.LeakProgram.attach()
        calls = objs.LeakCalls
        kept = objs._handle.keep(Kept())

        def close_all() -> None:
            link.close()
            objs.close()
            assert objs.closed
            assert not kept.closed

        assert self.in_child(close_all) == 0
        before = calls.value
        os.getppid()
        assert calls.value > before
        assert not link.closed

    def test_a_child_reads_what_its_parent_loaded(self, objs: Any) -> None:
        objs.LeakMap[0] = 4711

        def read() -> None:
            assert objs.LeakMap[0] == 4711
            objs.LeakMap[0] = 4712
            assert objs.LeakCalls.value == 0

        assert self.in_child(read) == 0
        assert objs.LeakMap[0] == 4712

    def test_a_child_says_that_it_closed(self, objs: Any) -> None:
        assert objs.LeakCalls.value >= 0

        def use() -> None:
            objs.close()
            with pytest.raises(rt.StateError):
                _ = objs.LeakMap[0]
            with pytest.raises(rt.StateError):
                _ = objs.LeakCalls.value

        assert self.in_child(use) == 0
        assert objs.LeakCalls.value >= 0

    def test_a_child_can_load_its_own(self, leaks: ModuleType, objs: Any) -> None:
        def load() -> None:
            with leaks.load_leaks_objects() as own:
                own.LeakProgram.attach()
                assert own.LeakProgram.info.id != objs.LeakProgram.info.id

        assert self.in_child(load) == 0
        assert objs.LeakProgram.info.name == "leak_program"
