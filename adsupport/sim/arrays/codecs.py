"""The codecs of NDPluginCodec: compressed arrays as ADCore keeps them in memory.

What :attr:`NDArray.data` holds: for ``blosc`` a Blosc buffer with its header; for ``lz4`` one LZ4
block; for ``bslz4`` the stream of ``bshuf_compress_lz4`` in blocks of 8192 bytes; for ``jpeg`` a
JPEG file. HDF5's LZ4 and Bitshuffle filters put a header before theirs: :func:`hdf5_chunk`.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import IntEnum
from functools import cache

import numpy as np

from adsupport.sim.arrays.axes import has_colors, image_axes
from adsupport.sim.arrays.filter_codes import BITSHUFFLE, BITSHUFFLE_LZ4, BLOSC, LZ4
from adsupport.sim.arrays.hdf5_filter import apply_filter, undo_filter
from adsupport.sim.arrays.jpeg import JPEGError, decode_jpeg, encode_jpeg
from adsupport.sim.ndarray import UNCOMPRESSED, Codec, ColorMode, NDArray

_LARGEST = 1 << 30
"""Bytes in the largest block of HDF5's LZ4 filter; Blosc and ADCore end near twice as many."""

_BITSHUFFLE_BLOCK = 8192
"""Bytes in a block of Bitshuffle, for every element type of an NDArray."""

_LZ4_HEADER = struct.Struct(">QII")
"""Bytes in all, bytes in a block, bytes of the only block when compressed."""

_BITSHUFFLE_HEADER = struct.Struct(">QI")
"""Bytes in all, bytes in a block."""

_BLOSC_HEADER = struct.Struct("<4B3I")
"""Versions of format and codec, flags, element width; bytes in all, in a block, compressed."""

_BLOSC_COPIED = 0x02
"""Blosc's flag for a buffer that is not compressed."""

_BLOSC_FORMATS = (0, 1, 1, 2, 3, 4)
"""Blosc's numbers of its compressors' formats, in the flags of a buffer."""

BLOSC_COMPRESSORS = ("blosclz", "lz4", "lz4hc", "snappy", "zlib", "zstd")
"""Blosc's compressors by their number."""


class Compressor(IntEnum):
    """Choices of ``Compressor``."""

    NONE = 0
    JPEG = 1
    BLOSC = 2
    LZ4 = 3
    BSLZ4 = 4

    @property
    def codec(self) -> str:
        """Name of the codec in the arrays; empty for NONE."""
        return "" if self is Compressor.NONE else self.name.lower()

    @classmethod
    def of(cls, codec: str) -> Compressor | None:
        """Return the member for a codec's name, or None."""
        return next((member for member in cls if member.codec == codec), None)


class CodecStatus(IntEnum):
    """States of ``CodecStatus``."""

    SUCCESS = 0
    WARNING = 1
    ERROR = 2


class CodecError(ValueError):
    """An array cannot be compressed or decompressed.

    Attributes
    ----------
    status : CodecStatus
        How bad that is.
    """

    def __init__(self, message: str, status: CodecStatus = CodecStatus.ERROR) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class CodecSettings:
    """How arrays are to be compressed.

    Attributes
    ----------
    compressor : Compressor
        The codec.
    jpeg_quality : int
        1 to 100.
    blosc_compressor : int
        Index in :data:`BLOSC_COMPRESSORS`.
    blosc_level : int
        0 (none) to 9.
    blosc_shuffle : int
        0: none, 1: bytes, 2: bits.
    """

    compressor: Compressor = Compressor.NONE
    jpeg_quality: int = 85
    blosc_compressor: int = 0
    blosc_level: int = 5
    blosc_shuffle: int = 0


# ---- compression


def compress(array: NDArray, settings: CodecSettings) -> NDArray:
    """Compress an array.

    Parameters
    ----------
    array : NDArray
        Any array.
    settings : CodecSettings
        How.

    Returns
    -------
    NDArray
        Compressed, or ``array`` itself when the compressor is NONE.

    Raises
    ------
    CodecError
        When the array is compressed already (a warning), or the codec cannot compress it.
    """
    if settings.compressor is Compressor.NONE:
        return array
    if array.is_compressed:
        raise CodecError("Array already compressed", CodecStatus.WARNING)
    if not 0 < array.data.nbytes <= _LARGEST:
        raise CodecError(f"Cannot compress {array.data.nbytes} bytes; 1 to {_LARGEST} can be")
    codec, data = _ENCODERS[settings.compressor](array, settings)
    return replace(array, data=np.frombuffer(data, np.uint8), codec=codec, element=array.data_type)


