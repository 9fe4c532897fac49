"""Where the rotation axis is seen: the detector's column that the sample turns about."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from ...errors import ConfigurationError
from .streaming import FilteredBackprojection

__all__ = ["METRICS", "centre_from_pair", "centre_from_slices"]

#: At least so much of the width must be seen from both sides.
_OVERLAP = 0.5
#: The search begins with columns binned to at most so many, and ends with at most so many.
_COARSE, _FINE = 256, 1024
#: Part of the variance that must be seen from both sides.
_SHOWN = 1e-3


def centre_from_pair(first: np.ndarray, opposite: np.ndarray) -> float:
    """Find the axis from two projections that are 180 degrees apart.

    The second is the mirror image of the first, moved by twice the axis' distance from the
    detector's middle.  It is moved to where the mean square of their difference is least, over
    the columns that both have, in units of the variance there; a parabola through the least three
    tells the fraction of a pixel.

    Parameters
    ----------
    first, opposite : numpy.ndarray
        (W,) or (rows, W), line integrals: absorption, not counts.  The sample's edges should be
        seen; an axis farther from the middle than a quarter of the width isn't found.

    Returns
    -------
    float
        The axis' column, from 0 in the middle of the first pixel.  Within some 0.1 pixel without
        noise.

    Raises
    ------
    ConfigurationError
        The two have different shapes, aren't finite, or show nothing.
    """
    one = np.atleast_2d(np.asarray(first, np.float64))
    other = np.atleast_2d(np.asarray(opposite, np.float64))
    if one.shape != other.shape or one.ndim != 2 or one.shape[-1] < 8:
        raise ConfigurationError(
            f"The projections have shapes {np.shape(first)} and {np.shape(opposite)}; expected "
            "two that are the same, at least 8 columns wide."
        )
    if not (np.isfinite(one).all() and np.isfinite(other).all()):
        raise ConfigurationError(
            "A projection has values that aren't finite.",
            remedy="Use normalisation.absorption, which replaces them.",
        )
    shifts, squares = _differences(one, other[:, ::-1])
    size = max(np.square(one).mean(), np.square(other).mean())
    if not one.var(axis=-1).sum() + other.var(axis=-1).sum() > 1e-9 * size:
        raise ConfigurationError(
            "The projections are the same wherever the axis is: they show no sample.",
            remedy="Take them with the sample in the beam, or give the centre.",
        )
    at = int(np.argmin(squares))
    return (one.shape[-1] - 1 + shifts[at] + _vertex(squares, at)) / 2.0


def centre_from_slices(
    rows: np.ndarray,
    angles: Sequence[float] | np.ndarray,
    search: tuple[float, float] | None = None,
    *,
    metric: str = "negativity",
    backend: str = "numba",
    threads: int | None = None,
) -> float:
    """Find the axis by trying: the slice is best where the axis is right.

    One slice is computed for each column of ``search``, with columns of the detector binned, and
    finer ones around the best; the filter is ``hann``.  After T. Donath, F. Beckmann, A. Schreyer,
    "Automated determination of the center of rotation in tomography data", J. Opt. Soc. Am. A 23
    (2006) 1048.

    Parameters
    ----------
    rows : numpy.ndarray
        (N, W), line integrals: one row of the detector, in all projections.
    angles : sequence of float
        (N,), degrees; over half a turn.
    search : (float, float), optional
        First and last column where the axis may be; a quarter of the width in the middle by
        default.
    metric : str
        ``negativity``: what is below 0 in the slice; or ``entropy`` of its grey values.  Both are
        least at the axis.
    backend, threads
        As of `FilteredBackprojection`.

    Returns
    -------
    float
        The axis' column.

    Raises
    ------
    ConfigurationError
        Arguments don't fit, or the best is at an end of the search.
    """
    sinogram = np.asarray(rows, np.float32)
    turned = np.asarray(angles, np.float64)
    if sinogram.ndim != 2 or turned.shape != sinogram.shape[:1] or sinogram.shape[1] < 8:
        raise ConfigurationError(
            f"rows has shape {sinogram.shape}, and there are {turned.size} angles; expected "
            "(angles, columns), at least 8 columns."
        )
    if metric not in _METRICS:
        raise ConfigurationError(
            f"metric={metric!r} isn't known.", remedy=f"Use one of {', '.join(METRICS)}."
        )
    width = sinogram.shape[1]
    low, high = search or ((width - 1) * 3 / 8, (width - 1) * 5 / 8)
    if not 0 <= low < high <= width - 1:
        raise ConfigurationError(
            f"search={search}: expected two columns in order, within 0 to {width - 1}."
        )
    binning = 1 << max(0, math.ceil(math.log2(width / _COARSE)))
    tried = np.linspace(low, high, max(5, math.ceil((high - low) / binning) + 1))
    ends = tried[[0, -1]]
    while True:
        scores = _scores(sinogram, turned, tried, binning, metric, backend, threads)
        at = int(np.argmin(scores))
        step = tried[1] - tried[0]
        best = float(tried[at] + _vertex(scores, at) * step)
        if tried[at] in ends:
            raise ConfigurationError(
                f"The best slice is at the end of the search, column {best:g}.",
                remedy=f"Search farther than {low:g} to {high:g}.",
            )
        if step <= 0.25 * binning:
            if binning == 1 or 2 * width > binning * _FINE:
                return best
            binning //= 2
        tried = best + np.linspace(-step, step, 9)


def _scores(
    sinogram: np.ndarray,
    angles: np.ndarray,
    tried: np.ndarray,
    binning: int,
    metric: str,
    backend: str,
    threads: int | None,
) -> np.ndarray:
    width = sinogram.shape[1] // binning
    binned = sinogram[:, : width * binning].reshape(len(sinogram), width, binning).mean(axis=2)
    slices = FilteredBackprojection(
        width,
        len(tried),
        centre=(tried - (binning - 1) / 2) / binning,
        filter="hann",
        angles=angles,
        input="absorption",
        backend=backend,
        threads=threads,
    )
    for place, (row, angle) in enumerate(zip(binned, angles.tolist(), strict=True)):
        slices.add(np.broadcast_to(row, (len(tried), width)), angle, place=place)
    return _METRICS[metric](slices.finish())


def _differences(one: np.ndarray, mirrored: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Tell the mean square of one[x] - mirrored[x - shift], by their variances, for each shift.

    Columns without the sample are the same as others without it, but have no variance either:
    what can't be told is infinite.
    """
    width = one.shape[-1]
    most = int(width * (1.0 - _OVERLAP))
    shifts = np.arange(-most, most + 1)
    # rows that are far from 0 lose digits in the sums
    middle = (one.mean(axis=-1, keepdims=True) + mirrored.mean(axis=-1, keepdims=True)) / 2.0
    one, mirrored = one - middle, mirrored - middle
    length = 1 << (2 * width - 1).bit_length()
    waves = np.fft.rfft(one, length) * np.conj(np.fft.rfft(mirrored, length))
    products = np.fft.irfft(waves.sum(axis=0), length)[shifts]
    low, high = np.maximum(shifts, 0), width + np.minimum(shifts, 0)
    common = high - low
    squares, variances = np.zeros(len(shifts)), np.zeros(len(shifts))
    for rows, begin, end in ((one, low, high), (mirrored, low - shifts, high - shifts)):
        sums = _sums_before(rows)
        means = (sums[:, end] - sums[:, begin]) / common
        square = _sums_before(np.square(rows).sum(axis=0))
        mean_square = (square[end] - square[begin]) / common
        squares += mean_square
        variances += mean_square - np.square(means).sum(axis=0)
    squares -= 2.0 * products / common
    known = variances > _SHOWN * (one.var(axis=-1).sum() + mirrored.var(axis=-1).sum())
    return shifts, np.where(known, squares / np.where(known, variances, 1.0), np.inf)


