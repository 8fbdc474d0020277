"""A call in flight uses its own map, program or link, whoever closes that meanwhile."""

import contextlib
import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ebpfgen import runtime as rt
from ebpfgen.runtime._libbpf.library import library
from ebpfgen.runtime.maps.constants import NATIVE

from ..building import PREAMBLE, compile_c, map_definition

U32 = NATIVE.u32
ROUNDS = 60
PATIENCE = 0.2

SOURCE = (
    map_definition("hash", "u32", type="HASH", entries=100)
    + map_definition("array", "u32", entries=100)
    + """
struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__type(value, u32);
	__uint(max_entries, 9);
} queue SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_BLOOM_FILTER);
	__type(value, u32);
	__uint(max_entries, 9);
} bloom SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__type(key, u32);
	__type(value, u32);
	__uint(max_entries, 9);
} steps SEC(".maps");

SEC("raw_tracepoint/sys_enter") int traced(void *ctx) { return 0; }
SEC("xdp") int packet(void *ctx) { return 0; }
"""
)


class Objects(rt.Collection):
    Hash = rt.hash_map("hash", key=U32, value=U32)
    Array = rt.array("array", value=U32)
    Queue = rt.queue("queue", value=U32)
    Bloom = rt.bloom_filter("bloom", value=U32)
    Steps = rt.prog_array("steps")
    Traced = rt.raw_tracepoint("traced")
    Packet = rt.xdp("packet")


@pytest.fixture(scope="module")
def code(bpf: None) -> bytes:
    return compile_c(PREAMBLE + SOURCE)


@pytest.fixture
def objs(code: bytes) -> Iterator[Objects]:
    with rt.CollectionSpec(code, "snippet", Objects).load() as loaded:
        loaded.Hash[1] = 2
        loaded.Queue.push(3)
        yield loaded


def bpf_file(fd: int | ctypes.c_int) -> str:
    number = fd if isinstance(fd, int) else fd.value
    try:
        return str(Path(f"/proc/self/fd/{number}").readlink())
    except FileNotFoundError:
        return "closed"


LOCK = rt.BPF_F_LOCK
MAP, PROGRAM, LINK = "anon_inode:bpf-map", "anon_inode:bpf-prog", "anon_inode:bpf_link"

CALLS: dict[str, tuple[str, str, Callable[[Objects], object]]] = {
    "lookup": ("bpf_map_lookup_elem", MAP, lambda o: o.Hash[1]),
    "contains": ("bpf_map_lookup_elem", MAP, lambda o: 1 in o.Hash),
    "lookup with flags": ("bpf_map_lookup_elem_flags", MAP, lambda o: o.Hash.lookup(1, flags=LOCK)),
    "put": ("bpf_map_update_elem", MAP, lambda o: o.Hash.put(1, 7)),
    "delete": ("bpf_map_delete_elem", MAP, lambda o: o.Hash.__delitem__(1)),
    "pop": ("bpf_map_lookup_and_delete_elem", MAP, lambda o: o.Hash.pop(1)),
    "update many": ("bpf_map_update_batch", MAP, lambda o: o.Hash.update_many({1: 7})),
    "delete many": ("bpf_map_delete_batch", MAP, lambda o: o.Hash.delete_many([1])),
    "read": ("bpf_map_lookup_batch", MAP, lambda o: o.Hash.read()),
    "drain": ("bpf_map_lookup_and_delete_batch", MAP, lambda o: o.Hash.drain()),
    "truth": ("bpf_map_get_next_key", MAP, lambda o: bool(o.Hash)),
    "element": ("bpf_map_lookup_elem", MAP, lambda o: o.Array[1]),
    "set element": ("bpf_map_update_elem", MAP, lambda o: o.Array.__setitem__(1, 7)),
    "push": ("bpf_map_update_elem", MAP, lambda o: o.Queue.push(7)),
    "queue pop": ("bpf_map_lookup_and_delete_elem", MAP, lambda o: o.Queue.pop()),
    "add": ("bpf_map_update_elem", MAP, lambda o: o.Bloom.add(7)),
    "bloom": ("bpf_map_lookup_elem", MAP, lambda o: 7 in o.Bloom),
    "info": ("bpf_obj_get_info_by_fd", MAP, lambda o: o.Hash.info),
    "pin": ("bpf_obj_pin", MAP, lambda o: o.Hash.pin("/no/such/folder/map")),
    "freeze": ("bpf_map_freeze", MAP, lambda o: o.Hash.freeze()),
    "test run": ("bpf_prog_test_run_opts", PROGRAM, lambda o: o.Packet.test_run(bytes(14))),
    "program info": ("bpf_obj_get_info_by_fd", PROGRAM, lambda o: o.Packet.info),
}


