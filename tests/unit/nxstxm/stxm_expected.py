"""What the file of a synthetic STXM scan has to have, worked out point by point."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .stxm_runs import Documents
from .stxm_scan import DWELL, STACKS, StxmScan

LABELS = {
    0: "detector image", 1: "osa image", 2: "osa focus", 3: "sample focus",
    4: "sample point spectrum", 5: "sample line spectrum", 6: "sample image",
    7: "sample image stack", 8: "generic scan", 9: "sample image", 10: "sample image",
    11: "sample image stack", 12: "generic scan", 13: "sample image stack",
}  # fmt: skip
AXES = {
    0: ["detector_y", "detector_x"], 1: ["osa_y", "osa_x"],
    2: ["zoneplate_z", "line_position"], 3: ["zoneplate_z", "line_position"],
    4: ["energy"], 5: ["energy", "line_position"],
}  # fmt: skip
#: Positions that go with the second dimension of scans along a line.
COMPANIONS = {2: ["osa_x", "osa_y"], 3: ["sample_x", "sample_y"], 5: ["sample_x", "sample_y"]}


@dataclass(frozen=True)
class Point:
    """A point that was measured: which run, which of its events, and where."""

    run: int
    event: int
    e: int
    i: int
    j: int
    region: int
    pol: int
    angle: int


def count_events(documents: Documents) -> int:
    """How many primary events these are, one by one."""
    primary = {
        doc["uid"] for name, doc in documents if name == "descriptor" and doc["name"] == "primary"
    }
    return sum(name == "event" and doc["descriptor"] in primary for name, doc in documents)


def measured(scan: StxmScan, sent: Mapping[int, Documents]) -> dict[str, list[Point]]:
    """The points of each entry in the order of time, of runs by number in the scan."""
    found: dict[str, list[Point]] = defaultdict(list)
    for run, index in enumerate(scan.indexes()):
        left = count_events(sent[run]) if run in sent else 0
        event = 0
        for i in range(scan.rows):
            order = scan.order(i)
            for js in [order] if scan.lines else [[j] for j in order]:
                if event == left:
                    break
                for j in js:
                    place = dict(index)
                    if scan.scan_type in (4, 5):
                        place["e"] = i
                    if scan.scan_type == 4:
                        place["region"] = j
                    point = Point(run=run, event=event, i=i, j=j, **place)
                    found[scan.entry(point.region, point.pol, point.angle)].append(point)
                event += 1
    return dict(found)


class Expected:
    """What an entry has to have.

    Parameters
    ----------
    scan : StxmScan
        The scan.
    points : list of Point
        Those of the entry that were measured, in the order of time.
    region : int
        Its region, counted from 0.
    baselines : mapping of int to int
        How many readings of the baseline a run has.
    """

    def __init__(
        self, scan: StxmScan, points: list[Point], region: int, baselines: Mapping[int, int]
    ) -> None:
        self.scan, self.points, self.region, self.baselines = scan, points, region, baselines

    @property
    def axes(self) -> list[str]:
        """Names of the dimensions."""
        kind = self.scan.scan_type
        if kind == 8:
            return [self.scan.positioners[0].lower().replace(".", "_")]
        return AXES.get(kind, ["energy"] * (kind in STACKS) + ["sample_y", "sample_x"])

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the grid."""
        scan, sizes = self.scan, {"energy": len(self.scan.energies), "zoneplate_z": self.scan.nz}
        return tuple(
            sizes.get(axis, scan.ny if axis.endswith("_y") else scan.nx) for axis in self.axes
        )

    def place(self, point: Point) -> tuple[int, ...]:
        """Where on the grid a point is."""
        kind = self.scan.scan_type
        if kind in STACKS:
            return point.e, point.i, point.j
        if kind == 4:
            return (point.e,)
        return (point.j,) if kind == 8 else (point.i, point.j)

    def value(self, counter: int, point: Point) -> Any:
        """What a counter gave."""
        along = 0 if self.scan.scan_type == 4 else point.j
        e = point.e if self.scan.scan_type in STACKS else 0
        return self.scan.value(
            counter, point.i, along, e=e, region=point.region, pol=point.pol, angle=point.angle
        )

    def flat(self, counter: int) -> np.ndarray:
        """What a counter gave in the order of time."""
        return np.array([self.value(counter, point) for point in self.points])

    def grid(self, values: list[Any]) -> np.ndarray:
        """Values of the points on the grid; NaN where there are none."""
        found = np.full(self.shape, np.nan)
        for point, value in zip(self.points, values, strict=True):
            found[self.place(point)] = value
        return found

    def data(self, counter: int) -> np.ndarray:
        """A counter on the grid, with the counter's type if that's whole."""
        values = [self.value(counter, point) for point in self.points]
        found = self.grid(values)
        if np.isnan(found).any():
            return found
        exact = np.zeros(self.shape, np.asarray(values).dtype)
        for point, value in zip(self.points, values, strict=True):
            exact[self.place(point)] = value
        return exact

    def ring(self, point: Point) -> float:
        """Ring current."""
        if self.scan.ring == "primary":
            return self.scan.ring_at(point.run, point.event)
        known = self.scan.ring == "baseline" and self.baselines.get(point.run, 0)
        return 180.0 if known else np.nan

    def energy(self, point: Point) -> float:
        """Photon energy; readings before and after a run can't tell those of a spectrum."""
        scan, kind = self.scan, self.scan.scan_type
        ends = self.baselines.get(point.run, 0) == 2 and kind not in (4, 5)
        if scan.energy == "primary" or (scan.energy == "baseline" and ends):
            return float(scan.energy_at(point.e))
        return scan.energies[point.e]

    def x(self, point: Point) -> float:
        """Fast axis."""
        if self.scan.positions == "both":
            return float(self.scan.x_at(point.i, point.j, self._run_e(point), point.region))
        return float(
            self.scan.x_setpoints(point.region)[0 if self.scan.scan_type == 4 else point.j]
        )

    def y(self, point: Point) -> float:
        """Slow axis."""
        scan = self.scan
        along = scan.scan_type in (2, 3, 4, 5)
        if scan.positions == "both" or (scan.positions == "slow" and not along):
            return float(scan.y_at(point.i, point.j, self._run_e(point), point.region))
        at = (0 if scan.scan_type == 4 else point.j) if along else point.i
        return float(scan.y_setpoints(point.region)[at])

    def z(self, point: Point) -> float:
        """Position of the zone plate."""
        if self.scan.positions == "none":
            return float(self.scan.z_setpoints()[point.i])
        return float(self.scan.z_at(point.i, point.j))

    def _run_e(self, point: Point) -> int:
        return point.e if self.scan.scan_type in STACKS else 0

    def axis(self, what: str) -> np.ndarray:
        """Positions along an axis: means of what was measured there, else set-points."""
        scan = self.scan
        by_axis = {
            "energy": (self.energy, lambda p: p.e, np.array(scan.energies)),
            "z": (self.z, lambda p: p.i, scan.z_setpoints()),
            "y": (self.y, lambda p: p.i, scan.y_setpoints(self.region)),
            "x": (self.x, lambda p: p.j, scan.x_setpoints(self.region)),
        }
        if scan.scan_type in (2, 3, 5):
            by_axis["y"] = (self.y, lambda p: p.j, scan.y_setpoints(self.region))
        if scan.scan_type == 4:
            by_axis["x"] = (self.x, lambda p: 0, scan.x_setpoints(self.region))
            by_axis["y"] = (self.y, lambda p: 0, scan.y_setpoints(self.region))
        value, where, found = by_axis[what]
        gathered: dict[int, list[float]] = defaultdict(list)
        for point in self.points:
            gathered[where(point)].append(value(point))
        found = found.astype(float)
        for at, values in gathered.items():
            found[at] = np.mean(values)
        return found

    def field(self, name: str) -> np.ndarray:
        """A field of NXdata that is along a dimension."""
        if name == "line_position":
            x, y = self.axis("x"), self.axis("y")
            return np.hypot(x - x[0], y - y[0])
        if name == "energy":
            return self.axis("energy")
        if name == "zoneplate_z":
            return self.axis("z")
        return self.axis("y" if name.endswith("_y") else "x")

    def dwells(self) -> np.ndarray:
        """Count times of the energies, s."""
        return np.array(self.scan.dwells or (DWELL,) * len(self.scan.energies)) / 1000
