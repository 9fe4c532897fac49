"""What was read with each frame besides its angle: heights, steps, the state of the source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ...documents.run import Column, Stream
from .angles import per_frame

__all__ = ["FRAMES_SUFFIX", "FrameReading", "RowReadings"]

#: Ends the data keys that have a number for each frame of an event: ``vertical_frames`` tells
#: where ``vertical`` was at each of them, while ``vertical`` was read when all were taken.
FRAMES_SUFFIX = "_frames"


@dataclass(frozen=True)
class FrameReading:
    """What a device read, for each frame.

    Parameters
    ----------
    values : numpy.ndarray
        (n,), int64, float64 (NaN where nothing was read) or object (texts, then empty).
    units : str
        Empty when it has none.
    source : str
        The data keys, with a comma between them.
    """

    values: np.ndarray
    units: str = ""
    source: str = ""

    def chosen(self, which: np.ndarray) -> FrameReading:
        """Take some of the frames, by their indices or a mask."""
        return replace(self, values=self.values[which])


@dataclass
class _Gathered:
    units: str
    sources: dict[str, None] = field(default_factory=dict)
    rows: list[int] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)


class RowReadings:
    """Gathers the scalars of rows, and what has a number for each frame of a row."""

    def __init__(self) -> None:
        self._found: dict[str, _Gathered] = {}
        #: By stream: data key, what it's called, whether it has a number for each frame.
        self._keys: dict[tuple[str, int], list[tuple[str, _Gathered, bool]]] = {}

    def add(self, stream: Stream, data: Mapping[str, Any], row: int, count: int,
            detector: str) -> None:  # fmt: skip
        """Take a row.

        Parameters
        ----------
        stream : Stream
            Its stream.
        data : mapping
            By data key.
        row : int
            Number of the row.
        count : int
            How many frames it has.
        detector : str
            Data key of the images: what else the same device tells is left out.
        """
        place = stream.name, len(stream.descriptors)
        if place not in self._keys:
            self._keys[place] = list(self._listed(stream, detector))
        for key, gathered, of_frames in self._keys[place]:
            value = data.get(key)
            if of_frames:
                value = per_frame(value, count) if value is not None else None
                if value is not None and value.shape != (count,):
                    value = None
            elif isinstance(value, np.generic):
                value = value.item()
            if value is not None:
                gathered.rows.append(row)
                gathered.values.append(value)

    def of(self, table: np.ndarray) -> dict[str, FrameReading]:
        """Give each frame what was read with it.

        Parameters
        ----------
        table : numpy.ndarray
            See :meth:`~.gathered.GatheredFrames.table`.

        Returns
        -------
        dict of str to FrameReading
            By the name of the device's reading.
        """
        rows, places = table["row"], table["place"]
        return {
            name: FrameReading(_spread(each, rows, places), each.units, ", ".join(each.sources))
            for name, each in self._found.items()
            if each.rows
        }

    def _listed(self, stream: Stream, detector: str) -> Any:
        columns = stream.columns
        own = columns[detector].object_name
        for key, column in columns.items():
            base = key.removesuffix(FRAMES_SUFFIX)
            of_frames = base != key and len(column.shape) == 1
            if column.external or (own and column.object_name == own):
                continue
            if not of_frames and (column.shape or f"{key}{FRAMES_SUFFIX}" in columns):
                continue
            yield key, self._gathered(base if of_frames else key, column), of_frames

    def _gathered(self, name: str, column: Column) -> _Gathered:
        found = self._found.setdefault(name, _Gathered(column.units))
        found.units = found.units or column.units
        found.sources[column.name] = None
        return found


def _spread(gathered: _Gathered, rows: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Give each frame its number, text or nothing."""
    at = np.searchsorted(gathered.rows, rows)  # rows came one after the other
    at = np.minimum(at, len(gathered.rows) - 1)
    known = np.asarray(gathered.rows)[at] == rows
    values = gathered.values
    if any(isinstance(each, str) for each in values):
        texts = np.array([str(each) for each in values], object)[at]
        texts[~known] = ""
        return texts
    if known.all() and all(isinstance(each, int) for each in values):
        try:
            return np.array(values, np.int64)[at]
        except OverflowError:
            pass
    parts = [each if isinstance(each, np.ndarray) else [_number(each)] for each in values]
    lengths = np.array([len(each) for each in parts])
    starts = np.cumsum(lengths) - lengths
    each_own = np.array([isinstance(each, np.ndarray) for each in values])[at]
    index = starts[at] + np.where(known & each_own, places, 0)
    return np.where(known, np.concatenate(parts)[index], np.nan)


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return np.nan
