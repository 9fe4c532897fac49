"""Whether a sample turns too far while a frame is exposed: told before anything moves."""

from __future__ import annotations

import logging
from typing import Any

import bluesky.plan_stubs as bps

from ..stubs.cleanup import Plan
from .geometry import motion_blur

__all__ = ["BLUR", "warn_of_blur"]

logger = logging.getLogger(__name__)

#: Over how many pixels a point at the edge of a frame may be smeared without a warning.
BLUR = 2.0


def warn_of_blur(device: Any, speed: float, exposure: float) -> Plan:
    """Warn of a rotation that smears points at the edge of a frame over more than two pixels.

    Parameters
    ----------
    device : ophyd Device
        With ``size.size_x`` and ``bin_x`` in its ``cam``; of another one the width of frames isn't
        known, and nothing is told.
    speed : float
        Of the rotation, in degrees per second.
    exposure : float
        Of a frame, in seconds.

    Yields
    ------
    Msg
        Messages for the RunEngine: readings.
    """
    cam = getattr(device, "cam", None)
    signals: list[Any] = [
        getattr(getattr(cam, "size", None), "size_x", None),
        getattr(cam, "bin_x", None),
    ]
    if None in signals:
        return
    values = []
    for signal in signals:
        values.append((yield from bps.rd(signal)))
    size, binning = (int(each) for each in values)
    width = size // max(binning, 1)
    if width < 1:
        return
    blur = motion_blur(speed, exposure, width)
    if blur > BLUR:
        logger.warning(
            "exposure=%g s: the sample turns by %.3g degrees in it, at %.4g degrees/s, and smears "
            "the edge of frames %d pixels wide over %.2g pixels. Expose shorter, or turn slower: "
            "more projections, or a longer period.",
            exposure, speed * exposure, speed, width, blur,
        )  # fmt: skip
