"""The ramp filter of filtered back-projection, and the windows that damp its noise.

The ramp is made from its band-limited kernel in space, not drawn in frequency: so the mean of a
slice has no offset [1]_.

References
----------
.. [1] A. C. Kak, M. Slaney, "Principles of Computerized Tomographic Imaging", IEEE Press 1988,
   chapter 3, equation 61.
"""

from __future__ import annotations

import math

import numpy as np

from ...errors import ConfigurationError

__all__ = ["FILTERS", "RowFilter", "frequency_response", "padded_length"]

#: Names of the filters: the ramp alone, or with a window.
FILTERS = ("ramp", "shepp-logan", "cosine", "hamming", "hann")


def padded_length(width: int) -> int:
    """Tell how long a row must be for its filtering, so that its ends don't meet.

    Parameters
    ----------
    width : int
        Pixels that go in or come out, whichever are more.

    Returns
    -------
    int
        ``2**ceil(log2(2 * width))``, at least 64.
    """
    return max(64, 1 << (2 * width - 1).bit_length())


def frequency_response(name: str, length: int) -> np.ndarray:
    """Make a filter.

    Parameters
    ----------
    name : str
        One of :data:`FILTERS`.
    length : int
        Pixels of a padded row, even.

    Returns
    -------
    numpy.ndarray
        (length // 2 + 1,), float64, in 1/pixel: what to multiply the real Fourier transform with.
        It is a half at the highest frequency for the ramp.

    Raises
    ------
    ConfigurationError
        There is no such filter.
    """
    if name not in FILTERS:
        raise ConfigurationError(
            f"filter={name!r} isn't known.", remedy=f"Use one of {', '.join(FILTERS)}."
        )
    kernel = np.zeros(length)
    kernel[0] = 0.25
    odd = np.arange(1, length // 2 + 1, 2)
    kernel[odd] = kernel[-odd] = -1.0 / (np.pi * odd) ** 2
    ramp = np.fft.rfft(kernel).real
    frequency = np.arange(length // 2 + 1) / length  # cycles a pixel
    if name == "shepp-logan":
        return ramp * np.sinc(frequency)
    if name == "cosine":
        return ramp * np.cos(np.pi * frequency)
    if name in ("hamming", "hann"):
        constant = 0.54 if name == "hamming" else 0.5
        # as iradon: a window of `length` samples has no middle one, so that its halves differ; what
        # acts on real rows is their mean
        turn = np.pi / (length - 1)
        wave = np.cos(turn) * np.cos(2.0 * turn * np.arange(length // 2 + 1))
        return ramp * (constant + (1.0 - constant) * wave)
    return ramp


class RowFilter:
    """Filters rows of pixels, and continues them beyond the detector's edges.

    Parameters
    ----------
    name : str
        One of :data:`FILTERS`.
    width : int
        Pixels of a row.
    left, right : int
        How many pixels more to give at each end.  There the projections are taken to be 0, but
        filtered ones aren't.

    Raises
    ------
    ConfigurationError
        There is no such filter.
    """

    def __init__(self, name: str, width: int, left: int = 0, right: int = 0) -> None:
        self._width, self._left = width, left
        self.length = left + width + right
        # not less than iradon, which pads to the diagonal: windows depend on the length a little
        self._padded = padded_length(max(self.length, math.ceil(math.sqrt(2.0) * width)))
        self._response = frequency_response(name, self._padded).astype(np.float32)

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """Filter rows.

        Parameters
        ----------
        rows : numpy.ndarray
            (..., width), line integrals.

        Returns
        -------
        numpy.ndarray
            (..., left + width + right), float32, per pixel.
        """
        padded = np.zeros((*rows.shape[:-1], self._padded), np.float32)
        padded[..., self._left : self._left + self._width] = rows
        waves = np.fft.rfft(padded)
        waves *= self._response
        return np.ascontiguousarray(np.fft.irfft(waves, self._padded)[..., : self.length])
