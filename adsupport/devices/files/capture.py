"""Start and end the capture of a file plugin, and say why when it doesn't start."""

from __future__ import annotations

import logging
import time
from typing import Any

from ...errors import FileWriteError, FrameCountError, UnprimedError
from ...wording import counted
from ..arrays.prediction import array_mismatch, delivered_array, received_array
from ..frames.report import Shortfall
from ..signals.reading import pv_name, read_signals, wait_for
from ..signals.requests import put_unless_unanswered

__all__ = ["begin_capture", "check_primed", "end_capture", "file_problem"]

logger = logging.getLogger(__name__)

#: Longest time for Capture to show that it's on, in seconds: a busy file system opens slowly.
CAPTURE_TIMEOUT = 20.0
#: Longest time for the file to be closed, in seconds: a slow disk has much to flush.
CLOSE_TIMEOUT = 60.0

#: Longest time for the answer to a put of Capture 0 after the file was closed, in seconds.
_ANSWER_TIME = 2.0

# Capture falls back within a millisecond when the plugin refuses, which can't be told from a
# put that hasn't been looked at yet: both records must have been off for this long, in seconds.
_REFUSED_AFTER = 1.0
# A busy IOC may take longer for it: so much more patience has the second put.
_MORE_PATIENT = 5


def check_primed(plugin: Any) -> None:
    """See that a file plugin knows the size and type of the frames that will come.

    Without an array a plugin can't open a file, and says nothing; with an array of
    another size it opens a file and refuses every frame.

    Parameters
    ----------
    plugin : ophyd.areadetector.plugins.FilePlugin
        The plugin; it opens its file at ``Capture``, not lazily.

    Raises
    ------
    UnprimedError
        No array has arrived yet, or the next one will differ from the last.
    """
    where = plugin.dotted_name or plugin.name
    target = f"{plugin.root.name}.{where}"
    named = f"{plugin.prefix.rstrip(':')}: plugin {where} of {plugin.root.name}"
    remedies = (
        f"Prime it: ensure_AD_plugin_primed({target}, True); or let it open its file at the first "
        f"frame: {target}.stage_sigs['lazy_open'] = 'Yes' (and move 'capture' to the end)."
    )
    received = received_array(plugin)
    if received is None:
        raise UnprimedError(
            f"{named} isn't primed: it has received "
            f"no array since its IOC was started, so it can't open a file. {remedies}"
        )
    mismatch = array_mismatch(received, delivered_array(plugin))
    if mismatch:
        raise UnprimedError(
            f"{named} is primed for other frames: "
            f"{mismatch}. It would open its file for the old ones and refuse the new. {remedies}"
        )


def begin_capture(plugin: Any, timeout: float = CAPTURE_TIMEOUT) -> None:
    """Put Capture 1 and see that it stays.

    Parameters
    ----------
    plugin : ophyd.areadetector.plugins.FilePlugin
        A file plugin with path, name and mode set.
    timeout : float
        Longest wait for it to stay, in seconds; a put that was lost is repeated once.

    Raises
    ------
    FileWriteError
        Capture didn't start; the message has the IOC's own words.
    """
    # A put that comes while the record still works on the one before may be undone by that one's
    # end, and then the plugin has never heard of it: so it says nothing, and is asked again.
    stays, unheard = _start(plugin, timeout, _REFUSED_AFTER)
    if unheard and _says_nothing(plugin):
        stays, _ = _start(plugin, timeout, _REFUSED_AFTER * _MORE_PATIENT)
    if stays:
        return
    message = _why_not_capturing(plugin)
    # Should the IOC come to it later, it's not to write then.
    plugin.capture.put(0)
    raise FileWriteError(message)


def _start(plugin: Any, timeout: float, patience: float) -> tuple[bool, bool]:
    """Put Capture 1; tell whether it stays on, and whether nobody has ever seen it on."""
    # Not with completion: the put of Capture completes when the capture ends.
    plugin.capture.put(1)
    off_since: float | None = None
    seen_on = on = unheard = False

    def settled() -> bool:
        nonlocal off_since, seen_on, on, unheard
        found = read_signals({"on": plugin.capture, "asked": plugin.capture}, setpoints=("asked",))
        on = bool(int(found["on"]))
        if on:
            return True
        if int(found["asked"]):
            seen_on, off_since = True, None
            return False
        off_since = off_since or time.monotonic()
        off = 0.0 if seen_on else time.monotonic() - off_since
        unheard = off > patience or (off > _REFUSED_AFTER and not _says_nothing(plugin))
        return seen_on or unheard

    wait_for(settled, timeout)
    # A second look: where it's refused it's on for a moment.
    return on and bool(int(plugin.capture.get())), unheard


