"""Whether a file plugin is free, primed, and set so that it writes what comes."""

from __future__ import annotations

from collections.abc import Iterator

from ophyd.areadetector.plugins import JPEGPlugin

from ..arrays.prediction import ArrayKind, array_mismatch
from .leftovers import is_probe
from .report import Finding
from .state import PartState, is_on

__all__ = ["check_free", "check_primed_or_lazy", "check_settings", "writes_frame_files"]

_TOPIC = "writer"


def writes_frame_files(writer: PartState) -> bool:
    """Tell whether each frame goes to a file of its own.

    Parameters
    ----------
    writer : PartState
        The file writer.

    Returns
    -------
    bool
        In Single mode, and for formats that hold one frame.
    """
    single = writer.planned("file_write_mode") == "Single"
    return single or not getattr(writer.device, "multi_frame", True)


def check_free(writer: PartState, staged: bool = False, probed: bool = False) -> Iterator[Finding]:
    """See that nobody else captures, and what came of the last write.

    Parameters
    ----------
    writer : PartState
        The file writer.
    staged : bool
        Whether this detector is staged, so that what runs is its own.
    probed : bool
        Whether the last write was that of a probe, which is reported by itself.

    Yields
    ------
    Finding
        What was found.
    """
    busy = [
        name
        for name in ("capture", "write_file")
        if str(writer.get(name, 0)).lower() not in ("0", "done", "off")
    ]
    if busy and not staged:
        yield Finding(
            "error",
            writer.pv(busy[0]),
            f"another client captures, to {writer.get('full_file_name')!r}: staging would end it",
            "Wait for its end, or find out who it is, then put Capture to 0.",
            _TOPIC,
        )
    elif busy:
        what = f"this detector captures, to {writer.get('full_file_name')!r}"
        yield Finding("info", writer.pv(busy[0]), what, topic=_TOPIC)
    elif not probed and writer.get("write_status") not in (None, "Write OK"):
        yield _last_write(writer)


def _last_write(writer: PartState) -> Finding:
    full, message = writer.get("full_file_name"), writer.get("write_message")
    if is_probe(full):
        what = f"the last write failed, which was the probe of a check ({full}): {message!r}"
        remedy = (
            "No file of a run is concerned. --write (write=True) tries again; the next file clears "
            "this."
        )
    else:
        what = f"the last write failed: {message!r}"
        remedy = "Check the IOC's permissions and its disk; --write (write=True) tries again."
    return Finding("warning", writer.pv("write_status"), what, remedy, _TOPIC)


def check_settings(writer: PartState, kind: ArrayKind | None = None) -> Iterator[Finding]:
    """See that the mode of writing and its companions agree.

    Parameters
    ----------
    writer : PartState
        The file writer.
    kind : ArrayKind, optional
        The arrays that it will get.

    Yields
    ------
    Finding
        What would keep frames from being written.
    """
    mode = str(writer.planned("file_write_mode", ""))
    if mode in ("Single", "Capture") and not is_on(writer.planned("auto_save", "Yes")):
        yield Finding(
            "error",
            writer.pv("auto_save"),
            f"is No while FileWriteMode is {mode}: no frame would be written",
            "Put AutoSave to Yes, or use Stream.",
            _TOPIC,
        )
    if mode == "Capture" and int(_planned_frames(writer)) < 1:
        yield Finding(
            "error",
            writer.pv("num_capture"),
            "is 0 while FileWriteMode is Capture: the file is written when that many frames are "
            "in the IOC's memory",
            f"Set stage_sigs['num_capture'] of {writer.key} to all frames of the run, or use "
            "Stream.",
            _TOPIC,
        )
    if writes_frame_files(writer) and not is_on(writer.planned("auto_increment", "Yes")):
        yield Finding(
            "error",
            writer.pv("auto_increment"),
            f"is No, and {writer.key} writes one file a frame: each would overwrite the one before",
            "Put AutoIncrement to Yes.",
            _TOPIC,
        )
    if isinstance(writer.device, JPEGPlugin) and kind is not None and _is_wide(kind):
        yield Finding(
            "error",
            writer.prefix,
            f"the frames are {kind.data_type}, and JPEG files hold 8 bits: the IOC drops these "
            "without a word",
            "Take UInt8 frames, or write TIFF or HDF5.",
            _TOPIC,
        )


def _is_wide(kind: ArrayKind) -> bool:
    return kind.data_type not in (None, "Int8", "UInt8")


def _planned_frames(writer: PartState) -> int:
    # adsupport's writers capture without end unless stage_sigs says otherwise
    default = 0 if hasattr(writer.device, "make_filename") else writer.get("num_capture", 0)
    return int(writer.staged.get("num_capture", default))


def check_primed_or_lazy(
    writer: PartState, received: ArrayKind | None, delivered: ArrayKind | None
) -> Iterator[Finding]:
    """See that the plugin can open its file: it knows the frames, or waits for the first.

    Parameters
    ----------
    writer : PartState
        The file writer.
    received : ArrayKind or None
        The last array that it had; None when there was none.
    delivered : ArrayKind or None
        The next array that it will get; None when that can't be known.

    Yields
    ------
    Finding
        One.
    """
    if writer.planned("file_write_mode") == "Single":
        return
    if writer.planned("file_write_mode") == "Stream" and is_on(writer.planned("lazy_open")):
        what = "opens its file at the first frame: needs no priming"
        yield Finding("ok", writer.pv("lazy_open"), what, topic=_TOPIC)
        return
    mismatch = "" if received is None else array_mismatch(received, delivered)
    if received is not None and not mismatch:
        size = " x ".join(map(str, received.dims))
        what = f"{writer.key} is primed for {size} {received.data_type} {received.color_mode}"
        yield Finding("ok", writer.prefix, what, topic=_TOPIC)
        return
    yield Finding(
        "error",
        writer.prefix,
        f"{writer.key} is primed for other frames: {mismatch}"
        if mismatch
        else f"{writer.key} isn't primed: no array has come since the IOC was started, so it "
        "can't open a file",
        f"Let one frame through: ensure_AD_plugin_primed(det.{writer.key}, True). Or put LazyOpen "
        "to Yes: the file is opened at the first frame then.",
        _TOPIC,
    )
