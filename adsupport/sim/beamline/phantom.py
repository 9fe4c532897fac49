"""The sample: ellipsoids of known place, shape and density.

Coordinates are the sample's: ``x`` across the beam and ``z`` along it when the rotation stage is
at 0, ``y`` upwards along the rotation axis.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Ellipsoid:
    """A body of even density; bodies that overlap add up.

    Attributes
    ----------
    density : float
        Relative absorption, may be negative.
    axes : tuple of float
        Semi-axes along the body's own x, y and z.
    centre : tuple of float
        Centre (x, y, z), in the unit of the semi-axes.
    turn : float
        Degrees by which the body's own axes are turned about y: from x towards z.
    """

    density: float
    axes: tuple[float, float, float]
    centre: tuple[float, float, float]
    turn: float = 0.0

    @property
    def form(self) -> np.ndarray:
        """Matrix Q, shape (3, 3): a point p is inside when (p - centre) Q (p - centre) <= 1."""
        turned = turn_about_y(-self.turn)
        return turned @ np.diag([1 / axis**2 for axis in self.axes]) @ turned.T

    def scaled(self, factor: float) -> Ellipsoid:
        """Return the body with all lengths multiplied by ``factor``."""
        a, b, c = (factor * value for value in self.axes)
        x, y, z = (factor * value for value in self.centre)
        return Ellipsoid(self.density, (a, b, c), (x, y, z), self.turn)


def turn_about_y(angle: float) -> np.ndarray:
    """Return the matrix, shape (3, 3), of the rotation stage at an angle.

    It takes (x, y, z) to (x cos + z sin, y, z cos - x sin).

    Parameters
    ----------
    angle : float
        Degrees.
    """
    cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    return np.array([[cos, 0.0, sin], [0.0, 1.0, 0.0], [-sin, 0.0, cos]])


def _head(
    density: float, a: float, b: float, c: float, x0: float, y0: float, z0: float, phi: float
) -> Ellipsoid:
    """Return a row of the published tables, whose third axis is the vertical one."""
    return Ellipsoid(density, (a, c, b), (x0, z0, y0), phi)


HEAD = (
    _head(1.0, 0.6900, 0.920, 0.810, 0.00, 0.0000, 0.00, 0.0),
    _head(-0.8, 0.6624, 0.874, 0.780, 0.00, -0.0184, 0.00, 0.0),
    _head(-0.2, 0.1100, 0.310, 0.220, 0.22, 0.0000, 0.00, -18.0),
    _head(-0.2, 0.1600, 0.410, 0.280, -0.22, 0.0000, 0.00, 18.0),
    _head(0.1, 0.2100, 0.250, 0.410, 0.00, 0.3500, -0.15, 0.0),
    _head(0.1, 0.0460, 0.046, 0.050, 0.00, 0.1000, 0.25, 0.0),
    _head(0.1, 0.0460, 0.046, 0.050, 0.00, -0.1000, 0.25, 0.0),
    _head(0.1, 0.0460, 0.023, 0.050, -0.08, -0.6050, 0.00, 0.0),
    _head(0.1, 0.0230, 0.023, 0.020, 0.00, -0.6060, 0.00, 0.0),
    _head(0.1, 0.0230, 0.046, 0.020, 0.06, -0.6050, 0.00, 0.0),
)
"""The Shepp-Logan head in three dimensions, with the densities of higher contrast.

Shepp and Logan, IEEE Trans. Nucl. Sci. 21 (1974) 21; line integrals and the way to three
dimensions in Kak and Slaney, *Principles of Computerized Tomographic Imaging* (1988), chapter 3;
vertical axes as in Schabel's *phantom3d* (2005), densities after Toft (1996). All bodies are
upright here. The half-width of the square around the head is 1.
"""

BEAD_RADIUS, BEAD_ORBIT = 0.035, 0.5
BEAD_HEIGHTS = (0.88, 0.97, 1.06)
BEAD_TURNS = (0.0, 120.0, 240.0)

BEADS = tuple(
    Ellipsoid(
        8.0,
        (BEAD_RADIUS, BEAD_RADIUS, BEAD_RADIUS),
        (
            BEAD_ORBIT * float(np.cos(np.radians(turn))),
            height,
            BEAD_ORBIT * float(np.sin(np.radians(turn))),
        ),
    )
    for height, turn in zip(BEAD_HEIGHTS, BEAD_TURNS, strict=True)
)
"""Three dense beads above the head, each at a height of its own.

No projection hides one behind the other, so their centres tell angle and offset of any frame:
bead k is seen at ``orbit cos(angle - turn_k)`` from the rotation axis.
"""


@dataclass(frozen=True, slots=True)
class Phantom:
    """A sample.

    Attributes
    ----------
    bodies : tuple of Ellipsoid
        Lengths in mm.
    """

    bodies: tuple[Ellipsoid, ...]

    def density(self, points: np.ndarray) -> np.ndarray:
        """Return the density at points.

        Parameters
        ----------
        points : numpy.ndarray
            Shape (..., 3): x, y, z in mm.
        """
        total = np.zeros(points.shape[:-1])
        for body in self.bodies:
            away = points - np.array(body.centre)
            inside = np.einsum("...i,ij,...j->...", away, body.form, away) <= 1
            total += body.density * inside
        return total


def head_with_beads(half_width: float = 2.0) -> Phantom:
    """Return the Shepp-Logan head with three beads above it.

    Parameters
    ----------
    half_width : float
        Half-width of the square around the head, mm.
    """
    return Phantom(tuple(body.scaled(half_width) for body in (*HEAD, *BEADS)))
