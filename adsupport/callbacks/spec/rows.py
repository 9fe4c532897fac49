"""Rows of data, as fast as Python writes them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from operator import itemgetter
from typing import Any

from .columns import Layout
from .numbers import NAN, array_text, number_text
from .text import escape, literal

__all__ = ["RowText"]

_NOTHING = object()


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
        # Of one key itemgetter makes no tuple.
        twice = self._keys if len(self._keys) != 1 else self._keys * 2
        self._values = itemgetter(*twice) if twice else (lambda data: ())
        self._width = len(self._keys)
        self._simple = not (layout.arrays or layout.texts)
        self._known = layout.keys
        self.also = "@" if layout.arrays else ""
        self.notes: dict[str, int] = {}

    def lines(self, events: Iterable[Mapping[str, Any]]) -> list[str]:
        """Write events.

        Parameters
        ----------
        events : iterable of mapping
            Event documents.

        Returns
        -------
        list of str
            Lines without their ends: each row, with its arrays and texts behind it.
        """
        made: list[str] = []
        middle, begun, width = self._middle, self._begun, self._width
        for event in events:
            data = event["data"]
            try:
                values = self._values(data)[:width]
            except KeyError:
                values = [data.get(key, _NOTHING) for key in self._keys]
            texts = list(map(number_text, values))
            since = event["time"] - begun
            texts[middle:middle] = (str(math.floor(since + 0.5)), repr(float(since)))
            awkward: list[str] = []
            if None in texts:
                self._replace(texts, values, awkward)
            if NAN in texts:
                self._count_nan(texts)
            made.append(" ".join(texts))  # type: ignore[arg-type]
            if not self._simple or len(data) != width:
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
