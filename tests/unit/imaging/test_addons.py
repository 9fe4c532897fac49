"""The addons that come with adsupport, each fed with frames whose numbers are known."""

from __future__ import annotations

import json

import bluesky.plan_stubs as bps
import h5py
import numpy as np
import pytest
import tifffile
from bluesky import RunEngine

from adsupport.errors import (
    ConfigurationError,
    FrameCountError,
    OutputError,
)
from adsupport.imaging import Acquisition, Experiment
from adsupport.imaging.addons import (
    Accumulator,
    Addon,
    Benchmarker,
    FrameGapCheck,
    ImageWriter,
)
from adsupport.imaging.frames.frame import Frame, StreamAbout, StreamEnd
from adsupport.imaging.storage.walker import DirectoryWalker

from .made_frames import RUN, MadeSource, feed, images_of


def test_an_addon_without_frame_is_refused_when_it_is_made():
    class Idle(Addon):
        pass

    with pytest.raises(TypeError, match="abstract method '?frame"):
        Idle()  # type: ignore[abstract]


def test_an_addon_that_fails_when_it_is_closed_fails_the_run():
    class Torn(Addon):
        def frame(self, frame: Frame) -> None: ...

        def close(self) -> None:
            raise OutputError("the last page is torn")

    def nothing():
        yield from bps.null()

    stops: list[dict] = []
    engine = RunEngine({})
    engine.subscribe(lambda _, document: stops.append(document), "stop")
    experiment = Experiment(
        [Acquisition("darks", nothing, frames=0)], frames=MadeSource(), addons=[Torn()]
    )
    with pytest.raises(OutputError, match="the last page is torn"):
        engine(experiment.run())
    assert stops[0]["exit_status"] == "fail"


# Accumulator


@pytest.mark.parametrize("announced", [True, False])
def test_accumulator_keeps_frames_ids_and_angles_of_each_stream(announced):
    addon = Accumulator()
    feed(addon, "darks", images_of(1, 2, 3), announced=announced)
    feed(addon, "primary", images_of(*range(10, 15)), range(5), announced=announced,
         angles=[0.0, 1.0, None, 3.0, 4.0])  # fmt: skip
    feed(addon, "darks", images_of(4), first=3, announced=announced)
    assert addon.stored == ["darks", "primary"]
    darks = addon.frames("darks")
    assert (darks.shape, darks.dtype) == ((4, 2, 3), np.uint16)
    assert darks[:, 0, 0].tolist() == [1, 2, 3, 4]
    assert addon.frames()[:, 1, 2].tolist() == [10, 11, 12, 13, 14]
    assert addon.ids() == [0, 1, 2, 3, 4]
    np.testing.assert_array_equal(addon.angles(), [0, 1, np.nan, 3, 4])


def test_accumulator_begins_anew_with_another_run():
    addon = Accumulator()
    feed(addon, "primary", images_of(1))
    feed(addon, "primary", images_of(2, 3), run="other")
    assert addon.frames()[:, 0, 0].tolist() == [2, 3]
    with pytest.raises(ConfigurationError, match="'flats' have come; there are 'primary'"):
        addon.frames("flats")


def test_accumulator_takes_no_more_memory_than_allowed():
    addon = Accumulator(most_bytes=100)
    with pytest.raises(ConfigurationError, match=r"9 frames .* take 108 bytes.*most_bytes=100"):
        feed(addon, "primary", images_of(*range(9)))
    feed(addon, "darks", images_of(*range(8)), run="a", announced=False)
    assert len(addon.frames("darks")) == 8
    with pytest.raises(ConfigurationError, match="9 frames of stream 'darks' take 108"):
        feed(addon, "darks", images_of(1), run="a", first=8, announced=False)
    assert len(addon.frames("darks")) == 8


def test_accumulator_refuses_frames_that_differ():
    addon = Accumulator()
    feed(addon, "primary", images_of(1), expected=3)
    with pytest.raises(ConfigurationError, match=r"\(3, 3\) uint16; expected \(2, 3\) uint16"):
        feed(addon, "primary", images_of(1, shape=(3, 3)))


# Benchmarker


def test_benchmarker_counts_frames_bytes_and_time(caplog):
    caplog.set_level("INFO")
    addon = Benchmarker()
    feed(addon, "primary", images_of(1, 2, 3))
    feed(addon, "darks", [])
    one, none = addon.results
    assert (one.stream, one.frames, one.bytes) == ("primary", 3, 36)
    assert 0 < one.between <= one.duration == addon.duration()
    assert one.frame_rate == pytest.approx(2 / one.between)
    assert one.byte_rate == pytest.approx(12 * one.frame_rate)
    assert (none.frame_rate, none.byte_rate) == (0.0, 0.0)
    assert addon.duration("flats") == 0
    assert "primary: 3 frames in" in caplog.text


# FrameGapCheck


def test_gaps_are_listed_by_their_ids(caplog):
    addon = FrameGapCheck()
    feed(addon, "darks", images_of(1, 2), [5, 6])
    feed(addon, "primary", images_of(1, 2, 3, 4), [10, 11, 14, 16], expected=7)
    assert addon.gaps == {"primary": [12, 13, 15]}
    assert addon.short == {"primary": 3}
    assert "'primary': 4 of 7 frames came; missing are those with the ids 12-13, 15" in caplog.text


def test_frames_missing_at_the_ends_are_counted():
    addon = FrameGapCheck(found="raise")
    with pytest.raises(
        FrameCountError, match=r"ids 12; 2 are missing before the first or after"
    ) as told:
        feed(addon, "primary", images_of(1, 2), [11, 13], expected=5)
    assert (told.value.missing, told.value.expected, told.value.got) == ((12,), 5, 2)


