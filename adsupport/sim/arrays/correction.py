"""Background, flat field, scaling and clipping of images (NDPluginProcess)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


class FlatField:
    """What removes the structure of a flat field from images.

    Parameters
    ----------
    image : numpy.ndarray
        The flat field, float64.
    scale : float
        What the flat field itself would become: ScaleFlatField. Pixels become ``scale`` whatever
        they were where the flat field is 0.
    """

    def __init__(self, image: np.ndarray, scale: float) -> None:
        flat = image.reshape(-1)
        self.scale = scale
        self._dark = np.flatnonzero(flat == 0)
        with np.errstate(all="ignore"):
            self._gain = scale / flat

    def apply(self, flat: np.ndarray) -> None:
        """Divide by the flat field and multiply by the scale.

        Parameters
        ----------
        flat : numpy.ndarray
            Float64, one-dimensional, as many elements as the flat field; changed in place.
        """
        flat *= self._gain
        flat[self._dark] = self.scale


@dataclass(frozen=True, slots=True)
class Correction:
    """What is done to each pixel, in this order; None leaves a step out.

    Attributes
    ----------
    background : numpy.ndarray or None
        Float64; subtracted.
    flat_field : FlatField or None
        Divided by.
    offset_scale : tuple of float or None
        Offset and scale: ``(value + offset) * scale``.
    high_clip, low_clip : tuple of float or None
        Threshold and value: pixels above (below) the threshold get the value. The high ones are
        clipped first.
    """

    background: np.ndarray | None = None
    flat_field: FlatField | None = None
    offset_scale: tuple[float, float] | None = None
    high_clip: tuple[float, float] | None = None
    low_clip: tuple[float, float] | None = None

    @property
    def is_empty(self) -> bool:
        """Whether every step is left out."""
        steps = (self.background, self.flat_field, self.offset_scale, self.high_clip, self.low_clip)
        return all(step is None for step in steps)


def correct(data: np.ndarray, correction: Correction) -> None:
    """Correct an image in place.

    Parameters
    ----------
    data : numpy.ndarray
        Float64, C-contiguous; background and flat field have as many elements.
    correction : Correction
        What to do.
    """
    flat = data.reshape(-1)
    with np.errstate(all="ignore"):
        if correction.background is not None:
            flat -= correction.background.reshape(-1)
        if correction.flat_field is not None:
            correction.flat_field.apply(flat)
        if correction.offset_scale is not None:
            offset, scale = correction.offset_scale
            flat += offset
            flat *= scale
        if correction.high_clip is not None:
            threshold, value = correction.high_clip
            np.putmask(flat, flat > threshold, value)
        if correction.low_clip is not None:
            threshold, value = correction.low_clip
            np.putmask(flat, flat < threshold, value)


def full_range(lowest: float, highest: float, item_size: int) -> tuple[float, float, float]:
    """Return the offset and scale that spread values over all that an output type can show.

    Parameters
    ----------
    lowest, highest : float
        Smallest and largest pixel.
    item_size : int
        Bytes of an output pixel.

    Returns
    -------
    offset, scale : float
        ``(highest + offset) * scale`` is the maximum; the scale is infinite when all pixels are
        equal.
    maximum : float
        Largest number of an unsigned integer of that size.
    """
    maximum = 2.0 ** (8 * item_size) - 1
    with np.errstate(all="ignore"):
        scale = float(np.float64(maximum) / (highest - lowest))
    return -lowest, scale, maximum
