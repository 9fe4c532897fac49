"""Statistics of a rectangle of an array: what NDPluginROIStat computes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from adsupport.sim.arrays.statistics import total


@dataclass(frozen=True, slots=True)
class RegionStatistics:
    """Statistics of a region.

    Attributes
    ----------
    minimum, maximum, mean, total : float
        Of the region's elements.
    net : float
        Total less mean of the border times number of elements.
    """

    minimum: float
    maximum: float
    mean: float
    total: float
    net: float


def region_statistics(region: np.ndarray, border: int = 0) -> RegionStatistics:
    """Compute the statistics of a region.

    Parameters
    ----------
    region : numpy.ndarray
        Elements of any number type, one- or two-dimensional, not empty.
    border : int
        Width in elements of the border whose mean is the background; 0 is none, and a negative
        one takes all. Where first and last layers of the slow axis overlap, they count twice;
        corners count once.
    """
    sum_of_all = total(region)
    return RegionStatistics(
        minimum=float(region.min()),
        maximum=float(region.max()),
        mean=sum_of_all / region.size,
        total=sum_of_all,
        net=sum_of_all - _border_mean(region, border) * region.size,
    )


def _border_mean(region: np.ndarray, border: int) -> float:
    if not border:
        return 0.0
    widths = [size if border < 0 else min(border, size) for size in region.shape]
    first, last = region[: widths[0]], region[region.shape[0] - widths[0] :]
    parts = [first, last]
    if region.ndim > 1:
        between = region[widths[0] : region.shape[0] - widths[0]]
        parts += [between[:, : widths[1]], between[:, region.shape[1] - widths[1] :]]
    return sum(total(part) for part in parts) / sum(part.size for part in parts)
