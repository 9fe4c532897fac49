"""finish_dx where frames are missing, or nobody can tell: no angle is ever shifted."""

from __future__ import annotations

from pathlib import Path

import h5py

from adsupport.callbacks.dataexchange import finish_dx
from adsupport.errors import FrameCountError

from .ioc_file import DARK, DATA, SCAN, THETA, WHITE, ioc_file, read, unchanged


def test_missing_projections_are_named(tmp_path: Path) -> None:
    path = ioc_file(tmp_path / "scan.h5", [each for each in SCAN if each[1] not in (6, 8)])
    error = unchanged(path, theta=THETA)
    assert isinstance(error, FrameCountError)
    assert (error.missing, error.expected, error.got) == ((6, 8), 5, 3)
    assert "those at 36, 108 degrees, unique ids 6, 8" in str(error)
    result = finish_dx(path, theta=THETA, missing="drop")
    assert read(path, "/exchange/theta").tolist() == [0, 72, 144]
    assert result.missed_ids == (6, 8)
    assert result.missed_theta.tolist() == [36, 108]
    assert not finish_dx(path, theta=THETA, missing="drop").changed


def test_the_first_projection_is_missing(tmp_path: Path) -> None:
    """TomoScan would give the second one the first angle; here nothing is guessed."""
    path = ioc_file(tmp_path / "scan.h5", [each for each in SCAN if each[1] != 5])
    assert "any from 5 to 6" in str(unchanged(path, theta=THETA, missing="drop"))
    result = finish_dx(path, theta=THETA, missing="drop", first_id=5)
    assert read(path, "/exchange/theta").tolist() == THETA[1:]
    assert result.missed_ids == (5,)


def test_a_scan_that_was_aborted(tmp_path: Path) -> None:
    """The frame before the first projection has the id before: the first one isn't missing."""
    path = ioc_file(tmp_path / "scan.h5", SCAN[:7])
    result = finish_dx(path, theta=THETA, missing="drop")
    assert read(path, "/exchange/theta").tolist() == THETA[:3]
    assert result.missed_ids == (8, 9)


def test_nobody_can_tell_which_one_is_missing(tmp_path: Path) -> None:
    """Without frames before, four of five may lack the first or the last."""
    path = ioc_file(tmp_path / "scan.h5", [(DATA, number) for number in range(11, 15)])
    error = unchanged(path, theta=THETA, missing="drop")
    assert "any from 10 to 11" in str(error)
    assert "Give first_id=" in str(error)
    unchanged(path, theta=THETA, missing="drop", first_id=9)
    finish_dx(path, theta=THETA, missing="drop", first_id=10)
    assert read(path, "/exchange/theta").tolist() == THETA[1:]


def test_projections_in_two_parts(tmp_path: Path) -> None:
    """All there: in order. One missing between other frames: refused, then by unique id."""
    scan = [(DATA, 1), (DATA, 2), (WHITE, 3), (DATA, 4), (DATA, 5), (DATA, 6)]
    path = ioc_file(tmp_path / "scan.h5", scan)
    result = finish_dx(path, theta=THETA)
    assert read(path, "/exchange/theta").tolist() == THETA
    assert "order" in result.remarks[1]
    path = ioc_file(tmp_path / "less.h5", scan[:4] + scan[5:])
    assert "between the projections" in str(unchanged(path, theta=THETA, missing="drop"))
    angles = dict(zip((1, 2, 4, 5, 6), THETA, strict=True))
    result = finish_dx(path, theta=angles, missing="drop")
    assert read(path, "/exchange/theta").tolist() == [0, 36, 72, 144]
    assert (result.missed_ids, result.missed_theta.tolist()) == ((5,), [108])


def test_unique_ids_that_were_reset(tmp_path: Path) -> None:
    scan = [(WHITE, 1), (WHITE, 2), (DATA, 1), (DATA, 2), (DATA, 1), (DATA, 2)]
    path = ioc_file(tmp_path / "scan.h5", scan)
    assert "were reset" in str(unchanged(path, theta=THETA, missing="drop"))
    assert "one unique id" in str(unchanged(path, theta={1: 0, 2: 1}))
    finish_dx(path, theta=THETA[:4])
    assert read(path, "/exchange/theta").tolist() == THETA[:4]


def test_a_dataset_without_frames_loses_its_blank_one(tmp_path: Path) -> None:
    path = ioc_file(tmp_path / "scan.h5", [each for each in SCAN if each[0] != WHITE])
    assert read(path, WHITE).shape == (1, 3, 4)
    result = finish_dx(path, theta=THETA)
    with h5py.File(path) as file:
        assert file[WHITE].shape == (0, 3, 4)
        assert file[DARK].shape == (2, 3, 4)
    assert result.frames[WHITE] == 0
    assert result.remarks == [f"No frame went to {WHITE}."]
    assert not finish_dx(path, theta=THETA).changed


def test_a_capture_without_any_frame(tmp_path: Path) -> None:
    path = ioc_file(tmp_path / "scan.h5", [])
    assert isinstance(unchanged(path, theta=THETA), FrameCountError)
    result = finish_dx(path)
    assert result.frames == {DATA: 0, DARK: 0, WHITE: 0}
    assert result.theta is None
    with h5py.File(path) as file:
        assert file[DATA].shape == (0, 3, 4)
        assert "theta" not in file["exchange"]


def test_frames_whose_destination_is_no_dataset(tmp_path: Path) -> None:
    """FrameType still had the strings of a new IOC: the default dataset took them all."""
    path = ioc_file(tmp_path / "scan.h5", [("Normal", 5), ("Normal", 6), (DATA, 7)])
    result = finish_dx(path, theta=THETA[:3])
    assert result.frames[DATA] == 3
    assert "2 frames went to /exchange/data" in result.remarks[0]
    assert "'Normal'" in result.remarks[0]


def test_a_file_that_does_not_tell_frames_apart(tmp_path: Path) -> None:
    path = ioc_file(tmp_path / "scan.h5")
    with h5py.File(path, "r+") as file:
        del file["defaults/NDArrayUniqueId"]
    assert "which are missing" in str(unchanged(path, theta=[*THETA, 180], missing="drop"))
    assert "has none" in str(unchanged(path, theta={5: 1.0}))
    result = finish_dx(path, theta=THETA)
    assert "/defaults/NDArrayUniqueId isn't there" in result.remarks[0]


def test_the_names_of_datasets_elsewhere(tmp_path: Path) -> None:
    path = ioc_file(tmp_path / "scan.h5", [each for each in SCAN if each[1] != 6])
    with h5py.File(path, "r+") as file:
        file.move("defaults", "attributes")
        file.move("attributes/HDF5FrameLocation", "attributes/SaveDest")
    finish_dx(path, theta=THETA, missing="drop", location="/attributes/SaveDest")
    assert read(path, "/exchange/theta").tolist() == [0, 72, 108, 144]
