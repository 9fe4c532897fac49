"""Line integrals through a sample in a parallel beam, exact at the centre of each pixel.

The chord that a ray cuts out of an ellipsoid has a closed form. With the beam along ``w`` and the
ellipsoid's form Q in the laboratory's frame (u, v, w), the ray at (u, v) from the centre cuts

    2 / sqrt(Qww) * sqrt(1 - S(u, v)),

where S is the quadratic form of the Schur complement of Qww in Q; it misses where S exceeds 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from adsupport.sim.beamline.phantom import Ellipsoid, Phantom, turn_about_y


@dataclass(frozen=True, slots=True)
class Pose:
    """Where the stages have put the sample.

    Attributes
    ----------
    angle : float
        Rotation about the vertical axis, degrees.
    x, y, z : float
        Offset of the sample on the rotation stage, mm; x and z turn with it.
    across : float
        Offset of the whole rotation stage across the beam, mm.
    """

    angle: float = 0.0
    x: float = 0.0
    y: float = 0.0
    z: float = 0.0
    across: float = 0.0

    @property
    def origin(self) -> tuple[float, float]:
        """Where the sample's origin is seen: (u, v) in mm from the image's centre, v upwards."""
        u, v, _ = turn_about_y(self.angle) @ np.array([self.x, self.y, self.z])
        return float(u) + self.across, float(v)


@dataclass(frozen=True, slots=True)
class Screen:
    """The pixels that the projection falls on.

    Attributes
    ----------
    rows, columns : int
        Size of the image; row 0 is the top.
    pixel : float
        Distance of two pixels in the sample's plane, mm.
    """

    rows: int
    columns: int
    pixel: float

    @property
    def u(self) -> np.ndarray:
        """Horizontal place of each column's centre, mm from the image's centre."""
        return (np.arange(self.columns) - (self.columns - 1) / 2) * self.pixel

    @property
    def v(self) -> np.ndarray:
        """Height of each row's centre, mm above the image's centre."""
        return ((self.rows - 1) / 2 - np.arange(self.rows)) * self.pixel


def path_lengths(phantom: Phantom, pose: Pose, screen: Screen) -> np.ndarray:
    """Return the sample's line integrals.

    Parameters
    ----------
    phantom : Phantom
        The sample.
    pose : Pose
        Where it is.
    screen : Screen
        The pixels.

    Returns
    -------
    numpy.ndarray
        float32, shape ``(rows, columns)``: density times mm.
    """
    total = np.zeros((screen.rows, screen.columns), np.float32)
    turned = turn_about_y(pose.angle)
    shift = np.array(pose.origin)
    for body in phantom.bodies:
        _add_chords(total, body, turned, shift, screen)
    return total


def _add_chords(
    total: np.ndarray, body: Ellipsoid, turned: np.ndarray, shift: np.ndarray, screen: Screen
) -> None:
    form = turned @ body.form @ turned.T
    centre_u, centre_v = (turned @ np.array(body.centre))[:2] + shift
    along = form[2, 2]
    shadow = form[:2, :2] - np.outer(form[:2, 2], form[:2, 2]) / along
    reach_u, reach_v = np.sqrt(np.diag(np.linalg.inv(shadow)))
    columns = _within(screen.u, centre_u, reach_u)
    rows = _within(screen.v, centre_v, reach_v)
    u = (screen.u[columns] - centre_u).astype(np.float32)
    v = (screen.v[rows] - centre_v).astype(np.float32)
    inside = (1 - shadow[1, 1] * v**2).astype(np.float32)[:, None] - (shadow[0, 0] * u**2).astype(
        np.float32
    )
    if shadow[0, 1]:
        inside -= np.float32(2 * shadow[0, 1]) * np.outer(v, u)
    np.maximum(inside, 0, out=inside)
    np.sqrt(inside, out=inside)
    inside *= np.float32(body.density * 2 / np.sqrt(along))
    total[rows, columns] += inside


def _within(places: np.ndarray, centre: float, reach: float) -> slice:
    """Return the pixels of an axis that a shadow may reach."""
    hit = np.flatnonzero(np.abs(places - centre) <= reach)
    return slice(int(hit[0]), int(hit[-1]) + 1) if hit.size else slice(0)
