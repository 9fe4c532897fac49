"""Data Exchange files as an IOC leaves them: written by the simulated HDF5 plugin."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from adsupport.callbacks.dataexchange import finish_dx, write_dx_layout
from adsupport.sim.hdf5.file import HDF5File
from adsupport.sim.hdf5.layout_xml import read_layout
from adsupport.sim.hdf5.settings import HDF5Settings
from adsupport.sim.ndarray import NDArray, NDAttribute

DATA, DARK, WHITE = "/exchange/data", "/exchange/data_dark", "/exchange/data_white"

#: Two darks, two flats, five projections: address and unique id, which is also the pixels' value.
SCAN = [(DARK, 1), (DARK, 2), (WHITE, 3), (WHITE, 4), *((DATA, number) for number in range(5, 10))]
THETA = [0.0, 36.0, 72.0, 108.0, 144.0]


def frame(place: str, number: int, **attributes: Any) -> NDArray:
    named = {"HDF5FrameLocation": place} | attributes
    return NDArray(
        np.full((3, 4), number, np.uint16),
        unique_id=number,
        attributes=tuple(NDAttribute(name, value) for name, value in named.items()),
    )


def open_file(
    path: Path,
    values: Mapping[str, Any] | None = None,
    first: NDArray | None = None,
    **settings: Any,
) -> HDF5File:
    """Begin a file in the layout that adsupport writes."""
    layout, _ = write_dx_layout(path.parent / "xml", values=values, exists="replace")
    settings = {"num_capture": 100} | settings
    return HDF5File(
        path,
        HDF5Settings(**settings),
        first or frame(DATA, 0),
        layout=read_layout(str(layout)),
    )


def ioc_file(
    path: Path,
    scan: Sequence[tuple[str, int]] = SCAN,
    values: Mapping[str, Any] | None = None,
    **settings: Any,
) -> Path:
    """Write a file whose frames go to addresses, each with its unique id as its pixels."""
    file = open_file(path, values, **settings)
    for place, number in scan:
        file.write(frame(place, number))
    file.close()
    return path


def read(path: Path, address: str) -> Any:
    with h5py.File(path) as file:
        return file[address][()]


def unchanged(path: Path, **arguments: Any) -> Exception:
    """Return the error of a call that must leave the file, and nothing else, as it was."""
    before, names = path.read_bytes(), sorted(os.listdir(path.parent))
    with pytest.raises(Exception) as caught:
        finish_dx(path, **arguments)
    assert path.read_bytes() == before
    assert sorted(os.listdir(path.parent)) == names
    return caught.value
