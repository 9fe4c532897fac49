"""Region of interest, binning and reversal of a simulated detector's image."""

from __future__ import annotations

import numpy as np

from adsupport.sim.arrays.axes import COLOR_AXES
from adsupport.sim.arrays.window import Window
from adsupport.sim.ndarray import ColorMode, Dimension


def read_out(
    image: np.ndarray, color_mode: ColorMode, x: Window, y: Window
) -> tuple[np.ndarray, tuple[Dimension, ...]]:
    """Read the region of interest out of a whole image.

    Parameters
    ----------
    image : numpy.ndarray
        Whole image; its axes are those of ``color_mode``. Not changed.
    color_mode : ColorMode
        One of the keys of :data:`adsupport.sim.arrays.axes.COLOR_AXES`.
    x, y : Window
        Fitted windows.

    Returns
    -------
    numpy.ndarray
        Contiguous, read-only, of the same type; the image itself when all of it is read.
    tuple of Dimension
        Fastest dimension first.
    """
    y_axis, x_axis, color_axis = COLOR_AXES[color_mode]
    part = np.ascontiguousarray(x.cut(y.cut(image, y_axis), x_axis))
    part.flags.writeable = False
    dims: dict[int, Dimension] = {y_axis: y.dimension(), x_axis: x.dimension()}
    if color_axis is not None:
        dims[color_axis] = Dimension(size=part.shape[color_axis])
    return part, tuple(dims[axis] for axis in reversed(range(image.ndim)))
