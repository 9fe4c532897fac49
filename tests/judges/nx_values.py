"""Whether a dataset's values are of an NX type, and its units of a category of NeXus."""

from __future__ import annotations

import re
from datetime import datetime

import h5py

__all__ = ["strings_of", "type_fault", "units_fault"]

_KINDS = {
    "NX_FLOAT": "f",
    "NX_NUMBER": "iuf",
    "NX_INT": "iu",
    "NX_UINT": "u",
    "NX_POSINT": "iu",
}
#: Units without a prefix of the SI, and those that take one.
_WHOLE, _PREFIXED = 0, 1
_UNITS = {
    "NX_ENERGY": ((), ("eV", "J")),
    "NX_LENGTH": (("angstrom", "micron"), ("m", "meter", "metre")),
    "NX_WAVELENGTH": (("angstrom",), ("m", "meter", "metre")),
    "NX_TIME": (("min", "minute", "h", "hour"), ("s", "second", "seconds")),
    "NX_CURRENT": ((), ("A", "ampere")),
    "NX_VOLTAGE": ((), ("V", "volt")),
    "NX_ANGLE": (("deg", "degree", "degrees"), ("rad", "radian", "radians")),
    "NX_TEMPERATURE": (("degC", "celsius"), ("K", "kelvin")),
    "NX_PRESSURE": (("bar", "mbar", "torr"), ("Pa",)),
    "NX_UNITLESS": (("",), ()),
    "NX_DIMENSIONLESS": (("", "1"), ()),
}
_PREFIXES = r"(|[fpnumkMGT]|µ|μ|nano|micro|milli|kilo)"


def strings_of(field: h5py.Dataset) -> list[str]:
    """Get the strings of a dataset of any shape."""
    values = field.asstr()[()]
    return [values] if isinstance(values, str) else [str(value) for value in values.ravel()]


def type_fault(field: h5py.Dataset, nx_type: str) -> str:
    """Say how a dataset isn't of an NX type; empty when it is, or when the type isn't known."""
    text = h5py.check_string_dtype(field.dtype) is not None
    if nx_type in _KINDS:
        good = not text and field.dtype.kind in _KINDS[nx_type]
        return "" if good else f"is {field.dtype}, not {nx_type}"
    if nx_type == "NX_CHAR":
        return "" if text else f"is {field.dtype}, not {nx_type}"
    if nx_type == "NX_DATE_TIME":
        if not text or field.shape != ():
            return f"is {field.dtype} of shape {field.shape}, not one {nx_type}"
        return _time_fault(field.asstr()[()])
    return ""


def _time_fault(text: str) -> str:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return f"{text!r} is no ISO 8601 time"
    if "T" not in text or time.tzinfo is None:
        return f"{text!r} is no ISO 8601 time with a zone"
    return ""


def units_fault(field: h5py.Dataset, category: str) -> str:
    """Say what is wrong with a dataset's ``@units``; empty when they're right."""
    if not category:
        return ""
    if "units" not in field.attrs:
        return f"has no @units ({category})"
    units = str(field.attrs["units"])
    if category not in _UNITS or is_of(units, category):
        return ""
    return f"has the units {units!r}, not {category}"


def is_of(units: str, category: str) -> bool:
    """Tell whether units are of a category of the table above."""
    if units in _UNITS[category][_WHOLE]:
        return True
    return any(re.fullmatch(_PREFIXES + unit, units) for unit in _UNITS[category][_PREFIXED])
