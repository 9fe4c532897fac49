"""Compressed arrays over pvAccess: the codec's bytes, for the viewer to decompress."""

from __future__ import annotations

import io

import h5py
import hdf5plugin
import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def codec(det):
    """The image behind Codec1, which compresses with what the test chooses."""
    det.put("Codec1:EnableCallbacks", 1)
    det.put("Codec1:Mode", "Compress")
    det.put("Codec1:ArrayCallbacks", 1)
    det.put("Pva1:NDArrayPort", "CODEC1")
    yield det
    det.put("Pva1:NDArrayPort", "SIM1")
    det.put("Codec1:Compressor", "None")
    det.put("Codec1:EnableCallbacks", 0)
    det.put("cam1:Acquire", 1)  # p4p does not unwrap what it cannot decompress: leave no such image


def ramp(dtype: str) -> np.ndarray:
    return np.add.outer(np.arange(48), np.arange(64)).astype(dtype)


@pytest.mark.parametrize(("name", "scalar_type"), [("UInt8", 5), ("UInt16", 6), ("Float64", 10)])
def test_blosc(codec, name, scalar_type, tmp_path):
    codec.put("Codec1:Compressor", "Blosc")
    for record, value in {"DataType": name, "SizeX": 64, "SizeY": 48, "Reset": 1}.items():
        codec.put(f"cam1:{record}", value)
    codec.put("cam1:Acquire", 1)
    image = codec.structure()
    pixels = ramp(name.lower())
    assert image.codec.name == "blosc"
    assert image.codec.parameters == scalar_type  # pvData's ScalarType of the pixels
    assert [dim.size for dim in image.dimension] == [64, 48]
    assert image.compressedSize == len(image.value)
    assert image.uncompressedSize == pixels.nbytes
    assert {item.name: item.value for item in image.attribute}["ColorMode"] == 0
    with h5py.File(tmp_path / "chunk.h5", "w") as file:
        data = file.create_dataset(
            "data", (48, 64), pixels.dtype, chunks=(48, 64), compression=hdf5plugin.Blosc()
        )
        data.id.write_direct_chunk((0, 0), bytes(image.value))
        assert np.array_equal(data[()], pixels)


def test_jpeg(codec):
    codec.put("Codec1:Compressor", "JPEG")
    codec.put("Codec1:JPEGQuality", 95)
    for record, value in {"SizeX": 64, "SizeY": 48, "Reset": 1}.items():
        codec.put(f"cam1:{record}", value)
    codec.put("cam1:Acquire", 1)
    image = codec.structure()
    assert image.codec.name == "jpeg"
    with Image.open(io.BytesIO(bytes(image.value))) as picture:
        decoded = np.asarray(picture, dtype=int)
    assert np.abs(decoded - ramp("uint8")).max() < 12
