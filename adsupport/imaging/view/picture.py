"""An image that is shown, and what is measured of it."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...errors import ConfigurationError

__all__ = ["Histogram", "Picture", "brightness", "checked"]

#: Values that limits and histograms are taken of: of larger images every n-th row and column.
_SAMPLE = 1 << 18
_BINS = 128
#: Values of 8 bits that differ by less than this are shown larger.
_NARROW = 32


@dataclass(frozen=True, slots=True)
class Histogram:
    """How often values occur.

    Parameters
    ----------
    low, high : float
        Where the first bin begins and the last one ends.
    last : float
        The last value: of integers it is below ``high``.
    counts : numpy.ndarray
        (n,), int64: pixels in each bin.
    """

    low: float
    high: float
    last: float
    counts: np.ndarray


@dataclass(eq=False)
class Picture:
    """An image as it's shown: nobody writes to it any more.

    Parameters
    ----------
    image : numpy.ndarray
        See :func:`checked`; nothing is computed of it before somebody wants to know.
    number : int
        Of the picture in its channel: it grows.
    facts : mapping of str to object
        What is known of it, such as ``unique_id``, ``angle``, ``stream``.
    limits : tuple of float
        What is black and white by the acquisition's first frame.
    """

    image: np.ndarray
    number: int
    facts: Mapping[str, Any]
    limits: tuple[float, float] = (0.0, 1.0)
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)
    _pixels: np.ndarray | None = field(default=None, repr=False)
    _sampled: np.ndarray | None = field(default=None, repr=False)
    _histogram: Histogram | None = field(default=None, repr=False)
    _percentiles: dict[tuple[float, float], tuple[float, float]] = field(
        default_factory=dict, repr=False
    )

    @property
    def pixels(self) -> np.ndarray:
        """(Y, X), of integers or floats."""
        with self._lock:
            if self._pixels is None:
                self._pixels = brightness(self.image)
            return self._pixels

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.pixels.shape[0], self.pixels.shape[1]

    def percentiles(self, low: float, high: float) -> tuple[float, float]:
        """Tell two percentiles of the finite values.

        Parameters
        ----------
        low, high : float
            Which, from 0 to 100.

        Returns
        -------
        float
            The lower one; 0 when no value is finite.
        float
            The higher one; 1 when no value is finite.
        """
        with self._lock:
            found = self._percentiles.get((low, high))
            if found is None:
                sample = self._sample()
                if sample.size:
                    # values that there are: what lies between two may be too large to compute
                    first, last = np.percentile(sample, (low, high), method="nearest")
                    found = float(first), float(last)
                else:
                    found = 0.0, 1.0
                self._percentiles[low, high] = found
            return found

    def histogram(self) -> Histogram:
        """Tell how often values occur, from the smallest to the largest.

        Returns
        -------
        Histogram
            Of the finite values; of large images of a part that is spread over it.  Bins of
            integers are as wide as whole numbers, so that none has more values than another; of 8
            bits they go from 0 to 255, unless the values are near to each other.
        """
        with self._lock:
            if self._histogram is None:
                self._histogram = _counted(self._sample())
            return self._histogram

    def value_at(self, x: int, y: int) -> float | int | None:
        """Tell the value of a pixel.

        Parameters
        ----------
        x, y : int
            Column and row.

        Returns
        -------
        float, int or None
            The value; None when there is no such pixel, or it's no number.
        """
        rows, columns = self.shape
        if not (0 <= x < columns and 0 <= y < rows):
            return None
        value = self.pixels[y, x].item()
        return value if np.isfinite(value) else None

    def profile(self, start: tuple[float, float], end: tuple[float, float]) -> np.ndarray:
        """Take the values along a line, each from the nearest pixel.

        Parameters
        ----------
        start, end : tuple of float
            Column and row; both are part of it.

        Returns
        -------
        numpy.ndarray
            (n,), float64, about a pixel apart (further when they would be more than 2048); NaN
            outside of the image.
        """
        (x0, y0), (x1, y1) = start, end
        points = int(min(2048, round(max(abs(x1 - x0), abs(y1 - y0))) + 1))
        columns = np.rint(np.linspace(x0, x1, points)).astype(np.int64)
        rows = np.rint(np.linspace(y0, y1, points)).astype(np.int64)
        height, width = self.shape
        inside = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
        values = np.full(points, np.nan)
        values[inside] = self.pixels[rows[inside], columns[inside]]
        return values

    def _sample(self) -> np.ndarray:
        if self._sampled is None:
            step = max(1, int(np.ceil(np.sqrt(self.pixels.size / _SAMPLE))))
            sample = self.pixels[::step, ::step].ravel()
            if sample.dtype.kind == "f":
                sample = sample[np.isfinite(sample)]
            self._sampled = sample
        return self._sampled


def _counted(sample: np.ndarray) -> Histogram:
    if not sample.size:
        return Histogram(0.0, 1.0, 1.0, np.zeros(1, np.int64))
    smallest, largest = sample.min().item(), sample.max().item()
    if sample.dtype.kind in "iub":
        if sample.dtype == np.uint8 and largest - smallest >= _NARROW:
            # all there can be: noise in the smallest and the largest would move the ends
            return Histogram(0.0, 256.0, 255.0, np.bincount(sample, minlength=256))
        width = max(1, -(-(int(largest) - int(smallest) + 1) // _BINS))
        bins = -(-(int(largest) - int(smallest) + 1) // width)
        # in floats, as a difference of small integers may be too large for them
        places = ((sample.astype(np.float64) - int(smallest)) // width).astype(np.int64)
        counts = np.bincount(np.minimum(places, bins - 1), minlength=bins)
        high = float(smallest) + float(bins * width)
        return Histogram(float(smallest), high, float(largest), counts)
    if smallest == largest:
        return Histogram(smallest, largest, largest, np.array([sample.size], np.int64))
    half = largest / 2 - smallest / 2  # halves: the range may be too large
    parts = (sample.astype(np.float64) / 2 - smallest / 2) / (half or np.inf)  # or too small
    places = (parts * _BINS).astype(np.int64)
    counts = np.bincount(np.minimum(places, _BINS - 1), minlength=_BINS)
    return Histogram(smallest, largest, largest, counts)


def checked(image: Any) -> np.ndarray:
    """Take an image that can be shown.

    Parameters
    ----------
    image : array-like
        (Y, X), of integers, floats or booleans; of a colour camera three axes, one of them the
        three colours.

    Returns
    -------
    numpy.ndarray
        The same; nothing is copied.

    Raises
    ------
    ConfigurationError
        It can't be shown.
    """
    try:
        given = np.asarray(image)
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f"This can't be shown as an image: {error}") from None
    if given.dtype.kind not in "iufb":
        raise ConfigurationError(
            f"An image of dtype {given.dtype} can't be shown; expected integers or floats."
        )
    is_colour = given.ndim == 3 and 3 in given.shape
    if (given.ndim != 2 and not is_colour) or not given.size:
        raise ConfigurationError(
            f"An image of shape {given.shape} can't be shown; expected rows and columns, of a "
            "colour camera with an axis of the three colours."
        )
    return given


def brightness(image: Any) -> np.ndarray:
    """Bring an image to one value a pixel.

    Parameters
    ----------
    image : array-like
        See :func:`checked`; of colours the mean is taken.

    Returns
    -------
    numpy.ndarray
        (Y, X), of integers or floats that Python has; the array itself when nothing has to be done.

    Raises
    ------
    ConfigurationError
        It can't be shown.
    """
    pixels = checked(image)
    with np.errstate(all="ignore"):  # what is too large is infinite
        if pixels.ndim == 3:
            axis = next(axis for axis in (2, 1, 0) if pixels.shape[axis] == 3)
            # numpy's mean takes longer where colours are the last axis, as they mostly are
            red, green, blue = np.moveaxis(pixels, axis, 0)
            mean = red.astype(np.float32)
            mean += green
            mean += blue
            mean /= 3
            return mean
        if pixels.dtype.kind == "f" and pixels.dtype.itemsize > 8:
            return pixels.astype(np.float64)
    return pixels.view(np.uint8) if pixels.dtype.kind == "b" else pixels
