"""A data key whose values are images: in files mostly, but they may come in the documents."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ...documents.assets import Frames
from ...documents.images import FrameRows
from ...documents.run import Column
from .stored_column import StoredColumn

__all__ = ["ImageRows", "frame_of"]


class ImageRows:
    """Gathers references to images in files, which are looked at when the run is over.

    Images that come in the documents themselves are written as they come.

    Parameters
    ----------
    make : callable
        Makes the dataset for images of the documents, when the first one comes; gets the number
        of rows before.
    rows_before : int
        Rows of the stream before this key was announced.
    """

    def __init__(self, make: Callable[[int], StoredColumn], rows_before: int) -> None:
        #: Of each row; None where images never were announced.
        self.frames = FrameRows(rows_before)
        #: Images of the documents, if there are such.
        self.pixels: StoredColumn | None = None
        #: How many rows of files are left out, since others came in the documents.
        self.left_out = 0
        self._make = make

    def take(self, values: Sequence[Any]) -> None:
        """Add rows.

        Parameters
        ----------
        values : sequence of Frames, numpy.ndarray or None
            One for each row.
        """
        in_files = sum(isinstance(each, Frames) for each in values)
        if self.pixels is None:
            if in_files + sum(each is None for each in values) == len(values):
                self.frames.extend(values)
                return
            self.left_out = sum(each is not None for each in self.frames)
            self.pixels = self._make(len(self.frames))
        self.left_out += in_files
        self.pixels.append([None if isinstance(each, Frames) else each for each in values])


def frame_of(column: Column) -> tuple[tuple[int, ...] | None, str | None]:
    """Tell shape and type of a frame as the descriptor says, for when no file tells.

    Parameters
    ----------
    column : Column
        Of images.

    Returns
    -------
    tuple of int, or None
        Without the axis of a row's frames; None when the descriptor doesn't tell it all.
    str or None
        numpy's name of the type.
    """
    sizes = tuple(each for each in column.shape if each is not None)
    if len(sizes) < 2 or len(sizes) != len(column.shape):
        return None, None
    return (sizes[1:] if len(sizes) > 2 else sizes), column.dtype_numpy
