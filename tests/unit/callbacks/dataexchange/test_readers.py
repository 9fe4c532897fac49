"""What the readers of Data Exchange files look for, as the description of the format has it.

Each function below does with h5py alone what a reader does; none of the readers is installed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from adsupport.callbacks.dataexchange import DataExchangeWriter

from ..sending import send
from ..tomography.made import frame, numbers, plain_run

Arrays = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def at(file: Any, address: str) -> Any:
    """A dataset's content; None when there is none."""
    return file[address][()] if address in file else None


def dxchange(path: Path) -> Arrays:
    """Projections, flats, darks and radians: angles may be told by their start and step."""
    with h5py.File(path) as file:
        data, white, dark, theta = (
            at(file, f"exchange/{name}") for name in ("data", "data_white", "data_dark", "theta")
        )
        if theta is None:
            rotation = "process/acquisition/rotation"
            start, step = (
                at(file, f"{rotation}/rotation_start"),
                at(file, f"{rotation}/rotation_step"),
            )
            count = at(file, f"{rotation}/num_angles")
            if start is None or step is None or count is None:
                theta = np.linspace(0, 180, len(data))  # what it makes up
            else:
                theta = start + step * np.arange(count)
    return data, white, dark, np.deg2rad(theta)


def tomocupy(path: Path) -> Arrays:
    """All four datasets must be there; sizes come from the shapes, rows are read in pieces."""
    with h5py.File(path) as file:
        data, white, dark = (
            file[f"/exchange/{name}"] for name in ("data", "data_white", "data_dark")
        )
        theta = file["/exchange/theta"][:].astype("float32") / 180 * np.pi  # type: ignore[index]
        projections, rows, width = data.shape  # type: ignore[union-attr]
        assert white.shape[1:] == dark.shape[1:] == (rows, width)  # type: ignore[union-attr]
        assert len(theta) == projections
        pieces = [
            [each[:, start : start + 2] for start in range(0, rows, 2)]  # type: ignore[index]
            for each in (data, white, dark)
        ]
    data, white, dark = (np.concatenate(each, axis=1) for each in pieces)
    return data, white, dark, theta


def savu(path: Path) -> Arrays:
    """The same paths without the first slash; flats and darks are stacks that it averages."""
    with h5py.File(path) as file:
        data, white, dark = (
            at(file, f"exchange/{each}") for each in ("data", "data_white", "data_dark")
        )
        theta = at(file, "exchange/theta")
        assert data.ndim == white.ndim == dark.ndim == 3
        assert theta.ndim == 1
    return data, white, dark, np.deg2rad(theta)


def httomo(path: Path) -> Arrays:
    """Paths by configuration: separate datasets of darks and flats, angles with their units."""
    with h5py.File(path) as file:
        angles: Any = file["/exchange/theta"]
        assert angles.attrs["units"] in ("degree", "degrees", "deg")
        theta = np.deg2rad(angles[()])
        data: Any = file["/exchange/data"]
        assert data.shape[0] == theta.size
        return data[()], at(file, "/exchange/data_white"), at(file, "/exchange/data_dark"), theta


@pytest.mark.parametrize("images", ["link", "copy", "repack"])
@pytest.mark.parametrize("reader", [dxchange, tomocupy, savu, httomo])
def test_readers_get_each_frame_with_its_angle(tmp_path, reader: Callable[[Path], Arrays], images):
    writer = DataExchangeWriter(tmp_path / "dx", images=images)
    (result,) = send(writer, plain_run(tmp_path, angle=lambda row: 0.3 * row**2).stop())
    data, white, dark, theta = reader(result.paths[0])
    assert numbers(data) == [30, 31, 32, 33, 34]
    assert numbers(white) == [20, 21, 22]
    assert numbers(dark) == [10, 11]
    np.testing.assert_allclose(theta, [math.radians(0.3 * row**2) for row in range(5)], rtol=1e-6)
    assert data.dtype == np.uint16
    np.testing.assert_array_equal(data[2], frame(32))


def test_a_reader_without_angles_isnt_told_made_up_ones(tmp_path):
    run = plain_run(tmp_path, motors=[], rotation_start=-90.0, rotation_step=45.0)
    (result,) = send(DataExchangeWriter(tmp_path / "dx"), run.stop())
    with h5py.File(result.paths[0]) as file:
        assert "exchange/theta" not in file
    assert np.rad2deg(dxchange(result.paths[0])[3]).tolist() == [-90, -45, 0, 45, 90]
    assert any("theta=<data key>" in text for text in result.remarks)


def test_the_parts_of_the_format_are_named(tmp_path):
    (result,) = send(DataExchangeWriter(tmp_path / "dx"), plain_run(tmp_path).stop())
    with h5py.File(result.paths[0]) as file:
        implements: Any = file["implements"]
        assert implements.shape == ()
        parts = implements.asstr()[()].split(":")
        assert parts == ["exchange", "measurement", "process"]
        assert all(isinstance(file[each], h5py.Group) for each in parts)
        assert {"instrument", "sample"} <= set(file["measurement"])  # type: ignore[arg-type]
        data: Any = file["exchange/data"]
        assert data.attrs["units"] == "counts"
        assert data.attrs["axes"] == "theta:y:x"
