"""A channel: one value served over Channel Access, with its metadata, alarm and subscribers."""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from caproto import AccessRights, ChannelType, SubscriptionType, TimeStamp
from caproto._dbr import DBR_TYPES as _DBR_TYPES
from caproto._dbr import native_type

from adsupport.sim.ca.wire import from_wire, to_wire
from adsupport.sim.hook import Hook

LIMITS = (
    "upper_disp_limit",
    "lower_disp_limit",
    "upper_alarm_limit",
    "upper_warning_limit",
    "lower_warning_limit",
    "lower_alarm_limit",
    "upper_ctrl_limit",
    "lower_ctrl_limit",
)
"""Names of the limits that graphic and control types carry."""

DBR_TYPES: dict[ChannelType, Any] = _DBR_TYPES  # type: ignore[assignment]
"""Structures of the metadata of each DBR type."""

WRITE_ALARM = 2
"""Channel Access alarm status of a record whose write was refused."""

# plain integers: flags of an enumeration take longer to combine than the rest of a post
_VALUE = int(SubscriptionType.DBE_VALUE | SubscriptionType.DBE_LOG)
_ALARM = int(SubscriptionType.DBE_ALARM)


@functools.cache
def _field_names(wanted: ChannelType) -> frozenset[str]:
    return frozenset(name for name, *_ in DBR_TYPES[wanted]._fields_)


PutHandler = Callable[[Any], "asyncio.Future[Any] | None"]


class PutRefusedError(Exception):
    """A record does not take a client's write, for instance because it is disabled."""


class Subscriber(Protocol):
    """What a channel tells about each new value."""

    @property
    def mask(self) -> int:
        """Which events (DBE_VALUE ...) the client wants."""
        ...

    def update(self, channel: Channel) -> None:
        """Send the channel's present value and alarm to the client."""


@dataclass
class Metadata:
    """What graphic and control types say of a channel.

    Attributes
    ----------
    units : str
        Engineering units.
    precision : int
        Decimals to show.
    enums : tuple of str
        State strings.
    limits : dict
        Display, alarm and control limits by caproto's names.
    """

    units: str = ""
    precision: int = 0
    enums: tuple[str, ...] = ()
    limits: dict[str, float] = field(default_factory=dict)


