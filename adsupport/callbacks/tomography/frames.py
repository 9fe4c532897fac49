"""The frames of a tomography run: which are projections, flats and darks, and at what angle."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import IntEnum

import numpy as np

from ...documents.assets import Asset, Frames
from ...documents.images import FrameRows
from .readings import FrameReading

__all__ = ["INVALID", "MOST_FRAMES", "FrameKind", "TomoFrames"]

#: NXtomo's ``image_key`` of a frame that is none of the kinds, such as a blank one.
INVALID = 3

#: Frames of a scan: more are a mistake, or made to fill the memory.
MOST_FRAMES = 10_000_000


class FrameKind(IntEnum):
    """What a frame shows; the numbers are those of NXtomo's ``image_key``."""

    PROJECTION = 0
    FLAT = 1
    DARK = 2


@dataclass(frozen=True)
class TomoFrames:
    """Frames in the order in which they were taken.

    Parameters
    ----------
    detector : str
        The data key of the images.
    theta : str
        The data key of the angles; empty when none is known.
    assets : list of Asset
        The files.
    sources : numpy.ndarray
        (n,), int64: index in ``assets``; -1 for a frame that is missing.
    positions : numpy.ndarray
        (n,), int64: index of the frame in its files.
    kinds : numpy.ndarray
        (n,), uint8: :class:`FrameKind`.
    angles : numpy.ndarray
        (n,), float64: degrees; NaN where unknown.
    ids : numpy.ndarray
        (n,), int64: NDArrayUniqueId; -1 where unknown.
    readings : dict of str to FrameReading
        What was read with them, such as positions and the state of the source.
    """

    detector: str
    theta: str
    assets: list[Asset]
    sources: np.ndarray
    positions: np.ndarray
    kinds: np.ndarray
    angles: np.ndarray
    ids: np.ndarray
    readings: dict[str, FrameReading] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.kinds)

    def chosen(self, which: np.ndarray) -> TomoFrames:
        """Take some of the frames.

        Parameters
        ----------
        which : numpy.ndarray
            Their indices, or a mask.

        Returns
        -------
        TomoFrames
            In the order of the indices.
        """
        columns = ("sources", "positions", "kinds", "angles", "ids")
        readings = {name: each.chosen(which) for name, each in self.readings.items()}
        chosen = {name: getattr(self, name)[which] for name in columns}
        return replace(self, readings=readings, **chosen)

    def of(self, kind: FrameKind) -> TomoFrames:
        """Take the frames of a kind.

        Parameters
        ----------
        kind : FrameKind
            Which.

        Returns
        -------
        TomoFrames
            In their order.
        """
        return self.chosen(self.kinds == kind)

    @property
    def has_angles(self) -> bool:
        """Whether the angle of any frame is known."""
        return not bool(np.isnan(self.angles).all())

    @property
    def missing(self) -> np.ndarray:
        """(n,), bool: whether a frame is in no file."""
        return self.sources < 0

    @property
    def image_key(self) -> np.ndarray:
        """(n,), int8: :class:`FrameKind`, and :data:`INVALID` where a frame is in no file."""
        return np.where(self.missing, INVALID, self.kinds).astype(np.int8)

    def rows(self) -> FrameRows:
        """Tell where the images are.

        Returns
        -------
        FrameRows
            One frame a row; None for one that is missing.
        """
        found = FrameRows()
        pairs = zip(self.sources.tolist(), self.positions.tolist(), strict=True)
        found.extend(None if each < 0 else Frames(self.assets[each], at, 1) for each, at in pairs)
        return found
