"""Whether the run will fit on the disk, as seen from here."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator

from .report import Finding
from .run import RunFigures

__all__ = ["check_space", "in_units"]

_TOPIC = "space"
#: Part of the free space that a run may take before it is called tight.
_TIGHT = 0.9


def in_units(size: float) -> str:
    """Write a number of bytes for people.

    Parameters
    ----------
    size : float
        Bytes.

    Returns
    -------
    str
        Such as ``"1.5 GB"``; powers of 1000.
    """
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.4g} PB"


def check_space(
    directory: str | os.PathLike[str],
    figures: RunFigures,
    usage: Callable[[str | os.PathLike[str]], tuple[int, int, int]] = shutil.disk_usage,
) -> Iterator[Finding]:
    """Compare the free space with what the run will write at most.

    Parameters
    ----------
    directory : path
        A directory that exists here, on the disk that the IOC writes to.
    figures : RunFigures
        The planned run.
    usage : callable
        Tells total, used and free bytes of a disk.

    Yields
    ------
    Finding
        One; compression isn't counted on.
    """
    try:
        free = usage(directory)[2]
    except OSError as error:
        what = f"free space can't be told: {error.strerror}"
        yield Finding("info", str(directory), what, topic=_TOPIC)
        return
    need = figures.total_bytes
    if need is None:
        what = f"{in_units(free)} free; how much the run needs isn't known before the first frame"
        yield Finding("info", str(directory), what, topic=_TOPIC)
        return
    run = (
        f"{figures.points} x {figures.frames_per_point} frames make {in_units(need)} at most, "
        f"{in_units(free)} are free"
    )
    if need <= _TIGHT * free:
        yield Finding("ok", str(directory), run, topic=_TOPIC)
        return
    fits = int(free // figures.frame_bytes) if figures.frame_bytes else 0
    yield Finding(
        "error" if need > free else "warning",
        str(directory),
        f"{run}: {'the disk will be full' if need > free else 'tight'}"
        f"{f' after {fits} frames' if need > free else ''}",
        "Free some space, write to another disk, or take fewer or smaller frames"
        " (compression may help).",
        _TOPIC,
    )
