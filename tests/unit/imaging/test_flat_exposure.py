"""Flats of another exposure than the projections: numbers are as of flats of the same."""

from __future__ import annotations

import json
from dataclasses import replace

import h5py
import numpy as np
import pytest
import tifffile
from typer.testing import CliRunner

from adsupport.cli.app import app
from adsupport.errors import ConfigurationError
from adsupport.imaging import DirectoryWalker, GratingConfig, TomographyConfig, equal_angles
from adsupport.imaging.addons import GratingProcessing, ImageWriter, OnlineReconstruction
from adsupport.imaging.frames import dx_acquisitions, play, tiff_acquisitions
from adsupport.imaging.reconstruction.normalisation import absorption
from adsupport.imaging.storage.experiment_files import write_experiment_start
from adsupport.imaging.stored_tomogram import reconstruct_dx

from ..reconstruction.discs import rms
from .made_frames import feed
from .made_tomography import CENTRE, HEIGHT, MadeTomography

ANGLES = equal_angles(90, 180)
CONFIG = TomographyConfig(exposure=0.2, flat_exposure=0.05, projections=90, darks=4, flats=4)
ASKED = {"experiment": "tomography", **CONFIG.metadata()}


@pytest.fixture(scope="module")
def same() -> MadeTomography:
    """Flats of the projections' exposure."""
    return MadeTomography(ANGLES)


@pytest.fixture(scope="module")
def short(same) -> MadeTomography:
    """Flats of a quarter of it."""
    made = replace(same)
    dark = same.dark.mean(axis=0)
    made.flat = (dark + (same.flat - dark) / 4).astype(np.float32)
    return made


def reconstructed(acquisitions, **options):
    addon = OnlineReconstruction(**{"rows": range(HEIGHT), "centre": CENTRE, **options})
    play(acquisitions, [addon])
    return addon.result


@pytest.mark.parametrize(
    "order",
    [
        ("darks", "flats", "primary"),
        ("darks", "primary", "flats"),
        ("darks", "flats", "primary", "flats"),
    ],
)
def test_slices_are_those_of_flats_of_the_same_exposure(same, short, order):
    wanted = reconstructed(same.acquisitions(order))
    found = reconstructed(short.acquisitions(order, imaging=ASKED))
    assert rms(found.slices, wanted.slices) < 1e-4
    assert (found.facts["flat_scale"], wanted.facts["flat_scale"]) == (4.0, 1.0)


def test_the_axis_and_what_comes_through_are_those_too(same, short):
    wanted = reconstructed(same.acquisitions(), centre="auto")
    found = reconstructed(short.acquisitions(imaging=ASKED), centre="auto")
    assert found.centres == pytest.approx(wanted.centres, abs=1e-3)
    wanted = reconstructed(same.acquisitions(), absorption=False)
    found = reconstructed(short.acquisitions(imaging=ASKED), absorption=False)
    assert rms(found.slices, wanted.slices) < 1e-4
    dark, flat = short.dark.mean(axis=0), short.flat.mean(axis=0)
    lines, _ = absorption(short.projections, dark, flat, 4.0)
    wanted, _ = absorption(same.projections, dark, same.flat.mean(axis=0))
    np.testing.assert_allclose(lines, wanted, atol=1e-4)


def test_the_scale_is_given_for_frames_of_which_nobody_tells_the_exposure(same, short):
    wanted = reconstructed(same.acquisitions())
    found = reconstructed(short.acquisitions(), flat_scale=4)
    assert rms(found.slices, wanted.slices) < 1e-4
    # the user knows better than the run
    told = reconstructed(short.acquisitions(imaging={**ASKED, "flat_exposure": 7}), flat_scale=4)
    np.testing.assert_array_equal(told.slices, found.slices)
    for wrong in (0, -1.0, np.nan, "4"):
        with pytest.raises(ConfigurationError, match="flat_scale"):
            OnlineReconstruction(flat_scale=wrong)
        with pytest.raises(ConfigurationError, match="flat_scale"):
            GratingProcessing(flat_scale=wrong)


@pytest.mark.parametrize("told", [{"exposure": 0.2}, {"exposure": 0, "flat_exposure": 1}, "fast"])
def test_a_run_that_tells_no_exposures_has_them_the_same(same, told):
    found = reconstructed(same.acquisitions(imaging=told))
    assert found.facts["flat_scale"] == 1.0