class Channel:
    """One value over Channel Access.

    Parameters
    ----------
    native : ChannelType
        Native type.
    value
        Initial value: int, float, str, bytes (CHAR arrays) or numpy array.
    count : int
        Element count; 1 for a scalar.
    meta : Metadata, optional
        Units, precision, state strings and limits.
    severity, status : int
        Initial alarm.
    put : callable, optional
        Takes a client's value, and returns None when done or a future that ends when the work
        that the put started has ended. Default: the channel just takes the value.
    writable : bool
        Whether clients may write.
    record_type : str
        What the ``RTYP`` field says.

    Attributes
    ----------
    before_event : Hook
        Called with a monitor before an event is sent to it; if any function returns true, the
        event is lost.
    completion_delays : list of float
        Seconds by which the answers to put-callbacks come late; their sum counts.
    """

    def __init__(
        self,
        native: ChannelType,
        value: Any,
        *,
        count: int = 1,
        meta: Metadata | None = None,
        severity: int = 0,
        status: int = 0,
        put: PutHandler | None = None,
        writable: bool = True,
        record_type: str = "",
    ) -> None:
        self.data_type = native
        self.value = value
        self.max_length = count
        self.meta = meta or Metadata()
        self.severity = severity
        self.status = status
        self.timestamp = time.time()
        self.put_handler = put
        self.writable = writable
        self.record_type = record_type
        self.subscribers: list[Subscriber] = []
        self.fields: Callable[[str], Channel] | None = None
        self.before_event = Hook()
        self.completion_delays: list[float] = []
        # in-flight monitors hold payloads: cache one per requested type until the next post
        self._payloads: dict[ChannelType, tuple[Any, Any]] = {}

    # ---- what clients do

    def check_access(self, hostname: str | None, username: str | None) -> AccessRights:
        """Return the rights a client has."""
        if self.writable:
            return AccessRights.READ | AccessRights.WRITE
        return AccessRights.READ

    def get_field(self, name: str) -> Channel:
        """Return the channel of a field of this channel's record.

        Raises
        ------
        KeyError
            When the record has no such field.
        """
        if name == "VAL":
            return self
        if self.fields is None:
            raise KeyError(name)
        return self.fields(name)

    @property
    def length(self) -> int:
        """Number of elements of the present value."""
        return len(self.value) if isinstance(self.value, (bytes, np.ndarray)) else 1

    def read(self, wanted: ChannelType) -> tuple[Any, Any]:
        """Return ``(metadata, data)`` of the present value as a DBR type."""
        try:
            return self._payloads[wanted]
        except KeyError:
            pass
        if wanted is ChannelType.CLASS_NAME:
            name = DBR_TYPES[wanted]()
            name.value = self.record_type.encode()
            return name, b""
        if wanted is ChannelType.STSACK_STRING:
            return DBR_TYPES[wanted](status=self.status, severity=self.severity), b""
        plain = native_type(wanted)
        data = to_wire(self.value, self.data_type, plain, self.meta.enums, self.meta.precision)
        meta = b"" if wanted is plain else self._metadata(wanted)
        self._payloads[wanted] = (meta, data)
        return meta, data

    def _metadata(self, wanted: ChannelType) -> Any:
        dbr = DBR_TYPES[wanted]()
        dbr.status, dbr.severity = self.status, self.severity
        names = _field_names(wanted)
        if "stamp" in names:
            dbr.stamp = TimeStamp.from_unix_timestamp(self.timestamp)
        if "units" in names:
            dbr.units = self.meta.units.encode("latin-1", "replace")[:7]
        if "precision" in names:
            dbr.precision = self.meta.precision
        if "no_str" in names:
            dbr.enum_strings = [text.encode("latin-1")[:25] for text in self.meta.enums]
        for name in names & self.meta.limits.keys():
            if name in LIMITS:
                limit = self.meta.limits[name]
                kind = type(getattr(dbr, name))
                try:
                    setattr(dbr, name, limit if kind is float else int(limit))
                except (OverflowError, ValueError, TypeError):
                    continue  # the wanted type cannot hold this limit: it stays 0, as in base
        return dbr

    def write(
        self, data: Any, sent: ChannelType, *, notify: bool = False
    ) -> asyncio.Future[Any] | None:
        """Carry out a client's write.

        Parameters
        ----------
        data : numpy.ndarray or DbrStringArray
            What the client sent.
        sent : ChannelType
            Its DBR type.
        notify : bool
            Whether the client asked to be told of the end (a put-callback).

        Returns
        -------
        asyncio.Future or None
            None when the work is done, otherwise a future that ends when it is.

        Raises
        ------
        ConversionError
            When the channel cannot hold the value.
        PutRefusedError
            When the record does not take it.
        """
        value = from_wire(data, native_type(sent), self.data_type, self.max_length, self.meta.enums)
        return self.take(value, notify)

    def take(self, value: Any, notify: bool) -> asyncio.Future[Any] | None:
        """Carry out a write of a converted value; see :meth:`write`."""
        if self.put_handler is None:
            self.post(value)
            return None
        return self.put_handler(value)

    # ---- what the record does

    def post(
        self,
        value: Any,
        *,
        severity: int = 0,
        status: int = 0,
        always: bool = False,
        timestamp: float | None = None,
    ) -> None:
        """Take a new value and alarm and tell subscribers what changed.

        Parameters
        ----------
        value
            New value.
        severity, status : int
            New alarm.
        always : bool
            Tell also when neither value nor alarm changed.
        timestamp : float, optional
            Seconds since 1970; default now.
        """
        event = 0
        # arrays aren't compared: that costs time, and text is no array's equal
        if always or any(isinstance(v, np.ndarray) for v in (value, self.value)):
            event |= _VALUE
        elif value != self.value:
            event |= _VALUE
        if (severity, status) != (self.severity, self.status):
            event |= _ALARM
        self.value, self.severity, self.status = value, severity, status
        self.timestamp = time.time() if timestamp is None else timestamp
        self._payloads.clear()
        if event:
            for subscriber in tuple(self.subscribers):
                if subscriber.mask & event:
                    subscriber.update(self)

    def post_properties(self) -> None:
        """Tell subscribers that units, limits, precision or state strings changed."""
        self._payloads.clear()
        for subscriber in tuple(self.subscribers):
            if subscriber.mask & SubscriptionType.DBE_PROPERTY:
                subscriber.update(self)
