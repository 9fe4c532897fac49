"""How far an experiment is: a bar for each stream."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

__all__ = ["ImagingProgress"]

_TAKEN = "_frames_taken"


class ImagingProgress:
    """Shows frames taken, and how long it will take yet: ``RE.subscribe(ImagingProgress())``.

    The documents tell of frames when they are read.  Of many frames in one event, as in a fly
    scan, the camera's status tells before: with ``RE.waiting_hook = progress.waiting``.

    Parameters
    ----------
    console : rich.console.Console, optional
        Where; the terminal by default.  In a pipe only the last state is shown.

    Examples
    --------
    >>> progress = ImagingProgress()                         # doctest: +SKIP
    >>> RE.subscribe(progress)                               # doctest: +SKIP
    >>> RE.waiting_hook = progress.waiting                   # doctest: +SKIP
    """

    def __init__(self, console: Console | None = None) -> None:
        self._console = console
        self._progress: Progress | None = None
        self._tasks: dict[str, Any] = {}
        self._streams: dict[str, str] = {}
        self._taken: Counter[str] = Counter()
        self._ahead: list[tuple[str, int]] = []  # frames that are still to come, in their order
        self._run = ""

    def __call__(self, name: str, document: Any) -> None:
        """Take a document of a run; those of other experiments are left alone.

        Parameters
        ----------
        name : str
            Its kind.
        document : dict
            The document.
        """
        if name == "start":
            self._begin(document)
        elif self._progress is None:
            return
        elif name == "descriptor" and document["run_start"] == self._run:
            self._streams[document["uid"]] = document["name"]
        elif name == "event" and self._streams.get(document["descriptor"]) in self._tasks:
            stream = self._streams[document["descriptor"]]
            self._count(stream, _frames_of(document["data"]))
            self._progress.update(self._tasks[stream], completed=self._taken[stream])
        elif name == "stop" and document["run_start"] == self._run:
            for task in self._progress.tasks:
                if not task.finished:
                    status = document.get("exit_status", "success")
                    ended = "ended early" + ("" if status == "success" else f": {status}")
                    self._progress.update(task.id, ended=ended)
            self._progress.stop()
            self._progress = None

    def waiting(self, statuses: Iterable[Any] | None) -> None:
        """Follow the camera while the RunEngine waits for it: a ``waiting_hook``.

        Parameters
        ----------
        statuses : iterable of ophyd Status, or None
            What is waited for; None at the end.
        """
        for each in statuses or ():
            if self._progress is not None and callable(getattr(each, "watch", None)):
                each.watch(self._watch)

    def _watch(self, *, unit: str = "", current: Any = None, target: Any = None, **_: Any) -> None:
        progress = self._progress
        if progress is None or not self._ahead or unit != "frames" or not current or target < 2:
            return  # a motor, or a single frame, of which the document tells soon enough
        stream, _left = self._ahead[0]
        progress.update(self._tasks[stream], completed=self._taken[stream] + current)

    def _count(self, stream: str, frames: int) -> None:
        self._taken[stream] += frames
        while self._ahead and self._ahead[0][0] != stream:
            del self._ahead[0]
        if self._ahead:
            left = self._ahead[0][1] - frames
            self._ahead[:1] = [(stream, left)] if left > 0 else []

    def _begin(self, start: dict[str, Any]) -> None:
        expected = start.get("frames")
        if self._progress is not None or not isinstance(expected, dict):
            return
        self._run = start["uid"]
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            _TimeLeft(),
            console=self._console,
        )
        self._streams.clear()
        self._taken.clear()
        order = [each for each in start.get("acquisitions", expected) if each in expected]
        self._ahead = [(each, -(-expected[each] // order.count(each))) for each in order]
        self._tasks = {
            stream: self._progress.add_task(stream, total=count)
            for stream, count in expected.items()
        }
        self._progress.start()


class _TimeLeft(TimeRemainingColumn):
    """The time that a bar needs yet, or that its run has ended before it was full."""

    max_refresh = None  # what was shown last mustn't be kept at the end

    def render(self, task: Task) -> Text:
        ended = task.fields.get("ended")
        return super().render(task) if ended is None else Text(ended)


def _frames_of(data: dict[str, Any]) -> int:
    """Tell how many frames an event has: area detectors say that, others have one."""
    taken = [value for key, value in data.items() if key.endswith(_TAKEN)]
    return int(taken[0]) if taken else 1
