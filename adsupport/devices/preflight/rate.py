"""Whether a file writer can keep up with the camera, as far as figures from elsewhere tell.

The figures are for one thread of a present-day processor, and for frames that hardly compress.
They tell an order of magnitude: what they find is a warning, never an error.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..files.compression import choice_index
from .report import Finding
from .run import RunFigures
from .space import in_units
from .state import PartState

__all__ = ["THROUGHPUT", "backlog", "check_rate", "throughput"]

_TOPIC = "rate"
_MB = 1e6

#: Millions of bytes of pixels a second that one HDF5 writer takes, by compression.
#:
#: ``None``: 1 MiB frames of a simDetector into HDF5 on a real IOC (ADCore R3-14, two cores)
#: without a drop, 865 MiB/s.  The others: h5py 3.16 with the same filters, noisy 1 MiB UInt8
#: frames, two cores, page cache: Blosc (LZ4) 1039, BSLZ4 881, LZ4 725, szip 128, zlib of level 1
#: 71 and of level 6 20 MB/s; what is faster than ``None`` was is limited to that.  Frames that
#: compress well go faster: 245 MiB/s with zlib and a ramp on the same IOC.
THROUGHPUT: dict[str, float] = {
    "none": 907.0,
    "blosc": 907.0,
    "bslz4": 881.0,
    "lz4": 725.0,
    "szip": 128.0,
    "zlib": 20.0,
}
_FAST_ZLIB = 71.0


def throughput(compression: str, zlevel: int | None = None) -> float | None:
    """Tell how many bytes of pixels a second an HDF5 writer takes.

    Parameters
    ----------
    compression : str
        A choice of ``Compression``, such as ``"zlib"``.
    zlevel : int, optional
        Level of zlib, 1 to 9.

    Returns
    -------
    float or None
        Bytes a second, not compressed, see :data:`THROUGHPUT`; None when nothing is known.
    """
    name = compression.lower()
    if name == "zlib" and zlevel == 1:
        return _FAST_ZLIB * _MB
    rate = THROUGHPUT.get(name)
    return None if rate is None else rate * _MB


def backlog(frames: int, data_rate: float, writer_rate: float) -> int:
    """Tell how many frames wait in the queue when the last one of a point comes.

    Parameters
    ----------
    frames : int
        Frames of a point.
    data_rate : float
        Bytes a second that come.
    writer_rate : float
        Bytes a second that are written.

    Returns
    -------
    int
        Frames waiting; 0 when the writer keeps up.
    """
    if writer_rate >= data_rate:
        return 0
    return max(0, int(frames * (1 - writer_rate / data_rate)))


def check_rate(
    writer: PartState, figures: RunFigures, compression: str | None = None
) -> Iterator[Finding]:
    """Compare what the camera sends with what a writer takes, and with its queue.

    Parameters
    ----------
    writer : PartState
        The file writer.
    figures : RunFigures
        The planned run.
    compression : str, optional
        The compression planned; what is set by default.

    Yields
    ------
    Finding
        One for the rate.
    """
    choices = list(getattr(getattr(writer.device, "compression", None), "enum_strs", None) or ())
    if compression is not None and choices and choice_index(choices, compression) is None:
        yield Finding(
            "error",
            writer.pv("compression"),
            f"compression {compression!r} isn't one of the plugin's",
            f"Take one of {', '.join(choices)}.",
            _TOPIC,
        )
        return
    chosen = compression or str(writer.planned("compression", "None"))
    rate = throughput(chosen, writer.planned("zlevel"))
    if figures.frame_bytes is None:
        return
    size = f"{in_units(figures.frame_bytes)} a frame"
    if figures.data_rate is None or figures.frame_rate is None:
        yield Finding(
            "info",
            writer.prefix,
            f"the frame rate isn't limited by AcquireTime and AcquirePeriod ({size})",
            "Set AcquirePeriod, or give a period, to have the data rate checked.",
            _TOPIC,
        )
        return
    frames = (
        f"{figures.frame_rate:.4g}" if figures.frame_rate < 1e4 else f"{figures.frame_rate:.0f}"
    )
    asked = f"{in_units(figures.data_rate)}/s ({frames} frames/s, {size})"
    if rate is None:
        what = f"{asked}; no figure is known for compression {chosen}"
        yield Finding("info", writer.pv("compression"), what, topic=_TOPIC)
        return
    known = f"about {in_units(rate)}/s are usual with compression {chosen}"
    waiting = backlog(figures.frames_per_point, figures.data_rate, rate)
    queue = int(writer.planned("queue_size", 0) or 0)
    if not waiting:
        yield Finding("ok", writer.prefix, f"{asked}; {known}", topic=_TOPIC)
    elif waiting <= queue:
        what = f"{asked}; {known}: some {waiting} frames will wait in the queue of {queue}"
        yield Finding("info", writer.pv("queue_size"), what, topic=_TOPIC)
    else:
        yield Finding(
            "warning",
            writer.pv("queue_size"),
            f"{asked}; {known}: some {waiting} frames of a point would have to wait, the queue "
            f"holds {queue} and drops the rest",
            f"{_faster(chosen)}a longer period, fewer frames a point, or QueueSize {waiting} when "
            f"the IOC has {in_units(waiting * figures.frame_bytes)} of memory for it.",
            _TOPIC,
        )


def _faster(compression: str) -> str:
    fast = compression.lower() in ("none", "blosc", "bslz4", "lz4")
    return "" if fast else "Take a faster compression (BSLZ4, LZ4, Blosc, None), "
