"""Shapes drawn into images (NDPluginOverlay)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from adsupport.sim.arrays.casting import to_pixels

MOST_STEPS = 4_000_000
"""Points along the lines of one ellipse; a longer one, far larger than any image, is refused."""

_STEPS_AT_ONCE = 1 << 14


class Shape(IntEnum):
    """Values of parameter ``OVERLAY_SHAPE``."""

    CROSS = 0
    RECTANGLE = 1
    ELLIPSE = 2
    TEXT = 3


class DrawMode(IntEnum):
    """Values of parameter ``OVERLAY_DRAW_MODE``."""

    SET = 0
    XOR = 1


@dataclass(frozen=True, slots=True)
class Frame:
    """Where a shape is drawn, in pixels; any part may lie outside the image.

    Attributes
    ----------
    x, y : int
        First column and row.
    size_x, size_y : int
        Its last column and row are ``x + size_x`` and ``y + size_y``.
    width_x, width_y : int
        Width of vertical and horizontal lines; a rectangle or ellipse of width 0 is invisible,
        a cross has lines of one pixel.
    """

    x: int
    y: int
    size_x: int
    size_y: int
    width_x: int = 1
    width_y: int = 1

    @property
    def center(self) -> tuple[int, int]:
        """Column and row of the middle."""
        return self.x + half(self.size_x), self.y + half(self.size_y)


def half(number: int) -> int:
    """Return half a size, rounded towards zero as C divides.

    Parameters
    ----------
    number : int
        May be negative.
    """
    return number // 2 if number >= 0 else -(-number // 2)


def _fill(mask: np.ndarray, y_from: int, y_to: int, x_from: int, x_to: int) -> None:
    """Mark a box, given by its first and last row and column, as far as it is in the image."""
    if y_to >= 0 and x_to >= 0:
        mask[max(y_from, 0) : y_to + 1, max(x_from, 0) : x_to + 1] = True


def cross_mask(shape: tuple[int, int], frame: Frame) -> np.ndarray:
    """Return which pixels a cross covers.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of the image.
    frame : Frame
        The cross fills it; ``width_x`` is that of its vertical line, rounded down to odd.

    Returns
    -------
    numpy.ndarray
        bool, of that shape.
    """
    mask = np.zeros(shape, bool)
    x, y = frame.center
    arm_x, arm_y = half(frame.size_x), half(frame.size_y)
    half_x, half_y = half(frame.width_x), half(frame.width_y)
    if half_x >= 0:
        _fill(mask, y - arm_y, y + arm_y, x - half_x, x + half_x)
    if half_y >= 0:
        top, bottom = y - min(half_y, arm_y), y + min(half_y, arm_y)
        mask[max(top, 0) : max(bottom + 1, 0)] = False
        _fill(mask, top, bottom, x - arm_x, x + arm_x)
    return mask


def rectangle_mask(shape: tuple[int, int], frame: Frame) -> np.ndarray:
    """Return which pixels a rectangle's lines cover; they grow inwards.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of the image.
    frame : Frame
        The rectangle; ``width_x`` is the width of its vertical lines.

    Returns
    -------
    numpy.ndarray
        bool, of that shape.
    """
    mask = np.zeros(shape, bool)
    last_x, last_y = frame.x + frame.size_x, frame.y + frame.size_y
    width_x = min(frame.width_x, frame.size_x - 1)
    width_y = min(frame.width_y, frame.size_y - 1)
    if width_y > 0:
        _fill(mask, frame.y, frame.y + width_y - 1, frame.x, last_x)
        _fill(mask, last_y - width_y + 1, last_y, frame.x, last_x)
    if width_x > 0:
        _fill(mask, frame.y, last_y, frame.x, frame.x + width_x - 1)
        _fill(mask, frame.y, last_y, last_x - width_x + 1, last_x)
    return mask


def ellipse_mask(shape: tuple[int, int], frame: Frame) -> np.ndarray:
    """Return which pixels an ellipse's line covers: points along it, rounded to pixels.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of the image.
    frame : Frame
        The ellipse fills it; the line, ``width_x`` wide, grows inwards.

    Returns
    -------
    numpy.ndarray
        bool, of that shape.

    Raises
    ------
    ValueError
        When the line has more than :data:`MOST_STEPS` points.
    """
    mask = np.zeros(shape, bool)
    width = min(frame.width_x, frame.size_x - 1)
    x, y = frame.center
    radius_x, radius_y = half(frame.size_x), half(frame.size_y)
    steps = 2 * (radius_x + radius_y)
    if width <= 0 or steps <= 0:
        return mask
    if steps * width > MOST_STEPS:
        raise ValueError(
            f"an ellipse of {frame.size_x} x {frame.size_y} pixels with a line of {width} pixels "
            f"is too large to be drawn; it may have {MOST_STEPS} points, this has {steps * width}"
        )
    for first in range(0, steps + 1, _STEPS_AT_ONCE):
        angle = np.arange(first, min(first + _STEPS_AT_ONCE, steps + 1)) * (math.pi / 2 / steps)
        cosine, sine = np.cos(angle), np.sin(angle)
        for inward in range(width):
            # the truncation is the driver's: it matters only where a radius has become negative
            column = np.trunc((radius_x - inward) * cosine + 0.5).astype(np.int64)
            row = np.trunc((radius_y - inward) * sine + 0.5).astype(np.int64)
            for rows in (y + row, y - row):
                for columns in (x + column, x - column):
                    inside = (rows >= 0) & (rows < shape[0]) & (columns >= 0) & (columns < shape[1])
                    mask[rows[inside], columns[inside]] = True
    return mask


MASKS = {
    Shape.CROSS: cross_mask,
    Shape.RECTANGLE: rectangle_mask,
    Shape.ELLIPSE: ellipse_mask,
}
"""What draws a shape."""


Pixels = tuple[np.ndarray, np.ndarray]
"""Rows and columns of pixels."""


def draw(plane: np.ndarray, pixels: Pixels, value: int, mode: DrawMode) -> None:
    """Draw with one colour into one plane of an image.

    Parameters
    ----------
    plane : numpy.ndarray
        Rows and columns; changed in place, may be a view.
    pixels : tuple of numpy.ndarray
        Rows and columns of the pixels to draw, such as a mask's ``nonzero()``.
    value : int
        Brightness, converted to the pixels' type as C does.
    mode : DrawMode
        Whether the pixels take the value, or are combined with it bit by bit as 32-bit integers.
    """
    if mode is DrawMode.SET:
        plane[pixels] = to_pixels(float(value), plane.dtype)
    else:
        integers = plane[pixels]
        if plane.dtype.kind == "f":
            integers = to_pixels(integers, np.dtype(np.int64))
        plane[pixels] = (integers.astype(np.int32) ^ np.int32(value)).astype(plane.dtype)
