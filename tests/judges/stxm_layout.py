"""The shapes and axes of an NXstxm entry, as the words of its definition have them."""

from __future__ import annotations

from collections.abc import Iterator

import h5py
import numpy as np

from .nx_values import is_of, strings_of
from .nxdl_rules import children_of

__all__ = ["layout_faults"]

#: What each scan type has along its dimensions: a name, or names that share a line.
LINE = ("sample_x", "sample_y")
OSA_LINE = ("osa_x", "osa_y")
DIMENSIONS: dict[str, list[str | tuple[str, str]]] = {
    "sample point spectrum": ["energy"],
    "sample line spectrum": ["energy", LINE],
    "sample image": ["sample_y", "sample_x"],
    "sample image stack": ["energy", "sample_y", "sample_x"],
    "sample focus": ["zoneplate_z", LINE],
    "osa image": ["osa_y", "osa_x"],
    "osa focus": ["zoneplate_z", OSA_LINE],
    "detector image": ["detector_y", "detector_x"],
}
POSITIONS = ("NX_LENGTH", "NX_ANGLE")


def layout_faults(entry: h5py.Group) -> Iterator[str]:
    """Say what in an entry's arrays contradicts the rest of it."""
    plots = [plot for plot in children_of(entry, "NXdata") if _signal(plot) is not None]
    if len(plots) < len(children_of(entry, "NXdata")) or not plots:
        yield f"{entry.name}: an NXdata whose @signal names none of its fields"
    for plot in plots:
        yield from _plot_faults(plot)
    shapes = {_shape(plot) for plot in plots}
    if len(shapes) > 1:
        yield f"{entry.name}: NXdata groups of different shapes {sorted(shapes)}"
    control = entry.get("control/data")
    if control is not None and control.shape not in shapes:
        yield f"{control.name}: shape {control.shape}, not that of NXdata {sorted(shapes)}"
    yield from _point_faults(entry, plots)


def _signal(plot: h5py.Group) -> h5py.Dataset | None:
    name = plot.attrs.get("signal", "")
    field = plot.get(name) if name else None
    return field if isinstance(field, h5py.Dataset) else None


def _shape(plot: h5py.Group) -> tuple[int, ...]:
    signal = _signal(plot)
    return () if signal is None else signal.shape


def _plot_faults(plot: h5py.Group) -> Iterator[str]:
    shape = _shape(plot)
    axes = [
        axis.decode() if isinstance(axis, bytes) else str(axis)
        for axis in np.atleast_1d(plot.attrs.get("axes", []))
    ]
    if len(axes) != len(shape):
        yield f"{plot.name}@axes: {axes} for data of shape {shape}"
    for dimension, name in enumerate(axes):
        if name not in plot:
            yield f"{plot.name}@axes: there's no {name}"
        elif _dimension(plot[name]) != dimension:
            yield f"{plot[name].name}@axis: {_dimension(plot[name])} + 1 where @axes says otherwise"
    for name, field in plot.items():
        if field.name != f"{plot.name}/{plot.attrs['signal']}" and field.dtype.kind in "iuf":
            yield from _coordinate_faults(plot, name, field, shape)
    yield from _scan_faults(plot, axes)


def _dimension(field: h5py.Dataset) -> int | None:
    return int(field.attrs["axis"]) - 1 if "axis" in field.attrs else None


def _coordinate_faults(
    plot: h5py.Group, name: str, field: h5py.Dataset, shape: tuple[int, ...]
) -> Iterator[str]:
    dimension = _dimension(field)
    indices = plot.attrs.get(f"{name}_indices")
    if field.ndim != 1:
        yield f"{field.name}: shape {field.shape}, not one dimension"
    elif dimension is None:
        # The exposure times go with the energies.
        length = plot["energy"].size if name == "count_time" and "energy" in plot else 1
        if field.size != length:
            yield f"{field.name}: {field.size} values without @axis, {length} expected"
    elif not 0 <= dimension < len(shape) or field.size != shape[dimension]:
        yield f"{field.name}@axis: {field.size} values along dimension {dimension} of {shape}"
    if dimension != (None if indices is None else int(indices)):
        yield f"{plot.name}@{name}_indices: {indices}, @axis is {dimension} + 1"
    yield from _coordinate_units_faults(name, field)


def _coordinate_units_faults(name: str, field: h5py.Dataset) -> Iterator[str]:
    """The definition gives none for NXdata's fields: those of what they are hold."""
    categories = {"energy": ("NX_ENERGY",), "count_time": ("NX_TIME",)}.get(name, POSITIONS)
    units = str(field.attrs.get("units", "none"))
    if not any(is_of(units, category) for category in categories):
        yield f"{field.name}@units: {units!r} isn't {' or '.join(categories)}"


def _scan_faults(plot: h5py.Group, axes: list[str]) -> Iterator[str]:
    scan_type = plot.get("stxm_scan_type")
    kind = strings_of(scan_type)[0] if isinstance(scan_type, h5py.Dataset) else ""
    wanted = DIMENSIONS.get(kind)
    if wanted is None:
        return
    if len(wanted) != len(axes):
        yield f"{plot.name}: {kind} with the axes {axes}"
        return
    for dimension, names in enumerate(wanted):
        if isinstance(names, str):
            if axes[dimension] != names:
                yield f"{plot.name}@axes: {kind} has {names} where this has {axes[dimension]}"
            continue
        if axes[dimension] not in ("line_position", *names):
            yield f"{plot.name}@axes: {kind} has a line where this has {axes[dimension]}"
        for name in names:
            if name not in plot or _dimension(plot[name]) != dimension:
                yield f"{plot.name}/{name}: not along the line, dimension {dimension}"


def _point_faults(entry: h5py.Group, plots: list[h5py.Group]) -> Iterator[str]:
    """All chronological arrays have a value for each point, and the grids have just those."""
    lengths: dict[str, int] = {}
    for instrument in children_of(entry, "NXinstrument"):
        flat = [
            group[name]
            for nx_class, names in (
                ("NXmonochromator", ("energy",)),
                ("NXdetector", ("data", "count_time")),
            )
            for group in children_of(instrument, nx_class)
            for name in names
            if isinstance(group.get(name), h5py.Dataset)
        ]
        lengths |= {each.name: each.shape[0] if each.ndim else 0 for each in flat}
        for plot in plots:
            yield from _grid_faults(plot, instrument.get(plot.name.rpartition("/")[2]))
    if len(set(lengths.values())) > 1:
        yield f"{entry.name}: nP isn't one number: {lengths}"


def _grid_faults(plot: h5py.Group, detector: h5py.Group | None) -> Iterator[str]:
    if detector is None or "data" not in detector:
        yield f"{plot.name}: no NXdetector of this name with its points"
        return
    grid, flat = plot[str(plot.attrs["signal"])][()], detector["data"][()]
    # An image a point is summed or so for the grid; what isn't a number is found elsewhere.
    if flat.ndim == 1 and all(each.dtype.kind in "iuf" for each in (grid, flat)):
        on_grid, measured = (np.sort(each[~np.isnan(each)].ravel()) for each in (grid, flat))
        if not np.array_equal(on_grid, measured):
            yield f"{plot.name}: the grid's values aren't those that {detector.name} measured"
