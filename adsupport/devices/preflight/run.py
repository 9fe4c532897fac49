"""The run that is planned: how many frames, how fast, how many bytes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from ...errors import ConfigurationError
from ..arrays.prediction import ArrayKind
from .state import PartState

__all__ = ["PlannedRun", "RunFigures"]


@dataclass(frozen=True)
class PlannedRun:
    """What a run will ask of the detector; what isn't given is taken from the camera's settings.

    Parameters
    ----------
    points : int
        Points of the plan: triggers of the detector.
    frames_per_point : int, optional
        Frames of each trigger; ``NumImages`` by default, 1 in Single mode.
    acquire_time : float, optional
        Exposure in seconds.
    acquire_period : float, optional
        Time from frame to frame in seconds.
    compression : str, optional
        Compression of the file writers, such as ``"zlib"``; what is set by default.

    Raises
    ------
    ConfigurationError
        A number is out of range.
    """

    points: int = 1
    frames_per_point: int | None = None
    acquire_time: float | None = None
    acquire_period: float | None = None
    compression: str | None = None

    def __post_init__(self) -> None:
        for name, least in (("points", 1), ("frames_per_point", 1)):
            value = getattr(self, name)
            if value is not None and not (_is_number(value) and value >= least):
                raise ConfigurationError(f"{name}={value!r}: expected a number from {least} on.")
        for name in ("acquire_time", "acquire_period"):
            value = getattr(self, name)
            if value is not None and not (_is_number(value) and value >= 0):
                raise ConfigurationError(f"{name}={value!r}: expected seconds, from 0 on.")

    def figures(self, camera: PartState, kind: ArrayKind | None) -> RunFigures:
        """Work out frames, rates and bytes.

        Parameters
        ----------
        camera : PartState
            The camera.
        kind : ArrayKind or None
            The arrays that a writer gets; None when that isn't known.

        Returns
        -------
        RunFigures
            The figures.
        """
        frames = self.frames_per_point
        if frames is None:
            single = camera.planned("image_mode") == "Single"
            frames = 1 if single else max(1, int(camera.get("num_images", 1)))
        exposure, period = (
            float(camera.get(name, 0.0)) if given is None else given
            for name, given in (
                ("acquire_time", self.acquire_time),
                ("acquire_period", self.acquire_period),
            )
        )
        return RunFigures(self.points, frames, max(0.0, exposure, period), _frame_bytes(kind))


def _is_number(value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and math.isfinite(value)


def _frame_bytes(kind: ArrayKind | None) -> int | None:
    if kind is None or kind.dtype is None or 0 in kind.dims:
        return None
    return math.prod(kind.dims) * kind.dtype.itemsize


@dataclass(frozen=True)
class RunFigures:
    """The figures of a planned run.

    Attributes
    ----------
    points : int
        Triggers.
    frames_per_point : int
        Frames of each.
    frame_time : float
        Time from frame to frame in seconds; 0: as fast as the camera can.
    frame_bytes : int or None
        Bytes of one frame, not compressed; None when not known.
    """

    points: int
    frames_per_point: int
    frame_time: float
    frame_bytes: int | None

    @property
    def frames(self) -> int:
        """Frames of the whole run."""
        return self.points * self.frames_per_point

    @property
    def total_bytes(self) -> int | None:
        """Bytes of the whole run, not compressed; None when not known."""
        return None if self.frame_bytes is None else self.frames * self.frame_bytes

    @property
    def frame_rate(self) -> float | None:
        """Frames a second; None when the settings don't limit it."""
        return 1 / self.frame_time if self.frame_time > 0 else None

    @property
    def data_rate(self) -> float | None:
        """Bytes a second, not compressed; None when not known."""
        if self.frame_rate is None or self.frame_bytes is None:
            return None
        return self.frame_rate * self.frame_bytes