def _says_nothing(plugin: Any) -> bool:
    found = read_signals({"status": plugin.write_status, "message": plugin.write_message})
    return not str(found["message"]).strip() and str(found["status"]) in ("0", "Write OK")


def _why_not_capturing(plugin: Any) -> str:
    found = read_signals(
        {
            name: getattr(plugin, name)
            for name in (
                "write_message",
                "file_path_exists",
                "full_file_name",
                "file_path",
                "array_counter",
            )
        }
    )
    status = plugin.write_status.get(as_string=True)
    mode = plugin.file_write_mode.get(as_string=True)
    return (
        f"{pv_name(plugin.capture, True)}: the capture didn't start. WriteStatus {status!r}, "
        f"WriteMessage {found['write_message']!r}, FileWriteMode {mode}, "
        f"FilePath {found['file_path']!r} {'exists' if found['file_path_exists'] else 'missing'} "
        f"on the IOC, FullFileName {found['full_file_name']!r}. Check that the IOC may write there "
        "and that the disk isn't full; look at the IOC's console."
    )


def end_capture(plugin: Any, timeout: float = CLOSE_TIMEOUT) -> None:
    """Put Capture 0 and wait until the file is closed.

    Parameters
    ----------
    plugin : ophyd.areadetector.plugins.FilePlugin
        A file plugin, capturing or not.
    timeout : float
        Longest wait, in seconds.

    Raises
    ------
    FileWriteError
        The file wasn't closed in time.
    """
    signals = {"capture": plugin.capture, "write": plugin.write_file, "asked": plugin.capture}

    def closed() -> bool:
        found = read_signals({name: signals[name] for name in ("capture", "write")})
        return not any(int(value) for value in found.values())

    # Right after a put of 1 the read-back may still be 0.
    found = read_signals(signals, setpoints=("asked",))
    if not any(int(value) for value in found.values()):
        return
    answered = put_unless_unanswered(plugin.capture, 0)
    if not wait_for(closed, timeout):
        raise FileWriteError(
            f"{pv_name(plugin.capture, True)}: the file wasn't closed within {timeout:g} s.",
            remedy="Look at the disk and at the IOC's console.",
        )
    # The record may still work on this put when the plugin is done, and would undo the next.
    if not answered.wait(_ANSWER_TIME):
        logger.warning(
            "%s: the file is closed, but the IOC hasn't answered the put of 0 after %g s.",
            pv_name(plugin.capture, True),
            _ANSWER_TIME,
        )


def file_problem(plugin: Any, full: str, frames: int, mode: str) -> Shortfall | None:
    """Look for what the IOC says is wrong with the file of a run whose capture has ended.

    Parameters
    ----------
    plugin : ophyd.areadetector.plugins.FilePlugin
        The plugin.
    full : str
        Full name of the file on the IOC.
    frames : int
        Frames of all points.
    mode : {"Single", "Capture", "Stream"}
        How it was written.

    Returns
    -------
    Shortfall or None
        None when the file is whole.
    """
    found = read_signals(
        {
            name: getattr(plugin, name)
            for name in ("write_status", "num_captured", "full_file_name", "num_capture")
        }
    )
    captured = int(found["num_captured"])
    if str(found["write_status"]) not in ("0", "Write OK"):
        return Shortfall(
            FileWriteError,
            f"{pv_name(plugin.write_status)}: {plugin.name} could not finish its file: "
            f"{plugin.write_message.get()!r}. {full} may be damaged.",
            plugin.name,
            frames,
        )
    if mode == "Stream" and captured != frames:
        return Shortfall(
            FrameCountError,
            f"{pv_name(plugin.num_captured)}: the file holds {counted(captured)}, expected "
            f"{frames}: some came between the points, or were lost.",
            plugin.name,
            frames,
            captured,
        )
    if mode == "Capture" and plugin.multi_frame and found["full_file_name"] != full:
        return Shortfall(
            FileWriteError,
            f"{pv_name(plugin.full_file_name)} is {found['full_file_name']!r}, expected "
            f"{full!r}: in Capture mode the file is written when NumCapture "
            f"({found['num_capture']}) frames are in the IOC's memory, and {captured} were. "
            "Set stage_sigs['num_capture'] to all frames of the run, or use Stream.",
            plugin.name,
            frames,
        )
    return None
