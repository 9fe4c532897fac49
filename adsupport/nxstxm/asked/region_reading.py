"""Reads the spatial regions of a scan from its metadata: positions, energies, polarizations."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from .request import Polarization, Region, ScanAxis
from .roi_points import points_of
from .scan_types import focus_scans, line_spec_scans, scan_types
from .tree import Place, Problems

__all__ = ["read_regions"]

_ALONG_A_LINE = (*focus_scans, *line_spec_scans)
#: What of the metadata is about regions.
_OF_REGIONS = ("rois", "sp_id_lst", "wdg_com")
#: Scans that may do without a slow axis.
_ONE_AXIS = (scan_types.SAMPLE_POINT_SPECTRA, scan_types.GENERIC_SCAN)


@dataclass
class _Beam:
    energies: list[float]
    dwells: list[float]
    polarizations: tuple[Polarization, ...]


def read_regions(top: Place, scan_type: scan_types) -> dict[int, Region]:
    """Read the regions of a scan.

    Parameters
    ----------
    top : Place
        The whole metadata.
    scan_type : scan_types
        The kind of scan.

    Returns
    -------
    dict of int to Region
        By number, in the order of ``sp_id_lst``; those that can't be read aren't in it, which is
        noted.
    """
    told = {key: top.value[key] for key in _OF_REGIONS if key in top.value}
    regions, problems = _regions_of_text(json.dumps(told), top.path, scan_type)
    top.problems.note_all(problems)
    return dict(regions)


@lru_cache(maxsize=4)
def _regions_of_text(
    text: str, path: str, scan_type: scan_types
) -> tuple[dict[int, Region], Problems]:
    """All runs of a set tell the same regions, with the energies of all of them."""
    problems = Problems()
    return _regions(Place(json.loads(text), path, problems), scan_type), problems


def _regions(top: Place, scan_type: scan_types) -> dict[int, Region]:
    rois = top.need("rois", "the regions by their numbers")
    if rois is None or not rois.is_object():
        return {}
    beams = _Beams(top)
    regions = {}
    numbers = _numbers(top, rois)
    for number in numbers:
        roi = rois.need(str(number), "a region that sp_id_lst names")
        if roi is None or not roi.is_object():
            continue
        region = _region(roi, number, scan_type, beams.of(number, roi, len(numbers) == 1))
        if region is not None:
            regions[number] = region
    return regions


def _numbers(top: Place, rois: Place) -> list[int]:
    expected = "the number of a region, 0 or more"
    listed = top.find("sp_id_lst")
    places = (
        listed.items()
        if listed is not None
        else [rois.inner(key, _whole_or_same(key)) for key in rois.value]
    )
    if not places:
        (listed or rois).wrong("one region or more")
    found = [place.whole(expected) for place in places]
    numbers = [number for number in found if number is not None]
    if listed is not None and len(set(numbers)) < len(numbers):
        listed.wrong("a list that names no region twice")
    return list(dict.fromkeys(numbers))


def _whole_or_same(key: str) -> int | str:
    """Read a key of a JSON object, which is a text."""
    return int(key) if key.isascii() and key.isdigit() and len(key) < 10 else key


def _region(roi: Place, number: int, scan_type: scan_types, beam: _Beam) -> Region | None:
    x = _axis(roi, "X", "the fast axis")
    if scan_type == scan_types.GENERIC_SCAN and _switched_off(roi.find("Y")):
        y: ScanAxis | None = ScanAxis("", np.empty(0))
    else:
        y = _axis(roi, "Y", "the slow axis", needed=scan_type not in _ONE_AXIS)
    if x is not None and y is not None and scan_type in _ALONG_A_LINE:
        x, y = _line(roi, x, y)
    zoneplate_z = None
    if scan_type in focus_scans:
        zone_plate = roi.need("ZP", "the ROIs of the zone plate")
        if zone_plate is not None and zone_plate.is_object():
            zoneplate_z = _axis(zone_plate, "Z", "where the zone plate moves")
        if zoneplate_z is None:
            return None
    if x is None or y is None:
        return None
    return Region(
        sp_id=number,
        x=x,
        y=y,
        zoneplate_z=zoneplate_z,
        theta=_theta(roi, scan_type),
        energies=tuple(beam.energies),
        dwells=tuple(beam.dwells),
        polarizations=beam.polarizations,
    )


def _axis(roi: Place, key: str, meaning: str, needed: bool = True) -> ScanAxis | None:
    """Read an axis, one without points where it isn't needed."""
    found = roi.need(key, meaning) if needed else roi.find(key)
    points = None if found is None else points_of(found, needed=needed)
    if points is None and not needed:
        points = np.empty(0)
    if points is None:
        return None
    return ScanAxis("" if found is None else _positioner(found), points)


def _positioner(roi: Place) -> str:
    found = roi.find("POSITIONER")
    if found is None or found.value == "":
        return ""
    return found.text("the name of a positioner") or ""


