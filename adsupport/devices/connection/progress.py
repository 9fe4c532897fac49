"""Show how far a connection is."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["Progress", "shown"]

#: Called with the number of connected signals and of all signals.
Progress = Callable[[int, int], None]

#: How long nothing is shown on a terminal, in seconds: most connections are done by then.
DELAY = 1.0


@contextmanager
def shown(progress: Progress | None, what: str) -> Iterator[Progress]:
    """Show progress on a terminal, or pass it on.

    Parameters
    ----------
    progress : callable or None
        Called with the number of connected signals and of all, whenever the first changes.
        None: when standard error is a terminal, a bar comes up there after 1 s.
    what : str
        What the bar is called.

    Yields
    ------
    callable
        To be called with these numbers again and again.
    """
    if progress is not None:
        yield _Changes(progress)
    elif sys.stderr.isatty():
        bar = _Bar(what)
        try:
            yield bar
        finally:
            bar.close()
    else:
        yield lambda *_: None


class _Changes:
    """Pass numbers on when they change."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._last: tuple[int, int] | None = None

    def __call__(self, connected: int, total: int) -> None:
        if (connected, total) != self._last:
            self._last = (connected, total)
            self._progress(connected, total)


class _Bar:
    """A bar on the terminal that goes away at the end."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._began = time.monotonic()
        self._bar: Any = None
        self._task: Any = None

    def __call__(self, connected: int, total: int) -> None:
        if self._bar is None:
            if time.monotonic() - self._began < DELAY:
                return
            from rich.console import Console
            from rich.progress import MofNCompleteColumn, Progress

            self._bar = Progress(
                *Progress.get_default_columns(),
                MofNCompleteColumn(),
                console=Console(stderr=True),
                transient=True,
            )
            self._task = self._bar.add_task(f"connecting {self._what}", total=total)
            self._bar.start()
        self._bar.update(self._task, completed=connected, total=total)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.stop()
