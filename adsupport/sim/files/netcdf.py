"""netCDF files as NDFileNetCDF writes them: netCDF-3, classic format, a record an array.

scipy writes the header and a first record; the rest of a file are further records of the same
layout, big-endian, each variable's part filled up to four bytes (netCDF classic format
specification), and the number of records in the header.
"""

from __future__ import annotations

import io
import logging
import math
import struct
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from adsupport.sim.files.attributes import attributes_of
from adsupport.sim.files.creation import create
from adsupport.sim.ndarray import NDArray, NDAttribute

if TYPE_CHECKING:
    from scipy.io import netcdf_file

FILE_VERSION = 3.1
"""Version of the layout, in global attribute ``NDNetCDFFileVersion``."""

STRING_SIZE = 256
"""Characters of a text attribute's row."""

_RECORDS = "numArrays"
_STRINGS = "attrStringSize"
_RECORDS_PLACE = 4
"""Where a file's header has the number of records."""

_LONGEST_RECORD = 2**31 - 1024
"""Bytes between the first and the last variable of a record, whose places have 32 bits."""

_log = logging.getLogger(__name__)


class NetCDFError(OSError):
    """An array does not fit into a netCDF file."""


def stored_type(dtype: np.dtype) -> np.dtype:
    """Return the type in which netCDF-3 stores numbers.

    It has no unsigned integers: their bits are kept, and attributes tell how to read them. It
    has no 64-bit integers either: they become doubles.
    """
    if dtype.kind in "iu":
        return np.dtype(np.float64 if dtype.itemsize == 8 else f"i{dtype.itemsize}")
    return np.dtype(dtype)


def _type_name(item: NDAttribute) -> str:
    dtype = item.dtype
    if dtype is None:
        return "String"
    prefix = {"i": "Int", "u": "UInt", "f": "Float"}.get(dtype.kind)
    if prefix is None:
        raise NetCDFError(f"attribute {item.name} has type {dtype}, which netCDF does not know")
    return f"{prefix}{8 * dtype.itemsize}"


