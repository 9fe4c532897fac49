"""``adsupport reconstruct`` and ``adsupport consume ADDRESS reconstruct``, as they are typed."""

from __future__ import annotations

import os
import subprocess
import sys

import h5py
import numpy as np
import pytest
import tifffile
from typer.testing import CliRunner

from adsupport.cli.app import app
from adsupport.errors import ConfigurationError, ImageFileError, OutputExistsError
from adsupport.imaging import DirectoryWalker, equal_angles
from adsupport.imaging.addons import ImageWriter
from adsupport.imaging.frames import play
from adsupport.imaging.reconstruction import reconstruct
from adsupport.imaging.remote import FramePublisher
from adsupport.imaging.stored_tomogram import reconstruct_dx

from .made_tomography import CENTRE, HEIGHT, MadeTomography

ANGLES = equal_angles(90, 180)


@pytest.fixture(scope="module")
def made() -> MadeTomography:
    return MadeTomography(ANGLES)


@pytest.fixture
def dx(made, tmp_path):
    path = tmp_path / "scan.h5"
    with h5py.File(path, "w") as file:
        file["exchange/data"] = made.projections
        file["exchange/data_white"] = made.flat
        file["exchange/data_dark"] = made.dark
        file["exchange/theta"] = ANGLES
    return path


def command(*arguments: object):
    return CliRunner().invoke(app, ["reconstruct", *map(str, arguments)])


def wanted_of(made, rows, **settings):
    return reconstruct(
        made.projections, ANGLES, darks=made.dark, flats=made.flat, rows=rows, centre=CENTRE,
        **settings,
    )  # fmt: skip


def test_a_dx_file_becomes_slices(made, dx, tmp_path):
    out = tmp_path / "slices"
    result = command(
        dx, "--rows", "1:5:2", "--centre", CENTRE, "--filter", "hann", "--to", "hdf5,tiff",
        "--out", out,
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    names = "tomogram.h5", "slice_000001.tif", "slice_000003.tif"
    assert result.stdout.split() == [str(out / name) for name in names]
    assert "2 slices of 90 projections, axis at column 33.40 (given)" in result.stderr
    wanted = wanted_of(made, [1, 3], filter="hann")
    with h5py.File(out / names[0]) as file:
        np.testing.assert_array_equal(file["entry/data/data"][()].T, wanted)
    np.testing.assert_array_equal(tifffile.imread(out / names[2]), wanted[1])
    again = command(dx, "--rows", "1", "--out", out)
    assert isinstance(again.exception, OutputExistsError)


def test_tiff_files_get_angles_from_the_command_line(made, tmp_path):
    walker = DirectoryWalker(tmp_path)
    with walker.scan() as scan:
        play(made.acquisitions(angle=None, planned=False), [ImageWriter(walker)])
    options = "--rows", "2", "--centre", CENTRE, "--out", tmp_path / "slices", "--to", "tiff"
    nothing = command(scan, *options)
    assert "nobody knows its angle" in str(nothing.exception)
    result = command(scan, *options, "--angle", "180")
    assert result.exit_code == 0, result.output
    found = tifffile.imread(tmp_path / "slices" / "slice_000002.tif")
    np.testing.assert_array_equal(found, wanted_of(made, [2])[0])


def test_frames_that_are_missing_are_said_and_shift_no_angle(made, dx, tmp_path):
    wanted, lost = wanted_of(made, [2])[0], [7, 30, 31]
    walker = DirectoryWalker(tmp_path)
    with walker.scan() as scan:
        play(made.acquisitions(angle=None, planned=False), [ImageWriter(walker)])
    for place in lost:
        (scan / "radios" / f"frame_{place:06}.tif").unlink()
    with h5py.File(dx, "r+") as file:
        del file["exchange/theta"]
        kinds = np.zeros(90, int)
        kinds[lost] = 3
        file["process/acquisition/image_key"] = [2] * 4 + [1] * 4 + kinds.tolist()
    for source in (scan, dx):
        out = tmp_path / f"of {source.name}"
        result = command(
            source, "--rows", 2, "--centre", CENTRE, "--angle", 180, "--to", "tiff", "--out", out
        )
        assert result.exit_code == 0, result.output
        assert "primary: 3 frames missing" in result.stderr
        assert "neighbours stand in for projections 7, 30-31, counted from 0" in result.stderr
        difference = tifffile.imread(out / "slice_000002.tif") - wanted
        assert np.sqrt((difference**2).mean() / (wanted**2).mean()) < 0.05


def test_a_file_that_cannot_be_read_is_an_error_beside_frames_that_are_missing(made, tmp_path):
    walker = DirectoryWalker(tmp_path)
    with walker.scan() as scan:
        play(made.acquisitions(), [ImageWriter(walker)])
    (scan / "radios" / "frame_000005.tif").unlink()
    (scan / "radios" / "frame_000040.tif").write_bytes(b"II*\0")
    out = tmp_path / "slices"
    found = command(scan, "--centre", CENTRE, "--out", out).exception
    assert isinstance(found, ImageFileError) and "frame_000040.tif" in str(found)
    assert not out.exists()


@pytest.mark.parametrize("measured", [None, 30.0])
def test_angles_on_workers_are_given_where_the_file_has_none(made, dx, tmp_path, measured):
    with h5py.File(dx, "r+") as file:
        theta = np.full(90, np.nan)
        theta[15] = np.nan if measured is None else measured
        file["exchange/theta"][...] = theta
        if measured is None:
            del file["exchange/theta"]
    found = reconstruct_dx(dx, 2, centre=CENTRE, angles=ANGLES, client=None)
    np.testing.assert_array_equal(found.slices[0], wanted_of(made, [2])[0])
    assert found.facts["angles_from"] == ("given" if measured is None else "given and recorded")
    with pytest.raises(ConfigurationError, match="89 angles are given; .* has 90 projections"):
        reconstruct_dx(dx, 2, angles=ANGLES[1:])


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["--rows", "middle"], "expected rows, such as"),
        (["--rows", "0:5:0"], "expected rows, such as"),
        (["--pixel-size", "0"], "above 0"),
        (["--centre", "left"], "expected pixels, or auto"),
        (["--filter", "fine"], "expected one of ramp"),
        (["--to", "png"], "'tiff' or 'hdf5'"),
        (["--catalog", "mine", "--workers", "local"], "export --to dx"),
    ],
)
def test_what_is_typed_wrong_is_said(dx, tmp_path, arguments, said):
    result = command(dx, "--out", tmp_path / "slices", *arguments)
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.replace("│", " ").split())
    assert not (tmp_path / "slices").exists()


