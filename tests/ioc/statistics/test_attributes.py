"""Values of arrays' attributes, and their time series, over Channel Access."""

from __future__ import annotations

import numpy as np
import pytest

XML = (
    '<Attributes><Attribute name="Exposure" type="PARAM" source="ACQ_TIME" datatype="DOUBLE"/>'
    '<Attribute name="Word" type="CONST" source="seven" datatype="STRING"/></Attributes>'
)


@pytest.fixture
def named(attributes):
    """The plugin with attributes of the camera's in three places, and unused ones."""
    attributes.camera(NDAttributesFile=XML, AcquireTime=0.002)
    assert attributes.get("cam1:NDAttributesStatus") == 0
    attributes.put(
        **{"1:AttrName": "Exposure", "2:AttrName": "NDArrayUniqueId", "3:AttrName": "ColorMode"}
    )
    yield attributes
    attributes.camera(NDAttributesFile="")


def test_numbers_are_shown_and_added_up(named):
    named.acquire(2)
    named.camera(AcquireTime=0.003)
    named.acquire(1)
    last = named.get("cam1:ArrayCounter_RBV")
    assert named.get("1:Value_RBV") == 0.003
    assert named.get("1:ValueSum_RBV") == pytest.approx(0.007)
    assert named.get("2:Value_RBV") == last
    assert named.get("2:ValueSum_RBV") == 3 * last - 3
    assert named.get("3:Value_RBV") == 0.0
    assert (named.get("4:Value_RBV"), named.get("4:ValueSum_RBV")) == (0.0, 0.0)
    assert named.pv("1:AttrName_RBV").get(as_string=True, use_monitor=False) == "Exposure"


def test_reset_zeroes_all(named):
    named.acquire(2)
    named.put(Reset=1)
    values = [named.get(f"{number}:{name}_RBV") for number in range(1, 9)
              for name in ("Value", "ValueSum")]  # fmt: skip
    assert set(values) == {0.0}
    named.acquire(1)
    assert named.get("1:ValueSum_RBV") == 0.002


@pytest.mark.parametrize("name", ["exposure", "Word", "missing", "", "ndarrayuniqueid"])
def test_what_is_no_number_keeps_the_last_value(named, name):
    named.acquire(1)
    named.put(**{"1:AttrName": name})
    counter = named.get("ArrayCounter_RBV")
    named.acquire(2)
    assert named.get("ArrayCounter_RBV") == counter + 2
    assert named.get("1:Value_RBV") == named.get("1:ValueSum_RBV") == 0.002


def test_properties_of_arrays_have_names(named):
    named.put(
        **{
            "5:AttrName": "NDArrayTimeStamp",
            "6:AttrName": "NDArrayEpicsTSSec",
            "7:AttrName": "NDArrayEpicsTSnSec",
        }
    )
    named.acquire()
    assert named.get("5:Value_RBV") == named.get("TimeStamp_RBV")
    assert named.get("6:Value_RBV") == named.get("EpicsTSSec_RBV")
    assert named.get("7:Value_RBV") == named.get("EpicsTSNsec_RBV")


def test_time_series(named):
    named.put(**{"TS:TSNumPoints": 3})
    named.start_series()
    first = named.get("cam1:ArrayCounter_RBV") + 1
    named.acquire(2)
    named.camera(AcquireTime=0.005)
    named.acquire(2)
    assert named.get("TS:TSAcquiring") == 0
    np.testing.assert_allclose(named.array("1:TSArrayValue"), [0.002, 0.002, 0.005])
    np.testing.assert_array_equal(named.array("2:TSArrayValue"), first + np.arange(3))
    assert not named.array("8:TSArrayValue").any()


def test_a_long_name_is_kept(named):
    name = "A" * 200
    named.put(**{"8:AttrName": name})
    named.acquire()
    assert named.pv("8:AttrName_RBV").get(as_string=True, use_monitor=False) == name
    assert named.get("8:Value_RBV") == 0.0
