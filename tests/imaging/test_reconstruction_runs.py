"""From the camera to the slice: the phantom of the beamline comes out, online and offline."""

from __future__ import annotations

import h5py
import numpy as np
import pytest
from typer.testing import CliRunner

from adsupport.cli.app import app
from adsupport.documents.json_text import encode_document
from adsupport.imaging import DirectoryWalker, TomographyConfig, tomography
from adsupport.imaging.addons import OnlineReconstruction
from adsupport.imaging.frames import HDF5FileSource, play, run_acquisitions
from adsupport.sim.beamline.phantom import head_with_beads

BINNING, ROWS = 4, 3
PIXEL = 0.010 * BINNING  # mm
WIDTH = 512 // BINNING
TOP = 254 // BINNING * BINNING  # first row of the camera that is read


def truth(row: int) -> np.ndarray:
    """Attenuation of a slice, 1/mm: the mean of 4 x 4 points in each pixel, at 3 heights."""
    fine = (np.arange(4) - 1.5) / 4
    place = (np.arange(WIDTH)[:, None] - WIDTH // 2 + fine).ravel() * PIXEL
    x, down = np.meshgrid(place, place)
    middle = (255.5 - (TOP + BINNING * row + (BINNING - 1) / 2)) * 0.010
    total = np.zeros((WIDTH, WIDTH))
    for height in middle + np.array([-1.0, 0.0, 1.0]) * PIXEL / 3:
        points = np.stack([x, np.full_like(x, height), -down], axis=-1)
        density = head_with_beads().density(points)
        total += density.reshape(WIDTH, 4, WIDTH, 4).mean(axis=(1, 3)) / 3
    return total  # at the beamline's absorption of 1 per mm


def rms(found: np.ndarray, wanted: np.ndarray) -> float:
    """Root mean square of the difference, relative to that of what is wanted."""
    return float(np.sqrt(np.mean((found - wanted) ** 2) / np.mean(wanted**2)))


def evenly(image: np.ndarray, reach: int = 3) -> np.ndarray:
    """Tell which pixels have no other value than theirs so near."""
    steps = range(-reach, reach + 1)
    near = [np.roll(image, (dy, dx), axis=(0, 1)) for dy in steps for dx in steps]
    return np.ptp(near, axis=0) < 1e-9


@pytest.fixture
def small(station):
    """The station, with few pixels and no noise."""
    kept = {name: station.get(name) for name in (
        "cam1:BinX", "cam1:BinY", "cam1:SizeY", "cam1:MinY", "scene:PhotonNoise", "cam1:Noise",
    )}  # fmt: skip
    for name, value in {
        "scene:PhotonNoise": 0, "cam1:Noise": 0.0, "cam1:BinX": BINNING, "cam1:BinY": BINNING,
        "cam1:SizeY": ROWS * BINNING, "cam1:MinY": TOP,
    }.items():  # fmt: skip
        station.put(name, value)
    swmr = station.det.hdf1.stage_sigs.get("swmr_mode")
    station.det.hdf1.stage_sigs["swmr_mode"] = 1
    yield station
    station.det.hdf1.stage_sigs.pop("swmr_mode")
    if swmr is not None:
        station.det.hdf1.stage_sigs["swmr_mode"] = swmr
    for name, value in reversed(kept.items()):
        station.put(name, value)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["step", "fly"])
def test_the_phantom_comes_out(small, tmp_path, mode):
    walker = DirectoryWalker(tmp_path)
    config = TomographyConfig(
        projections=200, exposure=0.005, period=0.03 if mode == "step" else 0.06, darks=2,
        flats=2, flat_exposure=0.0025, mode=mode, order=["darks", "flats", "primary"],
    )  # fmt: skip
    slices = OnlineReconstruction(rows=range(ROWS), pixel_size=1000 * PIXEL, walker=walker)
    seen = []

    class Viewer:
        def show_image(self, channel, image, facts):
            seen.append(facts["projections"])

    watched = OnlineReconstruction(centre=(WIDTH - 1) / 2, viewer=Viewer(), interval=0.05)
    experiment = tomography(
        small.camera, small.axis() if mode == "fly" else small.rotation, config,
        walker=walker, frames=HDF5FileSource(small.det.hdf1), addons=[slices, watched],
        **small.places,
    )  # fmt: skip
    small.run(experiment)
    found = slices.result
    assert found.centres == pytest.approx([(WIDTH - 1) / 2] * ROWS, abs=0.1)
    assert found.missing == () and slices.left_out == {}
    assert found.facts["flat_scale"] == 2.0
    assert found.facts["angles_from"] == "planned"
    assert found.facts["angles_off_degrees"] == pytest.approx(0, abs=0.01 if mode == "step" else 20)
    inside = np.hypot(*(np.indices((WIDTH, WIDTH)) - WIDTH // 2)) < WIDTH // 2 - 1
    for row in range(ROWS):
        true = truth(row) * inside
        # Most of the error is at the skull's edges, which go over less than a pixel.  A flight's
        # frames are late by some tenths of a degree, more of them on a busy computer.
        assert rms(found.slices[row], true) < (0.16 if mode == "step" else 0.4)
        even = evenly(true) & (true > 0)  # brain and tumour, far from edges
        error = found.slices[row][even] - true[even]
        assert even.sum() > 1000
        assert np.sqrt(np.mean(error**2)) < 0.006  # 1/mm, of 0.2 and 0.3
    assert 3 < len(seen) and seen[0] < 100 < seen[-1] == 200  # while it went on
    (path,) = tmp_path.glob("scan_*/online-slices/tomogram.h5")
    with h5py.File(path) as file:
        np.testing.assert_array_equal(file["entry/data/data"][..., 1].T, found.slices[1])

    # the same run once more, from its documents and files
    again = OnlineReconstruction(rows=range(ROWS), centre=found.centres, pixel_size=1000 * PIXEL)
    play(run_acquisitions(small.documents), [again])
    assert again.result.facts["angles_from"] == "recorded"
    if mode == "step":
        np.testing.assert_array_equal(again.result.slices, found.slices)
        lines = tmp_path / "run.jsonl"
        lines.write_bytes(b"".join(encode_document(*each) for each in small.documents))
        result = CliRunner().invoke(app, [
            "reconstruct", "-1", "--file", str(lines), "--rows", "1", "--pixel-size",
            str(1000 * PIXEL), "--centre", str(found.centres[1]), "--out", str(tmp_path / "out"),
        ])  # fmt: skip
        assert result.exit_code == 0, result.output
        with h5py.File(tmp_path / "out" / "tomogram.h5") as file:
            np.testing.assert_array_equal(file["entry/data/data"][..., 0].T, found.slices[1])
    else:  # with the angles that were measured
        assert rms(again.result.slices[1], truth(1) * inside) < 0.25
