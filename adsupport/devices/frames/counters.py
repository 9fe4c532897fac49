"""What two readings of the counters say, before and after an acquisition."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["Counters", "difference", "frames_taken", "went_back"]

#: Values by (name of the plugin or ``cam``, attribute).
Counters = Mapping[tuple[str, str], Any]


def difference(before: Counters, after: Counters, name: str, attr: str) -> int:
    """Tell how far a counter went.

    Parameters
    ----------
    before, after : mapping
        The counters.
    name, attr : str
        Which one.

    Returns
    -------
    int
        The steps; negative when somebody set it back.
    """
    return int(after[name, attr]) - int(before[name, attr])


def went_back(before: Counters, after: Counters, name: str) -> bool:
    """Tell whether somebody set the ``ArrayCounter`` of a plugin or the camera back.

    Parameters
    ----------
    before, after : mapping
        The counters.
    name : str
        The plugin, or ``cam``.

    Returns
    -------
    bool
        Whether it's lower than before.  By itself it only counts up.
    """
    return difference(before, after, name, "array_counter") < 0


def frames_taken(before: Counters, after: Counters) -> tuple[int, str]:
    """Tell how many frames the camera took.

    Parameters
    ----------
    before, after : mapping
        The counters.

    Returns
    -------
    int
        The frames; 0 when the counter went back.
    str
        The counter that tells it.  ``num_images_counter`` starts anew with each acquisition, and
        nobody can put it; drivers that don't serve it leave 0, so ``array_counter`` does.
    """
    counted = int(after["cam", "num_images_counter"])
    if counted:
        return counted, "num_images_counter"
    return max(0, difference(before, after, "cam", "array_counter")), "array_counter"
