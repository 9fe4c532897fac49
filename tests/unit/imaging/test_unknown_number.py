"""An acquisition whose number of frames nobody knows before: none is lost, and it ends well."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import bluesky.plan_stubs as bps
import numpy as np
import pytest
from bluesky import RunEngine
from ophyd import Signal

from adsupport.errors import WriterTimeoutError
from adsupport.imaging import Acquisition, Experiment
from adsupport.imaging.addons import GratingProcessing
from adsupport.imaging.frames.arrival import Arrival
from adsupport.imaging.frames.bus import FrameBus
from adsupport.imaging.frames.frame import StreamAbout
from adsupport.imaging.frames.live import LiveFrames
from adsupport.imaging.frames.replay import ReplaySource, StoredAcquisition, play

from .made_frames import Collector, MadeSource


def stored(go_on: threading.Event, number: int | None = 5) -> ReplaySource:
    """Frames on a disk that has to be waited for after the second one."""

    def frames() -> Iterator[Arrival]:
        for id_ in range(1, 6):
            assert id_ < 3 or go_on.wait(10)
            yield Arrival(lambda: np.zeros((2, 2), np.uint16), stored=False, unique_id=id_)

    return ReplaySource([StoredAcquisition(StreamAbout("old", "primary", number), frames)])


class LiveSource:
    """Frames that wait for nobody, some of which come late."""

    def __init__(self, most: int = 64, late: int = 0) -> None:
        self.live, self.late = LiveFrames("im:Pva1:Image", most, 0.3), late

    def begin(self, about: StreamAbout, take: Any) -> None:
        self.live.begin(about, take, 0)

    def put(self, *ids: int) -> None:
        for id_ in ids:
            value = 1000 + 300 * np.cos(np.pi * id_ / 2)
            self.live.put(np.full((3, 3), value, np.uint16), id_)

    def end(self, expected: int | None, timeout: float) -> int:
        timer = threading.Timer(0.05, self.put, (self.late,) if self.late else ())
        timer.start()
        try:
            return self.live.end(expected, timeout)
        finally:
            timer.join()

    def close(self) -> None:
        self.live.stop()


def test_stored_frames_come_to_the_last():
    go_on, addon = threading.Event(), Collector()
    timer = threading.Timer(0.05, go_on.set)

    def producer() -> Any:
        timer.start()
        yield from bps.null()

    acquisition = Acquisition("primary", producer)
    RunEngine({})(Experiment([acquisition], frames=stored(go_on), addons=[addon]).run())
    timer.join()
    assert addon.ids == [1, 2, 3, 4, 5]
    assert (addon.ends[0].expected, addon.ends[0].complete) == (5, True)


def test_stored_frames_of_an_unknown_number_are_played_as_a_whole_acquisition():
    go_on, addon = threading.Event(), Collector()
    go_on.set()
    play(stored(go_on, None).acquisitions, [addon])
    assert (addon.ids, addon.ends[0].complete) == ([1, 2, 3, 4, 5], True)


def test_live_frames_come_until_there_are_no_more_and_make_maps():
    source = LiveSource(late=4)
    grating = GratingProcessing(1, 4, darks="d", reference="flats", sample="primary")

    def producer() -> Any:
        source.put(1, 2, 3)
        yield from bps.null()

    RunEngine({})(
        Experiment([Acquisition("primary", producer)], frames=source, addons=[grating]).run()
    )
    assert grating.sample is not None


def test_frames_that_a_live_source_has_no_room_for_are_missing(caplog):
    source, addon = LiveSource(most=2), Collector(queue=1)
    addon.go_on.clear()
    with FrameBus(source, [addon]) as bus:
        bus.begin(StreamAbout("run", "primary"))
        source.put(1)
        assert addon.at_work.wait(10)
        source.put(2, 3, 4, 5, 6, 7)
        timer = threading.Timer(0.05, addon.go_on.set)
        timer.start()
        ended = bus.end()
        timer.join()
    assert ended.expected == 7
    assert ended.missing == 7 - len(addon.ids) > 0
    assert not ended.complete
    assert "found no room here" in caplog.text


def test_an_end_that_does_not_come_is_told():
    addon, source = Collector(queue=1), stored(threading.Event())
    bus = FrameBus(source, [addon])
    bus.begin(StreamAbout("run", "primary"))
    with pytest.raises(WriterTimeoutError, match=r"for the last frame of stored stream 'primary'"):
        bus.end(timeout=0.1)
    bus.close()


@pytest.mark.parametrize("source", [MadeSource(), LiveSource()])
def test_one_that_is_cut_short_waits_for_nothing_and_says_why(source):
    addon = Collector()
    bus = FrameBus(source, [addon])
    bus.begin(StreamAbout("run", "primary", 4))
    ended = bus.end(cut_short="the beam went", timeout=60)
    bus.close()
    assert (ended.reason, ended.expected) == ("cut short: the beam went", 4)
    assert [each.reason for each in addon.ends] == [ended.reason]


class Detector(Signal):
    """Tells in its events how many frames it took, as detectors of ``ad_creator`` do."""

    def read(self) -> Any:
        first, count = self.get()
        return {
            f"{self.name}_first_unique_id": {"value": first, "timestamp": 0.0},
            f"{self.name}_frames_taken": {"value": count, "timestamp": 0.0},
        }

    def describe(self) -> Any:
        key = {"source": "made", "dtype": "integer", "shape": []}
        return {key_: dict(key) for key_ in self.read()}


@pytest.mark.parametrize("per_event", [None, 2])
def test_the_events_of_the_detector_tell_how_many_there_were(per_event: int | None):
    class Thread(MadeSource):
        asked: int | None = None

        def end(self, expected: int | None, timeout: float) -> None:
            self.asked = expected
            self.give(1, 2, 5)  # 6 is lost; 3 and 4 aren't in an event

    detector, source, addon = Detector(name="det", value=(1, 2)), Thread(True), Collector()

    def producer() -> Any:
        for first in (1, 5):
            detector.put((first, 2))
            yield from bps.create("primary")
            yield from bps.read(detector)
            yield from bps.save()

    acquisition = Acquisition("primary", producer, per_event=per_event)
    RunEngine({})(Experiment([acquisition], frames=source, addons=[addon]).run())
    (ended,) = addon.ends
    assert source.asked == (4 if per_event is None else 6)
    assert (ended.expected, ended.frames, ended.missing) == (4, 3, 1)


def test_a_detector_that_does_not_know_tells_no_number():
    detector, source, addon = Detector(name="det", value=(-1, -1)), MadeSource(), Collector()

    def producer() -> Any:
        source.give(1, 2)
        yield from bps.create("primary")
        yield from bps.read(detector)
        yield from bps.save()

    RunEngine({})(
        Experiment([Acquisition("primary", producer)], frames=source, addons=[addon]).run()
    )
    assert (addon.ends[0].expected, addon.ends[0].complete) == (None, True)
