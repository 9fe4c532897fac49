"""Centroid, widths and shape of what an image shows: its statistical moments up to the fourth.

Formulas are those that ADCore documents for NDPluginStats, which takes them from the theory of
image moments: with the pixel values ``v`` that reach the threshold as weights, the central
moments are ``mu_pq = sum(v * (x - x_mean)**p * (y - y_mean)**q)``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from adsupport.sim.arrays.profiles import Sums


@dataclass(frozen=True, slots=True)
class Centroid:
    """Where an image's intensity is and how it is spread; pixels count from 0.

    Attributes
    ----------
    total : float
        Sum of the pixels that reach the threshold: ``M00``.
    x, y : float
        Mean position: ``M10 / M00`` and ``M01 / M00``.
    sigma_x, sigma_y : float
        Standard deviations: roots of the variances ``mu20 / M00`` and ``mu02 / M00``.
    sigma_xy : float
        Correlation, -1 to 1: ``mu11 / M00 / (sigma_x * sigma_y)``.
    skew_x, skew_y : float
        Third moment in units of sigma: ``mu30 / M00 / sigma_x**3``.
    kurtosis_x, kurtosis_y : float
        Excess of the fourth moment over a Gaussian's: ``mu40 / M00 / sigma_x**4 - 3``.
    eccentricity : float
        ``((mu20 - mu02)**2 - 4 * mu11**2) / (mu20 + mu02)**2``, as the plugin has it.
    orientation : float
        Angle of the long axis against x in degrees: ``atan2(2 * mu11, mu20 - mu02) / 2``.
    """

    total: float = 0.0
    x: float = 0.0
    y: float = 0.0
    sigma_x: float = 0.0
    sigma_y: float = 0.0
    sigma_xy: float = 0.0
    skew_x: float = 0.0
    skew_y: float = 0.0
    kurtosis_x: float = 0.0
    kurtosis_y: float = 0.0
    eccentricity: float = 0.0
    orientation: float = 0.0


def centroid(sums: Sums) -> Centroid:
    """Compute centroid and shape from an image's sums.

    Parameters
    ----------
    sums : Sums
        See :func:`adsupport.sim.arrays.profiles.sums`.

    Returns
    -------
    Centroid
        Zeros when no pixel reaches the threshold or their total isn't positive. What cannot be
        told of an image without extent, such as the skewness of one pixel, is 0; negative pixels
        may make a variance negative, and what derives from it NaN.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        total = float(sums.above_x.sum())
        if not total > 0.0:
            return Centroid()
        x, var_x, skew_x, kurtosis_x = _along(sums.above_x, total)
        y, var_y, skew_y, kurtosis_y = _along(sums.above_y, total)
    var_xy = sums.cross / total - x * y if var_x and var_y else 0.0
    sigma_x, sigma_y = _root(var_x), _root(var_y)
    sum_of_variances = var_x + var_y
    eccentricity = 0.0
    if sum_of_variances:
        difference = var_x - var_y
        eccentricity = difference * difference - 4.0 * var_xy * var_xy
        eccentricity /= sum_of_variances * sum_of_variances
    return Centroid(
        total=total,
        x=x,
        y=y,
        sigma_x=sigma_x,
        sigma_y=sigma_y,
        sigma_xy=var_xy / (sigma_x * sigma_y) if sigma_x and sigma_y else 0.0,
        skew_x=skew_x,
        skew_y=skew_y,
        kurtosis_x=kurtosis_x,
        kurtosis_y=kurtosis_y,
        eccentricity=eccentricity,
        orientation=math.degrees(math.atan2(2.0 * var_xy, var_x - var_y)) / 2.0,
    )


def _along(weights: np.ndarray, total: float) -> tuple[float, float, float, float]:
    """Return mean, variance, skewness and excess kurtosis of a profile."""
    positions = np.arange(weights.size, dtype=np.float64)
    # sums, not products of vectors, here and below: BLAS would call its own threads for those
    mean = float((weights * positions).sum()) / total
    # moments about the mean at once: raw fourth moments cancel to few digits far from the origin
    distances = positions - mean
    second, third, fourth = (
        float((weights * distances**power).sum()) / total for power in (2, 3, 4)
    )
    # rounding of the mean leaves a trace where there is no extent
    trace = 4.0 * np.finfo(float).eps * max(mean, 1.0)
    if abs(second) <= trace * trace:
        return mean, 0.0, 0.0, 0.0
    sigma = _root(second)
    return mean, second, third / (sigma * sigma * sigma), fourth / (second * second) - 3.0


def _root(variance: float) -> float:
    return math.sqrt(variance) if variance >= 0.0 else math.nan
