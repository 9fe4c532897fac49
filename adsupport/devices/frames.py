"""Every frame is counted: taken by the camera, dropped in a queue, written to the file.

The counters are read from the IOC before and after each acquisition and compared with
the number asked for.  With ``WaitForPlugins`` they are final when the acquisition is
complete; the records that show them may follow a moment later, so a difference is looked
at again before it is called one.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ophyd import Device, Kind
from ophyd.areadetector.plugins import PluginBase

from ..errors import (
    AdsupportError,
    ConfigurationError,
    DroppedFramesError,
    FileWriteError,
    FrameCountError,
)
from .signal_io import pv_name, read_signals, wait_for

__all__ = ["FRAME_POLICIES", "FrameAccount", "FramePolicy", "FrameReport", "Shortfall"]

logger = logging.getLogger(__name__)

FramePolicy = Literal["raise", "warn", "record"]
FRAME_POLICIES: tuple[str, ...] = ("raise", "warn", "record")

#: How long the records may lag behind the parameters they show, in seconds.
_SETTLE_TIME = 1.0

Counters = Mapping[tuple[str, str], Any]


@dataclass(frozen=True)
class Shortfall:
    """One count that isn't what it should be.

    Attributes
    ----------
    error : type
        The class of error it is.
    message : str
        What, where, expected and found.
    """

    error: type[AdsupportError]
    message: str


@dataclass(frozen=True)
class FrameReport:
    """The account of one acquisition.

    Attributes
    ----------
    expected : int
        Frames asked for.
    taken : int
        Frames the camera took.
    dropped : dict of str to int
        Frames each plugin's queue threw away, by the plugin's name.
    written : dict of str to int
        Frames each file writer captured, by the plugin's name.
    problems : tuple of Shortfall
        What is wrong; empty when every frame is where it should be.
    """

    expected: int
    taken: int
    dropped: dict[str, int] = field(default_factory=dict)
    written: dict[str, int] = field(default_factory=dict)
    problems: tuple[Shortfall, ...] = ()

    def error(self) -> AdsupportError | None:
        """Make one exception of the problems.

        Returns
        -------
        AdsupportError or None
            The gravest class, with all messages; None when nothing is wrong.
        """
        if not self.problems:
            return None
        order = (FileWriteError, DroppedFramesError, FrameCountError)
        classes = {problem.error for problem in self.problems}
        gravest = next((cls for cls in order if cls in classes), FrameCountError)
        return gravest(" ".join(problem.message for problem in self.problems))


class FrameAccount:
    """Counts the frames of one detector while it is staged.

    Parameters
    ----------
    detector : ophyd.areadetector.DetectorBase
        The detector, staged: which plugins are enabled is settled.
    """

    def __init__(self, detector: Any) -> None:
        self.detector = detector
        cam = detector.cam
        self._signals: dict[tuple[str, str], Any] = {
            ("cam", "array_counter"): cam.array_counter,
            ("cam", "num_images_counter"): cam.num_images_counter,
        }
        plugins = [p for p in _plugins_of(detector) if hasattr(p, "dropped_arrays")]
        enabled = read_signals({p.name: p.enable for p in plugins})
        self._plugins = {p.name: p for p in plugins if is_enabled(enabled[p.name])}
        for name, plugin in self._plugins.items():
            self._signals[name, "array_counter"] = plugin.array_counter
            self._signals[name, "dropped_arrays"] = plugin.dropped_arrays
        self.writers = {n: p for n, p in self._plugins.items() if getattr(p, "is_writing", False)}
        for name, writer in self.writers.items():
            for attr in ("num_captured", "write_status", "write_message", "capture"):
                self._signals[name, attr] = getattr(writer, attr)
        self._essential = self._find_essential()

    def _find_essential(self) -> set[str]:
        """Name the plugins whose loss of a frame is a loss of data.

        These are the writers, what feeds them, and what is read into the events.  A viewer
        (image, PVA) may drop frames: it's there for the eye.
        """
        essential = {n for n, p in self._plugins.items() if p.kind & Kind.normal}
        if not self.writers:
            return essential
        ports = read_signals({n: p.port_name for n, p in self._plugins.items()})
        sources = read_signals({n: p.nd_array_port for n, p in self._plugins.items()})
        by_port = {str(port): name for name, port in ports.items()}
        chain: set[str] = set()
        for writer in self.writers:
            name: str | None = writer
            while name is not None and name not in chain:
                chain.add(name)
                name = by_port.get(str(sources[name]))
        return essential | chain

    @property
    def signals(self) -> dict[tuple[str, str], Any]:
        """The counters, to be read in one go with :func:`~.signal_io.read_signals`."""
        return self._signals

    def read(self) -> dict[tuple[str, str], Any]:
        """Read all counters.

        Returns
        -------
        dict
            Values by (name of the plugin or ``cam``, attribute).
        """
        return read_signals(self._signals)

    def compare(self, before: Counters, expected: int) -> FrameReport:
        """Account for one acquisition that has just completed.

        Parameters
        ----------
        before : mapping
            What :meth:`read` gave before it.
        expected : int
            Frames asked for.

        Returns
        -------
        FrameReport
            The account; a difference that goes away within a second isn't one.
        """
        report = self._report(before, self.read(), expected)

        def agrees() -> bool:
            nonlocal report
            report = self._report(before, self.read(), expected)
            return not report.problems

        if report.problems:
            wait_for(agrees, _SETTLE_TIME)
        return report

    def _report(self, before: Counters, after: Counters, expected: int) -> FrameReport:
        problems = []
        taken = _frames_taken(before, after)
        if taken != expected:
            pv = pv_name(self.detector.cam.num_images_counter)
            problems.append(
                Shortfall(
                    FrameCountError,
                    f"{pv}: the camera took {taken} frames, expected {expected}. Was it stopped, "
                    "or started by somebody else?",
                )
            )
        dropped, written = {}, {}
        for name, plugin in self._plugins.items():
            lost = int(after[name, "dropped_arrays"]) - int(before[name, "dropped_arrays"])
            dropped[name] = max(0, lost)
            if lost > 0:
                problems.extend(self._dropped(name, plugin, lost, expected))
        for name, writer in self.writers.items():
            written[name] = int(after[name, "num_captured"]) - int(before[name, "num_captured"])
            problems.extend(_written_problems(name, writer, written[name], after, expected))
        return FrameReport(expected, taken, dropped, written, tuple(problems))

    def _dropped(self, name: str, plugin: Any, lost: int, expected: int) -> list[Shortfall]:
        text = (
            f"{pv_name(plugin.dropped_arrays)}: the queue of {plugin.dotted_name or name} "
            f"overflowed and {lost} of {expected} frames were dropped. Take frames more slowly, "
            "enlarge QueueSize, compress less, or set BlockingCallbacks to Yes."
        )
        if name in self._essential:
            return [Shortfall(DroppedFramesError, text)]
        logger.info(text)
        return []


def _written_problems(
    name: str, writer: Any, written: int, after: Counters, expected: int
) -> list[Shortfall]:
    where = writer.dotted_name or name
    message = str(after[name, "write_message"]).strip()
    if str(after[name, "write_status"]) not in ("0", "Write OK"):
        return [
            Shortfall(
                FileWriteError,
                f"{pv_name(writer.write_status)}: {where} could not write: {message!r}; "
                f"{written} of {expected} frames are in the file. Look at the IOC's disk (full?), "
                "its permissions, and the IOC's console.",
            )
        ]
    if not writer.counts_captured or written == expected:
        return []
    if written > expected:
        hint = (
            "Somebody else took frames meanwhile: another client, or a second detector of the plan "
            "with the same camera. One detector can have all plugins."
        )
    elif str(after[name, "capture"]) not in ("0", "Done"):
        hint = "Look at QueueFree, DroppedArrays and the IOC's console."
    elif int(after[name, "num_captured"]) == 0:
        # With NumCapture 0 a first frame that can't be written ends the capture.
        hint = "The first frame was refused: its size or type isn't what the plugin was primed for."
    else:
        hint = "Capture has ended: NumCapture was reached, or somebody stopped it."
    return [
        Shortfall(
            FrameCountError,
            f"{pv_name(writer.num_captured)}: {where} wrote {written} frames, expected {expected}. "
            f"{hint}",
        )
    ]


def check_policy(policy: str) -> FramePolicy:
    """Check a policy for missing frames.

    Parameters
    ----------
    policy : {"raise", "warn", "record"}
        What to do when frames are missing.

    Returns
    -------
    str
        The policy.

    Raises
    ------
    ConfigurationError
        It's another word.
    """
    if policy not in FRAME_POLICIES:
        raise ConfigurationError(
            f"frame_policy={policy!r} is unknown; expected one of {', '.join(FRAME_POLICIES)}."
        )
    return policy  # type: ignore[return-value]


def _frames_taken(before: Counters, after: Counters) -> int:
    # NumImagesCounter starts anew with each acquisition; drivers that don't serve it leave 0.
    counted = int(after["cam", "num_images_counter"])
    if counted:
        return counted
    return int(after["cam", "array_counter"]) - int(before["cam", "array_counter"])


def is_enabled(value: Any) -> bool:
    """Tell whether a value of ``EnableCallbacks`` means enabled.

    Parameters
    ----------
    value : object
        Number or string.

    Returns
    -------
    bool
        False for ``Disable``, which as a string would count as true.
    """
    return str(value) in ("1", "Enable")


def _plugins_of(detector: Device) -> list[Any]:
    return [device for _, device in detector.walk_subdevices() if isinstance(device, PluginBase)]
