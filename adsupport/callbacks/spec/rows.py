"""Rows of data, as fast as they can be written.

The usual ones, of nothing but finite numbers, are made by orjson, many at once; it spells numbers
as Python does.  Whatever is unusual in some rows, these are made one by one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any

import numpy as np
import orjson

from .columns import Layout
from .numbers import NAN, array_text, number_text
from .text import escape, literal

__all__ = ["RowText"]

_NOTHING = object()
#: What JSON has beside numbers, once booleans are none: text, objects, arrays and null.
_UNUSUAL = b'"{n'
#: With more rows Python's garbage collector goes through all that there is, again and again.
_AT_ONCE = 128


class RowText:
    """What makes lines of events.

    Parameters
    ----------
    layout : Layout
        The columns.
    begun : float
        The run's start, seconds since 1970 (UTC): the zero of ``Epoch``.
    nan : float or None
        What stands for NaN in a column, and for a value that isn't there; None for NaN itself.

    Attributes
    ----------
    also : str
        Characters that are escaped in the text between the rows: silx takes each ``@`` there
        for the beginning of a spectrum.
    notes : dict of str to int
        What the rows didn't have as it should be, and how often.
    """

    def __init__(self, layout: Layout, begun: float, nan: float | None = None) -> None:
        self._layout = layout
        self._begun = begun
        self._nan = NAN if nan is None else number_text(float(nan)) or NAN
        self._middle = len(layout.before)
        self._keys = layout.numbers
        self._before = _getter(layout.before)
        self._after = _getter(layout.after)
        self._width = len(self._keys)
        self._simple = not (layout.arrays or layout.texts)
        self._known = layout.keys
        self.also = "@" if layout.arrays else ""
        self.notes: dict[str, int] = {}

    def lines(self, events: Sequence[Mapping[str, Any]]) -> list[str]:
        """Write events.

        Parameters
        ----------
        events : sequence of mapping
            Event documents.

        Returns
        -------
        list of str
            Lines without their ends, some joined already: each row, with its arrays and texts
            behind it.
        """
        made: list[str] = []
        width = self._width
        for at in range(0, len(events), _AT_ONCE):
            some = events[at : at + _AT_ONCE]
            usual = self._usual(some)
            if usual is None:
                made += self._one_by_one(some)
            elif self._simple and all(len(event["data"]) == width for event in some):
                made.append(usual)
            else:
                for row, event in zip(usual.split("\n"), some, strict=True):
                    made.append(row)
                    self._beside(event["data"], made)
        return made

    def _usual(self, events: Sequence[Mapping[str, Any]]) -> str | None:
        """Write rows of nothing but finite numbers; None when there's anything else."""
        before, after, begun, floor = self._before, self._after, self._begun, math.floor
        rows = []
        try:
            for event in events:
                data = event["data"]
                since = event["time"] - begun
                rows.append([*before(data), floor(since + 0.5), since, *after(data)])
            text = orjson.dumps(rows, default=_plain)
        except (KeyError, TypeError, ValueError, OverflowError):
            return None
        if b"u" in text or b"f" in text:
            text = text.replace(b"true", b"1").replace(b"false", b"0")
        if any(char in text for char in _UNUSUAL) or text.count(b"[") != len(rows) + 1:
            return None
        return text[2:-2].replace(b"],[", b"\n").replace(b",", b" ").decode()

    def _one_by_one(self, events: Sequence[Mapping[str, Any]]) -> list[str]:
        made: list[str] = []
        middle = self._middle
        for event in events:
            data = event["data"]
            values = [data.get(key, _NOTHING) for key in self._keys]
            texts = list(map(number_text, values))
            since = float(event["time"]) - self._begun
            # not a number of hundreds of digits, which silx can't read
            whole = str(math.floor(since + 0.5)) if abs(since) < 2**53 else NAN
            texts[middle:middle] = (whole, number_text(since))
            awkward: list[str] = []
            if None in texts:
                self._replace(texts, values, awkward)
            if NAN in texts:
                self._count_nan(texts)
            made.append(" ".join(map(str, texts)))
            if not self._simple or len(data) != self._width:
                self._beside(data, made)
            made += awkward
        return made

    def _note(self, text: str) -> None:
        self.notes[text] = self.notes.get(text, 0) + 1

    def _count_nan(self, texts: list[Any]) -> None:
        for at, text in enumerate(texts):
            if text == NAN:
                texts[at] = self._nan
                self._note(
                    f"Column {self._layout.labels[at]!r} has NaN, written as {self._nan}; "
                    "silx and PyMca read -nan as 0"
                )

    def _replace(self, texts: list[Any], values: Any, awkward: list[str]) -> None:
        """Put NaN for what isn't a number, which is told on a line ``#U``."""
        for key, value, at in zip(self._keys, values, self._places(), strict=True):
            if texts[at] is None:
                texts[at] = NAN
                if value is not _NOTHING and value is not None:
                    awkward.append(self._text(key, value))
                    self._note(f"Column {self._layout.labels[at]!r} has values that are no numbers")

    def _places(self) -> list[int]:
        middle = self._middle
        return [*range(middle), *range(middle + 2, len(self._keys) + 2)]

    def _beside(self, data: Mapping[str, Any], made: list[str]) -> None:
        for column in self._layout.arrays:
            value = data.get(column.name)
            text = None if value is None else array_text(value)
            # One line for each array and row: readers count them.
            made.append(f"@A {text or ''}")
            if text is None and value is not None:
                made.append(self._text(column.name, value))
                self._note(f"Array {column.name!r} is NaN, or has values that are no numbers")
            elif text and NAN in text:
                self._note(f"Array {column.name!r} has NaN; silx and PyMca read it as 0")
        for key in self._layout.texts:
            if key in data:
                made.append(self._text(key, data[key]))
        for key in data:
            if key not in self._known:
                made.append(self._text(key, data[key]))
                self._note(f"Data key {key!r} came after the columns were written")

    def _text(self, key: str, value: Any) -> str:
        return f"#U {escape(key, self.also)} = {escape(literal(value), self.also)}"


def _getter(keys: tuple[str, ...]) -> Any:
    """Return what gets the values of some keys as a tuple."""
    if len(keys) > 1:
        return itemgetter(*keys)
    return (lambda data: (data[keys[0]],)) if keys else (lambda data: ())


def _plain(value: Any) -> Any:
    """Return a number that orjson doesn't know as Python's; null stands for what is none."""
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, float | np.floating):
        return float(value)
    return int(value) if isinstance(value, np.integer) else None
