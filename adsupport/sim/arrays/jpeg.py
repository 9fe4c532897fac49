"""JPEG images of arrays, encoded and decoded by Pillow."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from adsupport.sim.arrays.axes import has_colors, image_axes
from adsupport.sim.ndarray import NDArray

_PIL_MODES = ("L", "RGB")


class JPEGError(ValueError):
    """An array cannot become a JPEG image, or bytes are not one."""


def interleaved(array: NDArray) -> np.ndarray:
    """Return an image's pixels with the colours of a pixel beside each other.

    Parameters
    ----------
    array : NDArray
        Not compressed.

    Returns
    -------
    numpy.ndarray
        Shape (rows, columns) or (rows, columns, 3).

    Raises
    ------
    JPEGError
        When the array is neither two-dimensional nor RGB.
    """
    data = array.data
    if data.ndim == 2:
        return data
    color_axis = image_axes(array)[2] if has_colors(array) else None
    if color_axis is None or data.shape[color_axis] != 3:
        raise JPEGError("Unsupported array structure")
    return np.moveaxis(data, color_axis, 2)


def check_jpeg(array: NDArray) -> None:
    """Refuse an array that JPEG does not know.

    Raises
    ------
    JPEGError
        When its pixels have more than 8 bits, or it is neither two-dimensional nor RGB.
    """
    if array.data_type.dtype.itemsize != 1:
        raise JPEGError("JPEG only supports 8-bit data")
    interleaved(array)


def encode_jpeg(array: NDArray, quality: int) -> bytes:
    """Encode an array.

    Parameters
    ----------
    array : NDArray
        8-bit pixels, mono or RGB; the bits of signed ones are taken as unsigned.
    quality : int
        1 to 100; others are brought into the range, as libjpeg does.

    Returns
    -------
    bytes
        A JPEG file: baseline, colours at half the resolution.

    Raises
    ------
    JPEGError
        For other types of pixels, other structures, and sizes which JPEG does not know.
    """
    check_jpeg(array)
    pixels = np.ascontiguousarray(interleaved(array)).view(np.uint8)
    buffer = io.BytesIO()
    try:
        Image.fromarray(pixels).save(buffer, "JPEG", quality=min(max(quality, 1), 100))
    except (OSError, ValueError, SystemError) as error:  # such as 0 or 70,000 columns
        raise JPEGError(f"Error writing JPEG data: {error}") from error
    return buffer.getvalue()


def decode_jpeg(data: bytes) -> np.ndarray:
    """Decode a JPEG file.

    Returns
    -------
    numpy.ndarray of uint8
        Shape (rows, columns), or (rows, columns, 3) for colours.

    Raises
    ------
    JPEGError
        When the bytes are no JPEG file, or not all of one.
    """
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG",)) as image:
            if image.mode not in _PIL_MODES:
                raise JPEGError(f"JPEG image of mode {image.mode}; expected one of {_PIL_MODES}")
            return np.array(image)
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise JPEGError(f"Error decoding JPEG: {error}") from error