def test_files_that_will_not_do_are_said(dx, tmp_path):
    options = "--out", tmp_path / "slices"
    assert isinstance(command(tmp_path / "none.h5", *options).exception, ImageFileError)
    with h5py.File(dx, "r+") as file:
        del file["exchange/data"]
    assert isinstance(command(dx, *options).exception, ConfigurationError)
    with h5py.File(dx, "r+") as file:
        file["exchange/data"] = np.ones((90, HEIGHT, 64), np.uint16)
        file["exchange/theta"][3] = np.nan
    spread = command(dx, "--workers", "local", *options)
    assert "90 projections, and 89 angles" in str(spread.exception)


@pytest.mark.parametrize("more", [[], ["--workers", "local"]])
def test_a_file_without_the_files_that_it_links_to_is_refused(made, tmp_path, more):
    frames, path = tmp_path / "frames.h5", tmp_path / "linked.h5"
    with h5py.File(frames, "w") as file:
        file["data"] = made.projections
    layout = h5py.VirtualLayout(made.projections.shape, np.uint16)
    layout[:] = h5py.VirtualSource("frames.h5", "data", made.projections.shape)
    with h5py.File(path, "w") as file:
        file.create_virtual_dataset("exchange/data", layout)
        file["exchange/data_white"], file["exchange/data_dark"] = made.flat, made.dark
        file["exchange/theta"] = ANGLES
    frames.unlink()
    result = command(path, "--centre", CENTRE, "--out", tmp_path / "slices", *more)
    assert isinstance(result.exception, ImageFileError)
    assert "frames.h5" in str(result.exception) and "Move both together" in str(result.exception)
    assert not (tmp_path / "slices").exists()


@pytest.mark.slow
def test_slices_are_the_same_on_workers(made, dx, tmp_path):
    with h5py.File(dx, "r+") as file:
        file["process/bluesky/start"] = '{"uid": "of the run"}'
        file["exchange/theta"][...] = np.radians(ANGLES)
        file["exchange/theta"].attrs["units"] = "rad"
        file["exchange/theta"][15] = np.nan
    for number, more in enumerate((["--workers", "local"], [])):
        out = tmp_path / str(number)
        result = command(dx, "--rows", ":", "--angle", "180", "--out", out, *more)
        assert result.exit_code == 0, result.output
    found, settings = [], []
    for number in range(2):
        with h5py.File(tmp_path / str(number) / "tomogram.h5") as file:
            found.append(file["entry/data/data"][()])
            parameters = file["entry/reconstruction/parameters"]
            settings.append({key: each[()] for key, each in parameters.items() if not each.shape})
    np.testing.assert_array_equal(*found)
    assert settings[0] == settings[1]
    assert (settings[0]["flats"], settings[0]["run_uid"]) == (4, b"of the run")
    assert settings[0]["projections"] == 90


@pytest.mark.slow
def test_a_process_elsewhere_reconstructs(made, tmp_path):
    publisher = FramePublisher("tcp://127.0.0.1:*", consumers=["slices"])
    line = [
        sys.executable, "-m", "adsupport.cli", "consume", publisher.address, "reconstruct",
        "--name", "slices", "--rows", "0:5:2", "--centre", str(CENTRE), "--out", "scans",
    ]  # fmt: skip
    with subprocess.Popen(line, cwd=tmp_path, stdout=subprocess.PIPE, text=True, env=os.environ):
        publisher.ready()
        play(made.acquisitions(), [publisher])
        publisher.shutdown()
    (path,) = tmp_path.glob("scans/scan_*/online-slices/tomogram.h5")
    with h5py.File(path) as file:
        np.testing.assert_array_equal(
            file["entry/data/data"][()].transpose(2, 1, 0), wanted_of(made, [0, 2, 4])
        )


def test_slices_that_exist_are_told_before_they_are_computed(dx, tmp_path, monkeypatch):
    (tmp_path / "slice_000002.tif").touch()
    monkeypatch.setattr("adsupport.cli.reconstruct._played", None)
    result = command(dx, "--out", tmp_path, "--to", "tiff", "--rows", ":")
    assert isinstance(result.exception, OutputExistsError)


def test_a_pixel_has_a_size(dx):
    with pytest.raises(ConfigurationError, match="pixel_size"):
        reconstruct_dx(dx, pixel_size=-1.0)
