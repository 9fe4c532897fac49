"""Tables of record types whose every field is simulated: motor and swait.

One CSV file in ``adsupport/sim/records`` stands for a record type, a row for a field:

========  ==================================================================================
field     name, such as ``VELO``
dbr       Channel Access type, see :mod:`adsupport.sim.table`
access    ``rw``, or ``r`` when clients may not write it
enum      state strings, joined by ``|``
prec      display precision; ``$(PREC)`` follows the field of that name
egu       units; ``$(EGU)`` follows the field of that name
high      upper display and control limit; empty is 0
low       lower display and control limit; empty is 0
value     value right after the IOC's start; may hold macros of the instance
========  ==================================================================================

A line that begins with ``#`` is a heading for the reader.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from adsupport.sim.table import TableError

_COLUMNS = ["field", "dbr", "access", "enum", "prec", "egu", "high", "low", "value"]
_MACRO = re.compile(r"\$\((\w+)\)")
_CONVERT: dict[str, type] = {
    "STRING": str,
    "DOUBLE": float,
    "FLOAT": float,
    "SHORT": int,
    "LONG": int,
    "CHAR": int,
    "ENUM": int,
}


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One field of a record type; see the module for what each column means.

    Attributes
    ----------
    field, dbr, prec, egu, value : str
        As in the table.
    writable : bool
        Whether clients may write it.
    enum : tuple of str
        State strings.
    high, low : float
        Limits.
    """

    field: str
    dbr: str
    writable: bool
    enum: tuple[str, ...]
    prec: str
    egu: str
    high: float
    low: float
    value: str

    def initial(self, macros: Mapping[str, str]) -> Any:
        """Return the initial value: int, float or str by type.

        Raises
        ------
        TableError
            When a macro has no value, or the text is no value of the type.
        """
        text = substitute(self.value, macros)
        try:
            return _CONVERT[self.dbr](text)
        except ValueError:
            raise TableError(
                f"field {self.field}: expected a {self.dbr} value, found {text!r}"
            ) from None


@cache
def read_fields(name: str) -> Mapping[str, FieldRow]:
    """Read the table of a record type.

    Parameters
    ----------
    name : str
        Record type: ``"motor"`` or ``"swait"``.

    Returns
    -------
    mapping of str to FieldRow
        By field name, in the order of the file.

    Raises
    ------
    TableError
        No such table, or a wrong cell in it.
    """
    source = resources.files("adsupport").joinpath("sim", "records", f"{name}.csv")
    try:
        lines = source.read_text("utf-8").splitlines()
    except FileNotFoundError:
        raise TableError(f"there is no table {name}.csv in adsupport/sim/records") from None
    rows: dict[str, FieldRow] = {}
    for number, cells in enumerate(csv.reader(lines, strict=True), start=1):
        if number == 1:
            if cells != _COLUMNS:
                raise TableError(f"{name}.csv line 1: expected the columns {', '.join(_COLUMNS)}")
        elif cells and not cells[0].startswith("#"):
            row = _row(cells, f"{name}.csv line {number}")
            if row.field in rows:
                raise TableError(f"{name}.csv line {number}: field {row.field} comes twice")
            rows[row.field] = row
    return rows


def _row(cells: list[str], where: str) -> FieldRow:
    if len(cells) != len(_COLUMNS):
        raise TableError(f"{where}: expected {len(_COLUMNS)} columns, found {len(cells)}")
    field, dbr, access, enum, prec, egu, high, low, value = cells
    if dbr not in _CONVERT:
        raise TableError(f"{where}: expected a type out of {', '.join(_CONVERT)}, found {dbr!r}")
    if access not in ("r", "rw"):
        raise TableError(f"{where}: expected access r or rw, found {access!r}")
    try:
        limits = float(high or 0), float(low or 0)
    except ValueError:
        raise TableError(
            f"{where}: expected numbers as limits, found {high!r} and {low!r}"
        ) from None
    states = tuple(enum.split("|")) if enum else ()
    return FieldRow(field, dbr, access == "rw", states, prec, egu, *limits, value)


def substitute(text: str, macros: Mapping[str, str]) -> str:
    """Replace ``$(NAME)`` by the macros' values.

    Raises
    ------
    TableError
        When a macro has no value.
    """

    def replace(match: re.Match[str]) -> str:
        try:
            return macros[match[1]]
        except KeyError:
            raise TableError(f"macro $({match[1]}) in {text!r} has no value") from None

    return _MACRO.sub(replace, text)
