"""Whether the pixels that a dataset of HDF5 refers to are in its file.

A file that was cut off while the IOC went on writing is as long as it should be, with the right
shape and ids: only where the pixels were there is nothing.  On disk that is a hole.
"""

from __future__ import annotations

import bisect
import os
import pathlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

__all__ = ["PixelFinding", "find_loss"]

#: Of how many chunks the places are looked at: a microsecond each, so 0.1 s at the most.  Of a
#: file with more, the rest is trusted but for the last chunk, which is the farthest as a rule.
_MOST_CHUNKS = 100_000
#: How many holes are looked at.
_MOST_HOLES = 1_000
#: How many bytes at either end of a chunk are read to see whether it's worth reading whole.
_ENDS = 64
#: Holes begin and end with blocks; a file's end is within one.
_BLOCK = 4096
#: Of how many chunks smaller than two blocks, which need not leave a hole, the ends are read.
_MOST_SMALL = 10_000
#: How many chunks are read whole, of how many bytes each, in pieces of how many.
_MOST_WHOLE = 16
_LONGEST = 256 << 20
_PIECE = 1 << 20
#: Filters of HDF5 that put something into a chunk even for a black frame: deflate, szip, JPEG.
#: Not so those that only pack or move bits, such as N-bit; of others it isn't known.
_NEVER_ZERO = frozenset({1, 4, 32019})

_Span = tuple[int, int]


@dataclass(frozen=True)
class PixelFinding:
    """What was found of a dataset's pixels; each text is to follow the file's name.

    Attributes
    ----------
    problem : str
        What is wrong; empty when nothing is.
    doubt : str
        What can be wrong, and needs a person to look; empty as a rule.
    """

    problem: str = ""
    doubt: str = ""


class _Chunk(NamedTuple):
    """Where a chunk is in its file, and whether it can't be all zero, whatever the pixels."""

    start: int
    stop: int
    never_zero: bool


def find_loss(dataset: Any, file: pathlib.Path, size: int, full: bool = True) -> PixelFinding:
    """Look whether the pixels of a dataset are in the file.

    Parameters
    ----------
    dataset : h5py.Dataset
        The dataset, open.
    file : pathlib.Path
        Its file.
    size : int
        Size of the file, in bytes.
    full : bool
        Whether each frame of the dataset must have been written.

    Returns
    -------
    PixelFinding
        A problem for chunks that are missing, or have no byte but zero although their filter
        can't make such; a doubt for others without any byte but zero where the file has a hole.

    Notes
    -----
    Takes some 10 ms for 10 000 chunks, twice that where they are small.  No pixel is read unless
    the file has holes, or compressed chunks that are too small to leave one.  Chunks are read
    whole only when both their ends are zero, and of those the first 16.
    """
    import h5py

    low = dataset.id
    plan = low.get_create_plist()
    layout = plan.get_layout()
    if dataset.file.id.get_create_plist().get_userblock():
        return PixelFinding()  # places are counted from another beginning
    chunks: list[_Chunk] = []
    if layout == h5py.h5d.CHUNKED:
        filters = {plan.get_filter(each)[0] for each in range(plan.get_nfilters())}
        chunks = _chunks(low, bool(filters & _NEVER_ZERO))
        lost = _unwritten(dataset, plan.get_chunk()) if full else 0
        if lost:
            return PixelFinding(f"has no pixels at all for {lost} of its chunks of frames")
    elif layout == h5py.h5d.CONTIGUOUS and not plan.get_external_count():
        offset = low.get_offset()
        if offset is None and full and dataset.size:
            return PixelFinding("has no pixels at all for its frames")
        chunks = [] if offset is None else [_Chunk(offset, offset + low.get_storage_size(), False)]
    end = max((each.stop for each in chunks), default=0)
    if end > size:
        return PixelFinding(f"has {size} bytes, but its frames reach to byte {end}")
    try:
        descriptor = os.open(file, os.O_RDONLY)
    except OSError:  # it was open a moment ago: the next look tells
        return PixelFinding()
    try:
        return _find_zeros(descriptor, chunks, size)
    finally:
        os.close(descriptor)


