"""Codecs of NDPluginCodec: what they make is what Blosc, LZ4, Bitshuffle and JPEG define."""

from __future__ import annotations

import io
import struct
from dataclasses import replace

import h5py
import hdf5plugin
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from adsupport.sim.arrays.codecs import (
    BLOSC_COMPRESSORS,
    CodecError,
    CodecSettings,
    CodecStatus,
    Compressor,
    compress,
    decompress,
    hdf5_chunk,
)
from adsupport.sim.ndarray import Codec, ColorMode, DataType, Dimension, NDArray, NDAttribute

LOSSLESS = [Compressor.BLOSC, Compressor.LZ4, Compressor.BSLZ4]
FILTERS = {
    Compressor.BLOSC: hdf5plugin.Blosc(),
    Compressor.LZ4: hdf5plugin.LZ4(),
    Compressor.BSLZ4: hdf5plugin.Bitshuffle(cname="lz4"),
}
arrays = hnp.arrays(
    st.sampled_from([member.dtype for member in DataType]),
    hnp.array_shapes(min_dims=1, max_dims=3, max_side=40),
)


def noise(shape: tuple[int, ...] = (64, 65), dtype: str = "uint8") -> np.ndarray:
    count = int(np.prod(shape))
    raw = np.random.default_rng(1).bytes(count * np.dtype(dtype).itemsize)
    return np.frombuffer(raw, dtype).reshape(shape)


def with_codec(compressor: Compressor, **more: int) -> CodecSettings:
    return CodecSettings(compressor=compressor, **more)


def same_bits(one: np.ndarray, other: np.ndarray) -> bool:
    return (
        one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()
    )


@settings(max_examples=60)
@given(arrays, st.sampled_from(LOSSLESS), st.integers(0, 2), st.integers(0, 9))
def test_what_is_decompressed_is_what_was_compressed(
    data: np.ndarray, compressor: Compressor, shuffle: int, level: int
) -> None:
    array = NDArray(data, unique_id=7, attributes=(NDAttribute("A", 1),))
    small = compress(array, with_codec(compressor, blosc_shuffle=shuffle, blosc_level=level))
    assert small.codec.name == compressor.name.lower() and small.data.dtype == np.uint8
    assert small.data_type == array.data_type and small.info == array.info
    back = decompress(small)
    assert same_bits(back.data, data)
    assert (back.codec, back.element) == (Codec(), None)
    assert (back.unique_id, back.attributes, back.dims) == (7, array.attributes, array.dims)


@pytest.mark.parametrize("dtype", ["int8", "uint16", "float64"])
@pytest.mark.parametrize("compressor", LOSSLESS)
@pytest.mark.parametrize("kind", ["ramp", "noise"])
def test_chunks_are_read_by_any_hdf5_program(
    compressor: Compressor, dtype: str, kind: str, tmp_path
) -> None:
    data = noise(dtype=dtype) if kind == "noise" else np.arange(64 * 65).astype(dtype)
    data = data.reshape(64, 65)
    chunk = hdf5_chunk(compress(NDArray(data), with_codec(compressor)))
    with h5py.File(tmp_path / "f.h5", "w") as file:
        made = file.create_dataset("d", data.shape, dtype, chunks=data.shape, **FILTERS[compressor])
        made.id.write_direct_chunk((0, 0), chunk)
    with h5py.File(tmp_path / "f.h5") as file:
        assert same_bits(file["d"][:], data)


def test_an_lz4_array_is_one_block_without_a_header() -> None:
    # the LZ4 block format: a token, literals, then 15 bytes from offset 1 on and the last five
    small = compress(NDArray(np.zeros(30, np.uint8)), with_codec(Compressor.LZ4))
    block = small.data.tobytes()
    assert block[:4] == bytes([0x1F, 0, 1, 0])
    assert hdf5_chunk(small) == struct.pack(">QII", 30, 30, len(block)) + block
    assert block[-5:] == bytes(5)


def test_noise_makes_an_lz4_block_of_literals() -> None:
    raw = noise((300,)).tobytes()
    small = compress(NDArray(noise((300,))), with_codec(Compressor.LZ4))
    assert small.data.tobytes() == b"\xf0\xff" + bytes([300 - 15 - 255]) + raw


def test_a_bitshuffle_array_is_a_stream_without_a_header() -> None:
    small = compress(NDArray(np.zeros((64, 64), np.uint32)), with_codec(Compressor.BSLZ4))
    stream = small.data.tobytes()
    (first,) = struct.unpack(">I", stream[:4])
    # two blocks of 8192 bytes, each after its compressed size
    assert len(stream) == 2 * (4 + first)
    assert hdf5_chunk(small) == struct.pack(">QI", 64 * 64 * 4, 8192) + stream


def test_the_ramp_has_the_size_that_adcore_gives_it() -> None:
    """A frame of the simulated detector has 86556 bytes in ADCore's issue 562."""
    ramp = np.add.outer(np.arange(1024), np.arange(1024)).astype(np.uint8)
    for step in (2, 100, 255):
        assert (
            compress(NDArray(ramp + np.uint8(step)), with_codec(Compressor.BSLZ4)).data.size
            == 86556
        )


@pytest.mark.parametrize("number", range(len(BLOSC_COMPRESSORS)))
def test_a_blosc_array_is_a_blosc_buffer(number: int) -> None:
    data = np.arange(4096, dtype=np.uint16)
    chosen = with_codec(Compressor.BLOSC, blosc_compressor=number, blosc_shuffle=1, blosc_level=7)
    try:
        small = compress(NDArray(data), chosen)
    except CodecError as error:
        # Blosc may be built without it
        assert (BLOSC_COMPRESSORS[number], str(error)) == (
            "snappy", "Unsupported Blosc compressor snappy"
        )  # fmt: skip
        return
    assert small.codec == Codec("blosc", 7, 1, number)
    _, _, flags, width, total, _, stored = struct.unpack("<4B3I", small.data[:16].tobytes())
    assert (width, total, stored) == (2, data.nbytes, small.data.size)
    assert flags & 1 and stored < total
    assert same_bits(decompress(small).data, data)


