"""Frames over pvAccess and Channel Access."""

from __future__ import annotations

import time
from typing import Any

import h5py
import numpy as np
import pytest

from adsupport.devices.signals.monitors import Monitors
from adsupport.errors import ConfigurationError, ConnectionTimeoutError
from adsupport.imaging.frames.bus import FrameBus
from adsupport.imaging.frames.ca import CASource
from adsupport.imaging.frames.frame import StreamAbout
from adsupport.imaging.frames.pva import PVASource, understood

ANGLES = (0.0, 45.0, 90.0, 135.0)


@pytest.fixture
def pva(camera):
    pytest.importorskip("p4p")
    camera.put("Pva1:EnableCallbacks", 1)
    made = PVASource(f"{camera.prefix}Pva1:", f"{camera.prefix}cam1:", settle=2.0, timeout=30)
    yield made
    made.close()
    camera.put("Pva1:EnableCallbacks", 0)


@pytest.fixture
def ca(camera):
    camera.put("image1:EnableCallbacks", 1)
    made = CASource(f"{camera.prefix}image1:", settle=2.0, timeout=30)
    yield made
    made.close()
    camera.put("image1:EnableCallbacks", 0)


def pixels_of(camera) -> np.ndarray:
    (path,) = camera.folder.glob("*.h5")
    with h5py.File(path) as file:
        pixels: Any = file["entry/data/data"]
        return pixels[()]


def test_pva_gives_pixels_ids_times_and_angles(camera, pva, collector):
    camera.put("cam1:AcquireTime", 0.05)
    before = camera.get("cam1:ArrayCounter_RBV")
    began = time.time()
    with FrameBus(pva, [collector]) as bus:
        bus.begin(StreamAbout("run", "primary", 4, {}, ANGLES))
        camera.arm(4)
        camera.acquire(4)
        assert bus.end(4).complete
    camera.wait_for("HDF1:Capture_RBV", lambda value: value == 0)
    np.testing.assert_array_equal([frame.data for frame in collector.frames], pixels_of(camera))
    assert [frame.unique_id for frame in collector.frames] == list(range(before + 1, before + 5))
    assert [frame.angle for frame in collector.frames] == list(ANGLES)
    assert all(began - 1 < frame.timestamp < time.time() + 1 for frame in collector.frames)
    assert collector.frames[0].data.dtype == np.uint16


def test_pva_loses_frames_that_never_reach_it_and_shifts_no_angle(camera, pva, collector):
    with FrameBus(pva, [collector]) as bus:
        bus.begin(StreamAbout("run", "primary", 3, {}, ANGLES))
        camera.acquire(1)
        collector.wait(1)
        camera.put("Pva1:EnableCallbacks", 0)
        camera.acquire(1)
        camera.put("Pva1:EnableCallbacks", 1)
        camera.acquire(1)
        ended = bus.end(3)
    assert (ended.frames, ended.missing) == (2, 1)
    assert [frame.angle for frame in collector.frames] == [0.0, 90.0]


def test_a_source_can_be_used_again_after_its_bus_was_closed(camera, pva, ca, collector):
    for source in (pva, ca):
        for run in ("a", "b"):
            with FrameBus(source, [collector]) as bus:
                bus.begin(StreamAbout(run, "primary", 1))
                camera.acquire(1)
                assert bus.end(1).complete
    assert [frame.run_uid for frame in collector.frames] == ["a", "b", "a", "b"]


def test_a_source_that_could_not_connect_does_so_next_time(camera, ca, collector, monkeypatch):
    ca.close()
    with monkeypatch.context() as patched:
        patched.setattr(ca, "_timeout", 0.0)
        patched.setattr(Monitors, "_noting", lambda *_: lambda **_: None)  # a deaf one
        with pytest.raises(ConnectionTimeoutError, match=r"image1:\w+ sent no value"):
            ca.begin(StreamAbout("a", "primary", 1), lambda arrival: None)
    with FrameBus(ca, [collector]) as bus:
        bus.begin(StreamAbout("b", "primary", 1))
        camera.acquire(1)
        assert bus.end(1).complete


def test_a_frame_from_between_two_acquisitions_belongs_to_none(camera, pva, collector):
    with FrameBus(pva, [collector]) as bus:
        for stream in ("darks", "flats"):
            camera.acquire(1)  # somebody looks whether there is beam
            bus.begin(StreamAbout("run", stream, 1))
            camera.acquire(1)
            bus.end(1)
    ids = [frame.unique_id for frame in collector.frames]
    assert [frame.stream for frame in collector.frames] == ["darks", "flats"]
    assert ids[1] == ids[0] + 2


def test_compressed_images_are_refused():
    pytest.importorskip("p4p")
    from p4p import Value
    from p4p.nt import NTNDArray

    value = Value(NTNDArray.buildType(), {"codec": {"name": "blosc"}})
    with pytest.raises(ConfigurationError, match=r"im:Pva1:Image has images compressed by blosc"):
        understood(value, "im:Pva1:Image")


def test_a_pva_image_that_nobody_serves():
    pytest.importorskip("p4p")
    with pytest.raises(ConnectionTimeoutError, match="nowhere:Pva1:Image isn't served"):
        PVASource("nowhere:Pva1:", timeout=0.2)


def test_ca_gives_pixels_cast_as_the_record_has_them(camera, ca, collector):
    camera.put("cam1:AcquireTime", 0.1)
    with FrameBus(ca, [collector]) as bus:
        bus.begin(StreamAbout("run", "primary", 3, {}, ANGLES))
        camera.arm(3)
        camera.acquire(3)
        assert bus.end(3).complete
    camera.wait_for("HDF1:Capture_RBV", lambda value: value == 0)
    expected = pixels_of(camera)
    assert expected.dtype == np.uint16
    np.testing.assert_array_equal(
        [frame.data.astype(np.uint8) for frame in collector.frames], expected.astype(np.uint8)
    )
    frame = collector.frames[0]
    assert (frame.unique_id, frame.angle, frame.timestamp) == (None, None, None)


def test_ca_waits_a_moment_for_frames_that_do_not_come(camera, ca, collector):
    with FrameBus(ca, [collector]) as bus:
        bus.begin(StreamAbout("run", "primary", 3))
        camera.acquire(1)
        ended = bus.end(3)
    assert (ended.frames, ended.missing) == (1, 2)
