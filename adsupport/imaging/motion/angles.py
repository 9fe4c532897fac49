"""Angles of a tomogram, in degrees, in the order in which they are taken."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from ...errors import ConfigurationError
from ..asked.arguments import finite, whole

__all__ = ["equal_angles", "given_angles", "golden_angles", "interlaced_angles"]

#: Part of the range from one angle to the next: the golden section, (sqrt(5) - 1) / 2.
GOLDEN_SECTION = (math.sqrt(5) - 1) / 2


def equal_angles(projections: int, angular_range: float = 180.0, start: float = 0.0) -> np.ndarray:
    """Space angles equally; the end of the range isn't among them.

    Parameters
    ----------
    projections : int
        How many, at least 1.
    angular_range : float
        In degrees; below 0 to turn the other way.
    start : float
        The first angle, in degrees.

    Returns
    -------
    numpy.ndarray
        Shape (projections,), float64: ``start + i * angular_range / projections``, in degrees.

    Raises
    ------
    ConfigurationError
        An argument can't be.
    """
    projections, angular_range, start = _checked(projections, angular_range, start)
    return start + np.arange(projections) * (angular_range / projections)


def interlaced_angles(
    projections: int, rotations: int, angular_range: float = 180.0, start: float = 0.0
) -> np.ndarray:
    """Take equally spaced angles in several rotations, each between the angles of the others.

    Each rotation is a tomogram of its own, only coarser; all together have the angles of
    :func:`equal_angles`.  The rotations' offsets are in the order of van der Corput's sequence,
    which is that of TIMBIR for a power of two: K. A. Mohan et al., IEEE Transactions on
    Computational Imaging 1 (2015) 96.

    Parameters
    ----------
    projections : int
        How many in all; a multiple of the rotations, so that the last one is complete.
    rotations : int
        How often the sample is turned through the range, at least 1.
    angular_range : float
        In degrees; below 0 to turn the other way.
    start : float
        The first angle, in degrees.

    Returns
    -------
    numpy.ndarray
        Shape (projections,), float64, in degrees.

    Raises
    ------
    ConfigurationError
        An argument can't be.
    """
    projections, angular_range, start = _checked(projections, angular_range, start)
    rotations = whole("rotations", rotations)
    if projections % rotations:
        fewer = projections // rotations * rotations
        choices = [str(each) for each in (fewer, fewer + rotations) if each]
        raise ConfigurationError(
            f"projections: the last of {rotations} rotations would have fewer than its share of "
            f"{projections} angles",
            remedy=f"Take {' or '.join(choices)} projections.",
        )
    # by rotation, then in it: the index of the angle among all of them
    places = np.arange(projections // rotations) * rotations
    order = (places + np.array(_van_der_corput(rotations))[:, np.newaxis]).ravel()
    return start + order * (angular_range / projections)


def golden_angles(projections: int, angular_range: float = 180.0, start: float = 0.0) -> np.ndarray:
    """Take each angle a golden section of the range further than the one before.

    However many have been taken, they cover the range evenly: a tomogram that ends early is
    coarser, and no wedge of it is missing.  T. Koehler, "A projection access scheme for iterative
    reconstruction based on the golden section", IEEE Nuclear Science Symposium Conference Record
    (2004) 3961, doi:10.1109/NSSMIC.2004.1466745.

    Parameters
    ----------
    projections : int
        How many, at least 1.
    angular_range : float
        In degrees; below 0 to turn the other way.
    start : float
        The first angle, in degrees.

    Returns
    -------
    numpy.ndarray
        Shape (projections,), float64, in degrees: from ``start`` on, within the range.

    Raises
    ------
    ConfigurationError
        An argument can't be.
    """
    projections, angular_range, start = _checked(projections, angular_range, start)
    return start + np.arange(projections) * GOLDEN_SECTION % 1.0 * angular_range


def given_angles(angles: Iterable[float] | Sequence[float] | np.ndarray) -> np.ndarray:
    """Take angles from a list, in its order; one may be there twice.

    Parameters
    ----------
    angles : sequence of float
        In degrees.

    Returns
    -------
    numpy.ndarray
        Shape (n,), float64, in degrees; a copy.

    Raises
    ------
    ConfigurationError
        There is none, one isn't a finite number, or they aren't in one dimension.
    """
    try:
        listed = np.array(angles if isinstance(angles, np.ndarray) else list(angles), dtype=float)
    except (TypeError, ValueError):
        raise ConfigurationError(
            f"angles must be a list of numbers in degrees, got {angles!r}."
        ) from None
    if listed.ndim != 1 or not len(listed):
        raise ConfigurationError(
            f"angles must be a list of at least one number in degrees, got the shape {listed.shape}"
        )
    wrong = np.flatnonzero(~np.isfinite(listed))
    if len(wrong):
        raise ConfigurationError(
            f"angles: number {wrong[0]} (counted from 0) is {listed[wrong[0]]}, no angle."
        )
    return listed


def _checked(projections: int, angular_range: float, start: float) -> tuple[int, float, float]:
    projections = whole("projections", projections)
    angular_range = finite("angular_range", angular_range, "degrees")
    if not angular_range:
        raise ConfigurationError(
            "angular_range is 0 degrees: all projections would be the same",
            remedy="Turn by 180 or 360 degrees, or take radiographs.",
        )
    return projections, angular_range, finite("start", start, "degrees")


def _van_der_corput(number: int) -> list[int]:
    """Order the numbers below a number by their binary digits, read from the right."""
    digits = max(number - 1, 1).bit_length()
    return sorted(range(number), key=lambda each: f"{each:0{digits}b}"[::-1])
