"""From counts to line integrals: ``-log((image - dark) / (flat - dark))``.

A pixel whose image or flat isn't above its dark, or isn't finite, has no logarithm.  It is
replaced by what lies between its nearest good neighbours in its row of the detector, linearly; at
the ends of a row by the nearest one, and by 0 where a row has no good pixel.  How many were
replaced is counted.
"""

from __future__ import annotations

import numpy as np

from ...errors import ConfigurationError

__all__ = ["FrameMean", "absorption", "minus_log", "replace_bad", "transmission"]


class FrameMean:
    """The mean of frames as they come; it keeps their sum only, in float64.

    Parameters
    ----------
    shape : tuple of int
        Of each frame.
    what : str
        What they are, for messages.

    Attributes
    ----------
    total : numpy.ndarray
        Their sum.
    count : int
        How many there are.
    """

    def __init__(self, shape: tuple[int, ...], what: str = "frame") -> None:
        self.total = np.zeros(shape)
        self._what = what
        self.count = 0

    def add(self, image: np.ndarray | FrameMean) -> None:
        """Take a frame.

        Parameters
        ----------
        image : numpy.ndarray or FrameMean
            Counts; or the mean of other frames, which counts as all of these.

        Raises
        ------
        ConfigurationError
            It has another shape.
        """
        frames = 1
        if isinstance(image, FrameMean):
            image, frames = image.total, image.count
        image = np.asarray(image)
        if image.shape != self.total.shape:
            raise ConfigurationError(
                f"A {self._what} has shape {image.shape}; expected {self.total.shape}.",
                remedy="Give the same rows and columns of all frames.",
            )
        self.total += image
        self.count += frames

    @property
    def mean(self) -> np.ndarray:
        """The mean, float64; 0 before the first frame."""
        return self.total / max(self.count, 1)


def transmission(
    image: np.ndarray, dark: np.ndarray | float, flat: np.ndarray, flat_scale: float = 1.0
) -> np.ndarray:
    """Tell which part of the light comes through.

    Parameters
    ----------
    image : numpy.ndarray
        (..., W), counts.
    dark : numpy.ndarray or float
        Mean counts without beam.
    flat : numpy.ndarray
        Mean counts without sample.
    flat_scale : float
        Exposure of the image over that of the flat.

    Returns
    -------
    numpy.ndarray
        (..., W), float32; NaN or infinite where the flat isn't above the dark.
    """
    with np.errstate(all="ignore"):
        light = (np.asarray(flat, np.float64) - dark) * flat_scale
        return ((image - np.asarray(dark, np.float64)) / np.where(light > 0, light, np.nan)).astype(
            np.float32
        )


def minus_log(image: np.ndarray, dark: np.ndarray | float = 0.0) -> np.ndarray:
    """Take the negative logarithm of the light, whatever the flat is.

    Parameters
    ----------
    image : numpy.ndarray
        (..., W), counts.
    dark : numpy.ndarray or float
        Mean counts without beam.

    Returns
    -------
    numpy.ndarray
        (..., W), float32; not finite where the image isn't above the dark.
    """
    with np.errstate(all="ignore"):
        light = np.asarray(np.subtract(image, dark), np.float32)
        return -np.log(light)


def replace_bad(rows: np.ndarray) -> int:
    """Replace pixels that aren't finite, in place, from their neighbours in the row.

    Parameters
    ----------
    rows : numpy.ndarray
        (..., W).

    Returns
    -------
    int
        How many pixels were replaced.
    """
    good = np.isfinite(rows)
    if good.all():
        return 0
    columns = np.arange(rows.shape[-1])
    for place in np.argwhere(~good.all(axis=-1)):
        values, kept = rows[tuple(place)], good[tuple(place)]
        values[~kept] = (
            np.interp(columns[~kept], columns[kept], values[kept]) if kept.any() else 0.0
        )
    return int(good.size - np.count_nonzero(good))


def absorption(
    image: np.ndarray, dark: np.ndarray | float, flat: np.ndarray, flat_scale: float = 1.0
) -> tuple[np.ndarray, int]:
    """Tell the line integrals of the attenuation.

    Parameters
    ----------
    image : numpy.ndarray
        (..., W), counts.
    dark : numpy.ndarray or float
        Mean counts without beam.
    flat : numpy.ndarray
        Mean counts without sample.
    flat_scale : float
        Exposure of the image over that of the flat.

    Returns
    -------
    numpy.ndarray
        (..., W), float32, all finite; without unit: attenuation times length.
    int
        How many pixels had to be replaced.
    """
    with np.errstate(all="ignore"):  # infinite ones of both make NaN
        rows = minus_log(image, dark) - minus_log(flat, dark) + np.float32(np.log(flat_scale))
    return rows, replace_bad(rows)
