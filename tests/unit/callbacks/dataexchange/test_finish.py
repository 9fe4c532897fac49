"""finish_dx: files of the simulated HDF5 plugin, completed, read with h5py."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from adsupport.callbacks.dataexchange import finish_dx
from adsupport.errors import (
    ConfigurationError,
    ImageFileError,
    OutputExistsError,
)

from .ioc_file import DARK, DATA, THETA, WHITE, ioc_file, read, unchanged

ROTATION = "/process/acquisition/rotation"


def test_a_whole_scan(tmp_path: Path) -> None:
    path = ioc_file(tmp_path / "scan.h5")
    result = finish_dx(path, theta=THETA)
    with h5py.File(path) as file:
        assert file["implements"].asstr()[()] == "exchange"
        assert file["exchange/theta"][:].tolist() == THETA
        assert file["exchange/theta"].dtype == np.float64
        assert file["exchange/theta"].attrs["units"] == "degree"
        exchange = file["exchange"]
        for name, ids in (("data_dark", [1, 2]), ("data_white", [3, 4]), ("data", range(5, 10))):
            assert exchange[name][:, 0, 0].tolist() == list(ids)
            assert exchange[name].attrs["units"] in ("counts", b"counts")
        assert exchange["data"].attrs["axes"] in ("theta:y:x", b"theta:y:x")
        assert file["defaults/NDArrayUniqueId"][:].tolist() == list(range(1, 10))
    assert result.changed
    assert result.frames == {DATA: 5, DARK: 2, WHITE: 2}
    assert str(result) == f"{path}: finished, frames: 5 at {DATA}, 2 at {DARK}, 2 at {WHITE}"
    assert result.theta is not None and result.theta.tolist() == THETA
    assert (result.missed_ids, result.missed_theta.tolist(), result.remarks) == ((), [], [])


def test_a_second_call_changes_no_byte(tmp_path: Path) -> None:
    path = ioc_file(tmp_path / "scan.h5")
    finish_dx(path, theta=THETA)
    before = path.read_bytes(), path.stat().st_mtime_ns
    os.chmod(path, 0o400)
    again = finish_dx(path, theta=THETA)
    assert not again.changed
    assert finish_dx(path).theta.tolist() == THETA  # type: ignore[union-attr]
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    assert os.listdir(tmp_path) != []


def test_what_a_layout_without_attributes_lacks(tmp_path: Path) -> None:
    """A file of another layout than ours, such as those at APS: no units, no axes."""
    path = ioc_file(tmp_path / "scan.h5")
    with h5py.File(path, "r+") as file:
        for name in ("data", "data_dark", "data_white"):
            del file["exchange"][name].attrs["units"]
        del file["exchange/data"].attrs["axes"]
        file.create_group("measurement")
        file.create_group("process")
    finish_dx(path, theta=THETA)
    with h5py.File(path) as file:
        assert file["implements"].asstr()[()] == "exchange:measurement:process"
        for name in ("data", "data_dark", "data_white"):
            assert file["exchange"][name].attrs["units"] == "counts"
        assert file["exchange/data"].attrs["axes"] == "theta:y:x"
        assert "axes" not in file["exchange/data_dark"].attrs


# ---- where the angles come from


@pytest.mark.parametrize("names", [("start", "step"), ("rotation_start", "rotation_step")])
def test_angles_of_the_rotation(names: tuple[str, str], tmp_path: Path) -> None:
    values = {
        f"{ROTATION}/{names[0]}": 10.0,
        f"{ROTATION}/{names[1]}": 0.5,
        f"{ROTATION}/num_angles": 5,
    }
    path = ioc_file(tmp_path / "scan.h5", values=values)
    result = finish_dx(path)
    assert read(path, "/exchange/theta").tolist() == [10.0, 10.5, 11.0, 11.5, 12.0]
    assert result.missed_ids == ()


def test_angles_of_the_rotation_in_radians(tmp_path: Path) -> None:
    values = {
        f"{ROTATION}/start": 0.0,
        f"{ROTATION}/step": np.pi / 8,
        f"{ROTATION}/step@units": "rad",
        f"{ROTATION}/num_angles": 5,
    }
    path = ioc_file(tmp_path / "scan.h5", values=values)
    finish_dx(path)
    assert np.allclose(read(path, "/exchange/theta"), [0, 22.5, 45, 67.5, 90], atol=1e-12)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("start", "zero", r"rotation/start in .* is \[b'zero'\]; expected a number"),
        ("num_angles", 4.5, "num_angles in .* is 4.5; expected a count"),
        ("num_angles", 2_000_000_000, r"num_angles in .* is 2e\+09; expected a count"),
        ("step@units", "mm", "rotation/step in .* has the unit 'mm'; expected degrees"),
    ],
)
def test_a_rotation_that_is_none(name: str, value: Any, message: str, tmp_path: Path) -> None:
    values = {f"{ROTATION}/start": 0, f"{ROTATION}/step": 1, f"{ROTATION}/num_angles": 5}
    path = ioc_file(tmp_path / "scan.h5", values=values | {f"{ROTATION}/{name}": value})
    error = unchanged(path)
    assert isinstance(error, ImageFileError)
    pytest.raises(ImageFileError, finish_dx, path).match(message)


def test_angles_by_unique_id_also_of_flats_and_darks(tmp_path: Path) -> None:
    path = ioc_file(tmp_path / "scan.h5")
    angles = {1: 90.0, 2: 90.0, 3: -1.0} | dict(zip(range(5, 10), THETA, strict=True))
    finish_dx(path, theta=angles)
    with h5py.File(path) as file:
        assert file["exchange/theta"][:].tolist() == THETA
        assert file["exchange/theta_dark"][:].tolist() == [90, 90]
        assert file["exchange/theta_dark"].attrs["units"] == "degree"
        assert "theta_white" not in file["exchange"], "the angle of one of them is unknown"


def test_no_angles_at_all(tmp_path: Path) -> None:
    path = ioc_file(tmp_path / "scan.h5")
    error = unchanged(path)
    assert "no angles for its 5 projections" in str(error)
    assert "give theta=" in str(error)


@pytest.mark.parametrize(
    ("theta", "message"),
    [
        ([0, 1, np.nan, 3, 4], "NaN"),
        ([[0, 1, 2, 3, 4]], "shape is"),
        ([], "shape is"),
        (["a"] * 5, "numbers"),
        ({5.5: 1.0}, "keys"),
        ({"5": 1.0}, "keys"),
        (object(), "numbers"),
        ([0, 1, 2, 3], "5 projections, but only 4 angles"),
        ({5: 0.0}, "unique ids 6, 7, 8, 9 have no angle"),
    ],
)
def test_angles_that_cannot_be_used(theta: Any, message: str, tmp_path: Path) -> None:
    error = unchanged(ioc_file(tmp_path / "scan.h5"), theta=theta)
    assert isinstance(error, ConfigurationError)
    assert message in str(error)


# ---- angles that are there


def test_angles_that_tomoscan_added_are_kept(tmp_path: Path) -> None:
    path = ioc_file(tmp_path / "scan.h5")
    theta = np.arange(5) * 36.1
    with h5py.File(path, "r+") as file:
        file["exchange/theta"] = theta.astype(np.float32)
    result = finish_dx(path, theta=theta)
    assert result.changed
    with h5py.File(path) as file:
        assert file["exchange/theta"].dtype == np.float32
        assert file["exchange/theta"].attrs["units"] == "degree"
        assert file["implements"].asstr()[()] == "exchange"


def test_other_angles_are_replaced_on_request_only(tmp_path: Path) -> None:
    path = ioc_file(tmp_path / "scan.h5")
    finish_dx(path, theta=THETA)
    other = [each + 1 for each in THETA]
    error = unchanged(path, theta=other)
    assert isinstance(error, OutputExistsError)
    assert "has other angles: 0, 36, 72, 108, 144; expected (5,): 1, 37" in str(error)
    finish_dx(path, theta=other, replace=True)
    assert read(path, "/exchange/theta").tolist() == other
    assert not finish_dx(path, theta=other).changed


def test_angles_of_another_number_of_frames(tmp_path: Path) -> None:
    path = ioc_file(tmp_path / "scan.h5")
    with h5py.File(path, "r+") as file:
        file["exchange/theta"] = [1.0, 2.0]
    assert isinstance(unchanged(path), ConfigurationError)
    assert isinstance(unchanged(path, theta=THETA), OutputExistsError)
    with h5py.File(path, "r+") as file:
        del file["exchange/theta"]
        file["exchange/theta"] = list("abcde")
    assert "no angles" in str(unchanged(path))
    assert "has other angles: (5,) object" in str(unchanged(path, theta=THETA))
    finish_dx(path, theta=THETA, replace=True)
    assert read(path, "/exchange/theta").tolist() == THETA


# ---- files that can't be finished


WRITER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from tests.unit.callbacks.dataexchange.ioc_file import DATA, frame, open_file
files = []
for name in ("plain", "swmr"):
    files.append(open_file(Path(sys.argv[1]) / f"{name}.h5", swmr=name == "swmr"))
    files[-1].write(frame(DATA, 1))
    files[-1].flush()
print("ready", flush=True)
if sys.stdin.read():
    for file in files:
        file.close()
"""


