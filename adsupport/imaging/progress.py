"""How far an experiment is: a bar for each stream."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

__all__ = ["ImagingProgress"]

_TAKEN = "_frames_taken"


class ImagingProgress:
    """Shows frames taken, and how long it will take yet: ``RE.subscribe(ImagingProgress())``.

    Parameters
    ----------
    console : rich.console.Console, optional
        Where; the terminal by default.  In a pipe only the last state is shown.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._console = console
        self._progress: Progress | None = None
        self._tasks: dict[str, Any] = {}
        self._streams: dict[str, str] = {}
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
            task = self._tasks[self._streams[document["descriptor"]]]
            self._progress.advance(task, _frames_of(document["data"]))
        elif name == "stop" and document["run_start"] == self._run:
            self._progress.stop()
            self._progress = None

    def _begin(self, start: dict[str, Any]) -> None:
        expected = start.get("frames")
        if self._progress is not None or not isinstance(expected, dict):
            return
        self._run = start["uid"]
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=self._console,
        )
        self._streams.clear()
        self._tasks = {
            stream: self._progress.add_task(stream, total=count)
            for stream, count in expected.items()
        }
        self._progress.start()


def _frames_of(data: dict[str, Any]) -> int:
    """Tell how many frames an event has: area detectors say that, others have one."""
    taken = [value for key, value in data.items() if key.endswith(_TAKEN)]
    return int(taken[0]) if taken else 1
