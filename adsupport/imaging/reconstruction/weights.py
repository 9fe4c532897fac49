"""How much each angle counts: half the gaps to its neighbours, modulo 180 degrees.

In a parallel beam a projection says the same as that from the other side, so that angles lie on a
circle of 180 degrees.  Weights that aren't all the same matter for steps that aren't: golden
angles, a scan of 360 degrees whose halves don't interlace evenly, lost frames.
"""

from __future__ import annotations

import numpy as np

__all__ = ["angle_gaps", "angle_weights", "widest_gap"]

#: A gap wider than so many usual ones is a wedge that wasn't measured: it isn't filled.
_WEDGE = 5.0
#: So many gaps may be such wedges.
_WEDGES = 3
#: Angles within this part of a usual gap are the same.
_SAME = 0.1


def angle_gaps(angles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Tell how far it is from each angle to the next one on the circle of 180 degrees.

    Parameters
    ----------
    angles : numpy.ndarray
        (N,), degrees, in any order.

    Returns
    -------
    numpy.ndarray
        (N,), int: the order of the angles on the circle.
    numpy.ndarray
        (N,), degrees: from each, in that order, to the next; their sum is 180.
    """
    folded = np.mod(np.asarray(angles, np.float64), 180.0)
    order = np.argsort(folded, kind="stable")
    inside = folded[order]
    return order, np.diff(inside, append=inside[:1] + 180.0)


def widest_gap(angles: np.ndarray) -> float:
    """Tell from which width on a gap between angles isn't filled by its neighbours.

    Parameters
    ----------
    angles : numpy.ndarray
        (N,), degrees.

    Returns
    -------
    float
        Degrees: five times the usual gap.  This is the one up to which gaps fill a half of what was
        measured; so gaps between angles that are almost the same, however many, don't count in it.
    """
    gaps = np.sort(angle_gaps(angles)[1])[::-1]
    wedges = 0
    for number in range(1, _WEDGES + 1):
        rest = gaps[number:]
        if len(rest) >= 2 * number and gaps[number - 1] > _WEDGE * rest[0] > 0:
            wedges = number
    measured = gaps[wedges:]
    filled = np.cumsum(measured)
    return _WEDGE * float(measured[np.searchsorted(filled, filled[-1] / 2.0)])


def angle_weights(angles: np.ndarray, widest: float | None = None) -> np.ndarray:
    """Tell how much each angle counts in a slice.

    Parameters
    ----------
    angles : numpy.ndarray
        (N,), degrees, in any order; at least one.
    widest : float, optional
        Degrees: a gap that is wider counts as a usual one.  `widest_gap` of the angles if not
        given.

    Returns
    -------
    numpy.ndarray
        (N,), radians.  Their sum is pi unless there is a wedge that wasn't measured.
    """
    order, gaps = angle_gaps(angles)
    if widest is None:
        widest = widest_gap(angles)
    groups = _groups(gaps, _SAME * widest / _WEDGE)
    gaps = np.where(gaps > widest * (1 + 1e-9), widest / _WEDGE, gaps)
    shares = np.bincount(groups, np.deg2rad(gaps + np.roll(gaps, 1)) / 2.0)
    weights = np.empty(len(order))
    weights[order] = (shares / np.bincount(groups))[groups]
    return weights


def _groups(gaps: np.ndarray, width: float) -> np.ndarray:
    """Give angles numbers, of which those within a width have the same."""
    first = int(np.argmax(gaps)) + 1  # none reaches over the widest gap
    number, begun = 0, 0.0
    numbers = []
    for turned in np.cumsum(np.roll(np.append(gaps[-1:], gaps[:-1]), -first)).tolist():
        if not numbers:
            begun = turned
        elif turned - begun > width:
            number, begun = number + 1, turned
        numbers.append(number)
    return np.roll(numbers, first)
