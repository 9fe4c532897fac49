"""Fields of a record beside its value: what ``record.FIELD`` shows and takes.

The fields that every record has are in the table ``dbCommon.csv``; those of some record types,
such as units and state strings, are made here out of the record's row.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from caproto import ChannelType, SubscriptionType

from adsupport.sim.ca.channel import Channel, Metadata, PutHandler, PutRefusedError
from adsupport.sim.ca.wire import NATIVE_TYPES
from adsupport.sim.field_table import read_fields
from adsupport.sim.table import SEVERITIES, RecordRow

UDF_ALARM = 17
"""Channel Access alarm status of a record that was never processed."""

_STATES = ("ZR", "ON", "TW", "TH", "FR", "FV", "SX", "SV", "EI", "NI", "TE", "EL", "TV", "TT",
           "FT", "FF")  # fmt: skip
_STATE_STRINGS = {f"{state}ST": index for index, state in enumerate(_STATES)}
_STATE_SEVERITIES = {f"{state}SV": index for index, state in enumerate(_STATES)}
_ELEMENT_TYPES = ("STRING", "CHAR", "UCHAR", "SHORT", "USHORT", "LONG", "ULONG", "INT64", "UINT64",
                  "FLOAT", "DOUBLE", "ENUM")  # fmt: skip
_WITH_UNITS = (
    "ai", "ao", "longin", "longout", "calc", "calcout", "dfanout", "waveform", "subArray",
)  # fmt: skip
_WITH_PRECISION = (
    "ai", "ao", "calc", "calcout", "dfanout", "seq", "sseq", "waveform", "subArray",
)  # fmt: skip
# what these would change (scanning, links, device support) is fixed in a simulated record
_FIXED = ("RTYP", "SCAN", "PINI", "TSEL", "DTYP", "FLNK", "DISV", "DISA", "SDIS", "UDF")
_STATE_LENGTH = 25
_UNITS_LENGTH = 15


class RecordField(Channel):
    """One field over Channel Access: its alarm and time stamp are the record's.

    Parameters
    ----------
    record : Channel
        The record's own channel.
    native : ChannelType
        Native type.
    value
        Initial value.
    enums : tuple of str
        State strings.
    put : callable, optional
        Takes a client's value.
    now : callable, optional
        Returns the present value of a field that follows the record.
    writable : bool
        Whether clients may write.
    """

    put_handler: PutHandler | None
    mask = int(SubscriptionType.DBE_VALUE | SubscriptionType.DBE_ALARM)
    """What the field wants to be told of as a subscriber of its record."""

    def __init__(
        self,
        record: Channel,
        native: ChannelType,
        value: Any = 0,
        *,
        enums: tuple[str, ...] = (),
        put: PutHandler | None = None,
        now: Callable[[], Any] | None = None,
        writable: bool = True,
    ) -> None:
        super().__init__(
            native,
            now() if now else value,
            meta=Metadata(enums=enums),
            put=put,
            writable=writable,
            record_type=record.record_type,
        )
        self._record = record
        self._now = now
        if now:
            record.subscribers.append(self)

    def update(self, channel: Channel) -> None:
        """Tell the field's subscribers when the record changed it."""
        if self._now:
            self.post(self._now(), severity=channel.severity, status=channel.status)

    def read(self, wanted: ChannelType) -> tuple[Any, Any]:
        """Return ``(metadata, data)`` of the present value as a DBR type."""
        record = self._record
        if self._now:
            self.value = self._now()
        self.severity, self.status = record.severity, record.status
        self.timestamp = record.timestamp
        self._payloads.clear()
        return super().read(wanted)

    def refuse_changes(self, why: str) -> None:
        """Let clients write the present value only."""

        def put(value: Any) -> None:
            if value != self.value:
                raise PutRefusedError(why)

        self.put_handler = put


