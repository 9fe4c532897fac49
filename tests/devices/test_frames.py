"""Frames that get lost for real, and frames that only take their time."""

from __future__ import annotations

from typing import Any

import bluesky.plans as bp
import epics
import h5py
import pytest
from bluesky.utils import FailedStatus

from adsupport.devices import AD_full_file_name_local, ensure_AD_plugin_primed
from adsupport.errors import DroppedFramesError, FileWriteError, FrameCountError
from adsupport.plans import prepare_count


@pytest.fixture
def slow_writer(det: Any) -> Any:
    """A writer that is slower than the camera: it compresses noise."""
    det.cam.sim_mode.set(3, timeout=5).wait()
    det.cam.noise.set(200.0, timeout=5).wait()
    ensure_AD_plugin_primed(det.hdf1, True)
    yield det
    det.cam.noise.set(0.0, timeout=5).wait()
    det.cam.sim_mode.set(0, timeout=5).wait()


def test_an_overflowing_queue_fails_the_run_with_plugin_and_numbers(
    engine: Any, documents: Any, slow_writer: Any, unchanged: Any
) -> None:
    slow_writer.hdf1.queue_size.set(2, timeout=5).wait()
    engine(prepare_count(slow_writer.hdf1, "noise", 0.001, 0.001, 40, compression="zlib"))
    with unchanged(slow_writer), pytest.raises(FailedStatus) as caught:
        engine(bp.count([slow_writer]))
    error = caught.value.__cause__
    assert isinstance(error, DroppedFramesError)
    (report,) = slow_writer.frame_reports
    lost, written = report.dropped["det_hdf1"], report.written["det_hdf1"]
    assert report.taken == 40
    assert lost > 0
    assert lost + written == 40
    assert f"{lost} of 40 frames were dropped" in str(error)
    assert str(error).count("Missing unique ids: ") == 1
    assert documents.of("stop")[0]["exit_status"] == "fail"
    assert not documents.of("event")


def test_a_slow_writer_that_keeps_up_raises_no_alarm(engine: Any, slow_writer: Any) -> None:
    engine(prepare_count(slow_writer.hdf1, "noise", 0.001, 0.001, 8, compression="zlib"))
    engine(bp.count([slow_writer], num=4))
    assert all(report.problems == () for report in slow_writer.frame_reports)
    with h5py.File(AD_full_file_name_local(slow_writer.hdf1)) as file:
        assert file["entry/data/data"].shape[0] == 32


def test_frames_of_another_size_are_a_write_error(engine: Any, det: Any, unchanged: Any) -> None:
    engine(prepare_count(det.hdf1, "size", 0.001, 0.002, 2))
    with unchanged(det):
        det.stage()
        det.trigger().wait(10)
        det.cam.size.size_x.set(512, timeout=5).wait()
        with pytest.raises(FileWriteError, match=r"HDF1:WriteStatus.*Invalid frame"):
            det.trigger().wait(10)
        det.unstage()


def test_a_first_frame_of_another_size_ends_the_capture(
    engine: Any, det: Any, unchanged: Any
) -> None:
    engine(prepare_count(det.hdf1, "size", 0.001, 0.002, 2))
    with unchanged(det):
        det.stage()
        det.cam.size.size_x.set(512, timeout=5).wait()
        with pytest.raises(
            FrameCountError, match="wrote 0 frames.*The first frame could not be written"
        ):
            det.trigger().wait(10)
        det.unstage()


def test_a_disabled_source_starves_the_writer(engine: Any, det: Any) -> None:
    engine(prepare_count(det.hdf1, "starved", 0.001, 0.002, 2))
    det.stage()
    det.cam.array_callbacks.set(0, timeout=5).wait()
    with pytest.raises(FrameCountError, match="wrote 0 frames, expected 2"):
        det.trigger().wait(10)
    det.unstage()
    assert det.hdf1.capture.get() == 0


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [
        ("DataType", 0, "UInt8 Mono to Int8 Mono"),
        ("ColorMode", 1, "UInt8 Mono to UInt8 RGB1"),
    ],
)
def test_frames_that_only_another_client_knows_to_be_different_are_a_write_error(
    engine: Any, det: Any, unchanged: Any, setting: str, value: int, words: str
) -> None:
    """They are as large as the others, so the file plugin takes them."""
    engine(prepare_count(det.hdf1, "kind", 0.001, 0.002, 2))
    pv = f"{det.cam.prefix}{setting}"
    before = epics.caget(pv)

    def somebody_else(name: str, _: dict[str, Any]) -> None:
        if name == "event":
            epics.caput(pv, value, wait=True)

    token = engine.subscribe(somebody_else)
    try:
        with unchanged(det), pytest.raises(FailedStatus) as caught:
            engine(bp.count([det], num=3))
    finally:
        engine.unsubscribe(token)
        epics.caput(pv, before, wait=True)
    error = caught.value.__cause__
    assert isinstance(error, FileWriteError)
    assert "HDF1:DataType_RBV" in str(error)
    assert words in str(error)