def _sums_before(values: np.ndarray) -> np.ndarray:
    """Sum up what is before each column, and all: one more than there are columns."""
    summed = np.zeros((*values.shape[:-1], values.shape[-1] + 1))
    np.cumsum(values, axis=-1, out=summed[..., 1:])
    return summed


def _vertex(values: np.ndarray, at: int) -> float:
    """Tell how far behind the least of the values the vertex of the parabola is, in steps."""
    if not 0 < at < len(values) - 1:
        return 0.0
    before, least, behind = values[at - 1 : at + 2]
    bend = before - 2.0 * least + behind
    return 0.0 if bend <= 0 else float(0.5 * (before - behind) / bend)


def _negativity(slices: np.ndarray) -> np.ndarray:
    """Sum up what is below 0, where nothing should be: least at the axis."""
    return -np.minimum(slices, 0.0).sum(axis=(1, 2), dtype=np.float64)


def _entropy(slices: np.ndarray) -> np.ndarray:
    """Tell how mixed the grey values are: least at the axis."""
    low, high = np.percentile(slices, (0.1, 99.9))
    found = []
    for each in slices:
        counts = np.histogram(each, 256, (low, high))[0]
        part = counts[counts > 0] / each.size
        found.append(-float(np.sum(part * np.log(part))))
    return np.array(found)


_METRICS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "negativity": _negativity,
    "entropy": _entropy,
}
#: Names of the metrics.
METRICS = tuple(_METRICS)
