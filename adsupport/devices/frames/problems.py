"""What is wrong when frames are missing at a plugin, and what to do: by its counters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...errors import DroppedFramesError, FileWriteError, FrameCountError
from ...wording import counted, verb
from ..signals.reading import pv_name, read_signals
from .counters import Counters, frames_taken, went_back
from .report import Shortfall

__all__ = ["changed", "dropped", "not_taken", "starved", "uncountable", "unwritten"]

_OTHER_FRAMES = (
    "Their size or type isn't that of the frames the file was opened for: change the camera's "
    "region, binning, data type and colour mode between runs only, and prime the plugin again."
)


def changed(writer: Any, was: str, now: str, expected: int) -> Shortfall:
    """Say that the frames are of another kind than the file's first ones.

    A file plugin refuses frames of another size; of the same size in bytes it takes all.

    Parameters
    ----------
    writer : ophyd.areadetector.plugins.FilePlugin
        The plugin.
    was, now : str
        Data type and colour mode.
    expected : int
        Frames of the acquisition.

    Returns
    -------
    Shortfall
        What, where, expected and found, and what to do.
    """
    text = (
        f"{pv_name(writer.data_type)}: the frames that {_where(writer)} writes changed from {was} "
        f"to {now} in mid-run; the file keeps the type of its first frame, so their pixels are "
        "read wrong. Change DataType and ColorMode of the camera between runs only."
    )
    return Shortfall(FileWriteError, text, writer.name, expected, 0)


def dropped(plugin: Any, lost: int, expected: int) -> Shortfall:
    """Say that the queue of a plugin overflowed.

    Parameters
    ----------
    plugin : ophyd.areadetector.plugins.PluginBase
        The plugin.
    lost : int
        Frames it dropped.
    expected : int
        Frames of the acquisition.

    Returns
    -------
    Shortfall
        What, where, expected and found, and what to do.
    """
    text = (
        f"{pv_name(plugin.dropped_arrays)}: the queue of {_where(plugin)} overflowed and {lost} "
        f"of {counted(expected)} {verb(lost, 'was', 'were')} dropped. Take frames more slowly, "
        "enlarge QueueSize, compress less, or set BlockingCallbacks to Yes."
    )
    return Shortfall(DroppedFramesError, text, plugin.name, expected, expected - lost)


def not_taken(
    cam: Any, counter: str, before: Counters, after: Counters, expected: int
) -> Shortfall:
    """Say that the camera took another number of frames than was asked for.

    Parameters
    ----------
    cam : ophyd.areadetector.cam.CamBase
        The camera.
    counter : str
        Attribute of the counter that tells it.
    before, after : mapping
        The counters.
    expected : int
        Frames of the acquisition.

    Returns
    -------
    Shortfall
        What, where, expected and found, and what to do.
    """
    taken, _ = frames_taken(before, after)
    if counter == "array_counter" and went_back(before, after, "cam"):
        return uncountable(cam, before, after, "cam", expected)
    or_set = ", or was the counter set by somebody" if counter == "array_counter" else ""
    text = (
        f"{pv_name(getattr(cam, counter))}: the camera took {counted(taken)}, expected {expected}. "
        f"Was it stopped, or started by somebody else{or_set}?"
    )
    return Shortfall(FrameCountError, text, getattr(cam, "name", "cam"), expected, taken)


def uncountable(
    part: Any, before: Counters, after: Counters, name: str, expected: int
) -> Shortfall:
    """Say that somebody reset the counter that tells the frames of an acquisition.

    Parameters
    ----------
    part : ophyd.Device
        The plugin or the camera.
    before, after : mapping
        The counters.
    name : str
        Its name there.
    expected : int
        Frames of the acquisition.

    Returns
    -------
    Shortfall
        What, where, expected and found, and what to do.
    """
    was, now = (int(each[name, "array_counter"]) for each in (before, after))
    text = (
        f"{pv_name(part.array_counter)} went back from {was} to {now} during the acquisition: "
        f"somebody reset it, so whether all {expected} frames came can't be told. Take the point "
        "again, and reset it between runs only."
    )
    return Shortfall(FrameCountError, text, getattr(part, "name", name), expected, None)


def starved(plugin: Any, received: int, taken: int) -> Shortfall:
    """Say that a plugin that is read into the events hasn't had all frames.

    Parameters
    ----------
    plugin : ophyd.areadetector.plugins.PluginBase
        The plugin.
    received : int
        Frames it had.
    taken : int
        Frames the camera took.

    Returns
    -------
    Shortfall
        What, where, expected and found, and what to do.
    """
    text = (
        f"{pv_name(plugin.array_counter)}: {_where(plugin)} is read into the events and had "
        f"{received} of {counted(taken)}. Is ArrayCallbacks of the camera on, and its own "
        "EnableCallbacks? Or did somebody reset this counter meanwhile?"
    )
    return Shortfall(FrameCountError, text, plugin.name, taken, received)


def unwritten(
    writer: Any,
    after: Mapping[str, Any],
    written: int,
    received: int,
    expected: int,
    skipping: Sequence[str],
    dropped: int = 0,
    dropped_before: int = 0,
) -> Shortfall | None:
    """Say why a file plugin hasn't written the frames of an acquisition.

    Parameters
    ----------
    writer : FileWriter
        The plugin.
    after : mapping of str to object
        Its counters after the acquisition, by attribute.
    written : int
        Frames it wrote.
    received : int
        Frames that reached it.
    expected : int
        Frames of the acquisition.
    skipping : sequence of str
        Plugins on the way whose ``MinCallbackTime`` isn't 0.
    dropped : int
        Frames that its own queue dropped, which is told by itself.
    dropped_before : int
        Frames dropped in the queues on the way to it.

    Returns
    -------
    Shortfall or None
        What, where, expected and found, and what to do; None when nothing is wrong.
    """
    if str(after["write_status"]) not in ("0", "Write OK"):
        # asked for only now: it's long, and seldom needed
        message = str(read_signals({"message": writer.write_message})["message"]).strip()
        advice = "Look at the IOC's disk (full?), its permissions, and the IOC's console."
        if "Invalid frame" in message:
            advice = _OTHER_FRAMES
        text = (
            f"{pv_name(writer.write_status)}: {_where(writer)} could not write: {message!r}; "
            f"{written} of {expected} frames {verb(written, 'is', 'are')} in the file. {advice}"
        )
        return Shortfall(FileWriteError, text, writer.name, expected, written)
    if not writer.counts_captured or written in (expected, expected - dropped):
        return None
    if written < 0:
        text = (
            f"{pv_name(writer.num_captured)} went back by {-written} to {after['num_captured']} "
            f"during the acquisition of {expected} frames: somebody ended the capture of "
            f"{_where(writer)} and began another, so frames of this run are in the wrong file. "
            "See that nobody else uses the plugin, and take the run again."
        )
        return Shortfall(FrameCountError, text, writer.name, expected, None)
    text = (
        f"{pv_name(writer.num_captured)}: {_where(writer)} wrote {counted(written)}, expected "
        f"{expected}. "
    )
    if dropped_before and written == expected - dropped - dropped_before:
        text += "The others were dropped on the way to it."
    else:
        text += _why(after, written, received, expected, skipping)
    return Shortfall(FrameCountError, text, writer.name, expected, written)


def _why(
    after: Mapping[str, Any], written: int, received: int, expected: int, skipping: Sequence[str]
) -> str:
    if written > expected:
        return (
            "Somebody else took frames meanwhile: another client, or a second detector of the "
            "plan with the same camera. One detector can have all plugins."
        )
    ended = str(after["capture"]) in ("0", "Done")
    if ended and int(after["num_captured"]) == 0:
        # With NumCapture 0 a first frame that can't be written ends it, whatever the cause.
        return (
            "The first frame could not be written, which ends the capture and clears WriteMessage: "
            "the IOC's console says why. Is its disk full, or may it not write there? If neither: "
            f"{_OTHER_FRAMES[0].lower()}{_OTHER_FRAMES[1:]}"
        )
    first = "The first frame was refused. " if written == 0 else ""
    if received > written:
        # WriteStatus is good again after the next frame that fits; the counts still tell.
        refused = received - written
        return (
            f"{first}{counted(refused)} reached it and {verb(refused, 'was', 'were')} refused, "
            f"as WriteMessage 'Invalid frame. Ignoring.' says at such a frame. {_OTHER_FRAMES}"
        )
    if ended:
        return "Capture has ended: NumCapture was reached, or somebody stopped it."
    if skipping:
        return f"MinCallbackTime of {', '.join(skipping)} isn't 0, so frames are skipped."
    return "Look at ArrayCallbacks of what feeds it, at QueueFree, and at the IOC's console."


def _where(plugin: Any) -> str:
    return plugin.dotted_name or plugin.name
