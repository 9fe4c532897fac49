"""What all writers of files have in common: runs in, files out, nothing lost in between.

A writer takes documents in the RunEngine's thread, which only puts them in a queue.  Its own
thread makes runs of them and hands these to one :class:`RunFile` each; the end of a file, which
may wait for images, has a thread to itself.  So several runs may be under way at once.
"""

from __future__ import annotations

import copy
import functools
import logging
import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, Self

from event_model import DocumentNames, DocumentRouter

from ..documents.router import RunRouter
from ..documents.run import Run
from ..errors import DocumentError, WriterTimeoutError
from .intake import Intake, with_own_data
from .run_file import RunFile, WriterResult
from .run_guard import RunGuard, abandoned

__all__ = ["RunWriter"]

logger = logging.getLogger(__name__)

#: How many results are kept to be looked at.
RESULTS = 1000

_MARK, _START = object(), object()


class RunWriter(DocumentRouter, ABC):
    """Write a file for each run: subscribe it, or its ``receiver``, or replay a run to it.

    Parameters
    ----------
    strict : bool
        Whether a run counts as failed that has something wrong, or a part that isn't in the file:
        the file is there, and :meth:`wait_writer` raises what is wrong with it.
    path_map : mapping of str to str, or callable, optional
        From the directories of images in the documents to those here; see
        :func:`~adsupport.documents.assets.asset_of`.

    Attributes
    ----------
    results : collections.deque of WriterResult
        Of the runs that have ended, the latest last.
    """

    def __init__(self, *, strict: bool = True, path_map: Any = None) -> None:
        super().__init__()
        self.strict = strict
        self.path_map = path_map
        self._receiver = functools.partial(self._receive)
        self.results: deque[WriterResult] = deque()
        self._changed = threading.Condition()
        self._finishing = 0
        self._starting = self
        self._router = RunRouter(self._begin, _failed, path_map)
        self._intake = Intake(self._take, self._rest, self._router.close, type(self).__name__)

    def __repr__(self) -> str:
        names = ("file_path", "file_name", "spec_filename")
        given = {name: getattr(self, name, None) for name in names}
        told = [f"{name}={str(each)!r}" for name, each in given.items() if each is not None]
        return f"{type(self).__name__}({', '.join(told)})"

    @abstractmethod
    def run_file(self, run: Run) -> RunFile:
        """Make what writes a run; called on a copy of the writer, see :meth:`as_now`.

        Parameters
        ----------
        run : Run
            The run, which has only its start document.

        Returns
        -------
        RunFile
            For this run alone.
        """

    def wants(self, run: Run) -> bool:
        """Tell whether a run is one that this writer is for.

        Parameters
        ----------
        run : Run
            The run, which has only its start document.

        Returns
        -------
        bool
            Runs that it isn't for are left alone.
        """
        return True

    def _begin(self, run: Run) -> RunGuard | None:
        return RunGuard(self, self._starting) if self._starting.wants(run) else None

    def as_now(self) -> Self:
        """Return a copy with the options as they are, for a run whose start document comes.

        Its turn to be written may come when the options have been set for the next one.

        Returns
        -------
        RunWriter
            A shallow copy, whose :meth:`run_file` is called.
        """
        return copy.copy(self)

    # documents in

    def __call__(self, name: Any, doc: Any, validate: bool = False) -> tuple[Any, Any]:  # type: ignore[override]
        """Take a document, as :attr:`receiver` does; ``validate`` has no effect.

        Returns
        -------
        tuple
            Name and document as given.
        """
        self._receive(name, doc)
        return name, doc

    @property
    def receiver(self) -> Callable[[Any, Any], None]:
        """What takes documents, in any thread: ``RE.subscribe(writer.receiver)``.

        Called as ``receiver(name, doc)`` it returns at once, unless thousands of documents wait
        to be written.  Who has it has the writer, too: bluesky would let go of a method.
        """
        return self._receiver

    def _receive(self, name: Any, doc: Any) -> None:
        kind = name.value if isinstance(name, DocumentNames) else name
        if kind in ("event", "event_page"):
            try:
                doc = with_own_data(kind, doc)
            except (AttributeError, KeyError, TypeError, ValueError):
                pass  # the router notes what is wrong with it
        self._intake.put((_START, (self.as_now(), doc)) if kind == "start" else (kind, doc))

    def in_order(self, call: Callable[[], Any]) -> None:
        """Let something be done in the writer's thread, behind the documents that have come.

        Parameters
        ----------
        call : callable
            Without arguments.
        """
        self._intake.put((_MARK, call))

    # the writer's thread

    def _take(self, batch: list[tuple[Any, Any]]) -> None:
        for kind, doc in batch:
            try:
                if kind is _MARK:
                    self._router.flush()
                    doc()
                else:
                    if kind is _START:
                        kind, (self._starting, doc) = "start", doc
                    self._router(kind, doc)
            except Exception:  # it costs this document, and not those behind it
                logger.exception("an error in the writer itself")
        self._router.flush()
        self._tell()

    def _rest(self) -> bool:
        self._router.settle()
        self._tell()
        return bool(self._router.open_runs)

    def _tell(self) -> None:  # those who wait for runs that end
        with self._changed:
            self._changed.notify_all()

    # results

    def finish_in_thread(self, run: Run, file: RunFile) -> None:
        """Let a file be finished, now that its run has ended; not for users.

        Parameters
        ----------
        run : Run
            The run.
        file : RunFile
            Its file.
        """
        result = WriterResult(run.uid, run.scan_id, run.exit_status)
        with self._changed:
            self._finishing += 1
        thread = threading.Thread(
            target=self._finish, args=(run, file, result), name=f"{type(self).__name__}-{run.uid}"
        )
        try:
            thread.start()
        except RuntimeError:  # the program is ending
            self._finish(run, file, result)

    def _finish(self, run: Run, file: RunFile, result: WriterResult) -> None:
        _try(file, result)
        self.add_result(run, file, result)
        with self._changed:
            self._finishing -= 1
        self._tell()

    def add_result(self, run: Run, file: RunFile | None, result: WriterResult) -> None:
        """Note what became of a run; not for users.

        Parameters
        ----------
        run : Run
            The run.
        file : RunFile or None
            Its file.
        result : WriterResult
            What became of it.
        """
        result.remarks = list(run.remarks)
        if file is not None:
            result.skipped = list(dict.fromkeys([*run.problems, *file.skipped]))
            result.remarks += file.remarks
        self._judge(result)
        with self._changed:
            self.results.append(result)
            if len(self.results) > RESULTS:
                self.results.remove(self._dispensable())
        self._tell()

    def _judge(self, result: WriterResult) -> None:  # by what its file lacks
        if result.error is None and self.strict and result.skipped:
            lines = "".join(f"\n  {text}" for text in result.skipped)
            where = ", ".join(map(str, result.paths)) or "no file"
            result.error = DocumentError(
                f"Run {result.uid} was written to {where}, but not all is as it should be:{lines}",
                remedy="With strict=False this isn't an error, and results[-1].skipped has it.",
            )
        if result.error is not None:
            logger.error("%s: run %s: %s", type(self).__name__, result.uid, result.error)

    def _dispensable(self) -> WriterResult:
        """Choose a result to forget: the oldest of which nobody has to know any more."""
        known = (each for each in self.results if each.error is None or each.told)
        return next((each for each in known if each.unfinished is None), self.results[0])

    def wait_writer(self, timeout: float | None = None) -> list[WriterResult]:
        """Wait until all runs are written that have been stopped.

        Parameters
        ----------
        timeout : float or None
            Longest wait, in seconds; None waits as long as it takes.

        Returns
        -------
        list of WriterResult
            Of the runs that have ended since the last call.

        Raises
        ------
        WriterTimeoutError
            Time is up; the files are finished in the background all the same.
        AdsupportError, OSError
            What went wrong with a run, of several the first: each is raised once, and stays in
            :attr:`results`.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        self._wait_for_documents(deadline)
        with self._changed:
            if not self._changed.wait_for(self._is_done, _left(deadline)):
                raise WriterTimeoutError(
                    f"{type(self).__name__}: {self._finishing or 1} of the runs aren't written "
                    f"within {timeout:g} s.",
                    remedy="Their files are finished in the background: call wait_writer() again, "
                    "or give it more time. Images may be waited for that the IOC still writes.",
                )
            new = [each for each in self.results if not each.told]
        for each in new:
            each.told = True
        errors = [each.error for each in new if each.error is not None]
        if errors:
            for other in errors[1:]:
                errors[0].add_note(f"Another run: {other}")
            raise errors[0]
        return new

    def _is_done(self) -> bool:
        return not self._finishing and not any(
            run.stop is not None for run in self._router.open_runs
        )

    def _wait_for_documents(self, deadline: float | None) -> None:
        """Wait until the documents are worked on that have come so far."""
        done = threading.Event()
        self.in_order(done.set)
        if not done.wait(_left(deadline)):
            raise WriterTimeoutError(
                f"{type(self).__name__}: documents are still being written.",
                remedy="Give wait_writer() more time.",
            )

    def wait_writer_plan_stub(self, timeout: float | None = None) -> Iterator[Any]:
        """Wait in a plan until all runs are written; the RunEngine goes on working.

        Parameters
        ----------
        timeout : float or None
            See :meth:`wait_writer`.

        Yields
        ------
        Msg
            To the RunEngine.

        Returns
        -------
        list of WriterResult
            See :meth:`wait_writer`, also for what is raised.
        """
        from ..plans.in_thread import in_thread  # bluesky is needed only here

        return (yield from in_thread(lambda: self.wait_writer(timeout)))

    def retry(self, timeout: float | None = None) -> list[WriterResult]:
        """Try again to finish the files whose work was kept, such as for a directory's sake.

        Parameters
        ----------
        timeout : float or None
            See :meth:`wait_writer`.

        Returns
        -------
        list of WriterResult
            Of those that were tried again.

        Raises
        ------
        WriterTimeoutError, AdsupportError, OSError
            See :meth:`wait_writer`.
        """
        self._wait_for_documents(None if timeout is None else time.monotonic() + timeout)
        with self._changed:
            again = [each for each in self.results if each.unfinished is not None]
        for result in again:
            file, result.unfinished = result.unfinished, None
            if file is None:  # another thread has just taken it
                continue
            _try(file, result)
            result.skipped = list(dict.fromkeys([*result.skipped, *file.skipped]))
            self._judge(result)
        failed = [each.error for each in again if each.error is not None]
        if failed:
            raise failed[0]
        return again

    def close(
        self, timeout: float | None = None, error: Exception | None = None
    ) -> list[WriterResult]:
        """End the runs that had no stop document, and wait until all is written.

        Parameters
        ----------
        timeout : float or None
            See :meth:`wait_writer`.
        error : Exception, optional
            Why the rest of their documents can't be had: they get no file then.

        Returns
        -------
        list of WriterResult
            See :meth:`wait_writer`, also for what is raised.
        """
        self.in_order(self._router.close if error is None else lambda: self._router.drop(error))
        return self.wait_writer(timeout)


def _try(file: RunFile, result: WriterResult) -> None:
    """Finish a file; one whose work is kept can be tried again."""
    try:
        result.paths, result.error = file.finish(), None
    except Exception as error:
        result.error = error
        if getattr(error, "kept", None):
            result.unfinished = file
        else:
            abandoned(file)


def _failed(run: Run, guard: Any, error: Exception) -> None:
    guard.failed(run, error)


def _left(deadline: float | None) -> float | None:
    return None if deadline is None else max(0.0, deadline - time.monotonic())
