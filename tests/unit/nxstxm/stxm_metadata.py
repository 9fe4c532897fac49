"""Metadata of synthetic STXM runs, in the form that existing acquisition programs write."""

from __future__ import annotations

import json
from typing import Any

from .stxm_scan import DWELL, FOCUS, PVS, STACKS, StxmScan


def roi(name: str, positioner: str, setpoints: Any = None) -> dict[str, Any]:
    """A dict of one axis of a region; without set-points one that isn't used."""
    used = setpoints is not None
    points = [float(each) for each in setpoints] if used else []
    first, last = (points[0], points[-1]) if points else (None, None)
    made = {
        "NAME": name, "ID": "BASE_ROI", "ID_VAL": -1, "ENABLED": used, "IS_POINT": False,
        "OFFSET": 0.0, "NPOINTS": len(points) if used else 50, "POSITIONER": positioner,
        "START": first, "STOP": last, "SRC": None, "TOP_LEVEL": False, "DATA_LEVEL": False,
        "SCAN_RES": "FINE" if used else None, "CENTER": None, "RANGE": None, "STEP": None,
    }  # fmt: skip
    if points:
        span = points[-1] - points[0]
        made["CENTER"], made["RANGE"] = points[0] + span / 2, span
        made["STEP"] = span / max(1, len(points) - 1)
        made["SETPOINTS"] = points
    return made


def none(name: str, points: int) -> dict[str, Any]:
    """A dict of an axis that there isn't."""
    zeros = dict.fromkeys(("CENTER", "RANGE", "START", "STEP", "STOP"), 0)
    return {**roi(name, "None"), "NPOINTS": points, "SETPOINTS": [], **zeros}


def rois(scan: StxmScan, region: int) -> dict[str, Any]:
    """The dict of a region."""
    fast, slow = scan.positioners
    focus = scan.z_setpoints() if scan.scan_type in FOCUS else None
    theta = scan.angles if scan.scan_type == 11 else None
    return {
        "X": roi("X", fast, scan.x_setpoints(region)),
        "Y": none("Y", 1) if scan.scan_type == 8 else roi("Y", slow, scan.y_setpoints(region)),
        "Z": none("Z", 0),
        "GONI": {**{axis: roi(f"GONI.{axis}", f"Goni{axis}") for axis in "XYZ"},
                 "T": roi("GONI.T", "GoniTheta", theta)},
        "OSA": {axis: roi(f"OSA.{axis}", f"OSA.{axis}") for axis in "XYZ"},
        "ZP": {axis: roi(f"ZP.{axis}", f"ZonePlate.{axis}", focus if axis == "Z" else None)
               for axis in "XYZ"},
        "EV_ROIS": energy_rois(scan),
    }  # fmt: skip


def energy_rois(scan: StxmScan) -> list[dict[str, Any]]:
    """Energies with the same dwell, together."""
    dwells = scan.dwells or (DWELL,) * len(scan.energies)
    groups: list[tuple[float, list[float]]] = []
    for energy, dwell in zip(scan.energies, dwells, strict=True):
        if not groups or groups[-1][0] != dwell:
            groups.append((dwell, []))
        groups[-1][1].append(energy)
    return [
        {
            **roi("EV", "ENERGY", points),
            "ID": "EV_ROI",
            "DWELL": dwell,
            "POL_ROIS": pol_rois(scan),
        }
        for dwell, points in groups
    ]


def pol_rois(scan: StxmScan) -> list[dict[str, Any]]:
    """The polarizations."""
    return [
        {"POL": code, "OFF": offset, "ANGLE": angle, "ID": "EPU_POL", "ID_VAL": -1, "NAME": "",
         "POL_POSITIONER": "EPUPolarization", "OFF_POSITIONER": "EPUOffset"}
        for code, angle, offset in scan.polarizations
    ]  # fmt: skip


def metadata(scan: StxmScan, **index: int) -> dict[str, Any]:
    """What ``start["metadata"]`` of a run says."""
    index = index or next(scan.indexes())
    regions = {str(sp_id): rois(scan, at) for at, sp_id in enumerate(scan.regions)}
    # the programs sort keys: only sp_id_lst tells which region is first
    regions = {key: regions[key] for key in sorted(regions)}
    if scan.scan_type in STACKS:
        asked: dict[str, Any] = {"SINGLE_LST": {
            "SP_ROIS": list(regions.values()), "POL_ROIS": pol_rois(scan),
            "DWELL": list(scan.dwells) or [DWELL] * len(scan.energies),
            "EV_ROIS": list(scan.energies)}}  # fmt: skip
    else:
        asked = {"CMND": 0, "SPATIAL_ROIS": regions}
    made = {
        "entry_name": "entry0", "scan_type": scan.scan_type, "sp_id_lst": list(scan.regions),
        "rois": regions, "dwell": DWELL, "wdg_com": json.dumps(asked),
        "primary_det": scan.counters[0] if scan.pvs else list(scan.counters),
        "zp_def": {"fl": -3648.24, "zpD": 250.0, "zpCStop": 100.0, "zpOZone": 25.0,
                   "zpA1": -5.067, "zp_idx": 7},
        "img_idx_map": json.dumps(scan.index_map(**index)),
        "rev_lu_dct": dict(PVS) if scan.pvs else {name: scan.key(name) for name in PVS},
    }  # fmt: skip
    if scan.sequence:
        every = {str(n): scan.index_map(**each) for n, each in enumerate(scan.indexes())}
        made["sequence_map"] = json.dumps(every)
    if scan.tells_snaking:
        made["snaking"] = scan.snaking
    return made
