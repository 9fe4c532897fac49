"""Where images are, in a text: what a file says that holds none itself."""

from __future__ import annotations

from typing import Any

from ..documents.assets import Frames

__all__ = ["frames_text"]


def frames_text(frames: Frames) -> str:
    """Say where images are.

    Parameters
    ----------
    frames : Frames
        Of one row.

    Returns
    -------
    str
        File and frames in it, counted from 0 and the last one excluded, as numpy slices:
        ``/data/scan_0001.h5[20:25]``; several files are put one behind the other with ``;``.

    Raises
    ------
    ImageFileError
        The documents don't tell.
    """
    if frames.asset.kind == "hdf5":
        return f"{frames.files()[0]}[{frames.first}:{frames.first + frames.count}]"
    runs: list[list[Any]] = []
    for number in range(frames.first, frames.first + frames.count):
        path, index = frames.asset.file_of(number)
        if runs and runs[-1][0] == path and runs[-1][2] == index:
            runs[-1][2] += 1
        else:
            runs.append([path, index, index + 1])
    return ";".join(f"{path}[{first}:{stop}]" for path, first, stop in runs)
