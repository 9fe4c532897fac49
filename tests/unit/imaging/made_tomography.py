"""The frames of a tomography of discs, as a camera would count them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from adsupport.imaging.frames.arrival import Arrival
from adsupport.imaging.frames.frame import StreamAbout
from adsupport.imaging.frames.replay import StoredAcquisition

from ..reconstruction.discs import made_discs, sinogram

WIDTH, HEIGHT = 64, 5
CENTRE = 33.4
DENSITY = 0.02
"""Of the sample's discs, per pixel, times the densities that `discs` gives."""


@dataclass
class MadeTomography:
    """Counts of each stream, and the acquisitions that they make.

    Each row of the detector sees the same discs, the further down the fainter.
    """

    angles: np.ndarray
    discs: np.ndarray = field(default_factory=lambda: made_discs(WIDTH, number=5, reach=0.25))
    noise: float = 0.0

    def __post_init__(self) -> None:
        rng = np.random.default_rng(1)
        flat = rng.uniform(30_000, 50_000, (HEIGHT, WIDTH))
        dark = rng.uniform(80, 120, (HEIGHT, WIDTH))
        lines = DENSITY * sinogram(self.discs, self.angles, WIDTH, CENTRE)
        light = np.exp(-lines[:, None, :] * self.strength[:, None])
        self.dark = np.round(dark + rng.uniform(-2, 2, (4, HEIGHT, WIDTH))).astype(np.uint16)
        self.flat = np.round(dark + flat * rng.uniform(0.99, 1.01, (4, 1, 1))).astype(np.uint16)
        counts = dark + flat * light
        counts += self.noise * np.sqrt(counts) * rng.standard_normal(counts.shape)
        self.projections = np.round(counts).astype(np.uint16)

    @property
    def strength(self) -> np.ndarray:
        """Of the sample, in each row."""
        return np.linspace(1.0, 0.5, HEIGHT)

    def acquisitions(
        self,
        order: Sequence[str] = ("darks", "flats", "primary"),
        taken: Sequence[int] | None = None,
        *,
        announce: bool = True,
        planned: bool = True,
        imaging: dict[str, Any] | None = None,
        **known: Any,
    ) -> list[StoredAcquisition]:
        """Return them in an order; of the projections those that were taken, in that order.

        A stream that comes twice has half of its frames each time.
        """
        places = {
            "darks": np.arange(len(self.dark)),
            "flats": np.arange(len(self.flat)),
            "primary": np.arange(len(self.angles)) if taken is None else np.array(taken),
        }
        images = {"darks": self.dark, "flats": self.flat, "primary": self.projections}
        md: dict[str, Any] = {"acquisitions": list(order)} if announce else {}
        if imaging is not None:
            md |= {"imaging": imaging, "frames": {"primary": len(self.angles)}}
        made = []
        for number, stream in enumerate(order):
            times, time = order.count(stream), order[:number].count(stream)
            mine = np.array_split(places[stream], times)[time]
            projections = stream == "primary"
            whole = projections and planned and times == 1
            angles = tuple(self.angles.tolist()) if whole else ()
            about = StreamAbout("run", stream, len(mine), md, angles)

            def frames(stream=stream, mine=mine, projections=projections):
                for index, place in enumerate(mine):
                    angle = {"angle": float(self.angles[place])} if projections else {}
                    yield Arrival(
                        lambda place=place: images[stream][place],
                        stored=False,
                        unique_id=int(place) + 1,
                        place=index if taken is None else None,
                        **{**angle, **known},
                    )

            made.append(StoredAcquisition(about, frames))
        return made
