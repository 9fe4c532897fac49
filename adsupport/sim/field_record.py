"""A record whose every field is a channel: what motor and swait records stand on.

It knows how a client's write goes through a record: disabled records refuse it, a put-callback
waits for the one before it and ends when the record has finished, and each field shows the
record's one alarm and time stamp. What a field means is the subclass's business. Everything runs
in the event loop.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import time
from collections.abc import Mapping
from typing import Any

from caproto import ChannelType, SubscriptionType

from adsupport.sim.ca.channel import Channel, Metadata, PutRefusedError
from adsupport.sim.ca.wire import NATIVE_TYPES
from adsupport.sim.field_table import FieldRow, substitute
from adsupport.sim.follow import find, read_number
from adsupport.sim.scan import PASSIVE

VALUE_EVENT = SubscriptionType.DBE_VALUE | SubscriptionType.DBE_LOG
ALARM_EVENT = SubscriptionType.DBE_ALARM
"""What clients subscribe to."""

DISABLE_ALARM = 18
"""Channel Access alarm status of a record that its SDIS link disables."""


class FieldChannel(Channel):
    """One field over Channel Access; value, alarm and time stamp are the record's.

    Parameters
    ----------
    record : FieldRecord
        The record.
    row : FieldRow
        The field's row.
    """

    def __init__(self, record: FieldRecord, row: FieldRow) -> None:
        super().__init__(
            NATIVE_TYPES[row.dbr],
            record[row.field],
            meta=Metadata(enums=row.enum),
            writable=row.writable,
            record_type=record.record_type,
        )
        self.fields = record.channel
        self.record = record
        self._row = row
        self._version = -1
        self.refresh_metadata()

    def refresh(self) -> None:
        """Take value, alarm and time stamp from the record."""
        record = self.record
        self.value = record[self._row.field]
        self.severity, self.status = record.severity, record.status
        self.timestamp = record.timestamp
        self._version = record.version
        self._payloads.clear()

    def refresh_metadata(self) -> None:
        """Take units, precision and limits from the record."""
        row, record = self._row, self.record
        self.meta.units = substitute(row.egu, {"EGU": record.get("EGU", "")})
        if row.prec:
            self.meta.precision = int(substitute(row.prec, {"PREC": str(record.get("PREC", 0))}))
        low, high = record.limits(row.field)
        self.meta.limits = {
            "upper_disp_limit": high,
            "lower_disp_limit": low,
            "upper_ctrl_limit": high,
            "lower_ctrl_limit": low,
        }
        self._payloads.clear()

    def read(self, wanted: ChannelType) -> tuple[Any, Any]:
        """Return ``(metadata, data)`` of the present value as a DBR type."""
        if self._version != self.record.version:
            self.refresh()
        return super().read(wanted)

    def take(self, value: Any, notify: bool) -> asyncio.Future[Any] | None:
        """Carry out a client's write through the record."""
        return self.record.put(self._row.field, value, notify)

    def tell(self, event: SubscriptionType) -> None:
        """Send the present value to those who asked for this kind of event."""
        self.refresh()
        for subscriber in tuple(self.subscribers):
            if subscriber.mask & event:
                subscriber.update(self)


