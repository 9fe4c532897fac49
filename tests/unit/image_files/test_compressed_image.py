"""The image plugin shows a compressed array's bytes, in whatever type its waveform has."""

from __future__ import annotations

import numpy as np
import pytest

from adsupport.sim.arrays.codecs import CodecSettings, Compressor, compress
from adsupport.sim.ioc import IOC
from adsupport.sim.ndarray import NDArray
from adsupport.sim.plugins.std_arrays import StdArrays


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16", "float64"])
def test_bytes_of_the_codec(dtype: str) -> None:
    plugin = StdArrays("Image1", {}, dtype=np.dtype(dtype))
    IOC("bench", "t:").load(plugin.tables, "image1:", plugin, {"NDARRAY_PORT": "SIM1"})
    array = compress(NDArray(np.arange(4096, dtype=np.uint16)), CodecSettings(Compressor.LZ4))
    plugin.process(array)
    shown = plugin.get("STD_ARRAY_DATA")
    width = np.dtype(dtype).itemsize
    assert shown.dtype == dtype and len(shown) == array.data.size // width
    assert shown.tobytes() == array.data.tobytes()[: len(shown) * width]
    assert (plugin.get("CODEC"), plugin.get("COMPRESSED_SIZE")) == ("lz4", array.data.size)
