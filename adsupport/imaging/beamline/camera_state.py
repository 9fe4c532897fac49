"""A camera as an experiment finds it: binning, region, gain, times."""

from __future__ import annotations

from typing import Any

from bluesky.utils import maybe_await

__all__ = ["CameraState"]

#: What a frame depends on, by the names of areaDetector's parameters; where a camera has them.
_NAMES = (
    "acquire_time", "acquire_period", "num_images", "num_exposures", "image_mode", "trigger_mode",
    "bin_x", "bin_y", "min_x", "min_y", "size.size_x", "size.size_y", "reverse.reverse_x",
    "reverse.reverse_y", "gain", "data_type", "color_mode", "temperature", "temperature_actual",
)  # fmt: skip


class CameraState:
    """Looks like a device: its readings are the settings of a camera.

    Parameters
    ----------
    part : ophyd or ophyd-async Device
        The ``cam`` or the ``driver`` of a detector.
    """

    parent = None

    def __init__(self, part: Any) -> None:
        self.name, self._part = getattr(part, "name", "camera"), part

    async def read(self) -> dict[str, Any]:
        """Read the settings that it has."""
        return await self._all("read")

    async def describe(self) -> dict[str, Any]:
        """Describe what :meth:`read` returns."""
        return await self._all("describe")

    async def read_configuration(self) -> dict[str, Any]:
        """Read what the camera calls its configuration."""
        return await self._own("read_configuration")

    async def describe_configuration(self) -> dict[str, Any]:
        """Describe what :meth:`read_configuration` returns."""
        return await self._own("describe_configuration")

    async def _all(self, verb: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name in _NAMES:
            signal = self._part
            for each in name.split("."):
                signal = getattr(signal, each, None)
            # one of ophyd that the camera hasn't got would be waited for
            if hasattr(signal, verb) and getattr(signal, "connected", True):
                found.update(await maybe_await(getattr(signal, verb)()))
        return found

    async def _own(self, verb: str) -> dict[str, Any]:
        ask = getattr(self._part, verb, None)
        return {} if ask is None else dict(await maybe_await(ask()))
