"""Data Exchange files whose pixels are all different, and what should be seen of them."""

import h5py
import numpy as np

from adsupport.callbacks.tomography import FrameKind

#: Frames of each kind, in the order of a file that doesn't tell the order of acquisition.
COUNTS = {FrameKind.DARK: 2, FrameKind.FLAT: 3, FrameKind.PROJECTION: 7}
NAMES = {FrameKind.DARK: "data_dark", FrameKind.FLAT: "data_white", FrameKind.PROJECTION: "data"}
SHAPE = (4, 5)
#: Of the projections, in degrees.
ANGLES = np.linspace(0, 180, COUNTS[FrameKind.PROJECTION])


def frames_of(kind, count=None, dtype="u2"):
    """Return the frames of a kind: each pixel counts on, and each kind begins elsewhere."""
    count = COUNTS[kind] if count is None else count
    size = count * SHAPE[0] * SHAPE[1]
    return (10_000 * int(kind) + np.arange(size)).reshape(count, *SHAPE).astype(dtype)


def write_dx(path, kinds=tuple(COUNTS), theta=True, more=None, units="degrees"):
    """Write a Data Exchange file; ``more`` are datasets by address, which may be others' too."""
    path.parent.mkdir(exist_ok=True, parents=True)
    with h5py.File(path, "w") as file:
        for kind in kinds:
            file[f"exchange/{NAMES[kind]}"] = frames_of(kind)
        if theta:
            file["exchange/theta"] = ANGLES
            file["exchange/theta"].attrs["units"] = units
        for address, value in (more or {}).items():
            if address in file:
                del file[address]
            file[address] = value
    return path


def seen(path, entry="entry"):
    """Read an NXtomo file as reconstruction programs do: frames by kind, and angles.

    They take the images and angles whose ``image_key`` is that of the kind.
    """
    with h5py.File(path) as file:
        group = file[entry]
        key = group["instrument/detector/image_key"][()]
        images = group["instrument/detector/data"]
        angles = group["sample/rotation_angle"][()]
        assert len(key) == len(images) == len(angles)
        assert group["sample/rotation_angle"].attrs["units"] == "degree"
        pixels = images[()]
        return {kind: (pixels[key == kind], angles[key == kind]) for kind in FrameKind}


def check_frames(path, entry="entry"):
    """All frames are there, each in its place, and the projections have their angles."""
    found = seen(path, entry)
    for kind in COUNTS:
        np.testing.assert_array_equal(found[kind][0], frames_of(kind))
    np.testing.assert_array_equal(found[FrameKind.PROJECTION][1], ANGLES)
