"""Image files that aren't what the event descriptor says: written as they are, and told."""

from __future__ import annotations

import re
from typing import Any

import h5py
import numpy as np
import pytest
import tifffile

from adsupport.callbacks.hdf5 import HDF5Writer
from adsupport.callbacks.nexus import NXWriter
from adsupport.callbacks.tiff import TIFFWriter
from adsupport.errors import DocumentError

from ..documents import encodings as enc
from .sending import send


def run_with(directory, frames, dtype_numpy):
    """A run of three events with two frames of (4, 5) each, and a file of other frames perhaps."""
    stream = {"kinds": ["number"], "images": True, "table": [[1.5]] * 3}
    documents = enc.singly({"streams": {"primary": stream}, "stop": True, "seed": 0})
    directory.mkdir(exist_ok=True)
    with h5py.File(directory / "primary.h5", "w") as file:
        file["entry/data/data"] = frames
    for name, doc in documents:
        if name == "resource":
            doc.update(root="/", resource_path=str(directory / "primary.h5").lstrip("/"))
        elif name == "descriptor":
            doc["data_keys"]["image"]["dtype_numpy"] = dtype_numpy
    return documents


def in_hdf5(path) -> Any:
    with h5py.File(path) as file:
        found: Any = []
        file.visititems(
            lambda _, item: found.append(item[()]) if getattr(item, "ndim", 0) == 4 else None
        )
        return found[0].reshape(-1, *found[0].shape[2:])


@pytest.mark.parametrize(
    ("writer", "options", "read"),
    [
        (NXWriter, {"warn_on_missing_content": False}, in_hdf5),
        (NXWriter, {"images": "copy", "on_missing_images": "placeholder"}, in_hdf5),
        (HDF5Writer, {}, in_hdf5),
        (HDF5Writer, {"images": "repack"}, in_hdf5),
        (TIFFWriter, {}, tifffile.imread),
    ],
)
@pytest.mark.parametrize(
    ("shape", "dtype"), [((4, 5), "<f4"), ((4, 7), "<u2"), ((4, 5), "<u2"), ((5, 4), ">u2")]
)
def test_frames_of_another_kind_are_told(tmp_path, writer, options, read, shape, dtype):
    frames = np.arange(6 * shape[0] * shape[1]).astype(dtype).reshape(6, *shape)
    documents = run_with(tmp_path / "ioc", frames, "<u2")
    made = writer(file_path=tmp_path / "out", file_name="x.h5", **options)
    contradicts = (np.dtype(dtype).str[1:], sorted(shape)) != ("u2", [4, 5])
    expected = re.escape(
        f"primary.h5 has frames of {shape} {np.dtype(dtype)}; expected (2, 4, 5) <u2"
    )
    if contradicts:
        with pytest.raises(DocumentError, match=f"Stream 'primary': .*image.*{expected}"):
            send(made, documents)
    else:
        send(made, documents)
    (path,) = made.results[-1].paths
    assert len(made.results[-1].skipped) == contradicts
    np.testing.assert_array_equal(read(path), frames)
