"""Reads where a run's data belong in its set."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache

from .request import Region, RunIndex
from .scan_types import scan_types, stack_type_scans
from .tree import Place, Problems

__all__ = ["ENTRY_NAME", "read_index", "read_sequence"]

#: What NeXus lets a group be called; neither a path nor ``..``.
ENTRY_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]{0,200}[A-Za-z0-9_])?", re.ASCII)
_NAME_TOLD = "the name of an entry, such as entry0, of letters, digits and _"
_OWN = ("e_idx", "entry", "sp_id")


def read_index(top: Place, scan_type: scan_types, regions: Mapping[int, Region]) -> RunIndex | None:
    """Read the place of the run in its set.

    Parameters
    ----------
    top : Place
        The whole metadata.
    scan_type : scan_types
        The kind of scan.
    regions : mapping of int to Region
        As they were read.

    Returns
    -------
    RunIndex or None
        None, and noted, when it can't be told.
    """
    needed = scan_type in stack_type_scans
    meaning = f"where the run belongs: {', '.join(_OWN)}, pol_idx, sp_idx"
    found = top.need("img_idx_map", meaning) if needed else top.find("img_idx_map")
    name = top.find("entry_name")
    entry = None if name is None or name.value == "" else _entry(name)
    angle = _angle(top)
    first = next(iter(regions), 0)
    own = None
    if found is not None:
        # The run of point spectra is in the entries of all regions.
        any_will_do = scan_type == scan_types.SAMPLE_POINT_SPECTRA
        own = _own(found.parsed(), entry, needed, any_will_do)
    if own is None:
        return None if needed else RunIndex(entry or "entry0", first, rotation_angle=angle)
    default = None if needed else RunIndex(entry or "entry0", first)
    index = _index(own, default)
    if index is None or not regions:
        return None
    if index.sp_id not in regions:
        own.inner("sp_id", index.sp_id).wrong(f"a region that was read: {[*regions]}")
        return None
    _check_size(own, "e_idx", index.e_idx, len(regions[index.sp_id].energies), "energies")
    polarizations = regions[index.sp_id].polarizations
    _check_size(own, "pol_idx", index.pol_idx, len(polarizations), "polarizations")
    return replace(index, rotation_angle=angle) if index.rotation_angle is None else index


def read_sequence(top: Place, own: RunIndex | None) -> tuple[RunIndex, ...]:
    """Read the places of all runs of the set.

    Parameters
    ----------
    top : Place
        The whole metadata.
    own : RunIndex or None
        The run's own place, when it must be one of them.

    Returns
    -------
    tuple of RunIndex
        From ``sequence_map``, else from an ``img_idx_map`` of all runs; empty when neither tells
        them.
    """
    for key in ("sequence_map", "img_idx_map"):
        found = top.find(key)
        if found is None:
            continue
        if isinstance(found.value, str):
            sequence, problems = _sequence_of_text(found.value, found.path)
        else:
            sequence, problems = _sequence(found.value, found.path)
        top.problems.note_all(problems)
        if own is not None and sequence and not any(map(_same_place(own), sequence)):
            found.note(f"doesn't have the place of this run: {own}")
        if sequence:
            return sequence
    return ()


def _same_place(own: RunIndex) -> Callable[[RunIndex], bool]:
    """Compare with one place, but for the angle, which may be told elsewhere."""
    return lambda other: replace(other, rotation_angle=own.rotation_angle) == own


@lru_cache(maxsize=4)
def _sequence_of_text(text: str, path: str) -> tuple[tuple[RunIndex, ...], Problems]:
    """All runs of a set tell the same long sequence."""
    problems = Problems()
    found = Place(text, path, problems).parsed()
    sequence, more = _sequence(found.value, path)
    problems.note_all(more)
    return sequence, problems


def _sequence(value: object, path: str) -> tuple[tuple[RunIndex, ...], Problems]:
    problems = Problems()
    places = _all_runs(Place(value, path, problems))
    found = [_index(place, None) for place in places]
    return tuple(dict.fromkeys(each for each in found if each is not None)), problems


def _all_runs(place: Place) -> list[Place]:
    """List the places of a map of all runs, in their order; of anything else none.

    Programs also write a ``sequence_map`` that is about events.
    """
    value = place.value
    if isinstance(value, dict):
        keys = [key for key in value if key.isascii() and key.isdigit()]
        inner = [place.inner(key, value[key]) for key in sorted(keys, key=_in_order)]
    elif isinstance(value, list):
        inner = place.items()
    else:
        return []
    told = all(each.find("entry") for each in inner)
    return inner if told else []


def _in_order(key: str) -> tuple[int, str]:
    """Order texts of digits as numbers, however long they are."""
    digits = key.lstrip("0")
    return len(digits), digits


def _own(found: Place, entry: str | None, needed: bool, any_will_do: bool) -> Place | None:
    """Find the run's own place, also in a map of all runs where it can be told."""
    if found.value is None or not found.is_object():
        return None
    if found.find(*_OWN) is not None:
        return found
    fits = _all_runs(found)
    if entry is not None and len(fits) > 1:
        fits = [each for each in fits if _entry_of(each) == entry]
    if len(fits) == 1 or (fits and any_will_do):
        return fits[0]
    if found.value:
        found.wrong("the place of this run alone (e_idx, entry, sp_id)")
    elif needed:
        found.note(f"lacks {', '.join(_OWN)}")
    return None


def _entry_of(place: Place) -> object:
    found = place.find("entry")
    return None if found is None else found.value


def _index(place: Place, default: RunIndex | None) -> RunIndex | None:
    """Read a place; without a default the energy, the entry and the region must be told."""
    if default is None:
        for key in _OWN:
            place.need(key, "where the run belongs")
    name = place.find("entry")
    entry = _entry(name) if name is not None else default and default.entry
    numbers = {}
    for key in ("e_idx", "sp_id", "pol_idx", "sp_idx"):
        found = place.find(key)
        number = 0
        if found is not None:
            number = found.whole("a number of 0 or more")
        elif key == "sp_id" and default is not None:
            number = default.sp_id
        if number is None or (found is None and default is None and key in _OWN):
            return None
        numbers[key] = number
    return None if entry is None else RunIndex(entry, rotation_angle=_angle(place), **numbers)


def _entry(place: Place) -> str | None:
    if isinstance(place.value, str) and ENTRY_NAME.fullmatch(place.value):
        return place.value
    place.wrong(_NAME_TOLD)
    return None


def _angle(place: Place) -> float | None:
    found = place.find("rotation_angle")
    return None if found is None else found.number("an angle in degrees")


def _check_size(own: Place, key: str, number: int, size: int, what: str) -> None:
    if size and number >= size:
        own.inner(key, number).wrong(f"below {size}, as the region has {size} {what}")
