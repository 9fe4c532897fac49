"""What is written comes back, through every filter."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from adsupport.sim.hdf5.file import HDF5File, HDF5FileError
from adsupport.sim.hdf5.filters import missing_filter
from adsupport.sim.hdf5.settings import Compression, HDF5Settings
from adsupport.sim.ndarray import NDArray

IMAGE = "/entry/data/data"
NDATTRIBUTES = "/entry/instrument/NDAttributes"


@pytest.mark.parametrize("compression", [c for c in Compression if c is not Compression.JPEG])
@pytest.mark.parametrize("swmr", [False, True])
def test_images_and_attributes_come_back(
    compression: Compression, swmr: bool, tmp_path: Path, frame: Any, write: Any
) -> None:
    write(tmp_path / "f.h5", 3, {"xml": True}, num_capture=3, compression=compression, swmr=swmr)
    with h5py.File(tmp_path / "f.h5") as file:
        for number in (1, 2, 3):
            np.testing.assert_array_equal(file[IMAGE][number - 1], frame(number).data)
        group = file[NDATTRIBUTES]
        assert group["NDArrayUniqueId"][:].tolist() == [1, 2, 3]
        assert group["NDArrayTimeStamp"][:].tolist() == [1e9 + 1, 1e9 + 2, 1e9 + 3]
        assert group["NDArrayEpicsTSSec"][:].tolist() == [10**9] * 3
        assert group["NDArrayEpicsTSnSec"][:].tolist() == [1000, 2000, 3000]
        assert group["ImageMode"][:].tolist() == [b"Multiple"] * 3
        assert group["Gain"][:].tolist() == [1.0] * 3


RECORDED_FILTERS = {
    Compression.NBIT: "(5, 1, (8, 1, 1048576, 1, 1, 0, 8, 0), b'nbit')",
    Compression.SZIP: "(4, 1, (169, 16, 8, 1024), b'szip')",
    Compression.ZLIB: "(1, 1, (6,), b'deflate')",
    Compression.BLOSC: "(32001, 0, (2, 2, 1, 1048576, 5, 1, 0), b'blosc')",
    Compression.BSLZ4: (
        "(32008, 0, (0, 4, 1, 0, 2), b'bitshuffle; see https://github.com/kiyo-masui/bitshuffle')"
    ),
    Compression.LZ4: (
        "(32004, 0, (0, 0), b'HDF5 lz4 filter; see "
        "https://github.com/HDFGroup/hdf5_plugins/blob/master/docs/RegisteredFilterPlugins.md')"
    ),
}


@pytest.mark.conformance
@pytest.mark.parametrize("compression", RECORDED_FILTERS)
def test_filters_equal_recorded(
    compression: Compression, tmp_path: Path, write: Any, describe: Any
) -> None:
    write(tmp_path / "f.h5", 1, num_capture=1, compression=compression)
    found = describe(tmp_path / "f.h5")[IMAGE]
    assert found["filters"] == [RECORDED_FILTERS[compression]]
    assert found["chunks"] == [1, 1024, 1024]


@pytest.mark.parametrize("compression", [c for c in Compression if c is not Compression.JPEG])
def test_noise_that_no_filter_can_shrink(compression: Compression, tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (3, 1024, 1024), dtype=np.uint8)
    settings = HDF5Settings(num_capture=3, compression=compression)
    file = HDF5File(tmp_path / "f.h5", settings, NDArray(noise[0]))
    for image in noise:
        file.write(NDArray(image))
    file.close()
    with h5py.File(tmp_path / "f.h5") as opened:
        np.testing.assert_array_equal(opened[IMAGE], noise)


def test_missing_filter_is_refused(tmp_path: Path, frame: Any) -> None:
    assert missing_filter(Compression.JPEG) == "HDF5 compression filter (32019) not available"
    assert missing_filter(99)
    assert not missing_filter(Compression.NONE)
    path = tmp_path / "f.h5"
    with pytest.raises(HDF5FileError, match=rf"{path}.*32019.*not available"):
        HDF5File(path, HDF5Settings(compression=Compression.JPEG), frame(1))


def test_zlib_chunks_are_what_hdf5_would_write(tmp_path: Path, frame: Any, write: Any) -> None:
    """Encoded outside of HDF5, in whole-frame chunks, or by HDF5, in part-frame chunks."""
    for sizes in ((), (1000, 1000)):
        path = tmp_path / f"f{len(sizes)}.h5"
        write(path, 2, num_capture=2, compression=Compression.ZLIB, chunk_auto=False,
              chunk_sizes=sizes)  # fmt: skip
        with h5py.File(path) as file:
            np.testing.assert_array_equal(file[IMAGE][1], frame(2).data)
            assert file[IMAGE].id.get_storage_size() < 100_000
