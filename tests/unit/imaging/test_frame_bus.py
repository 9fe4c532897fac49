"""The frame bus: every addon its own thread, queue and policy."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

from adsupport.errors import (
    ConfigurationError,
    DroppedFramesError,
    FrameCountError,
    WriterTimeoutError,
)
from adsupport.imaging.frames.bus import FrameBus
from adsupport.imaging.frames.frame import StreamAbout

from .made_frames import Collector, MadeSource

PRIMARY = StreamAbout("run", "primary", 3, {"sample": "tooth"}, (0.0, 60.0, 120.0))


def bus_of(*addons, stored=False, **options):
    source = MadeSource(stored)
    return source, FrameBus(source, addons, **options)


def test_all_addons_get_all_frames_in_order_in_threads_of_their_own():
    one, two = Collector(), Collector()
    source, bus = bus_of(one, two)
    with bus:
        bus.begin(StreamAbout("run", "darks", 2))
        source.give(1, 2)
        bus.end(2)
        bus.begin(PRIMARY)
        source.give(3, 4, 5)
        ended = bus.end(3)
    assert ended.complete
    for addon in (one, two):
        assert [about.stream for about in addon.abouts] == ["darks", "primary"]
        assert addon.ids == [1, 2, 3, 4, 5]
        assert [(frame.stream, frame.sequence) for frame in addon.frames] == [
            ("darks", 0),
            ("darks", 1),
            ("primary", 0),
            ("primary", 1),
            ("primary", 2),
        ]
        assert [end.complete for end in addon.ends] == [True, True]
        assert addon.closed == 1
        assert addon.frames[0].run_uid == "run"
        np.testing.assert_array_equal(addon.frames[4].data, np.full((2, 3), 5))
    assert len(one.threads | two.threads) == 2
    assert threading.get_ident() not in one.threads | two.threads
    assert source.closed


def test_a_stream_that_comes_again_counts_on_and_another_run_begins_anew():
    addon = Collector()
    source, bus = bus_of(addon)
    with bus:
        for run, stream in (("a", "flats"), ("a", "primary"), ("a", "flats"), ("b", "flats")):
            bus.begin(StreamAbout(run, stream))
            source.give(1, 2)
            bus.end(2)
    found = [(frame.run_uid, frame.stream, frame.sequence) for frame in addon.frames]
    assert found[4:] == [("a", "flats", 2), ("a", "flats", 3), ("b", "flats", 0), ("b", "flats", 1)]


def test_pixels_are_shared_and_cannot_be_written():
    one, two = Collector(), Collector()
    source, bus = bus_of(one, two)
    with bus:
        bus.begin(PRIMARY)
        source.give(7)
        bus.end(1)
    assert one.frames[0].data is two.frames[0].data
    assert source.loads == 1
    with pytest.raises(ValueError, match="read-only"):
        one.frames[0].data[0, 0] = 1


def test_the_angle_is_the_one_of_the_frames_place_and_never_of_another():
    addon = Collector()
    source, bus = bus_of(addon)
    with bus:
        bus.begin(PRIMARY)
        source.give(1, place=0)
        source.give(3, place=2)  # the second one was lost
        source.give(4)  # nobody knows its place
        source.give(5, place=9)
        source.give(6, place=1, angle=61.5)
        bus.end(5)
    assert [frame.angle for frame in addon.frames] == [0.0, 120.0, None, None, 61.5]


def test_an_addon_gets_only_the_streams_it_wants():
    darks, all_, by_attach = Collector(streams=["darks"]), Collector(), Collector()
    source, bus = bus_of(darks, all_)
    bus.attach(by_attach, "primary")
    with bus:
        for stream in ("darks", "primary"):
            bus.begin(StreamAbout("", stream))
            source.give(1)
            bus.end(1)
    assert [about.stream for about in darks.abouts] == ["darks"]
    assert [frame.stream for frame in all_.frames] == ["darks", "primary"]
    assert [frame.stream for frame in by_attach.frames] == ["primary"]


def held_up(addon: Collector) -> None:
    addon.go_on.clear()


def test_drop_keeps_the_latest_frames_and_counts_the_others():
    addon = Collector(policy="drop", queue=2)
    held_up(addon)
    source, bus = bus_of(addon)
    with bus:
        bus.begin(PRIMARY)
        source.give(1)
        assert addon.at_work.wait(10)  # it has 1 in its hands
        source.give(2, 3, 4, 5)
        bus.end(5)
        assert bus.dropped(addon) == 2
        addon.go_on.set()
    assert addon.ids == [1, 4, 5]
    (end,) = addon.ends
    assert (end.frames, end.dropped, end.missing, end.complete) == (5, 2, 0, False)


def test_fail_fails_with_the_addons_name_when_the_queue_is_full():
    addon, other = Collector(policy="fail", queue=1), Collector()
    held_up(addon)
    source, bus = bus_of(addon, other)
    bus.begin(PRIMARY)
    source.give(1)
    assert addon.at_work.wait(10)
    source.give(2, 3)
    with pytest.raises(DroppedFramesError, match=r"Collector: frame 2 of stream 'primary'"):
        bus.end(3)
    addon.go_on.set()
    bus.close()
    assert other.ids == [1, 2, 3]
    assert addon.closed == 1


def test_block_makes_a_source_wait_whose_frames_are_in_memory():
    addon = Collector(queue=2)
    held_up(addon)
    source, bus = bus_of(addon)
    bus.begin(PRIMARY)
    source.give(1)
    assert addon.at_work.wait(10)
    done = threading.Event()
    thread = threading.Thread(target=lambda: (source.give(2, 3, 4), done.set()))
    thread.start()
    assert not done.wait(0.05)
    addon.go_on.set()
    assert done.wait(10)
    thread.join()
    bus.end(4)
    bus.close()
    assert addon.ids == [1, 2, 3, 4]


def test_frames_that_are_in_a_file_wait_there():
    slow, quick = Collector(queue=1), Collector(queue=1)
    held_up(slow)
    source, bus = bus_of(slow, quick, stored=True)
    bus.begin(PRIMARY)
    source.give(*range(100))
    assert bus.end(100).frames == 100  # though one addon is at its first frame
    with pytest.raises(WriterTimeoutError, match="addon Collector"):
        bus.drain(0.01)
    slow.go_on.set()
    bus.drain(10)
    bus.close()
    assert slow.ids == quick.ids == list(range(100))
    assert slow.ends[0].complete


def test_a_fatal_error_is_raised_as_it_is_and_others_go_on():
    bad, good = Collector(fail_at=2), Collector()
    source, bus = bus_of(bad, good)
    bus.begin(PRIMARY)
    source.give(1, 2, 3)
    bus.source.problem = FrameCountError("fewer")  # type: ignore[attr-defined]
    with pytest.raises(RuntimeError, match="spilt coffee") as caught:
        bus.drain(10)
    assert caught.value.__notes__ == ["raised by addon Collector at frame 1 of stream 'primary'"]
    bus.check()  # told once
    bus.close()
    assert bad.ids == [1]
    assert (bad.ends, bad.closed) == ([], 1)
    assert good.ids == [1, 2, 3]
    assert isinstance(bus.failures["Collector"], RuntimeError)


def test_an_isolated_error_is_logged_and_all_else_goes_on(caplog):
    bad, good = Collector(fail_at=1, errors="isolate"), Collector()
    source, bus = bus_of(bad, good)
    with bus:
        bus.begin(PRIMARY)
        source.give(1, 2, 3)
        bus.end(3)
    assert good.ids == [1, 2, 3]
    assert "Addon Collector failed; all else goes on" in caplog.text
    assert "spilt coffee" in caplog.text
    assert list(bus.failures) == ["Collector"]


def test_detaching_while_frames_wait_ends_the_stream_for_the_addon():
    addon, other = Collector(queue=5), Collector()
    held_up(addon)
    source, bus = bus_of(addon, other)
    bus.begin(PRIMARY)
    source.give(1, 2, 3)
    assert addon.at_work.wait(10)
    threading.Timer(0.05, addon.go_on.set).start()
    bus.detach(addon)
    bus.detach(addon)
    source.give(4)
    bus.end(4)
    bus.close()
    assert addon.ids == [1]
    (end,) = addon.ends
    assert (end.frames, end.dropped, end.reason) == (3, 2, "detached")
    assert addon.closed == 1
    assert other.ids == [1, 2, 3, 4]


def test_detaching_frees_a_source_that_waits_for_the_addon():
    addon = Collector(queue=1)
    held_up(addon)
    source, bus = bus_of(addon)
    bus.begin(PRIMARY)
    thread = threading.Thread(target=source.give, args=(1, 2, 3, 4))
    thread.start()
    assert addon.at_work.wait(10)
    threading.Timer(0.05, addon.go_on.set).start()
    bus.detach(addon)
    thread.join(10)
    assert not thread.is_alive()
    bus.close()


def test_an_addon_that_comes_late_knows_what_it_missed():
    late = Collector()
    source, bus = bus_of()
    with bus:
        bus.begin(PRIMARY)
        source.give(1, 2)
        bus.attach(late)
        bus.attach(late)
        source.give(3)
        bus.end(3)
    assert late.ids == [3]
    assert late.frames[0].sequence == 2
    assert (late.ends[0].frames, late.ends[0].dropped) == (3, 2)


def test_an_addon_may_detach_itself():
    class Once(Collector):
        def frame(self, frame):
            super().frame(frame)
            bus.detach(self)

    addon = Once()
    source, bus = bus_of(addon)
    with bus:
        bus.begin(PRIMARY)
        source.give(1)
        bus.drain(10)
        source.give(2)
        bus.end(2)
    assert addon.ids == [1]
    assert addon.ends[0].reason == "detached"


@pytest.mark.parametrize("missing", ["raise", "log"])
def test_a_source_with_too_few_frames(missing, caplog):
    addon = Collector()
    source, bus = bus_of(addon, missing=missing)
    source.problem = FrameCountError("2 of 3 frames came.")
    bus.begin(PRIMARY)
    source.give(1, 2)
    if missing == "raise":
        with pytest.raises(FrameCountError, match="2 of 3"):
            bus.end(3)
    else:
        assert bus.end(3).reason == "2 of 3 frames came."
        assert "2 of 3" in caplog.text
    bus.close()
    (end,) = addon.ends
    assert (end.missing, end.reason, end.complete) == (1, "2 of 3 frames came.", False)


def test_closing_in_the_middle_ends_everything_and_raises_nothing(caplog):
    addon, bad = Collector(), Collector(fail_at=1)
    source, bus = bus_of(addon, bad)
    bus.begin(PRIMARY)
    source.give(1)
    source.problem = RuntimeError("no beam")
    bus.close()
    bus.close()
    assert addon.ids == [1]
    assert addon.ends[0].reason == "cut short: the experiment ended"
    assert "no beam" in caplog.text
    for call in (lambda: bus.begin(PRIMARY), lambda: bus.attach(Collector())):
        with pytest.raises(ConfigurationError, match="closed"):
            call()


@pytest.mark.slow
def test_closing_names_an_addon_that_hangs(caplog):
    free = threading.Event()
    addon = Collector()
    addon.frame = lambda _: free.wait(30)
    source, bus = bus_of(addon)
    bus.begin(PRIMARY)
    source.give(1)
    try:
        bus.close(timeout=1.2)
    finally:
        free.set()
    assert "Waiting for addon Collector, which is still at work" in caplog.text
    assert "its thread is left alone" in caplog.text


def test_what_is_no_addon_is_refused():
    with pytest.raises(ConfigurationError, match="has no begin, frame, end"):
        bus_of(object())
    with pytest.raises(ConfigurationError, match="missing='skip'"):
        bus_of(missing="skip")
    source, bus = bus_of()
    with pytest.raises(ConfigurationError, match="No acquisition is open"):
        bus.end(1)
    wrongs: tuple[Any, ...] = ({"policy": "skip"}, {"errors": "raise"}, {"queue": 0})
    for wrong in wrongs:
        with pytest.raises(ConfigurationError, match=next(iter(wrong))):
            Collector(**wrong)


@pytest.mark.parametrize("stored", [False, True])
def test_attaching_and_detaching_all_the_time_loses_count_of_nothing(stored):
    block, drop = Collector(queue=1), Collector(policy="drop", queue=1)
    source, bus = bus_of(block, drop, stored=stored)
    guests = [Collector(policy=policy, queue=2) for policy in ("block", "drop") * 20]
    acquisitions, frames = 5, 100

    def run():
        for number in range(acquisitions):
            bus.begin(StreamAbout("run", f"stream{number}", frames))
            source.give(*range(frames))
            bus.end(frames)

    thread = threading.Thread(target=run)
    thread.start()
    for guest in guests:
        bus.attach(guest)
        bus.detach(guest, timeout=0.001)
    thread.join(30)
    assert not thread.is_alive()
    bus.drain(30)
    bus.close()
    for addon in (block, drop, *guests):
        assert len(addon.ends) == len(addon.abouts)
        assert addon.closed == 1
        came = {about.stream: 0 for about in addon.abouts}
        for frame in addon.frames:
            came[frame.stream] += 1
        for end in addon.ends:
            assert came[end.about.stream] + end.dropped == end.frames
        for stream in came:
            sequences = [frame.sequence for frame in addon.frames if frame.stream == stream]
            assert sequences == sorted(set(sequences))
    assert [len(block.frames), sum(end.frames for end in drop.ends)] == [acquisitions * frames] * 2
