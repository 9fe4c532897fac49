"""What a reconstruction gives in the end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

__all__ = ["Tomogram"]


@dataclass(frozen=True, slots=True, eq=False)
class Tomogram:
    """Slices, and how they came about.

    Parameters
    ----------
    slices : numpy.ndarray
        (slices, Y, X), float32.
    units : str
        Of the slices: ``1/pixel``, or ``1/mm`` when the size of pixels is known; empty for what
        isn't attenuation.
    rows : tuple of int
        The detector's row of each slice.
    corner : (int, int)
        First row and column of the slices, counted from the rotation axis.
    pixel_size : float or None
        µm, in the sample's plane.
    centres : tuple of float
        The axis' column on the detector, for each slice, in pixels.
    angles : numpy.ndarray
        (n,), degrees: of the projections that were used, in the order in which they came.
    missing : tuple of int
        Places, from 0, of the planned angles that no projection had; empty when they're uncertain,
        because frames that were counted are missing: ``angles_shifted`` of the facts.
    left_out : mapping of str to int
        How many frames weren't used, by the reason.
    source_frames : tuple of (int, int)
        First and last unique id of each range of projections that were used; empty when frames
        have no ids.
    reason : str
        Why the run ended before all frames came; empty when it ended well.
    facts : mapping of str to object
        What else is known: settings, counts, and the run.
    md : mapping of str to object
        The run's metadata.
    """

    slices: np.ndarray
    units: str
    rows: tuple[int, ...]
    corner: tuple[int, int]
    centres: tuple[float, ...]
    angles: np.ndarray
    pixel_size: float | None = None
    missing: tuple[int, ...] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)
    source_frames: tuple[tuple[int, int], ...] = ()
    reason: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    md: Mapping[str, Any] = field(default_factory=dict)

    def slice_of(self, row: int) -> np.ndarray:
        """Return the slice of a row of the detector.

        Parameters
        ----------
        row : int
            One of :attr:`rows`.

        Returns
        -------
        numpy.ndarray
            (Y, X).

        Raises
        ------
        ValueError
            There is no such slice.
        """
        return self.slices[self.rows.index(row)]
