"""TIFF and JPEG files, one a frame: documents that the usual reader understands."""

from __future__ import annotations

import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from area_detector_handlers.handlers import AreaDetectorTiffHandler
from ophyd.areadetector import DetectorBase
from ophyd.areadetector.base import ADComponent
from ophyd.sim import make_fake_device

from adsupport.devices import (
    AD_EpicsFileNameJPEGPlugin,
    AD_EpicsFileNameTIFFPlugin,
    SimDetectorCam_V34,
)
from adsupport.devices.signals import requests
from adsupport.errors import ConfigurationError, FileExistsRefusedError, FrameCountError

CHOICES = {
    "file_write_mode": ("Single", "Capture", "Stream"),
    "auto_increment": ("No", "Yes"),
    "auto_save": ("No", "Yes"),
    "lazy_open": ("No", "Yes"),
    "enable": ("Disable", "Enable"),
    "blocking_callbacks": ("No", "Yes"),
    "write_status": ("Write OK", "Write error"),
}
VALUES = {
    "port_name": "FILE1",
    "nd_array_port": "SIM1",
    "array_size.width": 4,
    "array_size.height": 3,
    "array_size.depth": 0,
    "ndimensions": 2,
    "data_type": "UInt8",
    "color_mode": "Mono",
    "file_path_exists": 1,
    "file_name": "frame",
    "file_number": 0,
    "create_directory": 0,
    "num_capture": 1,
    "num_captured": 0,
    "capture": 0,
    "write_file": 0,
    "write_message": "",
    "full_file_name": "",
    **dict.fromkeys(CHOICES, 0),
    "auto_increment": 1,
}


class TIFFDetector(DetectorBase):
    """A camera and a TIFF writer."""

    cam = ADComponent(SimDetectorCam_V34, "cam1:")
    writer = ADComponent(AD_EpicsFileNameTIFFPlugin, "TIFF1:")


class JPEGDetector(DetectorBase):
    """A camera and a JPEG writer."""

    cam = ADComponent(SimDetectorCam_V34, "cam1:")
    writer = ADComponent(AD_EpicsFileNameJPEGPlugin, "JPEG1:")


