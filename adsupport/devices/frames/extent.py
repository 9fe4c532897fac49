"""Whether the pixels that a dataset of HDF5 refers to are in its file.

A file that was cut off while the IOC went on writing is as long as it should be, with the right
shape and ids: only where the pixels were there is nothing.  On disk that is a hole.
"""

from __future__ import annotations

import bisect
import os
import pathlib
from typing import Any

__all__ = ["find_loss"]

#: Of how many chunks the places are looked at: a microsecond each, so 0.1 s at the most.  Of a
#: file with more, the rest is trusted but for the last chunk, which is the farthest as a rule.
_MOST_CHUNKS = 100_000
#: How many holes are looked at.
_MOST_HOLES = 1_000
#: How many bytes at either end of a chunk are read when it lies beside a hole.
_ENDS = 64
#: Holes begin and end with blocks; a file's end is within one.
_BLOCK = 4096
#: Of how many chunks smaller than two blocks, which need not leave a hole, the ends are read.
_MOST_SMALL = 10_000

_Span = tuple[int, int]


def find_loss(dataset: Any, file: pathlib.Path, size: int, full: bool = True) -> tuple[str, str]:
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
    problem : str
        What is wrong, to follow the file's name; empty when nothing is.
    doubt : str
        What can be wrong, and needs a person to look; empty as a rule.

    Notes
    -----
    Takes some 10 ms for 10 000 chunks, twice that where they are small.  No pixel is read unless
    the file has holes, or compressed chunks that are too small to leave one.
    """
    import h5py

    low = dataset.id
    plan = low.get_create_plist()
    layout = plan.get_layout()
    if dataset.file.id.get_create_plist().get_userblock():
        return "", ""  # places are counted from another beginning
    spans: list[_Span] = []
    if layout == h5py.h5d.CHUNKED:
        spans = _chunks(low)
        lost = _unwritten(dataset, plan.get_chunk()) if full else 0
        if lost:
            return f"has no pixels at all for {lost} of its chunks of frames", ""
    elif layout == h5py.h5d.CONTIGUOUS and not plan.get_external_count():
        offset = low.get_offset()
        if offset is None and full and dataset.size:
            return "has no pixels at all for its frames", ""
        spans = [] if offset is None else [(offset, offset + low.get_storage_size())]
    end = max((stop for _, stop in spans), default=0)
    if end > size:
        return f"has {size} bytes, but its frames reach to byte {end}", ""
    compressed = bool(plan.get_nfilters())
    empty = _empty(file, spans, size, compressed)
    if not empty:
        return "", ""
    text = f"has {empty} of {len(spans)} chunks of frames without any content"
    if compressed:
        return text, ""  # compressed, even a black frame has some
    return "", f"{text}: they are black, or were lost when somebody cut the file off in mid-run"


def _chunks(low: Any) -> list[_Span]:
    """List where the chunks are."""
    spans: list[_Span] = []
    count = low.get_num_chunks()

    def see(info: Any) -> Any:
        spans.append((info.byte_offset, info.byte_offset + info.size))
        return True if len(spans) >= _MOST_CHUNKS else None

    if count:
        low.chunk_iter(see)
    if count > len(spans):
        last = low.get_chunk_info(count - 1)
        spans.append((last.byte_offset, last.byte_offset + last.size))
    return spans


def _unwritten(dataset: Any, chunk: tuple[int, ...]) -> int:
    """Count the chunks that have no place in the file at all."""
    wanted = 1
    for extent, each in zip(dataset.shape, chunk, strict=True):
        wanted *= -(-extent // each)
    return max(0, wanted - dataset.id.get_num_chunks())


def _empty(file: pathlib.Path, spans: list[_Span], size: int, compressed: bool) -> int:
    """Count the chunks that have no byte but zero at an end.

    Looked at are those that lie in or beside a hole, and small ones that are compressed.
    """
    try:
        descriptor = os.open(file, os.O_RDONLY)
    except OSError:  # it was open a moment ago: the next look tells
        return 0
    try:
        holes = _holes(descriptor, size)
        starts = [start for start, _ in holes]
        found, small = 0, _MOST_SMALL if compressed else 0
        for start, stop in spans if holes or small else ():
            nearest = bisect.bisect_right(starts, stop + _BLOCK) - 1
            if nearest < 0 or holes[nearest][1] + _BLOCK < start:
                if stop - start > 2 * _BLOCK or small <= 0:
                    continue
                small -= 1
            length = min(_ENDS, stop - start)
            ends = (os.pread(descriptor, length, at) for at in (start, stop - length))
            found += not all(any(end) for end in ends)
        return found
    finally:
        os.close(descriptor)


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
