"""Consumers of frames, in processes and in threads, and what a bus does with a publisher."""

from __future__ import annotations

import contextlib
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adsupport.imaging.frames import Frame, StreamAbout, StreamEnd
from adsupport.imaging.remote import FrameConnection, FramePublisher, consume


class Consumer:
    """A process of ``adsupport consume``, whose lines can be waited for."""

    def __init__(self, address: str, addon: str, *options: str, cwd: Path) -> None:
        command = [sys.executable, "-m", "adsupport", "consume", address, addon, *options]
        self.process = subprocess.Popen(
            command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.lines: list[str] = []
        self._came: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                self._came.put(line)
        self._came.put(None)

    def wait_for(self, text: str, timeout: float = 30) -> str:
        until = time.monotonic() + timeout
        while True:
            line = self._came.get(timeout=max(0.01, until - time.monotonic()))
            assert line is not None, f"ended without {text!r}: {self.lines}"
            self.lines.append(line)
            if text in line:
                return line

    def ended(self, timeout: float = 30) -> int:
        code = self.process.wait(timeout)
        while (line := self._came.get(timeout=5)) is not None:
            self.lines.append(line)
        return code


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Any]:
    with contextlib.ExitStack() as stack:

        def started(address: str, addon: str, *options: str) -> Consumer:
            consumer = Consumer(address, addon, *options, cwd=tmp_path)
            stack.callback(consumer.process.wait, 10)
            stack.callback(consumer.process.kill)
            return consumer

        yield started


def publish(
    publisher: FramePublisher,
    count: int,
    *,
    stream: str = "primary",
    **about: Any,
) -> None:
    """Do with a publisher what a bus does."""
    told = StreamAbout("run", stream, count, **about)
    publisher.begin(told)
    for number in range(count):
        publisher.frame(picture(number, stream))
    publisher.end(StreamEnd(told, count, count))


def picture(number: int, stream: str = "primary") -> Frame:
    pixels = np.full((4, 6), number, np.uint16)
    return Frame(
        pixels, stream, number, 100 + number, 0.5 * number, 1e9 + number, "run", {"n": number}
    )


class Background:
    """``consume`` in a thread, connected before this returns."""

    def __init__(self, connection: FrameConnection, *addons: Any, **options: Any) -> None:
        self._connection, self._addons, self._options = connection, addons, options
        self.result: Any = None
        self.error: BaseException | None = None
        connected = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(connected,), daemon=True)
        self._thread.start()
        assert connected.wait(20)

    def _run(self, connected: threading.Event) -> None:
        try:
            try:
                self._connection.open()
            finally:
                connected.set()
            with self._connection:
                self.result = consume(self._connection, self._addons, **self._options)
        except BaseException as error:
            self.error = error

    def join(self) -> Any:
        self._thread.join(30)
        assert not self._thread.is_alive()
        if self.error is not None:
            raise self.error
        return self.result


@pytest.fixture
def publisher() -> Iterator[FramePublisher]:
    with FramePublisher() as made:
        yield made
