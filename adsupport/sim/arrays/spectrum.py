"""Fourier transforms of a series of points or of an image (NDPluginFFT)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Spectrum:
    """The half of a transform that a real input needs, in each dimension.

    Attributes
    ----------
    time_series : numpy.ndarray
        The input's first row, padded with zeros: shape ``(n,)``, float64.
    real, imaginary : numpy.ndarray
        Of the first row of frequencies, shape ``(n / 2,)``, not normalised. The transform has a
        positive exponent: ``sum(x[k] * exp(2j * pi * k * m / n))``.
    absolute : numpy.ndarray
        Absolute values divided by the number of points, shape ``(n / 2,)`` or
        ``(rows / 2, n / 2)``.
    """

    time_series: np.ndarray
    real: np.ndarray
    imaginary: np.ndarray
    absolute: np.ndarray


def next_power_of_two(number: int) -> int:
    """Return the smallest power of two that is not less than ``number``."""
    return 1 << max(number - 1, 0).bit_length()


def transform(data: np.ndarray, *, suppress_dc: bool = False) -> Spectrum:
    """Transform points or an image, padded with zeros to powers of two.

    Parameters
    ----------
    data : numpy.ndarray
        Of one or two dimensions and any type of numbers.
    suppress_dc : bool
        Whether to set the value at frequency 0 to 0.

    Raises
    ------
    ValueError
        When the data have another number of dimensions, or no elements.
    """
    if data.ndim not in (1, 2) or not data.size:
        raise ValueError(f"a transform needs data of 1 or 2 dimensions, not of shape {data.shape}")
    from scipy import fft  # an IOC without transforms starts sooner

    padded = tuple(next_power_of_two(size) for size in data.shape)
    # the frequencies that are kept: at least one of each dimension
    kept = tuple(slice(max(size // 2, 1)) for size in padded)
    values = np.asarray(data, np.float64)
    with np.errstate(all="ignore"):
        # a real input's transform with a positive exponent is the conjugate of the usual one
        complete = np.asarray(fft.rfftn(values, padded))[kept].conj()
        absolute = np.abs(complete) / np.prod(padded)
    if suppress_dc:
        complete.flat[0] = absolute.flat[0] = 0.0
    series = np.zeros(padded[-1])
    first = values if values.ndim == 1 else values[0]
    series[: first.size] = first
    row = complete if complete.ndim == 1 else complete[0]
    return Spectrum(series, np.real(row).copy(), np.imag(row).copy(), absolute)


def axes(points: int, time_per_point: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the times of the points and the frequencies of their spectrum (NDPluginFFT).

    Parameters
    ----------
    points : int
        A power of two.
    time_per_point : float
        Seconds.

    Returns
    -------
    times : numpy.ndarray
        Shape ``(points,)``, s.
    frequencies : numpy.ndarray
        Shape ``(points / 2,)``, Hz; its last one is half the sampling rate, which is one step too
        high, as in NDPluginFFT. All NaN for fewer than four points, infinite without a time.
    """
    count = max(points // 2, 1)
    with np.errstate(all="ignore"):
        step = np.float64(0.5) / np.float64(time_per_point) / np.float64(count - 1)
        return np.arange(points) * time_per_point, np.arange(count) * step


class RunningAverage:
    """An average of spectra that forgets old ones once it has enough (NDPluginFFT).

    Attributes
    ----------
    weight : int
        Arrays that the average will be over with the next one; 0 before the first.
    """

    def __init__(self) -> None:
        self._average: np.ndarray | None = None
        self._number = 0
        self.weight = 0

    def add(self, values: np.ndarray, number: int, *, reset: bool = False) -> np.ndarray:
        """Take one more array and return the average.

        Parameters
        ----------
        values : numpy.ndarray
            Float64; another shape than before starts anew.
        number : int
            Arrays to average over: the newest has a weight of 1 over their number, once there
            have been so many. Another number than before starts anew.
        reset : bool
            Whether to start anew.
        """
        old = self._average
        if old is None or old.shape != values.shape:
            old = np.zeros_like(values)
        if reset or number != self._number:
            self._number, self.weight = number, 1
        fraction = 1.0 / max(self.weight, 1)
        self._average = old * (1.0 - fraction) + values * fraction
        if self.weight < number:
            self.weight += 1
        return self._average
