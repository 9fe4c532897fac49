"""The default layout of areaDetector's HDF5 files: groups, attributes and small datasets.

Types matter to readers of old files, so everything is made with HDF5's own calls: strings are
null-terminated ASCII of fixed size with room for the NUL, numbers have the native types.
"""

# h5py's low-level modules are compiled and come without stubs
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

from collections.abc import Iterator

import h5py
import numpy as np
from h5py import h5a, h5d, h5g, h5p, h5s, h5t

from adsupport.sim.hdf5.native import set_string_fill
from adsupport.sim.hdf5.settings import Geometry, HDF5Settings
from adsupport.sim.ndarray import NDArray, NDAttribute

DATA = "/entry/instrument/detector/data"
DATA_LINK = "/entry/data/data"
ATTRIBUTES = "/entry/instrument/NDAttributes"
DETECTOR_ATTRIBUTES = "/entry/instrument/detector/NDAttributes"
PERFORMANCE = "/entry/instrument/performance"
PERFORMANCE_COLUMNS = 5

GROUPS = {
    "/entry": "NXentry",
    "/entry/data": "NXdata",
    "/entry/instrument": "NXinstrument",
    ATTRIBUTES: "NXcollection",
    "/entry/instrument/detector": "NXdetector",
    DETECTOR_ATTRIBUTES: "NXcollection",
    PERFORMANCE: "",
}
"""Groups of the layout and their NeXus classes, in an order in which they can be made."""

STRING_SIZE = 256
"""Size of the strings in attribute datasets."""

_ON_DETECTOR = frozenset({"ColorMode"})
"""Attributes that the layout keeps beside the image instead of in the common group."""


def string_type(size: int) -> h5t.TypeStringID:
    """Return the type of a null-terminated ASCII string of ``size`` bytes, NUL included."""
    kind = h5t.C_S1.copy()
    kind.set_size(size)
    return kind


def write_string(place: h5g.GroupID | h5d.DatasetID, name: str, text: str) -> None:
    """Write a string attribute; an empty text writes none."""
    raw = text.encode("ascii", "replace")
    if not raw:
        return
    kind = string_type(len(raw) + 1)
    attribute = h5a.create(place, name.encode(), kind, h5s.create(h5s.SCALAR))
    attribute.write(np.array(raw, dtype=f"S{len(raw) + 1}"), mtype=kind)


def write_integers(place: h5d.DatasetID, name: str, value: int | list[int]) -> None:
    """Write a 32-bit integer attribute, scalar or one-dimensional."""
    numbers = np.array(value, dtype=np.int32)
    space = h5s.create_simple(numbers.shape) if numbers.ndim else h5s.create(h5s.SCALAR)
    attribute = h5a.create(place, name.encode(), h5t.NATIVE_INT32, space)
    attribute.write(numbers)


def make_groups(file: h5py.h5f.FileID, hostname: str | None) -> None:
    """Create the groups of the layout.

    Parameters
    ----------
    file : h5py.h5f.FileID
        File open for writing.
    hostname : str or None
        Recorded on the group of attributes. None leaves the groups without any attribute: so
        looks a file whose attributes are not stored.
    """
    for path, nexus_class in GROUPS.items():
        group = h5g.create(file, path.encode())
        if hostname is not None:
            write_string(group, "NX_class", nexus_class)
            if path == ATTRIBUTES:
                write_string(group, "hostname", hostname)


def describe_image(dataset: h5d.DatasetID, array: NDArray) -> None:
    """Write what an array's dimensions say about the detector, fastest axis first."""
    write_integers(dataset, "signal", 1)
    write_integers(dataset, "NDArrayNumDims", len(array.dims))
    write_integers(dataset, "NDArrayDimOffset", [dim.offset for dim in array.dims])
    write_integers(dataset, "NDArrayDimBinning", [dim.binning for dim in array.dims])
    write_integers(dataset, "NDArrayDimReverse", [int(dim.reverse) for dim in array.dims])


def file_attributes(array: NDArray) -> Iterator[NDAttribute]:
    """Yield an array's attributes as a file keeps them: its own, those about it, its identity.

    The identity comes last: a reader of a growing file that sees a frame's identity finds all
    the rest of it written.
    """
    own = [item for item in array.attributes if not item.name.startswith("NDArray")]
    if not any(item.name == "ColorMode" for item in own):
        yield NDAttribute("ColorMode", int(array.color_mode), "Color mode")
    yield from own
    yield NDAttribute(
        "NDArrayEpicsTSSec",
        np.uint32(array.ts_sec),
        "The NDArray EPICS timestamp seconds past epoch",
    )
    yield NDAttribute(
        "NDArrayEpicsTSnSec", np.uint32(array.ts_nsec), "The NDArray EPICS timestamp nanoseconds"
    )
    yield NDAttribute(
        "NDArrayTimeStamp", float(array.time_stamp), "The timestamp of the NDArray as float64"
    )
    yield NDAttribute("NDArrayUniqueId", int(array.unique_id), "The unique ID of the NDArray")


