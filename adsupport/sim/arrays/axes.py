"""Which axes of an array are rows, columns and colours."""

from __future__ import annotations

from adsupport.sim.ndarray import ColorMode, NDArray

COLOR_AXES: dict[ColorMode, tuple[int, int, int | None]] = {
    ColorMode.MONO: (0, 1, None),
    ColorMode.RGB1: (0, 1, 2),
    ColorMode.RGB2: (0, 2, 1),
    ColorMode.RGB3: (1, 2, 0),
}
"""Array axes ``(y, x, colour)`` of an image, in C order, by colour mode."""


def image_axes(array: NDArray) -> tuple[int, int, int | None]:
    """Return the axes ``(y, x, other)`` of an image's data, in C order.

    Parameters
    ----------
    array : NDArray
        Of two or three dimensions.

    Returns
    -------
    tuple of int
        The last one is the axis of the colours, or the slowest one of three dimensions without
        colours; None when there are but two dimensions.
    """
    if len(array.dims) < 3:
        return COLOR_AXES[ColorMode.MONO]
    return COLOR_AXES[array.color_mode] if has_colors(array) else COLOR_AXES[ColorMode.RGB3]


def has_colors(array: NDArray) -> bool:
    """Return whether an array's dimensions are rows, columns and colours.

    Parameters
    ----------
    array : NDArray
        Of any number of dimensions.
    """
    return len(array.dims) == 3 and COLOR_AXES.get(array.color_mode, (0, 1, None))[2] is not None
