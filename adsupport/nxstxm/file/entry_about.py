"""What an entry says besides its points: times, source, sample, optics, and the runs themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import h5py
import numpy as np

from ... import __version__
from ...callbacks.nexus.run_view import iso_time
from ...callbacks.output.hdf5_names import member_name
from ..asked.polarization import stokes_of
from ..asked.request import Polarization
from ..parts.facts import PointFacts
from ..parts.points import PartPoints
from ..parts.quantities import ANGLE, GAP, NO_UNITS, NUMBER, known_units
from ..parts.reader import PartReader
from .entry_plan import EntryPlan
from .fields import field, group, label

__all__ = ["write_about"]

#: Fields of NXfresnel_zone_plate by the names that acquisition programs have, with units.
_ZONE_PLATE = {
    "zpD": ("outer_diameter", "um"),
    "zpCStop": ("central_stop_diameter", "um"),
    "zpOZone": ("outermost_zone_width", "nm"),
}


def write_about(entry: h5py.Group, plan: EntryPlan) -> None:
    """Write what belongs to a whole entry.

    Parameters
    ----------
    entry : h5py.Group
        The entry.
    plan : EntryPlan
        What belongs to it.

    Raises
    ------
    StxmDataError
        A part is damaged.
    """
    with PartReader(plan.parts[0].path) as first:
        start, asked = first.run.start, first.request.text
    ended = max(each.ended for each in plan.parts)
    label(entry, "definition", "NXstxm", version="1.1")
    field(entry, "title", _text(start, ("title",)) or f"{plan.layout.label} {plan.name}")
    field(entry, "start_time", iso_time(plan.parts[0].begun))
    field(entry, "end_time", iso_time(ended))
    field(entry, "entry_identifier", plan.parts[0].uid)
    field(entry, "program_name", "adsupport", version=__version__)
    instrument: Any = entry["instrument"]
    source = group(instrument, "source", "NXsource")
    field(source, "type", "Synchrotron X-ray Source")
    field(source, "name", _text(start, ("facility", "source", "beamline_id")) or "unknown")
    field(source, "probe", "x-ray")
    _write_zone_plate(instrument, plan.request.zone_plate)
    sample = group(entry, "sample", "NXsample")
    name = _text(start, ("sample", "sample_name"))
    if name:
        field(sample, "name", name)
    collection = group(entry, "collection", "NXcollection")
    field(collection, "scan_request", asked)
    _write_runs(collection, plan)
    with _telling(plan) as part:
        facts = PointFacts(PartPoints(part))
        field(sample, "rotation_angle", np.array([_rotation(plan, facts)]), "degree")
        _write_polarization(instrument, sample, plan, facts)
        if "baseline" in part.streams:
            _write_baseline(collection, part)


def _telling(plan: EntryPlan) -> PartReader:
    """Open the first run that has a baseline, as not each needs one; else the first of all."""
    for each in plan.parts:
        part = PartReader(each.path, each.request)
        if "baseline" in part.streams:
            return part
        part.close()
    return PartReader(plan.parts[0].path, plan.request)


def _text(start: Mapping[str, Any], keys: tuple[str, ...]) -> str:
    for key in keys:
        found = start.get(key)
        if isinstance(found, Mapping):
            found = found.get("name")
        if isinstance(found, str) and found.strip():
            return found
    return ""


def _write_zone_plate(instrument: h5py.Group, given: Mapping[str, float]) -> None:
    if not given:
        return
    # No definition lets an NXfresnel_zone_plate be in an instrument; compat="cls" does.
    optics = group(instrument, "zoneplate", "NXcollection")
    field(optics, "description", "Fresnel zone plate")
    for key, (name, units) in _ZONE_PLATE.items():
        if key in given:
            field(optics, name, given[key], units)
    if "zpA1" in given:  # focal length in um, by powers of the energy in eV
        field(optics, "focus_parameters", np.array([0.0, given["zpA1"]]))


def _rotation(plan: EntryPlan, facts: PointFacts) -> float:
    """Tell the sample's angle: measured, else asked for; NaN when nobody knows."""
    measured = facts.value(("GoniTheta",), ANGLE)
    if np.isfinite(measured):
        return measured
    if plan.index.rotation_angle is not None:
        return plan.index.rotation_angle
    theta = plan.region.theta
    return float(theta.setpoints[0]) if theta is not None and len(theta) == 1 else np.nan


def _write_polarization(
    instrument: h5py.Group, sample: h5py.Group, plan: EntryPlan, facts: PointFacts
) -> None:
    gap = facts.value(("Epu_gap_fbk",), GAP)
    harmonic = facts.value(("Epu_harmonic",), NUMBER)
    if np.isfinite(gap) or np.isfinite(harmonic):
        device = group(instrument, "epu", "NXinsertion_device")
        field(device, "type", "undulator")
        if np.isfinite(gap):
            field(device, "gap", gap, GAP.units)
        if np.isfinite(harmonic):
            # NeXus' units of a bare number: none, but said
            field(device, "harmonic", round(harmonic)).attrs["units"] = ""
    vector = _stokes(plan, facts)
    if vector is not None:
        beam = group(sample, "beam", "NXbeam")
        field(beam, "incident_polarization_stokes", np.array([vector]), NO_UNITS)


def _stokes(plan: EntryPlan, facts: PointFacts) -> tuple[float, ...] | None:
    """Tell the polarization: measured, else asked for; None when nobody knows."""
    codes = plan.request.polarization_codes
    asked, place = plan.region.polarizations, plan.index.pol_idx
    wanted = asked[place] if place < len(asked) else None
    read = facts.readings(("EPUPolarization",), NUMBER)
    if len(read) and (read == read[0]).all():  # the mean of two numbers may mean a third one
        angle = facts.value(("Epu_pol_angle",), ANGLE)
        if np.isnan(angle) and wanted is not None and wanted.code == read[0]:
            angle = wanted.angle
        return stokes_of(Polarization(float(read[0]), angle), codes)
    return None if wanted is None else stokes_of(wanted, codes)


def _write_runs(collection: h5py.Group, plan: EntryPlan) -> None:
    runs = group(collection, "runs", "NXcollection")
    texts = h5py.string_dtype()
    columns: dict[str, list[str]] = {
        "uid": [each.uid for each in plan.parts],
        "exit_status": [each.exit_status for each in plan.parts],
        "start_time": [iso_time(each.begun) for each in plan.parts],
        "end_time": [iso_time(each.ended) for each in plan.parts],
    }
    for name, values in columns.items():
        runs.create_dataset(name, data=values, dtype=texts)
    field(runs, "e_idx", np.array([each.request.index.e_idx for each in plan.parts]))
    field(runs, "points", np.array([each.points[plan.turn or 0] for each in plan.parts]))
    problems = [f"{each.uid}: {text}" for each in plan.parts for text in each.problems]
    if problems:
        runs.create_dataset("problems", data=problems, dtype=texts)


def _write_baseline(collection: h5py.Group, part: PartReader) -> None:
    stream = part.streams["baseline"]
    baseline = group(collection, "baseline", "NXcollection")
    for key, column in stream.columns.items():
        if column.dataset.is_virtual:
            continue
        log = group(baseline, member_name(key), "NXlog")
        column.dataset.file.copy(column.dataset, log, "value", without_attrs=True)
        log["value"].attrs["units"] = known_units(column.units)
        field(log, "time", stream.stamps(key) - part.run.time, "s", start=iso_time(part.run.time))
