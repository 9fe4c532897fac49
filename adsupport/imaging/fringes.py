"""Fringes of grating stepping: from the images of all steps to intensity, visibility and phase.

A grating is moved across the beam by whole periods in even steps; each pixel then has a sine of
the step.  Its mean is the intensity, its amplitude relative to the mean the visibility, and where
it begins the phase [1]_.

References
----------
.. [1] T. Weitkamp et al., "X-ray phase imaging with a grating interferometer", Optics Express
   13 (2005) 6296.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..errors import ConfigurationError, FrameCountError

__all__ = [
    "Contrasts",
    "FringeMaps",
    "FringeSum",
    "contrasts_of",
    "fringe_maps",
    "wrapped",
]


@dataclass(frozen=True, slots=True, eq=False)
class FringeMaps:
    """What the fringes of each pixel are like.

    Parameters
    ----------
    intensity : numpy.ndarray
        (Y, X), float64: mean over the steps, in counts, without the dark image.
    visibility : numpy.ndarray
        (Y, X), float64: amplitude over mean, from 0 to 1 in a perfect measurement; NaN where the
        mean is 0.
    phase : numpy.ndarray
        (Y, X), float64: radians, above -pi up to pi; of cos(2 pi step / steps of a period + phase).
    """

    intensity: np.ndarray
    visibility: np.ndarray
    phase: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class Contrasts:
    """What the sample does to the fringes.

    Parameters
    ----------
    intensity_contrast : numpy.ndarray
        (Y, X), float64: intensity with the sample over that without: transmission.
    visibility_contrast : numpy.ndarray
        (Y, X), float64: visibility with the sample over that without: dark field.
    differential_phase : numpy.ndarray
        (Y, X), float64: phase with the sample minus that without; radians, above -pi up to pi.
    differential_phase_in_rad : numpy.ndarray or None
        (Y, X), float64: that phase times the grating's period over the propagation distance, as
        concert has it; None without a distance.  Over 2 pi it is the angle of refraction.
    """

    intensity_contrast: np.ndarray
    visibility_contrast: np.ndarray
    differential_phase: np.ndarray
    differential_phase_in_rad: np.ndarray | None = None


class FringeSum:
    """Sums up the images of a stepping one by one: they needn't be kept.

    Parameters
    ----------
    periods : int
        Periods of the grating that all steps together go through, at least 1.
    steps_per_period : int
        Steps of a period, at least 3.

    Raises
    ------
    ConfigurationError
        With these no phase can be told.
    """

    def __init__(self, periods: int, steps_per_period: int) -> None:
        if periods < 1 or periods != int(periods):
            raise ConfigurationError(f"periods={periods}: expected a whole number of at least 1.")
        if steps_per_period < 3 or steps_per_period != int(steps_per_period):
            raise ConfigurationError(
                f"steps_per_period={steps_per_period}: expected a whole number of at least 3.",
                remedy="Two steps of a period can't tell amplitude from phase.",
            )
        self.periods, self.steps_per_period = int(periods), int(steps_per_period)
        self._seen: set[int] = set()
        self._mean: np.ndarray | None = None
        self._wave: np.ndarray | None = None

    @property
    def steps(self) -> int:
        """How many images there must be."""
        return self.periods * self.steps_per_period

    @property
    def missing(self) -> list[int]:
        """Steps that haven't come, from 0."""
        return sorted(set(range(self.steps)) - self._seen)

    def add(self, step: int, image: np.ndarray) -> None:
        """Take the image of a step, in any order.

        Parameters
        ----------
        step : int
            Which, from 0.
        image : numpy.ndarray
            (Y, X), counts.

        Raises
        ------
        FrameCountError
            There is no such step, or it came before.
        ConfigurationError
            The image has another shape than those before.
        """
        if step in self._seen or not 0 <= step < self.steps:
            what = "came twice" if step in self._seen else "doesn't exist"
            raise FrameCountError(
                f"Step {step} of {self.steps} {what}.", expected=self.steps, got=len(self._seen)
            )
        counts = np.asarray(image, np.float64)
        if self._mean is None or self._wave is None:
            self._mean = np.zeros(counts.shape)
            self._wave = np.zeros(counts.shape, np.complex128)
        elif counts.shape != self._mean.shape:
            raise ConfigurationError(
                f"Step {step} has an image of {counts.shape}; expected {self._mean.shape}, as "
                "those before."
            )
        self._seen.add(step)
        angle = -2.0 * math.pi * (step % self.steps_per_period) / self.steps_per_period
        self._mean += counts / self.steps
        self._wave += counts * (complex(math.cos(angle), math.sin(angle)) / self.steps)

    def maps(self, dark: np.ndarray | float = 0.0) -> FringeMaps:
        """Tell what the fringes are like.

        Parameters
        ----------
        dark : numpy.ndarray or float
            Mean image without beam, in counts.

        Returns
        -------
        FringeMaps
            Intensity, visibility and phase.

        Raises
        ------
        FrameCountError
            Steps are missing: without them there is no phase.
        """
        missing = self.missing
        if missing or self._mean is None or self._wave is None:
            raise FrameCountError(
                f"{len(missing)} of {self.steps} steps are missing: "
                f"{', '.join(map(str, missing[:10]))}{' ...' if len(missing) > 10 else ''}.",
                expected=self.steps,
                got=len(self._seen),
                missing=missing,
                remedy="Take the stepping again: without them there is no phase.",
            )
        mean = self._mean - dark  # a constant has no part in the wave
        with np.errstate(divide="ignore", invalid="ignore"):
            visibility = np.where(mean == 0, np.nan, 2.0 * np.abs(self._wave) / mean)
        return FringeMaps(np.abs(mean), visibility, wrapped(np.angle(self._wave)))


