"""Connecting detectors to the simulated IOC: all at once, and what is missing by its name."""

import logging
import os
import re
import threading
import time

import epics
import pytest
from ophyd import ADComponent, EpicsSignal, EpicsSignalRO
from ophyd.areadetector import DetectorBase
from ophyd.areadetector.cam import PilatusDetectorCam, SimDetectorCam
from ophyd.areadetector.plugins import ROIPlugin_V34

from adsupport.devices import (
    AD_FrameType_schemes,
    AD_setup_FrameType,
    CamMixin_V34,
    SimDetectorCam_V34,
    SingleTrigger_V34,
    SwaitRecord,
    ad_creator,
    connect,
)
from adsupport.devices.connection import metadata as connection_metadata
from adsupport.devices.connection.connect import epics_signals
from adsupport.errors import (
    ConfigurationError,
    ConnectionTimeoutError,
    PutError,
    UnknownPortError,
)

PLUGINS = ["cam", "image", "hdf1", "pva"]


def make(ioc, *plugins, **kwargs):
    return ad_creator(ioc.prefix, name="det", plugins=list(plugins or PLUGINS), **kwargs)


@pytest.mark.parametrize("all_signals", [False, True])
def test_every_signal_of_the_default_classes_connects(start_fresh, all_signals, caplog):
    # under a prefix that no other test has used: ophyd may miss that a known channel is there
    detector = make(start_fresh("adsim"))
    detector.wait_for_connection(all_signals=all_signals, timeout=15)
    signals = epics_signals(detector)
    assert len(signals) > 400
    assert [each.name for each in signals if not each.signal.connected] == []
    assert caplog.records == []


def test_all_connect_together(start_fresh):
    # One by one, as ophyd does it, 456 signals take some 20 s on this machine.
    detector = make(start_fresh("adsim"))
    started = time.monotonic()
    detector.wait_for_connection(all_signals=True, timeout=30)
    assert time.monotonic() - started < 15


def test_the_seeds_two_calls(adsim):
    detector = make(adsim)
    detector.wait_for_connection(timeout=15)
    detector.wait_for_connection(timeout=15)
    assert detector.connected


def test_connecting_does_not_subscribe_to_images(adsim):
    detector = make(adsim)
    detector.wait_for_connection(all_signals=True, timeout=15)
    assert "shaped_image" not in detector.image._signals
    assert detector.image.array_data._monitors[detector.image.array_data.pvname] is None


def test_wrong_prefix(adsim):
    detector = ad_creator("nowhere:", name="det", plugins=PLUGINS)
    started = time.monotonic()
    with pytest.raises(ConnectionTimeoutError) as caught:
        detector.wait_for_connection(timeout=1)
    assert time.monotonic() - started < 20
    assert isinstance(caught.value, TimeoutError)
    message = str(caught.value)
    assert "det: No process variable under 'nowhere:' answered" in message
    assert f"EPICS_CA_ADDR_LIST ({os.environ['EPICS_CA_ADDR_LIST']})" in message
    assert len(message.splitlines()) < 12
    assert len(caught.value.pvs) > 600
    assert tuple(caught.value.pvs) == caught.value.missing
    assert caught.value.pvs["nowhere:HDF1:Capture"] == "det.hdf1.capture"
    assert caught.value.pvs["nowhere:cam1:Acquire_RBV"] == "det.cam.acquire"


def test_default_timeout_is_short(adsim):
    assert make(adsim).connection_timeout == 5
    assert make(adsim, connection_timeout=7).connection_timeout == 7


def test_wrong_suffix_names_the_component(adsim):
    detector = make(adsim, "cam", {"hdf1": {"suffix": "HDF9:"}})
    with pytest.raises(ConnectionTimeoutError) as caught:
        detector.wait_for_connection(timeout=2)
    message = str(caught.value)
    assert f"det.hdf1: nothing under '{adsim.prefix}HDF9:' answers" in message
    assert "is `HDF9:` loaded" in message
    assert "det.cam" not in message
    hdf1 = [each for each in epics_signals(detector) if each.component == "hdf1"]
    assert set(caught.value.pvs) == {pv for each in hdf1 for pv in each.pvs}
    assert caught.value.pvs[f"{adsim.prefix}HDF9:Capture"] == "det.hdf1.capture"


