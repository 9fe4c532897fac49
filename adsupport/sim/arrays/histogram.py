"""Histogram and entropy of an array, as NDPluginStats bins them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Histogram:
    """How often values occur.

    Attributes
    ----------
    counts : numpy.ndarray
        Elements by bin, float64, as many bins as were asked for.
    below, above : int
        Elements under the lowest bin's value and over the highest bin's.
    entropy : float
        ``-sum(n * ln(n)) / N`` over the bins, with ``n`` elements in a bin and ``N`` in the array;
        an empty bin counts as one with one element.
    """

    counts: np.ndarray
    below: int
    above: int
    entropy: float


def histogram(data: np.ndarray, size: int, low: float, high: float, keep: int) -> Histogram:
    """Count values in bins.

    An element belongs to the bin ``trunc((value - low) * (size - 1) / (high - low) + 0.5)``: bins
    are centred on values from ``low`` to ``high`` (ADCore's NDPluginStats).

    Parameters
    ----------
    data : numpy.ndarray
        Elements of any number type and shape.
    size : int
        Number of bins; with none, every element is below or above.
    low, high : float
        Values of the first and of the last bin.
    keep : int
        Bins to return at most; the others count in the entropy alone.

    Returns
    -------
    Histogram
        Elements that fit no bin because they are NaN, or because ``low`` is ``high``, are below
        unless they exceed ``high``.
    """
    levels, weights = _levels(data.reshape(-1))
    with np.errstate(all="ignore"):
        scale = np.float64(size - 1) / np.float64(high - low)
        bins = np.trunc((levels - low) * scale + 0.5)
    is_below = ~(bins >= 0) & ~(levels > high) | (levels < low)
    is_above = ~is_below & ((bins > size - 1) | (levels > high) | ~(bins >= 0))
    is_inside = ~(is_below | is_above)
    inside = bins[is_inside].astype(np.int64)
    inside_weights = None if weights is None else weights[is_inside]
    occupied, occupancy = _occupancy(inside, inside_weights, size)
    counts = np.zeros(max(min(size, keep), 0))
    shown = occupied < counts.size
    counts[occupied[shown]] = occupancy[shown]
    entropy = 0.0
    if data.size:
        # a sum, not a product of vectors: BLAS would call its own threads for that
        entropy = 0.0 - float((occupancy * np.log(occupancy)).sum()) / data.size
    return Histogram(counts, _count(is_below, weights), _count(is_above, weights), entropy)


def bin_values(size: int, low: float, high: float, keep: int) -> np.ndarray:
    """Return the axis of a histogram: ``low + n * (high - low) / size`` for bin ``n``.

    Parameters
    ----------
    size : int
        Number of bins, at least 1 of which is returned.
    low, high : float
        Limits of the histogram.
    keep : int
        Bins to return at most.
    """
    size = max(size, 1)
    return low + np.arange(min(size, keep)) * ((high - low) / size)


def _levels(flat: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Return values as doubles and how often each occurs; None is once."""
    if flat.dtype.kind not in "iu" or flat.dtype.itemsize > 2:
        return flat.astype(np.float64), None
    unsigned = np.dtype(f"u{flat.dtype.itemsize}")
    counts = np.bincount(flat.view(unsigned))
    present = np.flatnonzero(counts)
    levels = present.astype(unsigned).view(flat.dtype).astype(np.float64)
    return levels, counts[present]


def _occupancy(
    bins: np.ndarray, weights: np.ndarray | None, size: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the bins that have elements, and how many, in memory of the order of ``bins``."""
    if size <= bins.size:
        counts = np.bincount(bins, weights, minlength=max(size, 0)).astype(np.float64)
        occupied = np.flatnonzero(counts)
        return occupied, counts[occupied]
    occupied, inverse = np.unique(bins, return_inverse=True)
    return occupied, np.bincount(inverse, weights, minlength=occupied.size).astype(np.float64)


def _count(chosen: np.ndarray, weights: np.ndarray | None) -> int:
    return int(np.count_nonzero(chosen) if weights is None else weights[chosen].sum())
