"""What the plot of a run shows: the signal, and the axes that fit it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import h5py

from ...documents.run import Run, Stream
from .grid import Grid, dimension_fields, find_grid, with_snaking

__all__ = ["Plot", "choose_plot", "is_numeric"]


@dataclass
class Plot:
    """A signal and its axes, as NXdata names them.

    Parameters
    ----------
    signal : str or None
        Data key; None when there is nothing to plot.
    axes : list of str or None
        Data key along each of the signal's dimensions, None where there is none; empty when
        no dimension has one.
    others : dict of str to int
        Data keys that go along a dimension beside its axis.
    auxiliary : list of str
        Data keys of other signals of the same shape.
    grid : Grid or None
        When the rows are points of a grid.
    notes : list of str
        What was asked for and isn't possible.
    """

    signal: str | None = None
    axes: list[str | None] = field(default_factory=list)
    others: dict[str, int] = field(default_factory=dict)
    auxiliary: list[str] = field(default_factory=list)
    grid: Grid | None = None
    notes: list[str] = field(default_factory=list)


def is_numeric(dataset: h5py.Dataset) -> bool:
    """Tell whether a dataset can be plotted.

    Parameters
    ----------
    dataset : h5py.Dataset
        Any.

    Returns
    -------
    bool
        False for text, and for arrays of varying length.
    """
    return dataset.dtype.kind in "biufc"


def choose_plot(
    run: Run,
    stream: Stream,
    found: Mapping[str, list[str]],
    values: Mapping[str, h5py.Dataset],
    *,
    signal: str | None = None,
    axes: Sequence[str] | None = None,
    fallback_axis: str | None = None,
) -> Plot:
    """Choose what to plot.

    Parameters
    ----------
    run : Run
        The run.
    stream : Stream
        Whose values are plotted.
    found : mapping of str to list of str
        Of :func:`~.signals.data_map`.
    values : mapping of str to h5py.Dataset
        By data key: (rows, ...).
    signal : str, optional
        Data key that was asked for; by default the first detector's.
    axes : sequence of str, optional
        Data keys that were asked for, one for each dimension; by default what the plan moved.
    fallback_axis : str, optional
        What goes along the rows when nothing was moved.

    Returns
    -------
    Plot
        Every axis in it exists, and is as long as its dimension.
    """
    plot = Plot()
    rows = stream.rows
    plottable = {
        key: item for key, item in values.items() if is_numeric(item) and item.shape[0] == rows
    }
    plot.signal = _signal(plot, found, plottable, signal)
    if plot.signal is None:
        return plot
    lines = {key: item for key, item in plottable.items() if item.ndim == 1 and key != plot.signal}
    wanted = _wanted(plot, axes, values)
    plot.grid = _grid(run, stream, found["motors"], lines, wanted)
    rank = plottable[plot.signal].ndim
    if plot.grid is not None:
        rank += len(plot.grid.shape) - 1
        for axis, fields in enumerate(plot.grid.fields):
            plot.axes.append(fields[0])
            plot.others.update(dict.fromkeys(fields[1:], axis))
    else:
        moved = wanted or [
            key for fields in dimension_fields(run, stream, found["motors"]) for key in fields
        ]
        fitting = [key for key in dict.fromkeys([*moved, *found["motors"]]) if key in lines]
        # Of a grid that wasn't filled the fast motor tells points apart.
        first = fitting[-1:] if not wanted and run.start.get("shape") else fitting[:1]
        plot.axes = [*first] or ([fallback_axis] if fallback_axis else [])
        plot.others = {key: 0 for key in fitting if key not in first}
        plot.notes += [
            f"The plot has no axis {key!r}: it must be a number in each row."
            for key in wanted
            if key not in fitting
        ]
    if plot.axes:
        plot.axes += [None] * (rank - len(plot.axes))
    taken = {plot.signal, *plot.axes, *plot.others}
    shape = plottable[plot.signal].shape
    plot.auxiliary = [
        key
        for key in found["detectors"]
        if key in plottable and key not in taken and plottable[key].shape == shape
    ]
    return plot


def _signal(
    plot: Plot,
    found: Mapping[str, list[str]],
    plottable: Mapping[str, h5py.Dataset],
    asked: str | None,
) -> str | None:
    if asked is not None:
        if asked in plottable:
            return asked
        plot.notes.append(f"The plot can't show {asked!r}: there are no such numbers.")
    motors = set(found["motors"])
    rest = [key for key in plottable if key not in motors]
    # Set points and the like aren't what the run was for.
    rest.sort(key=lambda key: key.endswith("setpoint"))
    candidates = [*found["detectors"], *rest, *found["motors"]]
    return next((key for key in candidates if key in plottable), None)


def _wanted(
    plot: Plot, axes: Sequence[str] | None, values: Mapping[str, h5py.Dataset]
) -> list[str]:
    given = [axes] if isinstance(axes, str) else list(axes or ())
    for key in given:
        if key not in values:
            plot.notes.append(f"The plot has no axis {key!r}: the run has no such data.")
    return [key for key in given if key in values]


def _grid(
    run: Run,
    stream: Stream,
    motors: Sequence[str],
    lines: Mapping[str, h5py.Dataset],
    wanted: Sequence[str],
) -> Grid | None:
    grid = find_grid(run, stream, motors, stream.rows)
    if grid is None:
        return None
    fields = [tuple(key for key in each if key in lines) for each in grid.fields]
    if len(wanted) == len(fields) and all(key in lines for key in wanted):
        fields = [
            (key, *(each for each in old if each != key))
            for key, old in zip(wanted, fields, strict=True)
        ]
    if not all(fields):
        return None
    grid = replace(grid, fields=tuple(fields))
    return with_snaking(grid, run, [lines[each[0]][()] for each in fields])
