"""The model: which image, which limits, how many frames."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from adsupport.errors import ConfigurationError
from adsupport.imaging.frames.bus import FrameBus
from adsupport.imaging.frames.frame import Frame, StreamAbout, StreamEnd
from adsupport.imaging.view import Limits, LiveView, picture
from adsupport.imaging.view.counts import FrameCounts
from adsupport.imaging.view.model import ViewModel

from ..made_frames import MadeSource


def picture_of(model: ViewModel, channel: str = "camera"):
    found = model.picture(channel)
    assert found is not None
    return found


def ramp(high: float) -> np.ndarray:
    return np.linspace(0, high, 10_000).reshape(100, 100)


def test_the_latest_image_of_each_channel_is_shown():
    model = ViewModel()
    for number in range(3):
        model.put("camera", np.full((2, 3), number))
    model.put("slice z", np.ones((4, 4)))
    assert model.channels == ("camera", "slice z")
    assert (picture_of(model).pixels == 2).all() and picture_of(model).number == 3
    assert picture_of(model, "slice z").shape == (4, 4)
    assert model.picture("other") is None


def test_images_are_not_copied():
    image = np.zeros((5, 5))
    view = LiveView()
    view.show_image("slice x", image)
    assert picture_of(view.model, "slice x").pixels is image


def test_automatic_limits_are_kept_through_an_acquisition():
    model = ViewModel()
    model.begin("camera")
    model.put("camera", ramp(100))
    first = model.limits_of(picture_of(model))
    assert first == pytest.approx((0.1, 99.9), abs=0.02)
    model.put("camera", ramp(1000))
    assert model.limits_of(picture_of(model)) == first
    model.begin("camera")
    model.put("camera", ramp(1000))
    assert model.limits_of(picture_of(model)) == pytest.approx((1, 999), abs=0.2)


def test_automatic_limits_begin_anew_with_another_shape_and_after_a_break():
    model = ViewModel()
    model.put("camera", ramp(100))
    model.put("camera", ramp(10)[:50])
    assert model.limits_of(picture_of(model))[1] < 6
    model.link(False, "gone")
    model.link(True)
    model.put("camera", ramp(50)[:50])
    assert 20 < model.limits_of(picture_of(model))[1] < 26


def test_other_limits():
    model = ViewModel(Limits.of((3, 7)))
    model.put("camera", ramp(100))
    assert model.limits_of(picture_of(model)) == (3, 7)
    found = model.limits_of(picture_of(model), Limits("percentile", 10, 90))
    assert found == pytest.approx((10, 90), abs=0.02)


def test_who_waits_is_told_once_and_at_once_of_what_came_before():
    model = ViewModel()
    told: list[int] = []
    model.when_changed(model.version, lambda: told.append(1))
    model.put("camera", ramp(1))
    model.put("camera", ramp(1))
    assert told == [1]
    model.when_changed(model.version - 1, lambda: told.append(2))
    assert told == [1, 2]
    waiting = lambda: told.append(3)  # noqa: E731
    model.when_changed(model.version, waiting)
    model.forget(waiting)
    model.put("camera", ramp(1))
    assert told == [1, 2]


def test_an_image_that_cannot_be_shown_is_told_of_until_the_next():
    model = ViewModel()
    model.begin("camera", "primary")
    model.put("camera", ramp(1))
    with pytest.raises(ConfigurationError, match=r"shape \(0, 3\)"):
        model.put("camera", np.zeros((0, 3)))
    assert "(0, 3)" in model.status("camera") and picture_of(model).number == 1
    model.put("camera", ramp(1))
    assert model.status("camera") == "primary"


def test_there_is_an_end_to_channels():
    model = ViewModel()
    for number in range(100):
        model.put(f"slice {number}", np.ones((1, 1)))
    assert len(model.channels) == 64


def test_many_threads_give_and_take():
    model = ViewModel()
    errors: list[Exception] = []

    def work(channel: str) -> None:
        try:
            for number in range(200):
                model.put(channel, np.full((8, 8), number), unique_id=number)
                for each in model.channels:
                    found = model.picture(each)
                    assert found is None or found.histogram().counts.sum() == 64
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert all(model.counts(name)["taken"] == 200 for name in "abcd")


# --- counts


def noted(*frames: tuple[int, int]) -> FrameCounts:
    counts = FrameCounts()
    for moment, (sequence, unique_id) in enumerate(frames):
        counts.note(0.1 * moment, sequence, unique_id)
    return counts


def test_skipped_frames_are_not_lost_ones():
    counts = noted((0, 1), (1, 2), (4, 5), (5, 8))
    assert (counts.taken, counts.skipped, counts.lost) == (6, 2, 2)


def test_an_ioc_that_starts_anew_has_lost_nothing():
    counts = noted((0, 100), (1, 101), (2, 1), (3, 2))
    assert counts.lost == 0


def test_frames_between_acquisitions_are_not_lost():
    counts = noted((0, 1), (1, 2))
    counts.begin()
    counts.note(1.0, 0, 50)
    counts.note(1.1, 1, 52)
    assert counts.lost == 1


def test_frames_without_ids_can_tell_nothing_of_lost_ones():
    counts = FrameCounts()
    assert (counts.lost, counts.age(3.0)) == (None, None)
    counts.note(1.0, 0)
    counts.note(1.5, 1)
    assert (counts.lost, counts.age(9.0)) == (None, 7.5)
    counts.note(2.0, 2, 7)
    assert counts.lost == 0


def test_the_rate_is_that_of_the_source_and_falls_when_nothing_comes():
    counts = FrameCounts()
    for number in range(30):  # every other one is skipped
        counts.note(0.2 * number, 2 * number, None)
    assert counts.rate(5.8) == pytest.approx(10)
    assert counts.rate(7.8) == pytest.approx(1 / 2)
    assert counts.rate(8.9) == 0
    assert FrameCounts().rate(1.0) == 0


# --- the addon


def test_frames_of_a_bus_are_shown_and_none_holds_it_up():
    view, source = LiveView(), MadeSource()
    assert (view.policy, view.queue, view.errors) == ("drop", 1, "isolate")
    with FrameBus(source, [view]) as bus:
        bus.begin(StreamAbout("run", "flats", 3))
        source.give(7, 8, 11)
        bus.end(3)
        bus.drain()
    found = picture_of(view.model)
    assert (found.pixels == 11).all()
    assert found.facts["stream"] == "flats" and found.facts["unique_id"] == 11
    assert view.model.status("camera") == "flats is over: 3 frames"


def test_a_frame_that_cannot_be_shown_is_no_error_of_the_addon():
    view = LiveView()
    view.frame(Frame(np.zeros((2, 2), "c8"), "primary", 0))
    assert "complex64" in view.model.status("camera")
    view.frame(Frame(np.array(None), "primary", 1))  # a server without an image
    view.frame(Frame(np.ones((2, 2)), "primary", 2))
    assert picture_of(view.model).number == 1


def test_how_an_acquisition_ended_is_told():
    view = LiveView()
    about = StreamAbout("run", "primary", 5)
    view.begin(about)
    assert view.model.status("camera") == "primary, 5 frames"
    view.end(StreamEnd(about, 5, 3, reason="cut short"))
    assert view.model.status("camera") == "primary is over: 3 frames, 2 missing; cut short"
    view.show_image("slice z", np.ones((2, 2)))
    assert (view.model.status("slice z"), view.model.acquisition[:15]) == ("", "primary is over")


def test_limits_that_cannot_be_are_refused_at_once():
    with pytest.raises(ConfigurationError, match="limits"):
        LiveView(limits="bright")


@pytest.mark.parametrize("name", ["", "x" * 201, 5, None, ["a"], "a\nb", "\ud800"])
def test_what_is_no_name_of_a_channel(name):
    view = LiveView()
    with pytest.raises(ConfigurationError, match=r"channel=.*: expected a text of 1 to 200"):
        view.show_image(name, np.ones((2, 2)))
    assert view.model.channels == ()
    with pytest.raises(ConfigurationError, match="channel="):
        LiveView(channel=name)


def test_more_channels_than_there_is_room_for_are_told_of_once(caplog):
    view = LiveView()
    for number in range(200):
        view.show_image(f"a/b {number}", np.ones((2, 2)))
    assert len(view.model.channels) == 64
    assert [each.getMessage() for each in caplog.records] == [
        "A view has 64 channels at most: 'a/b 64' isn't shown."
    ]


def test_a_colour_image_is_computed_when_somebody_looks(monkeypatch):
    asked: list[int] = []
    real = picture.brightness
    monkeypatch.setattr(picture, "brightness", lambda image: asked.append(1) or real(image))
    model = ViewModel()
    for _ in range(5):
        model.put("camera", np.full((4, 5, 3), 7, np.uint8))
    assert len(asked) == 1  # for the limits
    found = picture_of(model)
    assert found.shape == (4, 5) and (found.pixels == 7).all()
    assert len(asked) == 2
