"""Minds the arguments of which metadata of an STXM run are made, before they become JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...errors import StxmMetadataError
from .request import Polarization
from .scan_types import scan_types, stack_type_scans

__all__ = ["check_arguments"]

#: Scans that have an energy for each point, line or run.
_OF_ENERGIES = (
    *stack_type_scans,
    scan_types.SAMPLE_POINT_SPECTRA,
    scan_types.SAMPLE_LINE_SPECTRA,
    scan_types.GENERIC_SCAN,
)


def check_arguments(
    scan_type: Any,
    primary_det: Any,
    rois: Any,
    energies: Any,
    polarizations: Any,
    rev_lu_dct: Any,
    index: Any,
) -> None:
    """Refuse what JSON would hide, or what would be left out of the file without a word.

    Parameters
    ----------
    scan_type, primary_det, rois, energies, polarizations, rev_lu_dct, index
        See :func:`~adsupport.nxstxm.make_standard_metadata`.

    Raises
    ------
    StxmMetadataError
        An argument can't be used; the message names it.
    """
    counters = [primary_det] if isinstance(primary_det, str) else primary_det
    if not _is_list(counters) or not all(isinstance(each, str) for each in counters):
        raise StxmMetadataError(
            f"primary_det must be a data key, or a list of them, not {_told(primary_det)}.",
            remedy="Give names, such as counter.name, not devices.",
        )
    for name, key in (rev_lu_dct or {}).items():
        if not isinstance(key, str):
            raise StxmMetadataError(
                f"rev_lu_dct[{name!r}] must be a data key, not {_told(key)}.",
                remedy="Give its name, such as device.name.",
            )
    _check_regions(rois)
    _check_energies(energies)
    if not _is_list(polarizations) or not all(
        isinstance(each, Polarization) for each in polarizations
    ):
        raise StxmMetadataError(
            f"polarizations must be a list of Polarization, not {_told(polarizations)}.",
            remedy="Make each with make_polarization(name).",
        )
    if index is None and isinstance(scan_type, int) and scan_type not in _OF_ENERGIES:
        _check_single(scan_type, len(rois), len(energies))


def _check_regions(rois: Any) -> None:
    is_region = isinstance(rois, Mapping) and any(isinstance(key, str) for key in rois)
    if is_region or not (isinstance(rois, Mapping) or _is_list(rois)):
        raise StxmMetadataError(
            "rois must be a list of regions, or a dict of them by number, not "
            + ("a single region." if is_region else f"{_told(rois)}."),
            remedy="Give rois=[make_region(...)].",
        )
    for region in rois.values() if isinstance(rois, Mapping) else rois:
        if isinstance(region, Mapping) and "SETPOINTS" in region:
            raise StxmMetadataError(
                "rois must have regions, not ROIs of single axes.",
                remedy="Give rois=[make_region(make_roi(...), make_roi(...))].",
            )


def _check_energies(energies: Any) -> None:
    try:
        wrong = not _is_list(energies) or any(not energy > 0 for energy in energies)
    except (TypeError, ValueError):
        wrong = True
    if wrong:
        raise StxmMetadataError(
            f"energies must be a list of numbers above 0 eV, not {_told(energies)}.",
            remedy="Give energies=[708.0], say, also when there is just one.",
        )


def _check_single(scan_type: int, n_regions: int, n_energies: int) -> None:
    """Mind that a scan has one image: more would be left out."""
    kind = scan_types(scan_type).name if scan_type in set(scan_types) else str(scan_type)
    for argument, number in (("rois", n_regions), ("energies", n_energies)):
        if number > 1:
            raise StxmMetadataError(
                f"A {kind} has one image, and {argument} are {number}.",
                remedy="Give one; of several make a SAMPLE_IMAGE_STACK, a run for each, with "
                "index=each for each of make_sequence(...).",
            )


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple | range) or (
        isinstance(value, np.ndarray) and value.ndim == 1
    )


def _told(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
