"""The shutter is closed whatever it does when a plan is ended, or of what it shows."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from bluesky.utils import RunEngineInterrupted
from ophyd import EpicsSignal

from adsupport.errors import PutError
from adsupport.imaging import Source, TomographyConfig, tomography

from .station import TIMEOUT, Station

ONE = TomographyConfig(exposure=0.02, darks=0, flats=0, projections=1)


@pytest.fixture
def shown(station: Station) -> EpicsSignal:
    """The shutter as many are: written here, read there, without put-completion."""
    prefix = station.ioc.prefix
    signal = EpicsSignal(
        f"{prefix}shutter:Status_RBV", write_pv=f"{prefix}shutter:Control", name="shutter"
    )
    signal.wait_for_connection(timeout=TIMEOUT)
    return signal


def measure(station: Station, source: Source) -> None:
    station.engine(tomography(station.camera, station.rotation, ONE, source=source).run())


@contextlib.contextmanager
def aborted(station: Station, name: str, condition: Callable[[float], bool]) -> Iterator[None]:
    """Abort what runs here from another thread, when a PV has come so far."""
    so_far, aborting = threading.Event(), []

    def abort() -> None:
        if so_far.wait(TIMEOUT):
            station.engine.abort()

    def look(value: float, **_: Any) -> None:
        if aborting and condition(value):
            so_far.set()

    pv = station._pv(name)
    index = pv.add_callback(look)
    aborting.append(threading.Thread(target=abort))
    aborting[0].start()
    try:
        with pytest.raises(RunEngineInterrupted):
            yield
    finally:
        aborting[0].join()
        pv.remove_callback(index)


def test_a_shutter_that_never_shows_what_was_written(station: Station, shown: EpicsSignal) -> None:
    """It shows 2 when it's open, and 1 was written; ophyd would poll for that on and on."""
    station.put("shutter:TransitTime", 0.0)  # else it shows 1 while it opens
    with pytest.raises(PutError, match="shutter was set to 1, and shows 2 within 1 s"):
        measure(station, Source(shown, timeout=1.0))
    assert station.get("shutter:Status_RBV") == 0


def test_an_abort_while_the_shutter_opens(station: Station, shown: EpicsSignal) -> None:
    """Its read-back is still polled for the other value."""
    station.put("shutter:TransitTime", 0.0)
    began = time.monotonic()
    with aborted(station, "shutter:Status_RBV", lambda value: value == 2):
        measure(station, Source(shown, timeout=30.0))
    assert station.get("shutter:Status_RBV") == 0
    assert time.monotonic() - began < 15


def test_an_abort_while_a_put_callback_waits_for_the_shutter(
    station: Station, monkeypatch: Any
) -> None:
    """A second one on the channel would hold up all that is asked of the IOC; a put doesn't."""
    pv: Any = station.shutter._write_pv
    puts, put = [], pv.put

    def noting(value: Any, **options: Any) -> Any:
        puts.append((value, options["use_complete"], pv.put_complete))
        return put(value, **options)

    monkeypatch.setattr(pv, "put", noting)
    station.put("shutter:TransitTime", 4.0)
    began = time.monotonic()
    with aborted(station, "shutter:Status_RBV", lambda value: value == 1):
        measure(station, station.source)
    assert station.get("shutter:Status_RBV") == 0
    assert time.monotonic() - began < 4  # it has turned back
    assert [each[:2] for each in puts[:3]] == [(1, True), (0, False), (0, True)]
    assert not any(use_complete and answered is False for _, use_complete, answered in puts)
