"""Every encoding of the documents of runs, taken to one view of each run."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from typing import Any

from event_model import DocumentNames, DocumentRouter

from ..errors import DocumentError
from .early_documents import EarlyDocuments
from .open_run import ConsumerError, OpenRun
from .pages import datums_of_page, events_of_page
from .references import References
from .row_order import Event
from .run import Run, RunConsumer, Stream
from .stream_rows import BATCH, StreamRows

__all__ = ["RunRouter"]

logger = logging.getLogger(__name__)

ENDED = 100  #: Runs that are remembered after their end, to know repeated documents.


class RunRouter(DocumentRouter):
    """Hand the documents of runs to consumers, one for each run.

    Takes all documents of the event model: single and in pages or bulks, those of resources and
    datums and of their streams, in the order of the RunEngine or another one, some of them twice.
    Several runs may be open at once.

    Parameters
    ----------
    begin : callable
        Called with a :class:`~adsupport.documents.run.Run` as it starts; returns its consumer,
        or None when nobody wants it.
    failed : callable, optional
        Called with run, consumer and error when a consumer raises; its run gets no more calls.
        By default the error is raised.
    path_map : mapping of str to str, or callable, optional
        See :func:`~adsupport.documents.assets.asset_of`.

    Attributes
    ----------
    problems : list of str
        What was wrong with documents that belong to no run that is known.

    Notes
    -----
    What is wrong with the documents of a run is noted in its ``problems``, and raises nothing.
    Rows wait until :meth:`flush`, their number or the end of the run sends them on.
    """

    def __init__(
        self,
        begin: Callable[[Run], RunConsumer | None],
        failed: Callable[[Run, RunConsumer, Exception], None] | None = None,
        path_map: Any = None,
    ) -> None:
        super().__init__()
        self.problems: list[str] = []
        self._begin = begin
        self._failed = failed
        self._references = References(path_map)
        self._runs: dict[str, OpenRun] = {}
        self._rows: dict[str, StreamRows] = {}
        self._keys: dict[str, str] = {}  # of stream_resources
        self._wanted: dict[str, list[tuple[StreamRows, Event]]] = {}
        self._early = EarlyDocuments()
        self._ended: deque[set[str]] = deque(maxlen=ENDED)
        self._watched = 0
        self._described: dict[str, OpenRun] = {}  # by descriptor
        self._methods = {kind: getattr(self, kind) for kind in _KINDS}

    def __call__(self, name: Any, doc: Any, validate: bool = False) -> tuple[Any, Any]:  # type: ignore[override]
        """Take a document.

        Parameters
        ----------
        name : str or DocumentNames
            Its kind, such as ``"event"``.
        doc : dict
            The document, which is left as it is.
        validate : bool
            Has no effect: what matters is looked at in any case.

        Returns
        -------
        tuple of str and dict
            As given.
        """
        kind = name.value if isinstance(name, DocumentNames) else name
        method = self._methods.get(_hashable(kind))
        try:
            if method is None:
                raise DocumentError(f"There is no document of kind {name!r}.")
            if self._watched:
                self._show(kind, doc)
            method(doc)
        except DocumentError as error:
            self._note(doc, str(error))
        except ConsumerError:
            raise
        except Exception as error:  # whatever is in a document, those behind it have to be taken
            self._note(doc, f"A document of kind {kind!r} can't be understood: {error!r}.")
        return name, doc

    def _note(self, doc: Any, text: str) -> None:
        run = self._run_of(doc) if isinstance(doc, dict) else None
        if run is not None:
            run.problem(text)
        elif text not in self.problems:
            self.problems.append(text)
            del self.problems[:-ENDED]
            logger.warning("%s", text)

    def _run_of(self, doc: dict[str, Any]) -> Run | None:
        """Find the run that a document says it belongs to."""
        for key in ("run_start", "uid"):
            found = self._runs.get(_hashable(doc.get(key)))
            if found is not None:
                return found.run
        rows = self._rows.get(_hashable(doc.get("descriptor")))
        if rows is not None:
            return rows.run
        resource = _hashable(doc.get("resource", doc.get("stream_resource")))
        runs = list(self._runs.values())
        owners = [each for each in runs if resource in each.resources] or runs
        return owners[0].run if len(owners) == 1 else None

    def _show(self, kind: str, doc: dict[str, Any]) -> None:
        """Give a document as it is to the consumers of its run, which want that."""
        for opened in self._owners(kind, doc):
            if opened.watched:
                opened.consume("document", kind, doc)

    def _owners(self, kind: str, doc: dict[str, Any]) -> list[OpenRun]:
        """Find the run of a document; of images that no run owns (yet), all that are open."""
        if kind == "event":  # most often, hence first
            opened = self._described.get(doc["descriptor"])
        elif kind == "bulk_events":
            uid = next((each["descriptor"] for events in doc.values() for each in events), "")
            opened = self._described.get(uid)
        elif kind == "stream_datum" and doc["stream_resource"] not in self._keys:
            opened = None  # it's taken again when that comes
        elif "descriptor" in doc:
            opened = self._described.get(doc["descriptor"])
        elif kind in _IMAGES and "run_start" not in doc:
            resource = doc.get("resource", "")
            owned = [each for each in self._runs.values() if resource in each.resources]
            return owned or list(self._runs.values())
        else:
            opened = self._runs.get(doc.get("run_start", "")) if kind != "start" else None
        return [] if opened is None else [opened]

    # what runs consist of

    def start(self, doc: Any) -> None:
        """Take a start document."""
        uid = doc["uid"]
        if not isinstance(uid, str):
            raise DocumentError(f"The uid of a start document must be text, got {uid!r}.")
        known = self._runs.get(uid)
        if known is not None:
            if known.run.start != doc:
                raise DocumentError(f"Two start documents have the uid {uid!r}; the first is kept.")
            return
        for ended in self._ended:  # the run is played again
            if uid in ended:
                ended.clear()
        run = Run(dict(doc))
        opened = self._runs[uid] = OpenRun(run, self._failed)
        opened.consumer = self._begin(run)
        opened.consume("begin")
        if getattr(opened.consumer, "wants_documents", False):
            opened.watched = True
            self._watched += 1
            opened.consume("document", "start", doc)
        self._take_early(uid)

    def descriptor(self, doc: Any) -> None:
        """Take an event descriptor."""
        uid = doc["uid"]
        rows = self._rows.get(uid)
        if rows is not None:
            if next(d for d in rows.stream.descriptors if d["uid"] == uid) != doc:
                raise DocumentError(f"Two event descriptors have the uid {uid!r}.")
            return
        if self._waits(doc["run_start"], self._runs, "descriptor", doc):
            return
        opened = self._runs[doc["run_start"]]
        name = str(doc.get("name") or "primary")
        rows = opened.streams.get(name)
        if rows is None:
            stream = Stream(name)
            rows = StreamRows(opened.run, stream, self._references, self._wanted)
            rows.counts_only = not opened.wants_rows
        rows.add_descriptor(dict(doc))
        opened.streams[name] = rows
        self._rows[uid] = rows
        self._described[uid] = opened
        if name in opened.run.streams:  # otherwise with its first rows
            opened.consume("stream", rows.stream)
        self._take_early(uid)

    def event(self, doc: Any) -> None:
        """Take an event."""
        rows = self._rows.get(doc["descriptor"])
        if rows is None:
            self._waits(doc["descriptor"], self._rows, "event", doc)
            return
        (rows.count if rows.counts_only else rows.add_event)(doc)
        if len(rows.order.ready) >= BATCH:
            self._described[doc["descriptor"]].deliver()

    def event_page(self, doc: Any) -> None:
        """Take a page of events."""
        if not self._waits(doc["descriptor"], self._rows, "event_page", doc):
            self._each(self.event, events_of_page(doc))

    def bulk_events(self, doc: Any) -> None:
        """Take events by descriptor."""
        for events in doc.values():
            self._each(self.event, events)

    def _each(self, take: Callable[[Any], None], documents: Any) -> None:
        """Take many; one that is wrong doesn't keep the others from being taken."""
        for each in documents:
            try:
                take(each)
            except DocumentError as error:
                self._note(each, str(error))

    def resource(self, doc: Any) -> None:
        """Take a resource."""
        self._own(doc)
        self._references.add_asset(dict(doc))
        if self._wanted:  # its datums may have come before it
            for datum_id in [each for each in self._wanted if self._references.find(each)]:
                self._resolve(datum_id)

    def _own(self, doc: dict[str, Any]) -> str:
        """Note whose a resource is, and return its uid."""
        uid = doc["uid"]
        owner = self._runs.get(doc.get("run_start", ""))
        if owner is not None:
            owner.resources.add(uid)
        return uid

    def datum(self, doc: Any) -> None:
        """Take a datum."""
        self._add_datum(doc["datum_id"], doc["resource"], doc["datum_kwargs"])

    def datum_page(self, doc: Any) -> None:
        """Take a page of datums."""
        for datum_id, kwargs in datums_of_page(doc):
            self._add_datum(datum_id, doc["resource"], kwargs)

    def bulk_datum(self, doc: Any) -> None:
        """Take datums of one resource."""
        for datum_id, kwargs in zip(doc["datum_ids"], doc["datum_kwarg_list"], strict=True):
            self._add_datum(datum_id, doc["resource"], kwargs)

    def _add_datum(self, datum_id: str, resource: str, kwargs: dict[str, Any]) -> None:
        self._references.add_datum(datum_id, resource, kwargs)
        if datum_id in self._wanted and self._references.find(datum_id):
            self._resolve(datum_id)

    def _resolve(self, datum_id: str) -> None:
        for rows, event in self._wanted.pop(datum_id):
            try:
                rows.resolve(event)
            except DocumentError as error:
                rows.run.problem(str(error))

    def stream_resource(self, doc: Any) -> None:
        """Take a stream_resource."""
        uid = self._own(doc)
        self._keys[uid] = str(doc["data_key"])
        self._references.add_asset(dict(doc))
        self._take_early(uid)

    def stream_datum(self, doc: Any) -> None:
        """Take a stream_datum."""
        resource = doc["stream_resource"]
        if self._waits(resource, self._keys, "stream_datum", doc):
            return
        if self._waits(doc["descriptor"], self._rows, "stream_datum", doc):
            return
        rows = self._rows[doc["descriptor"]]
        rows.add_stream_datum(doc, self._keys[resource], self._references.assets[resource])
        self._described[doc["descriptor"]].deliver()

    def stop(self, doc: Any) -> None:
        """Take a stop document: the run ends, unless documents are missing that it counts."""
        if not isinstance(doc["exit_status"], str):
            raise DocumentError(f"A stop document has the exit_status {doc['exit_status']!r}.")
        if self._waits(doc["run_start"], self._runs, "stop", doc):
            return
        opened = self._runs[doc["run_start"]]
        if opened.run.stop is not None and opened.run.stop != doc:
            raise DocumentError(f"Run {opened.run.uid!r} has two stop documents, which differ.")
        opened.run.stop = dict(doc)
        opened.deliver()
        if opened.is_complete():
            self._end(opened)

    # what comes before its time

    def _waits(self, uid: str, known: dict[str, Any], kind: str, doc: dict[str, Any]) -> bool:
        """Keep a document until the one comes that it refers to, if that is missing."""
        if uid in known:
            return False
        if any(uid in ended for ended in self._ended):
            return True  # a repetition: its run has ended
        self._early.keep(uid, kind, doc)
        return True

    def _take_early(self, uid: str) -> None:
        for kind, doc in self._early.take(uid):
            self(kind, doc)

    # what goes out

    @property
    def open_runs(self) -> list[Run]:
        """The runs that haven't ended; any thread may ask."""
        return [each.run for each in list(self._runs.values())]

    def flush(self) -> None:
        """Send on the rows that are complete and in order; end runs that have all."""
        for opened in list(self._runs.values()):
            opened.deliver()
            if opened.run.stop is not None and opened.is_complete():
                self._end(opened)

    def settle(self) -> None:
        """End the runs that were stopped: nothing more of them comes."""
        for opened in list(self._runs.values()):
            if opened.run.stop is not None:
                self._end(opened)

    def close(self) -> None:
        """End all runs: nothing more comes."""
        for opened in list(self._runs.values()):
            if opened.run.stop is None:
                opened.run.remark("There is no stop document: the end of the run isn't known.")
            self._end(opened)
        for text in self._early.clear():
            self._note(None, text)
        self._references.clear()

    def drop(self, error: Exception) -> None:
        """End all runs as failed: what is to come of them can't be had.

        Parameters
        ----------
        error : Exception
            Why; their consumers have failed with it.
        """
        for opened in list(self._runs.values()):
            opened.fail(error)
            self._end(opened)
        self.close()

    def _end(self, opened: OpenRun) -> None:
        run = opened.run
        mine = list(opened.streams.values())
        for datum_id, waiting in list(self._wanted.items()):
            for rows, event in [each for each in waiting if each[0] in mine]:
                rows.abandon_images(event)
            self._wanted[datum_id] = [each for each in waiting if each[0] not in mine]
            if not self._wanted[datum_id]:
                del self._wanted[datum_id]
        opened.deliver_rest()
        try:
            opened.consume("end")
        finally:  # not before: who asks for open runs would take it for written
            del self._runs[run.uid]
            self._watched -= opened.watched
            gone = {run.uid, *(each["uid"] for rows in mine for each in rows.stream.descriptors)}
            for uid in gone:
                self._rows.pop(uid, None)
                self._described.pop(uid, None)
            self._ended.append(gone)
            if not self._runs:
                self._references.clear()
                self._keys.clear()


_IMAGES = frozenset("resource datum datum_page bulk_datum stream_resource".split())

_KINDS = frozenset(
    "start descriptor event event_page bulk_events resource datum datum_page bulk_datum "
    "stream_resource stream_datum stop".split()
)


def _hashable(found: Any) -> Any:
    return found if isinstance(found, str) else ""