@pytest.mark.parametrize("name", CALLS)
def test_the_descriptor_of_a_call_is_not_closed_before_it_returns(
    name: str, objs: Objects, monkeypatch: pytest.MonkeyPatch
) -> None:
    function, kind, use = CALLS[name]
    for part in ("Hash", "Array", "Queue", "Bloom", "Packet"):
        getattr(objs, part)
    seen: list[tuple[bool, str]] = []
    in_call_of = getattr(library(), function)

    def called(fd: int | ctypes.c_int, *arguments: Any) -> Any:
        if not seen:
            closer = threading.Thread(target=objs.close)
            closer.start()
            closer.join()
            seen.append((objs.closed, bpf_file(fd)))
        return in_call_of(fd, *arguments)

    monkeypatch.setattr(library(), function, called)
    kept = {"bpf_map_lookup_elem": "_lookup_elem", "bpf_map_update_elem": "_update_elem"}
    if attribute := kept.get(function):
        for bpf_map in (objs.Hash, objs.Array, objs.Queue, objs.Bloom):
            monkeypatch.setattr(bpf_map._elements, attribute, called)
    with contextlib.suppress(rt.BpfError, KeyError, IndexError):  # an empty or closed map
        use(objs)
    assert seen == [(True, kind)]
    with pytest.raises(rt.StateError, match="snippet is closed"):
        use(objs)


