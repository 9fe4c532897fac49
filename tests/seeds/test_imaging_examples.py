"""The examples of imaging experiments as a user runs them, small."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from .test_examples import (
    ESCAPE,
    PNG,
    check_facts_of_the_tomogram,
    environment_of,
    example_file,
    run_example,
    wait_until_none_mentions,
)

STREAMS = ("darks", "flats", "radios")


def check_tomography(output: str, out: Path) -> None:
    check_frames(output, darks=10, flats=20, primary=6)
    (scan,) = (out / "scans").iterdir()
    (path,) = scan.glob("*-head.h5")
    with h5py.File(path) as file:
        data, theta = file["exchange/data"], file["exchange/theta"][()]
        assert data.shape == (6, 128, 128)
        assert file["exchange/data_white"].shape == (20, 128, 128)
        assert file["exchange/data_dark"].shape == (10, 128, 128)
        dark, light = (file[f"exchange/data_{each}"][()].mean() for each in ("dark", "white"))
        middle = data[:, 60:68, 60:68].mean()
        assert dark < 0.5 * middle < 0.5 * light  # through the sample, in the beam
    assert (np.diff(theta) > 0).all()
    for counted in ("6 projections", "20 flats", "10 darks"):
        assert f"-head.nxs: {counted}\n" in output
    assert "sinogram.shape=(6, 128)" in output
    (nxtomo,) = scan.glob("*-head.nxs")
    names = {path.name for path in scan.iterdir()}
    assert names == {
        "experiment.log", "experiment_start.json", "experiment_finish.json", *STREAMS, "head.png",
        path.name, nxtomo.name,
    }  # fmt: skip


def check_spiral(output: str, out: Path) -> None:
    check_frames(output, darks=10, flats=10, primary=20)
    assert "config.tomograms=5, config.total=20" in output
    (path,) = out.glob("scans/scan_0000/*-head.h5")
    with h5py.File(path) as file:
        assert file["exchange/data"].shape == (20, 32, 128)
        assert file["exchange/theta"][()].tolist() == [45.0 * index for index in range(20)]
    assert "heights[0]=2.00, heights[-1]=-2.75" in output


def check_grating(output: str, out: Path) -> None:
    check_frames(output, darks=10, flats=3, primary=3)
    for what, put_in in ("phase", 1), ("visibility", 0.75):
        (came_out,) = re.findall(rf"{what}: put in {put_in}\S*, came out (\S+)", output)
        assert float(came_out) == pytest.approx(put_in, abs=0.02)
    (path,) = out.glob("scans/scan_*/contrasts/grating.h5")
    assert len(list(path.parent.glob("*.tif"))) == 9
    with h5py.File(path) as file:
        contrast = file["entry/data/intensity_contrast"]
        assert contrast.shape == (128, 128)
        assert 0.2 < contrast[64, 64] < 0.9  # the sample absorbs


def check_series(output: str, out: Path) -> None:
    samples = []
    for scan in sorted((out / "scans").iterdir()):
        (path,) = scan.glob("*.h5")
        with h5py.File(path) as file:
            assert file["exchange/data"].shape == (3, 128, 128)
            sample = file["measurement/sample"]
            samples.append((sample["name"][()].decode(), sample["vertical"][()]))
    assert samples == [("bottom", 1.0), ("middle", 0.0), ("top", -1.0)]
    began = re.findall(r"^\w+ moved from (\S+) s to", output, re.M)
    assert len(began) == 2
    assert all(float(each) < 0 for each in began)  # while the run before still went on


def check_slices(output: str, out: Path) -> None:
    check_frames(output, darks=10, flats=10, primary=90)
    assert "found.slices.shape=(16, 128, 128) in 1/mm, axis at column 63." in output
    check_facts_of_the_tomogram(output, out.parent)


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
        pytest.param(
            "10_grating", ["--steps", "3", "--periods", "1"], check_grating,
            marks=pytest.mark.slow,
        ),
        pytest.param("11_series", ["--projections", "3"], check_series, marks=pytest.mark.slow),
        pytest.param(
            "12_online_reconstruction", ["--step", "--projections", "90"], check_slices,
            marks=pytest.mark.slow,
        ),
    ],
)  # fmt: skip
def test_example_with_its_own_hardware(tmp_path: Path, name: str, arguments: list[str], check):
    mark = f"ADSUPPORT_TEST={tmp_path}"
    options = ["--demo", "--binning", "4", "--out", str(tmp_path), *arguments]
    result = run_example(name, *options, **environment_of(mark))
    assert result.returncode == 0, result.stderr
    # a busy computer may be late with the frames of a flight
    said = [each for each in result.stderr.splitlines() if ", in steps of " not in each]
    assert said == []
    assert ESCAPE not in result.stdout  # no bar that moves
    (out,) = tmp_path.iterdir()
    (picture,) = out.rglob("*.png")
    assert picture.read_bytes().startswith(PNG)
    check(result.stdout, out)
    wait_until_none_mentions(mark)


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("08_tomography", ["--projections", "1"], "--projections: expected a whole number from 2"),
        ("09_spiral", ["--period", "-1"], "--period: expected a time in seconds, got '-1'"),
        ("08_tomography", ["--period", "0.01"], "--period 0.01: a frame is exposed for 0.02 s"),
        ("09_spiral", ["--fly", "--period", "0"], "--fly needs a --period"),
        ("10_grating", ["--steps", "2"], "--steps: expected a whole number from 3"),
        ("11_series", ["--out", "/dev/null"], "--out: /dev/null/series can't be written"),
        ("01_custom_file_name", ["--out", "/dev/null/x"], "can't be written (Not a directory)"),
    ],
)
def test_what_cannot_be_is_refused_before_any_hardware_is_started(
    name: str, arguments: list[str], said: str
):
    result = run_example(name, "--demo", *arguments)
    assert result.returncode == 2
    assert said in result.stderr.splitlines()[-1]
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("results", [False, True])
def test_a_directory_stays_if_something_is_in_it(tmp_path: Path, results: bool):
    out = tmp_path / "data" / "tomography"
    program = (
        "import pathlib, sys; from example_options import make_directory; "
        "out = make_directory(None, pathlib.Path(sys.argv[1])); "
        "sys.argv[2:] and (out / 'scan').mkdir(); raise SystemExit('refused')"
    )
    subprocess.run(
        [sys.executable, "-c", program, str(out), *(["x"] if results else [])],
        cwd=example_file("08_tomography").parent,
    )
    assert (tmp_path / "data").exists() == (out / "scan").exists() == results


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    ["08_tomography", "09_spiral", "10_grating", "11_series", "12_online_reconstruction"],
)
def test_ctrl_c_puts_all_back_and_ends_the_example(tmp_path: Path, name: str):
    mark = f"ADSUPPORT_TEST={tmp_path}"
    program = subprocess.Popen(
        [sys.executable, str(example_file(name)), "--demo", "--binning", "4", "--out",
         str(tmp_path)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=os.environ | environment_of(mark),
    )  # fmt: skip
    while not list(tmp_path.glob("*/scans/scan_*/flats/*")):  # the sample is out, the beam on
        with contextlib.suppress(subprocess.TimeoutExpired):
            pytest.fail(f"it ended by itself: {program.wait(timeout=0.1)}")
    program.send_signal(signal.SIGINT)
    _, errors = program.communicate(timeout=120)
    assert program.returncode == 1, errors
    assert errors.splitlines()[-1] == "interrupted"
    assert "Traceback" not in errors
    (scan,) = tmp_path.glob("*/scans/scan_*")
    assert (scan / "experiment_finish.json").exists()  # written when all has been put back
    wait_until_none_mentions(mark)
