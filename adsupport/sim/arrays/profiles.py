"""Profiles of an image along x and y: means over rows and columns, and cuts through a pixel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

ROWS = 32
"""Rows that are converted to doubles at a time: few enough to stay in the cache."""


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums of an image's pixels over its axes.

    Attributes
    ----------
    x, y : numpy.ndarray
        Sum of each column, shape ``(width,)``, and of each row, ``(height,)``; float64.
    above_x, above_y : numpy.ndarray
        The same of the pixels that reach the threshold alone.
    cross : float
        Sum over those pixels of value times column number times row number.
    """

    x: np.ndarray
    y: np.ndarray
    above_x: np.ndarray
    above_y: np.ndarray
    cross: float

    @property
    def means(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean of each column, and of each row."""
        return self.x / self.y.size, self.y / self.x.size

    @property
    def means_above(self) -> tuple[np.ndarray, np.ndarray]:
        """The same with the pixels below the threshold taken as 0."""
        return self.above_x / self.y.size, self.above_y / self.x.size


def sums(image: np.ndarray, threshold: float) -> Sums:
    """Add up an image over its axes.

    Parameters
    ----------
    image : numpy.ndarray
        Pixels of any number type, shape ``(height, width)``.
    threshold : float
        Least value of a pixel that counts.
    """
    height, width = image.shape
    columns, rows = np.arange(width, dtype=np.float64), np.arange(height, dtype=np.float64)
    x, above_x = np.zeros(width), np.zeros(width)
    y, above_y = np.empty(height), np.empty(height)
    cross = 0.0
    with np.errstate(invalid="ignore", over="ignore"):
        # sums, not products with vectors: BLAS would call its own threads for those
        for start in range(0, height, ROWS):
            part = slice(start, start + ROWS)
            pixels = image[part].astype(np.float64)
            x += pixels.sum(axis=0)
            y[part] = pixels.sum(axis=1)
            np.copyto(pixels, 0.0, where=~(pixels >= threshold))
            above_x += pixels.sum(axis=0)
            above_y[part] = pixels.sum(axis=1)
            np.multiply(pixels, columns, out=pixels)
            cross += float((pixels.sum(axis=1) * rows[part]).sum())
    return Sums(x, y, above_x, above_y, cross)


def cuts(image: np.ndarray, x: int, y: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the row and the column through a pixel.

    Parameters
    ----------
    image : numpy.ndarray
        Pixels, shape ``(height, width)``.
    x, y : int
        Column and row of the pixel, within the image.

    Returns
    -------
    tuple of numpy.ndarray
        The pixels of row ``y`` and those of column ``x``, as float64.
    """
    return image[y].astype(np.float64), image[:, x].astype(np.float64)
