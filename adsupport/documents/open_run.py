"""A run whose documents are coming: what has been put in order goes to its consumer."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from .run import Rows, Run, RunConsumer, Stream
from .stream_rows import StreamRows

__all__ = ["ConsumerError", "OpenRun"]

Failed = Callable[[Run, RunConsumer, Exception], None]


class ConsumerError(RuntimeError):
    """A consumer raised, and nobody asked to be told: the error is the cause."""


class OpenRun:
    """A run, its consumer, and its streams.

    Parameters
    ----------
    run : Run
        The run.
    failed : callable or None
        Called with run, consumer and error when the consumer raises; by default that is raised.

    Attributes
    ----------
    consumer : RunConsumer or None
        None when nobody wants the run, or any more of it.
    streams : dict of str to StreamRows
        By name.
    resources : set of str
        uids of the resources that are the run's own.
    watched : bool
        Whether the consumer wants the documents themselves, too.
    """

    def __init__(self, run: Run, failed: Failed | None) -> None:
        self.run = run
        self.consumer: RunConsumer | None = None
        self.streams: dict[str, StreamRows] = {}
        self.resources: set[str] = set()
        self.watched = False
        self._failed = failed
        number, begun = run.start.get("scan_id"), run.start.get("time", 0)
        if number is not None and run.scan_id is None:
            run.problem(f"The start document's scan_id isn't a whole number: {number!r}.")
        if not run.time and begun != 0:
            run.problem(f"The start document's time isn't a number of seconds: {begun!r}.")

    @property
    def wants_rows(self) -> bool:
        """Whether the consumer takes rows; one that takes documents may not."""
        return bool(getattr(self.consumer, "wants_rows", True))

    def consume(self, method: str, *arguments: Any) -> None:
        """Call the consumer; after an error it's called no more.

        Parameters
        ----------
        method : str
            Of :class:`~adsupport.documents.run.RunConsumer`.
        *arguments
            Behind the run.

        Raises
        ------
        ConsumerError
            It raised, and there is nobody to tell it.
        """
        consumer = self.consumer
        if consumer is None:
            return
        try:
            getattr(consumer, method)(self.run, *arguments)
        except Exception as error:
            self.fail(error)

    def fail(self, error: Exception) -> None:
        """Let the consumer go.

        Parameters
        ----------
        error : Exception
            Why.

        Raises
        ------
        ConsumerError
            There is nobody to tell it.
        """
        consumer, self.consumer = self.consumer, None
        if consumer is None:
            return
        if self._failed is None:
            raise ConsumerError(f"{type(consumer).__name__} has failed: {error}") from error
        self._failed(self.run, consumer, error)

    def deliver(self, final: bool = False) -> None:
        """Send on the rows that are ready, the stream first whose rows are older.

        Parameters
        ----------
        final : bool
            Whether nothing more comes: what is incomplete goes as it is.
        """
        streams = self.streams.values()
        batches = [(rows, events) for rows in streams if (events := rows.take(final))]
        if len(batches) > 1:
            batches.sort(key=lambda batch: _time(batch[1][0]))
        for rows, events in batches:
            self._announce(rows.stream)
            while events:
                self.consume("rows", Rows(rows.stream, events))
                events = rows.take(final)

    def _announce(self, stream: Stream) -> None:
        """Tell of a stream with its first rows: catalogs don't keep the order of descriptors."""
        if stream.name not in self.run.streams:
            self.run.streams[stream.name] = stream
            self.consume("stream", stream)

    def deliver_rest(self) -> None:
        """Send on all there is, tell of streams without rows, and count."""
        self.deliver(final=True)
        for rows in sorted(
            self.streams.values(), key=lambda rows: _time(rows.stream.descriptors[0])
        ):
            self._announce(rows.stream)
        for name, count in self._counts().items():
            rows = self.streams.get(name)
            if rows is None or rows.counts_only:
                found = 0 if rows is None else rows.stream.rows
                came = f"{found} came"
            else:
                found = rows.order.next - 1
                came = f"the last that came has seq_num {found}"
            if found < count:
                text = f"Stream {name!r}: the stop document counts {count} events, and {came}."
                self.run.problem(text)

    def is_complete(self) -> bool:
        """Tell whether all has come and gone on that the stop document counts.

        Returns
        -------
        bool
            True also when it counts nothing, and no row waits for another.
        """
        counts = self._counts()
        if any(name not in self.streams and count for name, count in counts.items()):
            return False
        return all(each.is_complete(counts.get(name, 0)) for name, each in self.streams.items())

    def _counts(self) -> dict[str, int]:
        counts = (self.run.stop or {}).get("num_events")
        if not isinstance(counts, dict):
            return {}
        return {str(name): count for name, count in counts.items() if isinstance(count, int)}


def _time(document: dict[str, Any]) -> float:
    """Return a document's time, for sorting."""
    found = document.get("time")
    return found if isinstance(found, (int, float)) and found == found else math.inf