class CamWithMore(SimDetectorCam_V34):
    more = ADComponent(EpicsSignal, "NoSuchPV")


class CamOfAnotherMake(CamMixin_V34, PilatusDetectorCam):
    """Reads nothing that only a Pilatus has."""

    _default_read_attrs = ()
    _default_configuration_attrs = ()


class CamWithReadBack(SimDetectorCam_V34):
    # The set-point is served, the read-back isn't.
    half = ADComponent(
        EpicsSignal, "Gain_NoSuch", write_pv="Gain", add_prefix=("suffix", "write_pv")
    )


@pytest.mark.parametrize(
    ("cls", "pv"), [(CamWithMore, "cam1:NoSuchPV"), (CamWithReadBack, "cam1:Gain_NoSuch")]
)
def test_a_missing_signal_of_the_users_class_is_an_error_that_names_it(adsim, cls, pv):
    detector = make(adsim, {"cam": {"class": cls}})
    with pytest.raises(ConnectionTimeoutError, match=adsim.prefix + pv) as caught:
        detector.wait_for_connection(timeout=1.5)
    assert caught.value.missing == (adsim.prefix + pv,)


def test_a_signal_that_only_other_versions_serve_is_logged(adsim, caplog):
    detector = make(adsim, {"cam": {"class": SimDetectorCam}})
    with caplog.at_level(logging.WARNING):
        detector.wait_for_connection(timeout=5)
    assert f"{adsim.prefix}cam1:PoolMaxBuffers" in caplog.text
    assert "did not answer within" in caplog.text
    assert "wrong class" not in caplog.text
    assert detector.cam.acquire_time.connected


def test_a_class_that_fits_badly_is_doubted(adsim, caplog):
    detector = make(adsim, {"cam": {"class": CamOfAnotherMake}})
    with caplog.at_level(logging.WARNING):
        detector.wait_for_connection(timeout=10)
    assert re.search(
        r"That is \d+ of the \d+ signals of det_cam: CamOfAnotherMake may be the wrong", caplog.text
    )


def test_unless_all_are_asked_for(adsim):
    detector = make(adsim, {"cam": {"class": SimDetectorCam}})
    with pytest.raises(ConnectionTimeoutError) as caught:
        detector.wait_for_connection(all_signals=True, timeout=1.5)
    pv = f"{adsim.prefix}cam1:PoolMaxBuffers"
    # ADCore's release notes: PoolMaxBuffers was removed in R3-3
    assert "det.cam: not in ADCore R3-14: removed in R3-3" in str(caught.value)
    assert f"{pv} (det.cam.pool_max_buffers)" in str(caught.value)
    assert caught.value.pvs == {pv: "det.cam.pool_max_buffers"}


def test_what_the_installed_release_does_not_have_yet(adsupport_ioc_factory):
    with adsupport_ioc_factory("adsim", adcore="R3-4") as ioc:
        detector = make(ioc, "cam", "hdf1")
        with pytest.raises(ConnectionTimeoutError) as caught:
            detector.wait_for_connection(all_signals=True, timeout=2)
    # FlushNow came with R3-5, FreeCapture with R3-13
    groups = dict(re.findall(r"(added in R\S+);.*\n(.*)", str(caught.value)))
    assert "HDF1:FlushNow (det.hdf1.flush_now)" in groups["added in R3-5"]
    assert "HDF1:FreeCapture" in groups["added in R3-13"]
    assert "not in ADCore R3-4: added in R3-5" in str(caught.value)
    assert "wrong class" not in str(caught.value)


def test_what_answers_but_cannot_be_read(adsim, monkeypatch):
    # as without the right to read: libca refuses the request
    monkeypatch.setattr(connection_metadata, "_with_limits", lambda _: 9999)
    # all signals of a name share a process variable: this name is no other test's
    name = f"{adsim.prefix}cam1:Model_RBV.VAL"
    cls = epics.pv.default_pv_class
    monkeypatch.setattr(cls, "get_all_metadata_callback", lambda *_, **__: None)
    signal = EpicsSignalRO(name, name="model")
    with pytest.raises(ConnectionTimeoutError, match="model: answers, but can't be read: .*type"):
        connect(signal, timeout=1)