def fringe_maps(images: np.ndarray, periods: int = 1, dark: np.ndarray | float = 0.0) -> FringeMaps:
    """Tell what the fringes of a stepping are like.

    Parameters
    ----------
    images : numpy.ndarray
        (steps, Y, X), counts, in the order of the steps.
    periods : int
        Periods that all steps together go through.
    dark : numpy.ndarray or float
        Mean image without beam, in counts.

    Returns
    -------
    FringeMaps
        Intensity, visibility and phase.

    Raises
    ------
    ConfigurationError
        The steps don't fit into the periods, or are fewer than 3 each.
    """
    steps = len(images)
    if periods < 1 or steps % periods:
        raise ConfigurationError(
            f"{steps} steps don't make {periods} whole periods of equal steps."
        )
    total = FringeSum(periods, steps // periods)
    for step, image in enumerate(images):
        total.add(step, image)
    return total.maps(dark)


def contrasts_of(
    reference: FringeMaps,
    sample: FringeMaps,
    *,
    flat_scale: float = 1.0,
    grating_period: float | None = None,
    propagation_distance: float | None = None,
) -> Contrasts:
    """Compare the fringes with a sample with those without.

    Parameters
    ----------
    reference : FringeMaps
        Without the sample.
    sample : FringeMaps
        With it.
    flat_scale : float
        Exposure of the frames with it over that of those without: the intensity without it is
        multiplied by this.  Visibility and phase don't depend on it.
    grating_period : float, optional
        In µm.
    propagation_distance : float, optional
        From the sample to the analyser grating, in mm.

    Returns
    -------
    Contrasts
        NaN or infinite where the reference has nothing to compare with.

    Raises
    ------
    ConfigurationError
        The distance isn't above 0, or is given without a period.
    """
    factor = None
    if propagation_distance is not None:
        if not propagation_distance > 0 or grating_period is None or not grating_period > 0:
            raise ConfigurationError(
                f"propagation_distance={propagation_distance} mm with grating_period="
                f"{grating_period} µm: expected both above 0.",
                remedy="Without a distance give None: the phase then is that of the fringes alone.",
            )
        factor = grating_period * 1e-3 / propagation_distance
    with np.errstate(divide="ignore", invalid="ignore"):
        intensity = sample.intensity / (reference.intensity * flat_scale)
        visibility = sample.visibility / reference.visibility
    phase = wrapped(sample.phase - reference.phase)
    return Contrasts(intensity, visibility, phase, None if factor is None else phase * factor)


def wrapped(phase: np.ndarray) -> np.ndarray:
    """Bring angles into one turn.

    Parameters
    ----------
    phase : numpy.ndarray
        Radians.

    Returns
    -------
    numpy.ndarray
        The same angles, above -pi up to pi.
    """
    turned = math.pi - np.mod(math.pi - np.asarray(phase, np.float64), 2.0 * math.pi)
    return np.where(turned <= -math.pi, math.pi, turned)  # the remainder may round to a whole turn
