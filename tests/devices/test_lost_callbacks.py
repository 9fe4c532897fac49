"""Signals whose callbacks ophyd and pyepics lost between them: connect() finds and helps them.

Each test makes one of the orders of events that a race leaves behind, as it can be read in
pyepics 3.5's ``get_pv``, ``PV.__on_connect`` and ophyd 1.11's ``EpicsSignalBase``.
"""

from __future__ import annotations

import threading
from typing import Any

import epics
import pytest
from epics import ca
from ophyd import Component, Device, DynamicDeviceComponent, EpicsMotor, EpicsSignal, EpicsSignalRO
from ophyd.device import required_for_connection
from ophyd.signal import UNSET_VALUE, DerivedSignal, EpicsSignalBase, Signal

from adsupport.devices import SwaitRecord, connect
from adsupport.devices.connection import settle, wait
from adsupport.devices.signals.reading import wait_for
from adsupport.errors import ConfigurationTypeError, ConnectionTimeoutError
from adsupport.launch import IOCProcess


@pytest.fixture
def known(gp: IOCProcess) -> Any:
    """A process variable that pyepics has connected already, for ophyd."""
    first = EpicsSignalRO(f"{gp.prefix}userCalc9.VAL", name="first")
    connect(first, timeout=10)
    return first._read_pv


def made_while_connecting(pv: Any, make: Any) -> Any:
    """Make a signal after pyepics has called its callbacks and before it marks the PV."""
    pv.connected = False
    try:
        return make()
    finally:
        pv.connected = True


def test_a_signal_made_at_the_moment_of_connection(known: Any) -> None:
    late = made_while_connecting(known, lambda: EpicsSignalRO(known.pvname, name="late"))
    with pytest.raises(TimeoutError):  # so it is with ophyd alone
        late.wait_for_connection(timeout=0.2)
    connect(late, timeout=10)
    assert late.connected
    assert late.get() == known.get(use_monitor=False)
    assert late.describe()["late"]["precision"] == known.precision
    assert late.metadata["timestamp"] > 0


def test_a_type_that_pyepics_noted_before_the_connection(known: Any) -> None:
    right, known.ftype = known.ftype, 13  # what it makes of a channel's type of -1
    late = made_while_connecting(known, lambda: EpicsSignalRO(known.pvname, name="late"))
    connect(late, timeout=10)
    assert known.ftype == right
    assert late.get() == known.get(use_monitor=False)


def test_a_signal_of_two_process_variables(known: Any, gp: IOCProcess) -> None:
    late = made_while_connecting(
        known, lambda: EpicsSignal(f"{gp.prefix}userCalc9.A", known.pvname, name="late")
    )
    connect(late, timeout=10)
    assert late.connected
    assert late.write_access is True


def test_rights_of_access_that_come_last(known: Any) -> None:
    signal = EpicsSignalBase(known.pvname, name="plain")
    connect(signal, timeout=10)
    # metadata first, access rights after: the plain class takes note of them and goes on waiting
    signal._metadata["connected"] = False
    signal._signal_is_ready.clear()
    signal._access_rights_valid[known.pvname] = False
    signal._pv_access_callback(True, True, known)
    assert not signal.connected
    connect(signal, timeout=10)
    assert signal.connected


def test_rights_of_access_that_are_lost(known: Any) -> None:
    signal = EpicsSignal(known.pvname, name="rights")
    connect(signal, timeout=10)
    signal._metadata.update(connected=False, write_access=False)
    signal._signal_is_ready.clear()
    signal._access_rights_valid[known.pvname] = False
    connect(signal, timeout=10)
    assert signal.connected
    assert signal.write_access is True


