"""An HDF5 file as areaDetector's NDFileHDF5 plugin writes it, frame by frame."""

# h5py's low-level modules are compiled and come without stubs
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from h5py import h5f, h5p

from adsupport.sim.hdf5.contents import Contents
from adsupport.sim.hdf5.image import ImageDataset
from adsupport.sim.hdf5.layout import DEFAULT_LAYOUT, Layout
from adsupport.sim.hdf5.settings import HDF5Settings, plan_geometry
from adsupport.sim.ndarray import NDArray, NDAttribute

_MBIT = 8.0 / 2**20
"""Mbit in a byte, as the plugin reckons its speeds."""


class HDF5FileError(OSError):
    """A file could not be opened, written or closed; the message names it."""


class HDF5FrameError(HDF5FileError):
    """A frame does not fit a file, which is as it was."""


@contextmanager
def _naming(path: Path, action: str) -> Iterator[None]:
    """Turn what h5py raises into an error that names the file."""
    try:
        yield
    except (OSError, RuntimeError, ValueError, TypeError, KeyError, OverflowError) as error:
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
        Gives shape, type, codec, dimensions and the names of the attributes; it is not written.
    first_frame : float
        When the first frame of the previous file was written (``time.monotonic()``): the plugin
        stamps it at a file's second frame only, so the time since "the first frame" that a
        file's first row of times gives is counted from the previous file.
    layout : Layout
        What it holds, and where.
    attributes : tuple of NDAttribute
        Those of the plugin, beside those of the array.

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
        self,
        path: str | Path,
        settings: HDF5Settings,
        array: NDArray,
        first_frame: float = 0.0,
        *,
        layout: Layout = DEFAULT_LAYOUT,
        attributes: tuple[NDAttribute, ...] = (),
    ) -> None:
        self.path = Path(path)
        self.geometry = plan_geometry(settings, array.shape)
        self.frames = 0
        self.flushes = 0
        self.runtime = 0.0
        self.first_frame = first_frame
        self._settings = settings
        self._frame_bytes = array.info.total_bytes
        self._file: h5f.FileID | None = None
        with _naming(self.path, "create"):
            self.geometry.check_chunk(array.info.bytes_per_element)
            file = h5f.create(os.fsencode(path), h5f.ACC_TRUNC, fapl=self._access())
            self._file = file
            try:
                self._contents = Contents(file, layout, settings, self.geometry, array, attributes)
                if settings.swmr:
                    file.start_swmr_write()
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

    def write(self, array: NDArray, attributes: tuple[NDAttribute, ...] = ()) -> None:
        """Append a frame.

        Parameters
        ----------
        array : NDArray
            See :meth:`adsupport.sim.hdf5.image.ImageDataset.write`.
        attributes : tuple of NDAttribute
            Those of the plugin, beside those of the array.

        Raises
        ------
        HDF5FrameError
            When its codec is another than the file's, or the attribute that names its dataset is
            no string.
        HDF5FileError
            When the file is not open or full, or the disk is; the file is then closed.
        """
        self._open_file()
        try:
            image = self._contents.image_for(array)
            image.check(array)
        except (TypeError, ValueError) as error:
            raise HDF5FrameError(f"frame {array.unique_id} in {self.path}: {error}") from error
        if not self.geometry.virtual or self.frames == 1:
            self.first_frame = time.monotonic()
        started = time.monotonic()
        try:
            with _naming(self.path, "write"):
                place = self._place(array, image)
                image.write(array, place)
                if not self._settings.position_names:
                    place = self.geometry.position(self.frames)
                self._contents.add_attributes(array, attributes, place)
                self.frames += 1
                self._write_times(started)
                every = self.geometry.frames_per_flush
                if every > 0 and self.frames % every == 0:
                    self._flush()
        except HDF5FileError:
            self._close_quietly()
            raise

    def _place(self, array: NDArray, image: ImageDataset) -> tuple[int, ...]:
        """Return where a frame goes along the frame axes."""
        names = self._settings.position_names
        if not names or not self.geometry.virtual:
            return self.geometry.position(image.frames)
        place = []
        for name in names:
            attribute = array.attribute(name)
            if attribute is None or isinstance(attribute.value, float):
                raise ValueError(f"the frame has no attribute {name!r} with its position")
            place.append(int(attribute.value))
        return tuple(place)

    def _write_times(self, started: float) -> None:
        now = time.monotonic()
        if self._contents.performance is not None:
            size = self._frame_bytes * _MBIT
            # the plugin counts a frame after it is written, except in Single mode
            counted = self.frames - 1 if self.geometry.virtual else 1
            period = max(now - self._previous, 1e-9)
            runtime = max(now - self.first_frame, 1e-9)
            self._contents.performance.append(
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
            self._contents.write_attributes()
            for image in self._contents.images.values():
                image.id.flush()
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
                self.flushes += self._contents.finish()
                file, self._file = self._file, None
                file.close()
        finally:
            self._close_quietly()
            self.runtime = max(time.monotonic() - self._opened, 1e-9)

    def _close_quietly(self) -> None:
        """Let go of a file whose error is being reported already."""
        file, self._file = self._file, None
        if file is not None:
            # closing the file closes its datasets too; what cannot be written is lost
            with suppress(OSError, RuntimeError):
                file.close()
