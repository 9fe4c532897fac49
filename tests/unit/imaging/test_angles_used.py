"""Planned angles of a flight, and what the run recorded when it was over."""

from __future__ import annotations

import logging

import h5py
import numpy as np
import pytest

from adsupport.imaging import DirectoryWalker, equal_angles
from adsupport.imaging.addons import OnlineReconstruction
from adsupport.imaging.frames.bus import FrameBus
from adsupport.imaging.frames.replay import play
from adsupport.imaging.frames.saved_events import EventWatch

from .made_frames import MadeSource
from .made_tomography import CENTRE, MadeTomography

PLANNED = equal_angles(60, 180)  # 3 degrees from one to the next


@pytest.fixture
def made() -> MadeTomography:
    return MadeTomography(PLANNED)


def flown(made, walker, recorded) -> OnlineReconstruction:
    """Take the projections as in a flight: what the run recorded comes when it is over."""
    addon, source = OnlineReconstruction(centre=CENTRE, walker=walker, files="hdf5"), MadeSource()
    with FrameBus(source, [addon]) as bus:
        for acquisition in made.acquisitions(angle=None):
            about = acquisition.about
            bus.begin(about)
            for arrival in acquisition.frames():
                source._take(arrival)
            bus.end(about.expected, angles=recorded if about.stream == "primary" else ())
    return addon


@pytest.mark.parametrize("slower, wrong", [(1.005, False), (1.048, True)])
def test_planned_angles_are_compared_with_the_recorded_ones(made, tmp_path, caplog, slower, wrong):
    recorded = PLANNED * slower
    recorded[3] = np.nan
    with caplog.at_level(logging.WARNING, "adsupport"):
        addon = flown(made, DirectoryWalker(tmp_path), recorded.tolist())
    off = PLANNED[-1] * (slower - 1)
    assert addon.result.facts["angles_off_degrees"] == pytest.approx(off)
    (path,) = addon.written
    with h5py.File(path) as file:
        parameters = file["entry/reconstruction/parameters"]
        assert parameters["angles_from"][()] == b"planned"
        assert parameters["angles"].attrs["from"] == "planned"
        assert parameters["angles_off_degrees"][()] == pytest.approx(off)
        assert bool(parameters["angles_off"][()]) is wrong
    said = f"up to {off:.2f} degrees off, more than half a step (1.50)" in caplog.text
    assert said is wrong and ("adsupport reconstruct" in caplog.text) is wrong


def test_planned_angles_that_nobody_measured_are_told(made, tmp_path, caplog):
    with caplog.at_level(logging.INFO, "adsupport"):
        addon = flown(made, DirectoryWalker(tmp_path), ())
    assert addon.result.facts["angles_from"] == "planned"
    assert "angles_off" not in addon.result.facts
    assert "nobody has told measured ones" in caplog.text


def test_angles_of_the_source_and_of_the_user_are_told(made):
    for angles, told in ((None, "recorded"), (PLANNED, "given")):
        addon = OnlineReconstruction(centre=CENTRE, angles=angles)
        known = {} if angles is None else {"angle": None}
        play(made.acquisitions(planned=False, **known), [addon])
        assert addon.result.facts["angles_from"] == told


@pytest.mark.parametrize("units, factor", [("deg", 1.0), ("rad", 180 / np.pi)])
def test_events_tell_the_angles_of_their_frames(units, factor):
    start = {"hints": {"dimensions": [[["stage_frames"], "primary"]]}}
    watch = EventWatch(lambda *event: None, start)
    keys = {"stage_frames": {"units": units}, "height_frames": {"units": "mm"}}
    watch("descriptor", {"uid": "a", "name": "primary", "data_keys": keys})
    watch("event", {"descriptor": "a", "data": {"stage_frames": [1.0, 2.5], "height_frames": 9}})
    assert watch.take("darks", 2) == (2, ())
    assert watch.take("primary", 2)[1] == pytest.approx((factor, 2.5 * factor))
    assert watch.take("primary", 2)[1] == ()  # of the next acquisition
    for angle in (3.0, 4.0):  # step by step: two frames at each
        watch("event", {"descriptor": "a", "data": {"stage_frames": angle}})
    wanted = np.array([3.0, 3.0, 4.0, 4.0]) * factor
    assert watch.take("primary", 4)[1] == pytest.approx(wanted.tolist())
    watch("event", {"descriptor": "a", "data": {"stage_frames": [1.0, 2.0, 3.0]}})
    assert watch.take("primary", 2)[1] == ()  # who knows which


@pytest.mark.parametrize("hints", [None, {}, {"dimensions": 3}, {"dimensions": [3]}])
def test_a_run_that_names_no_rotation_tells_no_angles(hints):
    watch = EventWatch(lambda *event: None, {"hints": hints})
    watch("descriptor", {"uid": "a", "name": "primary", "data_keys": {"x": {"units": "deg"}}})
    watch("event", {"descriptor": "a", "data": {"x": 1.0}})
    assert watch.take("primary", 1)[1] == ()
