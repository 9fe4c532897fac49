"""What a camera needs of whatever computes its images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from adsupport.sim.camera.images import ImageSettings


@dataclass(frozen=True, slots=True)
class Exposure:
    """One exposure.

    Attributes
    ----------
    began : float
        When, by :func:`time.monotonic`.
    seconds : float
        How long it takes, at least 0.
    wait_until : callable
        Takes a time of that clock and waits for it; returns whether the acquisition goes on.
    """

    began: float
    seconds: float
    wait_until: Callable[[float], bool]

    @property
    def middle(self) -> float:
        """Time of its middle."""
        return self.began + self.seconds / 2

    @property
    def end(self) -> float:
        """Time of its end."""
        return self.began + self.seconds


class ImageMaker(Protocol):
    """Computes images; called in the camera's thread, without the camera's lock.

    Attributes
    ----------
    reads_out : bool
        Whether it computes when the exposure has ended, as if it read out a sensor: frames then
        bear the time of that end.
    """

    reads_out: bool

    def expose(
        self, settings: ImageSettings, *, reset: bool, exposure: Exposure
    ) -> np.ndarray | None:
        """Return the whole image of an exposure; the camera waits for the end if this does not.

        Parameters
        ----------
        settings : ImageSettings
            What the camera's parameters say.
        reset : bool
            Whether settings were written since the last exposure.
        exposure : Exposure
            When it is.

        Returns
        -------
        numpy.ndarray or None
            Shape ``(rows, columns)``, or with an axis of three colours where
            ``settings.color_mode`` has it; None when the acquisition was stopped meanwhile.
        """
        ...

    def digitise(self, part: np.ndarray, settings: ImageSettings) -> np.ndarray:
        """Return pixels in ``settings.dtype`` from what was cut out of an image and binned."""
        ...
