"""The angles that a run was to have, as its metadata tell them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...errors import ConfigurationError
from ..motion.angles import equal_angles, given_angles

__all__ = ["told_angles"]


def told_angles(md: Mapping[str, Any], stream: str) -> np.ndarray | None:
    """Read the angles of a tomography of `adsupport.imaging`.

    Parameters
    ----------
    md : mapping of str to object
        The run's metadata: ``imaging`` is what its config writes.
    stream : str
        That of the projections.

    Returns
    -------
    numpy.ndarray or None
        (n,), degrees, of all projections of the run in their order; None when it doesn't tell, or
        has more or fewer projections.
    """
    config, frames = md.get("imaging"), md.get("frames")
    if not isinstance(config, Mapping) or config.get("experiment") != "tomography":
        return None
    try:
        if config.get("angles") is not None:
            found = given_angles(config["angles"])
        else:
            found = equal_angles(
                config["projections"], config["angular_range"], config["start_angle"]
            )
    except (KeyError, ConfigurationError):
        return None
    return found if isinstance(frames, Mapping) and frames.get(stream) == len(found) else None
