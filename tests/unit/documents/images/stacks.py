"""Files of images, and documents that tell of them."""

from __future__ import annotations

import pathlib
from typing import Any

import h5py
import numpy as np

from adsupport.documents.assets import ADCORE_DATASET, Asset, Frames, asset_of


def pixels(frames: int, shape: tuple[int, ...] = (4, 5), dtype: str = "<u2") -> np.ndarray:
    """Images of which no two pixels are the same, as far as the type goes."""
    size = frames * int(np.prod(shape))
    return (np.arange(size) % 60000).reshape(frames, *shape).astype(dtype)


def write_stack(path: pathlib.Path, data: np.ndarray, **options: Any) -> None:
    """Write an HDF5 file as ADCore's layout has it."""
    with h5py.File(path, "w") as file:
        file.create_dataset(ADCORE_DATASET, data=data, **options)


def hdf5_asset(path: pathlib.Path, per_point: int = 1, uid: str = "r1", **more: Any) -> Asset:
    """An asset of one HDF5 file."""
    document = {"uid": uid, "spec": "AD_HDF5", "root": "/", "resource_path": str(path)}
    kwargs = {"frame_per_point": per_point}
    return asset_of({**document, "resource_kwargs": kwargs, **more})


def files_asset(
    directory: pathlib.Path, spec: str, template: str, per_point: int = 1, uid: str = "r1"
) -> Asset:
    """An asset of files with a frame each, named ``a``."""
    kwargs = {"frame_per_point": per_point, "template": template, "filename": "a"}
    document = {"uid": uid, "spec": spec, "root": "/", "resource_path": f"{directory}/"}
    return asset_of({**document, "resource_kwargs": kwargs})


def points(asset: Asset, *numbers: int) -> list[Frames | None]:
    """The frames of some points."""
    return [asset.frames_of_datum({"point_number": number}) for number in numbers]
