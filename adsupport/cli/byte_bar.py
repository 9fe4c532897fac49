"""A progress bar of bytes, for commands that copy or check files."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    FileSizeColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TransferSpeedColumn,
)

__all__ = ["ByteBar"]

#: Characters of what is under way.
_WIDEST = 40


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
            BarColumn(),
            FileSizeColumn(),
            TransferSpeedColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[under_way]}"),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._progress.add_task(what, total=None, under_way="")

    def __enter__(self) -> ByteBar:
        self._progress.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._progress.stop()

    def show(self, done: int, total: int | None = None, under_way: str = "") -> None:
        """Show how far it has come.

        Parameters
        ----------
        done : int
            Bytes.
        total : int, optional
            Of so many, where that is known.
        under_way : str
            What is under way, such as a file's name, of which the end is shown.
        """
        if len(under_way) > _WIDEST:
            under_way = "..." + under_way[3 - _WIDEST :]
        self._progress.update(self._task, completed=done, total=total, under_way=escape(under_way))
