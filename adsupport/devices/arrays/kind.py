"""The kind of an NDArray: sizes, data type, colour mode."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["COLOR_AXIS", "ArrayKind", "array_mismatch", "colored"]

#: Where the colours stand among the dimensions, fastest first, by colour mode.
COLOR_AXIS = {"RGB1": 0, "RGB2": 1, "RGB3": 2}


@dataclass(frozen=True)
class ArrayKind:
    """Size and type of an NDArray.

    Attributes
    ----------
    dims : tuple of int
        Sizes, fastest axis first, as in ``ArraySize0_RBV`` and so on.
    data_type : str or None
        ADCore's name such as ``UInt16``; None when not known.
    color_mode : str or None
        ADCore's name such as ``Mono`` or ``RGB1``; None when not known.
    """

    dims: tuple[int, ...]
    data_type: str | None = None
    color_mode: str | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the numpy array, slowest axis first: (Y, X) or with the colour."""
        return self.dims[::-1]

    @property
    def dtype(self) -> np.dtype | None:
        """The numpy data type, None when not known."""
        return None if self.data_type is None else np.dtype(self.data_type.lower())

    @property
    def has_colors(self) -> bool:
        """Whether one of three dimensions is that of the colours."""
        return self.color_mode in COLOR_AXIS and len(self.dims) == 3

    @property
    def image_axes(self) -> tuple[int, ...]:
        """Where columns, rows and colours (if any) stand among ``dims``."""
        if not self.has_colors:
            return tuple(range(len(self.dims)))
        color = COLOR_AXIS[str(self.color_mode)]
        return (*(axis for axis in range(3) if axis != color), color)


def colored(columns: int, rows: int, colors: int, data_type: str | None, mode: str) -> ArrayKind:
    """Make the kind of a colour image.

    Parameters
    ----------
    columns, rows, colors : int
        The sizes.
    data_type : str or None
        ADCore's name.
    mode : {"RGB1", "RGB2", "RGB3"}
        Which dimension the colours are.

    Returns
    -------
    ArrayKind
        With three dimensions.
    """
    dims = [columns, rows]
    dims.insert(COLOR_AXIS[mode], colors)
    return ArrayKind(tuple(dims), data_type, mode)


def array_mismatch(received: ArrayKind, delivered: ArrayKind | None) -> str:
    """Say in words how two kinds of arrays differ; what isn't known doesn't count.

    Parameters
    ----------
    received : ArrayKind
        What the plugin is prepared for.
    delivered : ArrayKind or None
        What it will get.

    Returns
    -------
    str
        Empty when they agree.
    """
    if delivered is None:
        return ""
    parts = []
    for what in ("dims", "data_type", "color_mode"):
        old, new = getattr(received, what), getattr(delivered, what)
        if None not in (old, new) and old != new:
            name = {"dims": "size", "data_type": "data type", "color_mode": "colour mode"}[what]
            shown = [" x ".join(map(str, v)) if isinstance(v, tuple) else v for v in (old, new)]
            parts.append(f"{name} {shown[0]}, the next array will have {shown[1]}")
    return "; ".join(parts)
