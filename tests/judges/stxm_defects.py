"""Defects of NXstxm files, one each, and which judges see it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import h5py
import numpy as np

__all__ = ["DEFECTS", "Defect"]

PLOT, DETECTOR, SOURCE = "counter0", "instrument/counter0", "instrument/source"


@dataclass(frozen=True)
class Defect:
    """What spoils an entry of this kind, and which judges find it."""

    spoil: Callable[[h5py.Group], object]
    nxvalidate: bool
    pynxtools: bool
    kind: str = "stack"
    rules: bool = True


def _replaced(entry: h5py.Group, path: str, value: object) -> None:
    attributes = dict(entry[path].attrs)
    del entry[path]
    entry[path] = value
    entry[path].attrs.update(attributes)


def _replace(path: str, value: object) -> Callable[[h5py.Group], object]:
    return lambda entry: _replaced(entry, path, value)


def _remove(path: str) -> Callable[[h5py.Group], object]:
    return lambda entry: entry.pop(path)


def _set(path: str, name: str, value: object) -> Callable[[h5py.Group], object]:
    return lambda entry: entry[path].attrs.__setitem__(name, value)


def _as_integers(path: str) -> Callable[[h5py.Group], object]:
    return lambda entry: _replaced(entry, path, entry[path][()].astype("i4"))


def _one_less(path: str) -> Callable[[h5py.Group], object]:
    return lambda entry: _replaced(entry, path, entry[path][:-1])


def _add(path: str, nx_class: str, **fields: object) -> Callable[[h5py.Group], object]:
    def spoil(entry: h5py.Group) -> None:
        group = entry.create_group(path)
        group.attrs["NX_class"] = nx_class
        for name, value in fields.items():
            group[name] = value
            group[name].attrs["units"] = ""

    return spoil


def _swap_axes(entry: h5py.Group) -> None:
    """Give an image as (x, y): it has as many points, and @axes agree with the shape."""
    plot = entry[PLOT]
    _replaced(entry, f"{PLOT}/data", plot["data"][()].T)
    _replaced(entry, "control/data", entry["control/data"][()].T)
    plot.attrs["axes"] = plot.attrs["axes"][::-1].copy()
    for name, dimension in (("sample_x", 0), ("sample_y", 1)):
        plot[name].attrs["axis"] = dimension + 1
        plot.attrs[f"{name}_indices"] = dimension


def _rename_counter(entry: h5py.Group) -> None:
    """Give the counter the name that an NXentry's NXnote has."""
    entry.move(PLOT, "notes")
    entry.move(DETECTOR, "instrument/notes")
    entry.attrs["default"] = "notes"


def _axes(*names: bytes) -> Callable[[h5py.Group], object]:
    return _set(PLOT, "axes", np.array(names))


DEFECTS: dict[str, Defect] = {
    # What the definition asks for isn't there, or there twice.
    "no energy in NXdata": Defect(_remove(f"{PLOT}/energy"), True, True, "image"),
    "no monochromator": Defect(_remove("instrument/monochromator"), True, True),
    "no detector's data": Defect(_remove(f"{DETECTOR}/data"), True, True),
    "no end time": Defect(_remove("end_time"), True, True),
    "no sample": Defect(_remove("sample"), True, False),
    "two sources": Defect(lambda entry: entry.copy(SOURCE, "instrument/ring"), True, False),
    # Values that it doesn't allow.
    "definition": Defect(_replace("definition", np.array([b"NXstx"])), True, True),
    "scan type": Defect(_replace(f"{PLOT}/stxm_scan_type", [b"SAMPLE IMAGE"]), True, True),
    "probe": Defect(_replace(f"{SOURCE}/probe", "xray"), True, True),
    "undulator": Defect(_replace("instrument/epu/type", "EPU"), True, True),
    "time without zone": Defect(_replace("start_time", "2026-11-22T04:00:00"), False, True),
    "whole numbers as energy": Defect(_as_integers("instrument/monochromator/energy"), True, True),
    "whole numbers as angle": Defect(_as_integers("sample/rotation_angle"), True, True),
    "text as data": Defect(_replace(f"{DETECTOR}/data", np.array([b"1"] * 60)), True, True),
    "units of another kind": Defect(
        _set("instrument/monochromator/energy", "units", "um"), False, True
    ),
    "no units": Defect(lambda entry: entry["sample/rotation_angle"].attrs.clear(), True, True),
    # Groups, fields and attributes that NeXus doesn't know; in a collection it takes all.
    "zone plate's class": Defect(_set("instrument/zoneplate", "NX_class", "NXzp"), True, True),
    "zone plate's place": Defect(
        _set("instrument/zoneplate", "NX_class", "NXfresnel_zone_plate"), True, True
    ),
    "another class's name": Defect(_rename_counter, True, False),
    "field of a detector": Defect(
        lambda entry: entry.create_dataset(f"{DETECTOR}/time", data=np.zeros(60)), True, True
    ),
    "attribute of a monitor": Defect(_set("control", "signal", "data"), True, True),
    "class of a dataset": Defect(_set("title", "NX_class", "NX_CHAR"), False, False),
    "sensor in a collection": Defect(
        _add("collection/motor", "NXsensor", value=1.0), False, True, rules=False
    ),
    # Shapes and axes.
    "points": Defect(_one_less("instrument/sample_x/data"), False, False),
    "points of the counter": Defect(_one_less(f"{DETECTOR}/data"), False, False),
    "control's shape": Defect(_replace("control/data", np.zeros(60)), False, False),
    "unknown axis": Defect(_axes(b"energy", b"sample_y", b"there"), True, False),
    "too few axes": Defect(_axes(b"sample_y", b"sample_x"), True, True),
    "axes of other sizes": Defect(_axes(b"sample_y", b"energy", b"sample_x"), False, False),
    "axes swapped": Defect(_swap_axes, False, False, "image"),
    "axis along a line": Defect(
        lambda entry: entry[f"{PLOT}/sample_y"].attrs.pop("axis"), False, False, "line"
    ),
    "axis number": Defect(_set(f"{PLOT}/sample_x", "axis", 1), False, False),
    "indices": Defect(_set(PLOT, "sample_x_indices", 0), False, True),
    "energy's length": Defect(_one_less(f"{PLOT}/energy"), False, True),
    "signal's name": Defect(_set(PLOT, "signal", "counts"), True, True),
    "another scan's axes": Defect(
        _replace(f"{PLOT}/stxm_scan_type", [b"sample image"]), False, False
    ),
    "invented value": Defect(
        lambda entry: entry[f"{PLOT}/data"].__setitem__((0, 0, 0), -1), False, False
    ),
}