def test_files_that_are_being_written(tmp_path: Path) -> None:
    root = Path(__file__).parents[4]
    command = [sys.executable, "-c", WRITER, str(tmp_path), str(root)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as it:
        assert it.stdout is not None
        assert it.stdout.readline() == "ready\n"
        for name in ("plain", "swmr"):
            error = unchanged(tmp_path / f"{name}.h5", theta=[0])
            assert isinstance(error, ImageFileError)
            assert "writer" in str(error)
            assert "top the capture of the file plugin" in str(error)
        it.communicate("close")
    for name in ("plain", "swmr"):
        assert finish_dx(tmp_path / f"{name}.h5", theta=[0]).changed
        assert read(tmp_path / f"{name}.h5", "/exchange/theta").tolist() == [0]


def test_a_file_that_somebody_reads(tmp_path: Path) -> None:
    path = ioc_file(tmp_path / "scan.h5")
    with h5py.File(path):
        assert isinstance(unchanged(path, theta=THETA), ImageFileError)
    assert finish_dx(path, theta=THETA).changed


def test_files_that_are_none(tmp_path: Path) -> None:
    path = ioc_file(tmp_path / "scan.h5")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert isinstance(unchanged(path, theta=THETA), ImageFileError)
    path.write_bytes(b"")
    assert isinstance(unchanged(path, theta=THETA), ImageFileError)
    with h5py.File(path, "w") as file:
        file["entry/data"] = 1
    assert "isn't a Data Exchange file" in str(unchanged(path, theta=THETA))
    with h5py.File(path, "w") as file:
        file[DATA] = np.zeros((3, 4))
    assert "expected frames, rows and columns" in str(unchanged(path, theta=THETA))
    with h5py.File(path, "w") as file:
        file.create_group(DATA)
    assert "is a group" in str(unchanged(path, theta=THETA))
    with pytest.raises(ImageFileError, match="is missing"):
        finish_dx(tmp_path / "none.h5", theta=THETA)
    with pytest.raises(ImageFileError, match="can't be looked at"):
        finish_dx("a\0b", theta=THETA)
    with pytest.raises(ImageFileError, match="is a directory"):
        finish_dx(tmp_path, theta=THETA)


def test_links_out_of_the_file_are_not_followed(tmp_path: Path) -> None:
    other = ioc_file(tmp_path / "other.h5")
    before = other.read_bytes()
    for place in ("exchange", DATA, "exchange/theta", "implements"):
        path = ioc_file(tmp_path / "scan.h5")
        with h5py.File(path, "r+") as file:
            if place in file:
                del file[place]
            file[place] = h5py.ExternalLink("other.h5", "/exchange/data")
        assert "is a link to another place" in str(unchanged(path, theta=THETA))
    assert other.read_bytes() == before


def test_fewer_frames_than_are_named(tmp_path: Path) -> None:
    path = ioc_file(tmp_path / "scan.h5")
    with h5py.File(path, "r+") as file:
        file[DATA].resize(4, axis=0)
    error = unchanged(path, theta=THETA[:4])
    assert "/exchange/data has 4, named for 5" in str(error)
