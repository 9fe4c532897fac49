"""Units of the values in STXM files, and what they're made of that devices have."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

__all__ = ["ANGLE", "CURRENT", "ENERGY", "GAP", "LENGTH", "NUMBER", "Quantity"]


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


LENGTH = Quantity(
    "um", {"m": 1e6, "mm": 1e3, "millimeter": 1e3, "nm": 1e-3, "nanometer": 1e-3, "pm": 1e-6}
)
ENERGY = Quantity("eV", {"kev": 1e3, "mev": 1e6})
CURRENT = Quantity("mA", {"a": 1e3, "ua": 1e-3})
ANGLE = Quantity(
    "degree",
    {"rad": 180 / np.pi, "radian": 180 / np.pi, "mrad": 0.18 / np.pi, "mdeg": 1e-3, "udeg": 1e-6},
)
NUMBER = Quantity("", {})
GAP = Quantity("mm", {"m": 1e3, "um": 1e-3, "micron": 1e-3})
