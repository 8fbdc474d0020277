"""Frames of an EtherType that nobody else uses, sent and counted."""

import socket
from collections.abc import Callable
from typing import Any

from .conftest import eventually

OURS = 0x88B5
FRAMES = 3
FRAME = b"\xff" * 6 + b"\x02" * 6 + OURS.to_bytes(2, "big") + b"a frame of the tests" * 3


def send(interface: str) -> None:
    """Send some frames out of an interface."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as out:
        out.bind((interface, 0))
        for _ in range(FRAMES):
            assert out.send(FRAME) == len(FRAME)


def received(interface: str, send_them: Callable[[], None]) -> int:
    """Return how many of our frames the network stack gets from an interface meanwhile."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(OURS)) as listener:
        listener.bind((interface, OURS))
        listener.settimeout(1)
        send_them()
        count = 0
        while count < FRAMES:
            try:
                listener.recv(2048)
            except TimeoutError:
                break
            count += 1
        return count


def counted(read: Callable[[], int]) -> bool:
    """Wait until all the frames are counted."""
    return eventually(lambda: read() == FRAMES)


def all_ran(objs: Any, *places: int) -> bool:
    """Wait until the programs of these places have seen at least all the frames."""
    return eventually(lambda: all(objs.Counts.value[place] >= FRAMES for place in places))
