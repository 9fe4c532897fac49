"""Rows of frames as few pieces: runs of consecutive frames of one file, and where they belong."""

from __future__ import annotations

import pathlib
from collections.abc import Sequence
from dataclasses import dataclass

from ...errors import ImageFileError
from ..assets import Asset, Frames

__all__ = ["Piece", "frames_per_row", "pieces_of"]


@dataclass(slots=True)
class Piece:
    """Consecutive frames of one file.

    Parameters
    ----------
    asset : Asset
        Whose file.
    path : pathlib.Path
        The file.
    first : int
        Index of the first frame in the file.
    count : int
        How many.
    flat : int
        Index of the first one among the frames of all rows: ``row * per_row + frame``.
    """

    asset: Asset
    path: pathlib.Path
    first: int
    count: int
    flat: int


def frames_per_row(rows: Sequence[Frames | None]) -> tuple[int, bool]:
    """Tell how many frames a row has.

    Parameters
    ----------
    rows : sequence of Frames or None
        None for a row without images.

    Returns
    -------
    int
        The most that a row has; 0 when none has any.
    bool
        Whether all rows have as many.
    """
    counts = {row.count for row in rows if row is not None}
    return max(counts, default=0), len(counts) <= 1


def pieces_of(
    rows: Sequence[Frames | None], per_row: int
) -> tuple[list[Piece], list[tuple[ImageFileError, int]]]:
    """Merge rows into pieces.

    Parameters
    ----------
    rows : sequence of Frames or None
        The rows in order.
    per_row : int
        Frames of a row.

    Returns
    -------
    list of Piece
        In the order of the rows: 100 000 rows of one file are one piece.
    list of tuple of ImageFileError and int
        What couldn't be placed, and how many frames that is.
    """
    pieces: list[Piece] = []
    lost: dict[str, tuple[ImageFileError, int]] = {}
    asset: Asset | None = None
    first = count = flat = 0
    for number, row in enumerate(rows):
        if row is None:
            continue
        where = number * per_row
        together = row.first == first + count and where == flat + count
        if asset is not None and together and (row.asset is asset or row.asset == asset):
            count += row.count
            continue
        if asset is not None:
            _place(asset, first, count, flat, pieces, lost)
        asset, first, count, flat = row.asset, row.first, row.count, where
    if asset is not None:
        _place(asset, first, count, flat, pieces, lost)
    return pieces, list(lost.values())


def _place(
    asset: Asset,
    first: int,
    count: int,
    flat: int,
    pieces: list[Piece],
    lost: dict[str, tuple[ImageFileError, int]],
) -> None:
    try:
        if asset.kind == "hdf5":
            path, index = asset.file_of(first)
            pieces.append(Piece(asset, path, index, count, flat))
            return
        done = 0
        while done < count:
            path, index = asset.file_of(first + done)
            number = min(asset.frames_per_file - index, count - done)
            pieces.append(Piece(asset, path, index, number, flat + done))
            done += number
    except ImageFileError as error:
        before = lost.get(str(error), (error, 0))[1]
        lost[str(error)] = error, before + count