def _jpeg(array: NDArray, settings: CodecSettings) -> tuple[Codec, bytes]:
    known = array.color_mode in (ColorMode.MONO, ColorMode.RGB1, ColorMode.RGB2, ColorMode.RGB3)
    if array.data.dtype.itemsize == 1 and not known:
        raise CodecError(f"Unknown color mode {int(array.color_mode)}")
    try:
        return Codec("jpeg"), encode_jpeg(array, settings.jpeg_quality)
    except JPEGError as error:
        raise CodecError(str(error)) from error


def _blosc(array: NDArray, settings: CodecSettings) -> tuple[Codec, bytes]:
    number, level = settings.blosc_compressor, min(max(settings.blosc_level, 0), 9)
    if not 0 <= number < len(BLOSC_COMPRESSORS) or not _blosc_knows(number):
        name = BLOSC_COMPRESSORS[number] if 0 <= number < len(BLOSC_COMPRESSORS) else number
        raise CodecError(f"Unsupported Blosc compressor {name}")
    codec = Codec("blosc", level, settings.blosc_shuffle, number)
    options = (0, 0, 0, 0, level, min(max(settings.blosc_shuffle, 0), 2), number)
    data = apply_filter(array.data, BLOSC, options) if level else None
    if data is None:
        # the filter has no room for what does not get smaller; Blosc itself stores that as it is
        raw, flags = array.data.tobytes(), _BLOSC_COPIED | _BLOSC_FORMATS[number] << 5
        sizes = len(raw), len(raw), len(raw) + _BLOSC_HEADER.size
        data = _BLOSC_HEADER.pack(2, 1, flags, array.data.itemsize, *sizes) + raw
    return codec, data


@cache
def _blosc_knows(number: int) -> bool:
    """Whether the Blosc at hand was built with a compressor."""
    options = (0, 0, 0, 0, 5, 0, number)
    try:
        return apply_filter(np.zeros(1 << 12, np.uint8), BLOSC, options) is not None
    except OSError:
        return False


def _lz4(array: NDArray, _: CodecSettings) -> tuple[Codec, bytes]:
    size = array.data.nbytes
    chunk = apply_filter(array.data, LZ4, ())
    if chunk is None or len(chunk) - _LZ4_HEADER.size >= size:
        # the filter stores what does not get smaller; LZ4 itself makes a block of literals of it
        return Codec("lz4"), _literals(array.data.tobytes())
    return Codec("lz4"), chunk[_LZ4_HEADER.size :]


def _literals(raw: bytes) -> bytes:
    """Return an LZ4 block that repeats nothing: the length of its literals, and these."""
    if len(raw) < 15:
        return bytes([len(raw) << 4]) + raw
    full, rest = divmod(len(raw) - 15, 255)
    return b"\xf0" + b"\xff" * full + bytes([rest]) + raw


def _bslz4(array: NDArray, _: CodecSettings) -> tuple[Codec, bytes]:
    chunk = apply_filter(array.data, BITSHUFFLE, (0, BITSHUFFLE_LZ4))
    if chunk is None:
        raise CodecError("Internal BSLZ4 error")
    return Codec("bslz4"), chunk[_BITSHUFFLE_HEADER.size :]


_ENCODERS: dict[Compressor, Callable[[NDArray, CodecSettings], tuple[Codec, bytes]]] = {
    Compressor.JPEG: _jpeg,
    Compressor.BLOSC: _blosc,
    Compressor.LZ4: _lz4,
    Compressor.BSLZ4: _bslz4,
}


# ---- decompression