def _chunks(low: Any, never_zero: bool) -> list[_Chunk]:
    """List where the chunks are; those that the filters left out may be zero."""
    chunks: list[_Chunk] = []
    count = low.get_num_chunks()

    def see(info: Any) -> Any:
        start = info.byte_offset
        chunks.append(_Chunk(start, start + info.size, never_zero and not info.filter_mask))
        return True if len(chunks) >= _MOST_CHUNKS else None

    if count:
        low.chunk_iter(see)
    if count > len(chunks):
        see(low.get_chunk_info(count - 1))
    return chunks


def _unwritten(dataset: Any, chunk: tuple[int, ...]) -> int:
    """Count the chunks that have no place in the file at all."""
    wanted = 1
    for extent, each in zip(dataset.shape, chunk, strict=True):
        wanted *= -(-extent // each)
    return max(0, wanted - dataset.id.get_num_chunks())


def _find_zeros(descriptor: int, chunks: list[_Chunk], size: int) -> PixelFinding:
    """Find the chunks that have no byte but zero."""
    bare = [
        each
        for each in _suspects(chunks, _holes(descriptor, size))
        if _ends_are_zero(descriptor, each)
    ]
    zero = [each for each in bare[:_MOST_WHOLE] if _is_zero(descriptor, each.start, each.stop)]
    least = "at least " if zero and len(bare) > _MOST_WHOLE else ""

    def tell(found: int) -> str:
        return f"has {least}{found} of {len(chunks)} chunks of frames without any content"

    wrong = sum(each.never_zero for each in zero)
    dark = len(zero) - wrong
    return PixelFinding(
        tell(wrong) if wrong else "",
        f"{tell(dark)}: they are black, or were lost when somebody cut the file off in mid-run"
        if dark
        else "",
    )


def _suspects(chunks: list[_Chunk], holes: list[_Span]) -> Iterator[_Chunk]:
    """Pick the chunks over a hole; of those that can't be zero also the small and those beside."""
    starts = [start for start, _ in holes]
    small = _MOST_SMALL
    for each in chunks:
        near = _BLOCK if each.never_zero else 0
        before = bisect.bisect_left(starts, each.stop + near) - 1
        if before >= 0 and holes[before][1] + near > each.start:
            yield each
        elif each.never_zero and small and each.stop - each.start <= 2 * _BLOCK:
            small -= 1
            yield each


def _ends_are_zero(descriptor: int, chunk: _Chunk) -> bool:
    length = min(_ENDS, chunk.stop - chunk.start)
    return _is_zero(descriptor, chunk.start, chunk.start + length) and _is_zero(
        descriptor, chunk.stop - length, chunk.stop
    )


def _is_zero(descriptor: int, start: int, stop: int) -> bool:
    """Tell whether a part of the file has no byte but zero; False where it's too long to read."""
    if stop - start > _LONGEST:
        return False
    while start < stop:
        piece = os.pread(descriptor, min(_PIECE, stop - start), start)
        if not piece or piece != bytes(len(piece)):  # without any: cut off at this moment
            return False
        start += len(piece)
    return True


def _holes(descriptor: int, size: int) -> list[_Span]:
    """List the holes of a file; none where the system knows of none."""
    holes: list[_Span] = []
    if not hasattr(os, "SEEK_HOLE"):
        return holes
    position = 0
    try:
        while len(holes) < _MOST_HOLES:
            start = os.lseek(descriptor, position, os.SEEK_HOLE)
            if start >= size:
                break
            try:
                position = os.lseek(descriptor, start, os.SEEK_DATA)
            except OSError:  # nothing but hole up to the end
                position = size
            holes.append((start, position))
            if position >= size:
                break
    except OSError:  # a file system that can't tell
        return []
    return holes
