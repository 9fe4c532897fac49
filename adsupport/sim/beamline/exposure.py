"""From light to numbers: photon noise, dark current, read-out noise and the converter's limit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

ADC_LIMIT = 65535
"""Highest number that the 16-bit converter gives."""

MANY = 25.0
"""Mean count from which Poisson's distribution is replaced by the normal one of equal variance:
its skewness is below 0.2 there, and normal numbers cost a fifth."""


@dataclass(frozen=True, slots=True)
class Sensor:
    """How the camera turns light into numbers.

    Attributes
    ----------
    gain : float
        Counts per photon.
    offset : float
        Counts of a pixel that got neither light nor time.
    dark_rate : float
        Dark current, electrons per second and pixel; each counts like a photon.
    read_noise : float
        Standard deviation added by read-out, counts.
    noisy : bool
        Whether counts fluctuate at all.
    """

    gain: float = 1.0
    offset: float = 100.0
    dark_rate: float = 20.0
    read_noise: float = 2.0
    noisy: bool = True

    def mean(self, photons: np.ndarray, seconds: float) -> np.ndarray:
        """Return the counts to be expected, neither rounded nor limited.

        Parameters
        ----------
        photons : numpy.ndarray
            Photons to be expected in each pixel.
        seconds : float
            Exposure.
        """
        return self.offset + self.gain * (photons + self.dark_rate * seconds)

    def expose(
        self, photons: np.ndarray, seconds: float, random: np.random.Generator
    ) -> np.ndarray:
        """Return counts as they fluctuate, not limited yet.

        Parameters
        ----------
        photons : numpy.ndarray
            Photons to be expected in each pixel, float32.
        seconds : float
            Exposure.
        random : numpy.random.Generator
            Decides on the noise.

        Returns
        -------
        numpy.ndarray
            float32, of the same shape.
        """
        events = photons + np.float32(self.dark_rate * seconds)
        if self.noisy:
            events = fluctuate(events, random)
        counts = events * np.float32(self.gain) + np.float32(self.offset)
        if self.noisy and self.read_noise > 0:
            noise = random.standard_normal(counts.shape, np.float32)
            counts += noise * np.float32(self.read_noise)
        return counts


def fluctuate(mean: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return numbers of photons around their means: Poisson's, or normal for large means.

    Parameters
    ----------
    mean : numpy.ndarray
        float32, at least 0.
    random : numpy.random.Generator
        Decides.
    """
    few = mean < MANY
    if few.all():
        return random.poisson(mean).astype(np.float32)
    events = random.standard_normal(mean.shape, np.float32)
    events *= np.sqrt(mean)
    events += mean
    if few.any():
        events[few] = random.poisson(mean[few])
    return events


def digitise(counts: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Round counts to numbers of a pixel type; what is too much saturates.

    Parameters
    ----------
    counts : numpy.ndarray
        Counts, after binning.
    dtype : numpy.dtype
        Pixel type; a narrow integer saturates below :data:`ADC_LIMIT`.
    """
    highest = ADC_LIMIT if dtype.kind == "f" else min(ADC_LIMIT, int(np.iinfo(dtype).max))
    return np.clip(np.rint(counts), 0, highest).astype(dtype)
