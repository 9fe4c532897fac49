"""An HDF5 file of frames, while its writer holds it and after."""

from __future__ import annotations

import pathlib
import threading
from contextlib import ExitStack
from dataclasses import dataclass

import h5py
import numpy as np

from ...documents.assets import ADCORE_DATASET, Asset
from ...documents.images.contents import dataset_of, is_stack, never_written
from ...documents.images.opening import opened
from ...errors import ImageFileError

__all__ = ["EPICS_EPOCH", "FrameLabels", "StackFile"]

#: 1 January 1990, in seconds since 1970.
EPICS_EPOCH = 631_152_000.0

_ATTRIBUTES = "/entry/instrument/NDAttributes/"


@dataclass(frozen=True)
class FrameLabels:
    """What a finished file says of its frames.

    Parameters
    ----------
    frames : int
        How many it holds.
    ids : numpy.ndarray or None
        (frames,), int64: NDArrayUniqueId; None when the file has no such dataset.
    times : numpy.ndarray or None
        (frames,), float64: seconds since 1970; None when the file doesn't say.
    """

    frames: int
    ids: np.ndarray | None
    times: np.ndarray | None


class StackFile:
    """Reads single frames of a file that grows, or has been finished.

    The file stays open from the first frame read to :meth:`release`, or until nobody has this
    object any more.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    dataset : str
        Address of the frames in it, whose first axis counts them.
    """

    def __init__(self, path: pathlib.Path, dataset: str = ADCORE_DATASET) -> None:
        self.path = path
        self._asset = Asset("", kind="hdf5", path=path, dataset=dataset, format="hdf5")
        self._lock = threading.Lock()
        self._growing: tuple[h5py.File, h5py.Dataset] | None = None
        self._finished: h5py.Dataset | None = None
        self._open = ExitStack()

    def __del__(self) -> None:
        self.release()

    def grown(self) -> int:
        """Tell how many frames it has while its writer, in SWMR mode, adds more.

        Returns
        -------
        int
            Frames that can be read.

        Raises
        ------
        ImageFileError
            It can't be opened yet, or isn't a stack of frames.
        """
        with self._lock:
            if self._growing is None:
                try:
                    file = h5py.File(self.path, "r", swmr=True, libver="latest")
                except (OSError, RuntimeError, ValueError) as error:
                    raise ImageFileError(
                        f"Image file {self.path} can't be opened while it grows: {error}.",
                        path=self.path,
                    ) from error
                try:
                    self._growing = file, self._stack(file)
                except BaseException:
                    file.close()
                    raise
            _, data = self._growing
            data.refresh()
            return int(data.shape[0])

    def release(self) -> None:
        """Let go of the file; when a frame is read, it's opened again."""
        with self._lock:
            held, self._growing = self._growing, None
            if held is not None:
                held[0].close()
            self._finished = None
            self._open.close()

    def read(self, index: int) -> np.ndarray:
        """Read a frame.

        Parameters
        ----------
        index : int
            Which, from 0.

        Returns
        -------
        numpy.ndarray
            (Y, X), with the colour where the file has it.

        Raises
        ------
        ImageFileError
            It can't be read.
        """
        with self._lock:
            if self._growing is not None:
                return self._pixels(self._growing[1], index)
            if self._finished is None:
                with ExitStack() as stack:
                    self._finished = self._stack(stack.enter_context(opened(self.path)))
                    self._open = stack.pop_all()
            return self._pixels(self._finished, index)

    def labels(self) -> FrameLabels:
        """Read what a finished file says of its frames.

        Returns
        -------
        FrameLabels
            Their number, ids and times.

        Raises
        ------
        ImageFileError
            Its writer still holds it, or it can't be read.
        """
        self.release()
        with opened(self.path) as file:
            if file.swmr_mode:
                raise ImageFileError(
                    f"Image file {self.path} is still held by its writer.", path=self.path
                )
            data = self._stack(file)
            frames = 0 if data.shape[0] == 1 and never_written(data) else data.shape[0]
            ids = _column(file, "NDArrayUniqueId", frames)
            seconds = _column(file, "NDArrayEpicsTSSec", frames)
            nanoseconds = _column(file, "NDArrayEpicsTSnSec", frames)
            if seconds is None or nanoseconds is None:
                times = _column(file, "NDArrayTimeStamp", frames)
            else:
                times = seconds + 1e-9 * nanoseconds
        return FrameLabels(
            frames,
            None if ids is None else ids.astype(np.int64),
            None if times is None else times.astype(np.float64) + EPICS_EPOCH,
        )

    def _stack(self, file: h5py.File) -> h5py.Dataset:
        data = dataset_of(self._asset, self.path, file)
        if not is_stack(self._asset, data) or data.ndim < 3:
            raise ImageFileError(
                f"Image file {self.path} has {data.shape} at {self._asset.dataset}; expected "
                "frames one after the other.",
                path=self.path,
                remedy="Let the plugin write in mode Stream or Capture, without extra dimensions.",
            )
        return data

    def _pixels(self, data: h5py.Dataset, index: int) -> np.ndarray:
        try:
            return np.asarray(data[index])
        except (OSError, RuntimeError, ValueError, IndexError) as error:
            raise ImageFileError(
                f"Frame {index} of image file {self.path} can't be read: {error}.", path=self.path
            ) from error


def _column(file: h5py.File, name: str, frames: int) -> np.ndarray | None:
    """Read an attribute of all frames; None when the file hasn't one value for each."""
    found = file.get(_ATTRIBUTES + name)
    if not isinstance(found, h5py.Dataset) or found.shape != (frames,):
        return None
    return np.asarray(found[()])
