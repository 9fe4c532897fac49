"""The datasets that frames are written to."""

# h5py's low-level modules are compiled and come without stubs
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

from dataclasses import replace

import numpy as np
from h5py import h5d, h5f, h5p, h5s

from adsupport.sim.arrays.codecs import hdf5_chunk
from adsupport.sim.hdf5.filters import element_type, encode, set_filter
from adsupport.sim.hdf5.settings import Compression, Geometry, HDF5Settings
from adsupport.sim.hdf5.values import write_numbers
from adsupport.sim.ndarray import Codec, NDArray

_COMPRESSIONS = {
    "": Compression.NONE,
    "blosc": Compression.BLOSC,
    "lz4": Compression.LZ4,
    "bslz4": Compression.BSLZ4,
    "jpeg": Compression.JPEG,
}
"""Filter of a dataset for compressed arrays, by the name of their codec."""


def with_codec(settings: HDF5Settings, codec: Codec) -> HDF5Settings:
    """Return the settings of a file for arrays of a codec: it decides over the compression.

    Parameters
    ----------
    settings : HDF5Settings
        What was asked for.
    codec : Codec
        Of the array that the file is opened with.

    Raises
    ------
    OSError
        When HDF5 has no filter for the codec.
    """
    if not codec.name:
        return settings
    if codec.name not in _COMPRESSIONS:
        raise OSError(f"HDF5 has no filter for arrays of codec {codec.name!r}")
    changed = replace(settings, compression=_COMPRESSIONS[codec.name])
    if changed.compression is Compression.BLOSC:
        changed = replace(
            changed,
            blosc_level=max(codec.level, 0),
            blosc_shuffle=max(codec.shuffle, 0),
            blosc_compressor=max(codec.compressor, 0),
        )
    return changed


class ImageDataset:
    """A dataset of frames, in a file being written.

    Parameters
    ----------
    file : h5py.h5f.FileID
        The file.
    path : str
        Path of the dataset, whose group exists.
    settings : HDF5Settings
        Settings of the file.
    geometry : Geometry
        Shapes of the file.
    array : NDArray
        Gives type, dimensions and codec.

    Attributes
    ----------
    id : h5py.h5d.DatasetID
        The dataset.
    frames : int
        Frames written.
    """

    def __init__(
        self,
        file: h5f.FileID,
        path: str,
        settings: HDF5Settings,
        geometry: Geometry,
        array: NDArray,
    ) -> None:
        self.frames = 0
        self._settings = with_codec(settings, array.codec)
        self._geometry = geometry
        self._codec = array.codec.name
        self._dtype = array.data_type.dtype
        self._bytes = array.info.total_bytes
        self._shape = (1,) * len(geometry.virtual) + geometry.frame
        self._type = element_type(self._dtype, self._settings)
        plist = h5p.create(h5p.DATASET_CREATE)
        plist.set_chunk(geometry.chunks)
        with np.errstate(all="ignore"):
            plist.set_fill_value(np.array(settings.fill_value).astype(self._dtype))
        set_filter(plist, self._settings)
        access = h5p.create(h5p.DATASET_ACCESS)
        # Without a cache each chunk is written at once: a full disk or a filter's refusal is
        # seen where it happens, and no unwritable chunk is left to break the closing.
        access.set_chunk_cache(521, 0, 1.0)
        limits = (
            *(h5s.UNLIMITED if size is None else size for size in geometry.virtual),
            *geometry.frame,
        )
        space = h5s.create_simple(self._shape, limits)
        self.id = h5d.create(file, path.encode(), self._type, space, plist, dapl=access)

    def describe(self, array: NDArray) -> None:
        """Write what an array's dimensions say about the detector, fastest axis first."""
        dims = array.dims
        for name, numbers in (
            ("NumDims", len(dims)),
            ("DimOffset", [dim.offset for dim in dims]),
            ("DimBinning", [dim.binning for dim in dims]),
            ("DimReverse", [int(dim.reverse) for dim in dims]),
        ):
            write_numbers(self.id, f"NDArray{name}", np.array(numbers, dtype=np.int32))

    def check(self, array: NDArray) -> None:
        """See whether a frame is compressed as the dataset is.

        Raises
        ------
        ValueError
            When it is not.
        """
        if array.codec.name != self._codec:
            found, expected = (name or "none" for name in (array.codec.name, self._codec))
            raise ValueError(f"a frame of codec {found} doesn't fit a file of codec {expected}")

    def write(self, array: NDArray, place: tuple[int, ...]) -> None:
        """Write a frame.

        Parameters
        ----------
        array : NDArray
            As many bytes as a frame has are taken from its data, in the dataset's type; what is
            missing is zero. That is how the plugin treats a frame of another colour mode.
        place : tuple of int
            Where it goes along the frame axes.

        Raises
        ------
        OSError, RuntimeError
            When HDF5 cannot write.
        ValueError
            When a compressed array doesn't fit the chunks.
        """
        self._grow(place)
        start = place + (0,) * len(self._geometry.frame)
        if self._codec:
            if not self._geometry.whole_frames:
                raise ValueError("a compressed array needs chunks of one whole frame")
            self.id.write_direct_chunk(start, hdf5_chunk(array))
        else:
            self._write_pixels(self._as_frame(array.data), start)
        self.frames += 1

    def _grow(self, place: tuple[int, ...]) -> None:
        if not place:
            return
        sizes = self._geometry.virtual
        for at, size in zip(place, sizes, strict=True):
            if at < 0 or (size is not None and at >= size):
                room = " x ".join("endless" if count is None else str(count) for count in sizes)
                raise ValueError(f"it has room for {room} frames, none at {place}")
        grown = tuple(max(old, at + 1) for old, at in zip(self._shape, place, strict=False))
        shape = grown + self._shape[len(place) :]
        if shape != self._shape:
            self.id.set_extent(shape)
            self._shape = shape

    def _as_frame(self, data: np.ndarray) -> np.ndarray:
        data = np.ascontiguousarray(data)
        if data.dtype == self._dtype and data.shape == self._geometry.frame:
            return data
        raw = data.reshape(-1).view(np.uint8)[: self._bytes]
        whole = np.zeros(self._bytes, np.uint8)
        whole[: len(raw)] = raw
        return whole.view(self._dtype).reshape(self._geometry.frame)

    def _write_pixels(self, frame: np.ndarray, start: tuple[int, ...]) -> None:
        if self._geometry.whole_frames:
            encoded = encode(frame, self._settings)
            if encoded is not None:
                self.id.write_direct_chunk(start, encoded)
                return
        size = (1,) * (len(start) - frame.ndim) + self._geometry.frame
        space = self.id.get_space()
        space.select_hyperslab(start, size)
        try:
            # the file's own type in memory too: the bits are stored, not converted
            self.id.write(h5s.create_simple(size), space, frame.reshape(size), self._type)
        except OSError:
            # An incompressible chunk that a filter refuses is stored as it is, as HDF5 does for
            # optional filters.
            if not self._geometry.whole_frames:
                raise
            self.id.write_direct_chunk(start, frame, filter_mask=1)
