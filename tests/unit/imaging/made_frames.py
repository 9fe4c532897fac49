"""A source of frames, and addons, for tests of the frame bus."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from adsupport.imaging.addons.base import Addon
from adsupport.imaging.frames.arrival import Arrival
from adsupport.imaging.frames.frame import Frame, StreamAbout, StreamEnd


class MadeSource:
    """Hands on the frames that a test gives it, from the test's thread."""

    def __init__(self, stored: bool = False) -> None:
        self.stored = stored
        self.loads = 0
        self.problem: Exception | None = None
        self.closed = False
        self._take: Callable[[Arrival], None] | None = None

    def begin(self, about: StreamAbout, take: Callable[[Arrival], None]) -> None:
        self._take = take

    def give(self, *numbers: int, **known: Any) -> None:
        """Hand on frames whose pixels are their numbers, which are their ids, too."""
        for number in numbers:
            assert self._take is not None
            self._take(
                Arrival(
                    lambda number=number: self._load(number),
                    stored=self.stored,
                    unique_id=number,
                    **known,
                )
            )

    def _load(self, number: int) -> np.ndarray:
        self.loads += 1
        return np.full((2, 3), number, np.uint16)

    def end(self, expected: int | None, timeout: float) -> None:
        if self.problem is not None:
            raise self.problem

    def close(self) -> None:
        self.closed = True


class Collector(Addon):
    """Keeps what it is told; can be held up, and can fail."""

    def __init__(self, fail_at: int | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.fail_at = fail_at
        self.abouts: list[StreamAbout] = []
        self.frames: list[Frame] = []
        self.ends: list[StreamEnd] = []
        self.closed = 0
        self.threads: set[int] = set()
        self.at_work = threading.Event()
        self.go_on = threading.Event()
        self.go_on.set()
        self._came = threading.Condition()

    @property
    def ids(self) -> list[int | None]:
        """Unique ids of the frames that came."""
        return [frame.unique_id for frame in self.frames]

    def begin(self, about: StreamAbout) -> None:
        self.abouts.append(about)

    def frame(self, frame: Frame) -> None:
        self.threads.add(threading.get_ident())
        self.at_work.set()
        assert self.go_on.wait(10)
        if self.fail_at is not None and self.fail_at == frame.unique_id:
            raise RuntimeError("spilt coffee")
        with self._came:
            self.frames.append(frame)
            self._came.notify_all()

    def wait(self, number: int) -> None:
        """Wait until some frames have come."""
        with self._came:
            assert self._came.wait_for(lambda: len(self.frames) >= number, 30)

    def end(self, ended: StreamEnd) -> None:
        self.ends.append(ended)

    def close(self) -> None:
        self.closed += 1


RUN = "11111111-2222-3333-4444-555555555555"


def feed(
    addon: Addon,
    stream: str,
    images,
    ids=None,
    *,
    expected: int | None = None,
    announced: bool = True,
    run: str = RUN,
    first: int = 0,
    reason: str = "",
    angles=None,
    md=None,
) -> None:
    """Give an addon the frames of an acquisition."""
    images = list(images)
    count = len(images) if expected is None else expected
    about = StreamAbout(run, stream, count if announced else None, md or {})
    addon.begin(about)
    for index, image in enumerate(images):
        addon.frame(
            Frame(
                np.asarray(image),
                stream,
                first + index,
                None if ids is None else ids[index],
                None if angles is None else angles[index],
                1.8e9 + index,
                run,
            )
        )
    addon.end(StreamEnd(about, count, len(images), 0, reason))


def images_of(*numbers, shape=(2, 3), dtype=np.uint16):
    return [np.full(shape, number, dtype) for number in numbers]
