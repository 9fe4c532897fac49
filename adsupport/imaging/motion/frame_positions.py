"""The positions of the frames of a flight, as a device that a plan can read."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

__all__ = ["FramePositions", "positions_key"]


class FramePositions:
    """Looks like a device: its reading is the position of each frame of the last event.

    Parameters
    ----------
    motor : bluesky Readable
        The motor whose positions they are.

    Attributes
    ----------
    positions : numpy.ndarray
        (n,), float64, in the motor's units; NaN where unknown.
    units : str
        The motor's units.
    """

    parent = None

    def __init__(self, motor: Any) -> None:
        self.name = positions_key(motor)
        self.units = ""
        self.positions = np.empty(0)

    def read(self) -> dict[str, dict[str, Any]]:
        """Tell the positions."""
        return {self.name: {"value": self.positions, "timestamp": time.time()}}

    def describe(self) -> dict[str, dict[str, Any]]:
        """Describe what :meth:`read` returns."""
        return {
            self.name: {
                "source": "adsupport:read-backs at the frames' times",
                "dtype": "array",
                "dtype_numpy": "<f8",
                "shape": list(self.positions.shape),
                "units": self.units,
            }
        }

    def read_configuration(self) -> dict[str, Any]:
        """Tell nothing: it has no configuration."""
        return {}

    def describe_configuration(self) -> dict[str, Any]:
        """Describe nothing."""
        return {}


def positions_key(motor: Any) -> str:
    """Name the data key of the positions of frames.

    Parameters
    ----------
    motor : bluesky Readable
        The stage.

    Returns
    -------
    str
        Such as ``"rotation_frames"``.
    """
    return f"{motor.name}_frames"
