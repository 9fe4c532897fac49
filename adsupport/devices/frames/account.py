"""Every frame is counted: taken by the camera, dropped in a queue, written to the file.

The counters are read from the IOC before and after each acquisition and compared with
the number asked for.  With ``WaitForPlugins`` they are final when the acquisition is
complete; the records that show them may follow a moment later, so a difference is looked
at again before it is called one.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ophyd import Kind

from ...errors import DroppedFramesError
from ..signals.reading import choice_of, read_signals, wait_for
from .counters import Counters, difference, frames_taken, went_back
from .plugins import is_enabled, plugins_of
from .problems import changed, not_taken, starved, uncountable, unwritten
from .problems import dropped as dropped_frames
from .queues import tell_queues
from .report import (
    FRAME_POLICIES,
    FramePolicy,
    FrameReport,
    Shortfall,
    check_policy,
    id_list,
)

__all__ = [
    "FRAME_POLICIES",
    "FrameAccount",
    "FramePolicy",
    "FrameReport",
    "Shortfall",
    "check_policy",
]

logger = logging.getLogger(__name__)

#: How long the records may lag behind the parameters they show, in seconds.
_SETTLE_TIME = 1.0
#: How long to wait for plugins that still move, where the camera didn't, in seconds.
_LONGEST_SETTLE = 30.0
#: Time without any frame that ends the wait where the camera can't wait, in seconds.
_ALLOWANCE = 5.0

#: WriteStatus of a writer that could write, as number or text.
_GOOD = ("0", "Write OK")

#: What a file plugin tells of its frames that their size in bytes doesn't.
_KIND = ("data_type", "color_mode")


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
        plugins = {p.name: p for p in plugins_of(detector) if hasattr(p, "dropped_arrays")}
        found = read_signals(
            {
                ("cam", "port_name"): cam.port_name,
                **{
                    (name, attr): getattr(plugin, attr)
                    for name, plugin in plugins.items()
                    for attr in ("enable", "port_name", "nd_array_port", "min_callback_time")
                    if hasattr(plugin, attr)
                },
            }
        )
        self._plugins = {n: p for n, p in plugins.items() if is_enabled(found[n, "enable"])}
        for name, plugin in self._plugins.items():
            self._signals[name, "array_counter"] = plugin.array_counter
            self._signals[name, "dropped_arrays"] = plugin.dropped_arrays
        self.writers = {n: p for n, p in self._plugins.items() if getattr(p, "is_writing", False)}
        for name, writer in self.writers.items():
            for attr in ("num_captured", "write_status", "capture"):
                self._signals[name, attr] = getattr(writer, attr)
            for attr in _KIND:
                if hasattr(writer, attr):
                    self._signals[name, attr] = getattr(writer, attr)
        self._kinds: dict[str, str] = {}
        self._skipping = {n for n in self._plugins if float(found.get((n, "min_callback_time"), 0))}
        self._essential = self._find_essential(found)
        self._exact = self._find_exact(found)
        self._counter_follows = True

    def _find_essential(self, found: Counters) -> set[str]:
        """Name the plugins whose loss of a frame is a loss of data.

        These are the writers, what feeds them, and what is read into the events.  A viewer
        (image, PVA) may drop frames: it's there for the eye.
        """
        essential = {n for n, p in self._plugins.items() if p.kind & Kind.normal}
        by_port = {str(found[n, "port_name"]): n for n in self._plugins}
        for writer in self.writers:
            name: str | None = writer
            chain: set[str] = set()
            while name is not None and name not in chain:
                chain.add(name)
                name = by_port.get(str(found[name, "nd_array_port"]))
            essential |= chain
        return essential

    def _find_exact(self, found: Counters) -> set[str]:
        """Name the plugins that are read into the events and must see each of the frames.

        Only what hangs on the camera itself: plugins between may well change the rate.
        """
        camera = str(found["cam", "port_name"])
        return {
            name
            for name, plugin in self._plugins.items()
            if plugin.kind & Kind.normal
            and name not in self.writers
            and name not in self._skipping
            and str(found[name, "nd_array_port"]) == camera
            and plugin.read_attrs
        }

    @property
    def plugins(self) -> dict[str, Any]:
        """The enabled plugins by name."""
        return dict(self._plugins)

    @property
    def signals(self) -> dict[tuple[str, str], Any]:
        """The counters, to be read in one go with ``read_signals``."""
        return self._signals

    def read(self) -> dict[tuple[str, str], Any]:
        """Read all counters.

        Returns
        -------
        dict
            Values by (name of the plugin or ``cam``, attribute).
        """
        return read_signals(self._signals)

    def compare(
        self, before: Counters, expected: int, has_ended: Callable[[], bool] = lambda: False
    ) -> FrameReport:
        """Account for one acquisition that has just completed.

        Parameters
        ----------
        before : mapping
            What :meth:`read` gave before it.
        expected : int
            Frames asked for.
        has_ended : callable
            Tells without arguments whether nobody wants the account any more: then nothing is
            waited for.  By default somebody does.

        Returns
        -------
        FrameReport
            The account; a difference that goes away within a second isn't one, nor is one
            that still shrinks.  A camera that can't wait for its plugins (before ADCore R3-3) is
            done before they are: then they get the detector's ``acquire_allowance`` for each frame.
        """
        after = self.read()
        report = self._report(before, after, expected)
        allowance, deadline = _SETTLE_TIME, time.monotonic() + _LONGEST_SETTLE
        if getattr(self.detector.cam, "wait_for_plugins", None) is None:
            allowance = getattr(self.detector, "acquire_allowance", _ALLOWANCE)
            deadline = math.inf
        while not (self._is_settled(report) or has_ended()) and time.monotonic() < deadline:
            seen = after

            def moves() -> bool:
                nonlocal after, report
                if has_ended():
                    return True
                after = self.read()
                report = self._report(before, after, expected)
                return self._is_settled(report) or after != seen  # noqa: B023  used at once

            patience = allowance if report.problems else _SETTLE_TIME
            if not wait_for(moves, patience) or _exceeds(report):
                break
        if not report.problems and report.first_id is None and not has_ended():
            # a camera with ways of its own: not worth a second at every point
            self._counter_follows = False
        return report

    def confirm(self, before: Counters, latest: Counters, expected: int) -> FrameReport | None:
        """Account for one acquisition from values that may lag behind, if they prove it complete.

        Only what counts up proves anything: an old value can't pass for the one expected.
        Nothing is read.

        Parameters
        ----------
        before : mapping
            What :meth:`read` gave before it.
        latest : mapping
            The latest monitored values of the same counters.
        expected : int
            Frames asked for.

        Returns
        -------
        FrameReport or None
            The account of a complete acquisition; None when :meth:`compare` is to find out.
        """
        steps = [("cam", "array_counter")]
        steps += [(name, "array_counter") for name in self._essential]
        steps += [(name, "num_captured") for name in self.writers]
        if not (
            all(difference(before, latest, *step) == expected for step in steps)
            and all(
                difference(before, latest, name, "dropped_arrays") == 0 for name in self._essential
            )
            and all(str(latest[name, "write_status"]) in _GOOD for name in self.writers)
        ):
            return None
        # NumImagesCounter starts anew each time, so its latest value may be an old one.
        report = self._report(before, {**latest, ("cam", "num_images_counter"): 0}, expected)
        return None if report.problems else report

    def tell_late(self, before: Counters, frames: int) -> str:
        """Say which plugins haven't done with the frames of an acquisition.

        Parameters
        ----------
        before : mapping
            What :meth:`read` gave before it.
        frames : int
            Frames asked for.

        Returns
        -------
        str
            Their names with what they had and what waits in their queues; empty when each has
            had all frames.
        """
        after = self.read()
        parts = []
        for name, plugin in self._plugins.items():
            had = difference(before, after, name, "array_counter")
            lost = max(0, difference(before, after, name, "dropped_arrays"))
            if had + lost < frames:
                waits = tell_queues([plugin]) or "No array waits in its queue."
                parts.append(f"{plugin.dotted_name or name} has had {had} of {frames}. {waits}")
        return " ".join(parts)

    def note(self, report: FrameReport) -> None:
        """Tell the writers which frames they must have when their file ends, and how many more.

        Parameters
        ----------
        report : FrameReport
            The account of the acquisition that has just completed.
        """
        for name, writer in self.writers.items():
            if hasattr(writer, "note_ids"):
                writer.note_ids(report.unique_ids)
                writer.note_excess(max(0, report.written[name] - report.expected))

    def name_missing(self, report: FrameReport) -> FrameReport:
        """Find out which frames are missing, by ending the files that don't have them.

        Parameters
        ----------
        report : FrameReport
            The account of an acquisition that failed.

        Returns
        -------
        FrameReport
            The same, with the unique ids where they can be told, and else why not.
        """
        ended = {
            name: writer.end_file()
            for name, writer in self.writers.items()
            if hasattr(writer, "end_file") and any(p.plugin == name for p in report.problems)
        }
        told = any(file is not None and file.missing for file in ended.values())
        problems = []
        for problem in report.problems:
            file = ended.get(problem.plugin)
            missing = () if file is None else file.missing
            why = "" if file is None else file.note
            text = f"Missing unique ids: {id_list(missing)}." if missing else why
            if not (missing or told) and problem.error is DroppedFramesError and file is None:
                text = "Which ones can't be told: only a file has the ids of its frames."
            problems.append(
                replace(problem, missing=missing, message=f"{problem.message} {text}".rstrip())
            )
        return replace(report, problems=tuple(problems))

    def _is_settled(self, report: FrameReport) -> bool:
        return not report.problems and (report.first_id is not None or not self._counter_follows)

    def _report(self, before: Counters, after: Counters, expected: int) -> FrameReport:
        problems = []
        taken, counted = frames_taken(before, after)
        counter = int(before["cam", "array_counter"]), int(after["cam", "array_counter"])
        known = taken > 0 and counter[1] - counter[0] == taken
        if taken != expected:
            problems.append(not_taken(self.detector.cam, counted, before, after, expected))
        dropped, received, written = {}, {}, {}
        for name, plugin in self._plugins.items():
            loss = difference(before, after, name, "dropped_arrays")
            dropped[name] = max(0, loss)
            received[name] = difference(before, after, name, "array_counter")
            if loss > 0:
                problem = dropped_frames(plugin, loss, expected)
                if name in self._essential:
                    problems.append(problem)
                else:
                    logger.info(problem.message)
            elif name in self._exact and went_back(before, after, name):
                problems.append(uncountable(plugin, before, after, name, expected))
            elif name in self._exact and received[name] < taken:
                problems.append(starved(plugin, received[name], taken))
        for name, writer in self.writers.items():
            tells = "num_captured" if writer.counts_captured else "array_counter"
            written[name] = difference(before, after, name, tells)
            problem = unwritten(
                writer,
                {attr: value for (owner, attr), value in after.items() if owner == name},
                written[name],
                received[name],
                expected,
                sorted(self._skipping & self._essential),
                dropped.get(name, 0),
                sum(dropped.get(each, 0) for each in self._essential.difference(self.writers)),
            )
            if problem is None and not writer.counts_captured and went_back(before, after, name):
                problem = uncountable(writer, before, after, name, expected)
            if problem is None and written[name]:
                problem = self._changed(name, after, expected)
            if problem is not None:
                problems.append(problem)
        return FrameReport(
            expected,
            taken,
            dropped,
            written,
            tuple(problems),
            received,
            counter[0] + 1 if known else None,
            counter[1] if known else None,
            sum(dropped[name] for name in self._essential if name in dropped),
        )

    def _changed(self, name: str, after: Counters, expected: int) -> Shortfall | None:
        """Compare the kind of frames that a writer has had with that of its first ones."""
        writer = self.writers[name]
        kind = " ".join(
            choice_of(getattr(writer, attr), after[name, attr])
            for attr in _KIND
            if (name, attr) in after
        )
        first = self._kinds.setdefault(name, kind)
        return None if kind == first else changed(writer, first, kind, expected)


def _exceeds(report: FrameReport) -> bool:
    """Tell whether there are more frames than asked for, which waiting doesn't mend."""
    most = max([report.taken, *report.written.values()])
    return most > report.expected
