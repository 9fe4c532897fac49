"""A network that carries nothing any more, and tells nobody: no end of a connection is closed."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from adsupport.errors import FrameConnectionError
from adsupport.imaging.frames import Frame, StreamAbout
from adsupport.imaging.remote import FrameConnection, FramePublisher

from ..unit.imaging.made_frames import Collector
from .remote_consumers import Background, picture, publish

NOTICED = 10.0  # s, on a machine with much else to do; three heartbeats of 0.4 s on a quiet one


class Cable:
    """Carries bytes between a publisher and a consumer, until it is cut."""

    def __init__(self, address: str) -> None:
        host, port = address.removeprefix("tcp://").rsplit(":", 1)
        self._far = (host, int(port))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"tcp://127.0.0.1:{self._listener.getsockname()[1]}"
        self._intact = threading.Event()
        self._intact.set()
        self._ended = threading.Event()
        self._sockets: list[socket.socket] = []
        self._thread = threading.Thread(target=self._carry, daemon=True)
        self._thread.start()

    def cut(self) -> float:
        """Carry nothing from now on; both ends stay open. Return when that was."""
        self._intact.clear()
        return time.monotonic()

    def close(self) -> None:
        self._ended.set()
        self._thread.join(10)
        for each in (self._listener, *self._sockets):
            each.close()

    def _carry(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._listener, selectors.EVENT_READ)
            while not self._ended.is_set():
                for key, _ in selector.select(0.05):
                    if not self._intact.is_set():
                        time.sleep(0.05)  # what was sent waits in the system
                    elif key.data is None:
                        near, far = self._listener.accept()[0], socket.create_connection(self._far)
                        self._sockets += [near, far]
                        selector.register(near, selectors.EVENT_READ, far)
                        selector.register(far, selectors.EVENT_READ, near)
                    else:
                        with contextlib.suppress(OSError):
                            self._forward(key.fileobj, key.data, selector)

    @staticmethod
    def _forward(near: Any, far: socket.socket, selector: selectors.BaseSelector) -> None:
        carried = near.recv(1 << 20)
        if carried:
            far.sendall(carried)
        else:
            selector.unregister(near)
            far.shutdown(socket.SHUT_WR)


@pytest.fixture
def cable_of() -> Iterator[Any]:
    with contextlib.ExitStack() as stack:

        def laid(publisher: FramePublisher) -> Cable:
            cable = Cable(publisher.address)
            stack.callback(cable.close)
            return cable

        yield laid


def test_frames_come_through_a_cable(cable_of: Any) -> None:
    recorder = Collector()
    with FramePublisher() as publisher:
        running = Background(FrameConnection(cable_of(publisher).address), recorder)
        publish(publisher, 20)
        publisher.close()
        assert running.join().frames == 20
    np.testing.assert_array_equal(recorder.frames[-1].data, picture(19).data)


@pytest.mark.parametrize("lost", ["raise", "log"])
def test_both_ends_notice_a_cut_cable(lost: str, cable_of: Any) -> None:
    with FramePublisher(lost=lost) as publisher:
        cable = cable_of(publisher)
        running = Background(FrameConnection(cable.address, name="writer"), Collector())
        told = StreamAbout("run", "primary", None)
        publisher.begin(told)
        publisher.frame(picture(0))
        publisher._outbox.wait_until_taken()
        assert set(publisher.consumers) == {"writer"}
        began = cable.cut()
        found: FrameConnectionError | None = None
        number = 1
        while publisher.consumers and found is None:
            assert time.monotonic() - began < NOTICED
            pixels = np.zeros((4, 6), np.uint16)
            try:
                publisher.frame(Frame(pixels, "primary", number, run_uid="run"))
            except FrameConnectionError as error:
                found = error
            number += 1
            time.sleep(0.01)  # a camera
        assert (found is not None) == (lost == "raise")
        with pytest.raises(FrameConnectionError, match="is gone"):
            running.join()
        assert time.monotonic() - began < NOTICED
        print(f"noticed by both after {time.monotonic() - began:.2f} s")
