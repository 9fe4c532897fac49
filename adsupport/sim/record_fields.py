"""Fields of a record beside its value: what ``record.FIELD`` shows and takes."""

from __future__ import annotations

from typing import Any

from caproto import ChannelType

from adsupport.sim.channel import Channel, Metadata
from adsupport.sim.table import SEVERITIES, RecordRow

UDF_ALARM = 17
"""Channel Access alarm status of a record that was never processed."""

STATE_FIELDS = (
    "ZRST", "ONST", "TWST", "THST", "FRST", "FVST", "SXST", "SVST",
    "EIST", "NIST", "TEST", "ELST", "TVST", "TTST", "FTST", "FFST",
)  # fmt: skip
"""Names of the fields that hold an mbbi/mbbo record's state strings."""

STATUSES = (
    "NO_ALARM", "READ", "WRITE", "HIHI", "HIGH", "LOLO", "LOW", "STATE",
    "COS", "COMM", "TIMEOUT", "HWLIMIT", "CALC", "SCAN", "LINK", "SOFT",
)  # fmt: skip
"""State strings of STAT; Channel Access carries at most sixteen."""

_STATE_LENGTH = 25
_UNITS_LENGTH = 15
_NUMBERS = ("DOUBLE", "FLOAT", "LONG", "SHORT")


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
    """

    def __init__(self, name: str, row: RecordRow, channel: Channel) -> None:
        self._name = name
        self._row = row
        self._channel = channel

    def __call__(self, field: str) -> Channel:
        """Return the channel of a field.

        Raises
        ------
        KeyError
            When this kind of record has no such field.
        """
        row, record = self._row, self._channel
        if field in STATE_FIELDS and row.type in ("mbbi", "mbbo"):
            return _StateString(record, STATE_FIELDS.index(field))
        if field in ("ZNAM", "ONAM") and row.type in ("bi", "bo", "busy"):
            return _StateString(record, ("ZNAM", "ONAM").index(field))
        if field in ("SEVR", "STAT"):
            return _AlarmField(record, field)
        if field == "UDF":
            return Channel(ChannelType.CHAR, int(record.status == UDF_ALARM))
        if field == "PROC":
            return Channel(ChannelType.CHAR, 0, put=lambda _: record.put_handler(record.value))
        if field == "EGU" and row.dbr in _NUMBERS:
            return _Units(record)
        if field == "PREC" and row.dbr in ("DOUBLE", "FLOAT"):
            return _Precision(record)
        if row.type == "waveform" and field == "NORD":
            return _LengthField(record)
        if row.type == "waveform" and field == "NELM":
            return Channel(ChannelType.LONG, row.count, writable=False)
        texts: dict[str, str] = {"NAME": self._name, "RTYP": row.type, "DESC": ""}
        texts |= {"SCAN": row.scan, "FLNK": row.flnk, "FTVL": row.ftvl}
        return Channel(ChannelType.STRING, texts[field], writable=field == "DESC")


class _StateString(Channel):
    """ZRST, ONST, ZNAM ...: renames a state of the record."""

    def __init__(self, record: Channel, index: int) -> None:
        enums = record.meta.enums
        text = enums[index] if index < len(enums) else ""
        super().__init__(ChannelType.STRING, text, put=self._rename)
        self._record, self._index = record, index

    def _rename(self, text: str) -> None:
        meta = self._record.meta
        states = list(meta.enums) + [""] * (self._index + 1 - len(meta.enums))
        states[self._index] = text[:_STATE_LENGTH]
        while states and not states[-1]:
            states.pop()
        meta.enums = tuple(states)
        self.post(text[:_STATE_LENGTH])
        self._record.post_properties()


class _Units(Channel):
    """EGU."""

    def __init__(self, record: Channel) -> None:
        super().__init__(ChannelType.STRING, record.meta.units, put=self._change)
        self._record = record

    def _change(self, text: str) -> None:
        self._record.meta.units = text[:_UNITS_LENGTH]
        self.post(text[:_UNITS_LENGTH])
        self._record.post_properties()


class _Precision(Channel):
    """PREC."""

    def __init__(self, record: Channel) -> None:
        super().__init__(ChannelType.INT, record.meta.precision, put=self._change)
        self._record = record

    def _change(self, precision: int) -> None:
        self._record.meta.precision = precision
        self.post(precision)
        self._record.post_properties()


class _AlarmField(Channel):
    """SEVR or STAT: the record's alarm at each read."""

    def __init__(self, record: Channel, name: str) -> None:
        self._record = record
        self._attribute = {"SEVR": "severity", "STAT": "status"}[name]
        enums = SEVERITIES if name == "SEVR" else STATUSES
        super().__init__(ChannelType.ENUM, 0, meta=Metadata(enums=enums), writable=False)

    def read(self, wanted: ChannelType) -> tuple[Any, Any]:
        self.value = getattr(self._record, self._attribute)
        self._payloads.clear()
        return super().read(wanted)


class _LengthField(Channel):
    """NORD: the number of elements the waveform holds now."""

    def __init__(self, record: Channel) -> None:
        self._record = record
        super().__init__(ChannelType.LONG, 0, writable=False)

    def read(self, wanted: ChannelType) -> tuple[Any, Any]:
        self.value = self._record.length
        self._payloads.clear()
        return super().read(wanted)
