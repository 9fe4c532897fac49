"""The attributes of an array that image files keep."""

from __future__ import annotations

from adsupport.sim.ndarray import COLOR_MODE, NDArray, NDAttribute, color_mode_attribute


def attributes_of(array: NDArray) -> tuple[NDAttribute, ...]:
    """Return an array's attributes, among them its colour mode."""
    if array.attribute(COLOR_MODE) is not None:
        return array.attributes
    return (color_mode_attribute(array.color_mode), *array.attributes)