def test_metadata_that_could_not_be_read(known: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    failed = threading.Event()

    def fail(*_: Any, **__: Any) -> None:
        failed.set()
        raise epics.ca.ChannelAccessGetFailure("Get failed", known.chid, 192)

    with monkeypatch.context() as patch:
        patch.setattr(type(known), "get_all_metadata_blocking", fail)
        signal = EpicsSignalRO(known.pvname, name="unread")
        assert failed.wait(10)
        assert not signal.connected
    connect(signal, timeout=10)
    assert signal.precision == known.precision


def test_a_connection_that_pyepics_did_not_note(
    known: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wait, "_DOUBT", 0.1)
    # pyepics's callback failed on its way: nobody was told that the IOC is back
    signal = EpicsSignal(known.pvname, name="back")
    connect(signal, timeout=10)
    disconnected = threading.Event()
    signal.subscribe(
        lambda connected, **_: connected or disconnected.set(), event_type="meta", run=False
    )
    known.force_connect(conn=False)
    assert disconnected.wait(10)
    assert ca.isConnected(known.chid) and not (known.connected or signal.connected)
    connect(signal, timeout=20)
    assert known.connected and signal.connected
    signal.put(4.5, use_complete=True)
    assert signal.get(use_monitor=False) == 4.5


def test_a_loss_that_pyepics_did_not_note(
    known: Any, gp: IOCProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    signal = EpicsSignalRO(known.pvname, name="gone")
    other = EpicsSignalRO(f"{gp.prefix}userCalc9.B", name="other")
    monkeypatch.setattr(wait, "_DOUBT", 0.1)
    connect(signal, other, timeout=10)
    with monkeypatch.context() as patch:
        patch.setattr(
            settle.ca, "isConnected", lambda chid: chid != known.chid and ca.state(chid) == 2
        )
        with pytest.raises(ConnectionTimeoutError) as caught:
            connect(signal, other, timeout=1)
        assert caught.value.missing == (known.pvname,)
        assert not signal.connected
    connect(signal, timeout=20)
    assert signal.connected and signal.get() == known.get(use_monitor=False)


def test_the_first_monitor(known: Any) -> None:
    known.auto_monitor = True
    assert known.get() is not None
    # ophyd looks whether to run the callback at once before it registers it
    known.connected = False
    signal = EpicsSignalRO(known.pvname, name="monitored", auto_monitor=True)
    signal._pv_connected(known.pvname, True, known)
    known.connected = True
    assert signal._readback is UNSET_VALUE
    seen = threading.Event()
    signal.subscribe(lambda **_: seen.set(), run=False)
    connect(signal, timeout=10)
    assert signal._readback is not UNSET_VALUE
    assert seen.wait(10)


class FirstValueComesEarly(EpicsSignalRO):
    """A signal whose first value comes before the device's callback is added to it."""

    def subscribe(self, callback: Any, event_type: Any = None, run: bool = True) -> int:
        if event_type == self.SUB_VALUE:
            self._add_callback(self.pvname, self._read_pv, self._read_changed)
            assert wait_for(lambda: self._args_cache[self.SUB_VALUE] is not None, 10)
            run = False  # it wasn't connected when ophyd looked
        return super().subscribe(callback, event_type=event_type, run=run)


def test_a_device_that_missed_the_first_event_of_its_signal(gp: IOCProcess) -> None:
    class Positioner(Device):
        value = Component(FirstValueComesEarly, "userCalc6.VAL", auto_monitor=True)
        seen: Any = None

        @required_for_connection
        @value.sub_value
        def _value_changed(self, value: Any = None, **_: Any) -> None:
            self.seen = (*(self.seen or ()), value)

    positioner = Positioner(gp.prefix, name="positioner")
    assert positioner.seen is None
    connect(positioner, timeout=2)
    assert positioner.seen == (positioner.value.get(),)
    assert positioner.connected


def test_a_monitored_motor_has_its_position(gp: IOCProcess) -> None:
    motor = EpicsMotor(f"{gp.prefix}m11", name="motor")
    connect(motor, timeout=10)
    assert motor.position == motor.user_readback.get()
    assert motor.low_limit_travel._readback is not UNSET_VALUE


def test_several_objects_together(gp: IOCProcess) -> None:
    motor = EpicsMotor(f"{gp.prefix}m12", name="motor")
    calc = SwaitRecord(f"{gp.prefix}userCalc8", name="calc")
    sensor = EpicsSignalRO(f"{gp.prefix}userCalc8.VAL", name="sensor")
    doubled = DerivedSignal(sensor, name="doubled")
    soft = Signal(name="soft", value=1)
    assert connect(motor, calc, sensor, doubled, soft, timeout=10) == []
    assert motor.connected and calc.connected and sensor.connected and doubled.connected


def test_a_signal_of_several_that_is_missing(gp: IOCProcess) -> None:
    motor = EpicsMotor(f"{gp.prefix}m12", name="motor")
    sensor = EpicsSignalRO(f"{gp.prefix}NoSuchSensor", name="sensor")
    with pytest.raises(ConnectionTimeoutError, match=f"{gp.prefix}NoSuchSensor") as caught:
        connect(motor, sensor, timeout=1)
    assert caught.value.missing == (f"{gp.prefix}NoSuchSensor",)


@pytest.mark.parametrize("wrong", [True, "gp:m1", None])
def test_what_is_no_device(wrong: Any) -> None:
    with pytest.raises(ConfigurationTypeError, match="expected devices and signals of ophyd"):
        connect(wrong)


def test_afterwards_ophyd_reads_metadata_itself_again(gp: IOCProcess) -> None:
    class Pair(Device):
        values = Component(EpicsSignalRO, "userCalc7.VAL", lazy=True)
        group = DynamicDeviceComponent(
            {"a": (EpicsSignalRO, "userCalc7.A", {}), "gone": (EpicsSignalRO, "NoSuch", {})}
        )

    pair = Pair(gp.prefix, name="pair")
    with pytest.raises(ConnectionTimeoutError, match="NoSuch"):
        connect(pair, timeout=0.5)
    for signal in (pair.values, pair.group.a, pair.group.gone):
        assert "get_all_metadata_callback" not in vars(signal._read_pv)


@pytest.mark.slow  # libca looks again after up to a minute
def test_an_ioc_that_starts_after_the_first_attempt(adsupport_ioc_factory: Any) -> None:
    ioc = adsupport_ioc_factory("gp")
    ioc.stop()
    motor = EpicsMotor(f"{ioc.prefix}m1", name="motor")
    with pytest.raises(ConnectionTimeoutError, match=f"No process variable under '{ioc.prefix}m1'"):
        connect(motor, timeout=0.5)
    with ioc:
        connect(motor, timeout=90)
        assert motor.connected
        assert motor.position == motor.user_readback.get()
        assert motor.user_setpoint.metadata["timestamp"] is not None


@pytest.mark.parametrize(
    "error",
    [
        ca.ChannelAccessException("gone"),
        ca.CASeverityException("create_subscription", "Virtual circuit disconnect"),
        ca.ChannelAccessGetFailure("gone", None, 192),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_connection_that_changes_while_it_is_corrected_is_no_error(error: Exception) -> None:
    class Changing:
        pvname = "gp:userCalc9"

        def force_connect(self, **_: Any) -> None:
            raise error

    settle.correct(Changing(), True)
