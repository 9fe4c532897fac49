"""One entry: the points of its runs, in the order of time and on the grid."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import h5py
import numpy as np

from ..asked.layout import field_name
from ..parts.facts import PointFacts
from ..parts.points import Block, PartPoints
from ..parts.quantities import ENERGY, LENGTH, NO_UNITS, known_units
from ..parts.reader import PartReader
from .arrays import AxisMean, FlatArray, GridArray
from .entry_about import write_about
from .entry_plan import EntryPlan
from .fields import described, field, group, label, plot
from .frame_links import link_frames
from .packed_chunks import ChunkPacker
from .steady_array import SteadyArray
from .steady_grid import SteadyGrid

__all__ = ["EntryWriter"]

_FLOAT = np.dtype(np.float64)
#: What an instrument has that is no column.
_OF_INSTRUMENT = ("source", "monochromator", "zoneplate", "epu", "sample_x", "sample_y")
#: Stands for the ring current among data keys, which aren't empty.
CONTROL = ""


class EntryWriter:
    """Write an entry.

    Parameters
    ----------
    root : h5py.Group
        Where.
    plan : EntryPlan
        What belongs to it.
    progress : callable
        Called without arguments for each run that has been written.
    """

    def __init__(
        self, root: h5py.Group, plan: EntryPlan, progress: Callable[[], None] = lambda: None
    ) -> None:
        self.plan, self._progress = plan, progress
        self._layout, self._region = plan.layout, plan.region
        self.entry = group(root, plan.name, "NXentry")
        self._instrument = group(self.entry, "instrument", "NXinstrument")
        self._columns: dict[str, FlatArray | SteadyArray | None] = {}
        self._grids: dict[str, GridArray] = {}
        self._facts: dict[str, SteadyArray] = {}
        self._count_times: list[SteadyArray] = []
        self._steadies: list[SteadyArray] = []
        self._packer = ChunkPacker()
        self._means: dict[str, AxisMean] = {}
        self._units_of = {"energy": ENERGY.units}  # of fields that aren't lengths
        self.names = _counter_names(plan.counters)

    def write(self) -> None:
        """Write all of it.

        Raises
        ------
        StxmDataError
            A part is damaged, or the runs don't belong together.
        OSError
            The file can't be written, or a part read.
        """
        plan = self.plan
        self._make_arrays()
        for about in plan.parts:
            with PartReader(about.path, about.request) as part:
                self._add(part, about.request.index.e_idx)
            self._progress()
        for each in self._steadies:
            each.close()
        self._write_plots()
        write_about(self.entry, plan)
        self.entry.attrs["default"] = next(iter(self.names.values()))

    # arrays

    def _make_arrays(self) -> None:
        plan = self.plan
        control = group(self.entry, "control", "NXmonitor")
        mono = group(self._instrument, "monochromator", "NXmonochromator")
        self._facts["energy"] = self._flat(mono, "energy", ENERGY.units)
        same = set.intersection(*(set(each.as_they_are) for each in plan.parts))
        for name in ("sample_x", "sample_y"):
            device = group(self._instrument, name, "NXdetector")
            for key in (each for each in same if field_name(each) == name):
                field(device, "local_name", key)  # and needs no place besides
            self._facts[name] = self._flat(device, "data", LENGTH.units)
        for key, name in self.names.items():
            about = plan.column(key)
            dtype = np.zeros(1, about.dtype).sum().dtype if about.shape else about.dtype
            data = group(self.entry, name, "NXdata")
            is_whole = plan.is_whole and all(key in each.columns for each in plan.parts)
            self._grids[key] = GridArray(data, "data", plan.shape, dtype, is_whole)
        self._grids[CONTROL] = SteadyGrid(
            control, "data", plan.shape, _FLOAT, plan.is_whole, self._packer
        )
        described(self._grids[CONTROL].dataset, "mA")
        known = {key for each in plan.parts for key in each.columns}
        has_place = {*self.names, *same}
        others = [key for each in plan.parts for key in each.columns if key not in has_place]
        for key in dict.fromkeys([*self.names, *others]):
            if key in known:
                self._columns[key] = self._detector(key)
        sizes = dict(zip(self._layout.dimensions, plan.shape, strict=True))
        for role, size in sizes.items():
            for name in self._along(role):
                self._means[name] = AxisMean(size)
        for name in ("energy", "sample_x", "sample_y"):
            self._means.setdefault(name, AxisMean(1))

    def _flat(self, parent: h5py.Group, name: str, units: str) -> SteadyArray:
        flat = self._steady(parent, name, _FLOAT)
        described(flat.dataset, units)
        return flat

    def _steady(
        self, parent: h5py.Group, name: str, dtype: np.dtype, shape: tuple[int, ...] = ()
    ) -> SteadyArray:
        plan = self.plan
        of_run = max(each.points[plan.turn or 0] for each in plan.parts)
        made = SteadyArray(parent, name, plan.points, dtype, self._packer, shape, of_run)
        self._steadies.append(made)
        return made

    def _detector(self, key: str) -> FlatArray | SteadyArray | None:
        """Make the group of a column, which a linked one fills at once."""
        about = self.plan.column(key)
        name = self.names.get(key) or self._free(field_name(key))
        device = group(self._instrument, name, "NXdetector")
        field(device, "local_name", key)
        if key in self.names:
            self._count_times.append(self._flat(device, "count_time", "s"))
        units = self._units(key)
        if about.units and about.units != units:
            field(device, "description", f"in {about.units}")
        linked = link_frames(self.plan, key, device)
        if linked is not None:
            described(linked, units)
            return None
        whole = all(key in each.columns or not any(each.points) for each in self.plan.parts)
        dtype = about.dtype if whole else _FLOAT
        if key in self.names:
            flat = FlatArray(device, "data", self.plan.points, dtype, about.shape)
        else:
            flat = self._steady(device, "data", dtype, about.shape)
        described(flat.dataset, units)
        return flat

    def _units(self, key: str) -> str:
        units = self.plan.column(key).units
        return known_units(units) if units else "counts" if key in self.names else NO_UNITS

    def _free(self, name: str) -> str:
        while name in self._instrument or name in (*_OF_INSTRUMENT, *self.names.values()):
            name += "_"
        return name

    def _along(self, role: str) -> tuple[str, ...]:
        """Name the fields with a value for each place along a dimension."""
        plane = self._layout.plane
        match role:
            case "line":
                return (f"{plane}_x", f"{plane}_y")
            case "z":
                return ("zoneplate_z",)
            case "energy":
                return ("energy",)
            case "x" if self._layout.dimensions == ("x",):
                return self._layout.names(self._region)
        return (f"{plane}_{role}",)

    # points

    def _add(self, part: PartReader, e_idx: int) -> None:
        points = PartPoints(part)
        facts = PointFacts(points)
        image = e_idx if self._layout.is_stack else None
        for block in points.blocks():
            chosen = None if self.plan.turn is None else block.fast == self.plan.turn
            place = block if chosen is None else _turn_of(block, chosen)
            width = points.shape[1] if chosen is None else 1
            for key, flat in self._columns.items():
                self._add_column(points, key, flat, block, place, chosen, width, image)
            self._add_facts(facts, block, place, chosen, e_idx)
            current = _only(facts.current(block), chosen)
            self._grids[CONTROL].add(current, place, width, image)

    def _add_column(
        self, points: PartPoints, key: str, flat: FlatArray | SteadyArray | None, block: Block,
        place: Block, chosen: np.ndarray | None, width: int, image: int | None,
    ) -> None:  # fmt: skip
        column = points.columns.get(key)
        if column is None or not points.fits(column):
            if flat is not None:
                flat.add(np.full((len(place), *flat.dataset.shape[1:]), np.nan))
            return
        if flat is None and key not in self._grids:
            return
        values = _only(points.values(column, block), chosen)
        if flat is not None:
            flat.add(values)
        if key in self._grids:
            summed = values.reshape(len(values), -1).sum(axis=1) if values.ndim > 1 else values
            self._grids[key].add(summed, place, width, image)

    def _add_facts(
        self, facts: PointFacts, block: Block, place: Block, chosen: np.ndarray | None, e_idx: int
    ) -> None:
        region = self._region
        found = {"energy": facts.energy(e_idx, block), **facts.positions(region, block)}
        if self._layout.dimensions == ("x",):
            x_name = self._layout.names(region)[0]
            self._units_of.setdefault(x_name, facts.axis_units(region.x))
        count_time = _only(facts.count_time(e_idx, block), chosen)
        for flat in self._count_times:
            flat.add(count_time)
        for name, flat in self._facts.items():
            flat.add(_only(found[name], chosen))
        for name, mean in self._means.items():
            self._add_to_mean(mean, self._role(name), _only(found[name], chosen), place, e_idx)

    def _role(self, name: str) -> str:
        """Tell along which dimension a field has values; none if it's a single one."""
        return next((each for each in self._layout.dimensions if name in self._along(each)), "")

    def _add_to_mean(
        self, mean: AxisMean, role: str, values: np.ndarray, block: Block, e_idx: int
    ) -> None:
        layout = self._layout
        if not role or (layout.is_stack and role == "energy"):
            mean.add(values, np.full(len(block), e_idx if role else 0))
            return
        is_slow = role == layout.slow
        if block.is_full:
            lines = values.reshape(block.last - block.first, -1)
            mean.add_lines(lines, block.first, is_slow)
        else:
            mean.add(values, block.slow if is_slow else block.fast)

    # plots

    def _write_plots(self) -> None:
        layout = self._layout
        axes = layout.names(self._region)
        places = {
            name: place
            for place, role in enumerate(layout.dimensions)
            for name in self._along(role)
        }
        values = {name: mean.mean(self._planned(name)) for name, mean in self._means.items()}
        if "line" in layout.dimensions:
            x, y = (values[f"{layout.plane}_{each}"] for each in "xy")
            values["line_position"] = _along_line(x, y)
            places["line_position"] = layout.dimensions.index("line")
        count_time = self._planned_times()
        for key, grid in self._grids.items():
            if key == CONTROL:
                continue
            parent: Any = grid.dataset.parent
            for name, each in values.items():
                field(parent, name, each, self._units_of.get(name, LENGTH.units))
            label(parent, "stxm_scan_type", layout.label)
            field(parent, "count_time", count_time, "s")
            described(grid.dataset, self._units(key), long_name=key)
            plot(parent, axes, places)

    def _planned(self, name: str) -> np.ndarray:
        """Tell the set-points of a field, for places where nothing was measured."""
        size = len(self._means[name].mean(np.array(np.nan)))
        region, plane = self._region, self._layout.plane
        planned = {
            "energy": np.array(region.energies),
            f"{plane}_x": region.x.setpoints,
            f"{plane}_y": region.y.setpoints,
        }
        if region.zoneplate_z is not None:
            planned["zoneplate_z"] = region.zoneplate_z.setpoints
        if self._layout.dimensions == ("x",):
            planned[self._layout.names(region)[0]] = region.x.setpoints
        found = planned.get(name, np.empty(0))
        return found if len(found) == size else np.full(size, np.nan)

    def _planned_times(self) -> np.ndarray:
        size, request = self.plan.energies, self.plan.request
        dwells = np.array(self._region.dwells)
        return dwells if len(dwells) == size else np.full(size, request.dwell)


def _only(values: np.ndarray, chosen: np.ndarray | None) -> np.ndarray:
    return values if chosen is None else values[chosen]


def _turn_of(block: Block, chosen: np.ndarray) -> Block:
    """Take the points of one of the regions that take turns: one for each energy."""
    slow = block.slow[chosen]
    full = len(slow) == block.last - block.first and bool((np.diff(slow) == 1).all())
    return Block(
        block.rows, block.times[chosen], slow, np.zeros_like(slow), block.first, block.last, full
    )


def _along_line(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Tell the distance from a line's first point; an axis that nobody knows doesn't count."""
    return np.hypot(np.nan_to_num(x - x[0]), np.nan_to_num(y - y[0]))


def _counter_names(keys: list[str]) -> dict[str, str]:
    """Give each counter's groups a name that no other group has."""
    taken = {"control", "instrument", "sample", "collection", *_OF_INSTRUMENT}
    taken |= {"title", "definition", "entry_identifier", "start_time", "end_time", "program_name"}
    taken |= {"notes", "thumbnail", "experiment_documentation"}  # NeXus has these for NXnote
    names: dict[str, str] = {}
    for key in keys:
        name = field_name(key)
        while name in taken:
            name += "_"
        taken.add(name)
        names[key] = name
    return names
