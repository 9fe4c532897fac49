"""Arrays to write, the writing of them, and a reader of what was written."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin  # noqa: F401  the reader needs the filters
import numpy as np
import pytest

from adsupport.sim.hdf5.file import HDF5File
from adsupport.sim.hdf5.settings import HDF5Settings
from adsupport.sim.ndarray import NDArray, NDAttribute

IMAGE = "/entry/data/data"

XML_ATTRIBUTES = tuple(
    NDAttribute(name, value, description, source, source_type)
    for name, value, description, source, source_type in (
        ("AcquireTime", 0.02, "Camera acquire time", "ad:cam1:AcquireTime", "NDAttrSourceEPICSPV"),
        ("ImageMode", "Multiple", "image mode", "ad:cam1:ImageMode", "NDAttrSourceEPICSPV"),
        ("CameraManufacturer", "Simulated detector", "Camera manufacturer", "MANUFACTURER",
         "NDAttrSourceParam"),
        ("ArrayCounterP", 57, "counter", "ARRAY_COUNTER", "NDAttrSourceParam"),
        ("Gain", 1.0, "gain", "GAIN", "NDAttrSourceParam"),
    )
)  # fmt: skip


def _frame(number: int, shape=(1024, 1024), dtype="uint8", *, xml=False, **more: Any) -> NDArray:
    data = (np.arange(np.prod(shape)) + number).astype(dtype).reshape(shape)
    color = NDAttribute("ColorMode", int(more.get("color_mode", 0)), "Color mode")
    return NDArray(
        data,
        unique_id=number,
        time_stamp=1e9 + number,
        ts_sec=10**9,
        ts_nsec=number * 1000,
        attributes=XML_ATTRIBUTES if xml else (color,),
        **more,
    )


def _write(path: Path, count: int, look: dict | None = None, **settings: Any) -> HDF5File:
    look = look or {}
    file = HDF5File(path, HDF5Settings(**settings), _frame(1, **look))
    for number in range(1, count + 1):
        file.write(_frame(number, **look))
    file.close()
    return file


def _run(script: str, **options) -> subprocess.CompletedProcess[str]:
    """Run a script in another Python process."""
    path = os.pathsep.join(filter(None, sys.path))
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=60,
        **options,
    )


def _describe_type(dtype: np.dtype, kind: h5py.h5t.TypeID) -> list:
    is_string = isinstance(kind, h5py.h5t.TypeStringID)
    assert not is_string or kind.get_cset() == h5py.h5t.CSET_ASCII
    return [str(dtype), kind.get_strpad() if is_string else None, kind.get_size()]


def _describe(path: Path) -> dict:
    """Everything about a file but its data and times, in the form of the recorded layouts."""
    found: dict = {}

    def plain(value):
        return value.decode() if isinstance(value, bytes) else np.asarray(value).tolist()

    def add(name: str, item: h5py.HLObject) -> None:
        attrs = {
            key: [*_describe_type(item.attrs.get_id(key).dtype, item.attrs.get_id(key).get_type()),
                  plain(item.attrs[key])]
            for key in item.attrs
        }  # fmt: skip
        entry: dict = {"attrs": attrs}
        if isinstance(item, h5py.Dataset):
            plist = item.id.get_create_plist()
            entry |= {
                "dtype": str(item.dtype),
                "shape": list(item.shape),
                "maxshape": list(item.maxshape),
                "chunks": list(item.chunks),
                "filters": [str(plist.get_filter(i)) for i in range(plist.get_nfilters())],
                "fill": [plain(item.fillvalue), plist.fill_value_defined(), plist.get_fill_time()],
                "alloc_time": plist.get_alloc_time(),
            }
        found[name] = entry

    def walk(group: h5py.Group) -> None:
        for key in group:
            assert isinstance(group.get(key, getlink=True), h5py.HardLink)
            add(f"{group.name.rstrip('/')}/{key}", group[key])
            if isinstance(group[key], h5py.Group):
                walk(group[key])

    with h5py.File(path, "r") as file:
        add("/", file)
        walk(file)
        assert file[IMAGE] == file["/entry/instrument/detector/data"]
    return found


@pytest.fixture(scope="session")
def frame() -> Callable[..., NDArray]:
    """Make ``frame(number, shape, dtype, xml=False, **fields)``: a ramp that starts at number."""
    return _frame


@pytest.fixture(scope="session")
def write() -> Callable[..., HDF5File]:
    """Write ``write(path, count, look, **settings)``: frames 1 to count, made with ``look``."""
    return _write


@pytest.fixture(scope="session")
def describe() -> Callable[[Path], dict]:
    """Describe a file in the form of the recorded layouts."""
    return _describe


@pytest.fixture(scope="session")
def run() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a script in another Python process."""
    return _run
