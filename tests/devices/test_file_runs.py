"""File plugins while a run goes on, and at its end."""

from __future__ import annotations

import pathlib
from typing import Any

import bluesky.plans as bp
import h5py
import numpy as np
import pytest
from area_detector_handlers.handlers import (
    AreaDetectorHDF5Handler,
    AreaDetectorHDF5SingleHandler,
)
from bluesky.utils import FailedStatus
from ophyd.device import Staged

from adsupport.devices.signals.reading import wait_for
from adsupport.errors import (
    ConfigurationError,
    FileWriteError,
    FrameCountError,
    NamingError,
    PluginBusyError,
)
from adsupport.plans import prepare_count


def test_a_capture_that_somebody_stops_is_an_error_at_the_next_point(det: Any) -> None:
    det.stage()
    det.trigger().wait(10)
    det.hdf1.capture.set(0, timeout=5).wait()
    with pytest.raises(FileWriteError, match="isn't capturing any more after 1 frame:"):
        det.trigger()
    det.unstage()


def test_another_file_begun_by_somebody_is_an_error_of_the_point_that_went_there(
    det: Any, engine: Any
) -> None:
    engine(prepare_count(det.hdf1, "mine", 0.001, 0.002))
    det.stage()
    det.hdf1.capture.set(0, timeout=5).wait()
    det.hdf1.capture.put(1)
    assert wait_for(lambda: det.hdf1.capture.get() == 1, 5)
    with pytest.raises(FileWriteError, match=r"FullFileName_RBV is .*mine_0001.*mine_0000"):
        det.trigger().wait(10)
    det.unstage()


def test_the_second_of_two_detectors_that_share_a_plugin_is_told(
    adsim: Any, make_detector: Any, det: Any, engine: Any
) -> None:
    other = make_detector(adsim)
    engine(prepare_count(det.hdf1, "shared", 0.001, 0.002))
    with pytest.raises(PluginBusyError, match="ad:HDF1:Capture_RBV is Capturing.*shared_0000"):
        engine(bp.count([det, other]))
    assert not det.cam.acquire.get() and not det.hdf1.capture.get()
    engine(bp.count([other]))


def test_a_client_that_comes_second_disturbs_nothing(
    adsim: Any, make_detector: Any, det: Any, engine: Any
) -> None:
    other = make_detector(adsim)
    engine(prepare_count(det.hdf1, "first", 0.001, 0.002, 3))
    det.stage()
    det.trigger().wait(10)
    det.cam.acquire_time.put(0.5)
    status = det.trigger()
    with pytest.raises(PluginBusyError):
        other.stage()
    assert det.cam.acquire.get() == 1
    status.wait(20)
    det.unstage()
    assert det.hdf1.file_report.got == 6


def test_an_interrupt_while_a_plugin_is_staged_leaves_nothing_staged(
    det: Any, unchanged: Any, engine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*args: Any, **kwargs: Any) -> None:
        raise KeyboardInterrupt

    with unchanged(det):
        with monkeypatch.context() as patch:
            patch.setattr(det.hdf1, "stage", interrupt)
            with pytest.raises(KeyboardInterrupt):
                det.stage()
        assert det._staged == Staged.no
    engine(bp.count([det]))


def test_frames_between_the_points_are_found_out_at_the_end(
    det: Any, unchanged: Any, engine: Any
) -> None:
    det.cam.image_mode.set("Single", timeout=5).wait()
    with unchanged(det):
        det.stage()
        det.trigger().wait(10)
        det.cam.acquire.put(1)
        assert wait_for(lambda: det.hdf1.num_captured.get() == 2, 5)
        with pytest.raises(FrameCountError, match="holds 2 frames, expected 1"):
            det.unstage()
    engine(bp.count([det]))  # nothing is left half staged


def test_a_changed_number_of_images_during_a_run_is_refused(det: Any) -> None:
    det.stage()
    det.cam.num_images.set(4, timeout=5).wait()
    with pytest.raises(ConfigurationError, match="staged for 1 frame a point.*4"):
        det.trigger()
    det.unstage()


