"""Which rows of a detector become slices."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from ...errors import ConfigurationError
from ..asked.arguments import whole

__all__ = ["DetectorRows"]


class DetectorRows:
    """Takes the rows out of images.

    Parameters
    ----------
    rows : int, slice, range or sequence of int, optional
        Which; of a slice or range with a step, every so many.  The one in the middle by default.

    Attributes
    ----------
    numbers : tuple of int
        The rows, when the first image has come.

    Raises
    ------
    ConfigurationError
        They can't be rows, or aren't in order, each once.
    """

    def __init__(self, rows: int | slice | range | Sequence[int] | None = None) -> None:
        self._asked: slice | list[int] | None = None
        self._shape: tuple[int, ...] | None = None
        self._index: slice | list[int] = slice(0)
        self.numbers: tuple[int, ...] = ()
        if rows is None or isinstance(rows, slice):
            self._asked = rows
            try:
                (rows or slice(None)).indices(1)
            except (TypeError, ValueError) as error:
                raise ConfigurationError(f"rows={rows!r}: {error}.") from error
            return
        given = list(rows) if isinstance(rows, Iterable) else [rows]
        listed = [whole("rows", each, least=0) for each in given]
        if not listed or listed != sorted(set(listed)):
            raise ConfigurationError(
                f"rows={rows!r}: expected rows of the detector in ascending order, each once."
            )
        self._asked = listed

    def of(self, image: np.ndarray) -> np.ndarray:
        """Take the rows out of an image.

        Parameters
        ----------
        image : numpy.ndarray
            (Y, X).

        Returns
        -------
        numpy.ndarray
            (rows, X).

        Raises
        ------
        ConfigurationError
            It isn't grey, has another shape than those before, or not all of the rows.
        """
        if image.shape != self._shape:
            if self._shape is not None and self.numbers:
                raise ConfigurationError(
                    f"a frame has shape {image.shape}; expected {self._shape}, as those before"
                )
            self._find(image.shape)
        return image[self._index]

    def forget(self) -> None:
        """Let images of the next run have another shape."""
        self._shape, self.numbers = None, ()

    def _find(self, shape: tuple[int, ...]) -> None:
        if len(shape) != 2:
            raise ConfigurationError(
                f"Frames have shape {shape}; expected grey images, (Y, X).",
                remedy="Set the camera's ColorMode to Mono.",
            )
        height = shape[0]
        asked = [height // 2] if self._asked is None else self._asked
        found = list(range(height)[asked] if isinstance(asked, slice) else asked)
        if not found or found[-1] >= height or found[0] > found[-1]:
            raise ConfigurationError(
                f"rows={self._asked!r}: expected rows of the detector, 0 to {height - 1}, in "
                "ascending order."
            )
        self.numbers, self._shape = tuple(found), shape
        steps = np.unique(np.diff(self.numbers))
        if len(steps) <= 1:  # a view instead of a copy
            step = int(steps[0]) if len(steps) else 1
            self._index = slice(found[0], found[-1] + 1, step)
        else:
            self._index = list(found)
