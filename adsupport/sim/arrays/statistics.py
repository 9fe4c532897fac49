"""Basic statistics of an array and of its border: what NDPluginStats calls statistics.

Formulas are those of ADCore's documentation of NDPluginStats; its arithmetic is that of doubles,
whatever the type of the pixels.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

BLOCK = 1 << 15
"""Elements that are converted to doubles at a time: few enough to stay in the cache."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """Statistics of an array's elements.

    Attributes
    ----------
    minimum, maximum : float
        Extreme values.
    minimum_at, maximum_at : int
        Positions of their first occurrence in memory order.
    mean : float
        Total over number of elements.
    sigma : float
        Standard deviation of the population: the root of the mean square less the squared mean.
    total : float
        Sum of the elements.
    net : float
        Total less the background, see :func:`background`.
    """

    minimum: float = 0.0
    maximum: float = 0.0
    minimum_at: int = 0
    maximum_at: int = 0
    mean: float = 0.0
    sigma: float = 0.0
    total: float = 0.0
    net: float = 0.0


def statistics(data: np.ndarray, border: int = 0) -> Statistics:
    """Compute the statistics of an array.

    Parameters
    ----------
    data : numpy.ndarray
        Elements of any number type and shape.
    border : int
        Width in pixels of the border whose mean is the background; up to 0 there is none.

    Returns
    -------
    Statistics
        Zeros for an array without elements. NaN among floats makes sums NaN, but is no extreme
        unless it is the first element, as comparisons in C have it.
    """
    if not data.size:
        return Statistics()
    flat = data.reshape(-1)
    minimum_at = _position(flat, np.argmin, np.nanargmin)
    maximum_at = _position(flat, np.argmax, np.nanargmax)
    # sums of distances from one element: the squares of large values would hide a small sigma
    near = float(flat[0]) if math.isfinite(flat[0]) else 0.0
    total = squares = distances = 0.0
    with np.errstate(invalid="ignore", over="ignore"):
        for block in double_blocks(flat):
            total += float(block.sum())
            block -= near
            distances += float(block.sum())
            np.multiply(block, block, out=block)  # a BLAS product would call its own threads
            squares += float(block.sum())
        distance = distances / flat.size
        variance = squares / flat.size - distance * distance
    return Statistics(
        minimum=float(flat[minimum_at]),
        maximum=float(flat[maximum_at]),
        minimum_at=minimum_at,
        maximum_at=maximum_at,
        mean=total / flat.size,
        sigma=math.nan if math.isnan(variance) else math.sqrt(max(variance, 0.0)),
        total=total,
        net=total - background(data, border) * flat.size,
    )


def double_blocks(flat: np.ndarray) -> Iterator[np.ndarray]:
    """Yield an array's elements as doubles, in blocks that the receiver may change.

    Parameters
    ----------
    flat : numpy.ndarray
        One-dimensional.
    """
    for start in range(0, flat.size, BLOCK):
        yield flat[start : start + BLOCK].astype(np.float64)


def background(data: np.ndarray, border: int) -> float:
    """Return the mean of an array's border.

    Along each axis the first and the last ``border`` layers are added up, so that corners count
    once per axis, as NDPluginStats documents. A border wider than the array takes it all.

    Parameters
    ----------
    data : numpy.ndarray
        Elements of any number type and shape.
    border : int
        Width in pixels; up to 0 the background is 0.
    """
    if border <= 0 or not data.size:
        return 0.0
    counts, pixels = 0.0, 0
    for axis, size in enumerate(data.shape):
        for layers in (slice(0, min(border, size)), slice(max(0, size - border), size)):
            side = data[(slice(None),) * axis + (layers,)]
            counts += total(side)
            pixels += side.size
    return counts / pixels


def total(data: np.ndarray) -> float:
    """Return the sum of an array's elements, added as doubles."""
    with np.errstate(invalid="ignore", over="ignore"):
        return float(data.sum(dtype=np.float64))


def _position(
    flat: np.ndarray,
    find: Callable[[np.ndarray], np.intp],
    find_beside_nan: Callable[[np.ndarray], np.intp],
) -> int:
    index = int(find(flat))
    if flat.dtype.kind != "f" or not np.isnan(flat[index]):
        return index
    return 0 if np.isnan(flat[0]) else int(find_beside_nan(flat))
