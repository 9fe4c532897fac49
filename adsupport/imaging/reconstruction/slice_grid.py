"""Where the pixels of slices lie, and where a projection meets them.

With the axis at column ``centre`` of the detector, the full slice of a detector W pixels wide is W
by W, and the axis goes through its pixel (W // 2, W // 2).  The pixel in row ``y`` and column ``x``
is seen at an angle by the detector's column

    t = centre + (x - W // 2) * cos(angle) - (y - W // 2) * sin(angle).

At 0 degrees a slice's columns are the detector's.  As the angle grows the sample turns clockwise
in the picture, whose rows go down: what lies above the axis there is seen on its right at 90
degrees.  A stage that turns the other way needs negative angles, or its slices are mirror images.
It is the geometry of scikit-image's ``radon`` and ``iradon``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...errors import ConfigurationError

__all__ = ["Region", "SliceGrid"]

#: First and last + 1 row, then first and last + 1 column of a slice.
Region = tuple[tuple[int, int], tuple[int, int]]


@dataclass(frozen=True, slots=True)
class SliceGrid:
    """The pixels that slices have.

    Parameters
    ----------
    width : int
        Columns of the detector.
    centres : tuple of float
        The axis' column on the detector, for each slice; pixels, from 0 in the first one's middle.
    region : ((int, int), (int, int)), optional
        Rows and columns of the full slice that are wanted, each from its first to before its last.
        They may lie outside of it.  All by default.
    circle : bool
        Whether pixels that aren't seen from all sides are left 0: those farther than W // 2 from
        the axis.

    Raises
    ------
    ConfigurationError
        There is no such grid.
    """

    width: int
    centres: tuple[float, ...]
    region: Region | None = None
    circle: bool = True

    def __post_init__(self) -> None:
        if self.width < 2:
            raise ConfigurationError(f"width={self.width}: expected at least 2 pixels.")
        if not self.centres:
            raise ConfigurationError("No slice is asked for; expected at least 1.")
        for centre in self.centres:
            # farther away no pixel of the detector sees the circle: a value in mm, perhaps
            if not -self.width <= centre <= 2 * self.width:
                raise ConfigurationError(
                    f"centre={centre}: expected a column of the detector, 0 to {self.width - 1}.",
                    remedy="Give the rotation axis in pixels from the detector's first column.",
                )
        if self.region is None:
            object.__setattr__(self, "region", ((0, self.width), (0, self.width)))
            return
        (top, bottom), (left, right) = self.region
        reach = 4 * self.width
        if not (-reach <= top < bottom <= reach and -reach <= left < right <= reach):
            raise ConfigurationError(
                f"region={self.region}: expected ((first row, last + 1), (first column, last + 1)) "
                f"of a slice of {self.width} x {self.width} pixels."
            )

    @classmethod
    def of(
        cls,
        width: int,
        slices: int = 1,
        centre: float | Sequence[float] | np.ndarray | None = None,
        region: Region | None = None,
        circle: bool = True,
    ) -> SliceGrid:
        """Make a grid of what a user says.

        Parameters
        ----------
        width : int
            Columns of the detector.
        slices : int
            How many.
        centre : float or sequence of float, optional
            The axis' column, of all slices or of each; ``width // 2`` by default, as of iradon.
        region, circle
            See the class.

        Returns
        -------
        SliceGrid
            It.

        Raises
        ------
        ConfigurationError
            There is no such grid.
        """
        given = np.asarray(width // 2 if centre is None else centre, np.float64)
        if given.ndim and given.shape != (slices,):
            raise ConfigurationError(
                f"{given.size} centres for {slices} slices; expected one, or one for each."
            )
        return cls(width, tuple(np.broadcast_to(given, slices).tolist()), region, circle)

    @property
    def rows(self) -> tuple[int, int]:
        """First and last + 1 row of the slices."""
        return self._region[0]

    @property
    def columns(self) -> tuple[int, int]:
        """First and last + 1 column of the slices."""
        return self._region[1]

    @property
    def shape(self) -> tuple[int, int, int]:
        """(slices, Y, X)."""
        (top, bottom), (left, right) = self._region
        return len(self.centres), bottom - top, right - left

    @property
    def y(self) -> np.ndarray:
        """(Y,), float64: of each row, pixels below the axis."""
        return np.arange(*self.rows) - float(self.width // 2)

    @property
    def x(self) -> np.ndarray:
        """(X,), float64: of each column, pixels to the right of the axis."""
        return np.arange(*self.columns) - float(self.width // 2)

    @property
    def chords(self) -> np.ndarray:
        """(Y, 2), int32: first and last + 1 column, from 0, of each row that is to be computed."""
        within = np.tile(np.array([0, self.shape[2]], np.int32), (self.shape[1], 1))
        if self.circle:
            radius = self.width // 2
            half = [math.isqrt(int(n)) if n >= 0 else -1 for n in radius**2 - self.y**2]
            seen = np.array(half)[:, None] * [-1, 1] + [0, 1] + (radius - self.columns[0])
            within = np.clip(seen, 0, self.shape[2]).astype(np.int32)
            within[np.array(half) < 0] = 0
        return within

    @property
    def margins(self) -> tuple[int, int]:
        """How many pixels more than the detector has are needed of filtered rows, at each end."""
        far = math.hypot(np.abs(self.y).max(), np.abs(self.x).max())
        if self.circle:
            far = min(far, float(self.width // 2))
        # one more on the right for interpolation, and a little for rounding
        left = math.ceil(far - min(self.centres) + 1e-3)
        right = math.ceil(max(self.centres) + far + 1e-3) + 1 - (self.width - 1)
        return max(0, left), max(0, right)

    @property
    def _region(self) -> Region:
        return self.region or ((0, self.width), (0, self.width))
