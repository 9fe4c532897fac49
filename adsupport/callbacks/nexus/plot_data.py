"""The group of the plot: links to the values, or these put into the grid of the scan."""

from __future__ import annotations

from collections.abc import Mapping

import h5py
import numpy as np

from ..output.hdf5_values import member_name
from .grid import Grid
from .nx_group import link, targeted
from .plot import Plot, is_numeric

__all__ = ["write_plot"]


def write_plot(group: h5py.Group, plot: Plot, values: Mapping[str, h5py.Dataset]) -> None:
    """Fill an NXdata group.

    Of a scan along a line the values are linked.  Of a grid scan numbers are put into the
    grid's shape, arrays and images by reference to the values; an axis ``m`` has the means of
    the positions that were measured, and these are in ``m_positions``.

    Parameters
    ----------
    group : h5py.Group
        The group.
    plot : Plot
        What it shows.
    values : mapping of str to h5py.Dataset
        By data key: (rows, ...).
    """

    def name_of(key: str | None) -> str:
        if key is None:
            return "."
        return member_name(key) if key in values else key

    for key, item in values.items():
        if plot.grid is None or not is_numeric(item) or item.shape[0] != plot.grid.points:
            link(group, member_name(key), item)
        elif item.ndim > 1:
            _refer(group, key, item, plot.grid)
        else:
            _place(group, key, item, plot.grid, values)
    if plot.signal is None:
        return
    group.attrs["signal"] = name_of(plot.signal)
    if plot.auxiliary:
        group.attrs["auxiliary_signals"] = [name_of(key) for key in plot.auxiliary]
    if plot.axes:
        group.attrs["axes"] = [name_of(key) for key in plot.axes]
    for key, axis in plot.others.items():
        group.attrs[f"{name_of(key)}_indices"] = [axis]
    if plot.grid is not None:
        for axis, fields in enumerate(plot.grid.fields):
            group.attrs[f"{name_of(fields[0])}_indices"] = [axis]


def _place(
    group: h5py.Group,
    key: str,
    item: h5py.Dataset,
    grid: Grid,
    values: Mapping[str, h5py.Dataset],
) -> None:
    measured = item[()]
    placed = grid.ordered(measured)
    axis = next((index for index, each in enumerate(grid.fields) if key in each), None)
    if axis is None:
        _written(group, key, placed, item)
        return
    _written(group, key, grid.along(measured, axis), item)
    name = f"{key}_positions"
    if name not in values:
        _written(group, name, placed, item)
        group.attrs[f"{member_name(name)}_indices"] = list(range(placed.ndim))


def _written(group: h5py.Group, name: str, data: np.ndarray, source: h5py.Dataset) -> None:
    dataset = group.create_dataset(member_name(name), data=data)
    _describe(dataset, source)


def _describe(dataset: h5py.Dataset, source: h5py.Dataset) -> None:
    for name in ("units", "long_name", "missing_value"):
        if name in source.attrs:
            dataset.attrs[name] = source.attrs[name]
    targeted(dataset)


def _refer(group: h5py.Group, key: str, item: h5py.Dataset, grid: Grid) -> None:
    """Show arrays in the grid, without a copy of them."""
    source = h5py.VirtualSource(".", item.name, item.shape, item.dtype)
    layout = h5py.VirtualLayout((*grid.shape, *item.shape[1:]), item.dtype)
    spans = grid.spans()
    if len(spans) == grid.points // grid.shape[-1] and not any(grid.snaking[1:]):
        layout[...] = source
    else:
        for row, place, count in spans:
            *outer, first = (int(each) for each in np.unravel_index(place, grid.shape))
            if count == 1:
                layout[(*outer, first)] = source[row]
            else:
                layout[(*outer, slice(first, first + count))] = source[row : row + count]
    _describe(
        group.create_virtual_dataset(member_name(key), layout, fillvalue=item.fillvalue), item
    )
