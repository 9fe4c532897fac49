"""NDArrays as NTNDArray structures, and where their server listens."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from p4p.nt import NTNDArray

from adsupport.sim.ndarray import Codec, ColorMode, DataType, Dimension, NDArray, NDAttribute
from adsupport.sim.pva.server import settings
from adsupport.sim.pva.structure import ntndarray


@given(
    dtype=st.sampled_from(list(DataType)),
    shape=st.lists(st.integers(1, 5), min_size=1, max_size=4),
    unique_id=st.integers(0, 2**31 - 1),
)
def test_p4p_unwraps_the_same_array(dtype, shape, unique_id):
    data = np.arange(np.prod(shape)).reshape(shape).astype(dtype.dtype)
    image = NTNDArray.unwrap(ntndarray(NDArray(data, unique_id=unique_id)))
    assert image.dtype == data.dtype
    assert np.array_equal(image, data)
    assert image.raw.uniqueId == unique_id


@pytest.mark.parametrize(
    ("value", "python", "code"),
    [
        (7, 7, "int32_t"),
        (0.5, 0.5, "double"),
        ("text", "text", "string"),
        (np.int8(-3), -3, "int8_t"),
        (np.uint16(65535), 65535, "uint16_t"),
        (np.int64(2**40), 2**40, "int64_t"),
        (np.uint64(2**63), 2**63, "uint64_t"),
        (np.float32(0.25), 0.25, "float"),
    ],
)
def test_attributes_keep_their_type(value, python, code):
    attribute = NDAttribute("a", value, "what", "where", "NDAttrSourceEPICSPV")
    made = ntndarray(NDArray(np.zeros(1, np.uint8), attributes=(attribute,)))
    (item,) = made.attribute
    assert item.value == python
    assert f"any value {code} = " in str(item)
    assert (item.descriptor, item.source, item.sourceType) == ("what", "where", 2)


def test_compressed_bytes_are_passed_as_they_are():
    stored = np.frombuffer(b"\x01\x02\x03\x04\x05", np.uint8)
    made = ntndarray(
        NDArray(
            stored,
            dims=(Dimension(40), Dimension(30)),
            codec=Codec("blosc", 5, 1, 0),
            element=DataType.FLOAT32,
        )
    )
    assert bytes(made.value) == b"\x01\x02\x03\x04\x05"
    assert (made.codec.name, made.codec.parameters) == ("blosc", 9)  # pvData: pvFloat is 9
    assert (made.compressedSize, made.uncompressedSize) == (5, 4 * 40 * 30)
    assert [dim.size for dim in made.dimension] == [40, 30]


def test_times_count_from_1970():
    array = NDArray(np.zeros(1), time_stamp=1.25, ts_sec=2, ts_nsec=3)
    made = ntndarray(array)
    stamp = (made.timeStamp.secondsPastEpoch, made.timeStamp.nanoseconds)
    data_stamp = (made.dataTimeStamp.secondsPastEpoch, made.dataTimeStamp.nanoseconds)
    assert stamp == (631152002, 3)  # 1990-01-01 UTC is 631152000 s after 1970
    assert data_stamp == (631152001, 250_000_000)


def test_color_axes_are_reversed():
    array = NDArray(np.zeros((4, 5, 3), np.uint8), color_mode=ColorMode.RGB1)
    assert [dim.size for dim in ntndarray(array).dimension] == [3, 5, 4]


def test_a_server_keeps_to_loopback_unless_told_otherwise():
    assert settings({})["EPICS_PVAS_INTF_ADDR_LIST"] == "127.0.0.1"
    told = settings({"EPICS_PVAS_INTF_ADDR_LIST": "0.0.0.0", "EPICS_PVAS_BEACON_ADDR_LIST": ""})
    assert "EPICS_PVAS_INTF_ADDR_LIST" not in told
    assert told["EPICS_PVAS_BEACON_ADDR_LIST"] == "127.0.0.1"
