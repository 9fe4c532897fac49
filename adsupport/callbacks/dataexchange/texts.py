"""Texts in Data Exchange files, whoever wrote them."""

from __future__ import annotations

from typing import Any

import h5py
import numpy as np

__all__ = ["AXES", "other_axes", "text_of", "units_of"]

#: The axes of frames one behind the other, as ``@axes`` tells them.
AXES = "theta:y:x"


def text_of(found: Any) -> str:
    """Read a text, of fixed length or not, also alone in an array.

    Parameters
    ----------
    found : any
        What h5py returns of it.

    Returns
    -------
    str
        Without spaces around it; empty when it's no text.
    """
    if isinstance(found, np.ndarray) and found.size == 1:
        found = found.ravel()[0]
    if isinstance(found, bytes):
        found = found.partition(b"\0")[0].decode(errors="replace")
    return found.strip() if isinstance(found, str) else ""


def other_axes(data: h5py.Dataset) -> str:
    """Tell whether a dataset isn't made of frames one behind the other, but of sinograms.

    Parameters
    ----------
    data : h5py.Dataset
        Of three dimensions.

    Returns
    -------
    str
        Its ``@axes`` when these are others than :data:`AXES`; else empty.
    """
    axes = text_of(data.attrs.get("axes"))
    return axes if ":" in axes and axes.replace(" ", "").lower() != AXES else ""


def units_of(data: h5py.Dataset) -> str:
    """Read the units of a dataset.

    Parameters
    ----------
    data : h5py.Dataset
        The dataset.

    Returns
    -------
    str
        Its ``@units``; empty without any.
    """
    return text_of(data.attrs.get("units"))
