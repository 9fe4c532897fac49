"""What devices told during a run: with each point, now and then, or before and after.

It's looked for in the primary stream, then in the others.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .points import Block, PartPoints
from .quantities import Quantity
from .reader import PartColumn, PartStream

__all__ = ["Devices", "Reading"]


class Reading(NamedTuple):
    """Readings of a device that wasn't read with each point.

    Parameters
    ----------
    times : numpy.ndarray
        (readings,), seconds since 1970, ascending.
    values : numpy.ndarray
        (readings,), float64.
    is_baseline : bool
        Whether they're from before and after the scan.
    """

    times: np.ndarray
    values: np.ndarray
    is_baseline: bool

    def at(self, times: np.ndarray) -> np.ndarray:
        """Tell the value at other times.

        Parameters
        ----------
        times : numpy.ndarray
            (points,).

        Returns
        -------
        numpy.ndarray
            (points,): the last that a monitor has told; between the readings of a baseline
            what lies between these.
        """
        if self.is_baseline:
            return np.interp(times, self.times, self.values)
        index = np.searchsorted(self.times, times, "right") - 1
        return self.values[np.maximum(index, 0)]


class Devices:
    """What the devices of a run told.

    Parameters
    ----------
    points : PartPoints
        The run's points.

    Attributes
    ----------
    points, part
        As given, and the run that they're of.
    """

    def __init__(self, points: PartPoints) -> None:
        self.points, self.part = points, points.part
        self._found: dict[tuple[str, ...], PartColumn | Reading | None] = {}

    def standing(self, names: tuple[str, ...], quantity: Quantity, block: Block) -> np.ndarray:
        """Tell the value of a device that wasn't scanned.

        Parameters
        ----------
        names : tuple of str
            What it's called in the metadata.
        quantity : Quantity
            What it tells.
        block : Block
            The points.

        Returns
        -------
        numpy.ndarray
            (points,), float64, in the quantity's units; NaN where nobody knows.
        """
        column = self.column(names)
        if column is not None:
            return self.values(column, quantity, block)
        reading = self.reading(names, quantity)
        return np.full(len(block), np.nan) if reading is None else reading.at(block.times)

    def column(self, names: tuple[str, ...]) -> PartColumn | None:
        """Find a device in the primary stream.

        Parameters
        ----------
        names : tuple of str
            What it's called in the metadata.

        Returns
        -------
        PartColumn or None
            With a number for each point or line; None when there is none.
        """
        if names not in self._found:
            stream = self.part.primary
            known = [each for name in names if name for each in self.part.names_of(name)]
            column = None if stream is None else stream.find(known)
            if column is not None and self.points.fits(column):
                # of several numbers for a point nobody knows which it is
                column = None if self.points.point_shape(column) else column
            else:
                column = None
            self._found[names] = column
        found = self._found[names]
        return found if isinstance(found, PartColumn) else None

    def values(self, column: PartColumn, quantity: Quantity, block: Block) -> np.ndarray:
        """Read a column.

        Parameters
        ----------
        column : PartColumn
            Of :meth:`column`.
        quantity : Quantity
            What it tells.
        block : Block
            The points.

        Returns
        -------
        numpy.ndarray
            (points,), float64, in the quantity's units.
        """
        found = self.points.values(column, block).astype(np.float64)
        return found * quantity.factor(column.units)

    def reading(self, names: tuple[str, ...], quantity: Quantity) -> Reading | None:
        """Find what a device told that wasn't read with each point.

        Parameters
        ----------
        names : tuple of str
            What it's called in the metadata.
        quantity : Quantity
            What it tells.

        Returns
        -------
        Reading or None
            Of a monitor, else of the baseline; None when it was in none.
        """
        streams = self.part.streams
        others = [name for name in streams if name not in ("primary", "baseline")]
        for name in [*others, *(each for each in ("baseline",) if each in streams)]:
            found = self._reading(streams[name], names, quantity, name == "baseline")
            if found is not None:
                return found
        return None

    def value(self, names: tuple[str, ...], quantity: Quantity) -> float:
        """Tell the value of what stood still all the time.

        Parameters
        ----------
        names : tuple of str
            What it's called in the metadata.
        quantity : Quantity
            What it tells.

        Returns
        -------
        float
            The mean of what was measured; NaN when nobody knows.
        """
        found = self.readings(names, quantity)
        return float(found.mean()) if len(found) else np.nan

    def readings(self, names: tuple[str, ...], quantity: Quantity) -> np.ndarray:
        """Gather what was measured of a device.

        Parameters
        ----------
        names : tuple of str
            What it's called in the metadata.
        quantity : Quantity
            What it tells.

        Returns
        -------
        numpy.ndarray
            (readings,), float64, finite, in the quantity's units; empty when nobody knows.
        """
        column = self.column(names)
        if column is not None and self.points.rows:
            values = np.ravel(column.read(slice(None)) * quantity.factor(column.units))
        else:
            reading = self.reading(names, quantity)
            values = np.empty(0) if reading is None else reading.values
        return values[np.isfinite(values)].astype(np.float64)

    def _reading(
        self, stream: PartStream, names: tuple[str, ...], quantity: Quantity, is_baseline: bool
    ) -> Reading | None:
        column = stream.find([each for name in names for each in self.part.names_of(name)])
        if column is None or not column.is_numeric or column.row_shape:
            return None
        values = column.read(slice(None)) * quantity.factor(column.units)
        times = stream.stamps(column.key)
        times = np.where(np.isfinite(times), times, stream.times)
        if is_baseline:  # a value that stands for long has an old time
            times = stream.times
        good = np.isfinite(values)
        order = np.argsort(times[good], kind="stable")
        if not len(order):
            return None
        return Reading(times[good][order], values[good][order], is_baseline)
