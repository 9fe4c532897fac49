"""How many runs a scan has, and which of them haven't come."""

from __future__ import annotations

from collections.abc import Sequence

from ...wording import counted
from ..asked.layout import LAYOUTS
from ..asked.request import Region, ScanRequest
from ..asked.scan_types import scan_types
from ..parts.about import PartAbout

__all__ = ["missing_runs", "runs_of_set"]

_MOST_LISTED = 12


def runs_of_set(request: ScanRequest) -> int | None:
    """Tell how many runs make a file.

    Parameters
    ----------
    request : ScanRequest
        What one of them was asked for.

    Returns
    -------
    int or None
        None when its metadata don't tell.
    """
    if not LAYOUTS[request.scan_type].is_stack:
        return 1
    if request.sequence:
        return len(request.sequence)
    counts = [
        len(each.energies) * max(1, len(each.polarizations)) * _angles(request, each)
        for each in request.regions.values()
    ]
    return sum(counts) if all(counts) else None


def missing_runs(first: PartAbout, parts: Sequence[PartAbout]) -> list[str]:
    """Tell what hasn't come.

    Parameters
    ----------
    first : PartAbout
        The first run, by whose metadata the whole set is known.
    parts : sequence of PartAbout
        Those that have come.

    Returns
    -------
    list of str
        A phrase each.
    """
    request = first.request
    layout = LAYOUTS[request.scan_type]
    if not layout.is_stack:
        return []
    here = {(each.request.index.entry, each.request.index.e_idx) for each in parts}
    if request.sequence:
        wanted = {(each.entry, each.e_idx) for each in request.sequence}
        return _images_of(wanted - here)
    missing = _images_of(
        {
            (each.request.index.entry, e_idx)
            for each in parts
            for e_idx in range(len(each.request.region.energies))
        }
        - here
    )
    for sp_id, region in request.regions.items():
        for pol_idx in range(max(1, len(region.polarizations))):
            own = {
                each.request.index.entry
                for each in parts
                if (each.request.index.sp_id, each.request.index.pol_idx) == (sp_id, pol_idx)
            }
            angles = _angles(request, region)
            if len(own) < angles:
                which = f"region {sp_id}, polarization {pol_idx}"
                missing.append(
                    f"all of {which}" if angles == 1 or not own
                    else f"{angles - len(own)} of {angles} angles of {which}"
                )  # fmt: skip
    return missing


def _images_of(places: set[tuple[str, int]]) -> list[str]:
    found: dict[str, list[int]] = {}
    for entry, e_idx in sorted(places):
        found.setdefault(entry, []).append(e_idx)
    return [
        f"{counted(len(each), 'image')} of {entry}: e_idx "
        f"{', '.join(map(str, each[:_MOST_LISTED]))}{' ...' if len(each) > _MOST_LISTED else ''}"
        for entry, each in found.items()
    ]


def _angles(request: ScanRequest, region: Region) -> int:
    """Tell how many angles a region has; 1 unless it's tomography that tells them."""
    if request.scan_type != scan_types.TOMOGRAPHY_SCAN or region.theta is None:
        return 1
    return max(1, len(region.theta))
