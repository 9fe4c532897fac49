"""Frames of finished runs, Data Exchange files and TIFF sets, played to addons."""

from __future__ import annotations

import h5py
import numpy as np
import pytest
import tifffile

from adsupport.errors import ConfigurationError, DocumentError, FrameCountError, ImageFileError
from adsupport.imaging.addons import Accumulator, ImageWriter
from adsupport.imaging.frames.bus import FrameBus
from adsupport.imaging.frames.frame import StreamAbout
from adsupport.imaging.frames.replay import ReplaySource, play
from adsupport.imaging.frames.stored_images import dx_acquisitions, tiff_acquisitions
from adsupport.imaging.storage.walker import DirectoryWalker

from .made_frames import Collector

STACK = np.arange(5 * 2 * 3, dtype=np.uint16).reshape(5, 2, 3)


@pytest.fixture
def dx(tmp_path):
    path = tmp_path / "scan.h5"
    with h5py.File(path, "w") as file:
        file["exchange/data"] = STACK
        file["exchange/data_white"] = STACK[:2] + 100
        file["exchange/data_dark"] = STACK[:1] + 200
        file["exchange/theta"] = np.array([0.0, 45.0, np.nan, 135.0, 180.0])
    return path


def test_a_dx_file_is_played_with_its_angles(dx):
    addon = Accumulator()
    play(dx_acquisitions(dx), [addon])
    assert addon.stored == ["darks", "flats", "primary"]
    np.testing.assert_array_equal(addon.frames(), STACK)
    np.testing.assert_array_equal(addon.frames("flats"), STACK[:2] + 100)
    np.testing.assert_array_equal(addon.frames("darks"), STACK[:1] + 200)
    np.testing.assert_array_equal(addon.angles(), [0, 45, np.nan, 135, 180])


def test_files_that_are_no_dx_files_are_refused(tmp_path):
    with pytest.raises(ImageFileError, match="is missing"):
        dx_acquisitions(tmp_path / "none.h5")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["entry/data/data"] = STACK
    with pytest.raises(ImageFileError, match="has no frames at /exchange/data_dark"):
        dx_acquisitions(tmp_path / "other.h5")
    with h5py.File(tmp_path / "flat.h5", "w") as file:
        file["exchange/data"] = STACK[0]
    with pytest.raises(ImageFileError, match=r"\(2, 3\) at /exchange/data; expected \(n, Y, X\)"):
        dx_acquisitions(tmp_path / "flat.h5")


def test_a_file_cut_short_between_is_told(dx):
    found = dx_acquisitions(dx)
    with h5py.File(dx, "r+") as file:
        del file["exchange/data"]
        file["exchange/data"] = STACK[:3]
    addon = Collector()
    with pytest.raises(ImageFileError, match="Frame 3 of .* can't be read at /exchange/data"):
        play(found, [addon])
    assert addon.closed == 1


def test_what_an_image_writer_wrote_comes_back_as_it_was(tmp_path, dx):
    walker, live = DirectoryWalker(tmp_path / "scans"), Accumulator()
    with walker.scan() as scan:
        play(dx_acquisitions(dx), [ImageWriter(walker), live])
    again = Accumulator()
    play(tiff_acquisitions(scan), [again])
    assert again.stored == live.stored
    for stream in live.stored:
        np.testing.assert_array_equal(again.frames(stream), live.frames(stream))
        np.testing.assert_array_equal(again.angles(stream), live.angles(stream))


def test_tiff_files_of_others_are_played_in_the_order_of_their_numbers(tmp_path):
    for number in (1, 2, 10):
        tifffile.imwrite(tmp_path / f"img_{number}.tif", np.full((2, 2), number, np.uint8))
    addon = Accumulator()
    play(tiff_acquisitions({"primary": tmp_path}), [addon])
    assert addon.frames()[:, 0, 0].tolist() == [1, 2, 10]
    with pytest.raises(ImageFileError, match="for stream 'flats'"):
        tiff_acquisitions({"flats": tmp_path / "none"})
    with pytest.raises(ImageFileError, match="No TIFF files were found"):
        tiff_acquisitions(tmp_path)


def test_a_replay_stands_for_a_detector(dx):
    addon = Collector()
    with FrameBus(ReplaySource(dx_acquisitions(dx)), [addon]) as bus:
        bus.begin(StreamAbout("run", "primary", 5))
        with pytest.raises(FrameCountError, match="has 5 frames; expected 7"):
            bus.end(7)
        with pytest.raises(ConfigurationError, match="stream 'primary' is left"):
            bus.begin(StreamAbout("run", "primary", 5))
    assert [frame.run_uid for frame in addon.frames] == ["run"] * 5


def test_an_addon_that_fails_ends_the_replay(dx):
    class Bad(Collector):
        def frame(self, frame):
            raise RuntimeError("no thanks")

    with pytest.raises(RuntimeError, match="no thanks"):
        play(dx_acquisitions(dx), [Bad()])


def test_what_is_no_run_is_refused():
    from adsupport.imaging.frames.stored_run import run_acquisitions

    with pytest.raises(DocumentError, match="0 runs were given"):
        run_acquisitions([])
    start = ("start", {"uid": "a", "time": 0.0})
    with pytest.raises(DocumentError, match="Run a has no images in files"):
        run_acquisitions([start])
