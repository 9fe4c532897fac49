"""The addons that come with adsupport, each fed with frames whose numbers are known."""

from __future__ import annotations

import json
from typing import Any

import h5py
import numpy as np
import pytest
import tifffile

from adsupport.errors import ConfigurationError, FrameCountError, OutputError
from adsupport.imaging.addons import (
    Accumulator,
    Addon,
    Benchmarker,
    FrameGapCheck,
    GratingProcessing,
    ImageWriter,
)
from adsupport.imaging.frames.frame import Frame, StreamAbout, StreamEnd
from adsupport.imaging.grating import GratingConfig
from adsupport.imaging.storage.walker import DirectoryWalker

RUN = "11111111-2222-3333-4444-555555555555"


def feed(
    addon: Addon,
    stream: str,
    images,
    ids=None,
    *,
    expected: int | None = None,
    announced: bool = True,
    run: str = RUN,
    first: int = 0,
    reason: str = "",
    angles=None,
) -> None:
    """Give an addon the frames of an acquisition."""
    images = list(images)
    count = len(images) if expected is None else expected
    about = StreamAbout(run, stream, count if announced else None)
    addon.begin(about)
    for index, image in enumerate(images):
        addon.frame(
            Frame(
                np.asarray(image),
                stream,
                first + index,
                None if ids is None else ids[index],
                None if angles is None else angles[index],
                1.8e9 + index,
                run,
            )
        )
    addon.end(StreamEnd(about, count, len(images), 0, reason))


def images_of(*numbers, shape=(2, 3), dtype=np.uint16):
    return [np.full(shape, number, dtype) for number in numbers]


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


def test_image_writer_passes_errors_of_the_disk_on(tmp_path):
    walker = DirectoryWalker(tmp_path)
    addon = ImageWriter(walker)
    with walker.scan() as scan:
        (scan / "primary").touch()
        (scan / "radios").touch()  # a file where a directory must be
        with pytest.raises(OutputError):
            feed(addon, "primary", images_of(1))


# GratingProcessing

PERIODS, STEPS = 2, 5


def stepping(intensity, visibility, phase, dark=100.0):
    turn = 2 * np.pi * np.arange(PERIODS * STEPS) / STEPS
    return dark + intensity * (1 + visibility * np.cos(turn[:, None, None] + phase))


def grating_streams():
    rng = np.random.default_rng(7)
    shape = (4, 6)
    maps = {
        name: (rng.uniform(1e3, 1e4, shape), rng.uniform(0.1, 0.9, shape),
               rng.uniform(-3.1, 3.1, shape))
        for name in ("flats", "primary")
    }  # fmt: skip
    streams = {name: stepping(*found) for name, found in maps.items()}
    streams["darks"] = np.array([np.full(shape, 90.0), np.full(shape, 110.0)])
    return maps, streams


@pytest.mark.parametrize(
    "order",
    [("darks", "flats", "primary"), ("primary", "flats", "darks"), ("flats", "darks", "primary")],
)
def test_grating_maps_do_not_depend_on_the_order_of_streams(order):
    maps, streams = grating_streams()
    addon = GratingProcessing(PERIODS, STEPS, grating_period=2.0, propagation_distance=100.0)
    assert addon.images() == {}
    for name in order:
        feed(addon, name, streams[name])
    for name, found in (("flats", addon.reference), ("primary", addon.sample)):
        assert found is not None
        np.testing.assert_allclose(found.intensity, maps[name][0], rtol=1e-6)
        np.testing.assert_allclose(found.visibility, maps[name][1], rtol=1e-6)
        np.testing.assert_allclose(found.phase, maps[name][2], atol=1e-6)
    np.testing.assert_allclose(addon.dark, 100.0)
    images = addon.images()
    assert sorted(images) == sorted(
        [f"{who}_{what}" for who in ("object", "reference")
         for what in ("intensity", "visibility", "phase")]
        + ["intensity_contrast", "visibility_contrast", "differential_phase",
           "differential_phase_in_rad"]
    )  # fmt: skip
    np.testing.assert_allclose(
        images["intensity_contrast"], maps["primary"][0] / maps["flats"][0], rtol=1e-6
    )


def test_grating_needs_no_darks_and_no_distance():
    _, streams = grating_streams()
    addon = GratingProcessing(PERIODS, STEPS)
    for name in ("primary", "flats"):
        feed(addon, name, streams[name])
    assert addon.dark == 0.0
    assert addon.contrasts is not None
    assert addon.contrasts.differential_phase_in_rad is None


def test_a_lost_step_is_named_and_gives_no_phase():
    _, streams = grating_streams()
    addon = GratingProcessing(PERIODS, STEPS)
    feed(addon, "flats", streams["flats"])
    whole = addon.reference
    assert whole is not None
    kept = [0, 1, 2, 4, 5, 6, 7, 8, 9]
    with pytest.raises(FrameCountError, match="1 of 10 steps are missing: 3"):
        feed(addon, "primary", streams["primary"][kept], [20 + each for each in kept], expected=10)
    assert addon.sample is None
    feed(addon, "primary", streams["primary"])  # taken again
    assert addon.contrasts is not None
    feed(addon, "flats", streams["flats"][:4], reason="cut short: abort")
    assert addon.reference is None


def test_another_run_begins_anew():
    _, streams = grating_streams()
    addon = GratingProcessing(PERIODS, STEPS)
    for name in ("darks", "flats", "primary"):
        feed(addon, name, streams[name])
    feed(addon, "flats", streams["flats"], run="other")
    assert addon.sample is None
    assert addon.dark == 0.0


def test_grating_processing_of_an_experiments_configuration():
    config = GratingConfig(
        exposure=0.01, grating_period=2.4, periods=PERIODS, steps_per_period=STEPS
    )
    addon = GratingProcessing.of(config, propagation_distance=50.0)
    _, streams = grating_streams()
    for name in ("flats", "primary"):
        feed(addon, name, streams[name])
    assert addon.contrasts is not None
    found = addon.contrasts
    assert found.differential_phase_in_rad is not None
    np.testing.assert_allclose(
        found.differential_phase_in_rad, found.differential_phase * 2.4e-3 / 50
    )


def test_grating_arguments_that_cannot_be_are_refused_at_once():
    wrongs: list[tuple[dict[str, Any], str]] = [
        ({"steps_per_period": 2}, "steps_per_period=2"),
        ({"propagation_distance": 1.0}, "grating_period=None"),
        ({"darks": "flats"}, "expected three"),
    ]
    for wrong, what in wrongs:
        with pytest.raises(ConfigurationError, match=what):
            GratingProcessing(**wrong)