@pytest.mark.parametrize(
    ("ids", "dropped", "text"),
    [
        ([11, 13], 3, "3 were dropped here, by policy."),
        ([11, 12], 1, "1 was dropped here, by policy; 2 are missing before the first or"),
        ([11, 13], 0, "ids 12; 2 are missing before the first or"),
        ([11, 12, 13, 14], 0, "4 of 5 frames came; 1 is missing before the first or"),
    ],
)
def test_frames_that_were_dropped_here_are_told_apart(caplog, ids, dropped, text):
    addon, about = FrameGapCheck(policy="drop"), StreamAbout("run", "primary", 5)
    addon.begin(about)
    for place, id_ in enumerate(ids):
        addon.frame(Frame(np.ones((1, 1)), "primary", place, id_))
    addon.end(StreamEnd(about, 5, 5, dropped))
    assert text in caplog.text and addon.short == {"primary": 5 - len(ids)}
    assert ("before the first" in caplog.text) == ("before the first" in text)


def test_repeated_ids_and_frames_without_ids():
    addon = FrameGapCheck()
    feed(addon, "primary", images_of(1, 2, 3), [1, 1, 2])
    assert addon.repeated == {"primary": [1]}
    assert not addon.gaps
    feed(addon, "flats", images_of(1, 2))
    feed(addon, "darks", images_of(1, 2), expected=3)
    assert addon.short == {"darks": 1}
    feed(addon, "primary", images_of(1), [7], run="other")
    assert (addon.repeated, addon.short) == ({}, {})


def test_a_huge_gap_takes_no_memory():
    addon = FrameGapCheck()
    feed(addon, "primary", images_of(1, 2), [1, 2**40])
    assert len(addon.gaps["primary"]) == 100_000
    assert addon.short == {"primary": 2**40 - 2}


def test_many_gaps_take_no_memory_and_are_all_counted():
    addon, ids = FrameGapCheck(found="raise"), range(1, 30 * 100_000, 100_000)
    with pytest.raises(FrameCountError, match=r"ids 2-100000, 100002, and 2799971 behind") as told:
        feed(addon, "primary", images_of(*range(30)), ids)
    assert len(told.value.missing) == len(addon.gaps["primary"]) == 100_000
    assert addon.short == {"primary": 29 * 99_999}
    feed(addon, "darks", images_of(*[1] * 100_002), [1] * 100_002)
    assert len(addon.repeated["darks"]) == 100_000


# ImageWriter


def test_image_writer_writes_each_stream_where_the_walker_stands(tmp_path):
    walker = DirectoryWalker(tmp_path)
    addon = ImageWriter(walker)
    with walker.scan() as scan:
        feed(addon, "darks", images_of(1, 2), [5, 6])
        feed(addon, "primary", images_of(10, 11), [7, 8], angles=[0.0, 90.0])
        feed(addon, "darks", images_of(3), [9], first=2)
        addon.close()
    assert sorted(path.name for path in (scan / "darks").iterdir()) == [
        f"frame_{number:06}.tif" for number in range(3)
    ]
    with tifffile.TiffFile(scan / "radios" / "frame_000001.tif") as file:
        np.testing.assert_array_equal(file.asarray(), np.full((2, 3), 11))
        about = json.loads(file.pages.first.description)  # type: ignore[union-attr]
    assert about["angle"] == 90.0
    assert about["unique_id"] == 8


def test_image_writer_keeps_an_hdf5_file_of_an_acquisition_that_was_cut_short(tmp_path):
    walker = DirectoryWalker(tmp_path, "frames_{:>04}.h5")
    addon = ImageWriter(walker)
    with walker.scan() as scan:
        addon.begin(StreamAbout(RUN, "flats", 3))
        addon.frame(Frame(np.ones((2, 3), np.uint8), "flats", 0))
        addon.close()
    with h5py.File(scan / "flats" / "frames_0000.h5") as file:
        assert file["entry/data/data"].shape == (1, 2, 3)  # type: ignore[union-attr]


def test_image_writer_puts_a_stream_that_comes_again_beside_what_was_there(tmp_path):
    walker = DirectoryWalker(tmp_path, "frames_{:>04}.h5")
    addon = ImageWriter(walker)
    with walker.scan() as scan:
        for stream, number in (("flats", 1), ("primary", 5), ("flats", 2), ("flats", 3)):
            feed(addon, stream, images_of(number, number), first=number)
    found = []
    for path in sorted((scan / "flats").iterdir()):
        with h5py.File(path) as file:
            found.append(int(file["entry/data/data"][0, 0, 0]))  # type: ignore[index]
    assert found == [1, 2, 3]


def test_image_writer_leaves_out_the_numbers_of_frames_that_were_lost(tmp_path):
    walker = DirectoryWalker(tmp_path)
    addon = ImageWriter(walker)
    addon.begin(StreamAbout(RUN, "flats", 3))
    for sequence, place in ((0, 0), (1, 2), (2, None)):
        addon.frame(Frame(np.ones((2, 3)), "flats", sequence, place=place))
    addon.close()
    assert sorted(path.name for path in (tmp_path / "flats").iterdir()) == [
        f"frame_{number:06}.tif" for number in (0, 2, 3)
    ]


def test_image_writer_passes_errors_of_the_disk_on(tmp_path):
    walker = DirectoryWalker(tmp_path)
    addon = ImageWriter(walker)
    with walker.scan() as scan:
        (scan / "primary").touch()
        (scan / "radios").touch()  # a file where a directory must be
        with pytest.raises(OutputError):
            feed(addon, "primary", images_of(1))
