"""Whether the run will fit on the disk, as seen from here."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator

from .report import Finding
from .run import RunFigures

__all__ = ["check_disks", "in_units"]

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
        if size < 999.5:  # which would be rounded to 1e+03
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.4g} PB"


def check_disks(
    places: Iterable[tuple[str | os.PathLike[str] | None, RunFigures]],
    usage: Callable[[str | os.PathLike[str]], tuple[int, int, int]] = shutil.disk_usage,
) -> Iterator[Finding]:
    """Compare the free space of each disk with what all file writers will write to it at most.

    Parameters
    ----------
    places : iterable of (path or None, RunFigures)
        For each file writer a directory that exists here, on the disk that the IOC writes to, and
        the planned run; None: nothing of it is here.
    usage : callable
        Tells total, used and free bytes of a disk.

    Yields
    ------
    Finding
        One for each disk; compression isn't counted on.
    """
    disks: dict[int, list[tuple[str, RunFigures]]] = {}
    for place, figures in places:
        if place is not None:
            disks.setdefault(os.stat(place).st_dev, []).append((str(place), figures))
    for writers in disks.values():
        yield _judge(writers[0][0], [figures for _, figures in writers], usage)


def _judge(
    directory: str,
    writers: list[RunFigures],
    usage: Callable[[str | os.PathLike[str]], tuple[int, int, int]],
) -> Finding:
    try:
        free = usage(directory)[2]
    except OSError as error:
        what = f"free space can't be told: {error.strerror}"
        return Finding("info", directory, what, topic=_TOPIC)
    needs = [figures.total_bytes for figures in writers if figures.total_bytes is not None]
    if len(needs) < len(writers):
        what = f"{in_units(free)} free; how much the run needs isn't known before the first frame"
        return Finding("info", directory, what, topic=_TOPIC)
    need, run = sum(needs), writers[0]
    files = f" in files of {len(writers)} plugins" if len(writers) > 1 else ""
    what = (
        f"{run.points} x {run.frames_per_point} frames make {in_units(need)} at most{files}, "
        f"{in_units(free)} are free"
    )
    if need <= _TIGHT * free:
        return Finding("ok", directory, what, topic=_TOPIC)
    full = f"the disk will be full after {int(run.frames * free / need)} frames"
    return Finding(
        "error" if need > free else "warning",
        directory,
        f"{what}: {full if need > free else 'tight'}",
        "Free some space, write to another disk, or take fewer or smaller frames"
        " (compression may help).",
        _TOPIC,
    )
