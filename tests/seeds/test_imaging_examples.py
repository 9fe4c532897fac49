"""The examples of imaging experiments as a user runs them, small."""

from __future__ import annotations

import re
from pathlib import Path

import h5py
import numpy as np
import pytest

from .test_examples import ESCAPE, PNG, environment_of, run_example, wait_until_none_mentions

STREAMS = ("darks", "flats", "radios")


def check_tomography(output: str, out: Path) -> None:
    check_frames(output, darks=10, flats=20, primary=6)
    with h5py.File(out / "head.h5") as file:
        data, theta = file["exchange/data"], file["exchange/theta"][()]
        assert data.shape == (6, 128, 128)
        assert file["exchange/data_white"].shape == (20, 128, 128)
        assert file["exchange/data_dark"].shape == (10, 128, 128)
        dark, light = (file[f"exchange/data_{each}"][()].mean() for each in ("dark", "white"))
        middle = data[:, 60:68, 60:68].mean()
        assert dark < 0.5 * middle < 0.5 * light  # through the sample, in the beam
    assert (np.diff(theta) > 0).all()
    assert "head.nxs: 6 projections\nhead.nxs: 20 flats\nhead.nxs: 10 darks\n" in output
    assert "sinogram.shape=(6, 128)" in output
    (scan,) = (out / "scans").iterdir()
    names = {path.name for path in scan.iterdir()}
    assert names == {
        "experiment.log", "experiment_start.json", "experiment_finish.json", *STREAMS,
    }  # fmt: skip


def check_spiral(output: str, out: Path) -> None:
    check_frames(output, darks=10, flats=10, primary=20)
    assert "config.tomograms=5, config.total=20" in output
    with h5py.File(out / "spiral.h5") as file:
        assert file["exchange/data"].shape == (20, 32, 128)
        assert file["exchange/theta"][()].tolist() == [45.0 * index for index in range(20)]
    assert "heights[0]=2.00, heights[-1]=-2.75" in output


def check_grating(output: str, out: Path) -> None:
    check_frames(output, darks=10, flats=3, primary=3)
    for what, put_in in ("phase", 1), ("visibility", 0.75):
        (came_out,) = re.findall(rf"{what}: put in {put_in}\S*, came out (\S+)", output)
        assert float(came_out) == pytest.approx(put_in, abs=0.02)
    with h5py.File(out / "grating.h5") as file:
        assert file["intensity_contrast"].shape == (128, 128)
        assert 0.2 < file["intensity_contrast"][64, 64] < 0.9  # the sample absorbs


def check_series(output: str, out: Path) -> None:
    samples = []
    for scan in sorted((out / "scans").iterdir()):
        (path,) = scan.glob("*.h5")
        with h5py.File(path) as file:
            assert file["exchange/data"].shape == (3, 128, 128)
            samples.append(file["measurement/sample/name"][()].decode())
    assert samples == ["bottom", "middle", "top"]
    began = re.findall(r"^\w+ moved from (\S+) s to", output, re.M)
    assert len(began) == 2
    assert all(float(each) < 0 for each in began)  # while the run before still went on


def check_frames(output: str, **streams: int) -> None:
    for stream, frames in streams.items():
        assert re.search(rf"^{stream} .* {frames}/{frames} ", output, re.M)


@pytest.mark.parametrize(
    ("name", "arguments", "check"),
    [
        ("08_tomography", ["--projections", "6", "--period", "0"], check_tomography),
        pytest.param(
            "08_tomography", ["--fly", "--projections", "6"], check_tomography,
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "09_spiral", ["--projections", "4", "--period", "0"], check_spiral,
            marks=pytest.mark.slow,
        ),
        ("10_grating", ["--steps", "3", "--periods", "1"], check_grating),
        pytest.param("11_series", ["--projections", "3"], check_series, marks=pytest.mark.slow),
    ],
)  # fmt: skip
def test_example_with_its_own_hardware(tmp_path: Path, name: str, arguments: list[str], check):
    mark = f"ADSUPPORT_TEST={tmp_path}"
    options = ["--demo", "--binning", "4", "--out", str(tmp_path), *arguments]
    result = run_example(name, *options, **environment_of(mark))
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    assert ESCAPE not in result.stdout  # no bar that moves
    (out,) = tmp_path.iterdir()
    assert all(path.read_bytes().startswith(PNG) for path in out.glob("*.png"))
    assert len(list(out.glob("*.png"))) == 1
    check(result.stdout, out)
    wait_until_none_mentions(mark)
