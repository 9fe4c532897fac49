"""Conversion between colour modes (NDPluginColorConvert)."""

from __future__ import annotations

from enum import IntEnum
from functools import cache

import numpy as np

from adsupport.sim.arrays.axes import COLOR_AXES
from adsupport.sim.arrays.casting import to_pixels
from adsupport.sim.ndarray import COLOR_MODE, ColorMode, NDAttribute, color_mode_attribute


class FalseColor(IntEnum):
    """Values of parameter ``FALSE_COLOR``."""

    NONE = 0
    RAINBOW = 1
    IRON = 2


class BayerPattern(IntEnum):
    """Colours of the first two pixels of the first two rows of a Bayer sensor."""

    RGGB = 0
    GBRG = 1
    GRBG = 2
    BGGR = 3


@cache
def false_color_table(choice: FalseColor) -> np.ndarray:
    """Return the colours by which 8-bit pixels are shown.

    Both tables are made of straight lines, as ADCore's ``colorMaps.h`` lists them; the brightest
    pixel is white.

    Parameters
    ----------
    choice : FalseColor
        ``RAINBOW`` runs over black, blue, cyan, yellow and red; ``IRON`` over black, purple,
        red-brown and orange.

    Returns
    -------
    numpy.ndarray
        uint8 of shape (256, 3): red, green and blue by pixel value.

    Raises
    ------
    ValueError
        For ``NONE``, which has no table.
    """
    pixel = np.arange(256)
    if choice is FalseColor.RAINBOW:

        def rise(first: int, steps: int = 64) -> np.ndarray:
            return np.clip((pixel - first) / steps, 0, 1) * 255

        red, green = rise(127), rise(63) - rise(191)
        blue = rise(0, 63) - rise(127)
        table = np.floor(np.stack([red, green, blue], axis=1) + 0.5)
    elif choice is FalseColor.IRON:
        red = np.minimum(pixel * 3 // 2, 192)
        green = np.where(pixel < 128, pixel // 2, 64 + (pixel - 128) * 3 // 2)
        blue = np.where(pixel < 72, pixel * 17 // 10, np.maximum(192 - pixel, 64))
        table = np.stack([red, green, blue], axis=1)
    else:
        raise ValueError(f"{choice.name} has no table of colours")
    table = table.astype(np.uint8)
    table[255] = 255
    table.flags.writeable = False
    return table


def paint(image: np.ndarray, choice: FalseColor) -> np.ndarray:
    """Show 8-bit pixels in false colours.

    Parameters
    ----------
    image : numpy.ndarray
        int8 or uint8 of shape (y, x); a negative pixel counts as its unsigned bits.
    choice : FalseColor
        Table of colours, see :func:`false_color_table`.

    Returns
    -------
    numpy.ndarray
        Of the image's type and of shape (y, x, 3).
    """
    return false_color_table(choice)[image.view(np.uint8)].view(image.dtype)


def mean_of_colors(image: np.ndarray, color_axis: int) -> np.ndarray:
    """Return the mean of red, green and blue, without its fraction.

    Parameters
    ----------
    image : numpy.ndarray
        Colour image. Sums of the wide integer types wrap around, as they do in C.
    color_axis : int
        Axis of the three colours.

    Returns
    -------
    numpy.ndarray
        Of the image's type, without the axis.
    """
    kind, width = image.dtype.kind, image.dtype.itemsize
    total_type = np.dtype(np.int32) if kind in "iu" and width < 4 else image.dtype
    planes = np.moveaxis(image, color_axis, 0)
    # one after the other, not sum(): so floats round as they do in C
    with np.errstate(over="ignore", invalid="ignore"):
        total = np.add(planes[0], planes[1], dtype=total_type)
        total += planes[2]
    if total_type == np.int32 and width < 4:
        return np.trunc(total / 3.0).astype(image.dtype)
    return to_pixels(total / 3.0 if kind != "f" else total.astype(np.float64) / 3.0, image.dtype)


def demosaic(image: np.ndarray, pattern: BayerPattern, offset: tuple[int, int]) -> np.ndarray:
    """Interpolate the colours that a Bayer sensor's pixels do not see.

    Missing colours are the mean of the nearest two or four pixels that see them. ADCore leaves
    this to a camera maker's library, whose interpolation may differ by some counts.

    Parameters
    ----------
    image : numpy.ndarray
        8 or 16-bit integers of shape (y, x).
    pattern : BayerPattern
        Pattern at the sensor's first pixel.
    offset : tuple of int
        First row and column of the image on the sensor.

    Returns
    -------
    numpy.ndarray
        Of the image's type and of shape (y, x, 3).
    """
    from scipy import ndimage  # an IOC without Bayer images starts sooner

    rows, columns = np.ogrid[: image.shape[0], : image.shape[1]]
    letters = np.array(list(pattern.name)).reshape(2, 2)
    seen = letters[(rows + offset[0]) % 2, (columns + offset[1]) % 2]
    near = np.array([[0.25, 0.5, 0.25], [0.5, 1.0, 0.5], [0.25, 0.5, 0.25]])
    planes = []
    for letter in "RGB":
        mask = seen == letter
        # at the edges fewer neighbours count: hence the division by what the mask gathers
        values = ndimage.convolve(np.where(mask, image, 0.0), near, mode="constant")
        weight = ndimage.convolve(mask.astype(float), near, mode="constant")
        plane = np.divide(values, weight, out=np.zeros(image.shape), where=weight > 0)
        planes.append(np.where(mask, image, plane))
    return to_pixels(np.stack(planes, axis=-1), image.dtype)


def place_colors(image: np.ndarray, color_axis: int, mode: ColorMode) -> np.ndarray:
    """Lay out a colour image as a colour mode demands.

    Parameters
    ----------
    image : numpy.ndarray
        Rows before columns, with an axis of three colours anywhere.
    color_axis : int
        Where that axis is.
    mode : ColorMode
        ``RGB1``, ``RGB2`` or ``RGB3``.

    Returns
    -------
    numpy.ndarray
        C-contiguous: colours last, between rows and columns, or first.

    Raises
    ------
    ValueError
        For another colour mode.
    """
    target = COLOR_AXES[mode][2]
    if target is None:
        raise ValueError(f"{mode.name} has no axis of colours")
    return np.ascontiguousarray(np.moveaxis(image, color_axis, target))


def spread_gray(image: np.ndarray, mode: ColorMode) -> np.ndarray:
    """Return a colour image whose three colours are all the gray image.

    Parameters
    ----------
    image : numpy.ndarray
        Of shape (y, x).
    mode : ColorMode
        ``RGB1``, ``RGB2`` or ``RGB3``.
    """
    return place_colors(np.broadcast_to(image[..., np.newaxis], (*image.shape, 3)), 2, mode)


def with_color_mode(
    attributes: tuple[NDAttribute, ...], mode: ColorMode
) -> tuple[NDAttribute, ...]:
    """Return an array's attributes with another ``ColorMode``.

    Parameters
    ----------
    attributes : tuple of NDAttribute
        With or without such an attribute.
    mode : ColorMode
        What it says from now on.
    """
    others = [item.name != COLOR_MODE for item in attributes]
    said = color_mode_attribute(mode)
    if all(others):
        return (*attributes, said)
    return tuple(item if other else said for item, other in zip(attributes, others, strict=True))
