"""A part of an image in 8 bits, no larger than it's shown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Region", "Rendered", "rendered"]

#: Pixels along each side of a block that its mean is taken of, at most.
_MOST = 4
_LEAST_SIDE = 4


@dataclass(frozen=True, slots=True)
class Region:
    """A part of an image, in whole pixels.

    Parameters
    ----------
    left, top : int
        The first column and row.
    right, bottom : int
        Behind the last column and row.
    """

    left: int
    top: int
    right: int
    bottom: int

    def within(self, shape: tuple[int, int]) -> Region:
        """Move it into an image, and make it smaller or larger as far as that's needed.

        Parameters
        ----------
        shape : tuple of int
            Rows and columns of the image.

        Returns
        -------
        Region
            At least 4 pixels wide and high, if the image is.
        """
        left, right = _inside(self.left, self.right, shape[1])
        top, bottom = _inside(self.top, self.bottom, shape[0])
        return Region(left, top, right, bottom)


def _inside(first: int, last: int, length: int) -> tuple[int, int]:
    wanted = min(length, max(_LEAST_SIDE, last - first))
    first = min(max(0, first), length - wanted)
    return first, first + wanted


@dataclass(frozen=True, slots=True, eq=False)
class Rendered:
    """A part of an image, ready to be drawn.

    Parameters
    ----------
    levels : numpy.ndarray
        (h, w), uint8: from 0, the lower limit, to 255, the upper one.
    region : Region
        The pixels it shows.
    """

    levels: np.ndarray
    region: Region


def rendered(
    pixels: np.ndarray,
    limits: tuple[float, float],
    region: Region | None = None,
    size: tuple[int, int] = (1024, 1024),
) -> Rendered:
    """Bring a part of an image to 8 bits.

    Parameters
    ----------
    pixels : numpy.ndarray
        (Y, X).
    limits : tuple of float
        Values that are 0 and 255; what is below or above them, too.  NaN is 0.
    region : Region, optional
        The part; by default all.
    size : tuple of int
        Width and height that it's drawn with.  One with more than 1.5 times as many pixels is
        made smaller: each is the mean of a block, or of 16 pixels spread over a large one.

    Returns
    -------
    Rendered
        The picture.
    """
    whole = pixels.shape[0], pixels.shape[1]
    part = (region or Region(0, 0, whole[1], whole[0])).within(whole)
    width, height = part.right - part.left, part.bottom - part.top
    step = max(1, round(max(width / size[0], height / size[1])))
    across, down = min(step, width), min(step, height)
    shown = pixels[part.top : part.bottom, part.left : part.right]
    if step > 1:
        # the rest, narrower than a block, isn't shown
        width, height = across * (width // across), down * (height // down)
        part = Region(part.left, part.top, part.left + width, part.top + height)
        shown = _means(shown[:height, :width], across, down)
    return Rendered(_levels(shown, limits), part)


def _means(pixels: np.ndarray, across: int, down: int) -> np.ndarray:
    columns, rows = (range(0, step, -(-step // _MOST)) for step in (across, down))
    small = pixels.dtype.itemsize < 4 or pixels.dtype == np.float32
    total = np.zeros(
        (pixels.shape[0] // down, pixels.shape[1] // across), np.float32 if small else np.float64
    )
    with np.errstate(all="ignore"):  # what is no number isn't in the mean either
        for row in rows:
            for column in columns:
                total += pixels[row::down, column::across]
        total /= len(rows) * len(columns)
    return total


def _levels(pixels: np.ndarray, limits: tuple[float, float]) -> np.ndarray:
    low, high = limits
    if pixels.dtype in (np.uint8, np.uint16) and pixels.size > 1 << 16:
        every = np.arange(1 << (8 * pixels.dtype.itemsize))  # faster than each pixel by itself
        return _scaled(every, low, high)[pixels]
    return _scaled(pixels, low, high)


def _scaled(values: np.ndarray, low: float, high: float) -> np.ndarray:
    if not high > low:
        return np.where(values > low, np.uint8(255), np.uint8(0))
    # float32 has not enough digits for wide integers near each other
    kind = np.float32 if values.dtype in (np.uint8, np.int8, np.float32) else np.float64
    scaled = values.astype(kind)
    with np.errstate(all="ignore"):
        scaled -= kind(low)
        scaled *= kind(np.float64(255.0) / (high - low))
        np.rint(scaled, out=scaled)
        np.clip(scaled, 0, 255, out=scaled)
    np.nan_to_num(scaled, copy=False, nan=0.0)
    return scaled.astype(np.uint8)
