"""TIFF files as NDFileTIFF writes and reads them: one image, its identity, its attributes.

The pixels keep their type. The identity is in private tags 65000 to 65003, each attribute in one
of 65010 to 65500 as the text ``name:value`` (ADCore's documentation of NDFileTIFF).
"""

from __future__ import annotations

import logging
import struct
from typing import BinaryIO

import numpy as np
import tifffile

from adsupport.sim.files.attributes import attributes_of
from adsupport.sim.files.creation import require_file
from adsupport.sim.ndarray import COLOR_MODE, ColorMode, DataType, NDArray, NDAttribute

TIME_STAMP, UNIQUE_ID, TS_SEC, TS_NSEC = range(65000, 65004)
"""Tags of the identity."""

ATTRIBUTES = range(65010, 65501)
"""Tags of the attributes, in their order."""

_MAKE, _MODEL = 271, 272
_ASCII, _LONG, _DOUBLE = 2, 4, 12
MOST_BYTES = 2**29
"""Bytes of pixels that are read; a compressed file of one megabyte can hold a thousand."""

_LONGEST_TEXT = 2046
"""Characters of ``name:value`` that are kept."""

_SOFTWARE = "EPICS areaDetector"

_BROKEN = (tifffile.TiffFileError, ValueError, LookupError, TypeError, ArithmeticError,
           AttributeError, AssertionError, RuntimeError, struct.error)  # fmt: skip
"""What tifffile raises for broken files, beside OSError."""

_Tag = tuple[int, int, int, object, bool]

_log = logging.getLogger(__name__)


class TIFFError(OSError):
    """An array cannot be written as TIFF, or a file not be read as one."""


def planes(array: NDArray) -> tuple[np.ndarray, str]:
    """Return an image as TIFF stores it.

    Parameters
    ----------
    array : NDArray
        Of one or two dimensions, or RGB1, RGB2 or RGB3.

    Returns
    -------
    pixels : numpy.ndarray
        Shape (rows, columns), (rows, columns, 3) or (3, rows, columns).
    configuration : str
        ``contig`` or ``separate``: how the colours lie; RGB2 and RGB3 are written as planes.

    Raises
    ------
    TIFFError
        For other arrays, and empty ones.
    """
    data, mode = array.data, array.color_mode
    if data.size:
        if data.ndim in (1, 2):
            return np.atleast_2d(data), "contig"
        if data.ndim == 3 and mode is ColorMode.RGB1 and data.shape[2] == 3:
            return data, "contig"
        if data.ndim == 3 and mode is ColorMode.RGB2 and data.shape[1] == 3:
            return np.moveaxis(data, 1, 0), "separate"
        if data.ndim == 3 and mode is ColorMode.RGB3 and data.shape[0] == 3:
            return data, "separate"
    raise TIFFError(f"unsupported array structure: shape {data.shape}, {mode.name}")


def write_tiff(file: BinaryIO, array: NDArray) -> None:
    """Write an array.

    Parameters
    ----------
    file : binary file
        Open for writing, empty, seekable.
    array : NDArray
        Not compressed; see :func:`planes`.

    Raises
    ------
    TIFFError
        When the array has another structure or is too large.
    OSError
        When the file cannot be written.
    """
    pixels, configuration = planes(array)
    rows = pixels.shape[1 if configuration == "separate" else 0]
    if pixels.ndim == 3 and array.color_mode is ColorMode.RGB2:
        rows = 1
    tags: list[_Tag] = [
        (_MAKE, _ASCII, 0, _text(array, "Manufacturer") or b"Unknown", True),
        (_MODEL, _ASCII, 0, _text(array, "Model") or b"Unknown", True),
        (TIME_STAMP, _DOUBLE, 1, float(array.time_stamp), True),
        (UNIQUE_ID, _LONG, 1, array.unique_id & 0xFFFFFFFF, True),
        (TS_SEC, _LONG, 1, array.ts_sec & 0xFFFFFFFF, True),
        (TS_NSEC, _LONG, 1, array.ts_nsec & 0xFFFFFFFF, True),
        *_attribute_tags(array),
    ]
    try:
        with tifffile.TiffWriter(file) as writer:
            writer.write(
                np.ascontiguousarray(pixels),
                photometric="rgb" if pixels.ndim == 3 else "minisblack",
                planarconfig=configuration if pixels.ndim == 3 else None,
                rowsperstrip=rows,
                software=_SOFTWARE,
                description=_text(array, "TIFFImageDescription"),
                metadata=None,
                extratags=tags,
            )
    except (ValueError, struct.error, AssertionError) as error:
        # more than 4 GiB, or a device on which nothing can be found again
        raise TIFFError(f"cannot write as TIFF: {error}") from error


