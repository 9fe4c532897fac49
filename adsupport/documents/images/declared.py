"""Whether image files are what the event descriptor says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from ..run import Column
from .waiting import ImageColumn

__all__ = ["contradiction"]

#: Colours of a pixel: descriptors have their axis for images without colour (Bayer), or lack it.
_COLOURS = 3


def contradiction(column: Column, found: ImageColumn | None) -> str:
    """Tell where the files of a data key aren't what its descriptor says.

    Descriptors are loose: they have the axis of frames or not, height and width in any order, a 0
    or None where nothing was known yet (ophyd), and the type only since ``dtype_numpy``.  So a
    shape contradicts only when no order of its sizes fits, and a type by its kind or size.

    Parameters
    ----------
    column : Column
        What the descriptor says.
    found : ImageColumn or None
        What the files have.

    Returns
    -------
    str
        A sentence; empty when they agree, or there is nothing to compare.
    """
    if found is None or not found.pieces:
        return ""
    fits = any(_fit(each, found.frame_shape) for each in _frames(column.shape, found.per_row))
    wanted = _dtype(column.dtype_numpy)
    if wanted is None:
        wanted = found.dtype
    if fits and (wanted.kind, wanted.itemsize) == (found.dtype.kind, found.dtype.itemsize):
        return ""
    return (
        f"Image file {found.pieces[0].path} has frames of {found.frame_shape} {found.dtype}; "
        f"expected {column.shape} {column.dtype_numpy or 'of any type'}, as the event descriptor "
        "says."
    )


def _frames(shape: Sequence[int | None], per_row: int) -> Iterator[Sequence[int | None]]:
    """List what the shape of a frame may be, if that of a row is given."""
    sizes = [each for each in shape if each != 0]
    if len(sizes) > 1:  # a 0 is an axis that there isn't, and else a size that wasn't known
        shape = sizes
    yield shape
    if len(shape) > 2:
        yield shape[1:]
    for axis, size in enumerate(shape):
        if size == per_row:
            yield [*shape[:axis], *shape[axis + 1 :]]


def _fit(told: Sequence[int | None], found: Sequence[int]) -> bool:
    """Whether sizes are the same in some order; one that isn't known is any, or no axis."""
    if not told:
        return True
    known = Counter(each for each in told if each and each not in (1, _COLOURS))
    there = Counter(each for each in found if each not in (1, _COLOURS))
    return not known - there and (there - known).total() <= sum(not each for each in told)


def _dtype(name: str | None) -> np.dtype | None:
    try:
        return None if name is None else np.dtype(name)
    except (TypeError, ValueError):  # the device's own words
        return None
