"""Readers of NXstxm files that do as well-known programs do, to see that these could."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from nexusformat.nexus import nxload
from silx.io import nxdata

__all__ = ["MantisStack", "als_like", "default_plot", "mantis_like"]


@dataclass(frozen=True)
class MantisStack:
    """What MANTiS and the hyperspy loader take from an NXdata."""

    entry: str
    scan_type: str
    energies: np.ndarray
    x: np.ndarray
    y: np.ndarray
    dwells: np.ndarray
    data: np.ndarray
    ring_current: np.ndarray

    @property
    def normalized(self) -> np.ndarray:
        """Data as at the median of the ring current."""
        return self.data / (self.ring_current / np.nanmedian(self.ring_current))


def mantis_like(path: Path | str, detector: int = 0) -> list[MantisStack]:
    """Read each entry's n-th NXdata by name as MANTiS 3.3 does.

    It takes the first item of the definition and of the scan type, decodes the items of ``@axes``
    and puts data in the order x, y, energy; the data of a monitor likewise.  Of lines it knows
    horizontal ones.  Raises ValueError for what it can't show: other lines, and scans without
    sample_x in ``@axes``.
    """
    with h5py.File(path) as file:
        return [
            _mantis_stack(name, entry, detector)
            for name, entry in file.items()
            if entry.attrs.get("NX_class") in (b"NXentry", "NXentry")
            and entry["definition"][0].decode() == "NXstxm"
        ]


def _mantis_stack(name: str, entry: h5py.Group, detector: int) -> MantisStack:
    plots = [
        child
        for child in entry.values()
        if isinstance(child, h5py.Group) and child.attrs.get("NX_class") in (b"NXdata", "NXdata")
    ]
    plot = plots[detector]
    axes = [item.decode("UTF-8") for item in plot.attrs["axes"]]
    if "line_position" in axes:
        order = [axes.index("line_position"), axes.index("energy")]
        if np.unique(plot["sample_y"]).size > 1:
            raise ValueError("a line that isn't horizontal: sample_y changes")
    else:
        order = [axes.index("sample_x"), axes.index("sample_y")]
        order += [axes.index("energy")] if "energy" in axes else []
    signal: str = plot.attrs["signal"]
    return MantisStack(
        entry=name,
        scan_type=plot["stxm_scan_type"][0].decode(),
        energies=np.array(plot["energy"]),
        x=np.array(plot["sample_x"]),
        y=np.array(plot["sample_y"]),
        dwells=np.array(plot["count_time"]),
        data=np.transpose(np.array(plot[signal]), axes=order),
        ring_current=np.transpose(np.array(entry["control/data"]), axes=order),
    )


def als_like(path: Path | str, entry: str, counter: str) -> dict[str, Any]:
    """Read an image, or a stack's first one, as the program of the ALS starts with it.

    It gets the scan type, a frame, centre and extent in µm, energies and a dwell from a group that
    it knows by name.  Raises ValueError for data that aren't images.
    """
    with h5py.File(path) as file:
        start_time = file[f"{entry}/start_time"][()].decode()
        group = file[f"{entry}/{counter}"]
        kind = group["stxm_scan_type"][()][0]
        frame = np.asarray(group["data"][()], dtype=float)
        if frame.ndim == 3:
            frame = frame[0]
        if frame.ndim != 2:
            raise ValueError(f"data of {frame.ndim} dimensions are no image")
        found: dict[str, Any] = {"start_time": start_time, "scan_type": kind.decode()}
        for name in ("sample_x", "sample_y"):
            values = np.asarray(group[name][()], dtype=float).ravel()
            found[name] = (float(values.min() + values.max()) / 2, float(np.ptp(values)))
        energies = np.asarray(group["energy"][()], dtype=float).ravel()
        dwell = float(np.asarray(group["count_time"][()], dtype=float).ravel()[0])
        return {**found, "frame": frame, "energies": energies, "dwell": dwell}


def default_plot(path: Path | str) -> list[str]:
    """Find what silx and nexusformat plot when they're only given the file: names of its axes.

    Raises ValueError when one of these finds nothing, or something else than the other.
    """
    with h5py.File(path) as file:
        plot = nxdata.get_default(file, validate=True)
        if plot is None or not plot.is_valid:
            raise ValueError("silx finds nothing to plot")
        shape = plot.signal.shape
        axes = [name.split(" (")[0] for name in plot.axes_names]
    found = nxload(str(path)).plottable_data
    if found is None or found.nxsignal.shape != shape:
        raise ValueError("nexusformat finds nothing to plot")
    if [axis.nxname for axis in found.nxaxes] != axes:
        raise ValueError(f"nexusformat has other axes than {axes}")
    return axes
