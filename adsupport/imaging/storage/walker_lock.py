"""A lock for a plan: it can be taken again by who has it, and given back by any thread."""

from __future__ import annotations

import threading

__all__ = ["WalkerLock"]


class WalkerLock:
    """A reentrant lock that doesn't mind which thread releases it.

    A plan that nobody runs any more is closed by the garbage collector, in whatever thread that
    happens to be; ``threading.RLock`` would stay locked then.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owner: int | None = None
        self._depth = 0

    def acquire(self, blocking: bool = True) -> bool:
        """Take the lock.

        Parameters
        ----------
        blocking : bool
            Whether to wait for it.

        Returns
        -------
        bool
            Whether it was taken; always when blocking.
        """
        me = threading.get_ident()
        if self._owner != me:
            if not self._lock.acquire(blocking):
                return False
            self._owner = me
        self._depth += 1
        return True

    def release(self) -> None:
        """Give the lock back, once for each time that it was taken."""
        self._depth -= 1
        if not self._depth:
            self._owner = None
            self._lock.release()
