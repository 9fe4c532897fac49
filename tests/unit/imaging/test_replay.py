"""Frames of finished runs, Data Exchange files and TIFF sets, played to addons."""

from __future__ import annotations

import h5py
import numpy as np
import pytest
import tifffile

from adsupport.errors import ConfigurationError, DocumentError, FrameCountError, ImageFileError
from adsupport.imaging.addons import Accumulator, ImageWriter
from adsupport.imaging.frames.arrival import Arrival
from adsupport.imaging.frames.bus import FrameBus
from adsupport.imaging.frames.frame import StreamAbout
from adsupport.imaging.frames.replay import ReplaySource, StoredAcquisition, play
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


def tiffs(directory, names):
    directory.mkdir(parents=True)
    for name in names:
        tifffile.imwrite(directory / name, np.zeros((2, 2), np.uint8))
    return directory


def told(acquisition):
    return acquisition.about.expected, [arrival.place for arrival in acquisition.frames()]


@pytest.mark.parametrize(
    "names, wanted",
    [
        (["a_0003.tif", "a_0005.tif", "a_0006.tif"], (4, [0, 2, 3])),
        (["a_000.tif", "a_030.tif", "a_060.tif", "a_120.tif"], (5, [0, 1, 2, 4])),
        (["scan2_9_0.tif", "scan2_10_3.tif", "scan2_12_9.tif"], (4, [0, 1, 3])),
        (["a_7.tif"], (1, [0])),
        (["a_1.tif", "a_2.tif", "a_10.tif"], (3, [None] * 3)),  # more would be missing than are
        (["a_1.tif", "a_01.tif", "a_2.tif"], (3, [None] * 3)),
        (["a_1.tif", "a_2.tif", "b_3.tif"], (3, [None] * 3)),
        (["first.tif", "second.tif"], (2, [None] * 2)),
        (["at_1732271234.tif", "at_1732271237.tif", "at_1732271311.tif"], (3, [None] * 3)),
    ],
)
def test_names_with_a_running_number_tell_which_files_are_missing(tmp_path, names, wanted):
    (found,) = tiff_acquisitions({"primary": tiffs(tmp_path / "set", names)})
    assert told(found) == wanted
    paths = [tmp_path / "set" / name for name in names]
    (given,) = tiff_acquisitions({"primary": paths})
    assert told(given) == (len(names), list(range(len(names))))


def test_the_first_file_of_an_image_writer_and_the_last_of_an_experiment_may_be_missing(tmp_path):
    walker = DirectoryWalker(tmp_path)
    acquisition = StoredAcquisition(
        StreamAbout("run", "primary", 5),
        lambda: (
            Arrival(lambda each=each: each.copy(), stored=False, place=place)
            for place, each in enumerate(STACK)
            if place not in (0, 2)
        ),
    )
    with walker.scan() as scan:
        play([acquisition], [ImageWriter(walker)], missing="log")
    assert told(tiff_acquisitions(scan)[0]) == (5, [1, 3, 4])
    (scan / "radios" / "frame_000004.tif").unlink()
    assert told(tiff_acquisitions(scan)[0]) == (4, [1, 3])
    start = scan / "experiment_start.json"
    start.write_text('{"experiment": {"frames": {"primary": 5}}}')
    assert told(tiff_acquisitions(scan)[0]) == (5, [1, 3])
    start.write_text('{"experiment": {"frames": {"primary": 2}}}')
    assert told(tiff_acquisitions(scan)[0]) == (2, [0, 1])
    start.write_text('{"experiment": {"frames": {"primary": 1}}}')  # one was taken again
    assert told(tiff_acquisitions(scan)[0]) == (1, [None, None])


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
