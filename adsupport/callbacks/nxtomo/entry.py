"""What an NXtomo file has, wherever the images come from.

The format is the application definition ``NXtomo`` of the NeXus International Advisory Committee.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import h5py
import numpy as np

from ..nexus.nx_group import link, nx_group
from ..output.hdf5_values import write_value
from ..tomography.metadata import Fact

__all__ = ["IN_ORDER", "About", "write_entry"]

#: What is said of frames in the order in which they were taken.
IN_ORDER = "The frames are in the order of acquisition."


@dataclass(frozen=True)
class About:
    """What is told of a scan beside its frames; empty texts are left out.

    Parameters
    ----------
    title : str
        Of the scan.
    start_time, end_time : str
        ISO 8601.
    sample, instrument, source : str
        Their names.
    pixel_sizes : dict of str to Fact
        ``x_pixel_size`` and ``y_pixel_size`` of the detector.
    """

    title: str = ""
    start_time: str = ""
    end_time: str = ""
    sample: str = ""
    instrument: str = ""
    source: str = ""
    pixel_sizes: dict[str, Fact] = field(default_factory=dict)


def write_entry(
    file: h5py.File,
    name: str,
    image_key: np.ndarray,
    angles: np.ndarray,
    order: str,
    about: About,
    store: Callable[[h5py.Group, str], h5py.Dataset],
    heights: Fact | None = None,
) -> h5py.Group:
    """Write the entry of a scan, and make it the file's default.

    Parameters
    ----------
    file : h5py.File
        The file, empty.
    name : str
        Of the entry.
    image_key : numpy.ndarray
        (n,): :class:`~adsupport.callbacks.tomography.frames.FrameKind` of each frame, or
        :data:`~adsupport.callbacks.tomography.frames.INVALID`.
    angles : numpy.ndarray
        (n,), degrees; NaN where there is none.
    order : str
        In which order the frames are, a sentence.
    about : About
        All else.
    store : callable
        Gets the detector's group and a name, and writes the images there: (n, Y, X).
    heights : Fact, optional
        (n,), with units of length: where the sample was along the axis of rotation.

    Returns
    -------
    h5py.Group
        The entry.
    """
    file.attrs.update(NX_class="NXroot", default=name, creator="adsupport")
    entry = nx_group(file, name, "NXentry")
    _texts(entry, title=about.title, start_time=about.start_time, end_time=about.end_time)
    entry["definition"] = "NXtomo"
    instrument = nx_group(entry, "instrument", "NXinstrument")
    _texts(instrument, name=about.instrument)
    if about.source:
        _texts(nx_group(instrument, "source", "NXsource"), name=about.source)
    detector = nx_group(instrument, "detector", "NXdetector")
    images = store(detector, "data")
    if "units" not in images.attrs:
        images.attrs["units"] = "counts"
    key = detector.create_dataset("image_key", data=image_key.astype(np.int8))
    key.attrs["description"] = f"0 projection, 1 flat field, 2 dark field, 3 invalid. {order}"
    for size, (value, units) in about.pixel_sizes.items():
        detector.create_dataset(size, data=np.float64(value)).attrs["units"] = units
    sample = nx_group(entry, "sample", "NXsample")
    # NXtomo demands a name.
    _texts(sample, name=about.sample or "unknown")
    angle = sample.create_dataset("rotation_angle", data=angles.astype(np.float64))
    angle.attrs["units"] = "degree"
    if heights is not None:
        values, units = heights
        height = sample.create_dataset("z_translation", data=np.asarray(values, np.float64))
        height.attrs["units"] = units
    data = nx_group(entry, "data", "NXdata")
    for each, item in (("data", images), ("rotation_angle", angle), ("image_key", key)):
        link(data, each, item)
    data.attrs["signal"] = "data"
    data.attrs["axes"] = ["rotation_angle", ".", "."]
    data.attrs["rotation_angle_indices"] = [0]
    entry.attrs["default"] = "data"
    return entry


def _texts(group: h5py.Group, **texts: str) -> None:
    for name, text in texts.items():
        if text:
            write_value(group, name, text)