class RecordFields:
    """Makes the channel of a field when a client first asks for it.

    Parameters
    ----------
    name : str
        Record name with its prefix.
    row : RecordRow
        The record's row.
    channel : Channel
        The record's own channel.

    Attributes
    ----------
    rescan : callable or None
        Takes the number of a SCAN choice that a client wrote; without it SCAN can't be changed.
    """

    def __init__(self, name: str, row: RecordRow, channel: Channel) -> None:
        self._name = name
        self._row = row
        self._channel = channel
        self.rescan: Callable[[int], None] | None = None

    def __call__(self, field: str) -> Channel:
        """Return the channel of a field.

        Raises
        ------
        KeyError
            When this kind of record has no such field.
        """
        if field in read_fields("dbCommon"):
            return self._common(field)
        if self._row.type in ("bi", "bo", "busy", "mbbi", "mbbo"):
            return self._of_states(field)
        if self._row.type in ("waveform", "subArray") and field in ("NELM", "NORD", "FTVL"):
            return self._of_arrays(field)
        if self._row.type in ("ao", "longout") and field in ("DRVH", "DRVL"):
            limit = self._row.drvh if field == "DRVH" else self._row.drvl
            return self._fixed(RecordField(self._channel, self._channel.data_type, limit), field)
        return self._of_numbers(field)

    def _fixed(self, channel: RecordField, field: str) -> RecordField:
        channel.refuse_changes(f"{self._name}.{field} of a simulated record can't be changed")
        return channel

    # ---- every record

    def _common(self, field: str) -> RecordField:
        record, facts = self._channel, read_fields("dbCommon")[field]
        native = NATIVE_TYPES[facts.dbr]
        follow: dict[str, Callable[[], Any]] = {
            "SEVR": lambda: record.severity,
            "STAT": lambda: record.status,
            "UDF": lambda: int(record.status == UDF_ALARM and record.severity > 0),
        }
        values: dict[str, Any] = {
            "NAME": self._name,
            "RTYP": self._row.type,
            "FLNK": self._forward_link(),
        }
        enums = facts.enum
        if field == "SCAN":
            values["SCAN"] = enums.index(self._row.scan)
        elif field == "PINI":
            values["PINI"] = int(self._row.pini)
        elif field == "DTYP" and self._row.param:
            enums, values["DTYP"] = (*enums, device_support(self._row)), len(enums)
        channel = RecordField(
            record,
            native,
            values.get(field, facts.initial({})),
            enums=enums,
            now=follow.get(field),
            writable=facts.writable,
        )
        if field == "SCAN" and self.rescan is not None:
            self._make_scanned(channel, self.rescan)
        elif field in _FIXED:
            self._fixed(channel, field)
        elif field == "PROC":
            channel.put_handler = self._process
        elif field == "DISP":
            self._make_disable(channel)
        return channel

    def _forward_link(self) -> str:
        if not self._row.flnk:
            return ""
        return self._name.removesuffix(self._row.record) + self._row.flnk

    def _process(self, _: Any) -> asyncio.Future[Any] | None:
        put = self._channel.put_handler
        return put(self._channel.value) if put else None

    def _make_scanned(self, channel: RecordField, rescan: Callable[[int], None]) -> None:
        def put(choice: int) -> None:
            rescan(choice)
            channel.post(choice)

        channel.put_handler = put

    def _make_disable(self, channel: RecordField) -> None:
        record, put_of_record = self._channel, self._channel.put_handler

        def refused(_: Any) -> None:
            raise PutRefusedError(f"{self._name} is disabled (DISP=1)")

        def put(value: int) -> None:
            record.put_handler = refused if value else put_of_record
            channel.post(value)

        channel.put_handler = put

    # ---- some record types

    def _of_states(self, field: str) -> RecordField:
        record, severities = self._channel, self._row.states
        if self._row.type in ("mbbi", "mbbo"):
            strings, levels = _STATE_STRINGS, _STATE_SEVERITIES
        else:
            strings, levels = {"ZNAM": 0, "ONAM": 1}, {"ZSV": 0, "OSV": 1}
        if field in levels:
            severity = severities.get(levels[field], 0)
            return self._fixed(
                RecordField(record, ChannelType.ENUM, severity, enums=SEVERITIES), field
            )
        index = strings[field]
        enums = record.meta.enums
        text = enums[index] if index < len(enums) else ""
        channel = RecordField(record, ChannelType.STRING, text)

        def rename(text: str) -> None:
            states = [*record.meta.enums, *[""] * (index + 1 - len(record.meta.enums))]
            states[index] = text[:_STATE_LENGTH]
            while states and not states[-1]:
                states.pop()
            record.meta.enums = tuple(states)
            channel.post(text[:_STATE_LENGTH])
            record.post_properties()

        channel.put_handler = rename
        return channel

    def _of_arrays(self, field: str) -> RecordField:
        record, row = self._channel, self._row
        if field == "FTVL":
            index = _ELEMENT_TYPES.index(row.ftvl or row.dbr)
            return RecordField(
                record, ChannelType.ENUM, index, enums=_ELEMENT_TYPES, writable=False
            )
        # unsigned 32-bit fields are DBR_DOUBLE
        now = (lambda: float(record.length)) if field == "NORD" else (lambda: float(row.count))
        return RecordField(record, ChannelType.DOUBLE, now=now, writable=False)

    def _of_numbers(self, field: str) -> RecordField:
        record, meta = self._channel, self._channel.meta
        if field == "EGU" and self._row.type in _WITH_UNITS:
            channel = RecordField(record, ChannelType.STRING, meta.units)

            def put_units(text: str) -> None:
                meta.units = text[:_UNITS_LENGTH]
                channel.post(meta.units)
                record.post_properties()

            channel.put_handler = put_units
            return channel
        if field == "PREC" and self._row.type in _WITH_PRECISION:
            channel = RecordField(record, ChannelType.INT, meta.precision)

            def put_precision(precision: int) -> None:
                meta.precision = precision
                channel.post(precision)
                record.post_properties()

            channel.put_handler = put_precision
            return channel
        raise KeyError(field)


def device_support(row: RecordRow) -> str:
    """Return the asyn device support of a record that has a parameter.

    Parameters
    ----------
    row : RecordRow
        The record's row.

    Returns
    -------
    str
        A choice of ``DTYP``, such as ``asynFloat64``.
    """
    follows = row.scan == "I/O Intr"
    if row.dbr == "STRING" or row.is_long_string:
        return "asynOctetRead" if follows else "asynOctetWrite"
    if row.count > 1:
        kind = "Int8" if row.dbr == "CHAR" else "Int32"
        return f"asyn{kind}ArrayIn" if follows else f"asyn{kind}ArrayOut"
    return "asynFloat64" if row.dbr == "DOUBLE" else "asynInt32"
