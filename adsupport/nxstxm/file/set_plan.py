"""Which runs make which entry: found before anything is written."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from ...errors import StxmDataError
from ...wording import counted
from ..asked.layout import LAYOUTS
from ..asked.request import RunIndex
from ..parts.about import PartAbout
from .entry_plan import EntryPlan
from .missing_runs import missing_runs

__all__ = ["plan_entries"]


def plan_entries(parts: Iterable[PartAbout]) -> tuple[list[EntryPlan], list[str], list[str]]:
    """Put runs together to entries.

    Parameters
    ----------
    parts : iterable of PartAbout
        All runs of the file, at least one.

    Returns
    -------
    entries : list of EntryPlan
        In the order of regions, polarizations, angles.
    missing : list of str
        What isn't there and should be, a phrase each.
    remarks : list of str
        What was left out, or wasn't measured, in sentences.

    Raises
    ------
    StxmDataError
        The runs don't belong together.
    """
    remarks: list[str] = []
    given = sorted(parts, key=lambda each: each.begun)
    _check_types(given)
    latest: dict[tuple[str, int], PartAbout] = {}
    for each in given:
        place = (each.request.index.entry, each.request.index.e_idx)
        other = latest.get(place)
        if other is not None:
            each, left = _better(other, each)
            remarks.append(
                f"Runs {left.uid} and {each.uid} are both energy {place[1]} of {place[0]}: the "
                f"first ({left.exit_status}) is left out."
            )
        latest[place] = each
    remarks += [
        f"Run {each.uid} ({each.exit_status}) hasn't all of its {math.prod(each.shape)} points: "
        "NaN stands for those that weren't measured."
        for each in latest.values()
        if not each.is_whole
    ]
    by_entry: dict[str, list[PartAbout]] = {}
    for each in sorted(latest.values(), key=lambda each: each.begun):
        by_entry.setdefault(each.request.index.entry, []).append(each)
    entries: list[EntryPlan] = []
    for name, found in by_entry.items():
        _check_shapes(name, found)
        entries += _entries(name, found)
    _check_names(entries)
    remarks += [text for name, found in by_entry.items() for text in _units_changed(name, found)]
    entries.sort(key=lambda each: (each.sp_id, each.index.pol_idx, _angle(each.index), each.name))
    return entries, missing_runs(given[0], list(latest.values())), remarks


def _units_changed(name: str, parts: Sequence[PartAbout]) -> list[str]:
    """Tell of columns that stand in the file as they came, in several units."""
    units: dict[str, set[str]] = {}
    for each in parts:
        for key, column in each.columns.items():
            units.setdefault(key, set()).add(column.units)
    return [
        f"{key!r} has other units in some runs of {name}, {', '.join(map(repr, sorted(found)))}: "
        "its values in the instrument are as they came."
        for key, found in units.items()
        if len(found) > 1
    ]


def _entries(name: str, parts: list[PartAbout]) -> list[EntryPlan]:
    request = parts[0].request
    if not LAYOUTS[request.scan_type].takes_turns:
        return [EntryPlan(name, request.index.sp_id, parts)]
    # A polarization has a run to itself: those behind the first need names of their own.
    suffix = f"_pol{request.index.pol_idx}" if request.index.pol_idx else ""
    return [
        EntryPlan(f"entry{sp_id}{suffix}", sp_id, parts, turn)
        for turn, sp_id in enumerate(request.regions)
    ]


def _better(first: PartAbout, second: PartAbout) -> tuple[PartAbout, PartAbout]:
    """Choose between two runs for one place: that with more of its points, else the later."""
    return (first, second) if _measured(first) > _measured(second) else (second, first)


def _measured(part: PartAbout) -> tuple[bool, int]:
    return part.is_whole, 0 if part.is_whole else sum(part.points)


def _check_types(parts: Sequence[PartAbout]) -> None:
    types = {each.request.scan_type: each for each in parts}
    if len(types) > 1:
        told = "; ".join(f"{each.uid}: {kind.name}" for kind, each in types.items())
        raise StxmDataError(
            f"Runs of different kinds of scans can't be in one file: {told}.",
            remedy="Export them with other file prefixes.",
        )
    kind = next(iter(types))
    entries = {each.request.index.entry for each in parts}
    if not LAYOUTS[kind].is_stack and len(entries) < len({each.uid for each in parts}):
        told = ", ".join(each.uid for each in parts)
        raise StxmDataError(
            f"A {kind.name} is one run, and {counted(len(parts), 'run')} came for entry "
            f"{', '.join(sorted(entries))}: {told}.",
            remedy="Export each with a file prefix of its own, or give them different entry names.",
        )


def _check_shapes(name: str, parts: Sequence[PartAbout]) -> None:
    shapes = {each.shape: each for each in parts}
    if len(shapes) > 1:
        told = "; ".join(f"{each.uid}: {shape[0]} x {shape[1]}" for shape, each in shapes.items())
        raise StxmDataError(
            f"The images of {name} differ in size: {told}.",
            remedy="Each region needs an entry of its own, in img_idx_map['entry'].",
        )
    regions = {each.request.index.sp_id for each in parts}
    if len(regions) > 1:
        raise StxmDataError(
            f"Regions {', '.join(map(str, sorted(regions)))} are all in {name}.",
            remedy="Each region needs an entry of its own, in img_idx_map['entry'].",
        )


def _check_names(entries: Sequence[EntryPlan]) -> None:
    names = [each.name for each in entries]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise StxmDataError(
            f"Several runs make an entry {', '.join(sorted(twice))}.",
            remedy="Give each polarization a pol_idx of its own in img_idx_map.",
        )


def _angle(index: RunIndex) -> float:
    return index.rotation_angle or 0.0
