"""Files that somebody else has changed before, and arguments that are none."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from adsupport.callbacks.dataexchange import finish_dx
from adsupport.errors import ConfigurationError, ImageFileError, OutputExistsError

from .ioc_file import DATA, THETA, ioc_file, read, unchanged


def with_theta(path: Path, values: Any, units: str = "") -> Path:
    with h5py.File(ioc_file(path), "r+") as file:
        file["/exchange/theta"] = np.asarray(values, np.float64)
        if units:
            file["/exchange/theta"].attrs["units"] = units
    return path


@pytest.mark.parametrize("values", [np.radians(THETA), THETA])
def test_angles_in_radians_are_not_taken_for_degrees(values: Any, tmp_path: Path) -> None:
    path = with_theta(tmp_path / "scan.h5", values, "rad")
    error = unchanged(path)
    assert isinstance(error, ConfigurationError)
    assert "/exchange/theta has (5,) float64 in 'rad'" in str(error)
    error = unchanged(path, theta=THETA)
    assert isinstance(error, OutputExistsError)
    finish_dx(path, theta=THETA, replace=True)
    assert read(path, "/exchange/theta").tolist() == THETA
    with h5py.File(path) as file:
        assert file["/exchange/theta"].attrs["units"] == "degree"


def test_angles_of_another_number_are_named(tmp_path: Path) -> None:
    error = unchanged(with_theta(tmp_path / "scan.h5", range(7)))
    assert isinstance(error, ConfigurationError)
    assert "5 projections" in str(error)
    assert "/exchange/theta has (7,) float64; give theta=" in str(error)


def test_angles_that_are_no_numbers_are_told(tmp_path: Path) -> None:
    found = finish_dx(with_theta(tmp_path / "scan.h5", [0, 1, np.nan, 3, np.inf]))
    assert found.remarks == ["2 of the 5 angles in /exchange/theta are no numbers."]


def test_what_a_file_says_it_has_is_kept(tmp_path: Path) -> None:
    path = ioc_file(tmp_path / "scan.h5")
    with h5py.File(path, "r+") as file:
        file.create_group("provenance")
        file["implements"] = "exchange:provenance:nothing:/:."
    assert finish_dx(path, theta=THETA).changed
    assert read(path, "/implements") == b"exchange:provenance"
    assert not finish_dx(path, theta=THETA).changed


def test_sinograms_are_refused(tmp_path: Path) -> None:
    path = ioc_file(tmp_path / "scan.h5")
    with h5py.File(path, "r+") as file:
        file[DATA].attrs["axes"] = np.bytes_("y:theta:x")
    error = unchanged(path, theta=THETA)
    assert isinstance(error, ImageFileError)
    assert "axes 'y:theta:x'" in str(error)


@pytest.mark.parametrize(
    "arguments",
    [{"location": each} for each in ("", "/", "x", "//", None, 5)]
    + [{"first_id": each} for each in ("5", 5.5)]
    + [{"theta": [10**400] * 5}],
    ids=repr,
)
def test_arguments_that_are_none(arguments: dict[str, Any], tmp_path: Path) -> None:
    error = unchanged(ioc_file(tmp_path / "scan.h5"), **{"theta": THETA, **arguments})
    assert isinstance(error, ConfigurationError)
    assert next(iter(arguments)) in str(error)


@pytest.mark.parametrize("place", [DATA, "/defaults/HDF5FrameLocation"])
def test_datasets_that_only_say_they_are_huge_are_not_read(place: str, tmp_path: Path) -> None:
    path = ioc_file(tmp_path / "scan.h5")
    with h5py.File(path, "r+") as file:
        shape, kind = (10**12, *file[place].shape[1:]), file[place].dtype
        del file[place], file["/defaults/NDArrayUniqueId"]
        file.create_dataset(place, shape, kind, chunks=(1, *shape[1:]))
        file.create_dataset("/defaults/NDArrayUniqueId", shape[:1], "i4", chunks=(1,))
    error = unchanged(path, theta=THETA)
    assert isinstance(error, ImageFileError)
    assert place in str(error)


_NOTHING = hashlib.sha256(b"").hexdigest()


@pytest.mark.parametrize(
    "note",
    [
        b"\xff\xfe",
        [],
        {},
        {"before": "a", "after": 0, "added": "", "pieces": []},
        {"before": -1, "after": 5, "added": "", "pieces": []},
        {"before": 0, "after": 10**18, "added": "", "pieces": []},
        {"before": 0, "after": 10**30, "added": "", "pieces": []},
        {"before": 10**13, "after": 0, "added": "", "pieces": []},
        {"before": 0, "after": 0, "added": _NOTHING, "pieces": [[-5, "00"]]},
        {"before": 0, "after": 0, "added": _NOTHING, "pieces": [[10**17, "00"]]},
        {"before": 0, "after": 0, "added": _NOTHING, "pieces": [[0, "zz"]]},
    ],
    ids=lambda each: str(each)[:50],
)
def test_a_note_that_is_no_note_is_left_alone(note: Any, tmp_path: Path) -> None:
    """Anybody can write some text behind a file, and its SHA-256."""
    path = ioc_file(tmp_path / "scan.h5")
    text = note if isinstance(note, bytes) else json.dumps(note).encode()
    size = len(text).to_bytes(8, "big")
    with open(path, "ab") as file:
        file.write(text + hashlib.sha256(text).digest() + size + b"adsupport-edit-1")
    finish_dx(path, theta=THETA)
    assert read(path, "/exchange/theta").tolist() == THETA
    assert read(path, DATA)[:, 0, 0].tolist() == [5, 6, 7, 8, 9]
