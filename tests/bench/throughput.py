"""Frames per second from the simulated camera into HDF5 files, and from a plain h5py loop.

The chain is camera, HDF1 in Stream mode and image1, which gets every frame, too.
"""

from __future__ import annotations

import os
import statistics
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

_TIMEOUT = 120.0


@dataclass(frozen=True)
class Result:
    """Frames per second, of the simulated IOC and of the plain loop, and the size of a frame."""

    simulated: float
    plain: float
    mib_per_frame: float


def connect(environment: dict[str, str]) -> None:
    """Set the environment of Channel Access, which must not have been imported before."""
    os.environ.update(environment)
    import epicscorelibs.path.pyepics  # noqa: F401


def measure(prefix: str, directory: Path, compression: str, frames: int, repeat: int) -> Result:
    """Write frames with the IOC, then the same frames with h5py; medians.

    Parameters
    ----------
    prefix
        Of the area detector IOC.
    directory
        Where the files go, of both.
    compression
        As the record calls it: ``"None"``, ``"zlib"``.
    frames
        Number of frames in each file.
    repeat
        Number of files of each.
    """
    simulated, plain = [], []
    for _ in range(repeat):
        seconds, path = _simulated_file(prefix, directory, compression, frames)
        simulated.append(frames / seconds)
        with h5py.File(path) as file:
            data = file["/entry/data/data"]
            if data.shape[0] != frames:
                raise RuntimeError(f"{path} has {data.shape[0]} frames, expected {frames}")
            images = data[:]
        path.unlink()
        plain.append(frames / _plain_seconds(directory / "plain.h5", images, compression))
    return Result(statistics.median(simulated), statistics.median(plain), images[0].nbytes / 2**20)


def _put(name: str, value: object) -> None:
    """Put, and sleep until it has completed: pyepics' own wait takes a whole processor."""
    import epics

    done = threading.Event()
    pv = epics.get_pv(name, connect=True, timeout=_TIMEOUT)
    pv.put(value, callback=lambda **_: done.set())
    if not done.wait(_TIMEOUT):
        raise RuntimeError(f"the put of {value!r} to {name} did not complete")


def _simulated_file(
    prefix: str, directory: Path, compression: str, frames: int
) -> tuple[float, Path]:
    import epics

    cam, hdf = f"{prefix}cam1:", f"{prefix}HDF1:"
    for plugin in (hdf, f"{prefix}image1:"):
        _put(f"{plugin}EnableCallbacks", "Enable")
        _put(f"{plugin}BlockingCallbacks", "No")
        _put(f"{plugin}QueueSize", frames)  # nothing is dropped
    _put(f"{hdf}AutoSave", "No")
    _put(f"{cam}ImageMode", "Single")
    _put(f"{cam}AcquireTime", 0.0)
    _put(f"{cam}AcquirePeriod", 0.0)
    _put(f"{cam}WaitForPlugins", "Yes")
    _put(f"{cam}Acquire", 1)  # the plugin must have seen one image
    settings = {
        "FilePath": str(directory),
        "FileName": "simulated",
        "FileTemplate": "%s%s_%4.4d.h5",
        "AutoIncrement": "Yes",
        "FileWriteMode": "Stream",
        "Compression": compression,
        "NumCapture": frames,
    }
    for name, value in settings.items():
        _put(f"{hdf}{name}", value)
    _put(f"{cam}ImageMode", "Multiple")
    _put(f"{cam}NumImages", frames)
    epics.caput(f"{hdf}Capture", 1)
    _wait_until(f"{hdf}Capture_RBV", 1)
    start = time.perf_counter()
    _put(f"{cam}Acquire", 1)
    _wait_until(f"{hdf}Capture_RBV", 0)  # the file is closed
    seconds = time.perf_counter() - start
    for plugin in (hdf, f"{prefix}image1:"):
        if dropped := epics.caget(f"{plugin}DroppedArrays_RBV", use_monitor=False):
            raise RuntimeError(f"{plugin} has dropped {dropped} arrays")
    return seconds, Path(epics.caget(f"{hdf}FullFileName_RBV", as_string=True))


def _wait_until(pv: str, value: int) -> None:
    import epics

    end = time.monotonic() + _TIMEOUT
    while epics.caget(pv, use_monitor=False) != value:
        if time.monotonic() > end:
            raise RuntimeError(f"{pv} did not become {value} within {_TIMEOUT:g} s")


def _plain_seconds(path: Path, images: np.ndarray, compression: str) -> float:
    """Return the time to write the images one by one, chunked and filtered as the IOC does it."""
    filters = {"compression": "gzip", "compression_opts": 6} if compression == "zlib" else {}
    frames, *shape = images.shape
    start = time.perf_counter()
    with h5py.File(path, "w") as file:
        data = file.create_dataset(
            "data",
            images.shape,
            images.dtype,
            chunks=(1, *shape),
            maxshape=(frames, *shape),
            **filters,
        )
        for index, image in enumerate(images):
            data[index] = image
    seconds = time.perf_counter() - start
    path.unlink()
    return seconds