@pytest.mark.parametrize("level", [0, 5])
def test_blosc_stores_what_does_not_get_smaller(level: int) -> None:
    small = compress(NDArray(noise()), with_codec(Compressor.BLOSC, blosc_level=level))
    header = struct.unpack("<4B3I", small.data[:16].tobytes())
    assert header[2] & 2 and header[4] == 64 * 65 and header[6] == 64 * 65 + 16
    assert same_bits(decompress(small).data, noise())


# ---- JPEG

RGB = {ColorMode.RGB1: (40, 50, 3), ColorMode.RGB2: (40, 3, 50), ColorMode.RGB3: (3, 40, 50)}


@pytest.mark.parametrize("mode", RGB)
def test_jpeg_keeps_colours_where_they_are(mode: ColorMode) -> None:
    pixels = np.zeros((40, 50, 3), np.uint8)
    pixels[:, :25] = 200, 100, 50
    axis = RGB[mode].index(3)
    array = NDArray(
        np.ascontiguousarray(np.moveaxis(pixels, 2, axis)),
        dims=tuple(Dimension(size, offset=size) for size in reversed(RGB[mode])),
        color_mode=mode,
    )
    small = compress(array, with_codec(Compressor.JPEG, jpeg_quality=95))
    assert small.codec.name == "jpeg" and small.shape == RGB[mode]
    with Image.open(io.BytesIO(small.data.tobytes())) as image:
        assert (image.format, image.size, image.mode) == ("JPEG", (50, 40), "RGB")
        np.testing.assert_allclose(np.array(image), pixels, atol=60)
        np.testing.assert_allclose(np.array(image)[:, :15], pixels[:, :15], atol=6)
    back = decompress(small)
    assert back.color_mode is ColorMode.RGB1 and back.data.shape == (40, 50, 3)
    assert [dim.offset for dim in back.dims] == [3, 50, 40]
    assert hdf5_chunk(small) == small.data.tobytes()


def test_jpeg_quality_sets_the_size() -> None:
    data = noise((100, 100))
    sizes = [
        compress(NDArray(data), with_codec(Compressor.JPEG, jpeg_quality=quality)).data.size
        for quality in (-3, 1, 50, 95, 100, 300)
    ]
    assert sizes[0] == sizes[1] < sizes[2] < sizes[3] < sizes[4] == sizes[5]
    mono = decompress(compress(NDArray(data), with_codec(Compressor.JPEG, jpeg_quality=100)))
    assert mono.color_mode is ColorMode.MONO
    np.testing.assert_allclose(mono.data.astype(int), data, atol=8)


# ---- what cannot be


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (NDArray(np.zeros((4, 4), np.uint16)), "JPEG only supports 8-bit data"),
        (NDArray(np.zeros((2, 4, 4), np.uint8)), "Unsupported array structure"),
        (NDArray(np.zeros(4, np.uint8)), "Unsupported array structure"),
        (NDArray(np.zeros((4, 4, 4), np.uint8), color_mode=ColorMode.RGB1), "Unsupported array"),
        (NDArray(np.zeros((4, 4), np.uint8), color_mode=ColorMode.BAYER), "Unknown color mode 1"),
        (NDArray(np.zeros((1, 70_000), np.uint8)), "Error writing JPEG data"),
    ],
)
def test_what_jpeg_does_not_know_is_an_error(array: NDArray, message: str) -> None:
    with pytest.raises(CodecError, match=message) as error:
        compress(array, with_codec(Compressor.JPEG))
    assert error.value.status is CodecStatus.ERROR


@pytest.mark.parametrize("compressor", [*LOSSLESS, Compressor.JPEG])
def test_what_is_compressed_is_not_compressed_again(compressor: Compressor) -> None:
    small = compress(NDArray(noise()), with_codec(Compressor.LZ4))
    with pytest.raises(CodecError, match="Array already compressed") as error:
        compress(small, with_codec(compressor))
    assert error.value.status is CodecStatus.WARNING


@pytest.mark.parametrize("compressor", [*LOSSLESS, Compressor.JPEG])
def test_nothing_cannot_be_compressed(compressor: Compressor) -> None:
    with pytest.raises(CodecError, match="0 bytes"):
        compress(NDArray(np.zeros((0, 4), np.uint8)), with_codec(compressor))


@pytest.mark.parametrize("compressor", [*LOSSLESS, Compressor.JPEG])
@pytest.mark.parametrize("cut", [0, 3, 100])
def test_broken_data_are_an_error(compressor: Compressor, cut: int) -> None:
    small = compress(NDArray(noise()), with_codec(compressor))
    with pytest.raises(CodecError, match="Failed to|Error decoding"):
        decompress(replace(small, data=small.data[:cut]))


def test_a_codec_that_is_not_known_is_an_error() -> None:
    array = replace(compress(NDArray(noise()), with_codec(Compressor.LZ4)), codec=Codec("zlib"))
    with pytest.raises(CodecError, match="Unexpected codec: 'zlib'"):
        decompress(array)
    with pytest.raises(CodecError, match="no HDF5 filter for codec 'zlib'"):
        hdf5_chunk(array)


def test_without_a_codec_an_array_stays_itself() -> None:
    array = NDArray(noise())
    assert compress(array, CodecSettings()) is array
    assert decompress(array) is array
