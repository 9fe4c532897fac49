"""What is known of each point besides its counts: positions, photon energy, ring current.

What was measured is looked for in the primary stream, then in the others; what wasn't is the
set-point, or NaN.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..asked.layout import Role, field_name
from ..asked.request import Region, ScanAxis
from .points import Block, PartPoints
from .quantities import CURRENT, ENERGY, LENGTH, NUMBER, Quantity, known_units
from .reader import PartColumn, PartStream

__all__ = ["PointFacts", "Reading"]

#: Names of the devices that tell the photon energy, as acquisition programs have them.
ENERGY_NAMES = ("Mono_ev_fbk", "ENERGY")
CURRENT_NAME = "StorageRingCurrent"


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


class _Scanned(NamedTuple):
    """An axis of the scan, and along which dimension of the run's grid its set-points are."""

    role: Role
    axis: ScanAxis


class PointFacts:
    """What is known of the points of a run.

    Parameters
    ----------
    points : PartPoints
        Its points.
    """

    def __init__(self, points: PartPoints) -> None:
        self.points, self.part = points, points.part
        self._found: dict[tuple[str, ...], PartColumn | Reading | None] = {}

    def position(self, role: Role, axis: ScanAxis, block: Block) -> np.ndarray:
        """Tell where a positioner of the scan stood.

        Parameters
        ----------
        role : str
            Along which dimension of the run's grid its set-points are.
        axis : ScanAxis
            The positioner.
        block : Block
            The points.

        Returns
        -------
        numpy.ndarray
            (points,), float64, µm; of what is no length, in its own units.
        """
        along_slow = role == self.points.layout.slow
        column = self._column((axis.positioner,))
        if column is not None and self._tells(column, role, axis):
            return self._values(column, LENGTH, block)
        if role == "turn" or not len(axis):
            middle = axis.setpoints[len(axis) // 2] if len(axis) else np.nan
            return np.full(len(block), middle)
        index = block.slow if along_slow else block.fast
        return axis.setpoints[index if len(axis) > 1 else np.zeros_like(index)]

    def positions(self, region: Region, block: Block) -> dict[str, np.ndarray]:
        """Tell where everything stood, by the names of fields.

        Parameters
        ----------
        region : Region
            The run's own, or one of those that take turns.
        block : Block
            The points.

        Returns
        -------
        dict of str to numpy.ndarray
            (points,), float64, see :meth:`position`; ``sample_x`` and ``sample_y`` always.
        """
        return {
            name: self.position(*said, block) if isinstance(said, _Scanned)
            else self.standing(said, LENGTH, block)
            for name, said in self._said_by(region).items()
        }  # fmt: skip

    def as_they_are(self, region: Region) -> tuple[str, ...]:
        """Find the columns whose values are those of a field of :meth:`positions` of that name.

        Parameters
        ----------
        region : Region
            See there.

        Returns
        -------
        tuple of str
            Data keys.
        """
        found = []
        for name, said in self._said_by(region).items():
            is_scanned = isinstance(said, _Scanned)
            column = self._column((said.axis.positioner,) if is_scanned else said)
            if column is None or field_name(column.key) != name or column.dtype != np.float64:
                continue
            tells = not is_scanned or self._tells(column, *said)
            if tells and self.points.point_shape(column) == () and LENGTH.factor(column.units) == 1:
                found.append(column.key)
        return tuple(found)

    def remarks(self, region: Region) -> list[str]:
        """Tell what isn't known.

        Parameters
        ----------
        region : Region
            See :meth:`positions`.

        Returns
        -------
        list of str
            Sentences.
        """
        if not self.points.rows:
            return []
        found = []
        said_by = self._said_by(region)
        scanned = [said.axis for said in said_by.values() if isinstance(said, _Scanned)]
        devices = {name: said for name, said in said_by.items() if not isinstance(said, _Scanned)}
        if not region.energies:
            devices["energy"] = ENERGY_NAMES
        devices["control"] = (CURRENT_NAME,)
        for name, names in devices.items():
            if self._column(names) is None and self.reading(names, NUMBER) is None:
                found.append(
                    f"{name} isn't known, and NaN stands there: no stream has "
                    f"{' or '.join(map(repr, names))}, or what rev_lu_dct has for it."
                )
        if self.points.layout.dimensions == ("x",):  # anything may be scanned
            scanned = []
        for axis in scanned:
            column = self._column((axis.positioner,))
            if column is not None and not LENGTH.knows(column.units):
                found.append(
                    f"the positions of {column.key!r} are in {column.units!r}, which is no known "
                    "length: they are as they came, and not in um."
                )
        return found

    def axis_units(self, axis: ScanAxis) -> str:
        """Tell the units of :meth:`position`, where it needn't be a length.

        Parameters
        ----------
        axis : ScanAxis
            The positioner.

        Returns
        -------
        str
            µm for lengths and where the positioner doesn't tell, else its own.
        """
        column = self._column((axis.positioner,))
        units = column.units if isinstance(column, PartColumn) else ""
        return LENGTH.units if LENGTH.knows(units) else known_units(units)

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
        column = self._column(names)
        if column is not None:
            return self._values(column, quantity, block)
        reading = self.reading(names, quantity)
        return np.full(len(block), np.nan) if reading is None else reading.at(block.times)

    def energy(self, e_idx: int, block: Block) -> np.ndarray:
        """Tell the photon energy.

        Parameters
        ----------
        e_idx : int
            Of a run at one energy, which one of its region.
        block : Block
            The points.

        Returns
        -------
        numpy.ndarray
            (points,), float64, eV.

        Notes
        -----
        A reading from before the scan alone may be older than the last change of the energy:
        the set-point comes before it.
        """
        column = self._column(ENERGY_NAMES)
        if column is not None:
            return self._values(column, ENERGY, block)
        reading = self.reading(ENERGY_NAMES, ENERGY)
        if reading is not None and not reading.is_baseline:
            return reading.at(block.times)
        planned = np.array(self.points.region.energies)
        if self.points.layout.slow == "energy":
            known = block.slow < len(planned)
            return np.where(known, planned[block.slow * known] if len(planned) else np.nan, np.nan)
        if reading is not None and (len(reading.values) > 1 or e_idx >= len(planned)):
            return np.full(len(block), reading.values[-1])
        value = planned[e_idx] if e_idx < len(planned) else np.nan
        return np.full(len(block), value)

    def current(self, block: Block) -> np.ndarray:
        """Tell the current of the storage ring; see :meth:`standing`; mA."""
        return self.standing((CURRENT_NAME,), CURRENT, block)

    def count_time(self, e_idx: int, block: Block) -> np.ndarray:
        """Tell the time at each point.

        Parameters
        ----------
        e_idx : int
            See :meth:`energy`.
        block : Block
            The points.

        Returns
        -------
        numpy.ndarray
            (points,), float64, s: as it was asked for.
        """
        dwells = np.array(self.points.region.dwells)
        index = block.slow if self.points.layout.slow == "energy" else np.array([e_idx])
        if len(dwells) and index.max(initial=0) < len(dwells):
            return np.broadcast_to(dwells[index], len(block))
        return np.full(len(block), self.points.request.dwell)

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
        column = self._column(names)
        if column is not None and self.points.rows:
            values = np.ravel(column.read(slice(None)) * quantity.factor(column.units))
        else:
            reading = self.reading(names, quantity)
            values = np.empty(0) if reading is None else reading.values
        return values[np.isfinite(values)].astype(np.float64)

    def _said_by(self, region: Region) -> dict[str, _Scanned | tuple[str, ...]]:
        """Tell by field what says where it stood: an axis of the scan, or a device's names."""
        layout = self.points.layout
        found: dict[str, _Scanned | tuple[str, ...]] = {
            "sample_x": ("SampleX", "sample_x"),
            "sample_y": ("SampleY", "sample_y"),
        }
        if layout.dimensions == ("x",):
            found[layout.names(region)[0]] = _Scanned("x", region.x)
        else:
            slow = layout.slow if layout.fast not in ("line", "turn") else layout.fast
            found[f"{layout.plane}_x"] = _Scanned(layout.fast, region.x)
            found[f"{layout.plane}_y"] = _Scanned(slow, region.y)
        if region.zoneplate_z is not None and layout.slow == "z":
            found["zoneplate_z"] = _Scanned("z", region.zoneplate_z)
        return found

    def _tells(self, column: PartColumn, role: Role, axis: ScanAxis) -> bool:
        """Tell whether a column has the positions: one number of a line hasn't, if it moves."""
        moves = len(axis) > 1 and np.ptp(axis.setpoints) > 0
        along_slow = role == self.points.layout.slow
        return along_slow or not self.points.by_line or bool(column.row_shape) or not moves

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

    def _column(self, names: tuple[str, ...]) -> PartColumn | None:
        """Find a device in the primary stream."""
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

    def _values(self, column: PartColumn, quantity: Quantity, block: Block) -> np.ndarray:
        found = self.points.values(column, block).astype(np.float64)
        return found * quantity.factor(column.units)