def test_files_of_ours_tell_it(same, short, tmp_path):
    wanted = reconstructed(same.acquisitions()).slices
    path = tmp_path / "scan.h5"
    with h5py.File(path, "w") as file:
        file["exchange/data"], file["exchange/theta"] = short.projections, ANGLES
        file["exchange/data_white"], file["exchange/data_dark"] = short.flat, short.dark
        file["process/bluesky/start"] = json.dumps({"uid": "one", "imaging": ASKED})
    online = reconstructed(dx_acquisitions(path))
    assert rms(online.slices, wanted) < 1e-4
    spread = reconstruct_dx(path, range(HEIGHT), centre=CENTRE, client=None)
    np.testing.assert_array_equal(spread.slices, online.slices)
    assert spread.facts["flat_scale"] == online.facts["flat_scale"] == 4.0
    assert spread.facts["run_uid"] == "one"
    given = reconstruct_dx(path, centre=CENTRE, flat_scale=2, client=None)
    assert given.facts["flat_scale"] == 2.0

    walker = DirectoryWalker(tmp_path)
    with walker.scan() as scan:
        play(short.acquisitions(), [ImageWriter(walker)])
        write_experiment_start(scan, {"uid": "one", "imaging": ASKED})
    assert rms(reconstructed(tiff_acquisitions(scan)).slices, wanted) < 1e-4
    (scan / "experiment_start.json").write_text("{")
    assert reconstructed(tiff_acquisitions(scan)).facts["flat_scale"] == 1.0


@pytest.mark.parametrize("more", [[], pytest.param(["--workers", "local"], marks=pytest.mark.slow)])
def test_the_command_takes_it_for_files_of_others(same, short, tmp_path, more):
    path, out = tmp_path / "scan.h5", tmp_path / "slices"
    with h5py.File(path, "w") as file:
        file["exchange/data"], file["exchange/theta"] = short.projections, ANGLES
        file["exchange/data_white"], file["exchange/data_dark"] = short.flat, short.dark
    typed = ["reconstruct", path, "--rows", "2", "--centre", CENTRE, "--out", out, *more]
    result = CliRunner().invoke(app, [*map(str, typed), "--flat-scale", "4"])
    assert result.exit_code == 0, result.output
    wanted = reconstructed(same.acquisitions(), rows=[2]).slices
    with h5py.File(out / "tomogram.h5") as file:
        assert rms(file["entry/data/data"][()].T, wanted) < 1e-4
        assert file["entry/reconstruction/parameters/flat_scale"][()] == 4.0
    wrong = CliRunner().invoke(app, [*map(str, typed), "--flat-scale", "0"])
    assert wrong.exit_code == 2 and "--flat-scale" in wrong.output


def test_a_grating_without_a_sample_lets_all_light_through(tmp_path):
    config = GratingConfig(exposure=0.2, flat_exposure=0.1, steps_per_period=4)
    md = {"imaging": {"experiment": "grating", **config.metadata()}}
    step = np.cos(np.pi / 2 * np.arange(4))[:, None, None]
    light = 1000 + 300 * step * np.ones((4, 3, 5))
    walker = DirectoryWalker(tmp_path)
    with walker.scan() as scan:
        addon = GratingProcessing.of(config, walker=walker, files=("tiff", "hdf5"))
        feed(addon, "darks", np.full((2, 3, 5), 100.0), md=md)
        feed(addon, "flats", 100 + light, md=md)
        feed(addon, "primary", 100 + 2 * light, md=md)
        addon.close()
        found = addon.contrasts
        np.testing.assert_allclose(found.intensity_contrast, 1.0)
        np.testing.assert_allclose(found.visibility_contrast, 1.0)
        np.testing.assert_allclose(addon.reference.intensity, 1000.0)  # counts, as they came
        np.testing.assert_allclose(
            tifffile.imread(scan / "contrasts" / "intensity_contrast.tif"), 1.0
        )
    feed(addon, "flats", 100 + light, run="another", md={})
    feed(addon, "primary", 100 + 2 * light, run="another", md={})
    np.testing.assert_allclose(addon.contrasts.intensity_contrast[0, 0], 2100 / 1100)