class AttributeDataset:
    """One attribute's values, a row a frame, written a chunk at a time.

    Parameters
    ----------
    file : h5py.h5f.FileID
        File whose groups exist.
    attribute : NDAttribute
        Name, type and description; its value is not stored.
    settings : HDF5Settings
        Settings of the file.
    geometry : Geometry
        Shapes of the file.
    """

    def __init__(
        self,
        file: h5py.h5f.FileID,
        attribute: NDAttribute,
        settings: HDF5Settings,
        geometry: Geometry,
    ) -> None:
        self._geometry = geometry
        self._spread = settings.dim_att_datasets and bool(geometry.virtual)
        axes = len(geometry.virtual) if self._spread else 1
        self._chunk = 1 if self._spread else geometry.attribute_chunk
        self._rows: list[object] = []
        self._written = 0
        self._shape = (1,) * axes
        self._dtype = attribute.dtype or np.dtype(f"S{STRING_SIZE}")
        self._type = string_type(STRING_SIZE) if attribute.dtype is None else None
        kind = self._type or h5t.py_create(self._dtype)
        plist = h5p.create(h5p.DATASET_CREATE)
        plist.set_chunk((self._chunk,) * axes)
        if self._type is None:
            plist.set_fill_value(np.zeros((), self._dtype))
        else:
            set_string_fill(plist, self._type)
        group = DETECTOR_ATTRIBUTES if attribute.name in _ON_DETECTOR else ATTRIBUTES
        self._dataset = h5d.create(
            file,
            f"{group}/{attribute.name}".encode(),
            kind,
            h5s.create_simple(self._shape, (h5s.UNLIMITED,) * axes),
            plist,
        )
        write_string(self._dataset, "NDAttrName", attribute.name)
        write_string(self._dataset, "NDAttrDescription", attribute.description)
        write_string(self._dataset, "NDAttrSourceType", attribute.source_type)
        write_string(self._dataset, "NDAttrSource", attribute.source)

    def append(self, value: object) -> None:
        """Keep a frame's value; it is written when a chunk is full."""
        if self._type is not None:
            value = str(value).encode("ascii", "replace")[: STRING_SIZE - 1]
        self._rows.append(value)
        if len(self._rows) >= self._chunk:
            self.write()

    def write(self) -> None:
        """Write the values kept so far."""
        if not self._rows:
            return
        count = len(self._rows)
        if self._spread:
            start = self._geometry.position(self._written)
        else:
            start = (self._written,)
        size = (1,) * (len(start) - 1) + (count,)
        shape = tuple(
            max(old, first + extent)
            for old, first, extent in zip(self._shape, start, size, strict=True)
        )
        if shape != self._shape:
            self._dataset.set_extent(shape)
            self._shape = shape
        space = self._dataset.get_space()
        space.select_hyperslab(start, size)
        rows = np.array(self._rows, dtype=self._dtype)
        self._dataset.write(h5s.create_simple((count,)), space, rows, mtype=self._type)
        self._written += count
        self._rows.clear()

    def flush(self) -> None:
        """Write the values kept so far and make them visible to readers."""
        self.write()
        self._dataset.flush()

    def close(self) -> None:
        """Close the dataset; values not yet written are lost."""
        self._dataset.close()


class PerformanceDataset:
    """How long each frame took to write; written a chunk at a time.

    Parameters
    ----------
    file : h5py.h5f.FileID
        File whose groups exist.
    chunk : int
        Rows in a chunk.
    """

    def __init__(self, file: h5py.h5f.FileID, chunk: int) -> None:
        self._chunk = chunk
        self._rows: list[tuple[float, ...]] = []
        self._written = 0
        plist = h5p.create(h5p.DATASET_CREATE)
        plist.set_chunk((chunk, PERFORMANCE_COLUMNS))
        self._dataset = h5d.create(
            file,
            f"{PERFORMANCE}/timestamp".encode(),
            h5t.NATIVE_DOUBLE,
            h5s.create_simple((0, PERFORMANCE_COLUMNS), (h5s.UNLIMITED, h5s.UNLIMITED)),
            plist,
        )

    def append(self, row: tuple[float, ...]) -> None:
        """Keep a frame's times.

        Parameters
        ----------
        row : tuple of float
            Time to write the frame (s), time since the previous one was written (s), time since
            the first frame (s), speed of this frame and mean speed (Mbit/s).
        """
        self._rows.append(row)
        if len(self._rows) >= self._chunk:
            self.write()

    def write(self) -> None:
        """Write the rows kept so far."""
        if not self._rows:
            return
        table = np.array(self._rows, dtype=np.float64)
        start, self._written = self._written, self._written + len(table)
        self._dataset.set_extent((self._written, PERFORMANCE_COLUMNS))
        space = self._dataset.get_space()
        space.select_hyperslab((start, 0), table.shape)
        self._dataset.write(h5s.create_simple(table.shape), space, table)
        self._rows.clear()

    def close(self) -> None:
        """Close the dataset; rows not yet written are lost."""
        self._dataset.close()
