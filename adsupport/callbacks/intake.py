"""From the thread that makes documents to the one that writes them: a queue with a limit."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

__all__ = ["Intake", "with_own_data"]

logger = logging.getLogger(__name__)

#: Documents that may wait; who brings more waits for room.
LIMIT = 20_000

#: Documents that are worked on at once, before rows are passed on.
TURN = 1_000

#: With more documents waiting, who brings one lets the thread catch up, for a moment: a backlog
#: that the processor's caches don't hold makes all work on it twice as slow.
BACKLOG = 1_000

#: The moment, in seconds.  Once it was too short there's no other until the backlog is gone.
MOMENT = 0.05

#: After this time without a document, in seconds, the thread takes a rest.
QUIET = 0.5


class Intake:
    """Work on items in a thread, in their order.

    The thread starts with the first item and ends when it has nothing to do, so a program can
    end whenever it likes: what came before is worked on first.

    Parameters
    ----------
    take : callable
        Called with a list of items, in the thread.  It must not raise.
    rest : callable
        Called in the thread when nothing has come for some time; tells whether to stay.
    close : callable
        Called in the thread when the program ends and nothing can come any more.
    name : str
        Of the thread.
    limit : int
        How many items may wait.
    """

    def __init__(
        self,
        take: Callable[[list[Any]], None],
        rest: Callable[[], bool],
        close: Callable[[], None],
        name: str,
        limit: int = LIMIT,
    ) -> None:
        self._take, self._rest, self._close = take, rest, close
        self._name = name
        self._limit = limit
        self._items: deque[Any] = deque()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._backlog = min(BACKLOG, limit)
        self._catches_up = True

    def put(self, item: Any) -> None:
        """Bring an item; wait for room when there is none.

        Parameters
        ----------
        item : any
            The item.
        """
        self._items.append(item)
        waiting = len(self._items)
        if self._thread is None or waiting == 1:
            with self._changed:
                self._wake()
        if waiting > self._backlog and (self._catches_up or waiting > self._limit):
            self._wait_for_room()

    def _wait_for_room(self) -> None:
        with self._changed:
            self._wake()
            if self.is_own_thread():
                return
            if self._catches_up:
                self._catches_up = self._changed.wait_for(
                    lambda: len(self._items) <= self._backlog // 2, MOMENT
                )
            if len(self._items) > self._limit:
                logger.info("%s: %d documents wait to be written", self._name, self._limit)
                self._changed.wait_for(lambda: len(self._items) <= self._limit // 2)

    def is_own_thread(self) -> bool:
        """Tell whether the caller is the thread that works on the items."""
        return threading.current_thread() is self._thread

    def _wake(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name=self._name, daemon=False)
            self._thread.start()
        self._changed.notify_all()

    def _work(self) -> None:
        while True:
            with self._changed:
                came = self._changed.wait_for(lambda: self._items, QUIET)
            if came:
                turn = min(len(self._items), TURN)
                try:
                    self._take([self._items.popleft() for _ in range(turn)])
                except Exception:
                    logger.exception("%s: an error in the writer itself", self._name)
                with self._changed:
                    self._catches_up = self._catches_up or len(self._items) <= self._backlog // 2
                    self._changed.notify_all()
                continue
            over = not threading.main_thread().is_alive()
            if over and not self._items:
                self._close()
            stay = self._rest()
            with self._changed:
                if not self._items and (over or not stay):
                    self._thread = None
                    if self._items:  # came while nobody looked
                        self._wake()
                    return


def with_own_data(kind: str, doc: dict[str, Any]) -> dict[str, Any]:
    """Copy of a document what others change while it waits.

    They put images in place of their datums, in this very document.

    Parameters
    ----------
    kind : str
        ``"event"`` or ``"event_page"``.
    doc : dict
        The document.

    Returns
    -------
    dict
        The document itself when there is nothing to be changed.
    """
    if not doc.get("filled"):
        return doc
    if kind == "event":
        return {**doc, "data": dict(doc["data"]), "filled": dict(doc["filled"])}
    data = {key: list(column) for key, column in doc["data"].items()}
    filled = {key: list(column) for key, column in doc["filled"].items()}
    return {**doc, "data": data, "filled": filled}