class NetCDFFile:
    """A file being written.

    Parameters
    ----------
    path : str
        File to create; what was there is lost.
    array : NDArray
        Gives shape, type and the names of the attributes; it is not written.
    multiple : bool
        Whether the file is to hold any number of arrays; else it holds one.

    Attributes
    ----------
    records : int
        Arrays written.

    Raises
    ------
    NetCDFError
        When netCDF-3 cannot hold such an array.
    OSError
        When the file cannot be created.
    """

    def __init__(self, path: str, array: NDArray, *, multiple: bool) -> None:
        if not array.data.size:
            raise NetCDFError(f"an array of shape {array.shape} has nothing to store")
        self.records = 0
        self._multiple = multiple
        self._example = array
        self._attributes = {item.name: item for item in attributes_of(array)}
        self._layout = self._plan()
        # a record of zeros: without it scipy cannot tell how long a record is
        whole = self._make_file(np.zeros((), self._layout))
        self._header = whole[: -self._layout.itemsize]
        self._file: BinaryIO = create(path)
        if multiple:
            self._write(0, self._header)
            self._count(0)

    # ---- layout

    def _fields(self) -> dict[str, tuple[np.dtype, tuple[str, ...]]]:
        """Return the variables: the type of each, and its dimensions beside the records."""
        frame = tuple(f"dim{number}" for number in range(len(self._example.dims)))
        fields: dict[str, tuple[np.dtype, tuple[str, ...]]] = {
            "uniqueId": (np.dtype(np.int32), ()),
            "timeStamp": (np.dtype(np.float64), ()),
            "epicsTSSec": (np.dtype(np.int32), ()),
            "epicsTSNsec": (np.dtype(np.int32), ()),
            "array_data": (stored_type(self._example.data_type.dtype), frame),
        }
        for name, item in self._attributes.items():
            if "/" in name or not name:
                raise NetCDFError(f"netCDF has no attribute {name!r}")
            text = np.dtype("S1"), (_STRINGS,)
            fields[f"Attr_{name}"] = text if item.dtype is None else (stored_type(item.dtype), ())
        return fields

    def _sizes(self) -> dict[str, int]:
        """Return the dimensions beside the records, in their order."""
        shape = self._example.shape
        return {f"dim{number}": size for number, size in enumerate(shape)} | {_STRINGS: STRING_SIZE}

    def _plan(self) -> np.dtype:
        """Return the type of a record."""
        sizes, place = self._sizes(), 0
        names, formats, offsets = [], [], []
        for name, (dtype, axes) in self._fields().items():
            names.append(name)
            formats.append((dtype.newbyteorder(">"), tuple(sizes[axis] for axis in axes)))
            offsets.append(place)
            size = math.prod(sizes[axis] for axis in axes) * dtype.itemsize
            place += size + -size % 4
        if place > _LONGEST_RECORD:
            raise NetCDFError(
                f"a record of {place} bytes is too long for netCDF-3's classic format"
            )
        return np.dtype({"names": names, "formats": formats, "offsets": offsets, "itemsize": place})

    def _make_file(self, record: np.ndarray) -> bytes:
        """Return a whole file of one record."""
        from scipy.io import netcdf_file  # an IOC that writes no such file starts sooner

        buffer = io.BytesIO()
        try:
            file = netcdf_file(buffer, "w", version=1)
            self._describe(file, self._example)
            file.createDimension(_RECORDS, None if self._multiple else 1)
            for name, size in self._sizes().items():
                file.createDimension(name, size)
            for name, (dtype, axes) in self._fields().items():
                file.createVariable(name, dtype, (_RECORDS, *axes))[0:1] = record[name][np.newaxis]
            file.flush()
        except (ValueError, OverflowError, struct.error) as error:
            raise NetCDFError(f"cannot be stored as netCDF-3: {error}") from error
        return buffer.getvalue()

    def _describe(self, file: netcdf_file, array: NDArray) -> None:
        """Set the global attributes."""
        file.dataType = np.int32(array.data_type)
        file.NDNetCDFFileVersion = np.float64(FILE_VERSION)
        file.numArrayDims = np.int32(len(array.dims))
        file.dimSize = np.array([dim.size for dim in array.dims], np.int32)
        file.dimOffset = np.array([dim.offset for dim in array.dims], np.int32)
        file.dimBinning = np.array([dim.binning for dim in array.dims], np.int32)
        file.dimReverse = np.array([dim.reverse for dim in array.dims], np.int32)
        for name, item in self._attributes.items():
            texts = {
                "DataType": _type_name(item),
                "Description": item.description,
                "Source": item.source,
                "SourceType": item.source_type,
            }
            for what, text in texts.items():
                setattr(file, f"Attr_{name}_{what}", text.encode("latin-1", "replace"))

    # ---- writing

    def write(self, array: NDArray) -> None:
        """Append an array.

        Parameters
        ----------
        array : NDArray
            Of the file's shape and type; integers of the other sign keep their bits. Attributes
            that the file does not know are left out, missing ones keep their last value.

        Raises
        ------
        NetCDFError
            When it does not fit, or the file is full.
        OSError
            When the file cannot be written.
        """
        expected = self._example
        same_width = array.data.dtype.itemsize == expected.data.dtype.itemsize
        if array.shape != expected.shape or not same_width:
            raise NetCDFError(
                f"array {array.unique_id} has shape {array.shape}, type {array.data_type.name};"
                f" the file's arrays have {expected.shape}, {expected.data_type.name}"
            )
        if self.records and not self._multiple:
            raise NetCDFError("the file holds one array only")
        record = np.zeros((), self._layout)
        record["uniqueId"] = array.unique_id
        record["timeStamp"] = array.time_stamp
        record["epicsTSSec"] = np.uint32(array.ts_sec & 0xFFFFFFFF).view(np.int32)
        record["epicsTSNsec"] = np.uint32(array.ts_nsec & 0xFFFFFFFF).view(np.int32)
        record["array_data"] = _stored(array.data)
        self._attributes.update(
            (item.name, item) for item in attributes_of(array) if item.name in self._attributes
        )
        for name, item in self._attributes.items():
            self._set_attribute(record, name, item)
        if self._multiple:
            place = len(self._header) + self.records * self._layout.itemsize
            self._write(place, record.tobytes())
        else:
            self._write(0, self._make_file(record))
        self._count(self.records + 1)

    def _write(self, place: int, data: bytes) -> None:
        self._file.seek(place)
        self._file.write(data)

    def _count(self, records: int) -> None:
        """Tell the file how many records it has, once they are written."""
        if self._multiple:
            self._file.flush()
            self._write(_RECORDS_PLACE, struct.pack(">i", records))
        self._file.flush()
        self.records = records

    def _set_attribute(self, record: np.ndarray, name: str, item: NDAttribute) -> None:
        field = record[f"Attr_{name}"]
        if field.shape:
            text = str(item.value).encode("latin-1", "replace")[:STRING_SIZE]
            field[: len(text)] = np.frombuffer(text, "S1")
        elif item.dtype is None:
            _log.error("attribute %s has become a text; it is stored as 0", name)
        else:
            record[f"Attr_{name}"] = _stored(np.asarray(item.value, item.dtype))

    def close(self) -> None:
        """Close the file.

        Raises
        ------
        OSError
            When not all could be written.
        """
        self._file.close()


def _stored(data: np.ndarray) -> np.ndarray:
    """Return numbers as netCDF-3 stores them; see :func:`stored_type`."""
    wanted = stored_type(data.dtype)
    if wanted.itemsize == data.dtype.itemsize and wanted.kind == "i":
        return np.ascontiguousarray(data).view(wanted)
    return data.astype(wanted, copy=False)
