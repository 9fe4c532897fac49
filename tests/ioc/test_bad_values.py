"""Values that no client should write: each gets an answer, and the IOC goes on."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import pytest
from caproto import ChannelType
from caproto.threading.client import Context

TIMEOUT = 30.0


@pytest.fixture
def write(adsim) -> Iterator[Callable[[str, float, ChannelType], str]]:
    """Write a number of a given type with a put-callback; return the server's answer."""
    context = Context()

    def put(name: str, value: float, kind: ChannelType) -> str:
        (pv,) = context.get_pvs(adsim.prefix + name)
        pv.wait_for_connection(timeout=TIMEOUT)
        return pv.write([value], data_type=kind, wait=True, timeout=TIMEOUT).status.name

    yield put
    context.disconnect()


@pytest.mark.parametrize("name", ["cam1:NumImages", "HDF1:NumCapture", "cam1:ImageMode"])
def test_no_number_for_an_integer(write, caget, name):
    before = caget(f"ad:{name}")
    assert write(name, math.nan, ChannelType.DOUBLE) == "ECA_PUTFAIL"
    assert caget(f"ad:{name}") == before


@pytest.mark.parametrize("name", ["HDF1:FileWriteMode", "cam1:ImageMode", "cam1:DataType"])
def test_a_state_that_does_not_exist(adsim, write, caget, caput, name):
    before = caget(f"ad:{name}_RBV")
    assert write(name, 13, ChannelType.INT) == "ECA_NORMAL"
    assert caget(f"ad:{name}_RBV") == before
    assert caget(f"ad:{name}.SEVR") == 3
    caput(f"ad:{name}", before)
    assert caget(f"ad:{name}.SEVR") == 0


def test_an_exposure_of_centuries_can_be_stopped(adsim, caget, caput):
    caput("ad:cam1:ImageMode", 1)
    caput("ad:cam1:AcquireTime", 1e300)
    caput("ad:cam1:Acquire", 1, wait=False)
    assert caget("ad:cam1:AcquireBusy") == 1
    caput("ad:cam1:Acquire", 0)
    assert caget("ad:cam1:DetectorState_RBV", as_string=True) == "Aborted"
    caput("ad:cam1:AcquireTime", 0.001)
