"""The datasets that NDAttributes are written to, a value a frame."""

# h5py's low-level modules are compiled and come without stubs
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from h5py import h5d, h5f, h5p, h5s, h5t

from adsupport.sim.hdf5.layout import When
from adsupport.sim.hdf5.native import set_string_fill
from adsupport.sim.hdf5.settings import Geometry, HDF5Settings
from adsupport.sim.hdf5.values import string_type, write_string
from adsupport.sim.ndarray import COLOR_MODE, NDArray, NDAttribute, color_mode_attribute

STRING_SIZE = 256
"""Size of the strings in attribute datasets."""

_EPICS_SECONDS = "The NDArray EPICS timestamp seconds past epoch"


def file_attributes(array: NDArray, more: tuple[NDAttribute, ...] = ()) -> Iterator[NDAttribute]:
    """Yield an array's attributes as a file keeps them: its own, those about it, its identity.

    The identity comes last: a reader of a growing file that sees a frame's identity finds all
    the rest of it written.

    Parameters
    ----------
    array : NDArray
        The array.
    more : tuple of NDAttribute
        The plugin's own; the array's go before those of the same name.
    """
    own = {item.name: item for item in (*more, *array.attributes)}
    if COLOR_MODE not in own:
        yield color_mode_attribute(array.color_mode)
    yield from (item for name, item in own.items() if not name.startswith("NDArray"))
    yield NDAttribute("NDArrayEpicsTSSec", np.uint32(array.ts_sec), _EPICS_SECONDS)
    yield NDAttribute(
        "NDArrayEpicsTSnSec", np.uint32(array.ts_nsec), "The NDArray EPICS timestamp nanoseconds"
    )
    yield NDAttribute(
        "NDArrayTimeStamp", float(array.time_stamp), "The timestamp of the NDArray as float64"
    )
    yield NDAttribute("NDArrayUniqueId", int(array.unique_id), "The unique ID of the NDArray")


def frame_values(array: NDArray, more: tuple[NDAttribute, ...] = ()) -> dict[str, object]:
    """Return the values of :func:`file_attributes` by name, for each of many frames.

    Parameters
    ----------
    array : NDArray
        The array.
    more : tuple of NDAttribute
        The plugin's own.
    """
    values: dict[str, object] = {COLOR_MODE: array.color_mode}
    for item in (*more, *array.attributes):
        values[item.name] = item.value
    values["NDArrayEpicsTSSec"] = array.ts_sec
    values["NDArrayEpicsTSnSec"] = array.ts_nsec
    values["NDArrayTimeStamp"] = array.time_stamp
    values["NDArrayUniqueId"] = array.unique_id
    return values


class AttributeDataset:
    """One attribute's values, written a chunk at a time.

    Parameters
    ----------
    file : h5py.h5f.FileID
        The file.
    path : str
        Path of the dataset, whose group exists.
    attribute : NDAttribute
        Name, type and description; its value is not stored.
    settings : HDF5Settings
        Settings of the file.
    geometry : Geometry
        Shapes of the file.
    when : When
        When the attribute is written: with each frame, or once.

    Attributes
    ----------
    id : h5py.h5d.DatasetID
        The dataset.
    name : str
        The NDAttribute's name.
    when : When
        As given.
    """

    def __init__(
        self,
        file: h5f.FileID,
        path: str,
        attribute: NDAttribute,
        settings: HDF5Settings,
        geometry: Geometry,
        when: When = When.FRAME,
    ) -> None:
        self.name = attribute.name
        self.when = when
        spread = settings.dim_att_datasets and bool(geometry.virtual) and when is When.FRAME
        self._axes = tuple(range(len(geometry.virtual))) if spread else ()
        if spread and attribute.name in settings.index_names:
            # the positions along one axis: a dataset of that axis alone
            self._axes = (settings.index_names.index(attribute.name),)
        rank = len(self._axes) or 1
        self._chunk = 1 if spread else geometry.attribute_chunk
        self._rows: list[object] = []
        self._start: tuple[int, ...] = (0,)
        self._written = 0
        self._shape = (1,) * rank
        self._dtype = attribute.dtype or np.dtype(f"S{STRING_SIZE}")
        self._type = string_type(STRING_SIZE) if attribute.dtype is None else None
        kind = self._type or h5t.py_create(self._dtype)
        plist = h5p.create(h5p.DATASET_CREATE)
        plist.set_chunk((self._chunk,) * rank)
        if self._type is None:
            plist.set_fill_value(np.zeros((), self._dtype))
        else:
            set_string_fill(plist, self._type)
        space = h5s.create_simple(self._shape, (h5s.UNLIMITED,) * rank)
        self.id = h5d.create(file, path.encode(), kind, space, plist)
        write_string(self.id, "NDAttrName", attribute.name)
        write_string(self.id, "NDAttrDescription", attribute.description)
        write_string(self.id, "NDAttrSourceType", attribute.source_type)
        write_string(self.id, "NDAttrSource", attribute.source)

    def append(self, value: object, place: tuple[int, ...] = ()) -> None:
        """Keep a value; it is written when a chunk is full.

        Parameters
        ----------
        value
            What doesn't fit the dataset's type is stored as its fill value.
        place : tuple of int
            Of the frame along the frame axes.
        """
        if not self._rows:
            self._start = tuple(place[axis] for axis in self._axes) or (self._written,)
        self._rows.append(value)
        if len(self._rows) >= self._chunk:
            self.write()

    def _table(self) -> np.ndarray:
        """Return the values kept so far, in the dataset's type."""
        if self._type is not None:
            texts = (str(value).encode("ascii", "replace") for value in self._rows)
            return np.array([text[: STRING_SIZE - 1] for text in texts], self._dtype)
        if not any(isinstance(value, str) for value in self._rows):
            try:
                return np.array(self._rows).astype(self._dtype)
            except (TypeError, ValueError, OverflowError):
                pass  # one by one, to find those that don't fit
        return np.array([self._number(value) for value in self._rows], self._dtype)

    def _number(self, value: object) -> np.generic:
        try:
            return np.array([value]).astype(self._dtype)[0]
        except (TypeError, ValueError, OverflowError):
            return self._dtype.type(0)

    def write(self) -> None:
        """Write the values kept so far."""
        if not self._rows:
            return
        count = len(self._rows)
        size = (1,) * (len(self._start) - 1) + (count,)
        shape = tuple(
            max(old, first + extent)
            for old, first, extent in zip(self._shape, self._start, size, strict=True)
        )
        if shape != self._shape:
            self.id.set_extent(shape)
            self._shape = shape
        space = self.id.get_space()
        space.select_hyperslab(self._start, size)
        self.id.write(h5s.create_simple((count,)), space, self._table(), mtype=self._type)
        self._written += count
        self._rows.clear()

    def flush(self) -> None:
        """Write the values kept so far and make them visible to readers."""
        self.write()
        self.id.flush()
