"""Rotating and mirroring images (NDPluginTransform)."""

from __future__ import annotations

from enum import IntEnum

import numpy as np


class Orientation(IntEnum):
    """Values of parameter ``TRANSFORM_TYPE``; rotations are clockwise, as rows run downwards.

    ``Rot90Mirror`` rotates first and then exchanges left and right.
    """

    NONE = 0
    ROT90 = 1
    ROT180 = 2
    ROT270 = 3
    MIRROR = 4
    ROT90_MIRROR = 5
    ROT180_MIRROR = 6
    ROT270_MIRROR = 7

    @property
    def turns(self) -> int:
        """Quarter turns clockwise."""
        return self.value % 4

    @property
    def mirrors(self) -> bool:
        """Whether left and right are exchanged after the rotation."""
        return self >= Orientation.MIRROR

    @property
    def swaps_axes(self) -> bool:
        """Whether rows become columns."""
        return self.turns % 2 == 1


def orient(image: np.ndarray, orientation: Orientation, y_axis: int, x_axis: int) -> np.ndarray:
    """Return an image in another orientation.

    Parameters
    ----------
    image : numpy.ndarray
        Of any type, with two dimensions or more; not changed.
    orientation : Orientation
        What to do.
    y_axis, x_axis : int
        Its axes of rows and columns; all others stay as they are.

    Returns
    -------
    numpy.ndarray
        C-contiguous, of the same type; the image itself when there is nothing to do.
    """
    if orientation is Orientation.NONE:
        return image
    turned = np.rot90(image, -orientation.turns, axes=(y_axis, x_axis))
    if orientation.mirrors:
        turned = np.flip(turned, x_axis)
    return np.ascontiguousarray(turned)
