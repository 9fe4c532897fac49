"""A rotation that somebody pauses on its way to a projection: the beam doesn't stay on for it."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from ophyd import EpicsSignal

from adsupport.errors import PutError
from adsupport.imaging import TomographyConfig, tomography
from adsupport.imaging.stubs import moves_in_time

from .station import TIMEOUT, Station

PAUSE, GO = 1, 3


@pytest.fixture
def spmg(station: Station) -> Any:
    """What pauses it, at once: the plan's thread isn't to be waited for."""
    signal = EpicsSignal(f"{station.ioc.prefix}m1.SPMG", name="spmg")
    signal.wait_for_connection(timeout=TIMEOUT)
    yield signal
    signal.put(GO, wait=True)
    station.put("m1.STOP", 1)


def test_it_ends_the_run(station: Station, spmg: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(moves_in_time, "_STANDS", 0.3)
    station.put("m1.VELO", 60.0)  # its way takes longer than it may stand
    station.before["m1.VELO"] = 60.0
    lit: list[bool] = []
    paused = threading.Event()

    def look(value: float, **_: Any) -> None:
        if value > 25 and not paused.is_set():
            lit.append(bool(station.shutter.get()))
            spmg.put(PAUSE, wait=False)
            paused.set()

    token = station.rotation.subscribe(look, event_type="readback", run=False)
    config = TomographyConfig(exposure=0.02, darks=1, flats=1, angles=[0.0, 80.0])
    made = tomography(station.camera, station.rotation, config, **station.places)
    try:
        with pytest.raises(PutError) as raised:
            station.engine(made.run())
    finally:
        station.rotation.unsubscribe(token)
    said = "rotation was sent to 80.0, and has stood for 0.3 s: rotation is at 2"
    assert said in str(raised.value)
    assert lit == [True]
    assert station.get("shutter:Status_RBV") == 0
    assert len(station.events("primary")) == 1