def _text(array: NDArray, name: str) -> bytes | None:
    attribute = array.attribute(name)
    return None if attribute is None else _bytes(str(attribute.value))


def _bytes(text: str) -> bytes:
    """Return a text as the bytes that the client sent, up to the first NUL."""
    return text.encode("latin-1", "replace").split(b"\0", 1)[0]


def _attribute_tags(array: NDArray) -> list[_Tag]:
    items = attributes_of(array)
    if len(items) > len(ATTRIBUTES):
        _log.error("array %d has %d attributes, of which a TIFF file takes %d",
                   array.unique_id, len(items), len(ATTRIBUTES))  # fmt: skip
    return [
        (tag, _ASCII, 0, _bytes(f"{item.name}:{_value(item)}")[:_LONGEST_TEXT], True)
        for tag, item in zip(ATTRIBUTES, items, strict=False)
    ]


def _value(item: NDAttribute) -> str:
    if isinstance(item.value, (float, np.floating)):
        return f"{float(item.value):.6f}"
    return str(item.value)


def read_tiff(path: str) -> NDArray:
    """Read a file's first image.

    Parameters
    ----------
    path : str
        Any TIFF file of one of an NDArray's ten types, grey or RGB.

    Returns
    -------
    NDArray
        Mono, RGB1, or RGB3 when the colours are in planes; its attributes are texts.

    Raises
    ------
    OSError
        When the file cannot be opened.
    TIFFError
        When it is no such file, or is cut short.
    """
    require_file(path)
    try:
        with tifffile.TiffFile(path) as file:
            page = file.pages.first
            if page.compression == 1 and page.nbytes > file.filehandle.size:
                raise TIFFError(f"{page.nbytes} bytes of pixels are more than the file has")
            if page.nbytes > MOST_BYTES:
                raise TIFFError(f"{page.nbytes} bytes of pixels are more than {MOST_BYTES}")
            return _as_array(page, page.asarray())
    except (*_BROKEN, MemoryError) as error:
        raise TIFFError(f"cannot read {path} as TIFF: {error}") from error


def _as_array(page: tifffile.TiffPage, pixels: np.ndarray) -> NDArray:
    samples = page.samplesperpixel
    planar = samples == 3 and page.planarconfig == tifffile.PLANARCONFIG.SEPARATE
    grey = samples == 1 and page.photometric == tifffile.PHOTOMETRIC.MINISBLACK
    if not grey and not (samples == 3 and page.photometric == tifffile.PHOTOMETRIC.RGB):
        raise TIFFError(f"unsupported photometric {page.photometric}, {samples} samples a pixel")
    size = page.imagelength, page.imagewidth
    if grey:
        mode, shape = ColorMode.MONO, size
    elif planar:
        mode, shape = ColorMode.RGB3, (3, *size)
    else:
        mode, shape = ColorMode.RGB1, (*size, 3)
    # in the machine's byte order; a type that NDArrays don't have is a ValueError
    dtype = DataType.of(pixels.dtype).dtype
    found = {tag.code: tag.value for tag in page.tags.values()}
    return NDArray(
        pixels.reshape(shape).astype(dtype, copy=False),
        color_mode=mode,
        unique_id=_int32(found.get(UNIQUE_ID, 0)),
        time_stamp=float(found.get(TIME_STAMP, 0.0)),
        ts_sec=int(found.get(TS_SEC, 0)),
        ts_nsec=int(found.get(TS_NSEC, 0)),
        attributes=tuple(_read_attributes(found)),
    )


def _int32(value: int) -> int:
    return (int(value) + 2**31) % 2**32 - 2**31


def _read_attributes(tags: dict[int, object]) -> list[NDAttribute]:
    attributes: dict[str, NDAttribute] = {}
    for tag in ATTRIBUTES:
        text = tags.get(tag)
        if isinstance(text, bytes):
            text = text.decode("latin-1")
        if isinstance(text, str):
            name, _, value = text.partition(":")
            if name and name != COLOR_MODE:  # the image itself tells its colours
                attributes[name] = NDAttribute(name, value, name)
    return list(attributes.values())
