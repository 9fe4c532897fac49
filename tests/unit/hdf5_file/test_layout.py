"""Files of the simulated HDF5 plugin against the layouts that a real one wrote."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from adsupport.sim.hdf5.settings import Compression
from adsupport.sim.ndarray import ColorMode, Dimension

DATA = Path(__file__).parents[2] / "data"
LAYOUTS = json.loads((DATA / "hdf5-layouts.json").read_text())
IMAGE = "/entry/data/data"
NDATTRIBUTES = "/entry/instrument/NDAttributes"

RGB1 = {"shape": (1024, 1024, 3), "color_mode": ColorMode.RGB1}
RGB2 = {"shape": (1024, 3, 1024), "color_mode": ColorMode.RGB2}
RGB3 = {"shape": (3, 1024, 1024), "color_mode": ColorMode.RGB3}
REGION = {
    "shape": (512, 200),
    "dims": (Dimension(200, offset=100, reverse=True), Dimension(512, binning=2)),
}
RECORDED = {
    "stream5_none": (5, {}, {"num_capture": 5}),
    "stream5_zlib": (5, {}, {"num_capture": 5, "compression": Compression.ZLIB}),
    "single_mono": (1, {}, {"multiple": False, "num_capture": 5}),
    "stream1_mono_n1": (1, {}, {"num_capture": 1}),
    "stream_numcapture0_3frames": (3, {}, {"num_capture": 0}),
    "single_rgb1": (1, RGB1, {"multiple": False}),
    "stream2_rgb1": (2, RGB1, {"num_capture": 2}),
    "stream2_rgb2": (2, RGB2, {"num_capture": 2}),
    "stream2_rgb3": (2, RGB3, {"num_capture": 2}),
    "stream2_uint16": (2, {"dtype": "uint16"}, {"num_capture": 2}),
    "stream2_float32": (2, {"dtype": "float32"}, {"num_capture": 2}),
    "stream2_uint64": (2, {"dtype": "uint64"}, {"num_capture": 2}),
    "stream2_roi_bin_rev": (2, REGION, {"num_capture": 2}),
    "stream4_none": (4, {}, {"num_capture": 4}),
    "stream2_noattr_noperf": (
        2, {}, {"num_capture": 2, "store_attributes": False, "store_performance": False},
    ),
    "stream2_fill7_dimatt": (
        2, {}, {"num_capture": 2, "fill_value": 7, "dim_att_datasets": True},
    ),
    "stream3_swmr": (3, {}, {"num_capture": 3, "swmr": True}),
    "stream3_xmlattrs": (3, {"xml": True}, {"num_capture": 3}),
}  # fmt: skip


def expected(name: str) -> dict:
    """A recorded layout, but for the host's name."""
    layout = json.loads(json.dumps(LAYOUTS[name]))
    host = layout[NDATTRIBUTES]["attrs"].get("hostname")
    if host:
        size = len(socket.gethostname()) + 1
        host[:] = [f"|S{size}", 0, size, socket.gethostname()]
    return layout


@pytest.mark.conformance
@pytest.mark.parametrize("name", LAYOUTS)
def test_layout_equals_recorded(name: str, tmp_path: Path, write: Any, describe: Any) -> None:
    count, look, settings = RECORDED[name]
    write(tmp_path / "f.h5", count, look, **settings)
    assert describe(tmp_path / "f.h5") == expected(name)


@pytest.mark.conformance
def test_description_equals_that_of_a_real_file(describe: Any) -> None:
    """The reader of this module and the recorded layouts mean the same."""
    found = describe(DATA / "stream5_zlib.h5")
    assert found == LAYOUTS["stream5_zlib"]


@pytest.mark.parametrize("change", ["numeric type", "string size", "padding", "missing", "link"])
def test_description_shows_a_difference(
    change: str, tmp_path: Path, write: Any, describe: Any
) -> None:
    path = tmp_path / "f.h5"
    write(path, 5, num_capture=5)
    with h5py.File(path, "r+") as file:
        if change == "numeric type":
            del file[IMAGE].attrs["signal"]
            file[IMAGE].attrs["signal"] = np.int64(1)
        elif change == "link":
            del file["/entry/instrument/detector/data"]
            file["/entry/instrument/detector/data"] = h5py.SoftLink(IMAGE)
        else:
            del file["/entry"].attrs["NX_class"]
            if change != "missing":
                kind = h5py.h5t.C_S1.copy()
                kind.set_size(8 if change == "padding" else 9)
                if change == "padding":
                    kind.set_strpad(h5py.h5t.STR_NULLPAD)
                space = h5py.h5s.create(h5py.h5s.SCALAR)
                made = h5py.h5a.create(file["/entry"].id, b"NX_class", kind, space)
                made.write(np.array(b"NXentry", dtype=f"S{kind.get_size()}"), mtype=kind)
    if change == "link":
        with pytest.raises(AssertionError):
            describe(path)
    else:
        assert describe(path) != expected("stream5_none")
