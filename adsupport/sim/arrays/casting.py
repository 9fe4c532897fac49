"""Conversion between pixel types as C casts do it, which is what areaDetector does."""

from __future__ import annotations

import numpy as np


def to_pixels(values: np.ndarray | float, dtype: np.dtype) -> np.ndarray:
    """Convert to a pixel type as a C cast does: towards zero, then wrapped around.

    Parameters
    ----------
    values : numpy.ndarray or float
        Floating-point values; what does not fit 64 bits, and NaN, becomes an arbitrary pixel.
    dtype : numpy.dtype
        Pixel type.
    """
    values = np.asarray(values, dtype=np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        if dtype.kind == "f":
            return values.astype(dtype)
        if dtype == np.uint64:
            return np.where(values < 0, values.astype(np.int64).astype(dtype), values.astype(dtype))
        return values.astype(np.int64).astype(dtype)


def cast(array: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Convert pixels to another type as a C cast does.

    Parameters
    ----------
    array : numpy.ndarray
        Pixels of any type of :class:`adsupport.sim.ndarray.DataType`.
    dtype : numpy.dtype
        Another such type.

    Returns
    -------
    numpy.ndarray
        Integers wrap around, floats lose their fraction and then wrap; the array itself when it
        already has the type.
    """
    if array.dtype == dtype:
        return array
    if array.dtype.kind == "f":
        return to_pixels(array, dtype)
    return array.astype(dtype)
