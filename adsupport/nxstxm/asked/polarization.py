"""The Stokes vector of a polarization that was requested or measured.

Convention: that of NeXus, NXbeam's ``incident_polarization_stokes``.  S0 is the intensity, here 1;
S1 is positive for linear polarization along x (horizontal), negative along y (vertical); S2 is
positive along the diagonal x = y; S3 is positive for what NXbeam calls right-hand circular: the
electric field at the sample turns clockwise in time, seen from the source.  Beamlines don't agree
on what "left" and "right" mean: here a program's names are taken as NXbeam's.
Source: NXbeam.nxdl.xml, definitions of 2026.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from .request import Polarization

__all__ = ["NAMES", "PYSTXM_CODES", "stokes_of", "stokes_vector"]

#: The polarizations that have a Stokes vector.
NAMES = (
    "circular left",
    "circular right",
    "linear horizontal",
    "linear vertical",
    "linear inclined",
)
#: What the numbers of pyStxm mean, which are those of the undulator's controls at the Canadian
#: Light Source.  Sources: pyStxm3 (the names of DNM_EPU_POLARIZATION's numbers: CircLeft,
#: CircRight, LinHor, IncVert-, IncVert+, LinInc) and Acquaman (beamlinePolarization: 3 and 4 are
#: linear vertical, reached from either side).
PYSTXM_CODES: Mapping[float, str] = {
    0: "circular left",
    1: "circular right",
    2: "linear horizontal",
    3: "linear vertical",
    4: "linear vertical",
    5: "linear inclined",
}


def stokes_vector(name: str, angle: float = 0.0) -> tuple[float, float, float, float] | None:
    """Compute the Stokes vector of fully polarized light of intensity 1.

    Parameters
    ----------
    name : str
        One of :data:`NAMES`.
    angle : float
        Of "linear inclined" alone: from x (horizontal) towards y (up), degrees.

    Returns
    -------
    tuple of float or None
        (S0, S1, S2, S3) in NXbeam's convention: (1, cos 2a, sin 2a, 0) for linear, (1, 0, 0, 1)
        for circular right, (1, 0, 0, -1) for left.  None for another name, and for an angle that
        isn't finite.
    """
    if name in ("circular left", "circular right"):
        return 1.0, 0.0, 0.0, 1.0 if name == "circular right" else -1.0
    if name == "linear horizontal":
        return 1.0, 1.0, 0.0, 0.0
    if name == "linear vertical":
        return 1.0, -1.0, 0.0, 0.0
    if name == "linear inclined" and math.isfinite(angle):
        twice = math.radians(2 * math.fmod(angle, 180))
        return 1.0, math.cos(twice), math.sin(twice), 0.0
    return None


def stokes_of(
    polarization: Polarization, codes: Mapping[float, str] = PYSTXM_CODES
) -> tuple[float, float, float, float] | None:
    """Compute the Stokes vector of a polarization by its number.

    Parameters
    ----------
    polarization : Polarization
        As requested, or made of what was measured.
    codes : mapping of float to str
        What the numbers mean, see :data:`NAMES`; a request has its own,
        ``request.polarization_codes``.

    Returns
    -------
    tuple of float or None
        See :func:`stokes_vector`; None for a number that ``codes`` doesn't have.
    """
    return stokes_vector(codes.get(polarization.code, ""), polarization.angle)
