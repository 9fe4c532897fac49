"""Frames that a pause lets a RunEngine take again: addons get those in events, and no others."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adsupport.errors import WriterTimeoutError
from adsupport.imaging.addons import FrameGapCheck
from adsupport.imaging.frames.arrival import Arrival
from adsupport.imaging.frames.bus import FrameBus
from adsupport.imaging.frames.frame import StreamAbout, StreamEnd
from adsupport.imaging.frames.live import LiveFrames
from adsupport.imaging.frames.replay import ReplaySource, StoredAcquisition
from adsupport.imaging.frames.saved_events import EventWatch, SavedEvents

from .made_frames import Collector, MadeSource

ANGLES = (0.0, 15.0, 30.0, 45.0)
STEPS = StreamAbout("run", "primary", 4, {}, ANGLES, per_event=1)


class ThreadSource(MadeSource):
    """Hands frames on from a thread of its own, as sources of a detector's do."""

    asked: int | None = None
    thread: threading.Thread | None = None

    def start(self, *ids: int) -> None:
        self.thread = threading.Thread(target=self.give, args=ids, kwargs={"place": 99})
        self.thread.start()

    def end(self, expected: int | None, timeout: float) -> None:
        self.asked = expected
        if self.thread is not None:
            self.thread.join(5)
            assert not self.thread.is_alive()


@pytest.mark.parametrize("late", [True, False])
def test_a_frame_that_was_taken_again_comes_once_and_shifts_no_angle(late):
    """With late=False frames come while the file grows, before their events are saved."""
    addon, gaps = Collector(), FrameGapCheck(found="raise")
    source = ThreadSource(stored=True)
    bus = FrameBus(source, [addon, gaps])
    bus.begin(STEPS)
    if not late:
        source.start(4, 5, 6, 7, 8)
    for first in (4, 5, 7, 8):
        bus.saved("primary", first)
        bus.saved("baseline", 1)
    if late:
        source.start(4, 5, 6, 7, 8)
    ended = bus.end(4)
    bus.drain(5)
    bus.close()
    bus.check()
    assert source.asked == 5
    assert (ended.frames, ended.complete) == (4, True)
    assert [(f.unique_id, f.sequence, f.place, f.angle) for f in addon.frames] == [
        (4, 0, 0, 0.0),
        (5, 1, 1, 15.0),
        (7, 2, 2, 30.0),
        (8, 3, 3, 45.0),
    ]
    assert gaps.gaps == {} and gaps.short == {}


def test_a_lost_frame_is_missing_beside_one_that_was_taken_again(caplog):
    addon, gaps = Collector(), FrameGapCheck()
    source = ThreadSource(stored=True)
    bus = FrameBus(source, [addon, gaps])
    bus.begin(STEPS)
    for first in (4, 5, 7, 8):
        bus.saved("primary", first)
    source.start(4, 6, 8)
    assert bus.end(4).missing == 2
    bus.drain(5)
    bus.close()
    assert [(f.unique_id, f.angle) for f in addon.frames] == [(4, 0.0), (8, 45.0)]
    assert gaps.short == {"primary": 2}


def test_frames_in_no_event_are_given_up_at_the_end_and_by_an_abort():
    addon, source = Collector(), ThreadSource(stored=True)
    bus = FrameBus(source, [addon])
    bus.begin(STEPS)
    source.start(4, 5, 6)
    bus.saved("primary", 4)
    bus.close()
    assert addon.ids == [4]
    assert addon.ends[-1].reason.startswith("cut short")


def test_without_ids_in_the_events_no_frame_has_an_angle():
    addon, source = Collector(), ThreadSource(stored=True)
    bus = FrameBus(source, [addon])
    bus.begin(STEPS)
    source.start(4, 5, 6, 7)
    bus.saved("primary", None)
    bus.end(4)
    bus.drain(5)
    bus.close()
    assert [(f.unique_id, f.angle) for f in addon.frames] == [(n, None) for n in (4, 5, 6, 7)]


def test_frames_more_than_were_asked_for_are_not_complete():
    ended = StreamEnd(STEPS, 4, 5)
    assert not ended.complete
    assert StreamEnd(STEPS, 4, 4).complete and StreamEnd(STEPS, None, 5).complete


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 3)), min_size=1, max_size=8),
       st.integers(1, 3))  # fmt: skip
def test_places_for_any_repetitions(triggers, size):
    """Each event has so many triggers before it that were given up."""
    events, id_, frames = SavedEvents(size), 10, {}
    for place, (given_up, _) in enumerate(triggers):
        id_ += given_up * size
        events.saved(id_)
        frames.update({id_ + offset: place * size + offset for offset in range(size)})
        id_ += size
    events.over()
    found = {}
    for number in range(10, id_):
        arrival = Arrival(lambda: np.zeros(1), stored=True, unique_id=number)
        if events.wanted(arrival):
            found[number] = arrival.place
    assert found == frames
    assert events.taken(len(frames)) == id_ - 10


