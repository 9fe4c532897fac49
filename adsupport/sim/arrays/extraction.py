"""Cutting, binning and converting whole arrays, as areaDetector's array pool does it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from adsupport.sim.arrays.casting import cast
from adsupport.sim.arrays.window import Window
from adsupport.sim.ndarray import Dimension


def fit_unsigned(start: int, size: int, limit: int, binning: int = 1) -> Window:
    """Return what a region of interest reads along an axis that need not be as long as asked.

    The plugins compute with unsigned numbers, so that a negative start is far beyond the end, and
    a negative size is as good as a huge one (rules of NDPluginROI and NDPluginROIStat). The size
    is not rounded to whole bins.

    Parameters
    ----------
    start, size : int
        As asked for.
    limit : int
        Length of the axis, at least 1.
    binning : int
        As asked for.

    Returns
    -------
    Window
        Inside the axis, at least one pixel long and one bin wide.
    """
    start = limit - 1 if start < 0 else min(start, limit - 1)
    room = limit - start
    size = room if size < 0 else min(max(size, 1), room)
    return Window(start, size, min(max(binning, 1), size))


def extract(
    data: np.ndarray, dims: Sequence[Dimension], dtype: np.dtype, windows: Sequence[Window]
) -> tuple[np.ndarray, tuple[Dimension, ...]]:
    """Cut a region out of an array, bin it and convert its type (NDArrayPool::convert).

    Pixels are converted first and summed in the output's type, where integers wrap around.

    Parameters
    ----------
    data : numpy.ndarray
        Pixels; not changed.
    dims : sequence of Dimension
        How they were cut out of the detector, fastest first.
    dtype : numpy.dtype
        Type of the result.
    windows : sequence of Window
        Region along each axis, fastest first; a last bin that is not whole is left out.

    Returns
    -------
    numpy.ndarray
        C-contiguous and read-only; the data themselves when all are wanted as they are.
    tuple of Dimension
        Offsets add to those of the data, binnings multiply, a reversal undoes a reversal.
        When all is wanted as it is, the offsets start anew, which ADCore's shortcut does too.
    """
    windows = [replace(w, size=w.size - w.size % w.binning) for w in windows]
    wanted = tuple(window.dimension() for window in windows)
    unchanged = wanted == tuple(Dimension(dim.size) for dim in dims)
    if unchanged and data.dtype == dtype:
        return data, wanted
    index = tuple(slice(w.start, w.start + w.size) for w in reversed(windows))
    part = cast(data[index], dtype)
    with np.errstate(over="ignore", invalid="ignore"):
        for axis, window in enumerate(reversed(windows)):
            part = replace(window, start=0).cut(part, axis)
    part = np.ascontiguousarray(part)
    part.flags.writeable = False
    return part, tuple(
        Dimension(
            size=new.size,
            offset=old.offset + new.offset,
            binning=old.binning * new.binning,
            reverse=old.reverse != new.reverse,
        )
        for old, new in zip(dims, wanted, strict=True)
    )


def collapse(dims: Sequence[Dimension]) -> tuple[Dimension, ...]:
    """Leave out dimensions of size 1; one dimension stays at least.

    Parameters
    ----------
    dims : sequence of Dimension
        Fastest first.
    """
    kept = tuple(dim for dim in dims if dim.size != 1)
    return kept or (dims[-1],)
