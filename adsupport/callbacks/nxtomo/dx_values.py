"""Single values of Data Exchange files: texts, numbers, times, however they were written."""

from __future__ import annotations

import datetime
from typing import Any

import h5py
import numpy as np

from ..dataexchange.texts import text_of, units_of
from ..tomography.metadata import Fact
from .entry import About

__all__ = ["about_scan", "dataset_at"]


def about_scan(file: h5py.File) -> About:
    """Read what a Data Exchange file tells of its scan, by the names that tomoscan uses.

    Parameters
    ----------
    file : h5py.File
        The file.

    Returns
    -------
    About
        What there is.
    """
    measured, sizes = "/measurement/instrument", {}
    for name in ("x", "y"):
        for address in (f"pixel_size_{name}", "pixel_size"):
            found = dataset_at(file, f"{measured}/detector/{address}")
            value = _number(found)
            if found is not None and value is not None and value > 0:
                sizes[f"{name}_pixel_size"] = Fact(value, units_of(found) or "m")
                break
    return About(
        title=_read(file, "/exchange/name", "/measurement/sample/experiment/title"),
        start_time=_time(_read(file, "/process/acquisition/start_date")),
        end_time=_time(_read(file, "/process/acquisition/end_date")),
        sample=_read(file, "/measurement/sample/name"),
        instrument=_read(file, f"{measured}/name"),
        source=_read(file, f"{measured}/source/name"),
        pixel_sizes=sizes,
    )


def dataset_at(file: h5py.File, address: str) -> h5py.Dataset | None:
    """Find the array at an address.

    Parameters
    ----------
    file : h5py.File
        The file.
    address : str
        The address.

    Returns
    -------
    h5py.Dataset or None
        None when nothing is there, a link leads nowhere, or it's no array.
    """
    try:
        found: Any = file.get(address)
    except (KeyError, OSError, RuntimeError):
        return None
    return found if isinstance(found, h5py.Dataset) and found.shape is not None else None


def _read(file: h5py.File, *addresses: str) -> str:
    for address in addresses:
        found = dataset_at(file, address)
        if found is not None and found.size == 1:
            text = text_of(found[()])
            if text:
                return text
    return ""


def _number(found: h5py.Dataset | None) -> float | None:
    if found is None or found.size != 1 or found.dtype.kind not in "iuf":
        return None
    return float(np.ravel(found[()])[0])


def _time(text: str) -> str:
    """Return a time as NeXus has it; empty for what can't be told for sure."""
    try:
        return datetime.datetime.fromisoformat(text).isoformat()
    except ValueError:
        return ""