def test_events_of_one_detector_are_told_with_their_first_ids():
    told = []
    watch = EventWatch(lambda *event: told.append(event))
    for uid, keys in (("a", ["det_first_unique_id", "x"]), ("b", ["x"]),
                      ("c", ["one_first_unique_id", "two_first_unique_id"])):  # fmt: skip
        watch("descriptor", {"uid": uid, "name": f"stream {uid}", "data_keys": dict.fromkeys(keys)})
        watch("event", {"descriptor": uid, "data": dict.fromkeys(keys, 7)})
    assert told == [("stream a", 7), ("stream b", None), ("stream c", None)]


def test_the_sequence_that_another_bus_has_told_is_kept():
    addon, source = Collector(), MadeSource()
    with FrameBus(source, [addon]) as bus:
        bus.begin(StreamAbout("run", "primary", 3))
        source.give(1, 4, sequence=None)
        source.give(9, sequence=8)  # five were dropped on the way here
        source.give(10)
        bus.end(4)
    assert [frame.sequence for frame in addon.frames] == [0, 1, 8, 9]


# addons that hang, or end their thread


class LiveSource:
    """A source of frames that wait for nobody."""

    def __init__(self, most: int = 64) -> None:
        self.live = LiveFrames("pv", most, 0.2)

    def begin(self, about, take):
        self.live.begin(about, take, None)

    def end(self, expected, timeout):
        self.live.end(expected, timeout)

    def close(self):
        self.live.stop()


def test_a_live_source_has_room_for_an_event_beside_its_queue():
    """No frame is taken from it before its event is saved."""
    source, addon = LiveSource(most=4), Collector()
    with FrameBus(source, [addon]) as bus:
        bus.begin(StreamAbout("run", "primary", 30, per_event=30))
        for number in range(30):
            source.live.put(np.zeros((2, 2)), number + 1)
        bus.saved("primary", 1)
        assert bus.end(30, timeout=10).complete
    assert addon.ids == list(range(1, 31))


def test_an_addon_that_hangs_holds_up_a_live_source_no_longer_than_the_timeout():
    addon, source = Collector(queue=2), LiveSource()
    addon.go_on.clear()
    bus = FrameBus(source, [addon])
    bus.begin(StreamAbout("run", "primary", 10))
    for number in range(10):
        source.live.put(np.zeros((2, 2)), number + 1)
    began = time.monotonic()
    with pytest.raises(WriterTimeoutError, match=r"10 came, and 7 of them still wait for an addon"):
        bus.end(10, timeout=0.2)
    assert time.monotonic() - began < 8
    addon.go_on.set()
    bus.begin(StreamAbout("run", "other", 1))
    source.live.put(np.zeros((2, 2)), 50)
    bus.end(1)
    bus.drain(5)
    bus.close()
    assert [frame.unique_id for frame in addon.frames if frame.stream == "other"] == [50]
    assert [end.about.stream for end in addon.ends] == ["primary", "other"]
    first = addon.ends[0]
    assert len([f for f in addon.frames if f.stream == "primary"]) + first.dropped == first.frames


def test_an_addon_that_hangs_holds_up_stored_frames_no_longer_than_the_timeout():
    addon = Collector(queue=2)
    addon.go_on.clear()
    about = StreamAbout("", "primary", 10)
    frames = [Arrival(lambda: np.zeros((2, 2)), stored=False, unique_id=n) for n in range(10)]
    bus = FrameBus(ReplaySource([StoredAcquisition(about, lambda: iter(frames))]), [addon])
    bus.begin(about)
    with pytest.raises(WriterTimeoutError, match="Waited 0.2 s for frame 10 of stored stream"):
        bus.end(10, timeout=0.2)
    addon.go_on.set()
    bus.close()
    assert len(addon.frames) + addon.ends[0].dropped == addon.ends[0].frames


def test_an_addon_that_ends_its_thread_has_failed():
    class Exits(Collector):
        def frame(self, frame):
            raise SystemExit(3)

    source = MadeSource()
    bus = FrameBus(source, [Exits()])
    bus.begin(StreamAbout("run", "primary", 1))
    source.give(1)
    with pytest.raises(RuntimeError, match="Addon Exits raised SystemExit: 3"):
        bus.drain(5)
    bus.close()


def test_a_counter_that_staging_sets_back_loses_no_frame():
    got: list[Arrival] = []
    live = LiveFrames("pv", 64, 0.2)
    live.begin(StreamAbout("run", "primary", 3), got.append, 57)
    live.put(np.zeros(2), 57)  # of before
    live.counted(0)
    for number in (1, 2, 3):
        live.put(np.zeros(2), number)
        live.counted(number)
    live.end(3, 5)
    assert [(each.unique_id, each.place) for each in got] == [(1, 0), (2, 1), (3, 2)]
