"""Images of a stream that are read when they're asked for."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from functools import cached_property
from operator import attrgetter
from typing import Any

import numpy as np

from ...documents.assets import Frames
from ...documents.images import ImageColumn, wait_for_images
from ...documents.images.reading import FrameReader
from ...errors import AdsupportError, ImageFileError

__all__ = ["LazyImages"]

_flat = attrgetter("flat")


class LazyImages:
    """An array of images, of which only what is asked for is in memory.

    Parameters
    ----------
    name : str
        The data key, for messages.
    rows : sequence of Frames or None
        The images of each row; None for a row without any.
    check : callable
        Called with the images, as they were found in their files, before the first is read.

    Notes
    -----
    Its files are looked at when its shape, type or content is first asked for, which raises
    ``ImageFileError`` when one is missing or damaged.  It isn't a numpy array: to calculate with
    all images read them first, ``np.asarray(images)`` or ``images[...]``.

    Examples
    --------
    >>> images = run.read()["det_image"]  # doctest: +SKIP
    >>> images.shape  # doctest: +SKIP
    (5, 1, 1024, 1024)
    >>> images[3].mean()  # doctest: +SKIP
    17.25
    """

    def __init__(
        self, name: str, rows: Sequence[Frames | None], check: Callable[[ImageColumn], None]
    ) -> None:
        self.name = name
        self._rows = rows
        self._check = check

    @cached_property
    def _column(self) -> ImageColumn:
        column, _ = wait_for_images(self._rows, timeout=0.0)
        if column is None or column.missing:
            lost = "no row has any" if column is None else f"{column.missing} are missing"
            raise ImageFileError(
                f"The images of {self.name} can't be read as an array: {lost}.",
                remedy="Read the other data keys, or those rows that have images.",
            )
        self._check(column)
        return column

    @property
    def shape(self) -> tuple[int, ...]:
        """(rows, frames of a row, Y, X), with the colour where the files have it.

        Rows of NPY files have no axis of frames.
        """
        return self._column.shape

    @property
    def dtype(self) -> np.dtype:
        """Type of the pixels."""
        return self._column.dtype

    @property
    def ndim(self) -> int:
        """How many axes."""
        return len(self.shape)

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, key: Any) -> np.ndarray:
        """Read some rows.

        Parameters
        ----------
        key : int, slice, array of int or bool, or tuple
            As of a numpy array; what the first one chooses is read, the others choose of that.

        Returns
        -------
        numpy.ndarray
            The images.

        Raises
        ------
        IndexError
            There is no such row.
        ImageFileError
            They can't be read.
        """
        first, *rest = key if isinstance(key, tuple) and key else (key,)
        if first is None or first is Ellipsis or isinstance(key, tuple) and not key:
            return self._read(range(len(self)))[key]
        chosen = np.arange(len(self))[first]
        if np.ndim(chosen) == 0:
            found = self._read([int(chosen)])[0]
            return found[tuple(rest)] if rest else found
        if np.ndim(chosen) > 1:
            return self._read(range(len(self)))[key]
        found = self._read(chosen.tolist())
        return found[(slice(None), *rest)] if rest else found

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if copy is False:
            raise ValueError(f"The images of {self.name} are in files: an array is a copy of them.")
        found = self._read(range(len(self)))
        return found if dtype is None else found.astype(dtype, copy=False)

    def __repr__(self) -> str:
        try:
            return f"LazyImages({self.name!r}, shape={self.shape}, dtype={self.dtype})"
        except (AdsupportError, OSError):
            return f"LazyImages({self.name!r}, {len(self)} rows that can't be read)"

    def __getattr__(self, name: str) -> Any:
        hint = ""
        if not name.startswith("_") and hasattr(np.ndarray, name):
            hint = f"; read the images first: np.asarray(images).{name}"
        raise AttributeError(f"LazyImages has no {name!r}{hint}", name=name, obj=self)

    def _read(self, rows: Sequence[int]) -> np.ndarray:
        column = self._column
        found = np.empty((len(rows), column.per_row, *column.frame_shape), column.dtype)
        with FrameReader(column.contents) as reader:
            for index, row in enumerate(rows):
                for frame in range(column.per_row):
                    flat = row * column.per_row + frame
                    piece = column.pieces[bisect_right(column.pieces, flat, key=_flat) - 1]
                    found[index, frame] = reader.frames(piece, flat - piece.flat, 1)[0]
        return found.reshape((len(rows), *column.shape[1:]))
