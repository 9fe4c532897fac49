"""What is known of each point besides its counts: positions, photon energy, ring current.

What wasn't measured is the set-point, or NaN.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..asked.layout import Role, field_name
from ..asked.request import Region, ScanAxis
from .devices import Devices
from .points import Block
from .quantities import CURRENT, ENERGY, LENGTH, NUMBER, known_units
from .reader import PartColumn

__all__ = ["PointFacts"]

#: Names of the devices that tell the photon energy, as acquisition programs have them.
ENERGY_NAMES = ("Mono_ev_fbk", "ENERGY")
CURRENT_NAME = "StorageRingCurrent"


class _Scanned(NamedTuple):
    """An axis of the scan, and along which dimension of the run's grid its set-points are."""

    role: Role
    axis: ScanAxis


class PointFacts(Devices):
    """What is known of the points of a run.

    Parameters
    ----------
    points : PartPoints
        Its points.
    """

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
        column = self.column((axis.positioner,))
        if column is not None and self._tells(column, role, axis):
            return self.values(column, LENGTH, block)
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
            column = self.column((said.axis.positioner,) if is_scanned else said)
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
            if self.column(names) is None and self.reading(names, NUMBER) is None:
                found.append(
                    f"{name} isn't known, and NaN stands there: no stream has "
                    f"{' or '.join(map(repr, names))}, or what rev_lu_dct has for it."
                )
        if self.points.layout.dimensions == ("x",):  # anything may be scanned
            scanned = []
        for axis in scanned:
            column = self.column((axis.positioner,))
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
        column = self.column((axis.positioner,))
        units = column.units if isinstance(column, PartColumn) else ""
        return LENGTH.units if LENGTH.knows(units) else known_units(units)

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
        column = self.column(ENERGY_NAMES)
        if column is not None:
            return self.values(column, ENERGY, block)
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
