"""What the beamline's frames show: where the motors stood, and whether there was beam."""

from __future__ import annotations

from typing import Any, NamedTuple

import h5py
import numpy as np

BEADS = ((1.76, 0.0), (1.94, 120.0), (2.12, 240.0))
"""Height above the middle (mm) and azimuth (degrees) of the beads above the head."""

_PIXEL = 0.01  # mm
_MIDDLE = 255.5
_LEAST = 0.3  # of the darkest shadow: what belongs to a bead


class Frame(NamedTuple):
    """A frame of a stream, and the event that it belongs to."""

    unique_id: int
    pixels: np.ndarray
    data: dict[str, Any]
    time: float
    place: int
    """Among the frames of its event, as the unique ids count: from 0."""


class Pose(NamedTuple):
    """Where the motors stood, by the beads alone."""

    angle: float
    """Of the rotation, in degrees, in (-180, 180]."""
    across: float
    """Of the stage below it, in mm."""
    height: float
    """Of the sample, in mm."""
    misfit: float
    """The largest distance of a bead from where this pose has it, in mm."""


def frames_of(documents: list[tuple[str, dict[str, Any]]]) -> dict[str, list[Frame]]:
    """Read the frames of a run, by stream; a frame that was lost isn't among them."""
    names: dict[str, str] = {}
    files: dict[str, str] = {}
    found: dict[str, list[Frame]] = {}
    for kind, doc in documents:
        if kind == "descriptor":
            names[doc["uid"]] = doc["name"]
        elif kind == "resource":
            files[doc["uid"]] = f"{doc['root']}/{doc['resource_path']}"
    for kind, doc in documents:
        if kind == "event" and "det_image" in doc["data"]:
            resource = str(doc["data"]["det_image"]).split("/", maxsplit=1)[0]
            found.setdefault(names[doc["descriptor"]], []).extend(_read(files[resource], doc))
    return found


def _read(path: str, event: dict[str, Any]) -> list[Frame]:
    data = event["data"]
    first, last = data["det_first_unique_id"], data["det_last_unique_id"]
    with h5py.File(path) as file:
        images: Any = file["entry/data/data"]
        attributes: Any = file["entry/instrument/NDAttributes"]
        ids = attributes["NDArrayUniqueId"][()]
        times = attributes["NDArrayTimeStamp"][()]
        return [
            Frame(int(ids[at]), images[at].astype(float), data, float(times[at]), ids[at] - first)
            for at in range(len(ids))
            if first <= ids[at] <= last
        ]


def mean(frames: list[Frame]) -> np.ndarray:
    """Average frames, of darks or flats."""
    return np.mean([frame.pixels for frame in frames], axis=0)


def lit(frame: Frame) -> bool:
    """Tell whether there was beam: the edges of the image are beside the sample, or it was out."""
    return float(np.median(frame.pixels[:, :8])) > 300


def bead_place(shadow: np.ndarray, height: float) -> tuple[float, float]:
    """Tell where the bead near a height is: across and up, in mm from the middle."""
    row = int(_MIDDLE - height / _PIXEL)
    rows = np.arange(row - 8, row + 10)
    band = shadow[rows]
    band = np.where(band > _LEAST * band.max(), band, 0)
    across = band.sum(0) @ (np.arange(band.shape[1]) - _MIDDLE) * _PIXEL / band.sum()
    up = band.sum(1) @ (_MIDDLE - rows) * _PIXEL / band.sum()
    return float(across), float(up)


def pose_of(frame: Frame, dark: np.ndarray, flat: np.ndarray, lift: float = 0.0) -> Pose:
    """Tell where the motors stood; ``lift`` is the sample's height to within 0.01 mm."""
    light = (frame.pixels - dark) / np.maximum(flat - dark, 1)
    shadow = -np.log(np.clip(light, 1e-3, None))
    places = [bead_place(shadow, height + lift) for height, _ in BEADS]
    turns = np.radians([azimuth for _, azimuth in BEADS])
    matrix = np.stack([np.ones(3), np.cos(turns), np.sin(turns)], axis=1)
    u = np.array([across for across, _ in places])
    shift, cos, sin = np.linalg.solve(matrix, u)
    angle = np.arctan2(sin, cos)
    height = float(np.mean([up - bead for (_, up), (bead, _) in zip(places, BEADS, strict=True)]))
    misfit = np.abs(shift + np.cos(angle - turns) - u).max()
    return Pose(float(np.degrees(angle)), float(shift), height, float(misfit))


def turned_by(first: float, second: float) -> float:
    """Tell how far apart two angles are, in degrees, at most 180."""
    return abs((first - second + 180) % 360 - 180)
