"""Buffers of an object that nobody refers to any more go with it."""

from types import ModuleType

from ..test_dropped import dropped


def test_rings_and_what_waits_for_them_are_closed(bpf: None, buffers: ModuleType) -> None:
    def use() -> None:
        objs = buffers.load_buffers_objects()
        assert objs.Events.poll(0) == []
        assert objs.Samples.open(pages=1).poll(0) == []

    assert len(dropped(use)) == 1


def test_a_buffer_alone_keeps_the_object_open(bpf: None, buffers: ModuleType) -> None:
    def use() -> None:
        events = buffers.load_buffers_objects().Events
        assert events.poll(0) == []
        assert not events.closed

    assert len(dropped(use)) == 1