class FieldRecord:
    """A record with all its fields.

    Subclasses override :meth:`before_put`, :meth:`after_put` and :meth:`process`.

    Parameters
    ----------
    name : str
        Record name with its prefix.
    rows : mapping of str to FieldRow
        The record type's table.
    macros : mapping of str to str
        Values of the table's macros.

    Attributes
    ----------
    database : mapping of str to Channel
        The IOC's channels, where the links SDIS and FLNK are looked up.
    severity, status : int
        The record's alarm.
    timestamp : float
        When it was processed last, seconds since 1970.
    version : int
        Grows with each change that fields have to show.
    """

    record_type = ""
    processing_fields: frozenset[str] = frozenset()
    """Fields that process the record when they are written."""

    def __init__(self, name: str, rows: Mapping[str, FieldRow], macros: Mapping[str, str]) -> None:
        self.name = name
        self.rows = rows
        self.database: Mapping[str, Channel] = {}
        self.version = 0
        self.timestamp = time.time()
        self._values = {field: row.initial(macros) for field, row in rows.items()}
        self._channels: dict[str, FieldChannel] = {}
        self._puts: collections.deque[tuple[str, Any, asyncio.Future[Any]]] = collections.deque()
        self._pending: asyncio.Future[Any] | None = None
        self._forwarding = False
        self.severity: int = self._values["SEVR"]
        self.status: int = self._values["STAT"]

    # ---- fields

    def __getitem__(self, field: str) -> Any:
        return self._values[field]

    def __setitem__(self, field: str, value: Any) -> None:
        self._values[field] = value
        self.version += 1

    def get(self, field: str, default: Any) -> Any:
        """Return a field's value, or ``default`` when the record type has no such field."""
        return self._values.get(field, default)

    def channel(self, field: str) -> FieldChannel:
        """Return the channel of a field.

        Raises
        ------
        KeyError
            When the record type has no such field.
        """
        if field not in self._channels:
            self._channels[field] = FieldChannel(self, self.rows[field])
        return self._channels[field]

    def limits(self, field: str) -> tuple[float, float]:
        """Return the lower and upper limit that a field shows."""
        row = self.rows[field]
        return row.low, row.high

    def post(self, *fields: str, event: SubscriptionType = VALUE_EVENT) -> None:
        """Tell clients the present values of fields, changed or not.

        Parameters
        ----------
        *fields : str
            Field names.
        event : SubscriptionType
            What has happened: only clients that asked for one of these are told.
        """
        for field in fields:
            if field in self._channels:
                self._channels[field].tell(event)

    def change(self, field: str, value: Any) -> bool:
        """Set a field and tell clients if that changed it; return whether it did."""
        if self._values[field] == value:
            return False
        self[field] = value
        self.post(field)
        return True

    def post_metadata(self, *fields: str) -> None:
        """Let fields show changed units, precision or limits; all fields when none is named."""
        for field in fields or tuple(self._channels):
            if field in self._channels:
                channel = self._channels[field]
                channel.refresh_metadata()
                channel.post_properties()

    def show_alarm(self, severity: int, status: int) -> bool:
        """Take the alarm that processing has found, and stamp the time; return if it changed."""
        self.timestamp = time.time()
        self.version += 1
        if (severity, status) == (self.severity, self.status):
            return False
        self.severity, self.status = severity, status
        for field, value in (("STAT", status), ("SEVR", severity)):
            self.change(field, value)
        return True

    # ---- writes

    def put(self, field: str, value: Any, notify: bool = False) -> asyncio.Future[Any] | None:
        """Carry out a write.

        Parameters
        ----------
        field : str
            Field name.
        value : int, float or str
            Of the field's type.
        notify : bool
            Whether somebody waits for the end. Such a write waits until the record has finished
            the one before it.

        Returns
        -------
        asyncio.Future or None
            None when all is done. Whoever cancels it gives the write up: if the record has not
            begun it, it never does.

        Raises
        ------
        PutRefusedError
            When DISP is set, or the record cannot take this write.
        """
        self._check_enabled(field)
        if not notify:
            self._put(field, value)
            return None
        end: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        end.add_done_callback(self._given_up)
        self._puts.append((field, value, end))
        self._next_put()
        if not end.done():
            return end
        end.result()  # raises what the write was refused for
        return None

    def _check_enabled(self, field: str) -> None:
        if self["DISP"] and field != "DISP":
            raise PutRefusedError(f"{self.name} is disabled (DISP=1)")

    def _next_put(self) -> None:
        while self._pending is None and self._puts:
            field, value, end = self._puts.popleft()
            if end.cancelled():
                continue
            self._pending = end
            try:
                processed = self._put(field, value)
            except PutRefusedError as error:
                self._pending = None
                end.set_exception(error)
                continue
            if not processed:
                self._end_put()
            # a record that has finished already has ended the put by itself

    def _given_up(self, end: asyncio.Future[Any]) -> None:
        """Let the next put-callback in when the client of the present one has gone."""
        if end.cancelled() and end is self._pending:
            self._pending = None
            self._next_put()

    def _put(self, field: str, value: Any) -> bool:
        """Write a field; return whether that processed the record."""
        self._check_enabled(field)
        self.before_put(field, value)
        self[field] = value
        self.after_put(field)
        if field == "EGU" or field == "PREC":
            self.post_metadata()
        passive = field in self.processing_fields and self["SCAN"] == PASSIVE
        processing = passive or field == "PROC"
        if not (field == "VAL" and processing):
            self.post(field)
        return processing and self._process_unless_disabled()

    def scan(self) -> None:
        """Process the record, if nothing disables it and it is not busy already."""
        self._process_unless_disabled()

    def _process_unless_disabled(self) -> bool:
        if self["PACT"]:
            return False
        disable = find(self.database, self["SDIS"])
        if disable is not None:
            # a link that cannot be read, or is no number of that size, keeps DISA
            with contextlib.suppress(ValueError, OverflowError):
                self["DISA"] = int(read_number(disable))
        if self["DISA"] == self["DISV"]:
            if self.show_alarm(self["DISS"], DISABLE_ALARM):
                self.post("VAL", event=ALARM_EVENT)
            return False
        self.process()
        return True

    def _end_put(self) -> None:
        pending, self._pending = self._pending, None
        if pending is not None and not pending.done():
            pending.set_result(None)

    def finished(self) -> None:
        """Say that processing has finished: forward link, end of the put-callback, next one."""
        self._forward()
        self._end_put()
        if self._puts:
            asyncio.get_running_loop().call_soon(self._next_put)

    def _forward(self) -> None:
        words = self["FLNK"].split()
        if not words or self._forwarding:  # a circle of forward links ends where it began
            return
        target = find(self.database, words[0].partition(".")[0] + ".PROC")
        if target is not None:
            self._forwarding = True
            try:
                target.take(1, False)
            finally:
                self._forwarding = False

    # ---- what a record type defines

    def before_put(self, field: str, value: Any) -> None:
        """Act on a write before the field takes the value."""

    def after_put(self, field: str) -> None:
        """Act on a write after the field took the value, before the record processes."""

    def process(self) -> None:
        """Process the record; call :meth:`finished` when that has ended."""
        self.finished()
