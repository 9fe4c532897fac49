"""The threads of a plugin, and the arrays that wait for them."""

from __future__ import annotations

import collections
import logging
import threading
from collections.abc import Callable

Job = Callable[[], None]

STOP_TIMEOUT = 10.0
"""Seconds that the end of a thread is waited for."""

_log = logging.getLogger(__name__)


class Workers:
    """Threads that take jobs in the order in which they were given.

    Parameters
    ----------
    name : str
        Name of the threads.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._jobs: collections.deque[Job] = collections.deque()
        self._news = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._wanted = 0
        self._ending = False

    @property
    def waiting(self) -> int:
        """Number of jobs that no thread has taken."""
        return len(self._jobs)

    def put(self, job: Job) -> None:
        """Leave a job to the threads; if it fails, the console tells of it."""
        with self._news:
            self._jobs.append(job)
            self._news.notify()

    def resize(self, number: int) -> None:
        """Start threads, or let some end after the job that they are at.

        Parameters
        ----------
        number : int
            How many there are to be from now on.
        """
        with self._news:
            self._wanted = number
            self._news.notify_all()
            self._threads = [thread for thread in self._threads if thread.is_alive()]
            for index in range(len(self._threads), number):
                thread = threading.Thread(
                    target=self._run, args=(index,), name=self._name, daemon=True
                )
                self._threads.append(thread)
                thread.start()

    def stop(self) -> None:
        """Carry out what waits, then end all threads; safe to call twice."""
        with self._news:
            self._ending = True
            self._news.notify_all()
        for thread in self._threads:
            thread.join(timeout=STOP_TIMEOUT)
        self._threads = []

    def _run(self, index: int) -> None:
        while True:
            with self._news:
                self._news.wait_for(lambda: self._jobs or self._ending or index >= self._wanted)
                if index >= self._wanted or not self._jobs:
                    return
                job = self._jobs.popleft()
            try:
                job()
            except Exception:  # one array is lost; without this thread all later ones were
                _log.exception("%s: an array could not be processed", self._name)
