"""Units of the values in STXM files, and what they're made of that devices have."""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np

__all__ = [
    "ANGLE",
    "CURRENT",
    "ENERGY",
    "GAP",
    "LENGTH",
    "NO_UNITS",
    "NUMBER",
    "Quantity",
    "known_units",
]


_UNITS = frozenset(
    "m cm mm um µm micron microns micrometer nm nanometer pm angstrom millimeter meter "
    "deg degree degrees rad mrad urad radian s sec second seconds ms us ns min h Hz kHz MHz GHz "
    "V mV uV kV A mA uA nA pA W mW kW K degC C Pa hPa kPa mbar bar torr eV keV meV MeV J T mT G "
    "count counts cps pixel pixels percent g kg mg L ml dimensionless".split()
)
_POWER = r"[^\W\d_]+(?:(?:\^|\*\*)-?\d+)?"
_EXPRESSION = re.compile(rf"(?:1\s*/\s*)?{_POWER}(?:\s*[*/ ]\s*{_POWER})*")
#: For numbers without a unit, where NeXus wants the attribute.
NO_UNITS = ""


class Quantity(NamedTuple):
    """A kind of value: the unit in the file, and factors from other units.

    Parameters
    ----------
    units : str
        In the file.
    factors : dict of str to float
        From units in small letters.
    """

    units: str
    factors: dict[str, float]

    def factor(self, units: str) -> float:
        """Tell by what to multiply; 1 where the unit isn't known."""
        return self.factors.get(units.strip().lower(), 1.0)

    def knows(self, units: str) -> bool:
        """Tell whether a unit is one of this kind; no unit at all is taken for it."""
        return not units.strip() or units.strip().lower() in self.factors


LENGTH = Quantity(
    "um",
    {
        **dict.fromkeys(("m", "meter", "meters", "metre", "metres"), 1e6),
        **dict.fromkeys(("cm", "centimeter", "centimeters", "centimetre", "centimetres"), 1e4),
        **dict.fromkeys(("mm", "millimeter", "millimeters", "millimetre", "millimetres"), 1e3),
        **dict.fromkeys(("um", "\u00b5m", "\u03bcm", "micron", "microns"), 1.0),
        **dict.fromkeys(("micrometer", "micrometers", "micrometre", "micrometres"), 1.0),
        **dict.fromkeys(("nm", "nanometer", "nanometers", "nanometre", "nanometres"), 1e-3),
        **dict.fromkeys(("angstrom", "angstroms", "\u00e5", "\u212b"), 1e-4),
        "pm": 1e-6,
    },
)
ENERGY = Quantity("eV", {"kev": 1e3, "mev": 1e6})
CURRENT = Quantity("mA", {"a": 1e3, "ua": 1e-3})
ANGLE = Quantity(
    "degree",
    {"rad": 180 / np.pi, "radian": 180 / np.pi, "mrad": 0.18 / np.pi, "mdeg": 1e-3, "udeg": 1e-6},
)
NUMBER = Quantity("", {})
GAP = Quantity("mm", {"m": 1e3, "um": 1e-3, "micron": 1e-3})


def known_units(units: str) -> str:
    """Pass units that readers can be expected to know.

    Parameters
    ----------
    units : str
        As a device has them.

    Returns
    -------
    str
        The same, or :data:`NO_UNITS` for a word that is no unit: a file with it isn't valid.

    Notes
    -----
    Source: units that pynxtools' validator takes for any quantity.
    """
    if not _EXPRESSION.fullmatch(units):
        return NO_UNITS
    words = re.findall(r"[^\W\d_]+", units)
    return units if all(word in _UNITS for word in words) else NO_UNITS
