"""Reads what an STXM run was asked to do from its start document."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ...errors import StxmMetadataError
from .polarization import NAMES, PYSTXM_CODES
from .region_reading import read_regions
from .request import ScanRequest
from .run_index import read_index, read_sequence
from .scan_types import scan_types, stack_type_scans
from .tree import Place, Problems, plain

__all__ = ["read_metadata", "read_request"]

_REMEDY = (
    "Make the metadata with adsupport.nxstxm.make_standard_metadata(...), and run the plan as "
    "RE(plan, metadata=json.dumps(metadata))."
)


def read_request(start: Mapping[str, Any]) -> ScanRequest:
    """Read what a run was asked to do.

    Parameters
    ----------
    start : mapping
        The run's start document; ``start["metadata"]`` is a JSON text or a dict, with the keys
        that :func:`~adsupport.nxstxm.make_standard_metadata` writes.

    Returns
    -------
    ScanRequest
        Typed and checked.

    Raises
    ------
    StxmMetadataError
        Something is missing, of a wrong type, contradicts itself, or can't be read; the message
        names all of it.
    """
    whose, said = "the run", None
    if isinstance(start, Mapping):
        uid, said = start.get("uid"), start.get("metadata")
        whose = f"run {uid[:8]}" if isinstance(uid, str) else whose
    if said is None:
        raise StxmMetadataError(f'{whose} has no start["metadata"].', remedy=_REMEDY)
    return read_metadata(said, f"The metadata of {whose}", _REMEDY)


def read_metadata(said: Any, whose: str, remedy: str) -> ScanRequest:
    """Read metadata alone.

    Parameters
    ----------
    said : str or mapping
        JSON text, or a dict.
    whose : str
        The subject of the message, when there's an error.
    remedy : str
        What the user can do then.

    Returns
    -------
    ScanRequest
        See :func:`read_request`.

    Raises
    ------
    StxmMetadataError
        See :func:`read_request`.
    """
    problems = Problems()
    try:
        request = _read(plain(said), problems)
    except RecursionError:
        problems.note("metadata is nested too deep")
        request = None
    if request is None or problems:
        raise StxmMetadataError(f"{whose} can't be used: {problems}", remedy=remedy)
    return request


def _read(said: Any, problems: Problems) -> ScanRequest | None:
    top = Place(said, "metadata", problems).parsed()
    if top.value is None or not top.is_object():
        return None
    scan_type, dwell, detectors = _scan_type(top), _dwell(top), _detectors(top)
    # Of an unknown type at least what all have is checked.
    regions = read_regions(top, scan_types.GENERIC_SCAN if scan_type is None else scan_type)
    if scan_type is None:
        return None
    index = read_index(top, scan_type, regions)
    sequence = read_sequence(top, index if scan_type in stack_type_scans else None)
    if dwell is None or not detectors or not regions or index is None:
        return None
    return ScanRequest(
        scan_type=scan_type,
        regions=regions,
        dwell=dwell,
        detectors=detectors,
        index=index,
        zone_plate=_zone_plate(top),
        names=_names(top),
        snaking=_snaking(top),
        sequence=sequence,
        text=said if isinstance(said, str) and said.isascii() else json.dumps(top.value),
        polarization_codes=_codes(top),
    )


def _scan_type(top: Place) -> scan_types | None:
    known = f"{min(scan_types)} to {max(scan_types)}, see adsupport.nxstxm.scan_types"
    found = top.need("scan_type", f"a number, {known}")
    number = found and found.whole(f"a scan type, {known}")
    if found is None or number is None:
        return None
    if number not in set(scan_types):
        found.wrong(f"a scan type, {known}")
        return None
    return scan_types(number)


def _dwell(top: Place) -> float | None:
    found = top.need("dwell", "the time at a point in ms")
    dwell = found and found.number("a time of 0 ms or more", least=0)
    return None if dwell is None else dwell / 1000


def _detectors(top: Place) -> tuple[str, ...]:
    found = top.need("primary_det", "the data key of the counter, or a list of them")
    if found is None:
        return ()
    expected = "the data key of a counter"
    if isinstance(found.value, str):
        name = found.text(expected)
        return () if name is None else (name,)
    listed = found.items()
    if not listed and isinstance(found.value, list):
        found.wrong(f"{expected}, or a list of them")
    names = [each.text(expected) for each in listed]
    return tuple(dict.fromkeys(name for name in names if name))


def _zone_plate(top: Place) -> dict[str, float]:
    found = top.find("zp_def")
    if found is None or not found.is_object():
        return {}
    return {
        key: float(value)
        for key, value in found.value.items()
        if isinstance(value, (int, float))
        and not isinstance(value, bool)
        and abs(value) < 1e300  # no NaN either
    }


def _names(top: Place) -> dict[str, str]:
    found = top.find("rev_lu_dct")
    if found is None or not found.is_object():
        return {}
    return {key: value for key, value in found.value.items() if isinstance(value, str)}


def _snaking(top: Place) -> bool | None:
    found = top.find("snaking")
    if found is None:
        return None
    if not isinstance(found.value, bool):
        found.wrong("true or false")
        return None
    return bool(found.value)


def _codes(top: Place) -> dict[float, str]:
    found = top.find("polarization_codes")
    if found is None:
        return dict(PYSTXM_CODES)
    if not found.is_object():
        return {}
    codes = {}
    for key, name in found.value.items():
        try:
            code = float(key)
        except ValueError:
            found.wrong('an object of names by numbers, such as {"0": "linear horizontal"}')
            return {}
        if name not in NAMES:
            found.inner(key, name).wrong(f"one of {', '.join(NAMES)}")
        codes[code] = name
    return codes
