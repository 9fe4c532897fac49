"""An HDF5 file as areaDetector's NDFileHDF5 plugin writes it, frame by frame."""

# h5py's low-level modules are compiled and come without stubs
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
from h5py import h5d, h5f, h5p, h5s

from adsupport.sim.hdf5.filters import element_type, encode, set_filter
from adsupport.sim.hdf5.layout import (
    DATA,
    DATA_LINK,
    AttributeDataset,
    PerformanceDataset,
    describe_image,
    file_attributes,
    make_groups,
)
from adsupport.sim.hdf5.settings import HDF5Settings, plan_geometry
from adsupport.sim.ndarray import NDArray

_MBIT = 8.0 / 2**20
"""Mbit in a byte, as the plugin reckons its speeds."""


class HDF5FileError(OSError):
    """A file could not be opened, written or closed; the message names it."""


@contextmanager
def _naming(path: Path, action: str) -> Iterator[None]:
    """Turn what h5py raises into an error that names the file."""
    try:
        yield
    except (OSError, RuntimeError, ValueError, TypeError, OverflowError) as error:
        raise HDF5FileError(f"cannot {action} HDF5 file {path}: {error}") from error


class HDF5File:
    """A file being written.

    Parameters
    ----------
    path : str or Path
        File to create; what was there is lost.
    settings : HDF5Settings
        How it shall be.
    array : NDArray
        Gives shape, type, dimensions and the names of the attributes; it is not written.
    first_frame : float
        When the first frame of the previous file was written (``time.monotonic()``): the plugin
        stamps it at a file's second frame only, so the time since "the first frame" that a
        file's first row of times gives is counted from the previous file.

    Attributes
    ----------
    path : Path
        The file.
    geometry : Geometry
        Shapes of its datasets.
    frames : int
        Frames written.
    flushes : int
        Flushes done.
    runtime : float
        Seconds from opening to closing; 0 before that.

    Raises
    ------
    HDF5FileError
        When the file cannot be created.
    """

    def __init__(
        self, path: str | Path, settings: HDF5Settings, array: NDArray, first_frame: float = 0.0
    ) -> None:
        self.path = Path(path)
        self.geometry = plan_geometry(settings, array.data.shape)
        self.frames = 0
        self.flushes = 0
        self.runtime = 0.0
        self.first_frame = first_frame
        self._settings = settings
        self._dtype = array.data.dtype
        self._frame_bytes = array.data.nbytes
        self._shape = (1,) * len(self.geometry.virtual) + self.geometry.frame
        self._attributes: dict[str, AttributeDataset] = {}
        self._values: dict[str, object] = {}
        self._performance: PerformanceDataset | None = None
        self._file: h5f.FileID | None = None
        with _naming(self.path, "create"):
            self._file = h5f.create(os.fsencode(path), h5f.ACC_TRUNC, fapl=self._access())
            try:
                self._make_layout(array)
            except BaseException:
                self._close_quietly()
                raise
        self._opened = self._previous = time.monotonic()

    # ---- opening

    def _access(self) -> h5p.PropFAID:
        plist = h5p.create(h5p.FILE_ACCESS)
        plist.set_fclose_degree(h5f.CLOSE_STRONG)
        if self._settings.swmr:
            # readers may be as old as HDF5 1.10, the first with SWMR
            plist.set_libver_bounds(h5f.LIBVER_V110, h5f.LIBVER_V110)
        if self._settings.boundary_align > 0:
            plist.set_alignment(self._settings.boundary_threshold, self._settings.boundary_align)
        return plist

    def _make_layout(self, array: NDArray) -> None:
        settings = self._settings
        file = self._open_file()
        make_groups(file, socket.gethostname() if settings.store_attributes else None)
        self._type = element_type(self._dtype, settings)
        self._image = self._make_image(file)
        describe_image(self._image, array)
        if settings.store_attributes:
            for item in file_attributes(array):
                self._attributes[item.name] = AttributeDataset(file, item, settings, self.geometry)
                self._values[item.name] = item.value
        if settings.store_performance:
            self._performance = PerformanceDataset(file, self.geometry.performance_chunk)
        file.links.create_hard(DATA_LINK.encode(), file, DATA.encode())
        if settings.swmr:
            file.start_swmr_write()

    def _make_image(self, file: h5f.FileID) -> h5d.DatasetID:
        plist = h5p.create(h5p.DATASET_CREATE)
        plist.set_chunk(self.geometry.chunks)
        with np.errstate(all="ignore"):
            plist.set_fill_value(np.array(self._settings.fill_value).astype(self._dtype))
        set_filter(plist, self._settings)
        access = h5p.create(h5p.DATASET_ACCESS)
        # Without a cache each chunk is written at once: a full disk or a filter's refusal is
        # seen where it happens, and no unwritable chunk is left to break the closing.
        access.set_chunk_cache(521, 0, 1.0)
        limits = (
            *(h5s.UNLIMITED if size is None else size for size in self.geometry.virtual),
            *self.geometry.frame,
        )
        space = h5s.create_simple(self._shape, limits)
        return h5d.create(file, DATA.encode(), self._type, space, plist, dapl=access)

    # ---- writing

    @property
    def is_open(self) -> bool:
        """Whether frames can be written."""
        return self._file is not None

    @property
    def io_speed(self) -> float:
        """Mean speed from opening to closing, Mbit/s; 0 while the file is open."""
        if not self.runtime:
            return 0.0
        return self.frames * self._frame_bytes * _MBIT / self.runtime

    def _open_file(self) -> h5f.FileID:
        if self._file is None:
            raise HDF5FileError(f"HDF5 file {self.path} is not open")
        return self._file

    def write(self, array: NDArray) -> None:
        """Append a frame.

        Parameters
        ----------
        array : NDArray
            As many bytes as the file's frames are taken from its data, in the file's type; what
            is missing is zero. That is how the plugin treats a frame of another colour mode.

        Raises
        ------
        HDF5FileError
            When the file is not open or full, or the disk is; the file is then closed.
        """
        self._open_file()
        if not self.geometry.virtual:
            self.first_frame = time.monotonic()
        elif self.frames == 1:
            self.first_frame = time.monotonic()
        started = time.monotonic()
        try:
            with _naming(self.path, "write"):
                self._write_image(self._as_frame(array.data))
                self._write_attributes(array)
                self.frames += 1
                self._write_times(started)
                every = self.geometry.frames_per_flush
                if every > 0 and self.frames % every == 0:
                    self._flush()
        except HDF5FileError:
            self._close_quietly()
            raise

    def _as_frame(self, data: np.ndarray) -> np.ndarray:
        data = np.ascontiguousarray(data)
        if data.dtype == self._dtype and data.shape == self.geometry.frame:
            return data
        raw = data.reshape(-1).view(np.uint8)[: self._frame_bytes]
        whole = np.zeros(self._frame_bytes, np.uint8)
        whole[: len(raw)] = raw
        return whole.view(self._dtype).reshape(self.geometry.frame)

    def _write_image(self, frame: np.ndarray) -> None:
        place = self.geometry.position(self.frames)
        if place:
            if self.frames >= self.geometry.capacity:
                raise ValueError(f"it has room for {self.geometry.capacity} frames only")
            count = len(place)
            grown = (max(old, at + 1) for old, at in zip(self._shape, place, strict=False))
            shape = (*grown, *self._shape[count:])
            if shape != self._shape:
                self._image.set_extent(shape)
                self._shape = shape
        start = place + (0,) * len(self.geometry.frame)
        if self.geometry.whole_frames:
            encoded = encode(frame, self._settings)
            if encoded is not None:
                self._image.write_direct_chunk(start, encoded)
                return
        size = (1,) * len(place) + self.geometry.frame
        space = self._image.get_space()
        space.select_hyperslab(start, size)
        try:
            # the file's own type in memory too: the bits are stored, not converted
            self._image.write(h5s.create_simple(size), space, frame.reshape(size), self._type)
        except OSError:
            # An incompressible chunk that a filter refuses is stored as it is, as HDF5 does for
            # optional filters.
            if not self.geometry.whole_frames:
                raise
            self._image.write_direct_chunk(start, frame, filter_mask=1)

    def _write_attributes(self, array: NDArray) -> None:
        if not self._attributes:
            return
        self._values.update((item.name, item.value) for item in file_attributes(array))
        for name, dataset in self._attributes.items():
            dataset.append(self._values[name])

    def _write_times(self, started: float) -> None:
        now = time.monotonic()
        if self._performance is not None:
            size = self._frame_bytes * _MBIT
            # the plugin counts a frame after it is written, except in Single mode
            counted = self.frames - 1 if self.geometry.virtual else 1
            period = max(now - self._previous, 1e-9)
            runtime = max(now - self.first_frame, 1e-9)
            self._performance.append(
                (now - started, period, runtime, size / period, counted * size / runtime)
            )
        self._previous = now

    # ---- flushing and closing

    def flush(self) -> None:
        """Write to disk what is buffered.

        Raises
        ------
        HDF5FileError
            When the file is not open, or cannot be written.
        """
        self._open_file()
        with _naming(self.path, "flush"):
            self._flush()

    def _flush(self) -> None:
        if self._settings.swmr:
            for dataset in self._attributes.values():
                dataset.write()
            self._image.flush()
        else:
            h5f.flush(self._open_file(), h5f.SCOPE_GLOBAL)
        self.flushes += 1

    def close(self) -> None:
        """Write what is buffered and close the file; harmless when it is closed.

        Raises
        ------
        HDF5FileError
            When not all could be written; the file is closed nevertheless.
        """
        if self._file is None:
            return
        try:
            with _naming(self.path, "close"):
                for dataset in self._attributes.values():
                    dataset.write()
                    if self._settings.swmr:
                        dataset.flush()
                        self.flushes += 1
                if self._performance is not None:
                    self._performance.write()
                self._close()
        finally:
            self._close_quietly()
            self.runtime = max(time.monotonic() - self._opened, 1e-9)

    def _close(self) -> None:
        for dataset in self._attributes.values():
            dataset.close()
        if self._performance is not None:
            self._performance.close()
        self._image.close()
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def _close_quietly(self) -> None:
        """Let go of a file whose error is being reported already."""
        file, self._file = self._file, None
        if file is not None:
            # closing the file closes its datasets too; what cannot be written is lost
            with suppress(OSError, RuntimeError):
                file.close()
