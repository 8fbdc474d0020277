"""The bindings of buffers.c, loaded, and ways to have its programs write and read."""

import importlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import Any

import pytest

from ..conftest import importable
from ..sources import BUFFERS
from .running import Producer


@pytest.fixture(scope="session")
def buffers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """Give the generated module of buffers.c."""
    with importable(BUFFERS, "buffers", tmp_path_factory):
        yield importlib.import_module("buffers")


@pytest.fixture
def objs(bpf: None, buffers: ModuleType) -> Iterator[Any]:
    """Give the loaded objects of buffers.c."""
    with buffers.load_buffers_objects() as loaded:
        yield loaded


@pytest.fixture
def produce(objs: Any, buffers: ModuleType) -> Producer:
    """Give what runs the programs."""
    return Producer(objs, buffers)


@pytest.fixture
def background() -> Iterator[Callable[..., Any]]:
    """Give what runs a function in a thread, which ends before the test does."""
    with ThreadPoolExecutor() as pool:
        yield pool.submit


@pytest.fixture
def flat_out(produce: Producer) -> Iterator[None]:
    """Have a thread write events without a pause while the test runs."""
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            produce.events(100_000)

    thread = threading.Thread(target=write)
    thread.start()
    yield
    stop.set()
    thread.join()