def decompress(array: NDArray) -> NDArray:
    """Decompress an array.

    Parameters
    ----------
    array : NDArray
        Any array.

    Returns
    -------
    NDArray
        Not compressed; ``array`` itself when it was not. A JPEG image gives UInt8, mono or RGB1.

    Raises
    ------
    CodecError
        When the codec is not known, or cannot read the data.
    """
    match Compressor.of(array.codec.name):
        case Compressor.NONE:
            return array
        case Compressor.JPEG:
            return _from_jpeg(array)
        case Compressor.BLOSC:
            code, options, reason = BLOSC, (), "Failed to Blosc decompress"
        case Compressor.LZ4:
            code, options, reason = LZ4, (), "Failed to LZ4 decompress"
        case Compressor.BSLZ4:
            # ADCore, too, speaks of Blosc here
            code, options, reason = BITSHUFFLE, (0, BITSHUFFLE_LZ4), "Failed to Blosc decompress"
        case _:
            raise CodecError(f"Unexpected codec: '{array.codec.name}'")
    size = math.prod(array.shape)
    if not _is_whole(array):
        raise CodecError(reason)
    try:
        data = undo_filter(hdf5_chunk(array), code, options, array.data_type.dtype, size)
    except (OSError, RuntimeError, CodecError) as error:
        raise CodecError(reason) from error
    return replace(array, data=data.reshape(array.shape), codec=UNCOMPRESSED, element=None)


def _is_whole(array: NDArray) -> bool:
    """Whether compressed data are as long as they say; the filters would read beyond their end."""
    data, width = array.data.tobytes(), array.data_type.dtype.itemsize
    count = math.prod(array.shape)
    if array.codec.name == "blosc":
        if len(data) < _BLOSC_HEADER.size:
            return False
        *_, total, _, stored = _BLOSC_HEADER.unpack_from(data)
        return (total, stored) == (count * width, len(data))
    if array.codec.name == "lz4":
        return bool(data)
    place, in_block = 0, _BITSHUFFLE_BLOCK // width
    # the last block may be shorter; fewer than eight elements at the end are not compressed
    for _ in range(count // in_block + (count % in_block >= 8)):
        if place + 4 > len(data):
            return False
        place += 4 + int.from_bytes(data[place : place + 4], "big")
    return place + count % 8 * width == len(data)


def _from_jpeg(array: NDArray) -> NDArray:
    try:
        pixels = decode_jpeg(array.data.tobytes())
    except JPEGError as error:
        raise CodecError("Error decoding JPEG") from error
    if pixels.size != math.prod(array.shape):
        raise CodecError(f"Error decoding JPEG: it has shape {pixels.shape}, not {array.shape}")
    if pixels.ndim == 2:
        dims, mode = array.dims, ColorMode.MONO
    elif has_colors(array):
        # rows, columns and colours in C order, which is the reverse of the dimensions'
        y, x, color = (array.dims[2 - (axis or 0)] for axis in image_axes(array))
        dims, mode = (color, x, y), ColorMode.RGB1
    else:
        raise CodecError("Error decoding JPEG: its colours are none of the array's")
    shape = tuple(dim.size for dim in reversed(dims))
    return replace(
        array, data=pixels.reshape(shape), dims=dims, color_mode=mode, codec=UNCOMPRESSED,
        element=None,
    )  # fmt: skip


# ---- in HDF5 files


def hdf5_chunk(array: NDArray) -> bytes:
    """Return a compressed array as the HDF5 filter of its codec writes a chunk.

    Parameters
    ----------
    array : NDArray
        Compressed.

    Returns
    -------
    bytes
        For ``write_direct_chunk`` into a dataset with filter 32001 (Blosc), 32004 (LZ4), 32008
        (Bitshuffle) or 32019 (JPEG).

    Raises
    ------
    CodecError
        When the array is not compressed or its codec has no filter.
    """
    data = array.data.tobytes()
    size = math.prod(array.shape) * array.data_type.dtype.itemsize
    match Compressor.of(array.codec.name):
        case Compressor.BLOSC | Compressor.JPEG:
            return data
        case Compressor.LZ4:
            if len(data) == size:
                # the filter would take it for a block that is not compressed
                raise CodecError(f"LZ4 block of {size} bytes holds as many")
            return _LZ4_HEADER.pack(size, size, len(data)) + data
        case Compressor.BSLZ4:
            return _BITSHUFFLE_HEADER.pack(size, _BITSHUFFLE_BLOCK) + data
        case _:
            raise CodecError(f"no HDF5 filter for codec '{array.codec.name}'")
