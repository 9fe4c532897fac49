"""How far packing has come, for whoever shows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

__all__ = ["PackProgress", "ProgressTeller"]


@dataclass(frozen=True)
class PackProgress:
    """How far packing has come.

    Parameters
    ----------
    runs : int
        Runs that are done.
    files : int
        Files that were brought into the pack, or read for its list.
    size : int
        Bytes of these.
    name : str
        The file that is being brought, or the uid of the run that is done.
    """

    runs: int = 0
    files: int = 0
    size: int = 0
    name: str = ""


class ProgressTeller:
    """Counts, and tells.

    Parameters
    ----------
    told : callable or None
        Called with a :class:`PackProgress`.
    """

    def __init__(self, told: Callable[[PackProgress], None] | None) -> None:
        self._told = told
        self._now = PackProgress()

    def file_begun(self, name: str) -> None:
        """Note which file is being read.

        Parameters
        ----------
        name : str
            Its path.
        """
        self._now = replace(self._now, name=name)

    def read(self, size: int) -> None:
        """Note what was read, and tell.

        Parameters
        ----------
        size : int
            Bytes; negative where they have to be read again.
        """
        self._tell(replace(self._now, size=self._now.size + size))

    def file_done(self) -> None:
        """Note that the file has been read."""
        self._now = replace(self._now, files=self._now.files + 1)

    def run_done(self, uid: str) -> None:
        """Note that a run has been read with all its files, and tell.

        Parameters
        ----------
        uid : str
            The run's.
        """
        self._tell(replace(self._now, runs=self._now.runs + 1, name=uid))

    def _tell(self, now: PackProgress) -> None:
        self._now = now
        if self._told is not None:
            self._told(now)
