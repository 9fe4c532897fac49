"""Read requests that never reached an IOC: later reads must not wait for their answers."""

from __future__ import annotations

from typing import Any
from warnings import simplefilter

import pytest
from epics import ca

from adsupport.devices.signals.reading import read_signals, wait_for

pytestmark = pytest.mark.timeout(120)


@pytest.mark.parametrize("warnings", ["ignore", "error"])
def test_a_request_that_was_noted_and_never_sent_does_not_block_reads(
    det: Any, warnings: str, recwarn: pytest.WarningsRecorder
) -> None:
    simplefilter(warnings, UserWarning)  # undone by recwarn
    signal = det.cam.num_images
    pv = signal.cl.get_pv(signal.pvname)
    # what pyepics leaves behind when the connection is lost between its note and its request
    ca.get_cache(pv.pvname).get_results[pv.ftype] = [ca.GET_PENDING]
    assert read_signals({"n": signal}, timeout=0.5) == {"n": 1}


@pytest.mark.slow
def test_an_ioc_that_goes_before_the_request_is_named_and_can_be_read_when_it_is_back(
    fresh_adsim: Any, make_detector: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    det = make_detector(fresh_adsim)
    signal = det.cam.array_counter
    read_signals({"n": signal})
    fresh_adsim.stop()
    assert wait_for(lambda: not signal.connected, 10)
    # ophyd hears of the loss a little later than the library that sends
    monkeypatch.setattr(signal, "wait_for_connection", lambda timeout=None: None)
    with pytest.raises(TimeoutError, match=r"cam1:ArrayCounter_RBV isn't connected any more"):
        read_signals({"n": signal}, timeout=1)
    monkeypatch.undo()
    fresh_adsim.start()
    det.wait_for_connection(timeout=60)
    assert read_signals({"n": signal}, timeout=2) == {"n": 0}