def test_after_a_torn_point_the_run_goes_on_in_another_file(det: Any, disk: pathlib.Path) -> None:
    det.cam.num_images.set(20, timeout=5).wait()
    det.cam.acquire_time.set(0.05, timeout=5).wait()
    det.cam.acquire_period.set(0.05, timeout=5).wait()
    det.stage()
    det.trigger()
    assert wait_for(lambda: det.hdf1.num_captured.get() > 2, 5)
    det.pause()
    det.cam.acquire_time.set(0.001, timeout=5).wait()
    det.cam.acquire_period.set(0.001, timeout=5).wait()
    det.trigger().wait(10)
    documents = list(det.collect_asset_docs())
    det.unstage()
    resources = [d for kind, d in documents if kind == "resource"]
    datums = [d for kind, d in documents if kind == "datum"]
    assert len(resources) == 2
    assert datums[-1]["resource"] == resources[-1]["uid"]
    assert datums[-1]["datum_kwargs"] == {"point_number": 0}
    with h5py.File("/" + resources[-1]["resource_path"]) as file:
        assert file["entry/data/data"].shape[0] == 20


def test_a_point_taken_again_before_its_first_frame_keeps_its_place(det: Any) -> None:
    det.cam.num_images.set(2, timeout=5).wait()
    det.stage()
    det.trigger().wait(10)
    det.cam.acquire_time.set(20.0, timeout=5).wait()
    det.trigger()
    assert wait_for(lambda: det.cam.acquire.get() == 1, 5)
    det.pause()
    det.cam.acquire_time.set(0.001, timeout=5).wait()
    for _ in range(2):
        det.trigger().wait(10)
    documents = list(det.collect_asset_docs())
    det.unstage()
    points = [d["datum_kwargs"]["point_number"] for kind, d in documents if kind == "datum"]
    assert points == [0, 1, 1, 2]
    (resource,) = [d for kind, d in documents if kind == "resource"]
    with h5py.File("/" + resource["resource_path"]) as file:
        assert file["entry/data/data"].shape[0] == 6


def test_a_capture_left_on_by_a_session_that_died_is_ended_by_hand(det: Any) -> None:
    det.hdf1.file_write_mode.set("Stream", timeout=5).wait()
    det.hdf1.enable.set(1, timeout=5).wait()
    det.hdf1.num_capture.set(0, timeout=5).wait()
    det.hdf1.capture.put(1)
    assert wait_for(lambda: det.hdf1.capture.get() == 1, 5)
    with pytest.raises(PluginBusyError, match=r"image_0000.h5.*det.hdf1.capture.put\(0\)"):
        det.stage()
    assert det.hdf1.capture.get() == 1
    det.hdf1.capture.put(0)
    assert wait_for(lambda: det.hdf1.capture.get() == 0, 5)
    det.stage()
    assert det.hdf1.full_file_name.get().endswith("image_0001.h5")
    det.unstage()


def test_a_setting_that_is_refused_is_named_and_the_others_restored(
    det: Any, unchanged: Any
) -> None:
    from adsupport.errors import PutError

    det.hdf1.put_timeout = 1.0
    det.hdf1.stage_sigs["file_number"] = -(2**31) - 5
    det.hdf1.stage_sigs.move_to_end("capture")
    with unchanged(det), pytest.raises((PutError, ConfigurationError, OverflowError)):
        det.stage()


@pytest.mark.parametrize("mode", ["Single", "Capture"])
def test_modes_that_write_only_when_asked_need_auto_save(
    det: Any, unchanged: Any, mode: str
) -> None:
    det.hdf1.stage_sigs["file_write_mode"] = mode
    with unchanged(det), pytest.raises(ConfigurationError, match="ad:HDF1:AutoSave"):
        det.stage()


