"""Frames out of the file that the IOC's HDF5 plugin writes."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import h5py
import numpy as np
import pytest

from adsupport.errors import AdsupportError, FrameCountError, WriterTimeoutError
from adsupport.imaging.frames.bus import FrameBus
from adsupport.imaging.frames.frame import StreamAbout
from adsupport.imaging.frames.growing import HDF5FileSource


@pytest.fixture
def source(camera):
    made = HDF5FileSource(f"{camera.prefix}HDF1:", f"{camera.prefix}cam1:", timeout=30)
    yield made
    made.close()


def contents_of(camera) -> tuple[np.ndarray, list[int]]:
    """Return pixels and ids of the only file."""
    (path,) = camera.folder.glob("*.h5")
    with h5py.File(path) as file:
        pixels: Any = file["entry/data/data"]
        ids: Any = file["entry/instrument/NDAttributes/NDArrayUniqueId"]
        return pixels[()], list(ids[()])


def test_a_finished_file_gives_pixels_ids_times_and_angles(camera, source, collector):
    angles = tuple(np.arange(5) * 36.0)
    before = time.time()
    with FrameBus(source, [collector]) as bus:
        bus.begin(StreamAbout("run", "primary", 5, {}, angles))
        camera.arm(5)
        camera.acquire(5)
        assert bus.end(5).complete
    pixels, ids = contents_of(camera)
    np.testing.assert_array_equal([frame.data for frame in collector.frames], pixels)
    assert len(set(map(bytes, pixels))) == 5
    assert [frame.unique_id for frame in collector.frames] == ids
    assert [frame.angle for frame in collector.frames] == list(angles)
    assert all(before - 1 < frame.timestamp < time.time() + 1 for frame in collector.frames)


def test_frames_come_while_a_swmr_file_grows(camera, source, collector):
    bus = FrameBus(source, [collector])
    bus.begin(StreamAbout("run", "primary", 6, {}, tuple(range(6))))
    camera.arm(6, swmr=True)
    camera.acquire(3)
    collector.wait(3)
    assert camera.get("HDF1:Capture_RBV") == 1  # the file is open
    camera.acquire(3)
    bus.end(6)
    bus.drain(20)
    bus.close()
    pixels, ids = contents_of(camera)
    np.testing.assert_array_equal([frame.data for frame in collector.frames], pixels)
    assert [frame.unique_id for frame in collector.frames] == ids
    assert [frame.angle for frame in collector.frames] == [0, 1, 2, 3, 4, 5]


def test_frames_lost_before_the_file_leave_a_gap_and_shift_no_angle(camera, source, collector):
    bus = FrameBus(source, [collector], missing="log")
    bus.begin(StreamAbout("run", "primary", 6, {}, tuple(range(6))))
    camera.arm(6, swmr=True)
    camera.acquire(2)
    collector.wait(2)
    camera.put("HDF1:EnableCallbacks", 0)
    camera.acquire(1)
    camera.put("HDF1:EnableCallbacks", 1)
    camera.acquire(3)
    camera.wait_for("HDF1:NumCaptured_RBV", lambda value: value == 5)
    camera.put("HDF1:Capture", 0)
    ended = bus.end(6)
    bus.drain(20)
    bus.close()
    assert (ended.missing, ended.frames) == (1, 5)
    first = collector.frames[0].unique_id
    assert [frame.unique_id - first for frame in collector.frames] == [0, 1, 3, 4, 5]
    assert [frame.angle for frame in collector.frames] == [0, 1, 3, 4, 5]


@pytest.mark.parametrize("swmr", [False, True])
def test_an_acquisition_in_several_files(camera, source, collector, swmr):
    """As when a new file is begun behind a lost frame, or the plan stages for each point."""
    with FrameBus(source, [collector], missing="log") as bus:
        bus.begin(StreamAbout("run", "primary", 6, {}, tuple(range(6))))
        for frames, lost in ((2, 1), (1, 0), (2, 0)):
            camera.arm(frames, swmr)
            camera.acquire(frames)
            camera.wait_for("HDF1:Capture_RBV", lambda value: value == 0)
            if lost:
                camera.put("HDF1:EnableCallbacks", 0)
                camera.acquire(lost)
                camera.put("HDF1:EnableCallbacks", 1)
        assert (bus.end(6).frames, len(list(camera.folder.glob("*.h5")))) == (5, 3)
    first = collector.frames[0].unique_id
    assert [frame.unique_id - first for frame in collector.frames] == [0, 1, 3, 4, 5]
    assert [frame.angle for frame in collector.frames] == [0, 1, 3, 4, 5]
    assert len({frame.data.tobytes() for frame in collector.frames}) == 5


def test_too_few_frames_are_told_with_file_and_numbers(camera, source, collector):
    with FrameBus(source, [collector]) as bus:
        bus.begin(StreamAbout("run", "flats", 4))
        camera.arm(4)
        camera.acquire(2)
        camera.wait_for("HDF1:NumCaptured_RBV", lambda value: value == 2)
        camera.put("HDF1:Capture", 0)
        with pytest.raises(FrameCountError, match=r"'flats': .*h5 holds 2 frames, and 4") as told:
            bus.end(4, timeout=20)
    assert (told.value.expected, told.value.got) == (4, 2)
    assert len(collector.frames) == 2
    assert collector.ends[0].missing == 2


def test_waiting_says_what_for(camera, source, collector):
    with FrameBus(source, [collector]) as bus:
        bus.begin(StreamAbout("run", "flats", 4))
        camera.arm(4)
        camera.acquire(2)
        camera.wait_for("HDF1:NumCaptured_RBV", lambda value: value == 2)
        with pytest.raises(
            WriterTimeoutError, match=r"0.2 s for frame 4 of stream 'flats'.*NumCaptured_RBV is 2"
        ):
            bus.end(4, timeout=0.2)


def test_one_source_follows_one_file_after_the_other(camera, source, collector):
    with FrameBus(source, [collector]) as bus:
        for stream, frames, swmr in (("darks", 2, False), ("flats", 3, True), ("primary", 4, True)):
            bus.begin(StreamAbout("run", stream, frames))
            camera.arm(frames, swmr)
            camera.acquire(frames)
            bus.end(frames)
    streams = [frame.stream for frame in collector.frames]
    assert streams == ["darks"] * 2 + ["flats"] * 3 + ["primary"] * 4
    with FrameBus(source, [collector]) as bus:  # another run
        bus.begin(StreamAbout("other", "darks", 1))
        camera.arm(1)
        camera.acquire(1)
        bus.end(1)
    assert collector.frames[-1].run_uid == "other"


@pytest.mark.parametrize("swmr", [False, True])
def test_an_unknown_number_of_frames_is_what_the_file_has_when_it_is_finished(
    camera, source, collector, swmr
):
    with FrameBus(source, [collector]) as bus, ThreadPoolExecutor(1) as pool:
        bus.begin(StreamAbout("run", "primary"))
        camera.arm(5, swmr)
        camera.acquire(2)
        ending = pool.submit(bus.end)
        camera.acquire(3)
        ended = ending.result(20)
    assert (ended.expected, ended.complete) == (5, True)
    assert len(collector.frames) == 5


def test_a_file_that_is_never_finished_is_told(camera, source, collector):
    bus = FrameBus(source, [collector])
    bus.begin(StreamAbout("run", "primary"))
    camera.arm(10)
    camera.acquire(2)
    with pytest.raises(WriterTimeoutError, match=r"for the last frame.*Capture_RBV is 1"):
        bus.end(timeout=0.3)
    bus.close()


def test_an_acquisition_that_is_cut_short_hands_on_what_there_is(camera, source, collector):
    bus = FrameBus(source, [collector])
    bus.begin(StreamAbout("run", "primary", 10))
    camera.arm(10, swmr=True)
    camera.acquire(2)
    collector.wait(2)
    bus.end(cut_short="the beam went")
    bus.close()
    assert len(collector.frames) == 2
    assert collector.ends[0].reason == "cut short: the beam went"


def test_a_reader_that_comes_late_finds_the_file_of_a_capture_that_nobody_saw(
    camera, source, collector
):
    camera.arm(3)
    camera.acquire(1)
    camera.wait_for("HDF1:NumCaptured_RBV", lambda value: value == 1)
    with FrameBus(source, [collector]) as bus:
        bus.begin(StreamAbout("run", "primary", 3))
        camera.acquire(2)
        bus.end(3)
    assert len(collector.frames) == 3


def test_a_dead_ioc_is_told(adsupport_ioc_factory, tmp_path, collector):
    from .conftest import Camera

    with adsupport_ioc_factory("imaging_beamline") as ioc:
        own = Camera(ioc.prefix, tmp_path)
        own.prepare()
        source = HDF5FileSource(f"{ioc.prefix}HDF1:", f"{ioc.prefix}cam1:", timeout=30)
        bus = FrameBus(source, [collector])
        bus.begin(StreamAbout("run", "primary", 3))
        own.arm(3)
        own.acquire(1)
        ioc.stop()
        with pytest.raises(AdsupportError, match="isn't connected any more"):
            bus.end(3, timeout=20)
        bus.close()
