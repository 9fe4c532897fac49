"""What is known of each frame, as datasets beside the images."""

from __future__ import annotations

import h5py
import numpy as np

from ...documents.run import Run
from ..output.hdf5_values import member_name, write_value
from .frames import TomoFrames
from .metadata import metres_per_unit
from .readings import FrameReading

__all__ = [
    "ANGLE",
    "IMAGE_KEY",
    "MISSING_TEXT",
    "UNIQUE_ID",
    "Z_TRANSLATION",
    "spiral_motor",
    "write_frames",
    "write_reading",
]

#: Names of the datasets that aren't those of devices.
ANGLE, IMAGE_KEY, UNIQUE_ID = "theta", "image_key", "unique_id"
#: An attribute: which of them is along the axis of rotation.
Z_TRANSLATION = "z_translation"
#: Which frames those are that are listed apart.
MISSING_TEXT = "Frames that were to come, and are in no file: they were lost on their way."


def spiral_motor(run: Run, frames: TomoFrames) -> str | None:
    """Find the device that lifts the sample in a spiral.

    Parameters
    ----------
    run : Run
        Its start document names the device: ``{"spiral": {"vertical": name}}``.
    frames : TomoFrames
        The frames.

    Returns
    -------
    str or None
        The name of its reading; None when there is none, or it has no units of length.
    """
    spiral = run.start.get("spiral")
    motor = spiral.get("vertical") if isinstance(spiral, dict) else None
    reading = frames.readings.get(motor) if isinstance(motor, str) else None
    if reading is None or reading.values.dtype.kind not in "if":
        return None
    return None if metres_per_unit(reading.units) is None else motor


def write_frames(group: h5py.Group, frames: TomoFrames, description: str) -> None:
    """Write what is known of frames: a line for each.

    ::

        unique_id       int64: NDArrayUniqueId, -1 where unknown
        image_key       int8: 0 projection, 1 flat, 2 dark
        theta           float64, degrees, NaN where unknown; only when any is known
        <device>        what it read, NaN or an empty text where it wasn't read  @units @source

    Parameters
    ----------
    group : h5py.Group
        Where to; gets the attribute ``description``.
    frames : TomoFrames
        The frames.
    description : str
        Which frames, a sentence.
    """
    group.attrs["description"] = description
    group.create_dataset(UNIQUE_ID, data=frames.ids).attrs["description"] = (
        "NDArrayUniqueId; -1 where it isn't known"
    )
    group.create_dataset(IMAGE_KEY, data=frames.kinds.astype(np.int8)).attrs["description"] = (
        "0 projection, 1 flat, 2 dark"
    )
    if frames.has_angles:
        angles = group.create_dataset(ANGLE, data=frames.angles)
        angles.attrs["units"], angles.attrs["source"] = "degree", frames.theta
    for name, reading in frames.readings.items():
        member = member_name(name)
        while member in group:  # a device that is called theta
            member = f"{member}_read"
        write_reading(group, member, reading)


def write_reading(group: h5py.Group, name: str, reading: FrameReading) -> h5py.Dataset:
    """Write what a device read for each frame.

    Parameters
    ----------
    group : h5py.Group
        Where to.
    name : str
        Of the dataset.
    reading : FrameReading
        The values.

    Returns
    -------
    h5py.Dataset
        (n,), with ``@source`` and ``@units``.
    """
    values = reading.values
    dataset = write_value(group, name, values.tolist() if values.dtype.kind == "O" else values)
    dataset.attrs["source"] = reading.source
    if reading.units:
        dataset.attrs["units"] = reading.units
    return dataset