def test_single_mode_writes_one_file_a_frame(engine: Any, documents: Any, det: Any) -> None:
    det.hdf1.stage_sigs["file_write_mode"] = "Single"
    det.hdf1.auto_save.set("Yes", timeout=5).wait()
    det.cam.num_images.set(2, timeout=5).wait()
    det.hdf1.file_number.set(1, timeout=5).wait()
    engine(bp.count([det], num=2))
    (resource,) = documents.of("resource")
    assert resource["spec"] == "AD_HDF5_SINGLE"
    kwargs = resource["resource_kwargs"]
    assert kwargs["frame_per_point"] == 2
    # The number is raised to a multiple of the frames per point: that's where readers look.
    numbers = [d["datum_kwargs"]["point_number"] for d in documents.of("datum")]
    assert numbers == [1, 2]
    reader = AreaDetectorHDF5SingleHandler("/" + resource["resource_path"], **kwargs)
    frames = [reader(**d["datum_kwargs"]) for d in documents.of("datum")]
    # A ramp that moves on by one from frame to frame: none is missing, none is there twice.
    first = [int(frame[0, 0]) for point in frames for frame in point]
    assert np.diff(np.array(first, np.uint8)).tolist() == [1, 1, 1]


def _use_capture_mode(det: Any, num_capture: int) -> None:
    det.hdf1.auto_save.set("Yes", timeout=5).wait()
    det.hdf1.stage_sigs["file_write_mode"] = "Capture"
    det.hdf1.stage_sigs["num_capture"] = num_capture
    det.hdf1.stage_sigs.move_to_end("capture")


def test_capture_mode_writes_all_frames_at_the_end(engine: Any, documents: Any, det: Any) -> None:
    _use_capture_mode(det, 6)
    det.cam.num_images.set(3, timeout=5).wait()
    engine(bp.count([det], num=2))
    (resource,) = documents.of("resource")
    reader = AreaDetectorHDF5Handler("/" + resource["resource_path"], **resource["resource_kwargs"])
    points = [reader(**d["datum_kwargs"]).shape for d in documents.of("datum")]
    assert points == [(3, 1024, 1024)] * 2


def test_frames_left_in_the_iocs_memory_are_an_error(
    engine: Any, det: Any, unchanged: Any, disk: pathlib.Path
) -> None:
    # The IOC drops them without a word: there's no file at all.
    _use_capture_mode(det, 10)
    with unchanged(det), pytest.raises(FileWriteError, match=r"NumCapture \(10\).*and 2 were"):
        engine(bp.count([det], num=2))
    assert not list(disk.rglob("*.h5"))


def test_capture_mode_without_a_number_is_refused(det: Any, unchanged: Any) -> None:
    _use_capture_mode(det, 0)
    with unchanged(det), pytest.raises(ConfigurationError, match="ad:HDF1:NumCapture is 0"):
        det.stage()


def test_files_in_more_dimensions_than_readers_know_are_refused(det: Any, unchanged: Any) -> None:
    # Extra dimensions go by themselves when NumCapture is 0, as it is unless somebody sets it.
    places = det.hdf1.position_mode
    places.set("On", timeout=5).wait()
    try:
        with (
            unchanged(det),
            pytest.raises(ConfigurationError, match=r"HDF1:PositionMode is On: .*Put it to 0"),
        ):
            det.stage()
    finally:
        places.set("Off", timeout=5).wait()


def test_a_failing_writer_fails_the_run(engine: Any, documents: Any, det: Any) -> None:
    det.stage()
    det._completion._monitors.stop()  # so that the counters are read
    account = det._completion.account
    true_read = account.read
    account.read = lambda: true_read() | {("det_hdf1", "write_status"): 1}
    with pytest.raises(FileWriteError, match="ad:HDF1:WriteStatus.*could not write: ''"):
        det.trigger().wait(10)
    det.unstage()


def test_the_run_engine_reports_a_stage_error_as_it_is(engine: Any, det: Any) -> None:
    det.hdf1.file_name.set("", timeout=5).wait()
    with pytest.raises(NamingError):
        engine(bp.count([det]))
    det.hdf1.file_name.set("image", timeout=5).wait()
    engine(bp.count([det]))
    with pytest.raises(FailedStatus):
        det.acquire_timeout = 0.05
        det.cam.acquire_time.set(5, timeout=5).wait()
        engine(bp.count([det]))
    assert det.hdf1.capture.get() == 0
