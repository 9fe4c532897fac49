"""Attributes that older readers of STXM files look for, beside those of NeXus."""

from __future__ import annotations

from typing import Any

import h5py

__all__ = ["add_older_attributes"]

#: By the letter of numpy's kind of type.
_CLASSES = {"f": "NX_FLOAT", "i": "NX_INT", "u": "NX_UINT", "b": "NX_BOOLEAN"}


def add_older_attributes(file: h5py.File) -> None:
    """Say what those files of the Canadian Light Source say that NeXus doesn't know.

    Parameters
    ----------
    file : h5py.File
        A finished file, open for writing: each dataset gets ``@NX_class``, such as
        ``"NX_FLOAT"``, and those with units ``@NX_units``; ``control`` gets what its data are to
        be plotted over; ``zoneplate`` is an NXfresnel_zone_plate.

    Notes
    -----
    Judges of NeXus files mind all that.
    Source: files of suitcase.nxstxm, and the program ``nxstxm_validator`` that reads them.
    """

    def add(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            item.attrs["NX_class"] = _CLASSES.get(item.dtype.kind, "NX_CHAR")
            if "units" in item.attrs:
                item.attrs["NX_units"] = item.attrs["units"]

    for entry in file.values():
        data: Any = entry[entry.attrs["default"]]
        control = entry["control"]
        for name, value in data.attrs.items():
            if name not in ("NX_class", "target"):
                control.attrs[name] = value
        for name in data:
            if name not in ("data", "stxm_scan_type", "count_time"):
                control[name] = data[name]
        if "zoneplate" in entry["instrument"]:
            entry["instrument/zoneplate"].attrs["NX_class"] = "NXfresnel_zone_plate"
    file.visititems(add)
