"""What a detector that is triggered may be made with."""

from __future__ import annotations

import math
import re
from numbers import Real

from ...errors import ConfigurationError, ConfigurationTypeError

__all__ = ["check_image_name", "check_timeout"]

#: bluesky's event model forbids dots and slashes in the names of readings.
_UNFIT = re.compile(r"[./]|^\s|\s$")


def check_timeout(limit: float | None) -> float | None:
    """Check the longest time for one acquisition.

    Parameters
    ----------
    limit : float or None
        Seconds; None: to be computed.

    Returns
    -------
    float or None
        The same.

    Raises
    ------
    ConfigurationError
        It isn't above 0, or not finite.
    ConfigurationTypeError
        It isn't a number.
    """
    if limit is None:
        return None
    expected = "expected seconds above 0, or None for a limit computed from the camera's settings"
    if isinstance(limit, bool) or not isinstance(limit, Real):
        raise ConfigurationTypeError(f"acquire_timeout={limit!r}: {expected}.")
    if not math.isfinite(limit) or limit <= 0:
        raise ConfigurationError(f"acquire_timeout={limit!r}: {expected}.")
    return limit


def check_image_name(name: str | None) -> str | None:
    """Check the name of the image in the events.

    Parameters
    ----------
    name : str or None
        The name; None: the usual one.

    Returns
    -------
    str or None
        The same.

    Raises
    ------
    ConfigurationError
        It's empty, or has characters that the name of a reading can't have.
    ConfigurationTypeError
        It isn't a text.
    """
    if name is None:
        return None
    expected = "expected a text such as 'adsimdet_image', or None for the detector's own name"
    if not isinstance(name, str):
        raise ConfigurationTypeError(f"image_name={name!r}: {expected}.")
    if not name or not name.isprintable() or _UNFIT.search(name):
        raise ConfigurationError(
            f"image_name={name!r}: {expected}. Dots, slashes, control characters and blanks at an "
            "end can't stand in the names of readings."
        )
    return name