def test_progress_and_its_log(adsim, caplog):
    seen = []
    with caplog.at_level(logging.INFO, logger="adsupport"):
        make(adsim).wait_for_connection(
            all_signals=True, timeout=15, progress=lambda *numbers: seen.append(numbers)
        )
    total = seen[-1][1]
    assert seen[-1] == (total, total)
    assert seen == sorted(set(seen))
    assert f"det: connecting {total} signals" in caplog.text
    assert f"det: {total} of {total} signals connected in" in caplog.text


def test_a_detector_class_with_the_trigger_alone(adsim):
    class Detector(SingleTrigger_V34, DetectorBase):
        cam = ADComponent(SimDetectorCam_V34, "cam1:")

    detector = Detector(adsim.prefix, name="det")
    detector.wait_for_connection(all_signals=True, timeout=15)
    assert [each.name for each in epics_signals(detector) if not each.signal.connected] == []
    with pytest.raises(ConnectionTimeoutError, match="No process variable under 'nowhere:'"):
        Detector("nowhere:", name="lost").wait_for_connection(timeout=1)


def test_metadata_are_there_at_once(adsim):
    detector = make(adsim)
    detector.wait_for_connection(all_signals=True, timeout=15)
    for each in epics_signals(detector):
        signal = each.signal
        assert signal.metadata["timestamp"] is not None, each.name
        assert signal.read_access is True, each.name
        assert signal.write_access is isinstance(signal, EpicsSignal), each.name
        if each.pvs[0].endswith("ImageMode_RBV"):
            assert signal.enum_strs == ("Single", "Multiple", "Continuous")
    assert detector.cam.acquire_time.precision == 3
    stamps = detector.cam.model.timestamp
    detector.cam.model.get()
    assert detector.cam.model.timestamp == stamps  # it was the record's own, not the clock's
    detector.cam.max_size.max_size_x.get()
    own = detector.cam.max_size.max_size_x._read_pv.timestamp
    assert detector.cam.max_size.max_size_x.timestamp == own  # a number has it from its value


def test_what_is_staged_is_needed(adsim):
    detector = make(adsim, {"cam": {"class": SimDetectorCam}})
    detector.cam.stage_sigs["pool_max_buffers"] = 1
    with pytest.raises(ConnectionTimeoutError, match="cam1:PoolMaxBuffers"):
        detector.wait_for_connection(timeout=1.5)


def test_a_port_that_nobody_has(adsim):
    epics.caput(f"{adsim.prefix}image1:NDArrayPort", "PVA1", wait=True, timeout=5)
    try:
        detector = make(adsim, "cam", "image")
        with pytest.raises(RuntimeError) as caught:
            detector.wait_for_connection(timeout=10)
        assert isinstance(caught.value, UnknownPortError)
        message = str(caught.value)
        assert f"{adsim.prefix}image1:NDArrayPort_RBV" in message
        assert "'PVA1'" in message
        assert "'SIM1'" in message
        make(adsim, "cam", "image", validate_ports=False).wait_for_connection(timeout=10)
        with pytest.raises(UnknownPortError):
            detector.stage()
        assert detector._staged.name == "no"
    finally:
        epics.caput(f"{adsim.prefix}image1:NDArrayPort", "SIM1", wait=True, timeout=5)


def test_a_plugin_of_another_type_is_refused_at_stage(adsim):
    detector = make(adsim, "cam", {"roi1": {"class": ROIPlugin_V34, "suffix": "image1:"}})
    with pytest.raises(TypeError, match="NDPluginROI"):
        detector.roi1.stage()
    detector.roi1.unstage()


def test_the_image_of_a_fresh_ioc_does_not_fail_its_subscribers(start_fresh, caplog):
    detector = make(start_fresh("adsim"), "cam", "image")
    detector.wait_for_connection(timeout=15)
    image = detector.image.shaped_image
    image.subscribe(lambda **_: None)
    # The answer to a later request comes after the first monitors.
    detector.image.array_counter.get()
    assert [record for record in caplog.records if record.exc_info] == []
    with pytest.raises(RuntimeError, match="[Ii]nvalid array size|no array"):
        image.get()