def _line(roi: Place, x: ScanAxis, y: ScanAxis) -> tuple[ScanAxis | None, ScanAxis | None]:
    """Both axes of a line have its points; one that stands still may have a single one."""
    if len(x) == len(y):
        return x, y
    if len(y) == 1:
        return x, ScanAxis(y.positioner, np.full(len(x), y.setpoints[0]))
    if len(x) == 1:
        return ScanAxis(x.positioner, np.full(len(y), x.setpoints[0])), y
    roi.note(f"has {len(x)} points in X and {len(y)} in Y, where a line has as many in both")
    return None, None


def _switched_off(roi: Place | None) -> bool:
    """Tell whether an ROI isn't used; then its numbers may contradict each other."""
    enabled = None if roi is None else roi.find("ENABLED")
    return enabled is not None and enabled.value is False


def _theta(roi: Place, scan_type: scan_types) -> ScanAxis | None:
    goniometer = roi.find("GONI")
    if goniometer is None or not goniometer.is_object():
        return None
    found = goniometer.find("T", "THETA")
    if scan_type != scan_types.TOMOGRAPHY_SCAN and _switched_off(found):
        return None
    points = None if found is None else points_of(found)
    return None if found is None or points is None else ScanAxis(_positioner(found), points)


class _Beams:
    """Energies, dwells and polarizations, wherever a program wrote them."""

    def __init__(self, top: Place) -> None:
        found = top.find("wdg_com")
        said = None if found is None else found.parsed()
        if said is not None and (said.value is None or not said.is_object()):
            said = None
        single = None if said is None else said.find("SINGLE_LST")
        self._single = None if single is None or not single.is_object() else single
        spatial = None if said is None else said.find("SPATIAL_ROIS")
        self._spatial = None if spatial is None or not spatial.is_object() else spatial

    def of(self, number: int, roi: Place, alone: bool) -> _Beam:
        """Read those of a region; what's told of all regions counts first if it's the only one."""
        region = self._spatial and self._spatial.find(str(number))
        own = [place for place in (region, roi) if place is not None]
        every = [place for place in (self._single,) if place is not None]
        for place in every + own if alone else own + every:
            rois = place.find("EV_ROIS")
            if rois is not None:
                beam = _beam(place, rois)
                if beam.energies:
                    return beam
        return _Beam([], [], () if self._single is None else _polarizations(self._single))


def _beam(place: Place, rois: Place) -> _Beam:
    """Read EV_ROIS: a list of energies, or of regions in energy."""
    parts = rois.items()
    if any(isinstance(part.value, dict) for part in parts):
        return _of_parts(parts)
    energies = rois.numbers("a list of energies in eV")
    energies = np.empty(0) if energies is None else energies
    dwells = np.empty(0)
    listed = place.find("DWELL", "DWELLS")
    if listed is not None:
        if isinstance(listed.value, (int, float)):
            listed = listed.inner(0, [listed.value])
        told = listed.numbers("a list of times in ms")
        dwells = np.empty(0) if told is None else told
        if (dwells < 0).any():
            listed.wrong("a list of times of 0 ms or more")
        if dwells.size == 1 and energies.size:
            dwells = np.full(energies.size, dwells[0])
        elif dwells.size and dwells.size != energies.size:
            listed.wrong(f"a list of {energies.size} times, one for each energy")
            dwells = np.empty(0)
    return _Beam(energies.tolist(), (dwells / 1000).tolist(), _polarizations(place))


def _of_parts(parts: list[Place]) -> _Beam:
    energies: list[float] = []
    dwells: list[float] = []
    polarizations: list[tuple[Polarization, ...]] = []
    for part in parts:
        points = points_of(part, needed=True)
        if points is None:
            continue
        energies += points.tolist()
        told = part.find("DWELL")
        dwell = told and told.number("a time of 0 ms or more", least=0)
        if dwell is not None:
            dwells += [dwell / 1000] * len(points)
        polarizations.append(_polarizations(part))
    if len(dwells) != len(energies):
        dwells = []
    # Parts with polarizations of their own have none that pol_idx could number.
    same = all(each == polarizations[0] for each in polarizations)
    return _Beam(energies, dwells, polarizations[0] if polarizations and same else ())


def _polarizations(place: Place) -> tuple[Polarization, ...]:
    listed = place.find("POL_ROIS")
    if listed is None:
        return ()
    found = []
    for each in listed.items():
        if not each.is_object():
            return ()
        code = each.need("POL", "the polarization's number")
        number = code and code.number("the polarization's number")
        if number is None:
            return ()
        found.append(Polarization(number, _of(each, "ANGLE"), _of(each, "OFF")))
    return tuple(found)


def _of(place: Place, key: str) -> float:
    found = place.find(key)
    number = None if found is None else found.number("a finite number")
    return 0.0 if number is None else number
