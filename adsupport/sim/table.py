"""Record tables: what records an IOC has, as CSV files in ``adsupport/sim/records``.

One file stands for one record template; a row is a record, named without its prefix. A more
special template's table may repeat a record of a more general one and fill only the cells that
differ, as a later ``.template`` redefines fields; :func:`merge_tables` lays the tables over each
other. A line that begins with ``#`` is a heading for the reader. Cells may hold macros,
``$(PORT)`` or ``$(NAME=default)``, which belong to the instance.

The columns:

========  ==========================================================================================
record    name without prefix, such as ``AcquireTime_RBV``
type      EPICS record type: ``ao``, ``mbbi``, ``busy``, ``waveform`` ...
dbr       Channel Access type of ``VAL``: STRING, SHORT, FLOAT, ENUM, CHAR, LONG or DOUBLE
count     elements of ``VAL``; empty is 1
ftvl      element type of an array; ``CHAR`` with dbr CHAR is a long string
param     asyn parameter (drvInfo string) that the record is bound to
scan      ``I/O Intr``, ``1 second`` ...; empty is ``Passive``
pini      1 when the record is processed as the IOC starts
flnk      forward link, without prefix
enum      enumeration strings, joined by ``|``
raws      what the parameter has in each state, joined by ``|``; empty is the number of the state
prec      display precision; empty is 0
egu       units
drvh      upper drive limit; empty is 0
drvl      lower drive limit; empty is 0
value     value right after the IOC's start; array elements are separated by blanks
sevr      Channel Access severity right after the start (number); empty is 0
stat      Channel Access status right after the start (number); empty is 0
readback  1 for an output record that follows its parameter (info ``asyn:READBACK``)
states    alarm severity by state, such as ``1:MINOR`` (joined by ``|``)
========  ==========================================================================================
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any

import numpy as np

SEVERITIES = ("NO_ALARM", "MINOR", "MAJOR", "INVALID")
"""Alarm severities by their Channel Access number."""

DTYPES: Mapping[str, type[np.generic]] = MappingProxyType(
    {
        "CHAR": np.int8,
        "UCHAR": np.uint8,
        "SHORT": np.int16,
        "USHORT": np.uint16,
        "LONG": np.int32,
        "ULONG": np.uint32,
        "FLOAT": np.float32,
        "DOUBLE": np.float64,
    }
)
"""numpy element type by EPICS field type name."""

Value = int | float | str | np.ndarray

_COLUMNS = (
    "record", "type", "dbr", "count", "ftvl", "param", "scan", "pini", "flnk", "enum", "prec",
    "egu", "drvh", "drvl", "value", "sevr", "stat", "readback", "states", "raws",
)  # fmt: skip
_DBR_TYPES = ("STRING", "SHORT", "FLOAT", "ENUM", "CHAR", "LONG", "DOUBLE")
_MACRO = re.compile(r"\$\(([A-Za-z_]\w*)(?:=([^)]*))?\)")
_MAX_ENUM_STRINGS, _MAX_ENUM_LENGTH, _MAX_STATUS = 16, 25, 21  # limits of Channel Access


class TableError(ValueError):
    """A record table is wrong; the message names file, line and column."""


@dataclass(frozen=True, slots=True, eq=False)
class RecordRow:
    """One record of a table, with typed cells; see the module for what each column means.

    Attributes
    ----------
    record, type, dbr, ftvl, param, scan, flnk, egu : str
        As in the table; empty when there is none.
    count, prec, sevr, stat : int
        As in the table.
    pini, readback : bool
        As in the table.
    enum : tuple of str
        Enumeration strings by state.
    drvh, drvl : float
        Drive limits; both 0 is none.
    value : int, float, str or numpy.ndarray
        Initial value: ``int`` for SHORT, LONG, CHAR and ENUM, ``float`` for FLOAT and DOUBLE,
        ``str`` for STRING and for long strings, a read-only 1-D array of :data:`DTYPES` for
        other arrays.
    states : mapping of int to int
        Severity by state; a state that is not there raises no alarm.
    raws : tuple of int
        Value of the parameter by state; empty when it is the number of the state.
    """

    record: str
    type: str
    dbr: str
    count: int = 1
    ftvl: str = ""
    param: str = ""
    scan: str = "Passive"
    pini: bool = False
    flnk: str = ""
    enum: tuple[str, ...] = ()
    prec: int = 0
    egu: str = ""
    drvh: float = 0.0
    drvl: float = 0.0
    value: Value = 0
    sevr: int = 0
    stat: int = 0
    readback: bool = False
    states: Mapping[int, int] = field(default_factory=lambda: MappingProxyType({}))
    raws: tuple[int, ...] = ()

    @property
    def is_long_string(self) -> bool:
        """Whether ``VAL`` is a character array that holds text."""
        return self.dbr == "CHAR" and self.ftvl == "CHAR" and self.count > 1


@dataclass(frozen=True, slots=True)
class _Cell:
    """A filled cell and where it stands, for messages."""

    text: str
    table: str
    line: int
    column: str

    def error(self, problem: str) -> TableError:
        where = f"{self.table}.csv line {self.line}, column {self.column!r}"
        return TableError(f"{where}: {problem}, found {self.text!r}")


_Cells = dict[str, _Cell]


def merge_tables(*names: str, macros: Mapping[str, str] | None = None) -> tuple[RecordRow, ...]:
    """Read a table, or several: a later one redefines cells of earlier ones.

    Parameters
    ----------
    *names : str
        Template names, the most general first: ``"NDArrayBase", "NDPluginBase", "NDPva"``.
    macros : mapping of str to str, optional
        Values of the instance's macros.

    Returns
    -------
    tuple of RecordRow
        Records in the order in which the tables first name them.

    Raises
    ------
    TableError
        No such table, a wrong cell, a macro without a value, or a record that only redefines one
        of a table that was not named.
    """
    merged: dict[str, _Cells] = {}
    for name in names:
        for record, cells in _load(name):
            merged.setdefault(record, {}).update(cells)
    return tuple(_row(cells, macros or {}) for cells in merged.values())


def record_names(*names: str) -> frozenset[str]:
    """Return the names of the records in tables, with their macros as they stand.

    Raises
    ------
    TableError
        No such table.
    """
    return frozenset(record for name in names for record, _ in _load(name))


@cache
def _load(name: str) -> tuple[tuple[str, _Cells], ...]:
    """Return the records of a file with their filled cells, as text."""
    source = resources.files("adsupport").joinpath("sim", "records", f"{name}.csv")
    try:
        text = source.read_text("utf-8")
    except FileNotFoundError:
        raise TableError(f"there is no record table {name}.csv in adsupport/sim/records") from None
    reader = csv.reader(text.splitlines(), strict=True)
    header = next(reader, [])
    unknown = sorted(set(header) - set(_COLUMNS))
    if unknown or "record" not in header or len(set(header)) != len(header):
        raise TableError(
            f"{name}.csv line 1: expected columns out of {', '.join(_COLUMNS)}, each once and "
            f"'record' among them, found {', '.join(header)}"
        )
    records: dict[str, _Cells] = {}
    for fields in reader:
        line = reader.line_num
        if not fields or fields[0].startswith("#"):
            continue
        if len(fields) != len(header):
            raise TableError(
                f"{name}.csv line {line}: expected {len(header)} columns, found {len(fields)}"
            )
        cells = {
            column: _Cell(field, name, line, column)
            for column, field in zip(header, fields, strict=True)
            if field
        }
        if "record" not in cells:
            raise _Cell("", name, line, "record").error("expected a record name")
        record = cells["record"]
        if record.text in records:
            raise record.error("the table names this record twice")
        records[record.text] = cells
    return tuple(records.items())


def _row(cells: _Cells, macros: Mapping[str, str]) -> RecordRow:
    cells = {column: _substitute(cell, macros) for column, cell in cells.items()}
    record = cells["record"]
    for needed in ("type", "dbr"):
        if needed not in cells:
            raise _Cell("", record.table, record.line, needed).error(
                f"record {record.text} has no {needed}; when it redefines a record of a more "
                "general template, give that table first to merge_tables"
            )
    typed: dict[str, Any] = {
        column: _PARSERS.get(column, _text)(cell)
        for column, cell in cells.items()
        if column != "value"
    }
    typed["value"] = _value(
        cells.get("value", _Cell("", record.table, record.line, "value")),
        typed["dbr"],
        typed.get("count", 1),
        typed.get("ftvl", ""),
        len(typed.get("enum", ())),
    )
    if len(typed.get("raws", ())) not in (0, len(typed.get("enum", ()))):
        raise cells["raws"].error("expected as many numbers as there are states")
    return RecordRow(**typed)


def _substitute(cell: _Cell, macros: Mapping[str, str]) -> _Cell:
    def value(match: re.Match[str]) -> str:
        name, default = match.groups()
        if name in macros:
            return macros[name]
        if default is None:
            raise cell.error(f"macro $({name}) has no value; give it in macros")
        return default

    if "$(" not in cell.text:
        return cell
    return _Cell(_MACRO.sub(value, cell.text), cell.table, cell.line, cell.column)


def _text(cell: _Cell) -> str:
    return cell.text


def _integer(lowest: int, highest: int) -> Callable[[_Cell], int]:
    def parse(cell: _Cell) -> int:
        try:
            number = int(cell.text)
        except ValueError:
            raise cell.error("expected an integer") from None
        if not lowest <= number <= highest:
            raise cell.error(f"expected an integer from {lowest} to {highest}")
        return number

    return parse


def _flag(cell: _Cell) -> bool:
    if cell.text not in ("0", "1"):
        raise cell.error("expected 0 or 1")
    return cell.text == "1"


def _number(cell: _Cell) -> float:
    try:
        return float(cell.text)
    except ValueError:
        raise cell.error("expected a number") from None


def _one_of(*choices: str) -> Callable[[_Cell], str]:
    def parse(cell: _Cell) -> str:
        if cell.text not in choices:
            raise cell.error(f"expected one of {', '.join(choices)}")
        return cell.text

    return parse


def _enum(cell: _Cell) -> tuple[str, ...]:
    strings = tuple(cell.text.split("|"))
    longest = max(len(string.encode()) for string in strings)
    if len(strings) > _MAX_ENUM_STRINGS or longest > _MAX_ENUM_LENGTH:
        raise cell.error(
            f"expected at most {_MAX_ENUM_STRINGS} strings of {_MAX_ENUM_LENGTH} bytes"
        )
    return strings


def _states(cell: _Cell) -> Mapping[int, int]:
    severities: dict[int, int] = {}
    for item in cell.text.split("|"):
        state, _, severity = item.partition(":")
        if not state.isdecimal() or severity not in SEVERITIES:
            raise cell.error("expected state:severity, such as 1:MINOR")
        severities[int(state)] = SEVERITIES.index(severity)
    return MappingProxyType(severities)


def _raws(cell: _Cell) -> tuple[int, ...]:
    try:
        return tuple(int(item) for item in cell.text.split("|"))
    except ValueError:
        raise cell.error("expected integers, such as 0|1|8") from None


_PARSERS: Mapping[str, Callable[[_Cell], Any]] = {
    "dbr": _one_of(*_DBR_TYPES),
    "count": _integer(1, 2**31 - 1),
    "ftvl": _one_of(*DTYPES, "STRING"),
    "pini": _flag,
    "enum": _enum,
    "prec": _integer(0, 15),
    "drvh": _number,
    "drvl": _number,
    "sevr": _integer(0, len(SEVERITIES) - 1),
    "stat": _integer(0, _MAX_STATUS),
    "readback": _flag,
    "states": _states,
    "raws": _raws,
}


def _value(cell: _Cell, dbr: str, count: int, ftvl: str, states: int) -> Value:
    if dbr == "STRING" or (dbr == "CHAR" and ftvl == "CHAR" and count > 1):
        return cell.text
    if count > 1:
        return _array(cell, count, ftvl or dbr)
    if dbr in ("FLOAT", "DOUBLE"):
        return _number(cell) if cell.text else 0.0
    if not cell.text:
        return 0
    if dbr == "ENUM":
        return _integer(0, max(states, 1) - 1)(cell)
    bits = 8 * np.dtype(DTYPES[dbr]).itemsize
    # VAL of an unsigned field has the signed CA type of its size
    return _integer(-(2 ** (bits - 1)), 2**bits - 1)(cell)


def _array(cell: _Cell, count: int, ftvl: str) -> np.ndarray:
    if ftvl not in DTYPES:
        raise cell.error(f"an initial value of {ftvl} elements is not supported")
    try:
        array = np.array([float(word) for word in cell.text.split()]).astype(DTYPES[ftvl])
    except ValueError:
        raise cell.error("expected numbers, separated by blanks") from None
    if len(array) > count:
        raise cell.error(f"expected at most {count} elements")
    array.flags.writeable = False
    return array
