"""What a run's documents tell of its detector, beam and sample: only what they tell.

Devices name their data keys themselves, so a key is known by its end: ``det_cam_acquire_time``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from ...documents.run import Run

__all__ = [
    "INSTRUMENT",
    "SOURCE",
    "Fact",
    "detector_facts",
    "metres_per_unit",
    "number",
    "photon_energy",
    "said",
]

#: Keys of start documents, for :func:`said`: of the instrument and of its source.
INSTRUMENT = ("instrument", "instrument_name", "beamline_id")
SOURCE = ("facility", "source")


class Fact(NamedTuple):
    """A value with its units.

    Parameters
    ----------
    value : any
        The value.
    units : str
        Empty when it has none.
    """

    value: Any
    units: str = ""


_METRES = {"m": 1.0, "mm": 1e-3, "um": 1e-6, "µm": 1e-6, "μm": 1e-6, "micron": 1e-6,
           "microns": 1e-6, "nm": 1e-9}  # fmt: skip
_SECONDS = {"": 1.0, "s": 1.0, "sec": 1.0, "second": 1.0, "seconds": 1.0, "ms": 1e-3, "us": 1e-6}
_KEV = {"ev": 1e-3, "kev": 1.0, "mev": 1e3}

#: Of each fact: how keys end that have it, and its units with what others are of them.
_DETECTOR: dict[str, tuple[tuple[str, ...], str, Mapping[str, float]]] = {
    "manufacturer": (("manufacturer",), "", {}),
    "model": (("model",), "", {}),
    "serial_number": (("serial_number",), "", {}),
    "exposure_time": (("acquire_time", "exposure_time"), "s", _SECONDS),
    "pixel_size_x": (("pixel_size_x", "x_pixel_size"), "m", _METRES),
    "pixel_size_y": (("pixel_size_y", "y_pixel_size"), "m", _METRES),
    "binning_x": (("bin_x", "binning_x"), "", {}),
    "binning_y": (("bin_y", "binning_y"), "", {}),
}


def detector_facts(run: Run, detector: str) -> dict[str, Fact]:
    """Find what the configuration of a detector tells.

    Parameters
    ----------
    run : Run
        The run.
    detector : str
        The data key of the images.

    Returns
    -------
    dict of str to Fact
        Of ``manufacturer``, ``model``, ``serial_number``, ``exposure_time`` (s),
        ``pixel_size_x``, ``pixel_size_y`` (m), ``binning_x`` and ``binning_y`` those that are
        known.  A pixel size without units isn't.
    """
    known = _configured(run, detector)
    found = {}
    for name, (ends, units, factors) in _DETECTOR.items():
        fact = next((known[key] for end in ends for key in known if _ends(key, end)), None)
        if fact is None or fact.value in (None, ""):
            continue
        if not units:
            found[name] = fact
            continue
        value, factor = number(fact.value), factors.get(fact.units.strip().lower())
        if value is not None and factor is not None:
            found[name] = Fact(value * factor, units)
    return found


def photon_energy(run: Run, baseline: Mapping[str, Any]) -> Fact | None:
    """Find the photon energy among the values of the baseline.

    Parameters
    ----------
    run : Run
        The run.
    baseline : mapping
        Values by data key.

    Returns
    -------
    Fact or None
        In keV; None when no key has ``energy`` in its name and units of it, or several have.
    """
    stream = run.streams.get("baseline")
    found = []
    for key, value in baseline.items():
        column = None if stream is None else stream.columns.get(key)
        factor = None if column is None else _KEV.get(column.units.strip().lower())
        energy = number(value)
        if "energy" in key.lower() and factor is not None and energy is not None:
            found.append((key, Fact(energy * factor, "keV")))
    if len(found) > 1:  # of a monochromator and an undulator, the first one
        found = [each for each in found if "mono" in each[0].lower()] or found
        found = [each for each in found if not each[0].endswith("setpoint")] or found
    return found[0][1] if len(found) == 1 else None


def metres_per_unit(units: str) -> float | None:
    """Tell how many metres a unit is.

    Parameters
    ----------
    units : str
        As the descriptor has them.

    Returns
    -------
    float or None
        None for what isn't a unit of length that is known.
    """
    return _METRES.get(units.strip().lower())


def said(start: Mapping[str, Any], names: Iterable[str]) -> Any:
    """Find the first of some keys of a start document that has a value.

    Parameters
    ----------
    start : mapping
        The document.
    names : iterable of str
        Keys.

    Returns
    -------
    str, int, float or None
        The value; None when there is none of these types.
    """
    found = (start.get(name) for name in names)
    return next(
        (each for each in found if isinstance(each, (str, int, float)) and each != ""), None
    )


def number(value: Any) -> float | None:
    """Take a number of a document.

    Parameters
    ----------
    value : any
        What it has.

    Returns
    -------
    float or None
        None for what isn't a number, as a boolean isn't, or is an integer beyond all floats.
    """
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return None
    try:
        return float(value)
    except OverflowError:
        return None


def _configured(run: Run, detector: str) -> dict[str, Fact]:
    """Gather the configuration of the device that has the images, the camera's own first.

    That of ``primary`` decides: flats may have been taken before it with an exposure of their own.
    """
    found: dict[str, Fact] = {}
    for _, stream in sorted(run.streams.items(), key=lambda each: each[0] != "primary"):
        column = stream.columns.get(detector)
        content = None if column is None else stream.configuration.get(column.object_name)
        described = (content or {}).get("data_keys") or {}
        for key, value in ((content or {}).get("data") or {}).items():
            found.setdefault(key, Fact(value, str((described.get(key) or {}).get("units") or "")))
    return dict(sorted(found.items(), key=lambda each: "cam" not in each[0]))


def _ends(key: str, end: str) -> bool:
    return key == end or key.endswith(f"_{end}")
