"""Metadata as acquisition programs are known to write it; written by hand, and not to be changed.

Source: the documentation of suitcase.nxstxm, "Metadata dependancies", which tells what pyStxm
writes.
"""

from __future__ import annotations

import json
from typing import Any


def roi(name: str, positioner: str, *setpoints: float, **other: Any) -> dict[str, Any]:
    first, last = setpoints[0], setpoints[-1]
    steps = max(1, len(setpoints) - 1)
    return {
        "NAME": name, "ID": "BASE_ROI", "ID_VAL": -1, "CENTER": (first + last) / 2,
        "RANGE": last - first, "NPOINTS": len(setpoints), "ENABLED": True, "IS_POINT": False,
        "OFFSET": 0.0, "STEP": (last - first) / steps, "START": first, "STOP": last,
        "SETPOINTS": list(setpoints), "POSITIONER": positioner, "SRC": None, "TOP_LEVEL": False,
        "DATA_LEVEL": False, "SCAN_RES": "COARSE", **other,
    }  # fmt: skip


def idle_roi(name: str) -> dict[str, Any]:
    """An axis that the scan doesn't use."""
    return {
        "NAME": name, "ID": "BASE_ROI", "ID_VAL": -1, "CENTER": None, "RANGE": None,
        "NPOINTS": 50, "ENABLED": False, "IS_POINT": False, "OFFSET": 0.0, "STEP": None,
        "START": None, "STOP": None, "SETPOINTS": None, "POSITIONER": None, "SRC": None,
        "TOP_LEVEL": False, "DATA_LEVEL": False, "SCAN_RES": None,
    }  # fmt: skip


def pol_roi(code: float, offset: float = 0.0, angle: float = 0.0) -> dict[str, Any]:
    return {
        "NAME": "", "ID": "EPU_POL", "ID_VAL": -1, "POL": code, "OFF": offset, "ANGLE": angle,
        "POL_POSITIONER": "EPUPolarization", "OFF_POSITIONER": "EPUOffset",
    }  # fmt: skip


def ev_roi(dwell: float, *energies: float) -> dict[str, Any]:
    return {
        **roi("EV_ROI", "ENERGY", *energies),
        "ID": "EV_ROI",
        "DWELL": dwell,
        "POL_ROIS": [pol_roi(0, -1.5), pol_roi(5, 0.25, 30.0)],
    }


def region(x: dict[str, Any], y: dict[str, Any]) -> dict[str, Any]:
    return {
        "X": x, "Y": y, "Z": idle_roi("Z"),
        "GONI": {axis: idle_roi(f"GONI.{axis}") for axis in ("X", "Y", "Z", "T")},
        "OSA": {axis: idle_roi(f"OSA.{axis}") for axis in "XYZ"},
        "ZP": {axis: idle_roi(f"ZP.{axis}") for axis in "XYZ"},
        "EV_ROIS": [ev_roi(1.0, 700.0, 705.0), ev_roi(2.5, 710.0)],
    }  # fmt: skip


ROIS = {
    "0": region(roi("GONI.X", "GoniX", 583.0, 588.0, 593.0), roi("GONI.Y", "GoniY", 10.0, 12.0)),
    "1": region(roi("GONI.X", "GoniX", -4.0, -2.0), roi("GONI.Y", "GoniY", 1.0, 2.0, 3.0, 4.0)),
}
SINGLE_LST = {
    "SP_ROIS": list(ROIS.values()),
    "POL_ROIS": [pol_roi(0, -1.5), pol_roi(5, 0.25, 30.0)],
    "DWELL": [1.0, 1.0, 2.5],
    "EV_ROIS": [700.0, 705.0, 710.0],
}
#: An image stack of two regions, three energies and two polarizations, its last run.
STACK: dict[str, Any] = {
    "entry_name": "entry3",
    "scan_type": 7,
    "sp_id_lst": [0, 1],
    "rois": ROIS,
    "dwell": 2.5,
    "primary_det": "counter0",
    "zp_def": {
        "fl": -3955.3002, "zpD": 250.0, "zpCStop": 100.0, "zpOZone": 25.0, "zpA1": -5.067,
        "zp_idx": 7,
    },
    "wdg_com": json.dumps({"SINGLE_LST": SINGLE_LST}),
    "img_idx_map": json.dumps(
        {"e_idx": 2, "entry": "entry3", "sp_id": 1, "pol_idx": 1, "sp_idx": 1}
    ),
    "rev_lu_dct": {"GoniX": "IOC:m107", "GoniY": "IOC:m108", "ENERGY": "BL:ENERGY"},
}  # fmt: skip
#: A focus scan of the sample along a slanting line.
FOCUS: dict[str, Any] = {
    **STACK,
    "entry_name": "entry0",
    "scan_type": 3,
    "sp_id_lst": [0],
    "rois": {
        "0": {
            **region(
                roi("X", "SampleX", 0.0, 3.0, 6.0, 9.0), roi("Y", "SampleY", 0.0, 4.0, 8.0, 12.0)
            ),
            "ZP": {
                "X": idle_roi("ZP.X"),
                "Y": idle_roi("ZP.Y"),
                "Z": roi("ZP.Z", "ZonePlateZ.Z", -1000.0, 0.0, 1000.0),
            },
        }
    },
    "wdg_com": json.dumps({"CMND": 0, "SPATIAL_ROIS": {"0": {"EV_ROIS": [ev_roi(2.5, 780.0)]}}}),
    "img_idx_map": json.dumps(
        {"e_idx": 0, "entry": "entry0", "sp_id": 0, "pol_idx": 0, "sp_idx": 0}
    ),
}
#: What later versions of the program add: a map of the events of a run, and lists of counters.
LATER: dict[str, Any] = {
    **STACK,
    "primary_det": ["DNM_COUNTER_APD", "DNM_SIS3820"],
    "default_det": "DNM_COUNTER_APD",
    "sequence_map": json.dumps(
        {
            str(row): {"img_num": 0, "ev_idx": 0, "pol_num": 0, "row": row, "col": 0}
            for row in (0, 1)
        }
    ),
}
KNOWN = {"stack": STACK, "focus": FOCUS, "later": LATER}