@pytest.fixture
def fake(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Make a detector that needs no IOC: its signals keep what they are given."""

    def put(signal: Any, value: int, answered: Callable[[], None]) -> None:
        signal.put(value)
        answered()

    # puts with completion go past ophyd, to a channel that nothing here has
    monkeypatch.setattr(requests, "put_with_answer", put)

    def make(cls: type, plugin_type: str, template: str, frames: int = 2) -> Any:
        detector = make_fake_device(cls)("X:", name="det")
        for name, value in {
            "port_name": "SIM1",
            "array_callbacks": 1,
            "image_mode": 1,
            "num_images": frames,
            "data_type": "UInt8",
            "color_mode": "Mono",
            "max_size.max_size_x": 4,
            "max_size.max_size_y": 3,
            "min_x": 0,
            "min_y": 0,
            "size.size_x": 4,
            "size.size_y": 3,
            "bin_x": 1,
            "bin_y": 1,
        }.items():
            getattr(detector.cam, name).sim_put(value)
        writer = detector.writer
        for name, strings in CHOICES.items():
            getattr(writer, name).sim_set_enum_strs(strings)
        for name, value in VALUES.items():
            getattr(writer, name).sim_put(value)
        writer.plugin_type.sim_put(plugin_type)
        writer.file_path.sim_put(f"{tmp_path}/")
        writer.file_template.sim_put(template)
        return detector

    return make


def test_the_usual_reader_finds_the_frames_of_every_point(
    fake: Callable[..., Any], tmp_path: pathlib.Path
) -> None:
    # The peer's documents have neither template nor file name: the reader raises TypeError.
    import tifffile

    det = fake(TIFFDetector, "NDFileTIFF ver1.0", "%s%s_%4.4d.tif")
    writer = det.writer
    writer.file_number.sim_put(3)
    writer.stage()
    assert writer.capture.get() == 1
    # Readers look for the frames of point p from number p*n on: the start is a multiple.
    assert writer.file_number.get() == 4
    image = np.arange(12, dtype=np.uint8).reshape(3, 4)
    for point in range(3):
        writer.prepare_point(2, 2 * point, 1)
        writer.generate_datum("det_image", 0.0, {})
        for frame in range(2):
            number = 4 + 2 * point + frame
            tifffile.imwrite(tmp_path / f"frame_{number:04}.tif", image + 10 * point + frame)
        writer.num_captured.sim_put(2 * point + 2)
        writer.file_number.sim_put(6 + 2 * point)
        writer.finish_point(2)
    (_, resource), *datums = writer.collect_asset_docs()
    assert resource["spec"] == "AD_TIFF"
    reader = AreaDetectorTiffHandler(
        resource["root"] + resource["resource_path"], **resource["resource_kwargs"]
    )
    for point, (_, datum) in enumerate(datums):
        frames = reader(**datum["datum_kwargs"])
        np.testing.assert_array_equal(frames[0], image + 10 * point)
        np.testing.assert_array_equal(frames[1], image + 10 * point + 1)
    assert writer.describe()["det_image"]["shape"] == [2, 3, 4]
    writer.unstage()
    assert (writer.capture.get(), writer.num_capture.get()) == (0, 1)


def test_a_file_of_a_later_point_is_not_overwritten(
    fake: Callable[..., Any], tmp_path: pathlib.Path
) -> None:
    det = fake(TIFFDetector, "NDFileTIFF ver1.0", "%s%s_%4.4d.tif")
    det.writer.stage()
    (tmp_path / "frame_0003.tif").touch()
    det.writer.prepare_point(2, 0, 1)
    for number in range(2):
        (tmp_path / f"frame_{number:04}.tif").write_bytes(b"II*")
    det.writer.finish_point(2)
    det.writer.file_number.sim_put(2)
    with pytest.raises(FileExistsRefusedError, match="frame_0003"):
        det.writer.prepare_point(2, 2, 1)
    det.writer.num_captured.sim_put(2)
    det.writer.unstage()


def test_a_template_without_number_would_overwrite_frame_by_frame(
    fake: Callable[..., Any],
) -> None:
    det = fake(TIFFDetector, "NDFileTIFF ver1.0", "%s%s.tif")
    with pytest.raises(ConfigurationError, match="without a file number"):
        det.writer.stage()


def test_a_number_that_stands_still_would_overwrite_frame_by_frame(
    fake: Callable[..., Any],
) -> None:
    det = fake(TIFFDetector, "NDFileTIFF ver1.0", "%s%s_%d.tif")
    det.writer.auto_increment.sim_put(0)
    with pytest.raises(ConfigurationError, match="AutoIncrement|auto_increment"):
        det.writer.stage()


def test_jpeg_documents_have_what_a_reader_needs(fake: Callable[..., Any]) -> None:
    det = fake(JPEGDetector, "NDFileJPEG ver1.0", "%s%s_%4.4d.jpg", frames=1)
    det.writer.stage()
    (_, resource), *_ = det.writer.collect_asset_docs()
    det.writer.unstage()
    assert resource["spec"] == "AD_JPEG"
    assert resource["resource_kwargs"] == {
        "frame_per_point": 1,
        "template": "%s%s_%4.4d.jpg",
        "filename": "frame",
    }


def test_jpeg_of_wider_frames_is_refused(fake: Callable[..., Any]) -> None:
    # The IOC would capture nothing, without a word.
    det = fake(JPEGDetector, "NDFileJPEG ver1.0", "%s%s_%4.4d.jpg")
    det.cam.data_type.sim_put("UInt16")
    with pytest.raises(ConfigurationError, match="UInt16.*8-bit"):
        det.writer.stage()
    assert det.writer.capture.get() == 0


@pytest.mark.parametrize("policy", ["warn", "record"])
def test_frames_that_nobody_counted_are_realigned(
    fake: Callable[..., Any], policy: str, caplog: pytest.LogCaptureFixture
) -> None:
    det = fake(TIFFDetector, "NDFileTIFF ver1.0", "%s%s_%4.4d.tif")
    det.frame_policy = policy
    det.writer.verify_files = False  # there are none
    det.writer.stage()
    # A point whose event was never saved: the frames are there, in whole points.
    det.writer.file_number.sim_put(4)
    det.writer.prepare_point(2, 4, 1)
    det.writer.generate_datum("det_image", 0.0, {})
    *_, (_, datum) = det.writer.collect_asset_docs()
    assert datum["datum_kwargs"] == {"point_number": 2}
    warned = "4 frames of somebody else came between two points" in caplog.text
    assert warned == (policy == "warn")
    det.writer.unstage()


@pytest.mark.parametrize(("later", "told"), [(0, ""), (2, "2 frames of somebody else")])
def test_frames_that_a_point_has_told_of_are_not_told_again(
    fake: Callable[..., Any], caplog: pytest.LogCaptureFixture, later: int, told: str
) -> None:
    det = fake(TIFFDetector, "NDFileTIFF ver1.0", "%s%s_%4.4d.tif")
    det.frame_policy = "warn"
    det.writer.verify_files = False  # there are none
    det.writer.stage()
    det.writer.prepare_point(2, 0, 1)
    det.writer.note_excess(4)
    det.writer.finish_point(2)
    det.writer.file_number.sim_put(6)
    det.writer.prepare_point(2, 6 + later, 1)
    assert ("of somebody else" in caplog.text) == bool(later) and told in caplog.text
    # from there on as ever
    det.writer.note_excess(0)
    det.writer.finish_point(2)
    caplog.clear()
    det.writer.prepare_point(2, 8 + later, 1)
    assert caplog.text == ""
    det.writer.prepare_point(2, 10 + later, 1)  # of a point that was interrupted
    assert "of somebody else" not in caplog.text
    det.writer.unstage()


def test_frames_that_nobody_counted_fail_the_run(fake: Callable[..., Any]) -> None:
    det = fake(TIFFDetector, "NDFileTIFF ver1.0", "%s%s_%4.4d.tif")
    det.writer.stage()
    with pytest.raises(FrameCountError, match="1 frame of somebody else came") as failure:
        det.writer.prepare_point(2, 1, 1)
    error = failure.value
    assert (error.plugin, error.expected, error.got) == ("det_writer", 0, 1)
    # a plan that goes on after that gets files of its own
    assert det.writer.prepare_point(2, 1, 0)
    det.writer.unstage()