def test_the_value_of_a_map_of_descriptors_is_not_closed_before_the_call(
    objs: Objects, code: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = rt.CollectionSpec(code, "other", Objects).load()
    update = library().bpf_map_update_elem
    seen: list[str] = []

    def called(fd: int, key: bytes, value: bytes, flags: int) -> int:
        other.close()
        seen.append(bpf_file(int.from_bytes(value, sys.byteorder)))
        result: int = update(fd, key, value, flags)
        return result

    program = other.Packet
    monkeypatch.setattr(objs.Steps._elements, "_update_elem", called)
    objs.Steps[0] = program
    assert seen == [PROGRAM]
    with pytest.raises(rt.StateError, match="other is closed"):
        objs.Steps[0] = program


LINK_CALLS: dict[str, tuple[str, Callable[[rt.Link, Objects], object]]] = {
    "info": ("bpf_obj_get_info_by_fd", lambda link, _: link.info),
    "pin": ("bpf_obj_pin", lambda link, _: link.pin("/proc/link")),
    "update": ("bpf_link_update", lambda link, objs: link.update(objs.Packet)),
    "detach": ("bpf_link_detach", lambda link, _: link.detach()),
}


@pytest.mark.parametrize("name", LINK_CALLS)
def test_closing_a_link_waits_for_the_call_on_it(
    name: str, objs: Objects, monkeypatch: pytest.MonkeyPatch
) -> None:
    function, use = LINK_CALLS[name]
    link = objs.Traced.attach()
    closer = threading.Thread(target=link.close)
    in_call_of = getattr(library(), function)
    seen: list[str] = []

    def called(fd: int | ctypes.c_int, *arguments: Any) -> Any:
        if not seen:
            closer.start()
            closer.join(PATIENCE)
            seen.append(bpf_file(fd))
        return in_call_of(fd, *arguments)

    monkeypatch.setattr(library(), function, called)
    with contextlib.suppress(rt.BpfError):  # it can't be updated, detached or pinned there
        use(link, objs)
    closer.join()
    assert seen == [LINK]
    assert link.closed
    with pytest.raises(rt.StateError, match="is closed"):
        use(link, objs)


def test_a_signal_handler_that_closes_a_link_leaves_it_to_the_call(
    objs: Objects, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = objs.Traced.attach()
    ask = library().bpf_obj_get_info_by_fd
    seen: list[tuple[bool, str]] = []

    def called(fd: int | ctypes.c_int, *arguments: Any) -> Any:
        link.close()
        seen.append((link.closed, bpf_file(fd)))
        return ask(fd, *arguments)

    monkeypatch.setattr(library(), "bpf_obj_get_info_by_fd", called)
    fd = link.fd
    assert link.info.type is rt.LinkType.RAW_TRACEPOINT
    assert set(seen) == {(True, LINK)}
    assert bpf_file(fd) != LINK


def test_an_object_that_its_own_signal_handler_closes_is_freed_when_the_call_returns(
    objs: Objects,
) -> None:
    fd = objs.Hash.fd
    inside: list[str] = []

    def handler(number: int, frame: object) -> None:
        objs.close()
        inside.append(bpf_file(fd))

    before = signal.signal(signal.SIGUSR1, handler)
    try:
        with objs.Hash.held_fd():
            os.kill(os.getpid(), signal.SIGUSR1)
            assert bpf_file(fd) == MAP
        assert bpf_file(fd) == "closed"
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert inside == [MAP]


@pytest.fixture
def busy_switching() -> Iterator[None]:
    """Threads that take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def write_until_closed(objs: Objects, started: threading.Barrier, failures: list[str]) -> None:
    numbers = objs.Hash
    started.wait()
    try:
        while True:
            numbers[7] = 777
    except rt.StateError:
        pass
    except Exception as error:  # noqa: BLE001 - any other would be lost with its thread
        failures.append(repr(error))


def test_threads_that_write_while_another_closes_write_to_no_other_map(
    code: bytes, busy_switching: None
) -> None:
    failures: list[str] = []
    for _ in range(ROUNDS):
        objs = rt.CollectionSpec(code, "snippet", Objects).load()
        started = threading.Barrier(3)
        arguments = (objs, started, failures)
        threads = [threading.Thread(target=write_until_closed, args=arguments) for _ in range(2)]
        for thread in threads:
            thread.start()
        started.wait()
        time.sleep(0.002)  # they are in their stride then
        objs.close()
        with rt.CollectionSpec(code, "snippet", Objects).load() as other:
            for thread in threads:
                thread.join()
            assert other.Hash.read() == {}
    assert failures == []


def test_threads_that_run_a_program_while_another_closes_get_a_state_error(
    code: bytes, busy_switching: None
) -> None:
    outcomes: list[str] = []

    def run(objs: Objects, started: threading.Barrier) -> None:
        program = objs.Packet
        started.wait()
        try:
            while True:
                program.test_run(bytes(14))
        except Exception as error:  # noqa: BLE001 - which one it is, is what is tested
            outcomes.append(type(error).__name__)

    for _ in range(ROUNDS // 3):
        objs = rt.CollectionSpec(code, "snippet", Objects).load()
        started = threading.Barrier(2)
        thread = threading.Thread(target=run, args=(objs, started))
        thread.start()
        started.wait()
        objs.close()
        with rt.CollectionSpec(code, "snippet", Objects).load():
            thread.join()
    assert set(outcomes) == {"StateError"}


def test_specs_that_another_thread_closes_are_not_read(code: bytes, busy_switching: None) -> None:
    class Specs(rt.CollectionSpec[Objects]):
        Hash = rt.map_spec("hash")
        Packet = rt.program_spec("packet")

    outcomes: list[str] = []

    def use(specs: Specs, started: threading.Barrier) -> None:
        bpf_map, program = specs.Hash, specs.Packet
        started.wait()
        try:
            while True:
                bpf_map.max_entries += 1
                program.autoload = not program.autoload
        except Exception as error:  # noqa: BLE001 - which one it is, is what is tested
            outcomes.append(type(error).__name__)

    for _ in range(ROUNDS // 3):
        specs = Specs(code, "snippet", Objects)
        started = threading.Barrier(2)
        thread = threading.Thread(target=use, args=(specs, started))
        thread.start()
        started.wait()
        specs.close()
        thread.join()
    assert set(outcomes) == {"StateError"}


class Kept:
    """A resource that is closed before the object, and takes its time."""

    closed = False

    def __init__(self, on_close: Callable[[], None]) -> None:
        self._on_close = on_close

    def close(self) -> None:
        self.closed = True
        self._on_close()


def late_use(objs: Objects) -> None:
    """A use of a closed object in another thread."""

    def use() -> None:
        with contextlib.suppress(rt.StateError):
            objs.Hash[1] = 1

    thread = threading.Thread(target=use)
    thread.start()
    thread.join()


def test_nothing_is_freed_before_all_that_was_kept_is_closed(objs: Objects) -> None:
    fd = objs.Hash.fd
    seen: list[str] = []

    def on_close() -> None:
        late_use(objs)
        seen.append(bpf_file(fd))

    objs._handle.keep(Kept(on_close))
    objs.close()
    assert seen == [MAP]
    assert bpf_file(fd) == "closed"


def test_an_object_is_not_freed_while_a_call_on_its_link_is_in_flight(objs: Objects) -> None:
    link = objs.Traced.attach()
    numbers = objs.Hash
    with link.held_fd() as fd:
        closer = threading.Thread(target=objs.close)
        closer.start()
        closer.join(PATIENCE)
        with pytest.raises(rt.StateError):
            numbers[1] = 1
        assert bpf_file(fd) == LINK
    closer.join()
    assert bpf_file(fd) != LINK


def test_a_signal_handler_that_closes_the_object_leaves_its_link_to_the_call(
    objs: Objects,
) -> None:
    link = objs.Traced.attach()
    with link.held_fd() as fd:
        objs.close()
        assert bpf_file(fd) == LINK
    assert bpf_file(fd) != LINK
    assert link.closed


def test_a_link_of_an_object_that_closes_meanwhile_is_closed(
    objs: Objects, monkeypatch: pytest.MonkeyPatch
) -> None:
    handle = objs._handle
    check = handle.check_open

    def close_and_check() -> None:
        objs.close()
        check()

    monkeypatch.setattr(handle, "check_open", close_and_check)
    kept = Kept(lambda: None)
    with pytest.raises(rt.StateError, match="snippet is closed"):
        handle.keep(kept)
    assert kept.closed


class InterruptError(Exception):
    """What a signal handler raises."""


@pytest.mark.parametrize("how", ["lookup", "pop", "info", "run"])
def test_exceptions_of_signal_handlers_leave_no_call_counted(objs: Objects, how: str) -> None:
    uses: dict[str, Callable[[], object]] = {
        "lookup": lambda: objs.Hash.lookup(1),
        "pop": lambda: objs.Hash.pop(9, None),
        "info": lambda: objs.Hash.info,
        "run": lambda: objs.Packet.test_run(bytes(14)),
    }
    use, fd = uses[how], objs.Hash.fd
    use()

    def interrupt(number: int, frame: object) -> None:
        raise InterruptError

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        for turn in range(300):
            with contextlib.suppress(InterruptError):
                signal.setitimer(signal.ITIMER_REAL, 0.0002 + turn % 50 * 1e-6)
                while True:
                    use()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert objs._handle.lifetime.calls == []
    objs.close()
    assert bpf_file(fd) != MAP


def test_a_forked_child_needs_no_lock_of_its_parents(objs: Objects) -> None:
    held, go = threading.Event(), threading.Event()

    def hold() -> None:
        with objs._handle.held():
            held.set()
            go.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    child = os.fork()
    if child == 0:
        signal.alarm(10)
        os._exit(0 if objs.Array[0] == 0 else 1)
    go.set()
    thread.join()
    assert os.waitpid(child, 0)[1] == 0


def test_integers_of_numpy_are_integers(objs: Objects) -> None:
    np = pytest.importorskip("numpy")
    objs.Array[np.uint8(99)] = 5
    assert objs.Array[99] == objs.Array[np.int8(-1)] == 5
    for flags in (np.int64(1 << 33), np.int64(-1)):
        with pytest.raises(ValueError, match="can't be"):
            objs.Packet.test_run(bytes(14), flags=flags)
    with pytest.raises(ValueError, match="can't be"):
        objs.Packet.test_run(bytes(14), repeat=np.int64((1 << 32) + 1))


def test_what_is_no_integer_is_a_type_error(objs: Objects) -> None:
    half: Any = 1.5
    for use in (
        lambda: objs.Hash.put(1, 1, flags=half),
        lambda: Objects.Hash.create(half),
        lambda: Objects.Hash.open_id(half),
        lambda: objs.Packet.test_run(bytes(14), batch_size=half),
    ):
        with pytest.raises(TypeError, match="integer"):
            use()
    nothing: Any = None
    with pytest.raises(TypeError, match="ctx is None"):
        objs.Packet.test_run(bytes(14), ctx=nothing)
