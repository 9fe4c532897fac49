"""The attributes of an array that image files keep."""

from __future__ import annotations

from adsupport.sim.ndarray import NDArray, NDAttribute

COLOR_MODE = "ColorMode"


def attributes_of(array: NDArray) -> tuple[NDAttribute, ...]:
    """Return an array's attributes, among them its colour mode, which every driver attaches."""
    if array.attribute(COLOR_MODE) is not None:
        return array.attributes
    color = NDAttribute(COLOR_MODE, int(array.color_mode), "Color mode")
    return (color, *array.attributes)
