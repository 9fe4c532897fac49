"""An imaging beamline without hardware: devices that have bluesky's protocols, and nothing else."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from ophyd.status import Status

from adsupport.imaging import SampleStage, Source

__all__ = ["Beamline", "Camera", "Movable"]


NOT_PREPARED = (1, 1.0, 1.0)
"""Frames of a trigger, exposure and period of a camera that was staged after its preparation."""


def done() -> Status:
    """A status that has ended."""
    status = Status()
    status.set_finished()
    return status


class Movable:
    """A motor, or a switch."""

    parent = None

    def __init__(self, name: str, value: float = 0.0, limits: tuple[float, float] = (0, 0)) -> None:
        self.name, self.value, self.limits = name, value, limits
        self.history = [value]

    def set(self, value: Any) -> Status:
        self.value = value
        self.history.append(value)
        return done()

    def stop(self, *, success: bool = False) -> None:
        pass

    def read(self) -> dict[str, dict[str, Any]]:
        return {self.name: {"value": self.value, "timestamp": time.time()}}

    def describe(self) -> dict[str, dict[str, Any]]:
        return {self.name: {"source": "SIM", "dtype": "number", "shape": []}}

    def read_configuration(self) -> dict[str, Any]:
        return {}

    def describe_configuration(self) -> dict[str, Any]:
        return {}


class Camera(Movable):
    """Counts frames, and notes how the beamline stood for each."""

    def __init__(self, beamline: Beamline) -> None:
        super().__init__("camera")
        self.beamline = beamline
        self.staged = self.acquiring = False
        self.settings = NOT_PREPARED
        self.frames: list[dict[str, Any]] = []
        self.unique_id = 0

    def prepare(self, value: tuple[int, float, float]) -> Status:
        self.settings = value
        return done()

    def stage(self) -> list[Any]:
        assert not self.staged
        self.staged, self.settings = True, NOT_PREPARED  # as ophyd-async's
        return [self]

    def unstage(self) -> list[Any]:
        self.staged = self.acquiring = False
        return [self]

    def trigger(self) -> Status:
        assert self.staged
        self.acquiring = True
        for _ in range(self.settings[0]):
            self.unique_id += 1
            self.frames.append({"id": self.unique_id, **self.beamline.state()})
        self.acquiring = False
        return done()

    def read(self) -> dict[str, dict[str, Any]]:
        count = self.settings[0]
        values = {
            "camera_first_unique_id": self.unique_id - count + 1,
            "camera_last_unique_id": self.unique_id,
        }
        return {key: {"value": value, "timestamp": time.time()} for key, value in values.items()}

    def describe(self) -> dict[str, dict[str, Any]]:
        keys = ("camera_first_unique_id", "camera_last_unique_id")
        return {key: {"source": "SIM", "dtype": "integer", "shape": []} for key in keys}


class Beamline:
    """Source, sample, rotation and camera."""

    def __init__(self) -> None:
        self.shutter = Movable("shutter", 0)
        self.stage = Movable("stage", 0.0)
        self.rotation = Movable("rotation", 0.0)
        self.camera = Camera(self)
        self.source = Source(self.shutter)
        self.sample = SampleStage({self.stage: (0.0, 6.0)})

    def state(self) -> dict[str, Any]:
        return {
            "open": self.shutter.value == 1,
            "in": self.stage.value == 0.0,
            "angle": self.rotation.value,
            "exposure": self.camera.settings[1],
        }

    def frames_of(self, documents: list[tuple[str, dict[str, Any]]], stream: str) -> Iterator[Any]:
        """Take the frames of a stream, by the unique ids that its events tell."""
        uids = {d["uid"] for kind, d in documents if kind == "descriptor" and d["name"] == stream}
        by_id = {each["id"]: each for each in self.camera.frames}
        for kind, event in documents:
            if kind == "event" and event["descriptor"] in uids:
                data = event["data"]
                span = range(data["camera_first_unique_id"], data["camera_last_unique_id"] + 1)
                for unique_id in span:
                    yield by_id[unique_id], data

    def is_safe(self) -> bool:
        """Whether all is as it should be when nothing runs."""
        return (
            self.shutter.value == 0
            and self.stage.value == 0.0
            and not self.camera.staged
            and not self.camera.acquiring
        )
