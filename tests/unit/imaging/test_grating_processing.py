"""Maps of a grating stepping, from frames whose fringes are known."""

from __future__ import annotations

import json
from typing import Any

import h5py
import numpy as np
import pytest
import tifffile

from adsupport.errors import ConfigurationError, FrameCountError, OutputExistsError
from adsupport.imaging.addons import GratingProcessing
from adsupport.imaging.frames.frame import Frame, StreamAbout, StreamEnd
from adsupport.imaging.grating import GratingConfig
from adsupport.imaging.storage.walker import DirectoryWalker

from .made_frames import feed

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
    feed(addon, "primary", streams["primary"], first=9)  # taken again
    assert addon.contrasts is not None
    feed(addon, "flats", streams["flats"][:4], first=10, reason="cut short: abort")
    assert addon.reference is None


def test_steps_that_the_addon_did_not_get_shift_no_other_one():
    _, streams = grating_streams()
    addon, about = GratingProcessing(PERIODS, STEPS), StreamAbout("run", "primary", 10)
    addon.begin(about)
    for step in (0, 1, 5, 6, 7, 8, 9):  # of a source without unique ids
        addon.frame(Frame(streams["primary"][step], "primary", step))
    with pytest.raises(FrameCountError, match="3 of 10 steps are missing: 2, 3, 4"):
        addon.end(StreamEnd(about, 10, 10, 3))


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


def test_maps_are_written_at_the_end_of_the_run(tmp_path):
    _, streams = grating_streams()
    walker = DirectoryWalker(tmp_path)
    addon = GratingProcessing(
        PERIODS, STEPS, grating_period=2.0, propagation_distance=100.0, walker=walker,
        files=("tiff", "hdf5"),
    )  # fmt: skip
    order = ["flats", "primary", "other", "primary", "darks"]  # the maps depend on the darks
    for _ in range(2):
        with walker.scan() as scan:
            for number, name in enumerate(order):
                if name in streams:
                    first = order[:number].count(name) * len(streams[name])
                    told = {"acquisitions": order}
                    feed(addon, name, streams[name], run=scan.name, md=told, first=first)
                assert bool(addon.written) == (name == "darks")
            written = addon.written
            addon.close()
        assert addon.written is written
        maps = addon.images()
        directory = scan / "contrasts"
        assert {path.name for path in directory.iterdir()} == {
            "grating.h5", *(f"{name}.tif" for name in maps)
        }  # fmt: skip
        for name, values in maps.items():
            with tifffile.TiffFile(directory / f"{name}.tif") as file:
                np.testing.assert_array_equal(file.asarray(), values.astype(np.float32))
                about = json.loads(file.pages.first.description)  # type: ignore[union-attr]
            assert (about["name"], about["run_uid"]) == (name, scan.name)
            assert about["propagation_distance_mm"] == 100
        with h5py.File(directory / "grating.h5") as file:
            data: Any = file["entry/data"]
            assert sorted(data) == sorted(maps)
            for name, values in maps.items():
                np.testing.assert_array_equal(data[name], values)
            assert data["differential_phase"].attrs["units"] == "rad"
            assert file["entry/about/steps_per_period"][()] == STEPS  # type: ignore[index]


def test_maps_replace_none(tmp_path):
    _, streams = grating_streams()
    walker = DirectoryWalker(tmp_path)
    first = GratingProcessing(PERIODS, STEPS, walker=walker, output_directory="maps")
    feed(first, "flats", streams["flats"], run="")  # a stored data set tells nothing of its run
    assert not first.written
    first.close()
    assert {path.stem for path in first.written} == {
        "reference_intensity", "reference_visibility", "reference_phase"
    }  # fmt: skip
    before = (tmp_path / "maps" / "reference_phase.tif").read_bytes()
    with pytest.raises(OutputExistsError, match=r"reference_intensity\.tif exists already"):
        feed(first, "flats", streams["flats"] + 1, run="")
    assert (tmp_path / "maps" / "reference_phase.tif").read_bytes() == before
    with pytest.raises(ConfigurationError, match="expected 'tiff' or 'hdf5'"):
        GratingProcessing(walker=walker, files="png")
    with pytest.raises(ConfigurationError, match="name of one directory"):
        GratingProcessing(walker=walker, output_directory="../maps")


@pytest.mark.parametrize(
    ("dtype", "saturation", "top", "told"),
    [
        (np.uint8, None, 255, 255),
        (np.uint16, None, 4095, None),
        (np.uint16, 4095, 4095, 4095),
        (np.float64, None, 1e9, None),
    ],
)
def test_saturated_frames_are_counted_and_warned_of(caplog, dtype, saturation, top, told):
    _, streams = grating_streams()
    images = (streams["flats"] / streams["flats"].max() * 200).astype(dtype)
    images[3, :2, 0] = images[7, 1, 1] = top
    addon = GratingProcessing(PERIODS, STEPS, saturation=saturation)
    feed(addon, "flats", images)
    assert addon.saturated == ({"flats": 2} if told else {})
    found = [each.message for each in caplog.records if "saturated" in each.message]
    assert found == (
        [f"Stream 'flats': 2 of 10 frames have saturated pixels ({told} counts or more), up to 2 "
         "in a frame: visibility and phase are wrong there."]
        if told
        else []
    )  # fmt: skip
    feed(addon, "flats", images // 2, first=10)
    assert not addon.saturated
