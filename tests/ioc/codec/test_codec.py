"""Codec1 and Codec2: arrays compressed, decompressed, stored and shown."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin  # noqa: F401  registers the filters
import numpy as np
import pytest
from PIL import Image

from adsupport.launch import IOCProcess

from ..records import Records

TEXTS = {"CodecError", "WriteMessage"}
RAMP = np.add.outer(np.arange(48), np.arange(64))
BASE: dict[str, dict[str, object]] = {
    "cam1": {
        "Acquire": 0, "ImageMode": 1, "AcquireTime": 0.001, "AcquirePeriod": 0.002,
        "ArrayCallbacks": 1, "WaitForPlugins": 1, "MinX": 0, "MinY": 0, "BinX": 1, "BinY": 1,
        "ReverseX": 0, "ReverseY": 0, "SizeX": 64, "SizeY": 48, "DataType": 1,
        "ColorMode": 0, "SimMode": 0, "Gain": 1.0, "Noise": 0.0, "Offset": 0.0,
        "NDAttributesFile": "",
    },
    "Codec1": {
        "NDArrayPort": "SIM1", "EnableCallbacks": 1, "ArrayCallbacks": 1, "Mode": 0,
        "Compressor": "None", "JPEGQuality": 85, "BloscCompressor": 0, "BloscCLevel": 5,
        "BloscShuffle": 0, "BloscNumThreads": 1,
    },
    "Codec2": {
        "NDArrayPort": "CODEC1", "EnableCallbacks": 1, "ArrayCallbacks": 1, "Mode": 1,
        "Compressor": "None",
    },
    "image1": {"NDArrayPort": "CODEC1", "EnableCallbacks": 1},
}  # fmt: skip


class Chain(Records):
    """The camera, two codec plugins behind each other, and an image."""

    def put(self, part: str, **values: object) -> None:
        self.write({f"{part}:{name}": value for name, value in values.items()})

    def get(self, part: str, name: str, as_string: bool = False) -> Any:
        return super().get(f"{part}:{name}", as_string=as_string or name in TEXTS)

    def alarm(self, part: str, name: str) -> tuple[int, int]:
        return super().alarm(f"{part}:{name}")

    def acquire(self, count: int = 1, **camera: object) -> None:
        self.put("cam1", **camera, NumImages=count, Acquire=1)

    def status(self, part: str = "Codec1") -> list:
        return [self.get(part, "CodecStatus", True), self.get(part, "CodecError")]

    def factor(self, part: str = "Codec1") -> float:
        return self.get(part, "CompFactor_RBV")

    def shown(self, count: int) -> np.ndarray:
        return self.get("image1", "ArrayData")[:count].astype(np.uint8)


@pytest.fixture
def chain(adsim: IOCProcess) -> Iterator[Chain]:
    """All at their first settings, no compression yet, a first frame done."""
    chain = Chain(adsim.prefix)
    for part, values in BASE.items():
        chain.put(part, **values)
    chain.acquire(1, Reset=1)
    yield chain
    for part in ("Codec1", "Codec2", "image1"):
        chain.put(part, EnableCallbacks=0)
    chain.put("image1", NDArrayPort="SIM1")
    chain.put("cam1", SizeX=1024, SizeY=1024, DataType=1, ColorMode=0, SimMode=0)


@pytest.mark.parametrize("compressor", ["Blosc", "LZ4", "BSLZ4"])
@pytest.mark.parametrize("dtype", [1, 3, 9])
def test_what_goes_through_both_comes_out_as_it_was(
    compressor: str, dtype: int, chain: Chain
) -> None:
    chain.put("Codec1", Compressor=compressor)
    chain.put("image1", NDArrayPort="CODEC2")
    chain.acquire(1, DataType=dtype, Reset=1)
    assert chain.status() == chain.status("Codec2") == ["Success", ""]
    assert chain.get("Codec2", "Codec_RBV") == compressor.lower()
    size = chain.get("Codec2", "CompressedSize_RBV")
    total = 48 * 64 * {1: 1, 3: 2, 9: 8}[dtype]
    assert size < total
    assert chain.factor() == chain.factor("Codec2") == pytest.approx(total / size)
    assert chain.get("Codec2", "DataType_RBV") == dtype
    np.testing.assert_array_equal(chain.shown(RAMP.size), RAMP.ravel().astype(np.uint8))
    # the second shows what it found
    assert chain.get("Codec2", "Compressor_RBV", True) == compressor


def test_without_compressor_arrays_pass(chain: Chain) -> None:
    chain.acquire(1, Reset=1)
    assert chain.status() == ["Success", ""] and chain.factor() == 1.0
    np.testing.assert_array_equal(chain.shown(RAMP.size), RAMP.ravel())
    assert chain.get("image1", "Codec_RBV") == ""


def test_an_image_of_compressed_arrays_holds_the_codecs_bytes(chain: Chain) -> None:
    """For viewers that decompress themselves."""
    chain.put("Codec1", Compressor="JPEG", JPEGQuality=100)
    before = chain.get("image1", "ArrayCounter_RBV")
    chain.acquire(1, Reset=1)
    assert chain.get("image1", "ArrayCounter_RBV") == before + 1
    assert chain.get("image1", "Codec_RBV") == "jpeg"
    size = chain.get("image1", "CompressedSize_RBV")
    assert [chain.get("image1", f"ArraySize{n}_RBV") for n in (0, 1)] == [64, 48]
    with Image.open(io.BytesIO(chain.shown(size).tobytes())) as image:
        assert (image.format, image.mode, image.size) == ("JPEG", "L", (64, 48))
        np.testing.assert_allclose(np.array(image).astype(int), RAMP, atol=3)


@pytest.mark.parametrize("mode", ["RGB1", "RGB2", "RGB3"])
def test_jpeg_of_colours_comes_out_as_rgb1(mode: str, chain: Chain) -> None:
    chain.put("Codec1", Compressor="JPEG", JPEGQuality=100)
    chain.put("image1", NDArrayPort="CODEC2")
    chain.acquire(1, ColorMode=mode, Reset=1)
    assert chain.status("Codec2") == ["Success", ""]
    assert chain.get("image1", "ColorMode_RBV", True) == "RGB1"
    assert [chain.get("image1", f"ArraySize{n}_RBV") for n in range(3)] == [3, 64, 48]
    pixels = chain.shown(RAMP.size * 3).reshape(48, 64, 3).astype(int)
    np.testing.assert_allclose(pixels, np.repeat(RAMP[..., np.newaxis], 3, 2), atol=4)


# ---- what cannot be


def test_jpeg_of_wide_pixels_is_an_error_and_they_pass(chain: Chain) -> None:
    chain.put("Codec1", Compressor="JPEG")
    before = chain.get("image1", "ArrayCounter_RBV")
    chain.acquire(2, DataType=3, Reset=1)
    assert chain.status() == ["Error", "JPEG only supports 8-bit data"]
    assert chain.alarm("Codec1", "CodecStatus") == (2, 7)
    assert chain.factor() == 1.0
    assert chain.get("image1", "ArrayCounter_RBV") == before + 2
    assert chain.get("image1", "Codec_RBV") == ""
    chain.put("Codec1", Compressor="LZ4")
    chain.acquire(1)
    assert chain.status() == ["Success", ""]
    assert chain.alarm("Codec1", "CodecStatus") == (0, 0)


def test_compressing_twice_is_a_warning_and_arrays_pass(chain: Chain) -> None:
    chain.put("Codec1", Compressor="LZ4")
    chain.put("Codec2", Mode=0, Compressor="Blosc")
    chain.put("image1", NDArrayPort="CODEC2")
    chain.acquire(1)
    assert chain.status("Codec2") == ["Warning", "Array already compressed"]
    assert chain.alarm("Codec2", "CodecStatus") == (1, 7)
    assert chain.get("image1", "Codec_RBV") == "lz4"


def test_plugins_that_take_no_compressed_arrays_drop_them(chain: Chain) -> None:
    chain.put("Stats1", NDArrayPort="CODEC1", EnableCallbacks=1)
    try:
        chain.put("Codec1", Compressor="BSLZ4")
        dropped, counted = (
            chain.get("Stats1", name) for name in ("DroppedArrays_RBV", "ArrayCounter_RBV")
        )
        chain.acquire(3)
        assert chain.get("Stats1", "DroppedArrays_RBV") == dropped + 3
        assert chain.get("Stats1", "ArrayCounter_RBV") == counted
    finally:
        chain.put("Stats1", NDArrayPort="SIM1", EnableCallbacks=0)


def test_settings_keep_to_their_limits(chain: Chain) -> None:
    chain.put("Codec1", JPEGQuality=0, BloscCLevel=12, BloscNumThreads=0)
    assert chain.get("Codec1", "JPEGQuality_RBV") == 1
    assert chain.get("Codec1", "BloscCLevel_RBV") == 9
    assert chain.get("Codec1", "BloscNumThreads_RBV") == 1
    chain.put("Codec1", JPEGQuality=101, BloscCLevel=-1)
    assert chain.get("Codec1", "JPEGQuality_RBV") == 100
    assert chain.get("Codec1", "BloscCLevel_RBV") == 0


def test_every_blosc_compressor_and_shuffle(chain: Chain) -> None:
    chain.put("Codec1", Compressor="Blosc")
    chain.put("image1", NDArrayPort="CODEC2")
    for number in range(6):
        for shuffle in range(3):
            chain.put("Codec1", BloscCompressor=number, BloscShuffle=shuffle)
            chain.acquire(1, Reset=1)
            status = chain.status()
            if number == 3 and status[0] == "Error":
                assert status[1] == "Unsupported Blosc compressor snappy"
            else:
                assert status == ["Success", ""]
            np.testing.assert_array_equal(chain.shown(RAMP.size), RAMP.ravel())


# ---- in files


@pytest.mark.parametrize(
    ("compressor", "code"), [("Blosc", 32001), ("LZ4", 32004), ("BSLZ4", 32008)]
)
def test_compressed_arrays_are_stored_as_they_come(
    compressor: str, code: int, chain: Chain, tmp_path: Path, watch: type
) -> None:
    chain.put("Codec1", Compressor=compressor, BloscShuffle=1, BloscCLevel=3)
    chain.put(
        "HDF1", NDArrayPort="CODEC1", EnableCallbacks=1, FileWriteMode=2, NumCapture=3,
        LazyOpen=0, AutoIncrement=1, FileNumber=0, FileName="c", FileTemplate="%s%s_%4.4d.h5",
        Compression="None", ChunkSizeAuto=1, FilePath=str(tmp_path),
    )  # fmt: skip
    try:
        chain.acquire(1, DataType=3, Reset=1)
        with watch(f"{chain.prefix}HDF1:", "Capture") as seen:
            # its put-callback comes when all is captured
            chain.pv("HDF1:Capture").put(1)
            seen.wait_for("Capture", 1)
        chain.acquire(3)
        assert chain.get("HDF1", "NumCaptured_RBV") == 3, chain.get("HDF1", "WriteMessage")
        assert chain.get("HDF1", "WriteStatus") == 0
    finally:
        chain.put(
            "HDF1", Capture=0, NDArrayPort="SIM1", FileWriteMode=0, NumCapture=1, EnableCallbacks=0
        )
    with h5py.File(tmp_path / "c_0000.h5") as file:
        data = file["/entry/data/data"]
        assert data.shape == (3, 48, 64) and data.dtype == np.uint16
        assert str(code) in data._filters
        np.testing.assert_array_equal(data[:], [RAMP + n for n in (1, 2, 3)])
        # the chunks are the codec's own: as long as the plugin said
        stored = data.id.get_chunk_info(2).size
    header = {"Blosc": 0, "LZ4": 16, "BSLZ4": 12}[compressor]
    assert stored == chain.get("HDF1", "CompressedSize_RBV") + header