def test_a_fresh_ioc_with_all_subscribed_prints_no_traceback(start_fresh, caplog, capfd):
    detector = make(start_fresh("adsim"))
    detector.wait_for_connection(all_signals=True, timeout=15)
    signals = [each.item for each in detector.walk_signals(include_lazy=True)]
    assert detector.image.shaped_image in signals
    for signal in signals:
        signal.subscribe(lambda **_: None)
        if isinstance(signal, EpicsSignal):
            signal.subscribe(lambda **_: None, event_type=signal.SUB_SETPOINT)
    # all monitors were dealt with when those before this mark were
    done = threading.Event()
    detector.image.array_counter._dispatcher.get_thread_context("monitor").run(done.set)
    assert done.wait(30)
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
    output = capfd.readouterr()
    assert "Traceback" not in output.out + output.err


def test_plugins_alone_connect_at_once_too(adsim):
    camera = SimDetectorCam_V34(f"{adsim.prefix}cam1:", name="camera")
    camera.wait_for_connection(all_signals=True, timeout=10)
    assert camera.is_busy is False
    assert camera.ad_core_version.get() == "3.14.0"
    assert camera.gain_xy.gain_x.write_timeout == 10


def test_connect_serves_any_device(adsim):
    from ophyd import Component, Device

    class Two(Device):
        there = Component(EpicsSignalRO, "cam1:Model_RBV", lazy=True)
        gone = Component(EpicsSignalRO, "cam1:Nothing", lazy=True)

    with pytest.raises(
        ConnectionTimeoutError, match=r"two: does not answer, .*\n.*cam1:Nothing \(two.gone\)"
    ):
        connect(Two(adsim.prefix, name="two"), timeout=1)


def test_swait_record_without_ioc_is_named(gp):
    record = SwaitRecord("nowhere:userCalc1", name="calc")
    with pytest.raises(ConnectionTimeoutError, match="nowhere:userCalc1"):
        record.wait_for_connection(timeout=1)


class TestFrameType:
    @pytest.fixture(autouse=True)
    def back(self, adsim):
        yield
        AD_setup_FrameType(adsim.prefix, "reset")

    @pytest.mark.parametrize(
        ("scheme", "expected"),
        [
            ("NeXus", ["/entry/data/data", "/entry/data/dark", "/entry/data/white"]),
            ("DataExchange", ["/exchange/data", "/exchange/data_dark", "/exchange/data_white"]),
            ("reset", ["Normal", "Background", "FlatField"]),
        ],
    )
    def test_schemes(self, adsim, scheme, expected):
        AD_setup_FrameType(adsim.prefix, scheme)
        for record in ("FrameType", "FrameType_RBV"):
            names = [f"{adsim.prefix}cam1:{record}.{field}" for field in ("ZRST", "ONST", "TWST")]
            assert [epics.caget(name, use_monitor=False) for name in names] == expected

    def test_default_is_nexus(self, adsim):
        AD_setup_FrameType(adsim.prefix)
        assert epics.caget(f"{adsim.prefix}cam1:FrameType.ONST") == "/entry/data/dark"

    def test_unknown_scheme(self, adsim):
        with pytest.raises(ValueError, match="'NeXus', 'DataExchange'"):
            AD_setup_FrameType(adsim.prefix, "nexus")

    def test_text_that_does_not_fit(self, adsim, monkeypatch):
        monkeypatch.setitem(
            AD_FrameType_schemes, "long", {"ZRST": "x" * 26, "ONST": "a", "TWST": "b"}
        )
        with pytest.raises(ConfigurationError, match="25 bytes"):
            AD_setup_FrameType(adsim.prefix, "long")

    def test_a_string_that_the_ioc_refuses_is_named(self, adsim, monkeypatch):
        # The peer never looks at what came of its puts; some servers say yes and keep the old one.
        monkeypatch.setattr(epics.PV, "put", lambda *_, **__: 1)
        with pytest.raises(PutError, match="FrameType.ZRST: put '/exchange/data', but it shows"):
            AD_setup_FrameType(adsim.prefix, "DataExchange")

    def test_missing_ioc(self):
        with pytest.raises(ConnectionTimeoutError, match="nowhere:cam1:FrameType.ZRST"):
            AD_setup_FrameType("nowhere:", timeout=1)
