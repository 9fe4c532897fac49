"""Settings of the simulated beam, sample and sensor, which no real beamline could change."""

from __future__ import annotations

import numpy as np

from adsupport.sim.beamline.finite_port import FinitePort
from adsupport.sim.port import on_write


class Scene(FinitePort):
    """What the images depend on beside motors, shutter, tube and camera.

    Its parameters come from the table ``imagingScene``.

    Parameters
    ----------
    name : str
        asyn port name.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._frames = 0

    @on_write("SEED")
    def _begin_noise_anew(self, _: int) -> None:
        self._frames = 0

    @property
    def pixel_size(self) -> float:
        """Distance of two pixels in the sample's plane, mm."""
        return max(self.get("PIXEL_SIZE"), 0.01) * 1e-3

    def next_noise(self) -> np.random.Generator:
        """Return the random numbers of the next frame.

        They depend on the seed and on the number of frames since it was written, or since the
        start, alone.
        """
        with self.lock:
            numbers = (max(self.get("SEED"), 0), self._frames)
            self._frames += 1
        return np.random.default_rng(numbers)
