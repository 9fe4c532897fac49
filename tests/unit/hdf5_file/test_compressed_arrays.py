"""Arrays that come compressed: their chunks are written as they are."""

from __future__ import annotations

from pathlib import Path

import h5py
import hdf5plugin  # noqa: F401  the reader needs the filters
import numpy as np
import pytest

from adsupport.sim.arrays.codecs import CodecSettings, Compressor, compress
from adsupport.sim.hdf5.file import HDF5File, HDF5FileError, HDF5FrameError
from adsupport.sim.hdf5.settings import Compression, HDF5Settings
from adsupport.sim.ndarray import NDArray

IMAGE = "/entry/data/data"
FILTERS = {Compressor.BLOSC: 32001, Compressor.LZ4: 32004, Compressor.BSLZ4: 32008}


def plain(number: int, dtype: str = "uint16") -> NDArray:
    data = (np.arange(64 * 80) // 7 + number).astype(dtype).reshape(64, 80)
    return NDArray(data, unique_id=number)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float64"])
@pytest.mark.parametrize("compressor", FILTERS)
def test_chunks_of_compressed_arrays(compressor: Compressor, dtype: str, tmp_path: Path) -> None:
    arrays = [plain(number, dtype) for number in (1, 2, 3)]
    settings = CodecSettings(compressor, blosc_compressor=1, blosc_level=7, blosc_shuffle=2)
    packed = [compress(item, settings) for item in arrays]
    # what the Compression record says does not matter for arrays of a codec
    file = HDF5File(
        tmp_path / "f.h5", HDF5Settings(num_capture=3, compression=Compression.ZLIB), packed[0]
    )
    for item in packed:
        file.write(item)
    file.close()
    with h5py.File(tmp_path / "f.h5") as found:
        dataset = found[IMAGE]
        assert dataset.dtype == dtype
        assert (dataset[:] == np.stack([item.data for item in arrays])).all()
        plist = dataset.id.get_create_plist()
        assert plist.get_nfilters() == 1
        code, _, options, _ = plist.get_filter(0)
        assert code == FILTERS[compressor]
        if compressor is Compressor.BLOSC:
            assert options[4:] == (7, 2, 1)
        assert dataset.id.get_chunk_info(1).size < dataset[0].nbytes / 2
        assert found["/entry/instrument/NDAttributes/NDArrayUniqueId"][:].tolist() == [1, 2, 3]


def test_a_frame_of_another_codec_is_refused(tmp_path: Path) -> None:
    packed = compress(plain(1), CodecSettings(Compressor.LZ4))
    file = HDF5File(tmp_path / "f.h5", HDF5Settings(num_capture=3), packed)
    for other in (plain(2), compress(plain(2), CodecSettings(Compressor.BSLZ4))):
        with pytest.raises(HDF5FrameError, match="doesn't fit a file of codec lz4"):
            file.write(other)
    file.write(packed)
    file.close()
    assert file.frames == 1
    open_for_plain = HDF5File(tmp_path / "g.h5", HDF5Settings(num_capture=3), plain(1))
    with pytest.raises(HDF5FrameError, match="a frame of codec lz4"):
        open_for_plain.write(packed)
    open_for_plain.close()


def test_what_cannot_be_written_compressed(tmp_path: Path) -> None:
    jpeg = compress(plain(1, "uint8"), CodecSettings(Compressor.JPEG))
    with pytest.raises(HDF5FileError, match=r"filter \(32019\) not available"):
        HDF5File(tmp_path / "f.h5", HDF5Settings(), jpeg)
    packed = compress(plain(1), CodecSettings(Compressor.LZ4))
    rows = HDF5Settings(num_capture=3, chunk_auto=False, chunk_sizes=(80, 8))
    file = HDF5File(tmp_path / "g.h5", rows, packed)
    with pytest.raises(HDF5FileError, match="chunks of one whole frame"):
        file.write(packed)
