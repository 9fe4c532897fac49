"""Writing fields of records over Channel Access."""

from __future__ import annotations

import threading

import epics
import pytest
from caproto import ChannelType
from caproto.threading.client import Context

from adsupport.launch import IOCProcess

TIMEOUT = 10.0


def pv_of(ioc: IOCProcess, name: str) -> epics.PV:
    pv = epics.PV(ioc.prefix + name, auto_monitor=False)
    assert pv.wait_for_connection(TIMEOUT), name
    return pv


@pytest.fixture(scope="module")
def ioc(fresh_port):
    with IOCProcess("adsim", "fields:", fresh_port) as ioc:
        yield ioc


def test_a_description_is_kept(ioc):
    description = pv_of(ioc, "cam1:Gain.DESC")
    assert description.get() == ""
    description.put("gain of the amplifier", wait=True)
    assert description.get(use_monitor=False) == "gain of the amplifier"


def test_a_string_field_is_a_character_array_with_a_dollar(ioc):
    text = "a description of exactly forty characters"[:40]
    long = pv_of(ioc, "cam1:BinX.DESC$")
    assert (long.type, long.nelm) == ("time_char", 41)
    long.put(text, wait=True)
    assert long.get(as_string=True, use_monitor=False) == text
    assert pv_of(ioc, "cam1:BinX.DESC").get() == text[:39]
    assert pv_of(ioc, "cam1:PortName_RBV.VAL$").get(as_string=True) == "SIM1"
    assert pv_of(ioc, "cam1:PortName_RBV.$").get(as_string=True) == "SIM1"


def test_units_and_precision_change_what_clients_show(ioc):
    pv_of(ioc, "cam1:AcquireTime.EGU").put("s", wait=True)
    pv_of(ioc, "cam1:AcquireTime.PREC").put(6, wait=True)
    exposure = pv_of(ioc, "cam1:AcquireTime")
    assert (exposure.units, exposure.precision) == ("s", 6)
    assert exposure.get(as_string=True) == "0.001000"


def test_a_state_can_be_renamed(ioc):
    pv_of(ioc, "cam1:TriggerMode.ONST").put("Gate", wait=True)
    mode = pv_of(ioc, "cam1:TriggerMode")
    assert tuple(mode.enum_strs) == ("Internal", "Gate")


def test_severity_and_status_follow_the_record(ioc):
    severity = pv_of(ioc, "cam1:ArrayCallbacks.SEVR")
    status = pv_of(ioc, "cam1:ArrayCallbacks.STAT")
    assert (severity.get(as_string=True), status.get(as_string=True)) == ("MINOR", "STATE")
    pv_of(ioc, "cam1:ArrayCallbacks").put(0, wait=True)
    assert severity.get(as_string=True, use_monitor=False) == "NO_ALARM"
    assert status.get(as_string=True, use_monitor=False) == "NO_ALARM"


def test_a_monitor_of_the_severity_gets_the_change(ioc):
    changed = threading.Event()
    values = []

    def note(value, **_):
        values.append(value)
        if value == 1:
            changed.set()

    severity = epics.PV(ioc.prefix + "image1:ArrayCallbacks.SEVR", callback=note)
    assert severity.wait_for_connection(TIMEOUT)
    pv_of(ioc, "image1:ArrayCallbacks").put(1, wait=True)
    assert changed.wait(TIMEOUT), values
    severity.clear_callbacks()


def test_a_written_record_is_not_undefined_any_more(ioc):
    undefined = pv_of(ioc, "cam1:ArrayCounter.UDF")
    assert undefined.get() == 1
    pv_of(ioc, "cam1:ArrayCounter").put(0, wait=True)
    assert undefined.get(use_monitor=False) == 0


def test_processing_writes_the_set_point_again(ioc):
    number, read_back = pv_of(ioc, "cam1:NumImages"), pv_of(ioc, "cam1:NumImages_RBV")
    number.put(7, wait=True)
    pv_of(ioc, "cam1:NumImages.PROC").put(1, wait=True)
    assert (number.get(use_monitor=False), read_back.get(use_monitor=False)) == (7, 7)


# refusals: the client that tells of them is caproto's; pyepics keeps them to itself


@pytest.fixture
def put(ioc):
    context = Context()

    def put(name: str, value: object, data_type: ChannelType | None = None) -> bool:
        (pv,) = context.get_pvs(ioc.prefix + name)
        pv.wait_for_connection(timeout=TIMEOUT)
        response = pv.write([value], data_type=data_type, wait=True, timeout=TIMEOUT)
        if response.status.success:
            return True
        assert response.status.name == "ECA_PUTFAIL"
        return False

    yield put
    context.disconnect()


def test_a_disabled_record_refuses_writes(ioc, put):
    gain = pv_of(ioc, "cam1:Gain")
    assert put("cam1:Gain.DISP", 1)
    assert not put("cam1:Gain", 3.0)
    assert gain.get(use_monitor=False) == 1.0
    assert put("cam1:Gain.DISP", 0)
    assert put("cam1:Gain", 3.0)
    assert gain.get(use_monitor=False) == 3.0


@pytest.mark.parametrize(("field", "value"), [("SCAN", 6), ("FLNK", "x"), ("DISV", 0), ("UDF", 1)])
def test_a_change_that_would_have_no_effect_is_refused(ioc, put, field, value):
    name = f"cam1:AcquireTime.{field}"
    before = pv_of(ioc, name).get()
    assert not put(name, value)
    assert pv_of(ioc, name).get() == before
    assert put(name, before)


def test_a_character_array_refuses_a_string(put):
    # what caput does without -S
    assert not put("HDF1:FilePath", "/tmp/a", ChannelType.STRING)


def test_an_unknown_state_is_refused(ioc, put):
    before = pv_of(ioc, "cam1:ImageMode").get()
    assert not put("cam1:ImageMode", "Sometimes", ChannelType.STRING)
    assert pv_of(ioc, "cam1:ImageMode").get() == before
