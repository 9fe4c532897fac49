"""What the camera sees: the shadow of the sample where its stages have put it.

In a pixel, with the exposure t,

    photons = flux * t * <light> * flat * exp(-absorption * path)
    counts  = offset + gain * (Poisson(photons) + Poisson(dark current * t)) + read-out noise

where <light> is the mean over the exposure of what the shutter lets through of the tube's
relative flux, and ``path`` the line integral through the sample in the middle of the exposure.
"""

from __future__ import annotations

import numpy as np

from adsupport.sim.arrays.axes import COLOR_AXES
from adsupport.sim.beamline.exposure import Sensor, digitise
from adsupport.sim.beamline.flat_field import flat_field
from adsupport.sim.beamline.phantom import Phantom
from adsupport.sim.beamline.projection import Pose, Screen, path_lengths
from adsupport.sim.beamline.scene import Scene
from adsupport.sim.beamline.shutter import Shutter
from adsupport.sim.beamline.stages import SampleStages
from adsupport.sim.beamline.tube import Tube
from adsupport.sim.camera.image_maker import Exposure
from adsupport.sim.camera.images import ImageSettings

FLAT_SEED = 1895
"""The camera's gains and its dust are always the same."""


class BeamImages:
    """Computes the images of a camera behind the sample.

    Parameters
    ----------
    rows, columns : int
        Size of the camera.
    phantom : Phantom
        The sample.
    scene : Scene
        Settings of the model.
    stages : SampleStages
        Where the sample is.
    shutter : Shutter
        What lets the light through.
    tube : Tube
        What makes the light.
    """

    def __init__(
        self,
        rows: int,
        columns: int,
        *,
        phantom: Phantom,
        scene: Scene,
        stages: SampleStages,
        shutter: Shutter,
        tube: Tube,
    ) -> None:
        self._rows, self._columns = rows, columns
        self.reads_out = True
        self._phantom = phantom
        self._scene = scene
        self._stages = stages
        self._shutter = shutter
        self._tube = tube
        self._flat: np.ndarray | None = None
        self._shadow: tuple[tuple[Pose, float, float], np.ndarray] | None = None

    def expose(
        self, settings: ImageSettings, *, reset: bool, exposure: Exposure
    ) -> np.ndarray | None:
        """Return counts, not limited yet; see :class:`~adsupport.sim.camera.image_maker`.

        Gain, offset and noise (here: read-out noise) are the camera's own parameters; those that
        choose a picture of ADSimDetector have no effect.
        """
        if not exposure.wait_until(exposure.middle):
            return None
        passed = self._transmission(self._stages.pose_at(exposure.middle))
        if not exposure.wait_until(exposure.end):
            return None
        light = self._tube.mean_light(self._shutter.opening, exposure.began, exposure.end)
        photons = passed * np.float32(light * self._scene.get("FLUX") * exposure.seconds)
        if self._scene.get("FLAT_FIELD"):
            photons *= self._response()
        sensor = Sensor(
            gain=settings.gain,
            offset=settings.offset,
            dark_rate=self._scene.get("DARK_CURRENT"),
            read_noise=settings.noise,
            noisy=bool(self._scene.get("PHOTON_NOISE")),
        )
        counts = sensor.expose(photons, exposure.seconds, self._scene.next_noise())
        color_axis = COLOR_AXES[settings.color_mode][2]
        # the camera sees no colours: all three are alike
        return counts if color_axis is None else np.stack([counts] * 3, axis=color_axis)

    def digitise(self, part: np.ndarray, settings: ImageSettings) -> np.ndarray:
        """Round and limit what was read out; bins are summed before, as on the sensor."""
        pixels = digitise(part, settings.dtype)
        pixels.flags.writeable = False
        return pixels

    def _response(self) -> np.ndarray:
        if self._flat is None:
            self._flat = flat_field(self._rows, self._columns, FLAT_SEED)
        return self._flat

    def _transmission(self, pose: Pose) -> np.ndarray:
        """Return what the sample lets through; kept while nothing moves."""
        absorption, pixel = self._scene.get("ABSORPTION"), self._scene.pixel_size
        seen = (pose, absorption, pixel)
        if self._shadow is None or self._shadow[0] != seen:
            screen = Screen(self._rows, self._columns, pixel)
            path = path_lengths(self._phantom, pose, screen)
            self._shadow = (seen, np.exp(np.float32(-absorption) * path))
        return self._shadow[1]
