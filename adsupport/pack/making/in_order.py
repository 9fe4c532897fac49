"""Work that is done in a thread of its own, one thing after the other, until something fails."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

__all__ = ["InOrder"]

#: Work that may wait: files that are written and not yet on the disk.
_MOST_WAITING = 64


class InOrder:
    """Does work in order, beside the caller.

    Parameters
    ----------
    name : str
        Of the thread.

    Attributes
    ----------
    failed : bool
        Whether something has: nothing more is done.
    """

    def __init__(self, name: str) -> None:
        self._thread = ThreadPoolExecutor(1, name)
        self._waiting: deque[Future[None]] = deque()
        self._keys: set[str] = set()
        self.failed = False

    def do(self, key: str, work: Callable[..., None], *arguments: Any) -> None:
        """Let something be done, after all that is waiting.

        Parameters
        ----------
        key : str
            What it's about, for :meth:`settled`.
        work : callable
            What to do; not done any more once something has failed.
        *arguments
            Its arguments.

        Raises
        ------
        Exception
            What failed before.
        """
        while self._waiting and (len(self._waiting) >= _MOST_WAITING or self._waiting[0].done()):
            self._waiting.popleft().result()
        self._keys.add(key)
        self._waiting.append(self._thread.submit(self._try, work, arguments))

    def wait(self) -> None:
        """Wait until all is done.

        Raises
        ------
        Exception
            What failed.
        """
        while self._waiting:
            self._waiting.popleft().result()
        self._keys.clear()

    def settled(self, key: str) -> str:
        """Wait until nothing about a key is waiting.

        Parameters
        ----------
        key : str
            See :meth:`do`.

        Returns
        -------
        str
            The same.

        Raises
        ------
        Exception
            What failed.
        """
        if key in self._keys:
            self.wait()
        return key

    def close(self) -> None:
        """Do what is waiting, without telling whether it failed, and end the thread."""
        self._thread.shutdown()

    def _try(self, work: Callable[..., None], arguments: tuple[Any, ...]) -> None:
        if self.failed:
            return
        try:
            work(*arguments)
        except BaseException:
            self.failed = True
            raise
