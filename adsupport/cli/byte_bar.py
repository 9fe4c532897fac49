"""A progress bar of bytes, for commands that copy or check files."""

from __future__ import annotations

from rich.console import Console
from rich.progress import (
    BarColumn,
    FileSizeColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TransferSpeedColumn,
)

__all__ = ["ByteBar"]


class ByteBar:
    """Shows how many bytes are done, and how many in a second; nothing where no terminal is.

    Parameters
    ----------
    console : rich.console.Console
        Where.
    what : str
        What is done, such as ``"packing"``.
    """

    def __init__(self, console: Console, what: str) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            FileSizeColumn(),
            TransferSpeedColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._progress.add_task(what, total=None)

    def __enter__(self) -> ByteBar:
        self._progress.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._progress.stop()

    def show(self, done: int, total: int | None = None, what: str | None = None) -> None:
        """Show how far it has come.

        Parameters
        ----------
        done : int
            Bytes.
        total : int, optional
            Of so many, where that is known.
        what : str, optional
            What is done, if that is told otherwise now.
        """
        self._progress.update(self._task, completed=done, total=total, description=what)
