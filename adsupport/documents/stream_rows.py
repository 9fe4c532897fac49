"""One stream's rows, put together from its events and from the images that belong to them."""

from __future__ import annotations

import math
from typing import Any

from ..errors import DocumentError
from .assets import Asset
from .descriptor import add_descriptor
from .references import References
from .row_order import Event, RowOrder
from .row_times import check_times
from .run import Run, Stream
from .streamed_images import Segment, StreamedImages

__all__ = ["BATCH", "StreamRows"]

#: Rows that are handed on together.
BATCH = 1000

#: Beyond every number of a row: what is higher is a mistake, and no 64-bit integer perhaps.
_NUMBERS = 2**53

#: Rows of one stream_datum; more are a mistake that would be worked on for hours.
_MOST_STREAMED = 10**8


class StreamRows:
    """Build the rows of a stream.

    Parameters
    ----------
    run : Run
        Whose stream it is.
    stream : Stream
        The stream.
    references : References
        Where the datums are.
    wanted : dict
        Where rows are left whose datum hasn't come: by its id, with this object.

    Attributes
    ----------
    counts_only : bool
        Whether nobody wants the rows themselves: they are counted then.
    """

    def __init__(
        self,
        run: Run,
        stream: Stream,
        references: References,
        wanted: dict[str, list[tuple[StreamRows, Event]]],
    ) -> None:
        self.run = run
        self.stream = stream
        self.order = RowOrder(stream.name, run.problem, run.remark)
        self._references = references
        self._wanted = wanted
        self._keys: dict[str, Any] = {}
        self._external: dict[str, tuple[str, ...]] = {}
        self._streamed: dict[str, StreamedImages] = {}
        #: Events whose streamed images are looked for, by number.
        self._events: dict[int, list[Event]] = {}
        self._next = 1
        self._has_events = False
        self.unresolved = 0
        self.counts_only = False
        self._counted: set[int] = set()

    def add_descriptor(self, document: dict[str, Any]) -> None:
        """Take an event descriptor.

        Parameters
        ----------
        document : dict
            The event descriptor.
        """
        uid = document["uid"]
        for text in add_descriptor(self.stream, document):
            self.run.problem(text)
        columns = [self.stream.columns[str(key)] for key in document["data_keys"]]
        streamed = {
            each.name: each
            for each in columns
            if each.external and str(each.data_key["external"]).startswith("STREAM:")
        }
        if streamed:
            self.counts_only = False  # what has images only is counted by what comes of them
        if streamed and not self._streamed:
            self._next = self.order.next
        for name, column in streamed.items():
            self._streamed.setdefault(name, StreamedImages(column))
        inside = {each.name: None for each in columns if each.name not in streamed}
        self._keys[uid] = inside.keys()
        self._external[uid] = tuple(
            each.name for each in columns if each.external and each.name not in streamed
        )
        self._has_events = self._has_events or bool(inside)
        values = sum(
            math.prod(each or 1 for each in column.shape)
            for column in columns
            if not column.external
        )
        self.order.size_rows(values)

    def add_event(self, document: dict[str, Any]) -> None:
        """Take an event.

        Parameters
        ----------
        document : dict
            The event, which is left as it is.

        Raises
        ------
        DocumentError
            It isn't what its descriptor says, or contradicts an earlier one.
        """
        # of all code here this runs most often, hence the few calls
        uid = document["descriptor"]
        data = document["data"]
        if data.keys() != self._keys[uid]:
            data = self._fitted(document)
        number = document["seq_num"]
        if type(number) is not int or not 0 <= number < _NUMBERS:
            number = _number(document)
        stamps = document["timestamps"]
        if type(stamps) is not dict:
            stamps = dict(stamps)
        event: Event = {
            "descriptor": uid,
            "uid": document["uid"],
            "seq_num": number,
            "time": document["time"],
            "data": data,
            "timestamps": stamps,
        }
        if self._external[uid]:
            filled = document.get("filled")
            self._find_images(event, filled if isinstance(filled, dict) else {})
        elif self._streamed:
            self._add(event)
        else:
            self.order.add(event)

    def count(self, document: dict[str, Any]) -> None:
        """Take note of an event, and not of its values.

        Parameters
        ----------
        document : dict
            The event.

        Raises
        ------
        DocumentError
            Its number isn't one.
        """
        number = document["seq_num"]
        if type(number) is not int or not 0 <= number < _NUMBERS:
            number = _number(document)
        if number == self.order.next:
            self.order.next = number + 1
            self.stream.rows += 1
            while self._counted and self.order.next in self._counted:
                self._counted.remove(self.order.next)
                self.order.next += 1
        elif number > self.order.next and number not in self._counted:
            self._counted.add(number)
            self.stream.rows += 1

    def _find_images(self, event: Event, filled: dict[str, Any]) -> None:
        """Put the frames in place of the ids of datums, or leave the row until they come."""
        data = event["data"] = dict(event["data"])
        missing = []
        for key in self._external[event["descriptor"]]:
            value = data.get(key)
            if isinstance(value, str) and filled.get(key, False) is False:
                frames = self._references.find(value)
                if frames is None:
                    missing.append(value)
                else:
                    data[key] = frames
        if missing:
            self.unresolved += 1
            # the others are looked for when this one has come
            self._wanted.setdefault(missing[0], []).append((self, event))
        else:
            self._add(event)

    def resolve(self, event: Event) -> None:
        """Look again for the images of a row that was left.

        Parameters
        ----------
        event : dict
            The row.
        """
        self.unresolved -= 1
        self._find_images(event, {})

    def abandon_images(self, event: Event) -> None:
        """Let a row go on without the images that never were announced.

        Parameters
        ----------
        event : dict
            The row.
        """
        self.unresolved -= 1
        data = event["data"]
        for key in self._external[event["descriptor"]]:
            if isinstance(data.get(key), str):
                found = self._references.find(data[key])
                if found is None:
                    self.run.problem(
                        f"Stream {self.stream.name!r}: no datum document {data[key]!r} came, which "
                        f"{key!r} of seq_num {event['seq_num']} refers to."
                    )
                data[key] = found
        self._add(event)

    def _add(self, event: Event) -> None:
        number = event["seq_num"]
        if not self._streamed:
            self.order.add(event)
        elif number >= self._next:
            self._events.setdefault(number, []).append(event)
        elif not self.order.has(number, event["uid"]):
            self.run.problem(
                f"Stream {self.stream.name!r}: another event with seq_num {number} came after the "
                "images of this number were used; it is left out."
            )

    def add_stream_datum(self, document: dict[str, Any], key: str, asset: Asset) -> None:
        """Take a stream_datum.

        Parameters
        ----------
        document : dict
            The stream_datum.
        key : str
            The data key, which its stream_resource names.
        asset : Asset
            The files, of the same document.

        Raises
        ------
        DocumentError
            The stream has no such key, or two documents speak of the same rows.
        """
        if key not in self._streamed:
            raise DocumentError(
                f"stream_datum {document['uid']!r} brings images of {key!r}, which isn't external "
                f"in stream {self.stream.name!r}."
            )
        numbers, indices = document["seq_nums"], document["indices"]
        first, stop = int(numbers["start"]), int(numbers["stop"])
        count = int(indices["stop"]) - int(indices["start"])
        if count != stop - first:
            raise DocumentError(
                f"stream_datum {document['uid']!r} has {count} indices for {stop - first} rows."
            )
        if count < 1:
            return
        if first < 0 or count > _MOST_STREAMED:
            raise DocumentError(
                f"stream_datum {document['uid']!r} tells of seq_num {first} to {stop - 1}, which "
                f"isn't believable: expected at most {_MOST_STREAMED} rows."
            )
        segment = Segment(first, stop, int(indices["start"]), asset)
        if not self._streamed[key].add(segment):
            raise DocumentError(
                f"stream_datum {document['uid']!r} brings images of {key!r} for seq_num {first} to "
                f"{stop - 1}, and another one has done so for some of them."
            )

    def _weave(self, final: bool) -> None:
        """Join events and streamed images into rows, some at a time."""
        last, waiting = 0, []
        if final:
            waiting = sorted(self._events, reverse=True)
            last = max(*waiting[:1], *(s.last for s in self._streamed.values()), 0)
        while len(self.order.ready) < BATCH:
            number = self._next
            if final and number > last:
                return
            frames = {key: each.find(number) for key, each in self._streamed.items()}
            events = self._events.get(number)
            lacks = [key for key, found in frames.items() if found is None]
            if not final and (lacks or (events is None and self._has_events)):
                return
            self._next += 1
            if events is None and len(lacks) == len(frames):
                # nothing has this number: the order of rows tells of it
                firsts = [each.first for each in self._streamed.values() if each.first is not None]
                while waiting and waiting[-1] <= number:
                    waiting.pop()
                self._next = min([*waiting[-1:], *firsts], default=number + 1)
                continue
            for key in lacks:
                self.run.problem(
                    f"Stream {self.stream.name!r}: no stream_datum has come for {key!r} of "
                    f"seq_num {number}."
                )
            if events is None:
                if self._has_events:
                    self.run.problem(
                        f"Stream {self.stream.name!r}: seq_num {number} has images and no event."
                    )
                events = [self._eventless(number)]
            for event in events:
                event["data"] = {**event["data"], **frames}
                event["timestamps"] = {**dict.fromkeys(frames, math.nan), **event["timestamps"]}
                self.order.add(event)
            self._events.pop(number, None)

    def _eventless(self, number: int) -> Event:
        uid = self.stream.uid
        event: Event = {"descriptor": uid, "uid": f"{uid}/{number}", "seq_num": number}
        return event | {"time": math.nan, "data": {}, "timestamps": {}}

    def take(self, final: bool = False) -> list[Event]:
        """Take rows that are complete and in order.

        Parameters
        ----------
        final : bool
            Whether nothing more comes: what is incomplete goes as it is.

        Returns
        -------
        list of dict
            A batch; empty when there is none for now.
        """
        if self._streamed:
            self._weave(final)
        if final and not self.order.ready:
            self.order.give_up()
        rows = self.order.take()
        check_times(rows, self.stream.name, self.run.problem)
        self.stream.rows += len(rows)
        return rows

    def is_complete(self, rows: int) -> bool:
        """Tell whether all rows have come and gone on.

        Parameters
        ----------
        rows : int
            How many the stop document counts.
        """
        waiting = self.unresolved or self.order.has_ahead or self._counted
        return self.order.next > rows and not waiting

    def _fitted(self, document: dict[str, Any]) -> dict[str, Any]:
        """Make the event's keys those of its descriptor."""
        data = document["data"]
        keys = self._keys[document["descriptor"]]
        for key in keys - data.keys():
            self.run.problem(
                f"Stream {self.stream.name!r}: seq_num {document['seq_num']} has no {key!r}."
            )
        for key in data.keys() - keys:
            self.run.problem(
                f"Stream {self.stream.name!r}: the descriptor doesn't know {key!r} of "
                f"seq_num {document['seq_num']}; it is left out."
            )
        return {key: data[key] for key in keys if key in data}


def _number(document: dict[str, Any]) -> int:
    found = document["seq_num"]
    try:
        number = int(found)
        if number != found or not 0 <= number < _NUMBERS or isinstance(found, bool):
            raise ValueError
    except (TypeError, ValueError, OverflowError):
        raise DocumentError(
            f"Event {document['uid']!r}: seq_num must be a number from 1, got {found!r}."
        ) from None
    return number
